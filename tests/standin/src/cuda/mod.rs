//! libcuda: the driver API as far as the product and its crates call it.

pub mod code;
pub mod context;
pub mod device;
