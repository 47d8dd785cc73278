//! Where a muxer's bytes go: into one file after the other, or into parts of a single one, hashed and sealed on the way.
//!
//! Guarantees: what a file's hash tells is what was written to it. Deliberately absent: when a segment ends.

use crate::media::pass::packaging::seal::Seal;
use crate::media::pass::packaging::seal::Sealer;
use md5::Digest;
use md5::Md5;
use std::fs::File;
use std::io;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

/// One finished file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Name in its folder.
    pub name: String,
    /// Bytes.
    pub size_bytes: u64,
    /// MD5, hex.
    pub md5: String,
}

/// Bytes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The file's name in its folder.
    pub name: String,
    /// Where it begins.
    pub offset: u64,
    /// Bytes.
    pub size_bytes: u64,
}

#[derive(Debug)]
struct Open {
    name: String,
    file: File,
    hash: Md5,
    size_bytes: u64,
}

#[derive(Debug)]
struct State {
    directory: PathBuf,
    /// The name of the one file, if there is only one.
    single: Option<String>,
    open: Option<Open>,
    part_offset: u64,
    sealer: Option<Sealer>,
    /// A part is under way.
    has_part: bool,
    pieces: Vec<Piece>,
}

/// The files of a rendition.
#[derive(Debug, Clone)]
pub struct Spool(Arc<Mutex<State>>);

impl Spool {
    /// In an existing directory; all into the file `single` if one is named.
    pub fn new(directory: PathBuf, single: Option<String>) -> Self {
        Spool(Arc::new(Mutex::new(State {
            directory,
            single,
            open: None,
            part_offset: 0,
            sealer: None,
            has_part: false,
            pieces: Vec::new(),
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a part: a file of this name, or the next part of the single one. Sealed as segment `sequence` says.
    pub fn begin(&self, name: &str, seal: Option<(&Seal, u64)>) -> io::Result<()> {
        let mut state = self.state();
        let name = state.single.clone().unwrap_or_else(|| name.to_owned());
        if state.open.as_ref().is_none_or(|open| open.name != name) {
            let file = File::create_new(state.directory.join(&name))?;
            state.open = Some(Open {
                name,
                file,
                hash: Md5::new(),
                size_bytes: 0,
            });
        }
        state.part_offset = state.open.as_ref().map_or(0, |open| open.size_bytes);
        state.sealer = seal.map(|(seal, sequence)| seal.segment(sequence));
        state.has_part = true;
        Ok(())
    }

    /// Bytes of the open file so far; of sealed parts only what is complete.
    pub fn position(&self) -> u64 {
        self.state().open.as_ref().map_or(0, |open| open.size_bytes)
    }

    /// Ends the part.
    pub fn end(&self) -> io::Result<Part> {
        let mut state = self.state();
        if let Some(sealer) = state.sealer.take() {
            let last = sealer.finish();
            state.put(&last)?;
        }
        state.has_part = false;
        let part = match &state.open {
            None => return Err(io::Error::other("no part was begun")),
            Some(open) => Part {
                name: open.name.clone(),
                offset: state.part_offset,
                size_bytes: open.size_bytes - state.part_offset,
            },
        };
        if state.single.is_none() {
            state.close();
        }
        Ok(part)
    }

    /// All files, closed.
    pub fn finish(&self) -> Vec<Piece> {
        let mut state = self.state();
        state.close();
        std::mem::take(&mut state.pieces)
    }
}

impl State {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(open) = &mut self.open else {
            return Err(io::Error::other("no segment is open"));
        };
        open.file.write_all(bytes)?;
        open.hash.update(bytes);
        open.size_bytes += bytes.len() as u64;
        Ok(())
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            self.pieces.push(Piece {
                name: open.name,
                size_bytes: open.size_bytes,
                md5: hex::encode(open.hash.finalize()),
            });
        }
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.state();
        if !state.has_part {
            return Err(io::Error::other("no segment is open"));
        }
        match &mut state.sealer {
            Some(sealer) => {
                let sealed = sealer.update(bytes);
                state.put(&sealed)?;
            }
            None => state.put(bytes)?,
        }
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
