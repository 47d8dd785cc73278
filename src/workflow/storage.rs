//! A storage as it is written where it is made through the API: one `[[storage]]` of the configuration, with what is in
//! its files instead of their names.
//!
//! Guarantees: plain data; keys never show in logs, and leave only where somebody asks for them by name
//! ([`Hidden::expose`]). Deliberately absent: whether it can work, which the configuration's rules check, and files.

use crate::objects::uri::ObjectUri;
use crate::workflow::deed::Deed;
use crate::workflow::resolved::ResolvedWorkflow;
use crate::workflow::secrets;
use crate::workflow::secrets::Hidden;
use crate::workflow::secrets::Secrets;
use serde::Deserialize;
use serde::Serialize;

/// A storage. Which fields belong to which `kind`, and what they mean, stands in `config/reelmill.toml` beside
/// `[[storage]]`; keys are given here instead of the files that hold them. What is left out has its default.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = StorageDefinition)]
pub struct Definition {
    /// Its name: 1 to 128 letters, digits, - and _.
    pub name: String,
    /// `folder` (also when empty) or `s3`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// `folder`: the folder, absolute, beneath one of `security.storage_roots`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// `auto`, `inotify`, `poll` or `off`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watch: Option<String>,
    /// `stable`, `rename`, `marker` or `checksum`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready: Option<String>,
    /// Of `marker`: the ending of markers, or the name of one for its folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// Looks without a change; 0: by file system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settle_looks: Option<u32>,
    /// Seconds between looks; 0: by file system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settle_interval_s: Option<f64>,
    /// Seconds between whole scans or listings; 0: by file system, or as it turns out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll_interval_s: Option<f64>,
    /// Seconds that must have passed since an object was first seen as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_age_s: Option<f64>,
    /// Globs of keys, one of which must fit; empty: all do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include: Option<Vec<String>>,
    /// Globs of keys, none of which may fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclude: Option<Vec<String>>,
    /// `folder`: `NAME.reelmill.json` may set options of the task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sidecars: Option<bool>,
    /// `folder`: subtitles beside a film belong to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subtitles: Option<bool>,
    /// `folder`: which files are one media together: `sequences`, `gopro`, `p2`, `xdcam`, `avchd`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
    /// `folder`: pictures a second of sequences.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence_fps: Option<f64>,
    /// `folder`: a file in it without which it is not believed to be the storage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sentinel: Option<String>,
    /// `folder`: permission bits of published files, octal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_mode: Option<String>,
    /// `folder`: permission bits of folders made for them, octal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder_mode: Option<String>,
    /// `folder`: group of both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_group: Option<String>,
    /// `s3`: where the service answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// `s3`: its region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// `s3`: the bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// `s3`: the bucket stands in the path of addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_style: Option<bool>,
    /// `s3`: `given` (also when empty: `access_key` and `secret_key`), `environment` or `instance`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<String>,
    /// `s3`: the access key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub access_key: Option<Hidden>,
    /// `s3`: the secret key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub secret_key: Option<Hidden>,
    /// `s3`: the token of a session.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub session_token: Option<Hidden>,
    /// `s3`: authorities to trust besides the system's, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_ca: Option<String>,
    /// `s3`: storage class of outputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// `s3`: canned ACL of outputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acl: Option<String>,
    /// `s3`: encryption at rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sse: Option<String>,
    /// `s3`: key of `aws:kms`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sse_kms_key: Option<String>,
    /// `s3`: `Cache-Control` of outputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<String>,
    /// `s3`: MiB of a part of an upload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_mib: Option<u32>,
    /// `s3`: requests with bodies at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// `s3`: seconds for which a request without an answer is repeated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_s: Option<f64>,
    /// `s3`: the secret that notifications have to show; left out: they are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub notify_secret: Option<Hidden>,
    /// `s3`: what addresses of subscriptions may begin with besides those of SNS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify_confirm_urls: Option<Vec<String>>,
    /// `s3`: prefixes beneath which new keys always sort behind the old ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monotonic_prefixes: Option<Vec<String>>,
}

impl Definition {
    /// What it is, with the default said.
    pub fn kind(&self) -> &str {
        match self.kind.as_str() {
            "" => "folder",
            kind => kind,
        }
    }

    /// Its secrets by name.
    pub fn secrets(&mut self) -> Secrets<'_, 4> {
        [
            ("access_key", &mut self.access_key),
            ("secret_key", &mut self.secret_key),
            ("session_token", &mut self.session_token),
            ("notify_secret", &mut self.notify_secret),
        ]
    }

    /// Changes each secret: `change` gets its name and value. What it makes empty is left out.
    ///
    /// # Errors
    /// The first error of `change`.
    pub fn change_secrets<E>(mut self, change: impl FnMut(&str, &str) -> Result<String, E>) -> Result<Self, E> {
        secrets::change(self.secrets(), change)?;
        Ok(self)
    }

    /// As it may be shown, without secrets, and the names of those that are set.
    pub fn shown(&self) -> (Definition, Vec<String>) {
        let mut shown = self.clone();
        let set = secrets::leave_out(shown.secrets());
        (shown, set)
    }

    /// Takes over secrets of `before` that are not mentioned; an empty one is taken away.
    pub fn keep_secrets_of(&mut self, before: &Definition) {
        secrets::keep(self.secrets(), before.clone().secrets());
    }

    /// Whether both are in the same place: tasks that use one find their objects in the other.
    pub fn is_where(&self, other: &Definition) -> bool {
        let place = |one: &Definition| {
            (
                one.kind().to_owned(),
                one.path.clone(),
                one.endpoint.clone(),
                one.bucket.clone(),
                one.path_style,
            )
        };
        place(self) == place(other)
    }
}

/// Whether a workflow reads from, or writes into, the storage `name`, as far as its definition says.
pub fn is_named_by(name: &str, workflow: &ResolvedWorkflow) -> bool {
    let says = |said: &Option<String>| said.as_deref() == Some(name);
    says(&workflow.source.storage)
        || says(&workflow.output.storage)
        || workflow.activities.iter().any(|activity| {
            let copied = matches!(&activity.deed, Some(Deed::Copy(rule)) if rule.storage == name);
            let mut beside = activity.work.iter().flat_map(|work| work.side_names());
            copied || beside.any(|object| ObjectUri::parse(object).is_some_and(|object| object.storage == name))
        })
}

#[cfg(test)]
mod tests {
    use super::Definition;

    fn bucket() -> Definition {
        Definition {
            name: "rushes".to_owned(),
            kind: "s3".to_owned(),
            access_key: Some("AK".into()),
            secret_key: Some("hunter2".into()),
            ..Definition::default()
        }
    }

    #[test]
    fn keys_are_kept_unless_given_and_never_shown() {
        let before = bucket();
        let mut after = Definition {
            access_key: Some("AK2".into()),
            secret_key: None,
            notify_secret: Some("".into()),
            ..before.clone()
        };
        after.keep_secrets_of(&before);
        assert_eq!(after.access_key.as_ref().map(|key| key.expose()), Some("AK2"));
        assert_eq!(after.secret_key, before.secret_key);
        assert_eq!(after.notify_secret, None);
        assert!(!format!("{after:?}").contains("hunter2"));
        let (shown, set) = after.shown();
        assert_eq!(set, ["access_key", "secret_key"]);
        let text = serde_json::to_string(&shown).expect("plain data");
        assert!(!text.contains("AK2") && !text.contains("hunter2"), "{text}");
    }

    #[test]
    fn what_was_not_said_is_not_written() {
        let text = serde_json::to_string(&Definition {
            name: "nas".to_owned(),
            path: "/mnt/nas".to_owned(),
            ..Definition::default()
        });
        assert_eq!(text.expect("plain data"), r#"{"name":"nas","path":"/mnt/nas"}"#);
    }
}
