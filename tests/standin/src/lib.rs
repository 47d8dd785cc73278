//! A stand-in for the NVIDIA driver: libcuda, libnvcuvid, libnvidia-encode and libnvidia-ml in one library, for tests alone.
//!
//! There is no GPU in it. Memory of the device is memory of the host at addresses that nobody can read, kernels are
//! the product's own, compiled for the host, and decoding and encoding are libav's. What it is strict about is the
//! contract: whatever a real driver would take amiss, at once or one day under load, is refused with the error that a
//! real one answers, and written down in the file that `STANDIN_VIOLATIONS` names.
//!
//! Guarantees: handles and device addresses are never those of anything that was freed; a broken contract is never
//! silent, because without a file to write to the process ends. Deliberately absent: asynchrony (whatever is queued
//! has happened when the call answers) and speed.
#![allow(non_snake_case, reason = "the names are the driver's")]
#![allow(clippy::missing_safety_doc, reason = "the contract is NVIDIA's documentation")]

pub mod contract;
pub mod cuda;
pub mod cuvid;
pub mod fault;
pub mod handle;
pub mod nvenc;
pub mod nvml;
pub mod settings;
