//! What the trigger of a bucket says of one object now.
//!
//! Guarantees: an answer in seconds, also of a service that hangs; the rules are those of listings, called, not repeated.
//! Deliberately absent: what the ledger remembers, which whoever asks reads there.

use crate::base::clock::UtcMs;
use crate::objects::name_rules::Role;
use crate::store::Store;
use crate::trigger::BucketWatch;
use crate::trigger::WatchMode;
use crate::trigger::explain::Explainer;
use crate::trigger::explain::Word;
use crate::trigger::s3_scan::lister::Lister;
use crate::workflow::selector::within_prefix;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;

/// Longest that the service is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers for a bucket.
pub(in crate::trigger) struct BucketExplainer {
    pub options: BucketWatch,
    pub lister: Arc<dyn Lister>,
    pub store: Store,
}

impl BucketExplainer {
    async fn words(&self, key: &str) -> Vec<Word> {
        if let Some(word) = self.by_key(key) {
            return vec![word];
        }
        let mut words = Vec::new();
        if self.options.watch == WatchMode::Off {
            words.push(Word::prevents(
                "not_watched",
                "The storage is not watched (watch = \"off\"): nothing of it runs by itself.",
            ));
        }
        if let Ok(concern) = self.store.concern_of(&self.options.name).await
            && !concern.prefixes.iter().any(|prefix| within_prefix(prefix, key))
        {
            words.push(Word::prevents(
                "not_listed",
                "No enabled workflow with an automatic trigger takes objects of this prefix, so it is not listed, and \
                 notifications of it lead to nothing.",
            ));
        }
        if self.store.has_hint(&self.options.name, key).await.unwrap_or(false) {
            words.push(Word::tells(
                "told",
                "A notification told of it; it is about to be looked at.",
            ));
        }
        words.extend(self.by_look(key).await);
        words
    }

    fn by_key(&self, key: &str) -> Option<Word> {
        if key.is_empty() || key.ends_with('/') {
            let text = "A key that ends with a slash stands for a folder, which is no object here.";
            return Some(Word::prevents("folder", text));
        }
        let why = self.options.names.why_not(key)?;
        let code = match self.options.names.role(key) {
            Role::Object => "ignored",
            Role::Marker => "marker",
            Role::Checksum => "checksum",
            Role::Order => "order",
            Role::Subtitle => "subtitle",
            Role::Excluded(_) => "excluded",
            Role::NotIncluded => "not_included",
        };
        Some(Word::prevents(code, why))
    }

    async fn by_look(&self, key: &str) -> Vec<Word> {
        let head = match tokio::time::timeout(PATIENCE, self.lister.head(key)).await {
            Ok(Ok(head)) => head,
            Ok(Err(fault)) => {
                let text = format!("The bucket does not answer: {}. {}", fault.cause, fault.remedy);
                return vec![Word::prevents("not_answering", text)];
            }
            Err(_) => {
                let text = format!("The bucket did not answer within {} s.", PATIENCE.as_secs());
                return vec![Word::prevents("not_answering", text)];
            }
        };
        let Some(head) = head else {
            let text = "Nothing stands under this key now; keys are taken letter by letter, upper and lower case too.";
            return vec![Word::prevents("missing", text)];
        };
        if head.size_bytes == 0 {
            return vec![Word::prevents(
                "empty",
                "It is empty; objects without content are passed over.",
            )];
        }
        let mut words = Vec::new();
        let age_ms = UtcMs::now().0.saturating_sub(head.mtime_ns / 1_000_000);
        if u128::try_from(age_ms).unwrap_or(0) < self.options.min_age.as_millis() {
            let text = format!(
                "It is younger than min_age_s = {} asks for, by the stamp of the service.",
                self.options.min_age.as_secs_f64()
            );
            words.push(Word::prevents("young", text));
        }
        if head.metadata.contains_key(super::sift::OUTPUT) {
            let text = "It carries the note of an output of reelmill, which does not run where it was published.";
            words.push(Word::tells("output", text));
        }
        words.push(Word::tells(
            "there",
            format!("It is there now, {} bytes, ETag {}.", head.size_bytes, head.etag),
        ));
        words
    }
}

impl Explainer for BucketExplainer {
    fn explain<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Vec<Word>> {
        Box::pin(self.words(key))
    }
}
