//! Do the kernels do what they must? Their twins on the host against the plain Rust of `media::software`, which is
//! itself held against libav: on random pictures of every layout, odd sizes and all turns.

mod against_libav;
#[path = "../collection/mod.rs"]
mod collection;
mod fields;
mod marks;
mod natural;
mod on_device;
mod pictures;
mod ptx;
mod rgb;
mod scale;
mod tone;
mod twins;
