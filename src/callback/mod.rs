//! Telling receivers: from events in the store to accepted callbacks.
//!
//! Guarantees: every event reaches every destination it is for at least once, in order within (destination, task), or
//! ends as a dead letter that can be replayed; a try and its replay carry the same body and the same event id.
//! Between a receiver's answer and its commit lies an instant in which the daemon may die: the callback is then sent
//! again under the same `X-Reelmill-Event-Id`, by which receivers recognise it. Deliberately absent: what an event
//! says (`events`) and how jobs run.

pub mod breaker;
pub mod client;
pub mod destination;
pub mod dispatch;
pub mod outbox;
pub mod pace;
pub mod queue;
pub mod signing;
pub mod transport;
pub mod verify;

pub use outbox::CallbackOptions;
pub use outbox::Callbacks;
pub use pace::Pace;
