//! Parts of files read as one: an initialisation segment and what follows it, opened where they are sealed.
//!
//! Guarantees: reads at any position without holding a segment in memory. Deliberately absent: what the bytes mean.

use crate::media::av::source::ReadAt;
use crate::media::pass::packaging::seal::BLOCK;
use crate::media::pass::packaging::seal::Seal;
use crate::media::pass::packaging::spool::Part;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

struct Piece {
    /// Where it begins in the whole.
    start: u64,
    file: Arc<File>,
    offset: u64,
    /// Bytes in the file, and how many of them are content.
    stored_bytes: u64,
    size_bytes: u64,
    seal: Option<(Seal, u64)>,
}

/// Several parts read as one.
pub struct Joined {
    pieces: Vec<Piece>,
    size_bytes: u64,
}

impl Joined {
    /// Parts of files in a directory; the seal and its sequence number beside those that are sealed.
    pub fn open(directory: &Path, parts: &[(Part, Option<(Seal, u64)>)]) -> io::Result<Self> {
        let mut joined = Joined {
            pieces: Vec::new(),
            size_bytes: 0,
        };
        let mut last: Option<(String, Arc<File>)> = None;
        for (part, seal) in parts {
            let file = match &last {
                Some((name, file)) if *name == part.name => Arc::clone(file),
                _ => Arc::new(File::open(directory.join(&part.name))?),
            };
            last = Some((part.name.clone(), Arc::clone(&file)));
            if part.offset + part.size_bytes > file.metadata()?.len() {
                return Err(io::Error::other(format!("{} ends before its last part", part.name)));
            }
            let mut piece = Piece {
                start: joined.size_bytes,
                file,
                offset: part.offset,
                stored_bytes: part.size_bytes,
                size_bytes: part.size_bytes,
                seal: seal.clone(),
            };
            piece.size_bytes -= piece.padding()?;
            joined.size_bytes += piece.size_bytes;
            joined.pieces.push(piece);
        }
        Ok(joined)
    }
}

impl Piece {
    fn padding(&self) -> io::Result<u64> {
        if self.seal.is_none() {
            return Ok(0);
        }
        if self.stored_bytes == 0 || !self.stored_bytes.is_multiple_of(BLOCK as u64) {
            return Err(io::Error::other("a sealed segment is no whole number of blocks"));
        }
        let mut last = [0; BLOCK];
        self.read_sealed(&mut last, self.stored_bytes - BLOCK as u64)?;
        let padding = usize::from(last[BLOCK - 1]);
        if !(1..=BLOCK).contains(&padding) || last[BLOCK - padding..].iter().any(|byte| usize::from(*byte) != padding) {
            return Err(io::Error::other("a sealed segment does not open with its key"));
        }
        Ok(padding as u64)
    }

    /// Whole blocks from `at`, opened.
    fn read_sealed(&self, blocks: &mut [u8], at: u64) -> io::Result<()> {
        let Some((seal, sequence)) = &self.seal else {
            return Ok(());
        };
        let mut before = [0; BLOCK];
        if at > 0 {
            self.file.read_exact_at(&mut before, self.offset + at - BLOCK as u64)?;
        }
        self.file.read_exact_at(blocks, self.offset + at)?;
        seal.open_blocks(*sequence, (at > 0).then_some(&before), blocks);
        Ok(())
    }

    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let left = usize::try_from(self.size_bytes - at).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        if self.seal.is_none() {
            return FileExt::read_at(&*self.file, &mut buffer[..wanted], self.offset + at);
        }
        let skip = (at % BLOCK as u64) as usize;
        let mut blocks = vec![0; (skip + wanted).next_multiple_of(BLOCK)];
        self.read_sealed(&mut blocks, at - skip as u64)?;
        buffer[..wanted].copy_from_slice(&blocks[skip..skip + wanted]);
        Ok(wanted)
    }
}

impl ReadAt for Joined {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let found = self.pieces.partition_point(|piece| piece.start <= offset);
        // Empty parts are passed over: the last one that begins at or before the offset holds it.
        match self.pieces.get(found.wrapping_sub(1)) {
            Some(piece) if offset < piece.start + piece.size_bytes => piece.read_at(buffer, offset - piece.start),
            _ => Ok(0),
        }
    }
    fn size_bytes(&self) -> io::Result<u64> {
        Ok(self.size_bytes)
    }
}
