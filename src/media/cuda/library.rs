//! The driver's shared libraries, opened at run time and kept open for the life of the process.
//!
//! Guarantees: a missing library or symbol is an error with its name, never a panic or a link-time need. Deliberately
//! absent: libcuda's functions, which cudarc looks up, once [`cuda_is_there`] has said that it may, and `driver` those
//! that are needed before.

use crate::media::cuda::error::CudaError;
use libloading::Library;
use std::error::Error;
use std::sync::OnceLock;

/// The driver itself.
pub const CUDA: &str = "libcuda.so.1";
/// Its decoders.
pub const CUVID: &str = "libnvcuvid.so.1";
/// Its encoders.
pub const ENCODE: &str = "libnvidia-encode.so.1";

/// The driver itself.
pub fn cuda() -> Result<&'static Library, CudaError> {
    static LIBRARY: OnceLock<Result<Library, CudaError>> = OnceLock::new();
    LIBRARY.get_or_init(|| open(CUDA)).as_ref().map_err(Clone::clone)
}

/// Whether libcuda can be opened, and by the names that cudarc tries. To be asked before anything of cudarc's is
/// called: that panics without it.
pub fn cuda_is_there() -> Result<(), CudaError> {
    static ANSWER: OnceLock<Result<(), CudaError>> = OnceLock::new();
    ANSWER
        .get_or_init(|| {
            cuda()?;
            // SAFETY: opens the same library by cudarc's list of names, and closes what it opened.
            if !unsafe { cudarc::driver::sys::is_culib_present() } {
                return Err(CudaError::absent(
                    "dlopen",
                    format!("{CUDA} is there under no name that is looked for"),
                ));
            }
            Ok(())
        })
        .clone()
}

/// The decoder's library.
pub fn cuvid() -> Result<&'static Library, CudaError> {
    static LIBRARY: OnceLock<Result<Library, CudaError>> = OnceLock::new();
    LIBRARY.get_or_init(|| open(CUVID)).as_ref().map_err(Clone::clone)
}

/// The encoder's library.
pub fn encode() -> Result<&'static Library, CudaError> {
    static LIBRARY: OnceLock<Result<Library, CudaError>> = OnceLock::new();
    LIBRARY.get_or_init(|| open(ENCODE)).as_ref().map_err(Clone::clone)
}

/// Whether it says that a library is not installed, and not that something is wrong with it: of a library that it needs and
/// does not find the dynamic linker uses the same words.
pub fn is_not_installed(library: &str, error: &CudaError) -> bool {
    error.text.starts_with(library) && error.text.contains("No such file")
}

fn open(name: &'static str) -> Result<Library, CudaError> {
    // SAFETY: the driver's libraries run no code of consequence when they are loaded; they are never closed.
    unsafe { Library::new(name) }.map_err(|error| {
        // The linker's own words, which name the file, stand behind the error.
        let words = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        CudaError::absent("dlopen", words)
    })
}
