//! Which containers and codecs may be opened at all, and which filters be used: what studios deliver, and nothing that
//! opens other files, runs scripts or has no keeper any more.

use ffmpeg_the_third::ffi;
use std::ffi::CStr;
use std::ffi::CString;
use std::ptr;
use std::sync::LazyLock;

/// The lists, of which the release's own libav is built too.
const COMPONENTS: &str = include_str!("../../../packaging/ffmpeg/components.txt");

/// Names at run time of everything of one kind; some end in `*`.
fn listed(kind: &str) -> impl Iterator<Item = &'static str> {
    COMPONENTS
        .lines()
        .map(str::split_ascii_whitespace)
        .filter_map(move |mut words| {
            (words.next() == Some(kind)).then_some(())?;
            let name = words.next()?;
            Some(words.next().unwrap_or(name.trim_start_matches('~')))
        })
        .flat_map(|names| names.split(','))
}

static DEMUXER_LIST: LazyLock<CString> = LazyLock::new(|| {
    let names: Vec<&str> = listed("demuxer").collect();
    CString::new(names.join(",")).expect("the list holds no NUL")
});

static DECODER_LIST: LazyLock<CString> = LazyLock::new(|| {
    let mut names = Vec::new();
    let mut walk = ptr::null_mut();
    // SAFETY: libav's own way to walk its constant list of codecs.
    while let Some(codec) = unsafe { ffi::av_codec_iterate(&mut walk).as_ref() } {
        // SAFETY: a codec of that list; its name is constant.
        let (decodes, name) = unsafe {
            (
                ffi::av_codec_is_decoder(codec) != 0,
                CStr::from_ptr(codec.name).to_string_lossy().into_owned(),
            )
        };
        if decodes && is_allowed_name(&name) {
            names.push(name);
        }
    }
    CString::new(names.join(",")).expect("names of codecs hold no NUL")
});

static DECODERS: LazyLock<Vec<&str>> = LazyLock::new(|| listed("decoder").collect());

fn is_allowed_name(name: &str) -> bool {
    DECODERS.iter().any(|allowed| match allowed.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == *allowed,
    })
}

/// Demuxers, comma-separated.
pub(super) fn demuxers() -> &'static CStr {
    &DEMUXER_LIST
}

/// Decoders built in and allowed, comma-separated.
pub(super) fn decoders() -> &'static CStr {
    &DECODER_LIST
}

/// The decoder for a codec when there is one and it is allowed.
pub(super) fn decoder(codec: ffi::AVCodecID) -> Option<&'static ffi::AVCodec> {
    // SAFETY: null or a constant of libav's.
    let found = unsafe { ffi::avcodec_find_decoder(codec).as_ref() }?;
    // SAFETY: its name is constant.
    let name = unsafe { CStr::from_ptr(found.name) }.to_string_lossy();
    is_allowed_name(&name).then_some(found)
}

/// Whether the release's own libav has a filter, so that one that it lacks is missed everywhere.
pub(super) fn has_filter(name: &str) -> bool {
    matches!(name, "buffer" | "buffersink") || listed("filter").any(|known| known == name)
}
