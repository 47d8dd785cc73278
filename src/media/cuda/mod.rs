//! NVIDIA hardware: devices, their memory, decoders (NVDEC), kernels and encoders (NVENC). One noun a file.
//!
//! Guarantees: the same binary starts where there is no driver at all, because every library of it is opened at run
//! time and looked for before it is used; no raw pointer leaves this folder; all device work of a pass is queued on the
//! one stream of its [`Gpu`], so that it happens in the order in which it was asked for. Deliberately absent: libav,
//! decisions about media, and what to do when a device fails.
#![allow(unsafe_code)]

pub mod capabilities;
mod decode_caps;
mod device_remedy;
mod driver;
mod driver_remedy;
pub mod error;
pub mod gpu;
mod host_signs;
pub mod kernels;
pub mod library;
mod memory;
pub mod nvdec;
pub mod nvenc;
pub mod pool;
mod staging;
pub mod surface;
pub mod transit;

pub use error::CudaError;
pub use gpu::Gpu;
pub use kernels::Kernels;
pub use pool::PooledSurface;
pub use pool::SurfacePool;
pub use surface::Layout;
pub use surface::Surface;
