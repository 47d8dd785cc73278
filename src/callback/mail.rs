//! A mail by SMTP as a destination.
//!
//! Guarantees: accepted means that the server took it for every receiver; `Message-ID` is made of the event's id, so a
//! mail that was sent twice can be recognised; the server's address is checked and then connected to; messages name the
//! server, never the password. Deliberately absent: HTML, and queues of its own: the outbox is one.

use crate::base::address::Reach;
use crate::base::address::refusal;
use crate::base::fault::Fault;
use crate::callback::client::Answer;
use crate::callback::destination;
use crate::callback::transport::Message;
use crate::callback::transport::Transport;
use crate::callback::transport::accepted;
use crate::callback::transport::refused;
use crate::callback::transport::unreached;
use crate::workflow::destination::Definition;
use futures_util::future::BoxFuture;
use lettre::AsyncSmtpTransport;
use lettre::AsyncTransport;
use lettre::Tokio1Executor;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::message::header::HeaderName;
use lettre::message::header::HeaderValue;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::Certificate;
use lettre::transport::smtp::client::Tls;
use lettre::transport::smtp::client::TlsParameters;
use std::net::IpAddr;
use std::time::Duration;
use std::time::Instant;

/// The text of a mail where the destination has none of its own.
pub const BODY: &str = "{{ summary.title }}\n\n{{ summary.text }}\n\nEvent {{ id }}, {{ type }}\n";
/// The subject line, the same.
pub const SUBJECT: &str = "reelmill: {{ summary.title }}";
/// The header that carries the subject line from the outbox.
pub const SUBJECT_HEADER: &str = "Subject";
/// Receivers of one mail at most.
const RECEIVERS_MAX: usize = 50;

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Security {
    /// TLS after a greeting in the clear.
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// Not at all.
    Nothing,
}

/// One mail server and who is written to.
pub struct Mail {
    host: String,
    port: u16,
    security: Security,
    reach: Reach,
    tls: Option<TlsParameters>,
    credentials: Option<Credentials>,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mail")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("security", &self.security)
            .finish()
    }
}

impl Mail {
    /// Checks what `definition` says of server, sender and receivers.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(definition: &Definition, reach: Reach) -> Result<Self, Fault> {
        let (security, usual_port) = match definition.security.as_str() {
            "" | "starttls" => (Security::StartTls, 587),
            "tls" => (Security::Tls, 465),
            "none" => (Security::Nothing, 25),
            other => {
                return Err(destination::refused(
                    &format!("security {other:?}"),
                    "there is no such way",
                    "Use starttls, tls or none.",
                ));
            }
        };
        let (host, port) = server(&definition.smtp, usual_port)?;
        if let Some(why) = host.parse().ok().and_then(|address: IpAddr| refusal(address, reach)) {
            return Err(destination::refused(
                &definition.smtp,
                &format!("it must not be reached: {why}"),
                "Name a mail server of your network; this host itself can only be named in the configuration file.",
            ));
        }
        let mailbox = |key: &str, text: &str| {
            text.parse::<Mailbox>().map_err(|error| {
                destination::refused(
                    &format!("{key} {text:?}"),
                    &error.to_string(),
                    "Write it as NAME <USER@HOST> or USER@HOST.",
                )
            })
        };
        if definition.to.is_empty() || definition.to.len() > RECEIVERS_MAX {
            return Err(destination::refused(
                "to",
                "there are none, or more than 50",
                "Name 1 to 50 receivers.",
            ));
        }
        let credentials = match (definition.user.as_str(), &definition.password) {
            ("", None) => None,
            ("", Some(_)) => return Err(destination::refused("user", "there is only a password", "Give both.")),
            (_, None) => return Err(destination::refused("password", "there is only a user", "Give both.")),
            (user, Some(password)) => Some(Credentials::new(user.to_owned(), password.expose().to_owned())),
        };
        if credentials.is_some() && security == Security::Nothing {
            return Err(destination::refused(
                "security",
                "a password would travel in the clear",
                "Use starttls or tls.",
            ));
        }
        let tls = match security {
            Security::Nothing => None,
            _ => Some(tls(&host, &definition.tls_ca)?),
        };
        Ok(Mail {
            from: mailbox("from", &definition.from)?,
            to: definition
                .to
                .iter()
                .map(|text| mailbox("to", text))
                .collect::<Result<_, _>>()?,
            host,
            port,
            security,
            reach,
            tls,
            credentials,
        })
    }

    /// The server's address, which may be reached.
    async fn address(&self) -> Result<IpAddr, String> {
        let found = tokio::net::lookup_host((self.host.as_str(), self.port))
            .await
            .map_err(|error| format!("{} cannot be resolved: {error}", self.host))?;
        let mut reason = "the name has no address";
        for address in found {
            match refusal(address.ip(), self.reach) {
                None => return Ok(address.ip()),
                Some(why) => reason = why,
            }
        }
        Err(format!("{} must not be reached: {reason}", self.host))
    }

    fn letter(&self, message: &Message) -> Result<lettre::Message, String> {
        let mut builder = lettre::Message::builder()
            .from(self.from.clone())
            .date(std::time::SystemTime::now())
            .message_id(Some(format!("<{}@reelmill>", message.event_id)))
            .subject(message.header(SUBJECT_HEADER).unwrap_or(&message.event_type));
        for receiver in &self.to {
            builder = builder.to(receiver.clone());
        }
        for (name, value) in message.headers.iter().filter(|(name, _)| name != SUBJECT_HEADER) {
            let name = HeaderName::new_from_ascii(name.clone()).map_err(|error| format!("{name}: {error}"))?;
            builder = builder.raw_header(HeaderValue::new(name, value.clone()));
        }
        builder
            .header(ContentType::TEXT_PLAIN)
            .body(String::from_utf8_lossy(&message.body).into_owned())
            .map_err(|error| error.to_string())
    }

    async fn hand_over(&self, message: &Message, limit: Duration) -> Answer {
        let began = Instant::now();
        let letter = match self.letter(message) {
            Ok(letter) => letter,
            Err(why) => return refused(began, format!("the mail cannot be written: {why}"), None),
        };
        let sending = async {
            let address = self.address().await.map_err(|why| unreached(began, why))?;
            let tls = match (self.security, self.tls.clone()) {
                (Security::StartTls, Some(parameters)) => Tls::Required(parameters),
                (Security::Tls, Some(parameters)) => Tls::Wrapper(parameters),
                _ => Tls::None,
            };
            let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(address.to_string())
                .port(self.port)
                .tls(tls)
                .timeout(Some(limit));
            if let Some(credentials) = &self.credentials {
                builder = builder.credentials(credentials.clone());
            }
            builder.build().send(letter).await.map_err(|error| {
                let why = chain(&error);
                if error.is_permanent() {
                    refused(began, format!("{}: {why}", self.host), None)
                } else {
                    unreached(began, format!("{}: {why}", self.host))
                }
            })
        };
        match tokio::time::timeout(limit, sending).await {
            Ok(Ok(response)) => {
                let said: Vec<&str> = response.message().collect();
                accepted(began, Some(format!("{} {}", response.code(), said.join(" "))))
            }
            Ok(Err(answer)) => answer,
            Err(_) => unreached(began, "no answer in time"),
        }
    }
}

impl Transport for Mail {
    fn send<'a>(&'a self, message: &'a Message, timeout: Duration) -> BoxFuture<'a, Answer> {
        Box::pin(self.hand_over(message, timeout))
    }

    fn close<'a>(&'a self) -> BoxFuture<'a, ()> {
        Box::pin(async {})
    }
}

/// Host and port of `HOST`, `HOST:PORT` or `[V6]:PORT`.
fn server(text: &str, usual_port: u16) -> Result<(String, u16), Fault> {
    let url = url::Url::parse(&format!("smtp://{text}")).ok();
    let plain = url.filter(|url| {
        url.username().is_empty() && url.password().is_none() && url.path().is_empty() && url.query().is_none()
    });
    let host = plain.as_ref().and_then(|url| url.host_str()).unwrap_or_default();
    if host.is_empty() {
        return Err(destination::refused(
            &format!("smtp {text:?}"),
            "it is not the address of a server",
            "Write it as HOST or HOST:PORT.",
        ));
    }
    let port = plain.as_ref().and_then(|url| url.port()).unwrap_or(usual_port);
    Ok((host.trim_matches(['[', ']']).to_owned(), port))
}

fn tls(host: &str, roots: &str) -> Result<TlsParameters, Fault> {
    let bad = |error: lettre::transport::smtp::Error| {
        destination::refused("tls_ca", &chain(&error), "Give the authorities' certificates as PEM.")
    };
    let mut builder = TlsParameters::builder(host.to_owned());
    for pem in certificates(roots) {
        builder = builder.add_root_certificate(Certificate::from_pem(pem.as_bytes()).map_err(bad)?);
    }
    builder.build().map_err(bad)
}

/// Each certificate of a PEM text.
fn certificates(text: &str) -> impl Iterator<Item = String> {
    const END: &str = "-----END CERTIFICATE-----";
    text.split_inclusive(END)
        .filter(|part| part.contains(END))
        .map(str::to_owned)
}

fn chain(error: &lettre::transport::smtp::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(&format!(": {more}"));
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::Mail;
    use super::server;
    use crate::base::address::Reach;
    use crate::workflow::destination::Definition;

    fn definition() -> Definition {
        Definition {
            kind: "mail".to_owned(),
            smtp: "mail.studio.example".to_owned(),
            security: "none".to_owned(),
            from: "Mill <mill@studio.example>".to_owned(),
            to: vec!["ops@studio.example".to_owned()],
            ..Definition::default()
        }
    }

    #[test]
    fn servers_are_hosts_with_ports() {
        assert_eq!(server("a.example", 587).expect("right"), ("a.example".to_owned(), 587));
        assert_eq!(server("10.0.0.1:25", 587).expect("right"), ("10.0.0.1".to_owned(), 25));
        assert_eq!(server("[fd12::1]:25", 587).expect("right"), ("fd12::1".to_owned(), 25));
        for bad in ["", "a b", "u:p@a", "a/b", "a:x"] {
            assert!(server(bad, 587).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_cannot_be_sent_safely_is_refused() {
        assert!(Mail::new(&definition(), Reach::Network).is_ok());
        let with = |change: fn(&mut Definition)| {
            let mut definition = definition();
            change(&mut definition);
            Mail::new(&definition, Reach::Network).expect_err("refused").to_string()
        };
        for (said, cause) in [
            (with(|it| it.smtp = "127.0.0.1:25".to_owned()), "this host itself"),
            (with(|it| it.to = vec!["nobody".to_owned()]), "nobody"),
            (with(|it| it.to = Vec::new()), "there are none"),
            (with(|it| it.security = "ssl".to_owned()), "no such way"),
            (
                with(|it| {
                    it.user = "u".to_owned();
                    it.password = Some("p".into());
                }),
                "in the clear",
            ),
            (
                with(|it| {
                    it.security = "tls".to_owned();
                    it.tls_ca = "-----BEGIN CERTIFICATE-----\n%%\n-----END CERTIFICATE-----\n".to_owned();
                }),
                "tls_ca",
            ),
        ] {
            assert!(said.contains(cause), "{said:?} must say {cause:?}");
        }
    }
}
