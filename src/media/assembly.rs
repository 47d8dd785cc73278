//! How several files are one source: one stream of bytes that was cut, or recordings in a row, each with its sound
//! beside it or in it.
//!
//! Guarantees: plain data, and bytes of several files read as those of one. Deliberately absent: opening them as a film
//! (`pass::assembled`), and which files they are.

use crate::media::av::source::ReadAt;
use serde::Deserialize;
use serde::Serialize;
use std::io;
use std::sync::Arc;

/// How the files of a source go together, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assembly {
    /// One stream of bytes, cut into the files.
    Cut,
    /// Recordings, one after the other.
    Row(Vec<Recording>),
}

/// One recording: a file, and files of sound beside it that follow it in the order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// Files of sound.
    pub sounds: usize,
    /// Frames taken of it, first and first not taken; none: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frames: Option<(u64, u64)>,
}

/// The files of a source but for the first, which is the source's own.
#[derive(Clone)]
pub struct Rest {
    /// How they go together.
    pub assembly: Assembly,
    /// Each with a name for messages.
    pub files: Vec<(String, Arc<dyn ReadAt>)>,
}

impl std::fmt::Debug for Rest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.files.iter().map(|(name, _)| name);
        f.debug_tuple("Rest")
            .field(&self.assembly)
            .field(&names.collect::<Vec<_>>())
            .finish()
    }
}

impl Rest {
    /// Decoders change from file to file.
    pub fn is_row(&self) -> bool {
        matches!(&self.assembly, Assembly::Row(recordings) if recordings.len() > 1 || recordings.iter().any(|one| one.frames.is_some()))
    }
}

/// Files read as one.
pub struct Concatenation(Vec<(Arc<dyn ReadAt>, u64)>);

impl Concatenation {
    /// Of these files, in their order.
    ///
    /// # Errors
    /// One of them has no size.
    pub fn of(files: Vec<Arc<dyn ReadAt>>) -> io::Result<Self> {
        let sized = files.into_iter().map(|file| {
            let size_bytes = file.size_bytes()?;
            Ok((file, size_bytes))
        });
        sized.collect::<io::Result<_>>().map(Concatenation)
    }
}

impl ReadAt for Concatenation {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut begins = 0;
        for (file, size_bytes) in &self.0 {
            if offset < begins + size_bytes {
                let within = offset - begins;
                let left = usize::try_from(size_bytes - within).unwrap_or(usize::MAX);
                let end = buffer.len().min(left);
                return file.read_at(&mut buffer[..end], within);
            }
            begins += size_bytes;
        }
        Ok(0)
    }

    fn size_bytes(&self) -> io::Result<u64> {
        Ok(self.0.iter().map(|(_, size_bytes)| size_bytes).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::Concatenation;
    use crate::media::av::source::ReadAt;
    use std::fs::File;
    use std::sync::Arc;

    #[test]
    fn cut_files_read_as_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str, bytes: &str| {
            std::fs::write(folder.path().join(name), bytes).expect("written");
            Arc::new(File::open(folder.path().join(name)).expect("opened")) as Arc<dyn ReadAt>
        };
        let whole = Concatenation::of(vec![file("a", "abc"), file("b", ""), file("c", "defg")]).expect("sized");
        assert_eq!(whole.size_bytes().expect("sized"), 7);
        let (mut read, mut buffer) = (Vec::new(), [0; 2]);
        loop {
            let count = whole.read_at(&mut buffer, read.len() as u64).expect("read");
            if count == 0 {
                break;
            }
            read.extend_from_slice(&buffer[..count]);
        }
        assert_eq!(read, b"abcdefg");
    }
}
