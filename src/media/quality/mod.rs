//! Likeness of pictures: of a rendition to what its encoder was given.
//!
//! Guarantees: the same numbers as libavfilter's psnr and ssim, and libvmaf's, on the same pictures. Deliberately absent: scaling;
//! pictures of two sizes are not compared.

pub mod likeness;
pub mod sampler;

pub use likeness::Likeness;
pub use likeness::Tally;
pub use sampler::Sampler;
pub use sampler::Slot;
