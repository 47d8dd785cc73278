//! Moving the bytes of one open file into another, and hashing them.
//!
//! Guarantees: the kernel copies where it can (shared extents on file systems that have them, server-side copies on
//! NFS 4.2 and SMB 3); a beat of the pulse at every step; short copies are errors. Deliberately absent: names.

use crate::objects::pulse::Pulse;
use md5::Digest;
use md5::Md5;
use rustix::io::Errno;
use std::fs::File;
use std::io::Read;
use std::io::Seek;
use std::io::SeekFrom;
use std::io::Write;

/// Bytes asked of the kernel at once: small enough that a beat comes often on a slow NAS.
const KERNEL_STEP_BYTES: usize = 16 << 20;
const BUFFER_BYTES: usize = 1 << 20;

/// Copies all of `from` (from its beginning) to the beginning of `to`. Returns the bytes copied.
pub fn copy(from: &File, to: &File, pulse: &Pulse) -> std::io::Result<u64> {
    let mut read_at = 0;
    let mut written_at = 0;
    loop {
        pulse.beat()?;
        match rustix::fs::copy_file_range(from, Some(&mut read_at), to, Some(&mut written_at), KERNEL_STEP_BYTES) {
            Ok(0) => break,
            Ok(_) => {}
            Err(Errno::INTR) => {}
            // No such call between these two file systems; the plain way tells true errors.
            Err(_) => break,
        }
    }
    // A kernel copy may also end early, with 0, on odd file systems: the plain loop finds what is left, or the end.
    let (mut from, mut to) = (from, to);
    from.seek(SeekFrom::Start(read_at))?;
    to.seek(SeekFrom::Start(written_at))?;
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        pulse.beat()?;
        match from.read(&mut buffer) {
            Ok(0) => return Ok(written_at),
            Ok(count) => {
                to.write_all(&buffer[..count])?;
                written_at += count as u64;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Size and MD5 (32 lower-case hex digits) of all of `file`.
pub fn measure(mut file: &File, pulse: &Pulse) -> std::io::Result<(u64, String)> {
    file.seek(SeekFrom::Start(0))?;
    let mut hash = Md5::new();
    let mut size_bytes = 0;
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        pulse.beat()?;
        match file.read(&mut buffer) {
            Ok(0) => return Ok((size_bytes, hex::encode(hash.finalize()))),
            Ok(count) => {
                hash.update(&buffer[..count]);
                size_bytes += count as u64;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
