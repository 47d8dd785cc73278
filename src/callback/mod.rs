//! Telling receivers: from events in the store to accepted callbacks.
//!
//! Guarantees: every event reaches every destination it is for at least once, in order within (destination, task), or
//! ends as a dead letter that can be replayed; a try and its replay carry the same body and the same event id.
//! Between a receiver's answer and its commit lies an instant in which the daemon may die: the callback is then sent
//! again under the same `X-Reelmill-Event-Id`, by which receivers recognise it. Deliberately absent: what an event
//! says (`events`) and how jobs run.

pub mod archive;
pub mod body_template;
pub mod breaker;
pub mod client;
mod courier;
pub mod destination;
pub mod directory;
pub mod dispatch;
pub mod envelope;
pub mod exec;
pub mod health;
mod lanes;
pub mod mail;
pub mod outbox;
pub mod pace;
pub mod queue;
pub mod robot;
pub mod signing;
mod story;
pub mod summary;
pub mod transport;
pub mod trial;
pub mod verify;
pub mod way;

pub use outbox::CallbackOptions;
pub use outbox::Callbacks;
pub use pace::Pace;
