//! The bytes of a source for libav's demuxers: positioned reads through a callback.
//!
//! Guarantees: the size is the one of the moment of opening; a failed read and a file that turns out shorter
//! than that are remembered and answered as errors, never as the end of the file. Deliberately absent: paths,
//! names and protocols.

use crate::media::av::error::AvError;
use ffmpeg_the_third::ffi;
use std::ffi::c_int;
use std::ffi::c_void;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

/// Bytes libav asks for at a time. Small enough that a seek to one key frame does not read a whole GOP, large
/// enough that a network file system is asked seldom.
const BUFFER_BYTES: usize = 64 * 1024;
const EIO: i32 = 5;
const EINVAL: i32 = 22;

/// Bytes that can be read at any position.
pub trait ReadAt: Send + Sync {
    /// Reads up to `buffer.len()` bytes from `offset`; 0 only at the end.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Bytes there are.
    fn size_bytes(&self) -> io::Result<u64>;
}

/// Fills `buffer` from `offset` on, or as far as there are bytes; says how many there were.
pub fn fill(bytes: &dyn ReadAt, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match bytes.read_at(&mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

impl ReadAt for File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, buffer, offset)
    }
    fn size_bytes(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
}

/// A file in memory.
impl ReadAt for Vec<u8> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.get(offset..));
        let rest = rest.unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
    fn size_bytes(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }
}

/// What went on at a source, shared with whoever holds the demuxer.
#[derive(Debug, Default)]
pub struct SourceWatch {
    read_bytes: AtomicU64,
    trouble: Mutex<Option<String>>,
}

impl SourceWatch {
    /// Bytes read so far.
    pub fn read_bytes(&self) -> u64 {
        self.read_bytes.load(Ordering::Relaxed)
    }
    /// The first failed or short read, in words.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
    /// Adds to the bytes read.
    pub fn count(&self, bytes: u64) {
        self.read_bytes.fetch_add(bytes, Ordering::Relaxed);
    }
    /// Keeps the first trouble.
    pub fn remember(&self, what: String) {
        self.trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(what);
    }
}

/// Bytes for a demuxer, and a name for its messages.
pub struct Source {
    bytes: Arc<dyn ReadAt>,
    name: String,
    size_bytes: u64,
    watch: Arc<SourceWatch>,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} bytes)", self.name, self.size_bytes)
    }
}

impl Source {
    /// Over an open file. The name is never opened: its extension helps the demuxer's guess.
    pub fn from_file(file: File, name: &str) -> io::Result<Self> {
        Self::from_bytes(Box::new(file), name)
    }

    /// Over anything that reads at positions.
    pub fn from_bytes(bytes: Box<dyn ReadAt>, name: &str) -> io::Result<Self> {
        Self::from_shared(Arc::from(bytes), name)
    }

    /// The same, where others read it too.
    pub fn from_shared(bytes: Arc<dyn ReadAt>, name: &str) -> io::Result<Self> {
        let size_bytes = bytes.size_bytes()?;
        Ok(Source {
            bytes,
            name: name.to_owned(),
            size_bytes,
            watch: Arc::new(SourceWatch::default()),
        })
    }

    /// Counts its reads and troubles with those of another source.
    pub fn watched_by(self, watch: &Arc<SourceWatch>) -> Self {
        Source {
            watch: Arc::clone(watch),
            ..self
        }
    }

    /// The same bytes for a second reader; what both read and meet is counted as one.
    pub fn again(&self) -> Self {
        Source {
            bytes: Arc::clone(&self.bytes),
            name: self.name.clone(),
            size_bytes: self.size_bytes,
            watch: Arc::clone(&self.watch),
        }
    }

    /// Bytes at the moment of opening.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }
    /// Name for messages.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// Counters that stay readable while a demuxer owns the source.
    pub fn watch(&self) -> Arc<SourceWatch> {
        Arc::clone(&self.watch)
    }

    /// Fills the buffer from a position, or says how much there was before the end. Counted like libav's own reads.
    pub fn read_full_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let filled = fill(&*self.bytes, buffer, offset)?;
        self.watch.read_bytes.fetch_add(filled as u64, Ordering::Relaxed);
        Ok(filled)
    }
}

struct Reader {
    source: Source,
    position: u64,
}

/// An AVIOContext that reads a [`Source`]; freed with it.
pub(super) struct SourceIo {
    context: *mut ffi::AVIOContext,
    reader: *mut Reader,
}

// SAFETY: context and reader have this one owner; the reader is Send.
unsafe impl Send for SourceIo {}

impl SourceIo {
    pub(super) fn open(source: Source) -> Result<Self, AvError> {
        let reader = Box::into_raw(Box::new(Reader { source, position: 0 }));
        // SAFETY: the buffer comes from av_malloc as the call wants; the callbacks fit the opaque pointer, which
        // lives as long as the context. On failure both are taken back.
        unsafe {
            let buffer = ffi::av_malloc(BUFFER_BYTES);
            let context = if buffer.is_null() {
                std::ptr::null_mut()
            } else {
                ffi::avio_alloc_context(
                    buffer.cast(),
                    BUFFER_BYTES as c_int,
                    0,
                    reader.cast(),
                    Some(read),
                    None,
                    Some(seek),
                )
            };
            if context.is_null() {
                ffi::av_free(buffer);
                drop(Box::from_raw(reader));
                return Err(AvError::memory("avio_alloc_context"));
            }
            Ok(SourceIo { context, reader })
        }
    }

    pub(super) fn as_ptr(&self) -> *mut ffi::AVIOContext {
        self.context
    }
}

impl Drop for SourceIo {
    fn drop(&mut self) {
        // SAFETY: made together in `open`, freed together here; libav may have replaced the buffer, so it is
        // taken from the context.
        unsafe {
            ffi::av_freep((&raw mut (*self.context).buffer).cast());
            ffi::avio_context_free(&mut self.context);
            drop(Box::from_raw(self.reader));
        }
    }
}

unsafe extern "C" fn read(opaque: *mut c_void, buffer: *mut u8, length: c_int) -> c_int {
    // SAFETY: opaque is the Reader of `open`, used by one thread at a time; libav gives a writable buffer.
    let (reader, buffer) = unsafe {
        (
            &mut *opaque.cast::<Reader>(),
            std::slice::from_raw_parts_mut(buffer, length.max(0) as usize),
        )
    };
    catch_unwind(AssertUnwindSafe(|| reader.fill(buffer))).unwrap_or(-EIO)
}

unsafe extern "C" fn seek(opaque: *mut c_void, offset: i64, whence: c_int) -> i64 {
    // SAFETY: as in `read`.
    let reader = unsafe { &mut *opaque.cast::<Reader>() };
    reader.seek(offset, whence)
}

impl Reader {
    fn fill(&mut self, buffer: &mut [u8]) -> c_int {
        let left = self.source.size_bytes.saturating_sub(self.position);
        if left == 0 {
            return ffi::AVERROR_EOF;
        }
        let wanted = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        loop {
            match self.source.bytes.read_at(&mut buffer[..wanted], self.position) {
                Ok(0) => {
                    self.source.watch.remember(format!(
                        "the file ended at byte {} though it had {} bytes when it was opened",
                        self.position, self.source.size_bytes
                    ));
                    return -EIO;
                }
                Ok(count) => {
                    self.position += count as u64;
                    self.source.watch.read_bytes.fetch_add(count as u64, Ordering::Relaxed);
                    return count as c_int;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.source
                        .watch
                        .remember(format!("reading at byte {} failed: {error}", self.position));
                    return -EIO;
                }
            }
        }
    }

    fn seek(&mut self, offset: i64, whence: c_int) -> i64 {
        let size = self.source.size_bytes as i64;
        let target = match whence & !(ffi::AVSEEK_FORCE as c_int) {
            whence if whence == ffi::AVSEEK_SIZE as c_int => return size,
            0 => offset,
            1 => self.position as i64 + offset,
            2 => size + offset,
            _ => return i64::from(-EINVAL),
        };
        match u64::try_from(target) {
            Ok(position) => {
                self.position = position;
                target
            }
            Err(_) => i64::from(-EINVAL),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ReadAt;
    use super::Reader;
    use super::Source;
    use ffmpeg_the_third::ffi;
    use std::io;

    struct Shrinking {
        said: u64,
        there: u64,
        fails_at: Option<u64>,
    }

    impl ReadAt for Shrinking {
        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            if self.fails_at.is_some_and(|at| offset >= at) {
                return Err(io::Error::other("stale file handle"));
            }
            Ok(buffer.len().min(self.there.saturating_sub(offset) as usize))
        }
        fn size_bytes(&self) -> io::Result<u64> {
            Ok(self.said)
        }
    }

    fn reader(bytes: Shrinking) -> Reader {
        let source = Source::from_bytes(Box::new(bytes), "x").expect("size");
        Reader { source, position: 0 }
    }

    #[test]
    fn the_end_is_eof_only_at_the_size_of_opening() {
        let mut whole = reader(Shrinking {
            said: 10,
            there: 10,
            fails_at: None,
        });
        assert_eq!(whole.fill(&mut [0; 64]), 10);
        assert_eq!(whole.fill(&mut [0; 64]), ffi::AVERROR_EOF);
        assert_eq!(whole.source.watch().trouble(), None);
        assert_eq!(whole.source.watch().read_bytes(), 10);

        let mut short = reader(Shrinking {
            said: 10,
            there: 4,
            fails_at: None,
        });
        assert_eq!(short.fill(&mut [0; 64]), 4);
        assert_eq!(short.fill(&mut [0; 64]), -5);
        assert!(
            short
                .source
                .watch()
                .trouble()
                .is_some_and(|text| text.contains("byte 4"))
        );
    }

    #[test]
    fn a_failed_read_is_remembered() {
        let mut broken = reader(Shrinking {
            said: 10,
            there: 10,
            fails_at: Some(0),
        });
        assert_eq!(broken.fill(&mut [0; 64]), -5);
        assert!(
            broken
                .source
                .watch()
                .trouble()
                .is_some_and(|text| text.contains("stale file handle"))
        );
    }
}
