//! The host's libvmaf, opened at run time and kept open for the life of the process.
//!
//! Guarantees: a missing library or function is an answer with its name, never a panic or a need at link time. Deliberately
//! absent: versions before 2.1, which have no built-in models.

use crate::media::vmaf::api;
use std::error::Error;
use std::ffi::CStr;
use std::sync::OnceLock;

/// Names it goes by, the newest first.
const NAMES: [&str; 2] = ["libvmaf.so.3", "libvmaf.so.1"];

/// Its functions.
#[derive(Debug)]
pub struct Library {
    name: &'static str,
    version: String,
    pub(super) init: api::Init,
    pub(super) close: api::Close,
    pub(super) model_load: api::ModelLoad,
    pub(super) model_destroy: api::ModelDestroy,
    pub(super) use_features: api::UseFeatures,
    pub(super) picture_alloc: api::PictureAlloc,
    pub(super) picture_unref: api::PictureUnref,
    pub(super) read_pictures: api::ReadPictures,
    pub(super) score_at: api::ScoreAt,
}

impl Library {
    /// That of this host; the error says in words why there is none. A worker asks before it closes its cage, in which
    /// no library can be opened.
    pub fn of_host() -> Result<&'static Library, &'static str> {
        static LIBRARY: OnceLock<Result<Library, String>> = OnceLock::new();
        LIBRARY.get_or_init(open).as_ref().map_err(String::as_str)
    }

    /// File name and version.
    pub fn words(&self) -> String {
        format!("{} ({})", self.version, self.name)
    }
}

fn open() -> Result<Library, String> {
    let mut whys = Vec::new();
    for name in NAMES {
        // SAFETY: libvmaf runs no code of consequence when it is loaded, and is never closed.
        match unsafe { libloading::Library::new(name) } {
            Ok(file) => return functions(name, Box::leak(Box::new(file))),
            // The linker's own words, which name the file, stand behind the error.
            Err(error) => whys.push(error.source().map_or_else(|| error.to_string(), ToString::to_string)),
        }
    }
    Err(whys.join("; "))
}

fn functions(name: &'static str, file: &'static libloading::Library) -> Result<Library, String> {
    let missing = |function: &str| format!("{name} has no function {function}: it is older than 2.1");
    macro_rules! function {
        ($symbol:literal, $kind:ty) => {
            // SAFETY: the type is that of the library's header; the file stays open.
            *unsafe { file.get::<$kind>($symbol.to_bytes_with_nul()) }
                .map_err(|_| missing(&$symbol.to_string_lossy()))?
        };
    }
    let version = function!(c"vmaf_version", api::Version);
    // SAFETY: answers null or a constant string.
    let version = unsafe { version() };
    let version = if version.is_null() {
        "of unknown version".to_owned()
    } else {
        // SAFETY: checked for null; a constant that ends in a NUL.
        unsafe { CStr::from_ptr(version) }.to_string_lossy().into_owned()
    };
    Ok(Library {
        name,
        version,
        init: function!(c"vmaf_init", api::Init),
        close: function!(c"vmaf_close", api::Close),
        model_load: function!(c"vmaf_model_load", api::ModelLoad),
        model_destroy: function!(c"vmaf_model_destroy", api::ModelDestroy),
        use_features: function!(c"vmaf_use_features_from_model", api::UseFeatures),
        picture_alloc: function!(c"vmaf_picture_alloc", api::PictureAlloc),
        picture_unref: function!(c"vmaf_picture_unref", api::PictureUnref),
        read_pictures: function!(c"vmaf_read_pictures", api::ReadPictures),
        score_at: function!(c"vmaf_score_at_index", api::ScoreAt),
    })
}
