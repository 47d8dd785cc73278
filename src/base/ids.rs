//! Identifiers: UUIDv7 as 32 lower-case hex digits, one type for each noun so that they cannot be mixed up.
//!
//! Guarantees: ids made later sort later (to the millisecond). Deliberately absent: meaning; nothing is read out of an id.

use serde::Deserialize;
use serde::Serialize;

/// A new id, 32 lower-case hex digits.
fn fresh() -> String {
    uuid::Uuid::now_v7().simple().to_string()
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
