//! libnvcuvid: parsers and decoders, with libav behind them.
//!
//! The parser has the stream decoded as it takes it apart: what a decode callback is given carries the number of its
//! picture, by which `cuvidDecodePicture` finds it again. So the order of callbacks, the indices of surfaces and the
//! rules of mapping are as with the driver, and only the place where the work happens is not.

pub mod caps;
pub mod codec;
pub mod decoder;
pub mod format;
pub mod libav;
pub mod lock;
pub mod map;
pub mod parse;
pub mod parser;
pub mod picture;
pub mod post;
pub mod queue;
pub mod splitter;
pub mod sps;
