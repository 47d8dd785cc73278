//! What of libvmaf's interface is used, as its headers of versions 2.1 to 3 declare it.
//!
//! Guarantees: structures that the library fills or copies have room behind the fields known here, so that a later one of
//! the same name fits as well. Deliberately absent: calls.

use std::ffi::c_char;
use std::ffi::c_int;
use std::ffi::c_uint;
use std::ffi::c_void;
use std::marker::PhantomData;

/// What the library calls VmafContext.
#[repr(C)]
pub struct Context(PhantomData<*mut c_void>);

/// VmafModel.
#[repr(C)]
pub struct Model(PhantomData<*mut c_void>);

/// VmafConfiguration.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct Configuration {
    /// 0: says nothing.
    pub log_level: c_int,
    /// 0: works in the thread that calls.
    pub n_threads: c_uint,
    /// 0 and 1: every picture.
    pub n_subsample: c_uint,
    /// Abilities of the processor that are not to be used.
    pub cpumask: u64,
    later: [u64; 8],
}

/// VmafPicture.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Picture {
    /// How chroma is halved.
    pub pix_fmt: c_int,
    /// Bits of a sample.
    pub bpc: c_uint,
    /// Samples across, each plane.
    pub width: [c_uint; 3],
    /// Rows.
    pub height: [c_uint; 3],
    /// Bytes from a row to the next.
    pub stride: [isize; 3],
    /// First samples; those of more than 8 bits are 16-bit words.
    pub data: [*mut c_void; 3],
    later: [usize; 16],
}

impl Picture {
    /// To be filled by the library.
    pub fn empty() -> Self {
        Picture {
            pix_fmt: 0,
            bpc: 0,
            width: [0; 3],
            height: [0; 3],
            stride: [0; 3],
            data: [std::ptr::null_mut(); 3],
            later: [0; 16],
        }
    }
}

/// VMAF_PIX_FMT_YUV420P.
pub const YUV420P: c_int = 1;
/// VMAF_PIX_FMT_YUV422P.
pub const YUV422P: c_int = 2;
/// VMAF_PIX_FMT_YUV444P.
pub const YUV444P: c_int = 3;

/// VmafModelConfig.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ModelConfig {
    /// What its scores are called; null: `vmaf`.
    pub name: *const c_char,
    /// 0: as the model is meant.
    pub flags: u64,
    later: [u64; 4],
}

impl ModelConfig {
    /// As the model is meant.
    pub fn usual() -> Self {
        ModelConfig {
            name: std::ptr::null(),
            flags: 0,
            later: [0; 4],
        }
    }
}

/// vmaf_version.
pub type Version = unsafe extern "C" fn() -> *const c_char;
/// vmaf_init.
pub type Init = unsafe extern "C" fn(*mut *mut Context, Configuration) -> c_int;
/// vmaf_close.
pub type Close = unsafe extern "C" fn(*mut Context) -> c_int;
/// vmaf_model_load.
pub type ModelLoad = unsafe extern "C" fn(*mut *mut Model, *mut ModelConfig, *const c_char) -> c_int;
/// vmaf_model_destroy.
pub type ModelDestroy = unsafe extern "C" fn(*mut Model);
/// vmaf_use_features_from_model.
pub type UseFeatures = unsafe extern "C" fn(*mut Context, *mut Model) -> c_int;
/// vmaf_picture_alloc: picture, format, bits, across, down.
pub type PictureAlloc = unsafe extern "C" fn(*mut Picture, c_int, c_uint, c_uint, c_uint) -> c_int;
/// vmaf_picture_unref.
pub type PictureUnref = unsafe extern "C" fn(*mut Picture) -> c_int;
/// vmaf_read_pictures: the one meant, the one made, their number. Both null: no more come.
pub type ReadPictures = unsafe extern "C" fn(*mut Context, *mut Picture, *mut Picture, c_uint) -> c_int;
/// vmaf_score_at_index.
pub type ScoreAt = unsafe extern "C" fn(*mut Context, *mut Model, *mut f64, c_uint) -> c_int;
