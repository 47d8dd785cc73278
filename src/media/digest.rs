//! Size and MD5 of files.

use md5::Digest;
use md5::Md5;
use std::fs::File;
use std::io;
use std::io::Read;
use std::path::Path;

const CHUNK_BYTES: usize = 1 << 20;

/// Bytes and MD5 (32 lower-case hex digits) of a file as it lies on disk, which is synced before.
pub fn of_file(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    file.sync_all()?;
    let mut hash = Md5::new();
    let mut buffer = vec![0; CHUNK_BYTES];
    let mut size_bytes = 0;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok((size_bytes, hex::encode(hash.finalize()))),
            Ok(count) => {
                hash.update(&buffer[..count]);
                size_bytes += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// MD5 of bytes in memory.
pub fn of_bytes(bytes: &[u8]) -> String {
    hex::encode(Md5::digest(bytes))
}
