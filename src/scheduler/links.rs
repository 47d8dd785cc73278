//! Addresses by which programs outside reach objects and answer questions, made by whoever serves them.
//!
//! Guarantees: who holds one may use it for what it says, and for nothing else. Deliberately absent: how they are made
//! and checked; the daemon wires that in.

use crate::base::clock::UtcMs;
use crate::base::ids::AttemptId;
use crate::objects::uri::ObjectUri;

/// Makes addresses.
pub trait Links: Send + Sync {
    /// Where one object can be read until `expires`; none: it cannot.
    fn object(&self, object: &ObjectUri, expires: UtcMs) -> Option<String>;

    /// Where the main object of a set can be read, and with it all of the set; `numbered`: it is the first of many.
    fn set(&self, main: &ObjectUri, numbered: bool, expires: UtcMs) -> Option<String>;

    /// Where the answer to the question of `attempt` may be posted later.
    fn answer(&self, attempt: &AttemptId) -> Option<String>;
}

/// No addresses: nothing is served.
#[derive(Debug, Clone, Copy)]
pub struct NoLinks;

impl Links for NoLinks {
    fn object(&self, _: &ObjectUri, _: UtcMs) -> Option<String> {
        None
    }

    fn set(&self, _: &ObjectUri, _: bool, _: UtcMs) -> Option<String> {
        None
    }

    fn answer(&self, _: &AttemptId) -> Option<String> {
        None
    }
}
