//! What an object that was seen still waits for, in words: the answer to "why was this not triggered yet?".
//!
//! Guarantees: pure; every sentence names what would end the wait. Deliberately absent: finding it out (`trigger`), and
//! names that never trigger (`objects::name_rules`).

use crate::base::clock::UtcMs;
use std::fmt;

/// Why an object that was seen has not settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waits {
    /// It has no content yet.
    Empty,
    /// It changes.
    Growing {
        /// Since it was first seen to.
        since: UtcMs,
    },
    /// Its container says that more must come.
    Unfinished {
        /// What is missing, a clause.
        why: String,
    },
    /// It is not old enough.
    Young {
        /// Seconds it must have stayed as it is.
        min_age_s: u64,
        /// Since when it is as it is.
        since: UtcMs,
    },
    /// No marker releases it.
    NoMarker {
        /// Names it would have.
        wanted: String,
    },
    /// Its marker is older than itself.
    StaleMarker {
        /// The marker's key.
        marker: String,
    },
    /// Nothing says what its checksum is.
    NoChecksum {
        /// Names it would have.
        wanted: String,
    },
    /// What says its checksum cannot be used.
    BadChecksum {
        /// Its key.
        list: String,
        /// Why, a clause.
        why: String,
    },
    /// It is being read to compare its checksum.
    Verifying {
        /// Key of what says it.
        list: String,
    },
    /// It is not what its checksum says.
    Differs {
        /// Key of what says it.
        list: String,
        /// `MD5`.
        algorithm: &'static str,
        /// What it says.
        said: String,
        /// What the file has.
        found: String,
    },
    /// What `NAME.reelmill.json` says cannot be done.
    BadOrder {
        /// Its key.
        order: String,
        /// Why, a clause.
        why: String,
    },
    /// It cannot be read.
    Unreadable {
        /// Why, a clause.
        why: String,
    },
}

impl Waits {
    /// The reason in one word, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Waits::Empty => "empty",
            Waits::Growing { .. } => "growing",
            Waits::Unfinished { .. } => "unfinished",
            Waits::Young { .. } => "young",
            Waits::NoMarker { .. } => "no_marker",
            Waits::StaleMarker { .. } => "stale_marker",
            Waits::NoChecksum { .. } => "no_checksum",
            Waits::BadChecksum { .. } => "bad_checksum",
            Waits::Verifying { .. } => "verifying",
            Waits::Differs { .. } => "differs",
            Waits::BadOrder { .. } => "bad_order",
            Waits::Unreadable { .. } => "unreadable",
        }
    }

    /// Whether somebody has to do something about it.
    pub fn is_trouble(&self) -> bool {
        matches!(
            self,
            Waits::BadChecksum { .. } | Waits::Differs { .. } | Waits::BadOrder { .. } | Waits::Unreadable { .. }
        )
    }
}

impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Waits::Empty => write!(f, "It is empty (0 bytes) and waits for content."),
            Waits::Growing { since } => write!(
                f,
                "It is still growing or changing, since {}; it is taken when it stays as it is.",
                since.wire()
            ),
            Waits::Unfinished { why } => write!(
                f,
                "It does not change, but it is not whole: {why}. It gets some more time, and is then taken as it is."
            ),
            Waits::Young { min_age_s, since } => write!(
                f,
                "It has been as it is since {}, and min_age_s = {min_age_s} asks for more.",
                since.wire()
            ),
            Waits::NoMarker { wanted } => write!(f, "It waits for its marker ({wanted}), as ready = \"marker\" asks."),
            Waits::StaleMarker { marker } => write!(
                f,
                "Its marker {marker} is older than its content: the file changed after it. Write the marker again."
            ),
            Waits::NoChecksum { wanted } => {
                write!(f, "It waits for a checksum ({wanted}), as ready = \"checksum\" asks.")
            }
            Waits::BadChecksum { list, why } => {
                write!(
                    f,
                    "Its checksum in {list} cannot be used: {why}. It is looked at again when either changes."
                )
            }
            Waits::Verifying { list } => write!(f, "It is being read to compare it with its checksum in {list}."),
            Waits::Differs {
                list,
                algorithm,
                said,
                found,
            } => write!(
                f,
                "It is damaged, or its checksum is of another file: {list} says {algorithm} {said}, the file has {found}. \
                 It is compared again when either changes."
            ),
            Waits::BadOrder { order, why } => write!(
                f,
                "It is not run because {order} beside it cannot be done: {why}. Correct or remove that file."
            ),
            Waits::Unreadable { why } => write!(
                f,
                "It cannot be read: {why}. Give the daemon's user the right to read it; it is tried again by itself."
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Waits;
    use crate::base::clock::UtcMs;

    #[test]
    fn each_sentence_names_what_it_waits_for() {
        let said = |waits: Waits| waits.to_string();
        let growing = Waits::Growing { since: UtcMs(0) };
        assert!(said(growing).contains("1970-01-01T00:00:00Z"));
        let marker = Waits::NoMarker {
            wanted: "a.done".to_owned(),
        };
        assert!(said(marker.clone()).contains("a.done") && !marker.is_trouble());
        let differs = Waits::Differs {
            list: "a.md5".to_owned(),
            algorithm: "MD5",
            said: "00".to_owned(),
            found: "ff".to_owned(),
        };
        assert!(differs.is_trouble());
        let text = said(differs);
        assert!(
            text.contains("a.md5") && text.contains("00") && text.contains("ff"),
            "{text}"
        );
    }
}
