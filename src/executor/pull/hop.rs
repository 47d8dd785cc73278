//! The way to a file: one request, and another for each redirect, each address checked.
//!
//! Guarantees: no more than a few hops; never from https back to http; what was given to be sent along goes to the
//! first host alone. Deliberately absent: what an answer with a body means.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::http_client;
use crate::executor::pull::Came;
use crate::executor::pull::PullOrder;
use crate::executor::pull::Puller;
use crate::executor::pull::broken;
use reqwest::StatusCode;
use reqwest::header;
use std::time::Duration;
use url::Url;

/// Redirects that are followed.
const HOPS: usize = 5;
/// The longest wait that a server's word is taken for.
const RETRY_AFTER_MOST: Duration = Duration::from_secs(3_600);

/// Where the way ended.
pub(super) enum Reached {
    /// At an answer with, or about, the file.
    Answer(reqwest::Response),
    /// At a server that may answer later.
    Busy {
        /// What it said.
        fault: Fault,
        /// How long it wants not to be asked.
        retry_after: Option<Duration>,
    },
}

/// Asks for the file, or for what is missing of it.
pub(super) async fn reach(puller: &Puller, order: &PullOrder, came: &Came) -> Result<Reached, Fault> {
    let mut url = order.url.clone();
    for hop in 0..=HOPS {
        if let Some(why) = http_client::literal_refusal(&url, puller.options.reach) {
            return Err(refused(order, hop, why));
        }
        let own = url.origin() == order.url.origin();
        let mut request = puller
            .client
            .get(url.clone())
            .header(header::ACCEPT_ENCODING, "identity");
        if own {
            for (name, value) in &order.headers {
                request = request.header(name, value);
            }
        }
        if let (1.., Some(validator)) = (came.received_bytes, &came.validator) {
            request = request
                .header(header::RANGE, format!("bytes={}-", came.received_bytes))
                .header(header::IF_RANGE, validator);
        }
        let answer = match tokio::time::timeout(puller.options.stall, request.send()).await {
            Err(_) => {
                let cause = format!("the server did not answer for {} s", puller.options.stall.as_secs());
                return Err(broken(order, "PullStalled", cause));
            }
            Ok(Err(error)) => {
                return Err(match http_client::refused_address(&error) {
                    Some(why) => refused(order, hop, why),
                    None => broken(order, "PullUnreachable", http_client::chain(&error)),
                });
            }
            Ok(Ok(answer)) => answer,
        };
        match answer.status() {
            StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT => url = next(order, &url, &answer)?,
            status if worth_another_try(status) => {
                return Ok(Reached::Busy {
                    fault: broken(order, "PullServerFailed", format!("the server answered {status}")),
                    retry_after: retry_after(&answer),
                });
            }
            _ => return Ok(Reached::Answer(answer)),
        }
    }
    Err(Fault::new(
        "PullRedirected",
        Blame::Source,
        "fetch",
        order.shown.as_str(),
        format!("it is redirected more than {HOPS} times"),
        "Give the address at the end of the redirects.",
    ))
}

/// Where a redirect leads.
fn next(order: &PullOrder, from: &Url, answer: &reqwest::Response) -> Result<Url, Fault> {
    let refuse = |cause: &str, remedy: &str| {
        Err(Fault::new(
            "PullRedirected",
            Blame::Source,
            "fetch",
            order.shown.as_str(),
            cause,
            remedy,
        ))
    };
    let location = answer
        .headers()
        .get(header::LOCATION)
        .and_then(|value| value.to_str().ok());
    let Some(url) = location.and_then(|location| from.join(location).ok()) else {
        return refuse("it is redirected to no address", "Look at the server.");
    };
    if !matches!(url.scheme(), "http" | "https") {
        return refuse(
            "it is redirected to something that is not http or https",
            "Give an http or https address.",
        );
    }
    if from.scheme() == "https" && url.scheme() == "http" {
        return refuse(
            "it is redirected from https to http, where anybody on the way may change it",
            "Give the address that it is redirected to, if that is meant.",
        );
    }
    Ok(url)
}

fn worth_another_try(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429 | 500 | 502 | 503 | 504)
}

/// The server's word in seconds; dates are not worth the trouble.
fn retry_after(answer: &reqwest::Response) -> Option<Duration> {
    let value = answer.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    let seconds: u64 = value.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(RETRY_AFTER_MOST))
}

fn refused(order: &PullOrder, hop: usize, why: String) -> Fault {
    let cause = match hop {
        0 => why,
        _ => format!("it is redirected to a host of which {why}"),
    };
    Fault::new(
        "PullAddressRefused",
        Blame::Request,
        "fetch",
        order.shown.as_str(),
        cause,
        "Use an address on the internet, or have the administrator set security.allow_private_pulls.",
    )
}
