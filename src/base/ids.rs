//! Identifiers: UUIDv7 as 32 lower-case hex digits, one type for each noun so that they cannot be mixed up.
//!
//! Guarantees: ids made later sort later, also after the clock was set back, while the program runs or between two runs
//! ([`go_on_after`]): lists and their pages are in the order of ids. Deliberately absent: meaning; nothing but their order
//! is read out of ids.

use serde::Deserialize;
use serde::Serialize;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;
use uuid::ContextV7;
use uuid::Timestamp;

/// Counts ids of one instant, and goes on counting when time does not.
static ORDER: Mutex<ContextV7> = Mutex::new(ContextV7::new());
/// No id is of an earlier time, milliseconds since 1970.
static FLOOR_MS: AtomicU64 = AtomicU64::new(0);

/// A new id, 32 lower-case hex digits.
fn fresh() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let floor = std::time::Duration::from_millis(FLOOR_MS.load(Ordering::Relaxed));
    let time = now.max(floor);
    let order = ORDER.lock().unwrap_or_else(PoisonError::into_inner);
    let stamp = Timestamp::from_unix(&*order, time.as_secs(), time.subsec_nanos());
    uuid::Uuid::new_v7(stamp).simple().to_string()
}

/// From now on every new id sorts after `id`, whatever the clock says. What is no id changes nothing.
pub fn go_on_after(id: &str) {
    let digits = id.get(..12).filter(|_| id.len() == 32);
    if let Some(ms) = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok()) {
        FLOOR_MS.fetch_max(ms.saturating_add(1), Ordering::Relaxed);
    }
}

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// A new, unique one.
            pub fn fresh() -> Self {
                Self(fresh())
            }
            /// The 32 hex digits.
            pub fn as_str(&self) -> &str {
                &self.0
            }
            /// The 32 hex digits, owned.
            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

id_type!(
    /// A workflow definition, whatever its version.
    WorkflowId
);
id_type!(
    /// An input identity and all that was made from it.
    MediaId
);
id_type!(
    /// One run of one workflow over one media.
    TaskId
);
id_type!(
    /// One activity within a task.
    JobId
);
id_type!(
    /// One worker process.
    AttemptId
);
id_type!(
    /// One published file or set, or one output group.
    OutputId
);
id_type!(
    /// One fact.
    EventId
);
id_type!(
    /// One event to one destination.
    DeliveryId
);
id_type!(
    /// A file that is being sent to us.
    UploadId
);
id_type!(
    /// A question to a person about a media.
    ReviewId
);
id_type!(
    /// A file added to a media: an attachment or a rendition made elsewhere.
    AdditionId
);
id_type!(
    /// A person who may log in.
    UserId
);
id_type!(
    /// Something that a person should look at.
    AlertId
);

#[cfg(test)]
mod tests {
    use super::TaskId;
    use super::go_on_after;

    #[test]
    fn ids_go_on_after_one_of_a_clock_that_was_ahead() {
        let ahead = TaskId::fresh();
        let ms = u64::from_str_radix(&ahead.as_str()[..12], 16).expect("hex") + 3_600_000;
        let last = format!("{ms:012x}7fff8fffffffffffffff");
        go_on_after(&last);
        for nonsense in ["", "zzzzzzzzzzzz7fff8fffffffffffffff", "ffffffffffff", "€€€€€€€€€€aa"] {
            go_on_after(nonsense);
        }
        let mut before = last;
        for _ in 0..10_000 {
            let next = TaskId::fresh().into_string();
            assert!(next > before, "{next} after {before}");
            before = next;
        }
        assert!(
            before.starts_with(&format!("{:011x}", (ms + 1) >> 4)),
            "{before} stays near it"
        );
    }
}
