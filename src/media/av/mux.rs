//! Packets put together into a file.
//!
//! Guarantees: what was written is known to have reached the file system's cache when `finish` answers well
//! (the caller syncs); a full disk is told as such.

use crate::media::av::dict::Dict;
use crate::media::av::error::AvError;
use crate::media::av::error::check;
use crate::media::av::log;
use crate::media::av::mastering;
use crate::media::av::packet::Packet;
use crate::media::av::packet::ratio;
use crate::media::av::packet::rational;
use crate::media::av::parameters::Parameters;
use crate::media::av::stream::DISPOSITIONS;
use crate::media::av::stream::Stream;
use crate::media::encoding::hdr::HdrMetadata;
use crate::media::facts::Ratio;
use ffmpeg_the_third::ffi;
use std::collections::BTreeMap;
use std::ffi::CStr;
use std::ffi::CString;
use std::ffi::c_int;
use std::ffi::c_void;
use std::io;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::path::Path;
use std::ptr;
use std::ptr::NonNull;

/// Bytes collected before they are handed to a sink.
const BUFFER_BYTES: usize = 64 * 1024;
const EIO: i32 = 5;

/// A file being written.
pub struct Muxer {
    raw: NonNull<ffi::AVFormatContext>,
    sink: Option<*mut Box<dyn Write + Send>>,
    begun: bool,
}

// SAFETY: the context, its I/O context and the sink belong to this value alone; the sink is Send.
unsafe impl Send for Muxer {}

impl std::fmt::Debug for Muxer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Muxer")
            .field("begun", &self.begun)
            .finish_non_exhaustive()
    }
}

impl Muxer {
    /// Into a new file at a path; the muxer may go back and rewrite parts of it.
    pub fn to_file(format: &str, path: &Path) -> Result<Self, AvError> {
        let mut url = b"file:".to_vec();
        url.extend_from_slice(path.as_os_str().as_bytes());
        let url = CString::new(url).map_err(|_| AvError::argument("avio_open"))?;
        let muxer = Self::allocate(format, Some(&url))?;
        // SAFETY: a live context without I/O; avio_open makes one, which Drop closes.
        check("avio_open", unsafe {
            ffi::avio_open(
                &mut (*muxer.raw.as_ptr()).pb,
                url.as_ptr(),
                ffi::AVIO_FLAG_WRITE as c_int,
            )
        })?;
        Ok(muxer)
    }

    /// Into a sink that only goes forward.
    pub fn to_sink(format: &str, sink: Box<dyn Write + Send>) -> Result<Self, AvError> {
        let mut muxer = Self::allocate(format, None)?;
        let sink = Box::into_raw(Box::new(sink));
        muxer.sink = Some(sink);
        // SAFETY: the buffer comes from av_malloc as the call wants; `written` fits the opaque pointer, which
        // lives as long as the context (see Drop).
        unsafe {
            let buffer = ffi::av_malloc(BUFFER_BYTES);
            if buffer.is_null() {
                return Err(AvError::memory("av_malloc"));
            }
            let io = ffi::avio_alloc_context(
                buffer.cast(),
                BUFFER_BYTES as c_int,
                1,
                sink.cast(),
                None,
                Some(written),
                None,
            );
            if io.is_null() {
                ffi::av_free(buffer);
                return Err(AvError::memory("avio_alloc_context"));
            }
            let context = &mut *muxer.raw.as_ptr();
            context.pb = io;
            context.flags |= ffi::AVFMT_FLAG_CUSTOM_IO as c_int;
        }
        Ok(muxer)
    }

    fn allocate(format: &str, url: Option<&CString>) -> Result<Self, AvError> {
        log::start();
        let format = CString::new(format).map_err(|_| AvError::argument("avformat_alloc_output_context2"))?;
        let mut raw = ptr::null_mut();
        // SAFETY: makes a fresh context; the strings live through the call, which copies the name.
        check("avformat_alloc_output_context2", unsafe {
            ffi::avformat_alloc_output_context2(
                &mut raw,
                ptr::null(),
                format.as_ptr(),
                url.map_or(ptr::null(), |url| url.as_ptr()),
            )
        })?;
        let raw = NonNull::new(raw).ok_or_else(|| AvError::memory("avformat_alloc_output_context2"))?;
        Ok(Muxer {
            raw,
            sink: None,
            begun: false,
        })
    }

    /// Adds a stream before the beginning; its number. The muxer may choose another unit, see [`Muxer::time_base`], and
    /// chooses the four characters of the codec, but for ProRes, which are its profile, and HEVC in ISO files, which
    /// players of Apple know as `hvc1` only.
    pub fn add_stream(&mut self, parameters: &Parameters, time_base: Ratio) -> Result<usize, AvError> {
        // SAFETY: a live context; the new stream belongs to it.
        unsafe {
            let stream = ffi::avformat_new_stream(self.raw.as_ptr(), ptr::null())
                .as_mut()
                .ok_or_else(|| AvError::memory("avformat_new_stream"))?;
            check(
                "avcodec_parameters_copy",
                ffi::avcodec_parameters_copy(stream.codecpar, parameters.as_ptr()),
            )?;
            let format = CStr::from_ptr((*(*self.raw.as_ptr()).oformat).name).to_bytes();
            let parameters = &mut *stream.codecpar;
            parameters.codec_tag = match parameters.codec_id {
                ffi::AVCodecID::HEVC if format == b"mp4" || format == b"mov" => u32::from_le_bytes(*b"hvc1"),
                ffi::AVCodecID::PRORES => parameters.codec_tag,
                _ => 0,
            };
            stream.time_base = rational(time_base);
            stream.sample_aspect_ratio = (*stream.codecpar).sample_aspect_ratio;
            Ok(stream.index as usize)
        }
    }

    /// Frames a second of a stream, where the container has a place for it.
    pub fn set_frame_rate(&mut self, stream: usize, rate: Ratio) {
        if stream < self.stream_count() {
            // SAFETY: a live stream of ours.
            unsafe { (**(*self.raw.as_ptr()).streams.add(stream)).avg_frame_rate = rational(rate) }
        }
    }

    /// Says, where the container has a place for it, for which light the pictures of a stream were made.
    pub fn set_hdr_metadata(&mut self, stream: usize, metadata: &HdrMetadata) -> Result<(), AvError> {
        if stream >= self.stream_count() || self.begun {
            return Err(AvError::argument("av_stream_new_side_data"));
        }
        // SAFETY: a live stream of ours that is not yet written.
        unsafe { mastering::write_to(*(*self.raw.as_ptr()).streams.add(stream), metadata) }
    }

    /// Says of a stream what the container of a copied one says: its turn, light, Dolby Vision and shape of pixels.
    pub fn say_as(&mut self, stream: usize, source: &Stream<'_>) -> Result<(), AvError> {
        const KINDS: [ffi::AVPacketSideDataType; 6] = [
            ffi::AVPacketSideDataType::DISPLAYMATRIX,
            ffi::AVPacketSideDataType::MASTERING_DISPLAY_METADATA,
            ffi::AVPacketSideDataType::CONTENT_LIGHT_LEVEL,
            ffi::AVPacketSideDataType::DOVI_CONF,
            ffi::AVPacketSideDataType::SPHERICAL,
            ffi::AVPacketSideDataType::STEREO3D,
        ];
        if stream >= self.stream_count() || self.begun {
            return Err(AvError::argument("av_stream_new_side_data"));
        }
        // SAFETY: a live stream of ours that is not yet written; the new data has as many bytes as are copied into it.
        #[allow(deprecated)]
        unsafe {
            let raw = *(*self.raw.as_ptr()).streams.add(stream);
            for (kind, bytes) in KINDS
                .into_iter()
                .filter_map(|kind| Some((kind, source.side_data(kind)?)))
            {
                let data = ffi::av_stream_new_side_data(raw, kind, bytes.len() as _);
                if data.is_null() {
                    return Err(AvError::memory("av_stream_new_side_data"));
                }
                ptr::copy_nonoverlapping(bytes.as_ptr(), data, bytes.len());
            }
            if let Some(shape) = source.sample_aspect_ratio() {
                (*raw).sample_aspect_ratio = rational(shape);
                (*(*raw).codecpar).sample_aspect_ratio = rational(shape);
            }
        }
        Ok(())
    }

    /// Tags of a stream (`language`).
    pub fn set_stream_tags(&mut self, stream: usize, tags: &BTreeMap<String, String>) -> Result<(), AvError> {
        if stream < self.stream_count() {
            let dict = dict_of(tags)?;
            // SAFETY: a live stream of ours, whose dictionary is replaced; it is freed with the context.
            unsafe {
                let stream = &mut **(*self.raw.as_ptr()).streams.add(stream);
                ffi::av_dict_free(&mut stream.metadata);
                stream.metadata = dict.into_raw();
            }
        }
        Ok(())
    }

    /// Marks a stream as a picture that stands for the whole.
    pub fn mark_cover(&mut self, stream: usize) {
        if stream < self.stream_count() {
            // SAFETY: a live stream of ours.
            unsafe {
                (**(*self.raw.as_ptr()).streams.add(stream)).disposition = ffi::AV_DISPOSITION_ATTACHED_PIC as i32;
            }
        }
    }

    /// Keeps packets back at most so long for those of a stream that has none.
    pub fn wait_at_most(&mut self, seconds: f64) {
        // SAFETY: a live context.
        unsafe { (*self.raw.as_ptr()).max_interleave_delta = (seconds * 1e6) as i64 }
    }

    /// Marks a stream as the default one of its kind or not, and as what else it is (see
    /// [`Stream::dispositions`](crate::media::av::Stream::dispositions)).
    pub fn set_dispositions(&mut self, stream: usize, default: bool, words: &[String]) {
        if stream < self.stream_count() {
            let marks = DISPOSITIONS
                .iter()
                .filter(|(_, known)| words.iter().any(|word| word == known));
            let mut set = marks.fold(0, |set, (bit, _)| set | bit);
            if default {
                set |= ffi::AV_DISPOSITION_DEFAULT as i32;
            }
            // SAFETY: a live stream of ours.
            unsafe { (**(*self.raw.as_ptr()).streams.add(stream)).disposition = set }
        }
    }

    /// Tags of the file.
    pub fn set_tags(&mut self, tags: &BTreeMap<String, String>) -> Result<(), AvError> {
        let dict = dict_of(tags)?;
        // SAFETY: a live context, whose dictionary is replaced; it is freed with the context.
        unsafe {
            let context = &mut *self.raw.as_ptr();
            ffi::av_dict_free(&mut context.metadata);
            context.metadata = dict.into_raw();
        }
        Ok(())
    }

    /// Chapters of the file, seconds.
    pub fn add_chapters(&mut self, chapters: &[(f64, f64, Option<String>)]) -> Result<(), AvError> {
        // SAFETY: libav frees chapters and their array with the context, so both come from its allocator.
        unsafe {
            let context = &mut *self.raw.as_ptr();
            let array =
                ffi::av_calloc(chapters.len().max(1), size_of::<*mut ffi::AVChapter>()).cast::<*mut ffi::AVChapter>();
            if array.is_null() || context.nb_chapters != 0 {
                ffi::av_free(array.cast());
                return Err(AvError::memory("av_calloc"));
            }
            context.chapters = array;
            for (number, (start_s, end_s, title)) in chapters.iter().enumerate() {
                let chapter = ffi::av_mallocz(size_of::<ffi::AVChapter>()).cast::<ffi::AVChapter>();
                let Some(fields) = chapter.as_mut() else {
                    return Err(AvError::memory("av_mallocz"));
                };
                *array.add(number) = chapter;
                context.nb_chapters += 1;
                fields.id = number as i64;
                fields.time_base = ffi::AVRational { num: 1, den: 1000 };
                fields.start = (start_s * 1000.0).round() as i64;
                fields.end = (end_s * 1000.0).round() as i64;
                let mut dict = Dict::new();
                if let Some(title) = title {
                    dict.set("title", title)?;
                }
                fields.metadata = dict.into_raw();
            }
        }
        Ok(())
    }

    /// Time that a transport stream leaves between the arrival of a picture and its decoding; it begins at twice that.
    pub fn set_longest_delay(&mut self, delay_us: u32) {
        // SAFETY: a live context.
        unsafe { (*self.raw.as_ptr()).max_delay = c_int::try_from(delay_us).unwrap_or(c_int::MAX) }
    }

    /// Keeps time stamps below zero as they are, instead of shifting all streams.
    pub fn keep_negative_times(&mut self) {
        // SAFETY: a live context.
        unsafe { (*self.raw.as_ptr()).avoid_negative_ts = 0 }
    }

    /// Writes the head. Options nobody knows are an error.
    pub fn begin(&mut self, mut options: Dict) -> Result<(), AvError> {
        // SAFETY: a live context with I/O and streams; the dictionary is ours.
        check("avformat_write_header", unsafe {
            ffi::avformat_write_header(self.raw.as_ptr(), options.as_mut_ptr())
        })?;
        self.begun = true;
        match options.entries().into_keys().next() {
            None => Ok(()),
            Some(unknown) => Err(AvError {
                code: ffi::AVERROR_OPTION_NOT_FOUND,
                call: "avformat_write_header",
                text: format!("the muxer has no option {unknown}"),
            }),
        }
    }

    /// Unit of a stream, known after the beginning.
    pub fn time_base(&self, stream: usize) -> Option<Ratio> {
        // SAFETY: a live stream of ours.
        (stream < self.stream_count()).then(|| ratio(unsafe { (**(*self.raw.as_ptr()).streams.add(stream)).time_base }))
    }

    /// Writes a packet in the order of time among streams; the packet comes back empty.
    pub fn write_interleaved(&mut self, packet: &mut Packet) -> Result<(), AvError> {
        // SAFETY: a begun context and a live packet, whose reference the call takes over.
        check("av_interleaved_write_frame", unsafe {
            ffi::av_interleaved_write_frame(self.raw.as_ptr(), packet.as_ptr())
        })?;
        Ok(())
    }

    /// Writes a packet right now, for muxers of one stream.
    pub fn write(&mut self, packet: &mut Packet) -> Result<(), AvError> {
        // SAFETY: a begun context and a live packet.
        check("av_write_frame", unsafe {
            ffi::av_write_frame(self.raw.as_ptr(), packet.as_ptr())
        })?;
        Ok(())
    }

    /// Ends the fragment under way and hands all bytes to the sink.
    pub fn flush_fragment(&mut self) -> Result<(), AvError> {
        // SAFETY: a begun context; a null packet flushes.
        unsafe {
            check(
                "av_write_frame",
                ffi::av_write_frame(self.raw.as_ptr(), ptr::null_mut()),
            )?;
            ffi::avio_flush((*self.raw.as_ptr()).pb);
        }
        self.fail_on_io("av_write_frame")
    }

    /// Hands all bytes so far to the sink, without ending anything.
    pub fn flush_bytes(&mut self) -> Result<(), AvError> {
        // SAFETY: live I/O.
        unsafe { ffi::avio_flush((*self.raw.as_ptr()).pb) };
        self.fail_on_io("avio_flush")
    }

    /// Has a transport stream write its tables again in front of the next packet.
    pub fn resend_tables(&mut self) -> Result<(), AvError> {
        // SAFETY: a begun context, whose muxer's own options are looked through; both strings are constants.
        check("av_opt_set", unsafe {
            ffi::av_opt_set(
                (*self.raw.as_ptr()).priv_data,
                c"mpegts_flags".as_ptr(),
                c"+resend_headers".as_ptr(),
                0,
            )
        })?;
        Ok(())
    }

    /// Has the container call a stream's codec by these four characters, where it takes them.
    pub fn set_codec_tag(&mut self, stream: usize, tag: [u8; 4]) {
        if stream < self.stream_count() {
            // SAFETY: a live stream of ours, before the beginning.
            unsafe { (*(**(*self.raw.as_ptr()).streams.add(stream)).codecpar).codec_tag = u32::from_le_bytes(tag) }
        }
    }

    /// Writes the tail and closes the file.
    pub fn finish(mut self) -> Result<(), AvError> {
        self.begun = false;
        // SAFETY: a begun context, ended once.
        check("av_write_trailer", unsafe { ffi::av_write_trailer(self.raw.as_ptr()) })?;
        // SAFETY: live I/O.
        unsafe { ffi::avio_flush((*self.raw.as_ptr()).pb) };
        self.fail_on_io("av_write_trailer")?;
        if self.sink.is_none() {
            // SAFETY: opened by avio_open; closing it sets the pointer to null, so Drop does not close it again.
            check("avio_closep", unsafe { ffi::avio_closep(&mut (*self.raw.as_ptr()).pb) })?;
        }
        Ok(())
    }

    fn fail_on_io(&self, call: &'static str) -> Result<(), AvError> {
        // SAFETY: live I/O.
        check(call, unsafe { (*(*self.raw.as_ptr()).pb).error })?;
        Ok(())
    }

    fn stream_count(&self) -> usize {
        // SAFETY: a live context.
        unsafe { (*self.raw.as_ptr()).nb_streams as usize }
    }
}

impl Drop for Muxer {
    fn drop(&mut self) {
        // SAFETY: everything is freed once, by its owner, in the order of use: I/O (ours with its buffer, or
        // libav's), context, sink. A muxer that was begun but not finished writes no tail.
        unsafe {
            let context = self.raw.as_ptr();
            if self.sink.is_some() {
                if !(*context).pb.is_null() {
                    ffi::av_freep((&raw mut (*(*context).pb).buffer).cast());
                    ffi::avio_context_free(&mut (*context).pb);
                }
            } else {
                ffi::avio_closep(&mut (*context).pb);
            }
            ffi::avformat_free_context(context);
            if let Some(sink) = self.sink.take() {
                drop(Box::from_raw(sink));
            }
        }
    }
}

fn dict_of(tags: &BTreeMap<String, String>) -> Result<Dict, AvError> {
    let mut dict = Dict::new();
    for (key, value) in tags {
        dict.set(key, value)?;
    }
    Ok(dict)
}

/// The buffer is `*mut u8` in libav 5 and `*const u8` since 7; the type follows from where this is used.
trait Bytes {
    fn start(self) -> *const u8;
}
impl Bytes for *mut u8 {
    fn start(self) -> *const u8 {
        self
    }
}
impl Bytes for *const u8 {
    fn start(self) -> *const u8 {
        self
    }
}

unsafe extern "C" fn written<B: Bytes>(opaque: *mut c_void, buffer: B, length: c_int) -> c_int {
    // SAFETY: opaque is the sink of `to_sink`, used by one thread at a time; libav gives that many bytes.
    let (sink, bytes) = unsafe {
        (
            &mut *opaque.cast::<Box<dyn Write + Send>>(),
            std::slice::from_raw_parts(buffer.start(), length.max(0) as usize),
        )
    };
    let answer: io::Result<()> = catch_unwind(AssertUnwindSafe(|| sink.write_all(bytes)))
        .unwrap_or_else(|_| Err(io::Error::other("the sink panicked")));
    match answer {
        Ok(()) => length,
        Err(error) => -error.raw_os_error().unwrap_or(EIO),
    }
}
