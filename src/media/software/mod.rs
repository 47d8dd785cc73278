//! What every kernel of `media::cuda` must come to, in plain Rust on pictures of the host, and the tables that kernels
//! are given.
//!
//! Guarantees: written from the formulas, not from the kernels, so that both agreeing means something: scaling, fields,
//! marks and boxes agree bit by bit, the tone map (here without tables) to within a step. Deliberately absent: speed;
//! passes in software are libav's.

pub mod curves;
pub mod fields;
pub mod marks;
pub mod orientation;
pub mod range;
pub mod raster;
pub mod rgb;
pub mod scale;
pub mod tone;
pub mod weights;

pub use orientation::Crop;
pub use orientation::Turn;
pub use range::Range;
pub use raster::Raster;
pub use weights::Filter;
