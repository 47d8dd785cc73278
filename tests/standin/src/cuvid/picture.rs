//! One coded picture, from the parser that found it to the decoder that shows it.
//!
//! Guarantees: `CUVIDPICPARAMS` leads to it only while its decode callback runs or some decoder holds it.

use crate::cuvid::codec::Codec;
use crate::cuvid::libav::Frame;
use nvidia_video_codec_sdk::sys::cuviddec::CUVIDPICPARAMS;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::Weak;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

/// Stands in the reserved words of picture parameters that a parser of this library filled in.
const MARK: u32 = 0x5354_4E44;

/// What can be looked up by its number.
static ALL: Mutex<BTreeMap<u64, Weak<Picture>>> = Mutex::new(BTreeMap::new());

/// A coded picture.
#[derive(Debug)]
pub struct Picture {
    number: u64,
    codec: &'static Codec,
    state: Mutex<State>,
}

/// What became of it.
#[derive(Debug, Default)]
pub struct State {
    /// It, decoded.
    pub frame: Option<Arc<Frame>>,
    /// Its display callback began.
    pub is_shown: bool,
    /// It is to have failed.
    pub fails: bool,
    /// It did fail.
    pub is_damaged: bool,
}

impl Picture {
    /// Another picture.
    pub fn new(codec: &'static Codec) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let picture = Arc::new(Picture {
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            codec,
            state: Mutex::new(State::default()),
        });
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, one| one.strong_count() > 0);
        all.insert(picture.number, Arc::downgrade(&picture));
        picture
    }

    /// No other has it, in the life of the process.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Its codec.
    pub fn codec(&self) -> &'static Codec {
        self.codec
    }

    /// What became of it.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes parameters lead to it.
    pub fn sign(&self, parameters: &mut CUVIDPICPARAMS) {
        parameters.Reserved[0] = MARK;
        parameters.Reserved[1] = self.number as u32;
        parameters.Reserved[2] = (self.number >> 32) as u32;
    }

    /// The picture to which parameters lead.
    pub fn of(parameters: &CUVIDPICPARAMS) -> Option<Arc<Self>> {
        if parameters.Reserved[0] != MARK {
            return None;
        }
        let number = u64::from(parameters.Reserved[1]) | u64::from(parameters.Reserved[2]) << 32;
        ALL.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&number)?
            .upgrade()
    }
}
