//! VMAF of single pictures, each with the one shown before it.
//!
//! Guarantees: a score is what the library says of the second picture of a film of two; of one that has none before it, of
//! the first: motion is that from picture to picture, however far apart those compared lie. One thread, the caller's.
//! Deliberately absent: scaling, and formats other than planar luma and chroma of 8 to 16 bits.

use crate::media::av::Frame;
use crate::media::product::VmafModel;
use crate::media::vmaf::api;
use crate::media::vmaf::library::Library;
use std::ffi::CStr;
use std::ffi::c_int;
use std::ffi::c_uint;
use std::ptr;
use std::ptr::NonNull;

/// From so many rows on, pictures are judged as on a television twice as fine.
const UHD_ROWS: u32 = 2160;

impl VmafModel {
    /// The one for pictures of a height.
    fn of_height(height: u32) -> Self {
        if height >= UHD_ROWS {
            VmafModel::Uhd
        } else {
            VmafModel::Hd
        }
    }

    fn version(self) -> &'static CStr {
        match self {
            VmafModel::Hd => c"vmaf_v0.6.1",
            VmafModel::Uhd => c"vmaf_4k_v0.6.1",
        }
    }
}

/// A model, and the library that knows it.
#[derive(Debug)]
pub struct Meter {
    library: &'static Library,
    kind: VmafModel,
    model: NonNull<api::Model>,
}

// SAFETY: a model belongs to this value alone, and the library keeps nothing by thread.
unsafe impl Send for Meter {}

impl Drop for Meter {
    fn drop(&mut self) {
        // SAFETY: made by the same library, given back once.
        unsafe { (self.library.model_destroy)(self.model.as_ptr()) }
    }
}

/// A context, closed when it goes.
struct Context {
    library: &'static Library,
    raw: NonNull<api::Context>,
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: opened by the same library, closed once.
        unsafe { (self.library.close)(self.raw.as_ptr()) };
    }
}

fn said(call: &str, answer: c_int) -> Result<(), String> {
    match answer {
        0 => Ok(()),
        answer => Err(format!("{call} answered {answer}")),
    }
}

impl Meter {
    /// For pictures of a height. The error says why there is no VMAF.
    pub fn open(height: u32) -> Result<Self, String> {
        let library = Library::of_host()?;
        let kind = VmafModel::of_height(height);
        let (mut raw, mut config) = (ptr::null_mut(), api::ModelConfig::usual());
        // SAFETY: both places live through the call; the version ends in a NUL.
        let answer = unsafe { (library.model_load)(&mut raw, &mut config, kind.version().as_ptr()) };
        said("vmaf_model_load", answer)?;
        let model = NonNull::new(raw).ok_or("vmaf_model_load gave no model")?;
        Ok(Meter { library, kind, model })
    }

    /// The model used.
    pub fn model(&self) -> VmafModel {
        self.kind
    }

    /// The score of `made` as `meant`, 0 to 100. `before`: what was meant before it.
    pub fn score(&self, before: Option<&Frame>, meant: &Frame, made: &Frame) -> Result<f64, String> {
        let context = self.context()?;
        let before = before.filter(|before| shape(before) == shape(meant));
        if let Some(before) = before {
            // Only motion counts of it, which is that of what was meant.
            self.read(&context, before, before, 0)?;
        }
        let at = c_uint::from(before.is_some());
        self.read(&context, meant, made, at)?;
        let (none, mut score) = (ptr::null_mut(), 0.0);
        // SAFETY: a live context and model; no pictures mean the end, after which scores can be asked for.
        unsafe {
            said(
                "vmaf_read_pictures",
                (self.library.read_pictures)(context.raw.as_ptr(), none, none, 0),
            )?;
            said(
                "vmaf_score_at_index",
                (self.library.score_at)(context.raw.as_ptr(), self.model.as_ptr(), &mut score, at),
            )?;
        }
        if score.is_finite() {
            Ok(score)
        } else {
            Err(format!("libvmaf says {score}"))
        }
    }

    fn context(&self) -> Result<Context, String> {
        let mut raw = ptr::null_mut();
        // SAFETY: the place lives through the call.
        let answer = unsafe { (self.library.init)(&mut raw, api::Configuration::default()) };
        said("vmaf_init", answer)?;
        let context = Context {
            library: self.library,
            raw: NonNull::new(raw).ok_or("vmaf_init gave no context")?,
        };
        // SAFETY: a live context and model.
        let answer = unsafe { (self.library.use_features)(context.raw.as_ptr(), self.model.as_ptr()) };
        said("vmaf_use_features_from_model", answer)?;
        Ok(context)
    }

    fn read(&self, context: &Context, meant: &Frame, made: &Frame, number: c_uint) -> Result<(), String> {
        let mut first = self.picture(meant)?;
        let mut second = match self.picture(made) {
            Ok(second) => second,
            Err(why) => {
                // SAFETY: allocated by the library, given back once.
                unsafe { (self.library.picture_unref)(&mut first) };
                return Err(why);
            }
        };
        // SAFETY: a live context; it takes both pictures.
        let answer = unsafe { (self.library.read_pictures)(context.raw.as_ptr(), &mut first, &mut second, number) };
        said("vmaf_read_pictures", answer)
    }

    /// A copy as the library keeps pictures.
    fn picture(&self, frame: &Frame) -> Result<api::Picture, String> {
        let (form, bits) = format(frame).ok_or("its pictures are of a kind that VMAF does not compare")?;
        let mut picture = api::Picture::empty();
        // SAFETY: the place lives through the call, and has room for what the library writes.
        let answer = unsafe { (self.library.picture_alloc)(&mut picture, form, bits, frame.width(), frame.height()) };
        said("vmaf_picture_alloc", answer)?;
        let bytes_of_sample = if bits > 8 { 2 } else { 1 };
        for plane in 0..3 {
            let room = picture.width[plane] as usize * bytes_of_sample;
            let rows = picture.height[plane];
            for (y, row) in (0..rows).map_while(|y| Some((y, frame.row(plane, y)?))) {
                let bytes = row.len().min(room);
                // SAFETY: the library allocated `height` rows of `stride` bytes, each of `width` samples.
                unsafe {
                    let to = picture.data[plane]
                        .cast::<u8>()
                        .offset(y as isize * picture.stride[plane]);
                    ptr::copy_nonoverlapping(row.as_ptr(), to, bytes);
                }
            }
        }
        Ok(picture)
    }
}

fn shape(frame: &Frame) -> (u32, u32, Option<(c_int, c_uint)>) {
    (frame.width(), frame.height(), format(frame))
}

/// How the library calls it, and bits of a sample; none: it does not take such pictures.
fn format(frame: &Frame) -> Option<(c_int, c_uint)> {
    let format = frame.pixel_format().without_range().0;
    if !format.name()?.starts_with("yuv4") || format.has_alpha() {
        return None;
    }
    let form = match format.chroma_shift() {
        (1, 1) => api::YUV420P,
        (1, 0) => api::YUV422P,
        (0, 0) => api::YUV444P,
        _ => return None,
    };
    Some((form, format.bit_depth())).filter(|(_, bits)| (8..=16).contains(bits))
}
