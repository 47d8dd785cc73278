//! The server of a queue, read from its URL.
//!
//! Guarantees: the host may be reached as far as can be told without a name server, and each address that a name
//! leads to is judged again before it is connected to; what is shown in messages holds no user, password or query.
//! Deliberately absent: connections.

use crate::base::address::Reach;
use crate::base::address::host_refusal;
use crate::base::address::refusal;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::callback::queue::QueueOptions;
use crate::callback::queue::link::Trouble;
use percent_encoding::percent_decode_str;
use std::net::SocketAddr;
use url::Host;
use url::Url;

/// Longest URL accepted.
const URL_MAX: usize = 2048;

/// A scheme that a queue's URL may have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scheme {
    /// `amqp`.
    pub(super) name: &'static str,
    /// Whether the connection is TLS from its first byte, or from the server's greeting on (NATS).
    pub(super) tls: bool,
    /// Port where the URL names none.
    pub(super) port: u16,
}

/// Where a queue lives and who we are there.
#[derive(Clone)]
pub(super) struct Server {
    /// Whether the connection must be TLS.
    pub(super) tls: bool,
    /// Name or address; IPv6 without brackets.
    pub(super) host: String,
    /// Port.
    pub(super) port: u16,
    /// User name.
    pub(super) user: Option<String>,
    /// Password.
    pub(super) password: Option<String>,
    /// Path of the URL without its first slash, decoded: a virtual host, a database.
    pub(super) path: String,
    /// The URL without secrets, for messages.
    pub(super) shown: String,
    reach: Reach,
}

impl Server {
    /// Reads `url`, whose scheme must be one of `schemes`.
    ///
    /// # Errors
    /// A request fault that says what is wrong with it, without a password.
    pub(super) fn read(url: &str, schemes: &[Scheme], options: &QueueOptions) -> Result<Self, Fault> {
        let names = || {
            let names: Vec<&str> = schemes.iter().map(|scheme| scheme.name).collect();
            names.join(" or ")
        };
        if url.len() > URL_MAX {
            return Err(refused("", format!("it is longer than {URL_MAX} bytes"), "Shorten it."));
        }
        let form = format!("Write it as {}://HOST[:PORT].", schemes[0].name);
        let parsed = match Url::parse(url) {
            Ok(parsed) => parsed,
            Err(error) => return Err(refused(shown_text(url), error.to_string(), form)),
        };
        let shown = shown(&parsed);
        let Some(scheme) = schemes.iter().find(|scheme| scheme.name == parsed.scheme()) else {
            let cause = format!("its scheme is {}", parsed.scheme());
            return Err(refused(shown, cause, format!("Use {}.", names())));
        };
        // Schemes that are not the web's keep their hosts as written: numbers are read as addresses here.
        let host = match parsed.host_str().filter(|host| !host.is_empty()) {
            None => return Err(refused(shown, "it names no host", form)),
            Some(text) => match Host::parse(&decoded(text)) {
                Ok(host) => host,
                Err(error) => return Err(refused(shown, error.to_string(), form)),
            },
        };
        if let Some(reason) = host_refusal(&host, options.reach) {
            return Err(refused(
                shown,
                format!("its host must not be reached: {reason}"),
                "Use the server's address in your network; this host itself can only be named in the configuration file.",
            ));
        }
        if parsed.port() == Some(0) {
            return Err(refused(
                shown,
                "port 0 cannot be connected to",
                "Name the server's port.",
            ));
        }
        if parsed.query().is_some() || parsed.fragment().is_some() {
            return Err(refused(
                shown,
                "it has a query or a fragment, which nothing reads",
                "Remove the part from ? or #.",
            ));
        }
        let in_url = |text: &str| (!text.is_empty()).then(|| decoded(text));
        Ok(Server {
            tls: scheme.tls,
            port: parsed.port().unwrap_or(scheme.port),
            host: match host {
                Host::Domain(name) => name,
                Host::Ipv4(address) => address.to_string(),
                Host::Ipv6(address) => address.to_string(),
            },
            user: options.user.clone().or_else(|| in_url(parsed.username())),
            password: options
                .password
                .clone()
                .or_else(|| in_url(parsed.password().unwrap_or_default())),
            path: decoded(parsed.path().trim_start_matches('/')),
            shown,
            reach: options.reach,
        })
    }

    /// The addresses behind the host that may be connected to, at least one.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn resolve(&self) -> Result<Vec<SocketAddr>, Trouble> {
        let found = match tokio::net::lookup_host((self.host.as_str(), self.port)).await {
            Ok(found) => found,
            Err(error) => return Err(self.lost(format!("the name cannot be resolved: {error}"))),
        };
        let mut reason = "the name has no address".to_owned();
        let mut allowed = Vec::new();
        for address in found {
            match refusal(address.ip(), self.reach) {
                None => allowed.push(address),
                Some(why) => reason = format!("its address must not be reached: {why}"),
            }
        }
        if allowed.is_empty() {
            Err(self.lost(reason))
        } else {
            Ok(allowed)
        }
    }

    /// A connection that could not be made, or is gone: with the server's name before the cause.
    pub(super) fn lost(&self, cause: impl std::fmt::Display) -> Trouble {
        Trouble::Lost(format!("{}: {cause}", self.shown))
    }

    /// What the server said no to.
    pub(super) fn refused(&self, cause: impl std::fmt::Display) -> Trouble {
        Trouble::Refused(format!("{}: {cause}", self.shown))
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("shown", &self.shown)
            .field("reach", &self.reach)
            .finish_non_exhaustive()
    }
}

/// A fault of a queue's options, in the words that all kinds share.
pub(super) fn refused(subject: impl Into<String>, cause: impl Into<String>, remedy: impl Into<String>) -> Fault {
    Fault::new(
        "QueueRefused",
        Blame::Request,
        "check the queue",
        subject,
        cause,
        remedy,
    )
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The URL with everything removed that could be a secret.
fn shown(url: &Url) -> String {
    let mut shown = format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default());
    if let Some(port) = url.port() {
        shown.push_str(&format!(":{port}"));
    }
    let path = url.path();
    if path.len() > 1 {
        shown.push_str(path);
    }
    shown
}

/// A text that is no URL, without what could be a password.
fn shown_text(text: &str) -> String {
    let text: String = text.chars().take(200).collect();
    match (text.find("://"), text.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => format!("{}://...{}", &text[..scheme], &text[at..]),
        (None, Some(at)) => format!("...{}", &text[at..]),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::Scheme;
    use super::Server;
    use crate::base::address::Reach;
    use crate::callback::queue::QueueOptions;
    use crate::callback::queue::link::Trouble;

    const AMQP: [Scheme; 2] = [
        Scheme {
            name: "amqp",
            tls: false,
            port: 5672,
        },
        Scheme {
            name: "amqps",
            tls: true,
            port: 5671,
        },
    ];

    fn read(url: &str, reach: Reach) -> Result<Server, String> {
        let options = QueueOptions {
            reach,
            ..QueueOptions::default()
        };
        Server::read(url, &AMQP, &options).map_err(|fault| fault.to_string())
    }

    #[test]
    fn a_url_is_read_whole_and_shown_without_secrets() {
        let server = read("amqps://us%65r:s%3Acret@rabbit.studio/%2Fmedia", Reach::Network).expect("valid");
        assert!(server.tls);
        assert_eq!((server.host.as_str(), server.port), ("rabbit.studio", 5671));
        assert_eq!(server.user.as_deref(), Some("user"));
        assert_eq!(server.password.as_deref(), Some("s:cret"));
        assert_eq!(server.path, "/media");
        assert_eq!(server.shown, "amqps://rabbit.studio/%2Fmedia");
        assert!(!format!("{server:?}").contains("cret"));
        let server = read("amqp://[fd12::7]:9", Reach::Network).expect("valid");
        assert_eq!((server.host.as_str(), server.port), ("fd12::7", 9));
    }

    #[test]
    fn options_win_over_the_url() {
        let options = QueueOptions {
            user: Some("other".to_owned()),
            password: Some("word".to_owned()),
            ..QueueOptions::default()
        };
        let server = Server::read("amqp://user:secret@rabbit.studio", &AMQP, &options).expect("valid");
        assert_eq!(server.user.as_deref(), Some("other"));
        assert_eq!(server.password.as_deref(), Some("word"));
    }

    #[test]
    fn hosts_in_any_notation_are_judged() {
        for bad in [
            "amqp://127.0.0.1",
            "amqp://2130706433",
            "amqp://0x7f000001",
            "amqp://%31%32%37.0.0.1",
            "amqp://localhost",
            "amqp://[::1]",
            "amqp://[::ffff:127.0.0.1]",
        ] {
            assert!(read(bad, Reach::Network).is_err(), "{bad}");
            assert!(read(bad, Reach::Loopback).is_ok(), "{bad}");
        }
        for bad in [
            "amqp://169.254.169.254",
            "amqp://[fe80::1]",
            "amqp://0.0.0.0",
            "amqp://10.0.0.1:0",
            "http://10.0.0.1",
            "amqp:///queue",
            "amqp://10.0.0.1?heartbeat=0",
            "10.0.0.1:5672",
        ] {
            assert!(read(bad, Reach::Loopback).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_refusal_does_not_repeat_the_password() {
        for bad in [
            "amqp://user:secret@169.254.1.1",
            "redis://user:secret@10.0.0.1",
            "amqp://user:secret@10.0.0.1:99999",
            "amqp://us:er:sec@ret@",
        ] {
            let fault = read(bad, Reach::Network).expect_err("refused");
            assert!(!fault.contains("secret") && !fault.contains("sec@"), "{fault}");
        }
    }

    #[tokio::test]
    async fn a_name_is_judged_by_where_it_leads() {
        let mut server = read("amqp://rabbit.studio", Reach::Network).expect("valid");
        server.host = "localhost".to_owned();
        match server.resolve().await {
            Err(Trouble::Lost(why)) => assert!(why.contains("this host itself"), "{why}"),
            other => panic!("must be refused: {other:?}"),
        }
    }
}
