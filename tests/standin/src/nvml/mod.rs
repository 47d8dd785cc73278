//! libnvidia-ml: what the product reads of it, and nothing else.
//!
//! A device is busy, full and warm as the environment says; nothing that is done on it changes that. It is told by its
//! UUID alone: the order of NVML's is its own.

mod device;
mod library;
mod meter;
mod status;
