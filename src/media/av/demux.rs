//! A file taken apart into the packets of its streams.
//!
//! Guarantees: bytes come from the given [`Source`] alone, whatever the file refers to; only containers and
//! codecs of the allow-list are ever opened; a read error of the source comes out as an error, never as the end.

use crate::media::av::allowed;
use crate::media::av::braid;
use crate::media::av::braid::Ahead;
use crate::media::av::braid::Strand;
use crate::media::av::counted::Counted;
use crate::media::av::dict;
use crate::media::av::dict::Dict;
use crate::media::av::error::AvError;
use crate::media::av::error::check;
use crate::media::av::feed::Feed;
use crate::media::av::late::Late;
use crate::media::av::log;
use crate::media::av::packet::Packet;
use crate::media::av::packet::stamp;
use crate::media::av::program;
use crate::media::av::program::Program;
use crate::media::av::source::Source;
use crate::media::av::source::SourceIo;
use crate::media::av::source::SourceWatch;
use crate::media::av::stream::IndexEntry;
use crate::media::av::stream::Stream;
use crate::media::av::told_name::told_name;
use crate::media::facts::ChapterFacts;
use crate::media::jpeg_parts;
use crate::media::limits::Limits;
use ffmpeg_the_third::ffi;
use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::ffi::CStr;
use std::ffi::CString;
use std::ffi::c_char;
use std::ffi::c_int;
use std::ptr;
use std::ptr::NonNull;
use std::sync::Arc;

/// Microseconds, the unit of times that belong to no stream.
const SECOND: f64 = 1_000_000.0;
const EPERM: i32 = 1;
/// The demuxer of JPEG files.
const JPEG: &CStr = c"jpeg_pipe";
/// Of demuxers that know them: a transport stream whose tables change goes on in the streams it began with.
const OPTIONS: [(&str, &str); 1] = [("merge_pmt_versions", "1")];

/// An opened file.
pub struct Demuxer {
    raw: NonNull<ffi::AVFormatContext>,
    // Freed after the context that reads through it; see Drop.
    _io: SourceIo,
    watch: Arc<SourceWatch>,
    name: String,
    size_bytes: u64,
    /// Read ahead by somebody who only wanted to look.
    given_back: VecDeque<Packet>,
    /// What is read in place of the file alone.
    feed: Option<Box<dyn Feed>>,
    /// Read ahead of what the feed gave.
    fed_back: VecDeque<Packet>,
    /// Files whose streams come after its own.
    pub(super) beside: Vec<Strand>,
    /// Read of its own file to be compared with those of the others.
    pub(super) ahead: Ahead,
    /// Something of its own file is wanted.
    pub(super) is_wanted: bool,
    late: Late,
    /// Of containers whose time is a count.
    counted: Option<Counted>,
}

// SAFETY: the context and all it points to belong to this value alone.
unsafe impl Send for Demuxer {}

impl std::fmt::Debug for Demuxer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} as {}", self.name, self.format_name())
    }
}

impl Demuxer {
    /// Opens the container and looks into its streams, as far as the limits go.
    pub fn open(source: Source, limits: &Limits) -> Result<Self, AvError> {
        let mut demuxer = Self::open_header(source, limits)?;
        // What is decoded to learn what it is, nobody sees.
        let unseen = || {
            let mut options = Dict::new();
            options.set("skip_loop_filter", "all").map(|()| options)
        };
        let options = (0..demuxer.own_count()).map(|_| unseen()).collect::<Result<_, _>>()?;
        // SAFETY: a live, opened context; as many dictionaries as it has streams now.
        let found = dict::lend(options, |options| unsafe {
            ffi::avformat_find_stream_info(demuxer.raw.as_ptr(), options)
        });
        check("avformat_find_stream_info", found)?;
        demuxer.fail_on_trouble()?;
        demuxer.late = Late::after(demuxer.own_count());
        demuxer.counted = (demuxer.format_name() == "avi").then(Counted::default);
        Ok(demuxer)
    }

    /// Opens the container only: codec parameters are what its header says.
    pub fn open_header(source: Source, limits: &Limits) -> Result<Self, AvError> {
        log::start();
        let name = source.name().to_owned();
        let size_bytes = source.size_bytes();
        let watch = source.watch();
        // Of such a file libav makes a film, or nothing at all, where it sees the second picture as it guesses. What cannot
        // be read is found by whoever reads on.
        let format = match jpeg_parts::has_more(&source) {
            // SAFETY: a name that ends in a NUL; the answer is null, which is a guess, or lives as long as the program.
            Ok(true) => unsafe { ffi::av_find_input_format(JPEG.as_ptr()) },
            _ => ptr::null(),
        };
        let io = SourceIo::open(source)?;
        let url = CString::new(told_name(&name)).map_err(|_| AvError::argument("avformat_open_input"))?;
        let mut options = Dict::new();
        for (key, value) in OPTIONS {
            options.set(key, value)?;
        }
        // SAFETY: answers null or a fresh context.
        let mut context = unsafe { ffi::avformat_alloc_context() };
        if context.is_null() {
            return Err(AvError::memory("avformat_alloc_context"));
        }
        // SAFETY: the context is ours until avformat_open_input fails, which frees it. The lists are copied by
        // av_strdup because the context frees them.
        unsafe {
            (*context).pb = io.as_ptr();
            (*context).flags |= ffi::AVFMT_FLAG_CUSTOM_IO as c_int;
            (*context).io_open = Some(refuse);
            // One more than allowed, so that more are seen: newer libav leaves out in silence what is beyond.
            (*context).max_streams = c_int::try_from(limits.max_streams.saturating_add(1)).unwrap_or(c_int::MAX);
            (*context).format_whitelist = ffi::av_strdup(allowed::demuxers().as_ptr());
            (*context).codec_whitelist = ffi::av_strdup(allowed::decoders().as_ptr());
            let opened = ffi::avformat_open_input(&mut context, url.as_ptr(), format, options.as_mut_ptr());
            if opened < 0 {
                return Err(AvError::new(opened, "avformat_open_input"));
            }
        }
        let raw = NonNull::new(context).ok_or_else(|| AvError::memory("avformat_open_input"))?;
        Ok(Demuxer {
            raw,
            _io: io,
            watch,
            name,
            size_bytes,
            given_back: VecDeque::new(),
            feed: None,
            fed_back: VecDeque::new(),
            beside: Vec::new(),
            ahead: Ahead::Unknown,
            is_wanted: true,
            late: Late::default(),
            counted: None,
        })
    }

    /// Demuxer names, `mov,mp4,m4a,3gp,3g2,mj2`.
    pub fn format_name(&self) -> String {
        // SAFETY: an opened context has an input format with constant strings.
        unsafe { text((*(*self.raw.as_ptr()).iformat).name) }
    }
    /// The same in words.
    pub fn format_long_name(&self) -> String {
        // SAFETY: as above.
        unsafe { text((*(*self.raw.as_ptr()).iformat).long_name) }
    }
    /// This container has no time stamps, as that of a bare stream: libav counts its pictures by their nominal rate.
    pub fn has_no_times(&self) -> bool {
        self.is_marked(ffi::AVFMT_NOTIMESTAMPS)
    }
    /// Time stamps of this container may jump.
    pub fn may_jump(&self) -> bool {
        self.is_marked(ffi::AVFMT_TS_DISCONT)
    }
    fn is_marked(&self, mark: c_int) -> bool {
        // SAFETY: as above.
        self.feed.is_none() && unsafe { (*(*self.raw.as_ptr()).iformat).flags & mark != 0 }
    }
    /// Name of the source.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// Bytes of the source.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }
    /// Reads and troubles of the source.
    pub fn watch(&self) -> Arc<SourceWatch> {
        Arc::clone(&self.watch)
    }
    /// Its words on a file that ends before its own index does, if it came to that.
    pub fn cut_short(&self) -> Option<String> {
        log::cut_short(self.raw.as_ptr().addr())
    }
    /// Length, seconds.
    pub fn duration_s(&self) -> Option<f64> {
        // libav makes this of the streams' lengths, and takes one that is not set for a number.
        if self.streams().any(|stream| stream.is_duration_unset()) {
            let lengths_s = self.streams().filter_map(|stream| {
                let ticks = stream.duration()?;
                Some(ticks as f64 * stream.time_base().value())
            });
            return lengths_s.max_by(f64::total_cmp);
        }
        stamp(self.get().duration)
            .map(|us| us as f64 / SECOND)
            .filter(|s| *s > 0.0)
    }
    /// The length is a guess from the bit rate.
    pub fn duration_is_guess(&self) -> bool {
        self.get().duration_estimation_method == ffi::AVDurationEstimationMethod::BITRATE
    }
    /// First time stamp, seconds.
    pub fn start_time_s(&self) -> Option<f64> {
        stamp(self.get().start_time).map(|us| us as f64 / SECOND)
    }
    /// Bits a second; 0 when unknown.
    pub fn bit_rate(&self) -> i64 {
        self.get().bit_rate
    }
    /// Tags.
    pub fn tags(&self) -> BTreeMap<String, String> {
        dict::read(self.get().metadata)
    }
    /// Chapters.
    pub fn chapters(&self) -> Vec<ChapterFacts> {
        let context = self.get();
        (0..context.nb_chapters as usize)
            .map(|number| {
                // SAFETY: nb_chapters live chapters.
                let chapter = unsafe { &**context.chapters.add(number) };
                let unit = f64::from(chapter.time_base.num) / f64::from(chapter.time_base.den.max(1));
                ChapterFacts {
                    start_s: chapter.start as f64 * unit,
                    end_s: chapter.end as f64 * unit,
                    title: dict::read(chapter.metadata).remove("title"),
                }
            })
            .collect()
    }

    /// Reads another file along with this one, whose streams come after those that there are.
    pub fn add_beside(&mut self, other: Demuxer) {
        let first = self.stream_count();
        self.beside.push(Strand::new(other, first));
    }

    /// Streams.
    pub fn stream_count(&self) -> usize {
        self.own_count() + self.beside.iter().map(Strand::stream_count).sum::<usize>()
    }

    /// The programmes that a multiplex says it holds; none where it says nothing.
    pub fn programs(&self) -> Vec<Program> {
        program::of(self.get())
    }
    /// How often it had to look for where it can go on reading; of those that count, in how many streams something was not
    /// found.
    pub fn lost_way(&self) -> u64 {
        let fed = self.feed.as_ref().map_or(0, |feed| feed.lost_way());
        let counted = self.counted.as_ref().map_or(0, Counted::lost);
        log::lost_way(self.raw.as_ptr().addr()) + fed + counted
    }

    /// Streams in its middle that nobody knew of when it was opened, and that go on as none of those; packets of streams
    /// that others had gone on in by then.
    pub fn late_streams(&self) -> (u64, u64) {
        self.late.left_out()
    }

    /// Whether all that it hands on is of one file.
    pub fn is_alone(&self) -> bool {
        self.feed.is_none() && self.beside.is_empty()
    }

    fn own_count(&self) -> usize {
        self.get().nb_streams as usize
    }

    /// One stream.
    pub fn stream(&self, index: usize) -> Option<Stream<'_>> {
        let unit = self.feed.as_ref().and_then(|feed| feed.unit(index));
        let raw = match self.own_stream(index) {
            Some(raw) => raw,
            None => {
                let (demuxer, own) = self.beside.iter().find_map(|strand| strand.own(index))?;
                demuxer.own_stream(own)?
            }
        };
        Some(Stream::new(raw, index, unit))
    }

    fn own_stream(&self, index: usize) -> Option<*const ffi::AVStream> {
        let context = self.get();
        // SAFETY: nb_streams live streams, which live as long as the context.
        (index < context.nb_streams as usize).then(|| unsafe { *context.streams.add(index) }.cast_const())
    }

    /// The index of a stream; empty: there is none.
    pub fn index(&self, stream: usize) -> Vec<IndexEntry> {
        match &self.feed {
            Some(feed) => feed.index(self, stream).unwrap_or_default(),
            None => self.own_index(stream),
        }
    }

    /// The same of the file itself, whatever is read in its place.
    pub fn own_index(&self, stream: usize) -> Vec<IndexEntry> {
        let Some(stream) = self.stream(stream) else {
            return Vec::new();
        };
        (0..stream.index_len())
            .filter_map(|number| stream.index_entry(number))
            .collect()
    }

    /// All streams.
    pub fn streams(&self) -> impl Iterator<Item = Stream<'_>> {
        (0..self.stream_count()).filter_map(|index| self.stream(index))
    }

    /// Takes packets back that were just read, in their order; the next ones read are these again.
    pub fn give_back(&mut self, packets: Vec<Packet>) {
        let queue = match self.feed {
            Some(_) => &mut self.fed_back,
            None => &mut self.given_back,
        };
        for packet in packets.into_iter().rev() {
            queue.push_front(packet);
        }
    }

    /// Leaves out the packets of all streams but these.
    pub fn keep_only(&mut self, wanted: &[usize]) {
        self.given_back.retain(|packet| wanted.contains(&packet.stream_index()));
        self.fed_back.retain(|packet| wanted.contains(&packet.stream_index()));
        for strand in &mut self.beside {
            strand.keep_only(wanted);
        }
        self.is_wanted = wanted.iter().any(|index| *index < self.own_count());
        self.late.sift();
        self.ahead = match std::mem::take(&mut self.ahead) {
            Ahead::Packet(packet) if !wanted.contains(&packet.stream_index()) => Ahead::Unknown,
            ahead => ahead,
        };
        for index in 0..self.own_count() {
            let discard = if wanted.contains(&index) {
                ffi::AVDiscard::DEFAULT
            } else {
                ffi::AVDiscard::ALL
            };
            // SAFETY: a live stream, borrowed exclusively through the context.
            unsafe { (**self.get().streams.add(index)).discard = discard };
        }
    }

    /// Leaves out, of one stream, what is no key frame, where the container knows.
    pub fn keep_keys_only(&mut self, index: usize) {
        if index < self.own_count() {
            // SAFETY: a live stream, borrowed exclusively through the context.
            unsafe { (**self.get().streams.add(index)).discard = ffi::AVDiscard::NONKEY };
        }
    }

    /// Reads the next packet into `packet`; false at the end.
    pub fn read(&mut self, packet: &mut Packet) -> Result<bool, AvError> {
        let Some(mut feed) = self.feed.take() else {
            return self.read_own(packet);
        };
        if let Some(known) = self.fed_back.pop_front() {
            self.feed = Some(feed);
            *packet = known;
            return Ok(true);
        }
        let answer = feed.read(self, packet);
        self.feed = Some(feed);
        self.fail_on_trouble()?;
        answer
    }

    /// From now on reads what `feed` gives.
    pub fn feed_from(&mut self, feed: Box<dyn Feed>) {
        self.feed = Some(feed);
    }

    /// From now on reads its file alone; answers what it read before in its place.
    pub fn take_feed(&mut self) -> Option<Box<dyn Feed>> {
        self.feed.take()
    }

    fn read_own(&mut self, packet: &mut Packet) -> Result<bool, AvError> {
        if let Some(known) = self.given_back.pop_front() {
            *packet = known;
            return Ok(true);
        }
        if self.beside.is_empty() {
            return self.read_file(packet);
        }
        braid::next(self, packet, Self::read_file)
    }

    fn read_file(&mut self, packet: &mut Packet) -> Result<bool, AvError> {
        loop {
            packet.clear();
            // SAFETY: live context and packet.
            let answer = unsafe { ffi::av_read_frame(self.raw.as_ptr(), packet.as_ptr()) };
            self.fail_on_trouble()?;
            match check("av_read_frame", answer) {
                // SAFETY: a context that lives as long as this value.
                Ok(_) if self.late.place(unsafe { self.raw.as_ref() }, packet) => {
                    if let Some(mut counted) = self.counted.take() {
                        let stream = self.stream(packet.stream_index());
                        counted.place(packet, |number| stream.as_ref()?.index_entry(number));
                        self.counted = Some(counted);
                    }
                    return Ok(true);
                }
                Ok(_) => {}
                Err(error) if error.is_eof() => return Ok(false),
                Err(error) => return Err(error),
            }
        }
    }

    /// Goes to the key frame at or before a time of a stream (its units), so that the next packets begin there.
    pub fn seek(&mut self, stream: usize, time: i64) -> Result<(), AvError> {
        self.given_back.clear();
        self.fed_back.clear();
        if let Some(mut feed) = self.feed.take() {
            let answer = feed.seek(self, stream, time);
            self.feed = Some(feed);
            if answer? {
                return Ok(());
            }
        }
        if self.beside.is_empty() {
            return self.seek_file(stream, time);
        }
        let unit = |demuxer: &Demuxer, index: usize| demuxer.stream(index).map(|stream| stream.time_base().value());
        let at_s = time as f64 * unit(self, stream).ok_or_else(|| AvError::argument("avformat_seek_file"))?;
        self.ahead = Ahead::Unknown;
        if stream < self.own_count() {
            self.seek_file(stream, time)?;
        } else if let Some(unit) = unit(self, 0) {
            self.seek_file(0, (at_s / unit).floor() as i64)?;
        }
        self.beside.iter_mut().try_for_each(|strand| strand.seek(at_s))
    }

    fn seek_file(&mut self, stream: usize, time: i64) -> Result<(), AvError> {
        let stream = c_int::try_from(stream).map_err(|_| AvError::argument("avformat_seek_file"))?;
        if let Some(counted) = &mut self.counted {
            counted.forget();
        }
        // SAFETY: a live context.
        check("avformat_seek_file", unsafe {
            ffi::avformat_seek_file(self.raw.as_ptr(), stream, i64::MIN, time, time, 0)
        })?;
        self.fail_on_trouble()
    }

    /// Goes to a byte, for containers without an index.
    pub fn seek_byte(&mut self, position: u64) -> Result<(), AvError> {
        let position = i64::try_from(position).map_err(|_| AvError::argument("av_seek_frame"))?;
        self.given_back.clear();
        if !self.beside.is_empty() {
            return Err(AvError::argument("av_seek_frame"));
        }
        // SAFETY: a live context.
        check("av_seek_frame", unsafe {
            ffi::av_seek_frame(self.raw.as_ptr(), -1, position, ffi::AVSEEK_FLAG_BYTE as c_int)
        })?;
        self.fail_on_trouble()
    }

    fn fail_on_trouble(&self) -> Result<(), AvError> {
        match self.watch.trouble() {
            None => Ok(()),
            Some(what) => Err(AvError {
                code: -5,
                call: "read",
                text: what,
            }),
        }
    }

    fn get(&self) -> &ffi::AVFormatContext {
        // SAFETY: valid for the life of this value.
        unsafe { self.raw.as_ref() }
    }
}

impl Drop for Demuxer {
    fn drop(&mut self) {
        let mut raw = self.raw.as_ptr();
        log::closed(raw.addr());
        // SAFETY: closed once, by its owner; with CUSTOM_IO the bytes' context stays, and is freed after this.
        unsafe { ffi::avformat_close_input(&mut raw) }
    }
}

/// What a file names is not opened: external references, playlists, concatenations.
unsafe extern "C" fn refuse(
    _context: *mut ffi::AVFormatContext,
    _io: *mut *mut ffi::AVIOContext,
    _url: *const c_char,
    _flags: c_int,
    _options: *mut *mut ffi::AVDictionary,
) -> c_int {
    -EPERM
}

/// A constant string of libav's.
///
/// # Safety
/// `raw` is null or NUL-terminated and constant.
unsafe fn text(raw: *const c_char) -> String {
    if raw.is_null() {
        return String::new();
    }
    // SAFETY: by the contract above.
    unsafe { CStr::from_ptr(raw) }.to_string_lossy().into_owned()
}
