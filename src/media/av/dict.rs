//! Options and tags as libav's string dictionary.

use crate::media::av::error::AvError;
use crate::media::av::error::check;
use crate::media::old_text;
use ffmpeg_the_third::ffi;
use std::collections::BTreeMap;
use std::ffi::CStr;
use std::ffi::CString;
use std::ptr;

/// A dictionary of ours.
#[derive(Debug)]
pub struct Dict {
    raw: *mut ffi::AVDictionary,
}

// SAFETY: the dictionary is plain memory that only this value points to.
unsafe impl Send for Dict {}

impl Default for Dict {
    fn default() -> Self {
        Dict { raw: ptr::null_mut() }
    }
}

impl Dict {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a key; a value set before is replaced.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), AvError> {
        let key = CString::new(key).map_err(|_| AvError::argument("av_dict_set"))?;
        let value = CString::new(value).map_err(|_| AvError::argument("av_dict_set"))?;
        // SAFETY: both strings live through the call, which copies them.
        check("av_dict_set", unsafe {
            ffi::av_dict_set(&mut self.raw, key.as_ptr(), value.as_ptr(), 0)
        })?;
        Ok(())
    }

    /// What is in it; after an open call, the options nobody knew.
    pub fn entries(&self) -> BTreeMap<String, String> {
        read(self.raw)
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut *mut ffi::AVDictionary {
        &mut self.raw
    }

    /// Hands the memory to libav.
    pub(super) fn into_raw(mut self) -> *mut ffi::AVDictionary {
        std::mem::replace(&mut self.raw, ptr::null_mut())
    }
}

/// Lends several to a call that takes them as an array and may replace each.
pub(super) fn lend<T>(dicts: Vec<Dict>, call: impl FnOnce(*mut *mut ffi::AVDictionary) -> T) -> T {
    let mut raw: Vec<_> = dicts.into_iter().map(Dict::into_raw).collect();
    let answer = call(raw.as_mut_ptr());
    for raw in raw {
        drop(Dict { raw });
    }
    answer
}

impl Drop for Dict {
    fn drop(&mut self) {
        // SAFETY: freed once, by its only owner; null is allowed.
        unsafe { ffi::av_dict_free(&mut self.raw) }
    }
}

/// Copies a dictionary of libav's; null is an empty one. Values that are not UTF-8 are of an older writer.
pub(super) fn read(raw: *const ffi::AVDictionary) -> BTreeMap<String, String> {
    let mut entries = BTreeMap::new();
    let mut entry: *const ffi::AVDictionaryEntry = ptr::null();
    loop {
        // SAFETY: raw is null or a live dictionary that nobody changes meanwhile; an empty key with
        // IGNORE_SUFFIX walks all entries.
        entry = unsafe { ffi::av_dict_get(raw, c"".as_ptr(), entry, ffi::AV_DICT_IGNORE_SUFFIX as _) };
        if entry.is_null() {
            return entries;
        }
        // SAFETY: entries hold two NUL-terminated strings.
        let (key, value) = unsafe { (CStr::from_ptr((*entry).key), CStr::from_ptr((*entry).value)) };
        entries.insert(key.to_string_lossy().into_owned(), old_text::of(value.to_bytes()));
    }
}
