//! libcuda: the driver API as far as the product and its crates call it.

pub mod allocate;
pub mod code;
pub mod context;
pub mod copy;
pub mod device;
pub mod entry;
mod host;
pub mod launch;
pub mod memory;
pub mod module;
pub mod ptx;
pub mod stream;
pub mod twin;
pub mod view;
