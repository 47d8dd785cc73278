//! A destination of events as it is written: one `[[destination]]` of the configuration with its files read, or the JSON
//! of one that was made through the API.
//!
//! Guarantees: plain data; secrets never show in logs, and leave only where somebody asks for them by name
//! ([`Hidden::expose`]). Deliberately absent: whether it can work, which `callback::destination` checks, and files:
//! the configuration reads them.

use crate::workflow::secrets;
use crate::workflow::secrets::Hidden;
use crate::workflow::secrets::Secrets;
use serde::Deserialize;
use serde::Serialize;
use std::collections::BTreeMap;

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A receiver of events. Which fields belong to which `kind` stands in `config/reelmill.toml`, beside `[[destination]]`;
/// where a key there ends in `_file`, the field here holds what is in the file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Definition {
    /// Its name.
    pub name: String,
    /// `http` (also when empty), `amqp`, `nats`, `mqtt`, `redis`, `exec`, `storage` or `mail`.
    pub kind: String,
    /// Where to post; the address of a broker.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// `ims` (also when empty), `vod`, `mps` or `native`. With a template, and by mail, always native.
    pub profile: String,
    /// Told of every event it wants, whatever a workflow says of callbacks.
    pub global: bool,
    /// Names of the events it wants; empty: all but those that must be asked for.
    pub events: Vec<String>,
    /// The transcode events of the older cloud API too.
    pub legacy_events: bool,
    /// `default` (also when empty) or `ims`.
    pub retry: String,
    /// Seconds a try may take; 0: 10, of a program 60.
    pub timeout_s: u32,
    /// Headers sent along.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = BTreeMap<String, String>)]
    pub headers: BTreeMap<String, Hidden>,
    /// Key of the profile's own signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub auth_key: Option<Hidden>,
    /// Key of our signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub signing_key: Option<Hidden>,
    /// The key before it, which signs as well while receivers change over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub old_signing_key: Option<Hidden>,
    /// A body for a chat robot: `wecom`, `slack`, `dingtalk` or `feishu`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub template: String,
    /// A body of one's own, in the template language of Jinja.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub body_template: String,
    /// Certificate and key to show, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub tls_client: Option<Hidden>,
    /// Certificate authorities to trust besides those of the system, PEM.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tls_ca: String,
    /// User name at a broker or mail server.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub user: String,
    /// Its password.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub password: Option<Hidden>,
    /// `amqp`: the queue.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub queue: String,
    /// `amqp`: the exchange, in place of a queue.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub exchange: String,
    /// `amqp`: the routing key at the exchange.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub routing_key: String,
    /// `amqp`: whether queue and exchange are declared, durable, and bound when connecting.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub declare: bool,
    /// `nats`: the subject. `mail`: the subject line, a template.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// `mqtt`: the topic.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub topic: String,
    /// `redis`: the stream.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub stream: String,
    /// `redis`: about how many entries the stream keeps; 0: all.
    #[serde(skip_serializing_if = "is_zero")]
    pub max_entries: u64,
    /// `exec`: name of a program in hooks_dir.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub program: String,
    /// `storage`: the storage to archive into.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub storage: String,
    /// `storage`: the folder in it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// `mail`: HOST or HOST:PORT of the mail server.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub smtp: String,
    /// `mail`: `starttls` (also when empty), `tls` or `none`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub security: String,
    /// `mail`: the sender.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub from: String,
    /// `mail`: the receivers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<String>,
}

impl Definition {
    /// What it is, with the default said.
    pub fn kind(&self) -> &str {
        match self.kind.as_str() {
            "" => "http",
            kind => kind,
        }
    }

    /// Its single secrets by name; headers are not among them.
    pub fn secrets(&mut self) -> Secrets<'_, 5> {
        [
            ("auth_key", &mut self.auth_key),
            ("signing_key", &mut self.signing_key),
            ("old_signing_key", &mut self.old_signing_key),
            ("tls_client", &mut self.tls_client),
            ("password", &mut self.password),
        ]
    }

    /// Changes each secret, headers included: `change` gets its name and value. What it makes empty is left out.
    ///
    /// # Errors
    /// The first error of `change`.
    pub fn change_secrets<E>(mut self, mut change: impl FnMut(&str, &str) -> Result<String, E>) -> Result<Self, E> {
        secrets::change(self.secrets(), &mut change)?;
        let mut headers = BTreeMap::new();
        for (name, value) in std::mem::take(&mut self.headers) {
            let changed = change(&format!("header {name}"), value.expose())?;
            headers.insert(name, changed.into());
        }
        self.headers = headers;
        Ok(self)
    }

    /// As it may be shown: single secrets left out, values of headers and what of an address may be a secret masked.
    /// Also the names of the secrets that are set.
    pub fn shown(&self) -> (Definition, Vec<String>) {
        let mut shown = self.clone();
        let set = secrets::leave_out(shown.secrets());
        for value in shown.headers.values_mut() {
            *value = MASK.into();
        }
        shown.url = masked_url(&self.url, !self.template.is_empty());
        (shown, set)
    }

    /// Puts what [`shown`](Self::shown) masked back as it was in `before`, where it came back masked.
    pub fn unmask(&mut self, before: &Definition) {
        if self.url == before.shown().0.url {
            self.url.clone_from(&before.url);
        }
        for (name, value) in &mut self.headers {
            if value.expose() == MASK
                && let Some(old) = before.headers.get(name)
            {
                value.clone_from(old);
            }
        }
    }

    /// Takes over secrets of `before` that are not mentioned; an empty one is taken away.
    pub fn keep_secrets_of(&mut self, before: &Definition) {
        secrets::keep(self.secrets(), before.clone().secrets());
    }
}

/// What stands for a secret that is not shown.
const MASK: &str = "***";

/// An address without its query, user and password; of a chat robot, whose address is its secret, without its path too.
fn masked_url(text: &str, robot: bool) -> String {
    let Ok(mut url) = url::Url::parse(text) else {
        return text.to_owned();
    };
    if url.query().is_some() {
        url.set_query(Some(MASK));
    }
    if url.password().is_some() {
        // An address without a host has no password.
        let _ = url.set_password(Some(MASK));
    }
    if robot && url.path().len() > 1 {
        url.set_path(MASK);
    }
    // What hides nothing is shown as it is written.
    if url.as_str().contains(MASK) {
        url.into()
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::Definition;

    #[test]
    fn secrets_are_kept_unless_given_and_never_printed() {
        let before = Definition {
            auth_key: Some("hunter2".into()),
            password: Some("opensesame".into()),
            ..Definition::default()
        };
        assert!(!format!("{before:?}").contains("hunter2"));
        let mut after = Definition {
            password: Some("".into()),
            signing_key: Some("new".into()),
            ..Definition::default()
        };
        after.keep_secrets_of(&before);
        assert_eq!(after.auth_key.as_ref().map(|key| key.expose()), Some("hunter2"));
        assert_eq!(after.signing_key.as_ref().map(|key| key.expose()), Some("new"));
        assert_eq!(after.password, None);
    }

    #[test]
    fn what_is_shown_can_be_sent_back_and_gives_nothing_away() {
        let before: Definition = serde_json::from_str(
            r#"{"name": "chat", "template": "slack", "url": "https://hooks.slack.com/services/T0/B0/s3cret",
            "headers": {"X-Token": "s3cret"}, "auth_key": "s3cret"}"#,
        )
        .expect("right");
        let (shown, set) = before.shown();
        assert_eq!(set, ["auth_key"]);
        let text = serde_json::to_string(&shown).expect("JSON");
        assert!(!text.contains("s3cret") && text.contains("hooks.slack.com"), "{text}");
        let mut back: Definition = serde_json::from_str(&text).expect("right");
        back.keep_secrets_of(&before);
        back.unmask(&before);
        assert_eq!(back, before);
        let robot = Definition {
            url: "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=s3cret".to_owned(),
            ..Definition::default()
        };
        assert_eq!(
            robot.shown().0.url,
            "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?***"
        );
    }

    #[test]
    fn every_secret_is_changed_by_name() {
        let text = r#"{"name": "mam", "auth_key": "a", "headers": {"X-Token": "t"}}"#;
        let definition: Definition = serde_json::from_str(text).expect("right");
        let sealed = definition.change_secrets(|name, value| Ok::<_, ()>(format!("<{name}:{value}>")));
        let sealed = sealed.expect("nothing fails");
        assert_eq!(sealed.auth_key.as_ref().map(|key| key.expose()), Some("<auth_key:a>"));
        assert_eq!(sealed.headers["X-Token"].expose(), "<header X-Token:t>");
        assert!(serde_json::from_str::<Definition>(r#"{"nmae": "mam"}"#).is_err());
    }
}
