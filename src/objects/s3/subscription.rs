//! Saying yes to a topic that wants to send notifications of a bucket here.
//!
//! A topic asks with an address; whoever fetches it agrees. Guarantees: only addresses of SNS itself are fetched, and
//! those that the administrator wrote down, never one that leads somewhere else from there. Deliberately absent: who may
//! ask (`trigger::s3_notify`).

use crate::base::address::Reach;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::http_client;
use crate::base::http_client::HttpOptions;
use std::time::Duration;
use url::Url;

/// Longest the topic is waited for; SNS itself waits 15 s for us.
const PATIENCE: Duration = Duration::from_secs(10);

/// How far the address of a subscription may reach; none: it is not fetched. `allowed`: what addresses may begin with
/// besides those of SNS.
fn reach_of(url: &Url, allowed: &[String]) -> Option<Reach> {
    if url.scheme() == "https" && url.port().is_none() && url.host_str().is_some_and(is_sns) {
        return Some(Reach::Public);
    }
    let listed = allowed
        .iter()
        .filter_map(|prefix| Url::parse(prefix).ok())
        .any(|prefix| {
            prefix.scheme() == url.scheme()
                && prefix.host_str() == url.host_str()
                && prefix.port_or_known_default() == url.port_or_known_default()
                && url.path().starts_with(prefix.path())
        });
    // The administrator wrote it into the configuration: it may be this host.
    (listed && url.username().is_empty() && url.password().is_none()).then_some(Reach::Loopback)
}

/// `sns.REGION.amazonaws.com`, in China with `.cn` behind it.
fn is_sns(host: &str) -> bool {
    let host = host.strip_suffix(".cn").unwrap_or(host);
    let region = host
        .strip_prefix("sns.")
        .and_then(|rest| rest.strip_suffix(".amazonaws.com"));
    region.is_some_and(|region| {
        !region.is_empty() && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

/// Confirms a subscription by fetching its address.
///
/// # Errors
/// `SubscriptionRefused` where the address is none that may be fetched; `SubscriptionFailed` where it did not answer.
pub async fn confirm(url: &str, allowed: &[String]) -> Result<(), Fault> {
    let refused = |cause: String| {
        Fault::new(
            "SubscriptionRefused",
            Blame::Request,
            "confirm the subscription",
            url,
            cause,
            "Open it by hand if it is right, or write what it begins with into notify_confirm_urls of the storage.",
        )
    };
    let address = Url::parse(url).map_err(|error| refused(format!("it is no address: {error}")))?;
    let reach = reach_of(&address, allowed).ok_or_else(|| refused("it is none of SNS".to_owned()))?;
    if let Some(why) = http_client::literal_refusal(&address, reach) {
        return Err(refused(why));
    }
    let failed = |cause: String| {
        Fault::new(
            "SubscriptionFailed",
            Blame::Host,
            "confirm the subscription",
            url,
            cause,
            "The topic asks again by itself; or open the address by hand.",
        )
    };
    let client = http_client::build(&HttpOptions::new(reach))?;
    let answer = client.get(address).timeout(PATIENCE).send().await;
    let answer = answer.map_err(|error| failed(http_client::chain(&error)))?;
    if answer.status().is_success() {
        Ok(())
    } else {
        Err(failed(format!("it answered {}", answer.status())))
    }
}

#[cfg(test)]
mod tests {
    use super::Reach;
    use super::reach_of;
    use url::Url;

    #[test]
    fn only_sns_and_what_the_administrator_wrote_down_is_fetched() {
        let allowed = ["http://127.0.0.1:4566/sns".to_owned()];
        let reach = |url: &str| reach_of(&Url::parse(url).expect("a URL"), &allowed);
        for public in [
            "https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription&Token=x",
            "https://sns.cn-north-1.amazonaws.com.cn/?Action=ConfirmSubscription",
        ] {
            assert_eq!(reach(public), Some(Reach::Public), "{public}");
        }
        assert_eq!(reach("http://127.0.0.1:4566/sns/?Action=x"), Some(Reach::Loopback));
        for refused in [
            "http://sns.us-west-2.amazonaws.com/",
            "https://sns.us-west-2.amazonaws.com:8443/",
            "https://sns.us-west-2.amazonaws.com.evil.example/",
            "https://evil.example/sns.us-west-2.amazonaws.com",
            "https://sns.evil.example/.amazonaws.com",
            "https://sns.a.b.amazonaws.com/",
            "https://sns..amazonaws.com/",
            "http://127.0.0.1:4567/sns",
            "https://127.0.0.1:4566/sns",
            "http://127.0.0.1:4566/other",
            "http://me@127.0.0.1:4566/sns",
        ] {
            assert_eq!(reach(refused), None, "{refused}");
        }
    }
}
