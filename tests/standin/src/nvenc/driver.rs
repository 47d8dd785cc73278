//! What the encoder needs to know of the rest of the driver: memory, and the order of what is queued.
//!
//! Guarantees: memory that is gone, or of a kind that encoders refuse, is never read.

use crate::cuda::memory;
use crate::cuda::memory::Kind;
use crate::cuda::stream::Stream;
use std::sync::Arc;

/// Whether an encoder of a device takes that memory; else why not.
pub fn check_encodable(device: usize, address: u64, bytes: usize) -> Result<(), String> {
    if !memory::is_device_address(address) {
        return Err(format!("{address:#x} is no address of a device"));
    }
    let Some(found) = memory::at(address) else {
        return Err(format!("{address:#x} is freed, or was never taken"));
    };
    if found.piece.device() != device {
        return Err(format!("{address:#x} is memory of device {}", found.piece.device()));
    }
    if !matches!(found.piece.kind(), Kind::Linear | Kind::Pitched(_)) {
        return Err("memory that is not of cuMemAlloc or cuMemAllocPitch".to_owned());
    }
    let left = found.piece.bytes() - found.offset;
    if left < bytes {
        return Err(format!("the picture has {bytes} bytes, its memory {left}"));
    }
    Ok(())
}

/// A copy of what lies there; none when it does not lie whole in one living piece.
pub fn read(address: u64, bytes: usize) -> Option<Vec<u8>> {
    let found = memory::at(address)?;
    if found.offset + bytes > found.piece.bytes() {
        return None;
    }
    // SAFETY: so many bytes of the piece are there, and the piece is held.
    Some(unsafe { std::slice::from_raw_parts(found.start(), bytes) }.to_vec())
}

/// Whether all that was queued on that memory comes before what is queued on the stream now.
pub fn is_ready_for(address: u64, stream: &Arc<Stream>) -> bool {
    memory::at(address)
        .and_then(|found| found.piece.last_use())
        .is_none_or(|last| last.is_over_for(Some(stream)))
}
