//! The driver's parser: bytes of a stream in, calls of an [`Engine`] out.
//!
//! Guarantees: a callback never unwinds into the driver; the engine is touched by nobody else while the parser works.

use crate::media::cuda::error::CudaError;
use crate::media::cuda::gpu::Gpu;
use crate::media::cuda::nvdec::api;
use crate::media::cuda::nvdec::api::Api;
use crate::media::cuda::nvdec::codec::Codec;
use crate::media::cuda::nvdec::engine::Engine;
use crate::media::cuda::nvdec::sequence::DISPLAY_DELAY;
use crate::media::cuda::nvdec::sequence::Sequence;
use nvidia_video_codec_sdk::sys::cuviddec::CUVIDPICPARAMS;
use nvidia_video_codec_sdk::sys::nvcuvid as cuvid;
use std::ffi::c_int;
use std::ffi::c_void;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::ptr::NonNull;
use std::sync::Arc;

const END_OF_STREAM: u64 = cuvid::CUvideopacketflags::CUVID_PKT_ENDOFSTREAM as u64;
const TIMESTAMP: u64 = cuvid::CUvideopacketflags::CUVID_PKT_TIMESTAMP as u64;
/// Bytes of headers that a parser takes when it is made.
const MAX_HEADERS: usize = 1024;

/// A parser, with the engine behind its callbacks.
pub(super) struct Parser {
    api: &'static Api,
    gpu: Arc<Gpu>,
    raw: cuvid::CUvideoparser,
    /// Owned; the driver knows this address.
    engine: NonNull<Engine>,
    /// Read by the parser when it likes.
    _headers: Box<cuvid::CUVIDEOFORMATEX>,
}

// SAFETY: parser and engine belong to this value alone, and the driver's parser is not bound to a thread: whichever calls
// it has made the context current.
unsafe impl Send for Parser {}

impl std::fmt::Debug for Parser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a parser of {:?}", self.gpu)
    }
}

impl Parser {
    /// A parser of a codec, whose stream's clock ticks so often; it takes the engine with it. `headers`: what the container
    /// says of the stream.
    pub(super) fn open(
        gpu: &Arc<Gpu>,
        codec: Codec,
        headers: &[u8],
        clock_hz: u32,
        engine: Box<Engine>,
    ) -> Result<Self, CudaError> {
        let api = Api::get()?;
        gpu.enter()?;
        // SAFETY: zeros are values of all of its fields.
        let mut known: Box<cuvid::CUVIDEOFORMATEX> = Box::new(unsafe { std::mem::zeroed() });
        if headers.len() <= MAX_HEADERS {
            known.format.seqhdr_data_length = headers.len() as u32;
            // SAFETY: bytes of a union that is bytes all through.
            unsafe { known.__bindgen_anon_1.raw_seqhdr_data[..headers.len()].copy_from_slice(headers) };
        }
        let engine = NonNull::from(Box::leak(engine));
        // SAFETY: zeros are values of all of its fields.
        let mut how: cuvid::CUVIDPARSERPARAMS = unsafe { std::mem::zeroed() };
        how.CodecType = codec.number();
        // What the sequence callback answers takes its place.
        how.ulMaxNumDecodeSurfaces = 1;
        how.ulClockRate = clock_hz;
        // A picture that is broken all through is better shown broken, and counted, than left out.
        how.ulErrorThreshold = 100;
        how.ulMaxDisplayDelay = DISPLAY_DELAY;
        how.pUserData = engine.as_ptr().cast();
        how.pfnSequenceCallback = Some(on_sequence);
        how.pfnDecodePicture = Some(on_decode);
        how.pfnDisplayPicture = Some(on_display);
        if known.format.seqhdr_data_length > 0 {
            how.pExtVideoInfo = &mut *known;
        }
        let mut raw = std::ptr::null_mut();
        // SAFETY: all of `how` is set and what it points to lives as long as the parser; the answer is ours to write to.
        let answer = unsafe { (api.create_parser)(&mut raw, &mut how) };
        api::check(gpu, "cuvidCreateVideoParser", answer).inspect_err(|_| {
            // SAFETY: leaked above, and no parser knows it.
            drop(unsafe { Box::from_raw(engine.as_ptr()) });
        })?;
        Ok(Parser {
            api,
            gpu: Arc::clone(gpu),
            raw,
            engine,
            _headers: known,
        })
    }

    /// What stands behind the callbacks.
    pub(super) fn engine(&mut self) -> &mut Engine {
        // SAFETY: owned, and the driver touches it only while `parse` is under way, which borrows this value too.
        unsafe { self.engine.as_mut() }
    }

    /// Parses some of the stream.
    ///
    /// # Errors
    /// What a callback met, else what the parser refused.
    pub(super) fn parse(&mut self, bytes: &[u8], ticks: Option<i64>) -> Result<(), CudaError> {
        self.feed(bytes, ticks, 0)
    }

    /// No more comes: what is inside is decoded and shown. Afterwards another stream may begin.
    pub(super) fn end(&mut self) -> Result<(), CudaError> {
        self.feed(&[], None, END_OF_STREAM)
    }

    fn feed(&mut self, bytes: &[u8], ticks: Option<i64>, flags: u64) -> Result<(), CudaError> {
        self.gpu.enter()?;
        let mut packet = cuvid::CUVIDSOURCEDATAPACKET {
            flags: flags | if ticks.is_some() { TIMESTAMP } else { 0 },
            payload_size: bytes.len() as u64,
            payload: if bytes.is_empty() {
                std::ptr::null()
            } else {
                bytes.as_ptr()
            },
            timestamp: ticks.unwrap_or(0),
        };
        // SAFETY: a live parser, a context that is current, and bytes that live through the call.
        let answer = unsafe { (self.api.parse)(self.raw, &mut packet) };
        match self.engine().take_trouble() {
            Some(trouble) => Err(trouble),
            None => api::check(&self.gpu, "cuvidParseVideoData", answer),
        }
    }

    /// Ends the parser, not what stands behind it.
    pub(super) fn into_engine(self) -> Box<Engine> {
        let parser = std::mem::ManuallyDrop::new(self);
        let _ = parser.gpu.enter();
        // SAFETY: ours, destroyed once, before the engine goes; the fields are taken out of a value that is not dropped.
        unsafe {
            let _ = (parser.api.destroy_parser)(parser.raw);
            drop(std::ptr::read(&parser._headers));
            let engine = Box::from_raw(parser.engine.as_ptr());
            drop(std::ptr::read(&parser.gpu));
            engine
        }
    }
}

impl Drop for Parser {
    fn drop(&mut self) {
        let _ = self.gpu.enter();
        // SAFETY: both ours and freed once; the parser first, which knows the engine.
        unsafe {
            let _ = (self.api.destroy_parser)(self.raw);
            drop(Box::from_raw(self.engine.as_ptr()));
        }
    }
}

unsafe extern "C" fn on_sequence(engine: *mut c_void, format: *mut cuvid::CUVIDEOFORMAT) -> c_int {
    guarded(engine, |engine| {
        // SAFETY: what this callback was given.
        let sequence = unsafe { Sequence::read(format) };
        engine.begin(sequence).map(|surfaces| surfaces.max(2) as c_int)
    })
}

unsafe extern "C" fn on_decode(engine: *mut c_void, picture: *mut CUVIDPICPARAMS) -> c_int {
    guarded(engine, |engine| {
        // SAFETY: what this callback was given.
        unsafe { engine.decode(picture) }.map(|()| 1)
    })
}

unsafe extern "C" fn on_display(engine: *mut c_void, info: *mut cuvid::CUVIDPARSERDISPINFO) -> c_int {
    guarded(engine, |engine| {
        // SAFETY: null or what this callback was given.
        match unsafe { info.as_ref() } {
            Some(info) => engine.show(info).map(|()| 1),
            // The end of the stream, where that is told.
            None => Ok(1),
        }
    })
}

/// Runs the engine's part of a callback: 0, and the reason kept, when it fails.
fn guarded(engine: *mut c_void, part: impl FnOnce(&mut Engine) -> Result<c_int, CudaError>) -> c_int {
    // SAFETY: the address given when the parser was made; the parser calls back on the thread that called it, one callback
    // after the other, while that call holds the only reference.
    let Some(engine) = (unsafe { engine.cast::<Engine>().as_mut() }) else {
        return 0;
    };
    let answer = catch_unwind(AssertUnwindSafe(|| part(engine)));
    let failure = match answer {
        Ok(Ok(answer)) => return answer,
        Ok(Err(error)) => error,
        Err(_) => CudaError::refused("cuvidParseVideoData", "a callback of ours panicked"),
    };
    engine.fail(failure);
    0
}
