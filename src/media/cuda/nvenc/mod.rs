//! Encoders of a device (NVENC): pictures on the device in, coded pictures out. One noun a file.
//!
//! A session has two threads, as the driver's guide wants it where there are no completion events: whoever calls
//! [`NvencSession::send`] registers, maps and submits pictures; a thread of the session's own locks what is done,
//! copies it and gives the pictures back.
//!
//! Guarantees: a picture is neither written to nor freed while the driver has it; of what the driver says only numbers
//! are believed, never that they are ones this program knows; all is unmapped, unregistered and destroyed in that
//! order, however a session ends. Deliberately absent: which definition asks for what (`media::encoding::nvenc`),
//! containers, and what to do when all sessions are taken.

mod abilities;
mod api;
mod config;
mod encoder;
mod input;
mod opening;
mod output;
mod session;
mod setup;
mod times;

pub use abilities::abilities;
pub use abilities::sessions_free;
pub use session::NvencSession;
pub use setup::BFrames;
pub use setup::Codec;
pub use setup::Coded;
pub use setup::EncodeSetup;
pub use setup::Message;
pub use setup::Profile;
pub use setup::Rate;
pub use setup::Signal;
