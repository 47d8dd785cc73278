//! libcuda: the driver API as far as the product and its crates call it.

pub mod allocate;
pub mod code;
pub mod context;
pub mod copy;
pub mod device;
pub mod memory;
pub mod stream;
pub mod view;
