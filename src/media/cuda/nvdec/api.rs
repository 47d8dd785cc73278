//! The functions of the decoder's library, looked up by name.
//!
//! Guarantees: all of them are there, or the first that is not is named in the error. Deliberately absent: linking.

use crate::media::cuda::error::CudaError;
use crate::media::cuda::error::Trouble;
use crate::media::cuda::gpu::Gpu;
use crate::media::cuda::library;
use nvidia_video_codec_sdk::sys::cuviddec as dec;
use nvidia_video_codec_sdk::sys::nvcuvid as cuvid;
use std::ffi::c_int;
use std::ffi::c_uint;
use std::ffi::c_ulonglong;
use std::sync::OnceLock;

/// CUresult, as a number: the driver may answer ones that no list of ours has.
type Answer = c_int;

/// CUDA_ERROR_UNKNOWN, which the parser says of streams it cannot make sense of as well as the driver of lost devices.
const UNKNOWN: Answer = 999;

/// The library's functions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Api {
    pub(super) caps: unsafe extern "C" fn(*mut dec::CUVIDDECODECAPS) -> Answer,
    pub(super) create_decoder:
        unsafe extern "C" fn(*mut dec::CUvideodecoder, *mut dec::CUVIDDECODECREATEINFO) -> Answer,
    pub(super) destroy_decoder: unsafe extern "C" fn(dec::CUvideodecoder) -> Answer,
    pub(super) reconfigure: unsafe extern "C" fn(dec::CUvideodecoder, *mut dec::CUVIDRECONFIGUREDECODERINFO) -> Answer,
    pub(super) decode: unsafe extern "C" fn(dec::CUvideodecoder, *mut dec::CUVIDPICPARAMS) -> Answer,
    pub(super) status: unsafe extern "C" fn(dec::CUvideodecoder, c_int, *mut dec::CUVIDGETDECODESTATUS) -> Answer,
    pub(super) map: unsafe extern "C" fn(
        dec::CUvideodecoder,
        c_int,
        *mut c_ulonglong,
        *mut c_uint,
        *mut dec::CUVIDPROCPARAMS,
    ) -> Answer,
    pub(super) unmap: unsafe extern "C" fn(dec::CUvideodecoder, c_ulonglong) -> Answer,
    pub(super) create_parser: unsafe extern "C" fn(*mut cuvid::CUvideoparser, *mut cuvid::CUVIDPARSERPARAMS) -> Answer,
    pub(super) parse: unsafe extern "C" fn(cuvid::CUvideoparser, *mut cuvid::CUVIDSOURCEDATAPACKET) -> Answer,
    pub(super) destroy_parser: unsafe extern "C" fn(cuvid::CUvideoparser) -> Answer,
}

impl Api {
    /// The functions, looked up once.
    pub(super) fn get() -> Result<&'static Self, CudaError> {
        static API: OnceLock<Result<Api, CudaError>> = OnceLock::new();
        API.get_or_init(Self::look_up).as_ref().map_err(Clone::clone)
    }

    fn look_up() -> Result<Self, CudaError> {
        macro_rules! function {
            ($name:literal) => {
                // SAFETY: the name's function has the type that the header gives it, which is the field's; the library
                // stays open for the life of the process.
                *unsafe { library::cuvid()?.get($name) }.map_err(|cause: libloading::Error| {
                    CudaError::absent("dlsym", format!("libnvcuvid.so.1 is too old: {cause}"))
                })?
            };
        }
        Ok(Api {
            caps: function!(b"cuvidGetDecoderCaps\0"),
            create_decoder: function!(b"cuvidCreateDecoder\0"),
            destroy_decoder: function!(b"cuvidDestroyDecoder\0"),
            reconfigure: function!(b"cuvidReconfigureDecoder\0"),
            decode: function!(b"cuvidDecodePicture\0"),
            status: function!(b"cuvidGetDecodeStatus\0"),
            map: function!(b"cuvidMapVideoFrame64\0"),
            unmap: function!(b"cuvidUnmapVideoFrame64\0"),
            create_parser: function!(b"cuvidCreateVideoParser\0"),
            parse: function!(b"cuvidParseVideoData\0"),
            destroy_parser: function!(b"cuvidDestroyVideoParser\0"),
        })
    }
}

/// Nothing, or what the call refused.
pub(super) fn check(gpu: &Gpu, call: &'static str, answer: Answer) -> Result<(), CudaError> {
    if answer == 0 {
        return Ok(());
    }
    let mut error = CudaError::cuda(call, answer, words(answer));
    // The device itself knows whether it is lost.
    if answer == UNKNOWN && gpu.settle().is_ok() {
        error.kind = Trouble::Refused;
    }
    Err(error)
}

/// What the numbers mean that these functions answer.
fn words(answer: Answer) -> &'static str {
    match answer {
        1 => "an argument or the stream is not what it takes",
        2 => "no memory on the device",
        3 | 4 => "the driver is not initialised, or shuts down",
        100 => "no device",
        101 => "not a device",
        200 => "the stream is broken",
        201 => "no context is current, or it is of no use any more",
        205 => "the picture cannot be mapped",
        206 => "the picture cannot be unmapped",
        209 => "the decoder has no program for this device",
        303 => "a library of the driver cannot be used",
        400 => "not a decoder of this process",
        700 => "the device touched memory that is not there",
        719 => "a kernel of the device failed",
        801 => "this device does not decode such streams",
        999 => "unknown error",
        _ => "no words",
    }
}
