//! The walk that tells a truncated source before it is decoded.
#![no_main]
use libfuzzer_sys::fuzz_target;
use reelmill::media::av::Source;
use reelmill::media::av::source::ReadAt;
use reelmill::media::wholeness;
use std::io;

struct Claimed(Vec<u8>, u64);

impl ReadAt for Claimed {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.0.get(offset..));
        let rest = rest.unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
    fn size_bytes(&self) -> io::Result<u64> {
        Ok(self.1)
    }
}

fuzz_target!(|input: (u64, &[u8])| {
    let (claimed, bytes) = input;
    for size in [bytes.len() as u64, claimed] {
        let Ok(source) = Source::from_bytes(Box::new(Claimed(bytes.to_vec(), size)), "fuzz") else {
            continue;
        };
        let _ = wholeness::look(&source);
        let _ = wholeness::signature(&source);
    }
});
