//! Posting one callback.
//!
//! Guarantees: connects only to addresses that [`Reach`] allows, at the very addresses that were checked (a name that
//! resolves to something else a moment later changes nothing); no redirects, no proxies, one request a call; reads no
//! more of an answer than its first bytes. Deliberately absent: deciding what an answer means.

use crate::base::address::Reach;
use crate::base::address::refusal;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
use std::net::SocketAddr;
use std::sync::Once;
use std::time::Duration;
use std::time::Instant;
use url::Url;

/// Bytes of an answer that are kept for people.
const ANSWER_MAX: usize = 512;

/// One try, done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status; none: no answer.
    pub status: Option<u16>,
    /// Why there is no answer.
    pub error: Option<String>,
    /// First bytes of its body, as text.
    pub body: Option<String>,
    /// Seconds of its `Retry-After`.
    pub retry_after_s: Option<u32>,
    /// How long it took.
    pub took_ms: i64,
}

/// An HTTP client for each reach; connections are kept and shared.
#[derive(Debug, Clone)]
pub struct Client {
    network: reqwest::Client,
    loopback: reqwest::Client,
}

impl Client {
    /// Builds both clients.
    ///
    /// # Errors
    /// A host fault when TLS cannot be set up at all.
    pub fn new() -> Result<Self, Fault> {
        install_tls_provider();
        Ok(Client {
            network: build(Reach::Network)?,
            loopback: build(Reach::Loopback)?,
        })
    }

    /// Posts `body` to `url`, whole and answered within `timeout`.
    pub async fn post(
        &self,
        url: &Url,
        reach: Reach,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
        timeout: Duration,
    ) -> Answer {
        let began = Instant::now();
        let client = match reach {
            Reach::Network => &self.network,
            Reach::Loopback => &self.loopback,
        };
        // Addresses written as such never reach the resolver.
        if let Some(reason) = literal_refusal(url, reach) {
            return failed(format!("its address must not be reached: {reason}"), began);
        }
        let mut request = client
            .post(url.clone())
            .timeout(timeout)
            .header("Content-Type", "application/json; charset=utf-8")
            .body(body);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        match request.send().await {
            Ok(response) => read_answer(response, began).await,
            Err(error) => failed(chain(&error), began),
        }
    }
}

fn failed(error: String, began: Instant) -> Answer {
    Answer {
        status: None,
        error: Some(error),
        body: None,
        retry_after_s: None,
        took_ms: elapsed_ms(began),
    }
}

fn elapsed_ms(began: Instant) -> i64 {
    i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX)
}

async fn read_answer(mut response: reqwest::Response, began: Instant) -> Answer {
    let status = response.status().as_u16();
    let retry_after_s = response
        .headers()
        .get("retry-after")
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.trim().parse().ok());
    let mut head = Vec::new();
    // What the body says, or whether it ends well, changes nothing: the status is the answer.
    while head.len() < ANSWER_MAX {
        match response.chunk().await {
            Ok(Some(chunk)) => head.extend_from_slice(&chunk),
            Ok(None) | Err(_) => break,
        }
    }
    head.truncate(ANSWER_MAX);
    Answer {
        status: Some(status),
        error: None,
        body: (!head.is_empty()).then(|| String::from_utf8_lossy(&head).into_owned()),
        retry_after_s,
        took_ms: elapsed_ms(began),
    }
}

/// The error with its causes, which say what happened; without the URL, which is known.
fn chain(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut text = String::new();
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(error) = cause {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&error.to_string());
        cause = error.source();
    }
    if text.is_empty() {
        "the request failed".to_owned()
    } else {
        text
    }
}

fn literal_refusal(url: &Url, reach: Reach) -> Option<&'static str> {
    match url.host() {
        Some(url::Host::Ipv4(v4)) => refusal(v4.into(), reach),
        Some(url::Host::Ipv6(v6)) => refusal(v6.into(), reach),
        Some(url::Host::Domain(_)) => None,
        None => Some("it names no host"),
    }
}

/// TLS needs one provider of cryptography for the whole process.
fn install_tls_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Another part of the program may have installed the same one first.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

fn build(reach: Reach) -> Result<reqwest::Client, Fault> {
    let builder = || {
        reqwest::Client::builder()
            .user_agent(concat!("reelmill/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .dns_resolver(CheckedResolver { reach })
            .connect_timeout(Duration::from_secs(5))
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(8)
    };
    match builder().build() {
        Ok(client) => Ok(client),
        Err(first) => {
            // A host without any certificate authorities can still post over plain HTTP.
            let client = builder().tls_certs_only([]).build().map_err(|error| {
                Fault::new(
                    "HttpClientFailed",
                    Blame::Host,
                    "set up the HTTP client",
                    "callbacks",
                    chain_of(&error),
                    "Install the package ca-certificates.",
                )
            })?;
            // There is a client for each reach; the host lacks its certificates once.
            if matches!(reach, Reach::Network) {
                tracing::warn!(error = %chain_of(&first), "no system certificates: https callbacks will fail; install ca-certificates");
            }
            Ok(client)
        }
    }
}

fn chain_of(error: &reqwest::Error) -> String {
    format!("{error}: {}", chain(error))
}

/// Resolves names and hands out only addresses that may be reached.
struct CheckedResolver {
    reach: Reach,
}

impl reqwest::dns::Resolve for CheckedResolver {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let reach = self.reach;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let allowed = allowed(found, reach)?;
            Ok(Box::new(allowed.into_iter()) as reqwest::dns::Addrs)
        })
    }
}

/// The addresses of `found` that may be reached; an error with the reason when there are none.
fn allowed(found: Vec<SocketAddr>, reach: Reach) -> Result<Vec<SocketAddr>, String> {
    let mut reason = "the name has no address";
    let mut allowed = Vec::with_capacity(found.len());
    for address in found {
        match refusal(address.ip(), reach) {
            None => allowed.push(address),
            Some(why) => reason = why,
        }
    }
    if allowed.is_empty() {
        Err(format!("its address must not be reached: {reason}"))
    } else {
        Ok(allowed)
    }
}

impl std::fmt::Debug for CheckedResolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CheckedResolver").field("reach", &self.reach).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Client;
    use crate::base::address::Reach;
    use std::time::Duration;
    use url::Url;

    #[tokio::test]
    async fn a_name_that_leads_to_this_host_is_not_connected_to() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let client = Client::new().expect("a client");
        for host in ["localhost", "127.0.0.1", "[::ffff:127.0.0.1]"] {
            let url = Url::parse(&format!("http://{host}:{port}/")).expect("a URL");
            let answer = client
                .post(&url, Reach::Network, &[], Vec::new(), Duration::from_secs(5))
                .await;
            assert_eq!(answer.status, None);
            let error = answer.error.expect("refused");
            assert!(error.contains("must not be reached: it is this host itself"), "{error}");
        }
        // Nobody ever knocked.
        assert!(
            tokio::time::timeout(Duration::from_millis(20), listener.accept())
                .await
                .is_err()
        );
    }
}
