//! An HTTP client that connects only where it may: what callbacks, hooks and pulls share.
//!
//! Guarantees: connects only to addresses that [`Reach`] allows, at the very addresses that were checked (a name that
//! resolves to something else a moment later changes nothing); no redirects, no proxies, no repeats. Deliberately
//! absent: what is asked and what an answer means.

use crate::base::address::Reach;
use crate::base::address::refusal;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::trust;
use std::net::SocketAddr;
use std::time::Duration;
use url::Url;

/// The error with its causes, which say what happened; without the URL, which is known.
pub fn chain(error: &reqwest::Error) -> String {
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

/// A name led to no address that may be reached.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct AddressRefused(String);

/// Why no connection was even tried, where `error` says that: asking again leads to the same.
pub fn refused_address(error: &reqwest::Error) -> Option<String> {
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(error) = cause {
        if let Some(refused) = error.downcast_ref::<AddressRefused>() {
            return Some(refused.0.clone());
        }
        cause = error.source();
    }
    None
}

/// Why the host of `url` must not be reached, where it is written as an address: those never come to a resolver.
pub fn literal_refusal(url: &Url, reach: Reach) -> Option<String> {
    let reason = match url.host() {
        Some(url::Host::Ipv4(v4)) => refusal(v4.into(), reach),
        Some(url::Host::Ipv6(v6)) => refusal(v6.into(), reach),
        Some(url::Host::Domain(_)) => None,
        None => Some("it names no host"),
    };
    reason.map(|reason| format!("its address must not be reached: {reason}"))
}

/// How a client is made.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// How far it may reach.
    pub reach: Reach,
    /// Certificate and key to show, PEM; none: none is shown.
    pub identity_pem: Option<Vec<u8>>,
    /// Certificate authorities to trust besides those of the system, PEM.
    pub roots_pem: Vec<Vec<u8>>,
    /// Connections to one host that are kept for the next request.
    pub idle_connections: usize,
}

impl HttpOptions {
    /// A client that shows nothing and trusts the system's authorities.
    pub fn new(reach: Reach) -> Self {
        HttpOptions {
            reach,
            identity_pem: None,
            roots_pem: Vec::new(),
            idle_connections: 8,
        }
    }
}

/// A client that follows no redirects, uses no proxies and repeats nothing by itself.
///
/// # Errors
/// A host fault when TLS cannot be set up at all; a request fault for a certificate or key that cannot be read.
pub fn build(options: &HttpOptions) -> Result<reqwest::Client, Fault> {
    let reach = options.reach;
    let tls = trust::client(&options.roots_pem, options.identity_pem.as_deref())?;
    reqwest::Client::builder()
        .user_agent(concat!("reelmill/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .dns_resolver(CheckedResolver { reach })
        .connect_timeout(Duration::from_secs(5))
        .pool_idle_timeout(Duration::from_secs(30))
        .pool_max_idle_per_host(options.idle_connections)
        .tls_backend_preconfigured(tls)
        .build()
        .map_err(|error| {
            Fault::new(
                "HttpClientFailed",
                Blame::Host,
                "set up the HTTP client",
                "requests to others",
                chain_of(&error),
                "Report this as a bug.",
            )
        })
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
            let allowed = allowed(found, reach).map_err(AddressRefused)?;
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
