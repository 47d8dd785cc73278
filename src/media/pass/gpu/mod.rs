//! NVIDIA hardware in the pass: what joins libav's frames and the device's surfaces, and decides which stage works where.
//!
//! Guarantees: everything downstream of the frames is the software pass's own code. Deliberately absent: the driver,
//! which is `media::cuda`'s.

pub mod best_time;
pub mod cuts;
pub mod cutting;
pub mod decoder;
pub mod decoding;
mod doubt;
pub mod encoder;
pub mod encoding;
pub mod fallback;
pub mod hardware;
pub mod interleaving;
pub mod launch;
pub mod marking;
pub mod mode;
pub mod packing;
pub mod refusal;
pub mod sight;
pub mod sought;
pub mod stage;
pub mod transfer;
pub mod weaver;
pub mod weaving;
pub mod witness;
pub mod work;
