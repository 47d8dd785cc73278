//! What libav says while it works: kept in memory, never on stderr.
//!
//! Guarantees: bounded; lines of error level are kept for the message of a fault, counts are exact. Deliberately
//! absent: judgement; only the wholeness of a file is read out of some lines, because libav says it nowhere else.

use crate::media::av::heap;
use ffmpeg_the_third::ffi;
use std::collections::HashMap;
use std::collections::VecDeque;
use std::ffi::CStr;
use std::ffi::c_char;
use std::ffi::c_int;
use std::ffi::c_void;
use std::sync::LazyLock;
use std::sync::Mutex;
use std::sync::Once;
use std::sync::PoisonError;

/// Lines kept.
const KEPT: usize = 40;

/// What demuxers (of Matroska, transport streams, Flash and Windows Media) say where something stands that is none of
/// theirs.
const LOST_WAY: [&str; 6] = [
    "invalid as first byte of an EBML number",
    "max resync size reached",
    "changing packet size to",
    "Packet mismatch",
    "ff asf bad header",
    "invalid padsize",
];

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
}

struct Heard {
    /// With what each is about, where one codec said it.
    errors: VecDeque<(Option<About>, String)>,
    /// By the address of the demuxer that said so, as long as it is open.
    cut_short: HashMap<usize, String>,
    /// How often, by the same.
    lost_way: HashMap<usize, u64>,
}

static HEARD: LazyLock<Mutex<Heard>> = LazyLock::new(|| {
    Mutex::new(Heard {
        errors: VecDeque::new(),
        cut_short: HashMap::new(),
        lost_way: HashMap::new(),
    })
});
static START: Once = Once::new();

/// Takes libav's log over, once a process, and settles the heap before libav has any of it.
pub fn start() {
    START.call_once(|| {
        heap::settle();
        // SAFETY: the callback is a plain function that lives for ever and is safe to call from any thread.
        unsafe {
            ffi::av_log_set_level(ffi::AV_LOG_WARNING as c_int);
            ffi::av_log_set_callback(Some(hear));
        }
    });
}

/// Forgets the lines kept; done before a source is opened.
pub fn forget() {
    HEARD.lock().unwrap_or_else(PoisonError::into_inner).errors.clear();
}

/// The latest lines of error level, oldest first.
pub fn errors() -> Vec<String> {
    let heard = HEARD.lock().unwrap_or_else(PoisonError::into_inner);
    heard.errors.iter().map(|(_, line)| line.clone()).collect()
}

/// The latest line of error level that may be about this: no codec of another kind said it.
pub fn last_error(about: About) -> Option<String> {
    let heard = HEARD.lock().unwrap_or_else(PoisonError::into_inner);
    let mut latest = heard.errors.iter().rev();
    let found = latest.find(|(of, _)| of.is_none_or(|of| of == about));
    found.map(|(_, line)| line.clone())
}

/// The line in which the demuxer at an address said that its file ends before its own index does, if it did.
pub(super) fn cut_short(context: usize) -> Option<String> {
    let heard = HEARD.lock().unwrap_or_else(PoisonError::into_inner);
    heard.cut_short.get(&context).cloned()
}

/// How often the demuxer at an address said that it lost its way.
pub(super) fn lost_way(context: usize) -> u64 {
    let heard = HEARD.lock().unwrap_or_else(PoisonError::into_inner);
    heard.lost_way.get(&context).copied().unwrap_or(0)
}

/// A demuxer is closed; its address may come again.
pub(super) fn closed(context: usize) {
    let mut heard = HEARD.lock().unwrap_or_else(PoisonError::into_inner);
    heard.cut_short.remove(&context);
    heard.lost_way.remove(&context);
}

unsafe extern "C" fn hear(
    context: *mut c_void,
    level: c_int,
    format: *const c_char,
    arguments: *mut ffi::__va_list_tag,
) {
    if level > ffi::AV_LOG_WARNING as c_int {
        return;
    }
    let mut line = [0; 512];
    let mut prefix: c_int = 1;
    // SAFETY: libav calls this with a live context, format and arguments; the buffer has the length given.
    let text = unsafe {
        ffi::av_log_format_line2(
            context,
            level,
            format,
            arguments,
            line.as_mut_ptr(),
            line.len() as c_int,
            &mut prefix,
        );
        CStr::from_ptr(line.as_ptr()).to_string_lossy()
    };
    let text = without_addresses(text.trim());
    if text.is_empty() {
        return;
    }
    let is_error = level <= ffi::AV_LOG_ERROR as c_int;
    // SAFETY: null or a live context of libav's.
    let about = unsafe { about(context) };
    tracing::debug!(target: "libav", error = is_error, "{text}");
    let Ok(mut heard) = HEARD.lock() else { return };
    if text.contains("partial file") || text.contains("File ended prematurely") {
        // Contexts that are no demuxer's are never asked for; few enough say this to let them be.
        heard.cut_short.entry(context.addr()).or_insert_with(|| text.clone());
    }
    if LOST_WAY.iter().any(|words| text.contains(words)) {
        *heard.lost_way.entry(context.addr()).or_insert(0) += 1;
    }
    if is_error {
        if heard.errors.len() == KEPT {
            heard.errors.pop_front();
        }
        heard.errors.push_back((about, text));
    }
}

/// What the codec that speaks makes; none: another part of libav speaks.
///
/// # Safety
/// Null, or a live context that begins with the address of its class, as all that libav's log is given do.
unsafe fn about(context: *const c_void) -> Option<About> {
    if context.is_null() {
        return None;
    }
    // SAFETY: by the contract above; a class has a name that lives as long as the program, and what is of the class of
    // codec contexts is one.
    let kind = unsafe {
        let class = *context.cast::<*const ffi::AVClass>();
        if class.is_null() || class != ffi::avcodec_get_class() {
            return None;
        }
        (*context.cast::<ffi::AVCodecContext>()).codec_type
    };
    match kind {
        ffi::AVMediaType::VIDEO => Some(About::Video),
        ffi::AVMediaType::AUDIO => Some(About::Audio),
        _ => None,
    }
}

/// `[h264 @ 0x55d0c8] no frame` without the address, which differs in every run and means nothing to a reader.
fn without_addresses(text: &str) -> String {
    let mut rest = text;
    let mut clean = String::with_capacity(text.len());
    while let Some(at) = rest.find(" @ 0x") {
        clean.push_str(&rest[..at]);
        rest = rest[at + 5..].trim_start_matches(|c: char| c.is_ascii_hexdigit());
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::About;
    use super::last_error;
    use super::start;
    use super::without_addresses;
    use crate::media::av::encode::context_of;
    use ffmpeg_the_third::ffi;

    #[test]
    fn what_a_decoder_of_sound_says_is_not_said_of_pictures() {
        start();
        let say = |codec: &str, words: &std::ffi::CStr| {
            let (_, context) = context_of(codec).expect("a codec");
            // SAFETY: a live context; the words are no format. It is freed once.
            unsafe {
                ffi::av_log(context.as_ptr().cast(), ffi::AV_LOG_ERROR as i32, words.as_ptr());
                ffi::avcodec_free_context(&mut context.as_ptr());
            }
        };
        say("mpeg4", c"bad picture\n");
        say("aac", c"bad sound\n");
        let video = last_error(About::Video).expect("a line");
        let audio = last_error(About::Audio).expect("a line");
        assert!(
            video.contains("bad picture") && audio.contains("bad sound"),
            "{video} {audio}"
        );
        // SAFETY: no context is allowed, too.
        unsafe { ffi::av_log(std::ptr::null_mut(), ffi::AV_LOG_ERROR as i32, c"bad file\n".as_ptr()) };
        for about in [About::Video, About::Audio] {
            assert!(last_error(about).expect("a line").contains("bad file"));
        }
    }

    #[test]
    fn addresses_are_taken_out() {
        assert_eq!(
            without_addresses("[mov @ 0x55d0c8fe] stream 0: partial file"),
            "[mov] stream 0: partial file"
        );
    }
}
