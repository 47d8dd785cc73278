//! Posting one callback.
//!
//! Guarantees: connects only where [`Reach`] allows (`base::http_client`); one request a call; reads no more of an
//! answer than its first bytes. Deliberately absent: deciding what an answer means.

use crate::base::address::Reach;
use crate::base::fault::Fault;
use crate::base::http_client;
use crate::base::http_client::HttpOptions;
use crate::callback::way::Post;
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
        Ok(Client {
            network: http_client::build(&HttpOptions::new(Reach::Network))?,
            loopback: http_client::build(&HttpOptions::new(Reach::Loopback))?,
        })
    }

    /// Posts `body`, whole and answered within `timeout`.
    pub async fn post(
        &self,
        to: &Post,
        url: &Url,
        headers: &[(String, String)],
        content_type: &str,
        body: Vec<u8>,
        timeout: Duration,
    ) -> Answer {
        let began = Instant::now();
        let client = match (&to.client, to.reach) {
            (Some(client), _) => client,
            // Nothing is sent to public addresses alone: only fetching asks for that.
            (None, Reach::Network | Reach::Public) => &self.network,
            (None, Reach::Loopback) => &self.loopback,
        };
        // Addresses written as such never reach the resolver.
        if let Some(why) = http_client::literal_refusal(url, to.reach) {
            return failed(why, began);
        }
        let mut request = client.post(url.clone()).timeout(timeout).body(body);
        if !headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        {
            request = request.header("Content-Type", content_type);
        }
        for (name, value) in headers {
            request = request.header(name, value);
        }
        match request.send().await {
            Ok(response) => read_answer(response, began).await,
            Err(error) => failed(http_client::chain(&error), began),
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

#[cfg(test)]
mod tests {
    use super::Client;
    use crate::base::address::Reach;
    use crate::callback::way::Post;
    use std::time::Duration;
    use url::Url;

    #[tokio::test]
    async fn a_name_that_leads_to_this_host_is_not_connected_to() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let client = Client::new().expect("a client");
        for host in ["localhost", "127.0.0.1", "[::ffff:127.0.0.1]"] {
            let url_text = format!("http://{host}:{port}/");
            let url = Url::parse(&url_text).expect("a URL");
            let to = Post {
                url_text,
                url: url.clone(),
                reach: Reach::Network,
                client: None,
            };
            let answer = client
                .post(&to, &url, &[], "text/plain", Vec::new(), Duration::from_secs(5))
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
