//! Which prefixes of a bucket are listed, and what of each was there before anybody watched.
//!
//! Every prefix that an enabled workflow takes objects of begins with a baseline: what was there runs nothing. One that
//! nobody needs any more is listed for a while yet, so that a workflow that is edited loses nothing, and then forgotten:
//! who enables it later begins anew. Guarantees: pure; a key is old exactly when no prefix over it has its baseline behind
//! it and it is stamped before the watching began. Deliberately absent: listing.

use serde::Deserialize;
use serde::Serialize;
use std::collections::BTreeMap;

/// How long a prefix is listed that nobody needs, milliseconds.
const LINGER_MS: i64 = 600_000;

/// One prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    /// Since when it is watched, milliseconds since 1970.
    pub since_ms: i64,
    /// It was listed whole since then.
    #[serde(default)]
    pub done: bool,
    /// Since when nobody needs it; none: it is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_ms: Option<i64>,
}

/// The prefixes of a bucket, in text form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Needs(BTreeMap<String, Watched>);

impl Needs {
    /// These prefixes are needed now; `since_ms` is since when new ones are watched. Says whether anything changed.
    pub fn need(&mut self, prefixes: &[String], now_ms: i64, since_ms: i64) -> bool {
        let before = self.0.clone();
        for prefix in prefixes {
            // Beneath one that was listed whole everything is known.
            let done = before
                .iter()
                .any(|(over, watched)| watched.done && prefix.starts_with(over.as_str()));
            let watched = self.0.entry(prefix.clone()).or_insert(Watched {
                since_ms,
                done,
                left_ms: None,
            });
            watched.left_ms = None;
            watched.done |= done;
        }
        for (prefix, watched) in &mut self.0 {
            if !prefixes.contains(prefix) {
                watched.left_ms.get_or_insert(now_ms);
            }
        }
        self.0.retain(|_, watched| {
            watched
                .left_ms
                .is_none_or(|left| now_ms.saturating_sub(left) < LINGER_MS)
        });
        self.0 != before
    }

    /// When the next prefix that nobody needs is forgotten.
    pub fn next_ms(&self) -> Option<i64> {
        let left = self.0.values().filter_map(|watched| watched.left_ms);
        left.min().map(|left| left.saturating_add(LINGER_MS))
    }

    /// The prefixes to list: none lies beneath another.
    pub fn cover(&self) -> Vec<String> {
        let mut cover: Vec<String> = Vec::new();
        for prefix in self.0.keys() {
            // They come in order, so what is over a prefix came just before its like.
            if !cover.iter().any(|over| prefix.starts_with(over.as_str())) {
                cover.push(prefix.clone());
            }
        }
        cover
    }

    /// Whether a key lies beneath a prefix that is watched.
    pub fn takes(&self, key: &str) -> bool {
        self.0.keys().any(|prefix| key.starts_with(prefix.as_str()))
    }

    /// Whether an object was there before anybody watched.
    pub fn is_old(&self, key: &str, mtime_ns: i64) -> bool {
        let over = || {
            let all = self.0.iter().filter(|(prefix, _)| key.starts_with(prefix.as_str()));
            all.map(|(_, watched)| watched)
        };
        let since_ms = over().map(|watched| watched.since_ms).min();
        let before = since_ms.is_some_and(|since_ms| mtime_ns < since_ms.saturating_mul(1_000_000));
        before && !over().any(|watched| watched.done)
    }

    /// A whole listing of `prefix` that began at `begun_ms` ended. Says whether that ended a baseline.
    pub fn listed(&mut self, prefix: &str, begun_ms: i64) -> bool {
        let mut ended = false;
        for (beneath, watched) in &mut self.0 {
            if beneath.starts_with(prefix) && watched.since_ms <= begun_ms && !watched.done {
                watched.done = true;
                ended = true;
            }
        }
        ended
    }

    /// Whether every prefix has its baseline behind it.
    pub fn all_done(&self) -> bool {
        self.0.values().all(|watched| watched.done)
    }

    /// Whether nothing is listed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::LINGER_MS;
    use super::Needs;

    const MS: i64 = 1_000_000;

    fn need(needs: &mut Needs, prefixes: &[&str], now_ms: i64) -> bool {
        let prefixes: Vec<String> = prefixes.iter().map(|prefix| (*prefix).to_owned()).collect();
        needs.need(&prefixes, now_ms, now_ms)
    }

    #[test]
    fn what_was_there_is_old_until_the_baseline_ended() {
        let mut needs = Needs::default();
        assert!(need(&mut needs, &["in/"], 1_000) && !need(&mut needs, &["in/"], 2_000));
        assert!(needs.is_old("in/a", 999 * MS) && !needs.is_old("in/a", 1_000 * MS));
        assert!(needs.takes("in/a") && !needs.takes("out/a"));
        assert!(!needs.listed("in/", 999), "that listing began before");
        assert!(needs.listed("in/", 1_000) && needs.all_done());
        assert!(!needs.is_old("in/b", 1), "it came while nobody looked");
    }

    #[test]
    fn a_wider_prefix_has_a_baseline_of_its_own_and_a_narrower_one_needs_none() {
        let mut needs = Needs::default();
        need(&mut needs, &["in/"], 1_000);
        needs.listed("in/", 1_000);
        need(&mut needs, &["in/", ""], 5_000);
        assert_eq!(needs.cover(), [""]);
        assert!(needs.is_old("other/a", MS) && !needs.is_old("in/a", MS));
        needs.listed("", 5_000);
        assert!(!needs.is_old("other/a", MS));
        need(&mut needs, &["in/", "", "other/"], 9_000);
        assert!(needs.all_done());
    }

    #[test]
    fn what_nobody_needs_is_forgotten_after_a_while_and_begins_anew() {
        let mut needs = Needs::default();
        need(&mut needs, &["a/", "b/"], 1_000);
        needs.listed("a/", 1_000);
        needs.listed("b/", 1_000);
        assert!(need(&mut needs, &["b/"], 2_000));
        assert_eq!(needs.next_ms(), Some(2_000 + LINGER_MS));
        need(&mut needs, &["a/", "b/"], 3_000);
        assert!(!needs.is_old("a/x", MS), "it was only edited");
        need(&mut needs, &["b/"], 4_000);
        need(&mut needs, &["b/"], 4_000 + LINGER_MS);
        assert_eq!(needs.cover(), ["b/"]);
        need(&mut needs, &["a/", "b/"], 9_000_000);
        assert!(needs.is_old("a/x", MS));
        assert_eq!(needs.cover(), ["a/", "b/"]);
    }
}
