//! NATS JetStream: each event is a message whose id the stream knows duplicates by.
//!
//! Guarantees: an event counts as sent when a stream has acknowledged it; `Nats-Msg-Id` is the event's id, so that a
//! stream keeps one copy of an event that had to be sent twice within its window. Deliberately absent: making streams.

use crate::base::fault::Fault;
use crate::callback::queue::QueueOptions;
use crate::callback::queue::link::Link;
use crate::callback::queue::link::Protocol;
use crate::callback::queue::link::Trouble;
use crate::callback::queue::server::Scheme;
use crate::callback::queue::server::Server;
use crate::callback::queue::server::refused;
use crate::callback::queue::tls::client_config;
use crate::callback::transport::Message;
use crate::callback::transport::Transport;
use async_nats::Client;
use async_nats::ConnectErrorKind;
use async_nats::ConnectOptions;
use async_nats::Event;
use async_nats::HeaderMap;
use async_nats::HeaderName;
use async_nats::HeaderValue;
use async_nats::ServerAddr;
use async_nats::jetstream::Context;
use async_nats::jetstream::context::ContextBuilder;
use async_nats::jetstream::context::PublishError;
use async_nats::jetstream::context::PublishErrorKind;
use rustls::ClientConfig;
use std::error::Error;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const SCHEMES: [Scheme; 2] = [
    Scheme {
        name: "nats",
        tls: false,
        port: 4222,
    },
    Scheme {
        name: "tls",
        tls: true,
        port: 4222,
    },
];
/// Header by which a stream recognises a message it has.
const MESSAGE_ID: &str = "Nats-Msg-Id";
/// How the text of a `.creds` file begins.
const CREDENTIALS_BEGIN: &str = "BEGIN NATS USER JWT";
/// Longer than any time limit of the link, which is the one that counts.
const FOREVER: Duration = Duration::from_secs(3600);
/// Between signs of life.
const PING_INTERVAL: Duration = Duration::from_secs(30);

/// A destination that is a subject of JetStream: `nats://[USER:PASSWORD@]HOST[:PORT]`, or `tls://`. A password without
/// a user is a token, or the text of a `.creds` file.
///
/// # Errors
/// A request fault of the address, the subject, the credentials or the certificates.
pub fn nats(url: &str, options: &QueueOptions) -> Result<Box<dyn Transport>, Fault> {
    let server = Server::read(url, &SCHEMES, options)?;
    let refuse = |cause: &str, remedy: &str| Err(refused(&server.shown, cause, remedy));
    if options.subject.is_empty() {
        return refuse("it has no subject", "Set subject = \"NAME\": a stream must take it.");
    }
    let wildcard = options.subject.split('.').any(|token| matches!(token, "" | "*" | ">"));
    if wildcard || options.subject.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return refuse(
            "its subject is not one that can be published to",
            "Write names separated by dots, without spaces, * or >.",
        );
    }
    let user = server.user.clone();
    let identity = match (user, server.password.clone()) {
        (Some(user), password) => Identity::User(user, password.unwrap_or_default()),
        (None, None) => Identity::None,
        // A secret without a user is the text of a .creds file, or else a token.
        (None, Some(text)) if text.contains(CREDENTIALS_BEGIN) => {
            if ConnectOptions::new().credentials(&text).is_err() {
                return refuse(
                    "its credentials cannot be read",
                    "Give the .creds file that nsc wrote, whole.",
                );
            }
            Identity::Credentials(text)
        }
        (None, Some(token)) => Identity::Token(token),
    };
    let tls = match server.tls {
        true => Some(client_config(&server.host, options)?),
        false => None,
    };
    Ok(Box::new(Link::new(Nats {
        server,
        tls,
        identity,
        subject: options.subject.clone(),
    })))
}

enum Identity {
    None,
    User(String, String),
    Token(String),
    Credentials(String),
}

struct Nats {
    server: Server,
    tls: Option<ClientConfig>,
    identity: Identity,
    subject: String,
}

impl std::fmt::Debug for Nats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Nats")
            .field("server", &self.server)
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

/// What the client says about its connection while it lives.
#[derive(Debug, Default)]
struct Watch {
    /// The connection broke.
    lost: CancellationToken,
    /// The last complaint of the server: a missing permission is told in no other way.
    complaint: Mutex<Option<String>>,
}

struct Session {
    client: Client,
    context: Context,
    watch: Arc<Watch>,
}

impl Nats {
    fn options(&self, watch: &Arc<Watch>) -> Result<ConnectOptions, Trouble> {
        let options = ConnectOptions::new();
        let options = match &self.identity {
            Identity::None => options,
            Identity::User(user, password) => options.user_and_password(user.clone(), password.clone()),
            Identity::Token(token) => options.token(token.clone()),
            Identity::Credentials(text) => options.credentials(text).map_err(|error| self.server.lost(error))?,
        };
        let options = match &self.tls {
            Some(config) => options.require_tls(true).tls_client_config(config.clone()),
            None => options,
        };
        let watch = Arc::clone(watch);
        Ok(options
            .name("reelmill")
            .connection_timeout(FOREVER)
            .request_timeout(None)
            .ping_interval(PING_INTERVAL)
            // Other servers of a cluster have addresses that nobody judged.
            .ignore_discovered_servers()
            // The link connects anew, to addresses resolved anew; the one try is the first.
            .max_reconnects(1)
            .event_callback(move |event| {
                let watch = Arc::clone(&watch);
                async move {
                    match event {
                        Event::Disconnected | Event::Closed => watch.lost.cancel(),
                        Event::ServerError(error) => {
                            let text = error.to_string();
                            let denied = text.to_ascii_lowercase().contains("permissions violation");
                            *watch.complaint.lock().unwrap_or_else(|poison| poison.into_inner()) = Some(text);
                            if denied {
                                // No acknowledgement follows; the permission may be there after the next connect.
                                watch.lost.cancel();
                            }
                        }
                        _ => {}
                    }
                }
            }))
    }

    async fn connect(&self, address: SocketAddr) -> Result<Session, Trouble> {
        let watch = Arc::new(Watch::default());
        let scheme = if self.tls.is_some() { "tls" } else { "nats" };
        let target = ServerAddr::from_str(&format!("{scheme}://{address}")).map_err(|error| self.server.lost(error))?;
        match self.options(&watch)?.connect(target).await {
            Ok(client) => Ok(Session {
                context: ContextBuilder::new().timeout(FOREVER).build(client.clone()),
                client,
                watch,
            }),
            Err(error) => {
                let cause = chain(&error);
                Err(match error.kind() {
                    ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => self.server.refused(
                        format!("the server does not let us in: {cause}; check user, password or credentials"),
                    ),
                    ConnectErrorKind::Tls if self.tls.is_none() => self
                        .server
                        .lost(format!("{cause}; the server wants TLS: write the URL as tls://HOST")),
                    _ => self.server.lost(format!("cannot connect to {address}: {cause}")),
                })
            }
        }
    }

    fn trouble(&self, error: &PublishError) -> Trouble {
        match error.kind() {
            PublishErrorKind::StreamNotFound => self.server.refused(format!(
                "no stream of JetStream takes subject {}; add it to the subjects of one",
                self.subject
            )),
            PublishErrorKind::MaxPayloadExceeded => {
                let cause = "the event is larger than the server's max_payload";
                Trouble::Unfit(format!("{}: {cause}", self.server.shown))
            }
            PublishErrorKind::BrokenPipe | PublishErrorKind::TimedOut => self.server.lost(chain(error)),
            _ => self.server.refused(format!(
                "the stream of {} did not take it: {}",
                self.subject,
                chain(error)
            )),
        }
    }
}

/// An error with its causes.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    text
}

fn headers(message: &Message) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let own = [
        (MESSAGE_ID, message.event_id.as_str()),
        ("X-Reelmill-Event-Type", message.event_type.as_str()),
        ("Content-Type", "application/json; charset=utf-8"),
    ];
    let given = message
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in own.into_iter().chain(given) {
        // What cannot stand in a header is not ours: header names are fixed and values are numbers, ids and hashes.
        if let (Ok(name), Ok(value)) = (HeaderName::from_str(name), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    headers
}

impl Protocol for Nats {
    type Session = Session;

    fn server(&self) -> &Server {
        &self.server
    }

    async fn open(&self) -> Result<Session, Trouble> {
        let mut last = self.server.lost("the name has no address");
        for address in self.server.resolve().await? {
            match self.connect(address).await {
                Ok(session) => return Ok(session),
                Err(trouble) => last = trouble,
            }
        }
        Err(last)
    }

    fn alive(&self, session: &Session) -> bool {
        !session.watch.lost.is_cancelled()
    }

    async fn hand_over(&self, session: &Session, message: &Message) -> Result<String, Trouble> {
        let published = async {
            let waiting = session
                .context
                .publish_with_headers(self.subject.clone(), headers(message), message.body.clone().into())
                .await?;
            waiting.await
        };
        let complaint = || {
            let complaint = session.watch.complaint.lock();
            complaint.unwrap_or_else(|poison| poison.into_inner()).take()
        };
        let result = tokio::select! {
            result = published => result,
            () = session.watch.lost.cancelled() => {
                let cause = complaint().unwrap_or_else(|| "the connection broke before the acknowledgement".to_owned());
                return Err(self.server.lost(cause));
            }
        };
        match result {
            Ok(ack) => Ok(format!(
                "stream {}, sequence {}{}",
                ack.stream,
                ack.sequence,
                if ack.duplicate { ", which had it already" } else { "" }
            )),
            Err(error) => Err(self.trouble(&error)),
        }
    }

    async fn part(&self, session: &Session) {
        // Nothing is waiting for the server any more.
        let _ = session.client.drain().await;
    }
}

#[cfg(test)]
mod tests {
    use super::nats;
    use crate::callback::queue::QueueOptions;

    #[test]
    fn subjects_and_credentials_are_checked_when_saved() {
        let with = |subject: &str| QueueOptions {
            subject: subject.to_owned(),
            ..QueueOptions::default()
        };
        for bad in ["", "media.*", "media.>", "media..done", "a b", ".a"] {
            assert!(nats("nats://10.0.0.1", &with(bad)).is_err(), "{bad}");
        }
        assert!(nats("nats://10.0.0.1", &with("media.done")).is_ok());
        let options = QueueOptions {
            password: Some("-----BEGIN NATS USER JWT-----\nnot credentials SECRET".to_owned()),
            ..with("media.done")
        };
        let fault = nats("nats://10.0.0.1", &options).expect_err("refused");
        assert!(!fault.to_string().contains("SECRET"), "{fault}");
    }
}
