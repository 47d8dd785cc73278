//! NVDEC: coded pictures in, pictures on the device out.
//!
//! The driver's parser takes the stream apart and calls back, on the same thread and before it returns: a sequence
//! begins, a picture is to be decoded, a picture is to be shown. What is to be shown is mapped, copied into a surface of
//! ours on the stream of the pass, and unmapped.
//!
//! Guarantees: nothing unwinds into the driver, and what goes wrong inside of it comes out of the call that led there;
//! a stream that the parser or the decoder chokes on is taken up again at its next key frame, a few times over.
//! Deliberately absent: containers and their ways to pack pictures, which are libav's; a lock of the context, which is
//! for contexts that float between threads: ours is current wherever the driver is called.

mod api;
pub mod codec;
mod decoder;
mod engine;
mod parser;
pub mod picture;
mod recovery;
mod sequence;
mod session;
mod stamps;

pub use codec::Codec;
pub use picture::DecodedPicture;
pub use picture::Signal;
pub use session::CodedPicture;
pub use session::DecodeSetup;
pub use session::Nvdec;
