//! The receiver's side: is a callback ours, and fresh?
//!
//! Guarantees: every signature there is a key for must be there and right; one good key does not excuse another's
//! missing signature. Deliberately absent: how callbacks come in.

use crate::base::clock::UtcMs;
use crate::callback::signing;
use crate::callback::signing::Key;
use crate::events::profile::Profile;

/// What a receiver knows.
#[derive(Debug, Clone)]
pub struct Verifier {
    /// Which cloud-style headers to expect.
    pub profile: Profile,
    /// The callback URL as the sender has it configured; none: built from the request.
    pub url: Option<String>,
    /// Key of the profile's own signature; none: not checked.
    pub auth_key: Option<Key>,
    /// One key of our signature; none: not checked.
    pub signing_key: Option<Key>,
    /// Oldest and newest time stamp taken, seconds from now; 0: any.
    pub max_skew_s: i64,
}

/// A callback as it came in.
pub trait Incoming {
    /// Value of a header, by any case of its name.
    fn header(&self, name: &str) -> Option<&str>;
    /// Path and query it was posted to.
    fn path(&self) -> &str;
    /// Its bytes.
    fn body(&self) -> &[u8];
}

/// What was found of one signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Header of the signature.
    pub header: &'static str,
    /// What is wrong; none: it is right.
    pub wrong: Option<String>,
}

impl Verifier {
    /// A finding for each signature there is a key for; empty: there is no key, nothing was checked.
    pub fn check(&self, incoming: &impl Incoming, now: UtcMs) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let Some(key) = &self.auth_key {
            findings.push(match signing::cloud_headers(self.profile) {
                None if self.profile == Profile::Mps => self.notified(incoming, now, key),
                Some((time, header)) => self.cloud(incoming, now, key, time, header),
                // Our own profile has no other signature than the one of the body.
                None => self.body(incoming, now, key),
            });
        }
        if let Some(key) = &self.signing_key {
            findings.push(self.body(incoming, now, key));
        }
        findings
    }

    fn cloud(
        &self,
        incoming: &impl Incoming,
        now: UtcMs,
        key: &Key,
        time: &'static str,
        header: &'static str,
    ) -> Finding {
        let wrong = match (incoming.header(time), incoming.header(header)) {
            (Some(timestamp), Some(signature)) => self.stale(timestamp, now).or_else(|| {
                let urls = self.urls(incoming);
                let right = urls.iter().any(|url| signing::cloud_ok(signature, url, timestamp, key));
                (!right).then(|| {
                    format!(
                        "it is not the signature of {} at {timestamp} by this key",
                        urls.join(" or ")
                    )
                })
            }),
            (None, _) => Some(format!("{time} is missing")),
            (_, None) => Some("it is missing".to_owned()),
        };
        Finding { header, wrong }
    }

    /// Tencent's signature stands in the body, with the time until which it is good.
    fn notified(&self, incoming: &impl Incoming, now: UtcMs, key: &Key) -> Finding {
        let body: serde_json::Value = serde_json::from_slice(incoming.body()).unwrap_or_default();
        let wrong = match (body["Timestamp"].as_i64(), body["Sign"].as_str()) {
            (Some(until_s), Some(sign)) if signing::notify_ok(sign, &until_s.to_string(), key) => {
                let late_s = now.0.div_euclid(1_000).saturating_sub(until_s);
                (self.max_skew_s > 0 && late_s > 0).then(|| format!("it was good until {late_s} s ago"))
            }
            (Some(until_s), Some(_)) => Some(format!("it is not the signature of {until_s} by this key")),
            _ => Some("Timestamp or Sign is missing in the body".to_owned()),
        };
        Finding { header: "Sign", wrong }
    }

    fn body(&self, incoming: &impl Incoming, now: UtcMs, key: &Key) -> Finding {
        let wrong = match (incoming.header(signing::TIMESTAMP), incoming.header(signing::SIGNATURE)) {
            (Some(timestamp), Some(header)) => self.stale(timestamp, now).or_else(|| {
                let right = signing::body_ok(header, timestamp, incoming.body(), key);
                (!right).then(|| format!("no v1= of it signs this body at {timestamp} by this key"))
            }),
            (None, _) => Some(format!("{} is missing", signing::TIMESTAMP)),
            (_, None) => Some("it is missing".to_owned()),
        };
        Finding {
            header: signing::SIGNATURE,
            wrong,
        }
    }

    fn stale(&self, timestamp: &str, now: UtcMs) -> Option<String> {
        let Ok(seconds) = timestamp.parse::<i64>() else {
            return Some(format!("its time stamp {timestamp} is no number of seconds"));
        };
        let skew_s = now.0.div_euclid(1_000).abs_diff(seconds);
        (self.max_skew_s > 0 && skew_s > self.max_skew_s.unsigned_abs())
            .then(|| format!("its time stamp {timestamp} is {skew_s} s from now"))
    }

    /// The URLs the sender may have configured for this request.
    fn urls(&self, incoming: &impl Incoming) -> Vec<String> {
        if let Some(url) = &self.url {
            return vec![url.clone()];
        }
        let host = incoming.header("host").unwrap_or_default();
        let url = format!("http://{host}{}", incoming.path());
        match incoming.path() {
            // A URL without a path is signed without the slash that requests need.
            "/" => vec![format!("http://{host}"), url],
            _ => vec![url],
        }
    }
}
