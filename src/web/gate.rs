//! How people come in: what a log-in needs besides the database.
//!
//! Guarantees: one brake and one set of turns for the whole program. Deliberately absent: tokens, which programs use.

use crate::web::brake::Brake;
use crate::web::passwords::Passwords;
use axum::http::HeaderMap;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::time::Duration;

/// What a log-in needs.
#[derive(Debug)]
pub struct Gate {
    /// Hashes and compares passwords.
    pub passwords: Passwords,
    /// Slows guessing down.
    pub brake: Brake,
    /// How long a log-in lasts.
    pub session_lasts: Duration,
    /// Cookies go over HTTPS only.
    pub secure: bool,
}

impl Gate {
    /// A gate for people who come by `public_url`.
    pub fn new(public_url: &str, session_lasts: Duration) -> Self {
        Gate {
            passwords: Passwords::default(),
            brake: Brake::default(),
            session_lasts,
            secure: public_url.starts_with("https://"),
        }
    }
}

/// Where a request comes from. A proxy on this host is believed when it says whom it speaks for: its last word, since
/// everything before that is what the client wrote.
pub fn origin(peer: Option<SocketAddr>, headers: &HeaderMap) -> IpAddr {
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip().to_canonical());
    if !peer.is_loopback() {
        return peer;
    }
    headers
        .get_all("x-forwarded-for")
        .iter()
        .next_back()
        .and_then(|line| line.to_str().ok())
        .and_then(|line| line.rsplit(',').next()?.trim().parse::<IpAddr>().ok())
        .map_or(peer, |address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::origin;
    use axum::http::HeaderMap;
    use axum::http::HeaderValue;
    use std::net::SocketAddr;

    #[test]
    fn only_a_proxy_of_this_host_is_believed_and_only_its_last_word() {
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", HeaderValue::from_static("10.0.0.1, 192.0.2.7"));
        let of = |peer: &str, headers: &HeaderMap| {
            let peer: SocketAddr = peer.parse().expect("an address");
            origin(Some(peer), headers).to_string()
        };
        assert_eq!(of("127.0.0.1:1", &headers), "192.0.2.7");
        assert_eq!(of("[::ffff:127.0.0.1]:1", &headers), "192.0.2.7");
        assert_eq!(of("198.51.100.2:1", &headers), "198.51.100.2");
        assert_eq!(of("127.0.0.1:1", &HeaderMap::new()), "127.0.0.1");
    }
}
