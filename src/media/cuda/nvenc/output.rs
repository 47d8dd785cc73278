//! The thread that waits for what a session makes.
//!
//! Guarantees: outputs are locked in the order in which they were given, each copied, unlocked and its picture taken
//! back before the next; it ends when nobody gives it any more. Deliberately absent: times, which whoever sent the
//! pictures knows.

use crate::media::cuda::error::CudaError;
use crate::media::cuda::nvenc::api;
use crate::media::cuda::nvenc::encoder::Encoder;
use crate::media::cuda::nvenc::input::Inputs;
use nvidia_video_codec_sdk::sys::nvEncodeAPI as sys;
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::Sender;

/// The driver's number of a picture at which decoding can begin.
const IDR: u32 = sys::NV_ENC_PIC_TYPE::NV_ENC_PIC_TYPE_IDR as u32;

/// A place for output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place(*mut c_void);

// SAFETY: a name of the driver's for a buffer of the session, used by one thread at a time: the one it was sent to.
unsafe impl Send for Place {}

impl Place {
    /// Makes one.
    pub fn new(encoder: &Encoder) -> Result<Self, CudaError> {
        let mut order = sys::NV_ENC_CREATE_BITSTREAM_BUFFER {
            version: sys::NV_ENC_CREATE_BITSTREAM_BUFFER_VER,
            ..Default::default()
        };
        // SAFETY: a live, initialised session.
        let code = unsafe { (encoder.functions().create_output)(encoder.handle(), &mut order) };
        encoder.check("nvEncCreateBitstreamBuffer", code)?;
        Ok(Place(order.bitstreamBuffer))
    }

    /// Frees it.
    pub fn destroy(self, encoder: &Encoder) -> Result<(), CudaError> {
        // SAFETY: a live session and one of its buffers, in nobody's use any more.
        let code = unsafe { (encoder.functions().destroy_output)(encoder.handle(), self.0) };
        encoder.check("nvEncDestroyBitstreamBuffer", code)
    }

    /// The driver's name.
    pub fn raw(self) -> *mut c_void {
        self.0
    }
}

/// What was in a place.
#[derive(Debug)]
pub struct Output {
    /// The number of its picture.
    pub number: u64,
    /// Decoding can begin here.
    pub is_key: bool,
    /// The data.
    pub bytes: Vec<u8>,
}

/// A place that is free again, and what was in it.
pub type Emptied = (Place, Result<Output, CudaError>);

/// Empties places as they come, until no more do or nobody wants them.
pub fn run(encoder: &Encoder, inputs: &Arc<Mutex<Inputs>>, filled: &Receiver<Place>, emptied: &Sender<Emptied>) {
    for place in filled {
        let output = empty(encoder, inputs, place);
        if emptied.send((place, output)).is_err() {
            // The session is being dropped; what is left is still taken back.
            continue;
        }
    }
}

fn empty(encoder: &Encoder, inputs: &Arc<Mutex<Inputs>>, place: Place) -> Result<Output, CudaError> {
    encoder.gpu().enter()?;
    let functions = encoder.functions();
    let mut raw = api::blank::<sys::NV_ENC_LOCK_BITSTREAM>();
    let lock = raw.as_mut_ptr();
    // SAFETY: a live session and one of its places, whose picture was submitted; the struct is ours, and of its enums
    // only the numbers are read.
    let (number, is_key, bytes) = unsafe {
        (*lock).version = sys::NV_ENC_LOCK_BITSTREAM_VER;
        (*lock).outputBitstream = place.0;
        encoder.check("nvEncLockBitstream", (functions.lock)(encoder.handle(), lock))?;
        let (start, length) = ((*lock).bitstreamBufferPtr, (*lock).bitstreamSizeInBytes as usize);
        let bytes = if start.is_null() || length == 0 {
            Vec::new()
        } else {
            std::slice::from_raw_parts(start.cast::<u8>(), length).to_vec()
        };
        let kind = (&raw const (*lock).pictureType).cast::<u32>().read();
        ((*lock).outputTimeStamp, kind == IDR, bytes)
    };
    // SAFETY: locked just now.
    let code = unsafe { (functions.unlock)(encoder.handle(), place.0) };
    encoder.check("nvEncUnlockBitstream", code)?;
    let was_sent = inputs
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take_back(number)?;
    if !was_sent {
        return Err(CudaError::refused(
            "nvEncLockBitstream",
            format!("a picture came out that was not sent: number {number}"),
        ));
    }
    if bytes.is_empty() {
        return Err(CudaError::refused(
            "nvEncLockBitstream",
            format!("nothing came out for picture {number}"),
        ));
    }
    Ok(Output { number, is_key, bytes })
}
