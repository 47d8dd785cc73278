//! A hook that is a service: the question is posted to it as JSON.
//!
//! Guarantees: addresses are checked again when they are connected to; redirects are not followed; an answer is read up
//! to its bound and no further. Deliberately absent: when to ask again; what can heal is said to be retryable.

use crate::base::address::Reach;
use crate::base::address::check_callback_url;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::http_client;
use crate::base::http_client::HttpOptions;
use crate::executor::hook;
use crate::executor::hook::ANSWER_BYTES;
use crate::executor::hook::HookAnswer;
use crate::executor::hook::HookOrder;
use reqwest::Response;
use reqwest::StatusCode;
use std::sync::OnceLock;
use tokio_util::sync::CancellationToken;

/// Bytes of a refusal that are repeated to people.
const SHOWN_BYTES: usize = 300;

/// Posts the question to an address, with the headers that sign it.
pub(super) async fn ask(
    order: &HookOrder,
    (url, reach): (&str, Reach),
    signature: Vec<(&'static str, String)>,
    stop: CancellationToken,
) -> Result<HookAnswer, Fault> {
    let url = check_callback_url(url, reach).map_err(|fault| Fault {
        code: "HookUrlRefused".to_owned(),
        operation: "ask hook".to_owned(),
        remedy:
            "Use the service's address in your network; this host itself can only be named by workflow files on it."
                .to_owned(),
        ..fault
    })?;
    let client = client(reach)?;
    let asking = async {
        let mut request = client.post(url);
        for (name, value) in signature {
            request = request.header(name, value);
        }
        let response = request
            .header(reqwest::header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", &order.key)
            .header("x-reelmill-try", order.try_number)
            .body(order.request.clone())
            .send()
            .await
            .map_err(|error| unreachable(order, &error))?;
        heard(order, response).await
    };
    tokio::select! {
        answer = asking => answer,
        () = tokio::time::sleep(order.timeout) => Err(hook::too_late(order)),
        () = stop.cancelled() => Err(hook::stopped(order)),
    }
}

/// One client for each reach: it keeps connections.
fn client(reach: Reach) -> Result<reqwest::Client, Fault> {
    static NETWORK: OnceLock<reqwest::Client> = OnceLock::new();
    static LOOPBACK: OnceLock<reqwest::Client> = OnceLock::new();
    static PUBLIC: OnceLock<reqwest::Client> = OnceLock::new();
    let kept = match reach {
        Reach::Public => &PUBLIC,
        Reach::Network => &NETWORK,
        Reach::Loopback => &LOOPBACK,
    };
    if let Some(client) = kept.get() {
        return Ok(client.clone());
    }
    let made = http_client::build(&HttpOptions::new(reach))?;
    Ok(kept.get_or_init(|| made).clone())
}

async fn heard(order: &HookOrder, mut response: Response) -> Result<HookAnswer, Fault> {
    let status = response.status();
    if status == StatusCode::ACCEPTED {
        return Ok(HookAnswer::Later);
    }
    let mut body = Vec::new();
    loop {
        let chunk = response.chunk().await.map_err(|error| unreachable(order, &error))?;
        let Some(chunk) = chunk else { break };
        if body.len() + chunk.len() > ANSWER_BYTES {
            return Err(hook::too_long(order));
        }
        body.extend_from_slice(&chunk);
    }
    if status.is_success() {
        return hook::opinion(order, &body).map(HookAnswer::Said);
    }
    let words = String::from_utf8_lossy(&body[..body.len().min(SHOWN_BYTES)])
        .trim()
        .to_owned();
    let cause = match words.is_empty() {
        true => format!("it answered {status}"),
        false => format!("it answered {status}: {words}"),
    };
    let heals = status.is_server_error()
        || matches!(
            status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS
        );
    Err(Fault::new(
        "HookRefused",
        Blame::Host,
        "ask hook",
        order.name.clone(),
        cause,
        "Look at the log of the service.",
    )
    .retryable(heals))
}

fn unreachable(order: &HookOrder, error: &reqwest::Error) -> Fault {
    Fault::new(
        "HookUnreachable",
        Blame::Host,
        "ask hook",
        order.name.clone(),
        http_client::chain(error),
        "See whether the service runs and can be reached from this host.",
    )
}
