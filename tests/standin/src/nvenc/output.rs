//! Bitstream buffers: which are free, which wait for a picture, which hold one.
//!
//! Guarantees: buffers are filled in the order in which they were submitted, and can be locked in that order alone.

use crate::nvenc::answer::Answer;
use crate::nvenc::answer::breach;
use crate::nvenc::order::Kind;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NVENCSTATUS::*;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::VecDeque;

/// A coded picture, with what its submission said of it.
pub struct Written {
    pub bytes: Vec<u8>,
    pub kind: Kind,
    pub qp: u32,
    pub serial: u64,
    pub timestamp: u64,
    pub duration: u64,
    pub coding_index: u32,
}

/// What a buffer is at.
pub enum Stage {
    Free,
    Submitted,
    Written(Box<Written>),
    Locked(Box<Written>),
}

/// What a lock finds.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    Locked,
    /// Submitted, and the encoder has said that it will be filled.
    NotYet,
}

/// All buffers of a session.
#[derive(Default)]
pub struct Outputs {
    buffers: BTreeMap<usize, Stage>,
    /// Submitted and not written, oldest first.
    unwritten: VecDeque<usize>,
    /// Submitted and not locked, oldest first; with whether a call since has answered success.
    unlocked: VecDeque<(usize, bool)>,
    coded: u32,
    locked: u64,
    sources_locked: BTreeSet<u64>,
}

impl Outputs {
    /// A new one.
    pub fn create(&mut self, handle: usize) {
        self.buffers.insert(handle, Stage::Free);
    }

    /// Ends one that is free.
    pub fn destroy(&mut self, handle: usize) -> Answer {
        match self.buffers.get(&handle) {
            None => Err(breach(NV_ENC_ERR_INVALID_PARAM, "no such bitstream buffer")),
            Some(Stage::Free) => {
                self.buffers.remove(&handle);
                Ok(())
            }
            Some(Stage::Locked(_)) => Err(breach(NV_ENC_ERR_INVALID_CALL, "the bitstream buffer is locked")),
            Some(_) => Err(breach(
                NV_ENC_ERR_INVALID_CALL,
                "the bitstream buffer waits to be locked",
            )),
        }
    }

    /// Whether a picture can be submitted with that buffer.
    pub fn check_free(&self, handle: usize) -> Answer {
        match self.buffers.get(&handle) {
            None => Err(breach(
                NV_ENC_ERR_INVALID_PARAM,
                "outputBitstream is no bitstream buffer",
            )),
            Some(Stage::Free) => Ok(()),
            Some(Stage::Locked(_)) => Err(breach(NV_ENC_ERR_INVALID_PARAM, "outputBitstream is locked")),
            Some(_) => Err(breach(
                NV_ENC_ERR_INVALID_PARAM,
                "outputBitstream was submitted before and not locked since",
            )),
        }
    }

    /// A picture was submitted with that buffer.
    pub fn submit(&mut self, handle: usize) {
        self.buffers.insert(handle, Stage::Submitted);
        self.unwritten.push_back(handle);
        self.unlocked.push_back((handle, false));
    }

    /// A picture was coded: it goes into the buffer whose turn it is.
    pub fn write(&mut self, mut written: Written) {
        written.coding_index = self.coded;
        self.coded += 1;
        if let Some(handle) = self.unwritten.pop_front() {
            self.buffers.insert(handle, Stage::Written(Box::new(written)));
        }
    }

    /// A call answered success: all that was submitted so far may be locked.
    pub fn promise(&mut self) {
        for (_, is_promised) in &mut self.unlocked {
            *is_promised = true;
        }
    }

    /// Locks a buffer, if it is its turn and it is written.
    pub fn lock(&mut self, handle: usize) -> Answer<Found> {
        match self.buffers.get(&handle) {
            None => {
                return Err(breach(
                    NV_ENC_ERR_INVALID_PARAM,
                    "outputBitstream is no bitstream buffer",
                ));
            }
            Some(Stage::Free) => {
                return Err(breach(
                    NV_ENC_ERR_INVALID_CALL,
                    "no picture was submitted with that buffer",
                ));
            }
            Some(Stage::Locked(_)) => return Err(breach(NV_ENC_ERR_INVALID_CALL, "the buffer is locked already")),
            Some(Stage::Submitted | Stage::Written(_)) => {}
        }
        match self.unlocked.front() {
            Some((first, _)) if *first != handle => {
                return Err(breach(
                    NV_ENC_ERR_INVALID_CALL,
                    "buffers are to be locked in the order of submission",
                ));
            }
            Some((_, true)) => {}
            _ => {
                let text = "nvEncEncodePicture answered that it needs more input, and nothing else since";
                return Err(breach(NV_ENC_ERR_INVALID_CALL, text));
            }
        }
        match self.buffers.remove(&handle) {
            Some(Stage::Written(written)) => {
                self.unlocked.pop_front();
                self.locked += 1;
                self.sources_locked.insert(written.serial);
                self.buffers.insert(handle, Stage::Locked(written));
                Ok(Found::Locked)
            }
            Some(stage) => {
                self.buffers.insert(handle, stage);
                Ok(Found::NotYet)
            }
            None => Ok(Found::NotYet),
        }
    }

    /// What a locked buffer holds.
    pub fn locked(&self, handle: usize) -> Option<&Written> {
        match self.buffers.get(&handle) {
            Some(Stage::Locked(written)) => Some(written),
            _ => None,
        }
    }

    /// The client has read it: it is free.
    pub fn unlock(&mut self, handle: usize) -> Answer {
        if !matches!(self.buffers.get(&handle), Some(Stage::Locked(_))) {
            return Err(breach(NV_ENC_ERR_INVALID_PARAM, "the buffer is not locked"));
        }
        self.buffers.insert(handle, Stage::Free);
        Ok(())
    }

    /// Whether the buffer that the picture of that number was submitted with, or the picture itself, was locked.
    pub fn was_locked(&self, serial: u64) -> bool {
        serial < self.locked || self.sources_locked.contains(&serial)
    }

    /// Buffers that exist, and how many of them are not free.
    pub fn census(&self) -> (usize, usize) {
        let busy = self
            .buffers
            .values()
            .filter(|stage| !matches!(stage, Stage::Free))
            .count();
        (self.buffers.len(), busy)
    }
}
