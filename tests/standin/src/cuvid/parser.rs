//! Parsers: bytes in, callbacks out.
//!
//! Guarantees: callbacks come on the caller's thread, before the call returns, in the documented order: a sequence
//! before its pictures, every picture of the sequence before shown before a sequence callback, pictures decoded in the
//! order of the stream and shown in the order of display, at most `ulMaxDisplayDelay` later than they could be.
//! Deliberately absent: operating points, SEI messages.

use crate::contract;
use crate::cuda::code::Code;
use crate::cuda::code::UNKNOWN;
use crate::cuvid::codec::Codec;
use crate::cuvid::format::Format;
use crate::cuvid::libav::Decoder;
use crate::cuvid::libav::Frame;
use crate::cuvid::picture::Picture;
use crate::cuvid::queue::Showing;
use crate::cuvid::queue::Surfaces;
use crate::cuvid::queue::Waiting;
use crate::cuvid::splitter;
use crate::cuvid::splitter::Splitter;
use crate::cuvid::splitter::Structure;
use crate::cuvid::splitter::Unit;
use crate::cuvid::sps;
use crate::fault;
use ffmpeg_the_third::ffi;
use nvidia_video_codec_sdk::sys::cuviddec::CUVIDPICPARAMS;
use nvidia_video_codec_sdk::sys::nvcuvid::CUVIDPARSERDISPINFO;
use nvidia_video_codec_sdk::sys::nvcuvid::PFNVIDDECODECALLBACK;
use nvidia_video_codec_sdk::sys::nvcuvid::PFNVIDDISPLAYCALLBACK;
use nvidia_video_codec_sdk::sys::nvcuvid::PFNVIDSEQUENCECALLBACK;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::c_int;
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

const END_OF_STREAM: u64 = 1;
const DISCONTINUITY: u64 = 4;
const END_OF_PICTURE: u64 = 8;
const NOTIFY_END: u64 = 16;
/// Pictures in flight of which nothing came for so many others are given up.
const GIVEN_UP_AFTER: u64 = 34;

thread_local! {
    static IN_SEQUENCE: Cell<bool> = const { Cell::new(false) };
}

/// Whether a sequence callback runs on this thread.
pub fn is_in_sequence_callback() -> bool {
    IN_SEQUENCE.get()
}

/// Whom to call.
pub struct Callbacks {
    pub user: *mut c_void,
    pub sequence: PFNVIDSEQUENCECALLBACK,
    pub decode: PFNVIDDECODECALLBACK,
    pub display: PFNVIDDISPLAYCALLBACK,
}

// SAFETY: the pointer is only handed back to the caller's functions, on the thread that called.
unsafe impl Send for Callbacks {}

/// A picture whose frame has not come.
struct Flying {
    picture: Arc<Picture>,
    index: usize,
    timestamp: Option<i64>,
    at: u64,
}

/// A parser.
pub struct Parser {
    codec: &'static Codec,
    callbacks: Callbacks,
    max_surfaces: usize,
    max_delay: usize,
    ticks_a_second: u32,
    headers: Vec<u8>,
    splitter: Splitter,
    /// The stream, and the first picture of each sequence by itself.
    decoders: Option<(Decoder, Decoder)>,
    format: Option<Format>,
    surfaces: Surfaces,
    flying: BTreeMap<u64, Flying>,
    waiting: Waiting,
    /// A first field that waits for its second.
    field: Option<(Structure, Arc<Picture>, usize)>,
    count: u64,
    last_shown: Option<i64>,
}

/// What a parser is made for.
pub struct Setup {
    /// Of its stream.
    pub codec: &'static Codec,
    /// Whom to call.
    pub callbacks: Callbacks,
    /// Surfaces, unless the sequence callback answers another number.
    pub max_surfaces: usize,
    /// Pictures that may be held back from being shown.
    pub max_delay: usize,
    /// Of time stamps.
    pub ticks_a_second: u32,
    /// What the container says of the stream.
    pub headers: Vec<u8>,
}

impl Parser {
    /// One at the beginning of a stream; none when libav lacks the codec.
    pub fn new(setup: Setup) -> Option<Self> {
        Some(Parser {
            splitter: Splitter::new(setup.codec)?,
            codec: setup.codec,
            callbacks: setup.callbacks,
            max_surfaces: setup.max_surfaces,
            max_delay: setup.max_delay,
            ticks_a_second: setup.ticks_a_second,
            headers: setup.headers,
            decoders: None,
            format: None,
            surfaces: Surfaces::new(1, 0),
            flying: BTreeMap::new(),
            waiting: Waiting::new(),
            field: None,
            count: 0,
            last_shown: None,
        })
    }

    /// Takes a packet apart.
    pub fn packet(&mut self, flags: u64, bytes: &[u8], timestamp: Option<i64>) -> Result<(), Code> {
        if flags & DISCONTINUITY != 0 {
            self.finish()?;
        }
        for unit in self.splitter.push(bytes, timestamp, flags & END_OF_PICTURE != 0) {
            self.unit(&unit)?;
        }
        if flags & END_OF_STREAM != 0 {
            self.finish()?;
            if flags & NOTIFY_END != 0 {
                self.call_display(std::ptr::null_mut())?;
            }
        }
        Ok(())
    }

    /// What is inside comes out; another stream may follow.
    fn finish(&mut self) -> Result<(), Code> {
        if let Some(unit) = self.splitter.end() {
            self.unit(&unit)?;
        }
        self.drain()?;
        if let Some(splitter) = Splitter::new(self.codec) {
            self.splitter = splitter;
        }
        Ok(())
    }

    fn unit(&mut self, unit: &Unit) -> Result<(), Code> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        if fault::parser_fails(COUNT.fetch_add(1, Ordering::Relaxed) + 1) {
            return Err(UNKNOWN);
        }
        self.open(unit);
        if unit.is_key || self.format.is_none() {
            self.look_for_sequence(unit)?;
        }
        if self.format.is_none() {
            return Ok(());
        }
        let picture = self.decode(unit)?;
        if let Some((decoder, _)) = &mut self.decoders {
            // What it cannot make anything of is never shown; its surface becomes free in time.
            decoder.send(&unit.bytes, picture.number() as i64);
        }
        self.receive();
        self.show(self.max_delay)
    }

    /// Opens the decoders at the first picture: some codecs need its headers for that.
    fn open(&mut self, unit: &Unit) {
        if self.decoders.is_some() {
            return;
        }
        let headers = match &self.headers[..] {
            headers if self.codec.has_start_codes && splitter::begins_with_start_code(headers) => headers,
            _ if self.codec.name == "vc1" => &unit.bytes,
            _ => &[],
        };
        let one = || Decoder::open(self.codec, headers);
        self.decoders = one().zip(one());
    }

    fn look_for_sequence(&mut self, unit: &Unit) -> Result<(), Code> {
        let is_h264 = self.codec.id == ffi::AVCodecID::H264;
        if self.format.is_some() && is_h264 && sps::fields_of(&unit.bytes).is_none() {
            // Only a parameter set begins another sequence; a key frame goes on in the one there is.
            return Ok(());
        }
        let Some((_, probe)) = &mut self.decoders else {
            return Ok(());
        };
        let Some(format) = Format::of(self.codec, probe, unit) else {
            return Ok(());
        };
        if self.format.as_ref() == Some(&format) {
            return Ok(());
        }
        self.drain()?;
        let mut told = format.told(self.codec);
        let least = format.least_surfaces();
        IN_SEQUENCE.set(true);
        // SAFETY: the caller's function with the caller's data, and a format that lives through the call.
        let surfaces = self
            .callbacks
            .sequence
            .map_or(1, |call| unsafe { call(self.callbacks.user, &mut told) });
        IN_SEQUENCE.set(false);
        let surfaces = match surfaces {
            ..=0 => return Err(UNKNOWN),
            1 => self.max_surfaces,
            surfaces => surfaces as usize,
        };
        if surfaces < least {
            let words = format!("{surfaces} surfaces for a sequence that needs {least}");
            contract::violated("cuvidParseVideoData", words);
        }
        self.surfaces = Surfaces::new(surfaces, format.references);
        self.format = Some(format);
        Ok(())
    }

    /// Tells of a picture that is to be decoded.
    fn decode(&mut self, unit: &Unit) -> Result<Arc<Picture>, Code> {
        let second = self.field.take().filter(|(first, ..)| {
            matches!(
                (first, unit.structure),
                (Structure::Top, Structure::Bottom) | (Structure::Bottom, Structure::Top)
            )
        });
        let is_second = second.is_some();
        let (picture, index) = match second {
            Some((_, picture, index)) => (picture, index),
            None => {
                let index = self.free_surface()?;
                let picture = Picture::new(self.codec);
                self.count += 1;
                self.surfaces.give(index, picture.number());
                let flying = Flying {
                    picture: Arc::clone(&picture),
                    index,
                    timestamp: unit.timestamp,
                    at: self.count,
                };
                self.flying.insert(picture.number(), flying);
                (picture, index)
            }
        };
        if !is_second && unit.structure != Structure::Frame {
            self.field = Some((unit.structure, Arc::clone(&picture), index));
        }
        let mut parameters = self.parameters(unit, index, is_second);
        picture.sign(&mut parameters);
        // SAFETY: the caller's function with the caller's data, and parameters that live through the call.
        let taken = self
            .callbacks
            .decode
            .map_or(1, |call| unsafe { call(self.callbacks.user, &mut parameters) });
        if taken <= 0 {
            return Err(UNKNOWN);
        }
        Ok(picture)
    }

    fn parameters(&self, unit: &Unit, index: usize, is_second: bool) -> CUVIDPICPARAMS {
        static FIRST_SLICE: u32 = 0;
        // SAFETY: zeros are values of all of its fields.
        let mut parameters: CUVIDPICPARAMS = unsafe { std::mem::zeroed() };
        let (across, down) = self.format.as_ref().map_or((0, 0), Format::blocks);
        let is_field = unit.structure != Structure::Frame;
        parameters.PicWidthInMbs = across as c_int;
        parameters.FrameHeightInMbs = down as c_int;
        parameters.CurrPicIdx = index as c_int;
        parameters.field_pic_flag = c_int::from(is_field);
        parameters.bottom_field_flag = c_int::from(unit.structure == Structure::Bottom);
        parameters.second_field = c_int::from(is_second);
        parameters.nBitstreamDataLen = unit.bytes.len() as u32;
        parameters.pBitstreamData = unit.bytes.as_ptr();
        parameters.nNumSlices = 1;
        parameters.pSliceDataOffsets = &FIRST_SLICE;
        parameters.ref_pic_flag = 1;
        parameters.intra_pic_flag = c_int::from(unit.is_intra);
        if self.codec.name == "h264" {
            let adaptive = !is_field && self.format.as_ref().is_some_and(|format| format.adaptive);
            parameters.CodecSpecific.h264.MbaffFrameFlag = c_int::from(adaptive);
        }
        parameters
    }

    /// A surface for the next picture; what waits is shown early when there is none.
    fn free_surface(&mut self) -> Result<usize, Code> {
        loop {
            if let Some(index) = self.surfaces.next() {
                return Ok(index);
            }
            if self.waiting.is_empty() {
                match self.lost() {
                    Some(number) => {
                        self.flying.remove(&number);
                        self.surfaces.shown(number);
                        continue;
                    }
                    None => return Ok(self.surfaces.next_at_any_rate()),
                }
            }
            self.show(self.waiting.len() - 1)?;
        }
    }

    /// A picture that would have come by now, had libav made anything of it.
    fn lost(&self) -> Option<u64> {
        let reorder = self.format.as_ref().map_or(0, Format::reorder);
        let is_lost = |flying: &Flying| self.count - flying.at > reorder + 1 && flying.picture.state().frame.is_none();
        let found = self.flying.iter().find(|(_, flying)| is_lost(flying));
        found.map(|(number, _)| *number)
    }

    /// Takes what is decoded, in the order of display.
    fn receive(&mut self) {
        while let Some(frame) = self.decoders.as_mut().and_then(|(decoder, _)| decoder.receive()) {
            self.landed(frame);
        }
        let count = self.count;
        let lost: Vec<_> = self
            .flying
            .extract_if(.., |_, flying| count - flying.at > GIVEN_UP_AFTER)
            .collect();
        for (number, _) in lost {
            self.surfaces.shown(number);
        }
    }

    fn landed(&mut self, frame: Frame) {
        let Some(flying) = frame.number().and_then(|number| self.flying.remove(&(number as u64))) else {
            return;
        };
        if flying.picture.state().frame.is_some() {
            // Of a stream that does not begin with a key frame libav gives one picture out twice; a driver shows each once.
            self.flying.insert(flying.picture.number(), flying);
            return;
        }
        let raw = frame.raw();
        // Without a time stamp a picture comes one after the last.
        let timestamp = flying.timestamp.unwrap_or_else(|| {
            let last = self.waiting.back().map(|last| last.timestamp).or(self.last_shown);
            last.map_or(0, |last| last + self.ticks_a_frame())
        });
        self.waiting.push_back(Showing {
            picture: flying.picture.number(),
            index: flying.index,
            timestamp,
            is_progressive: raw.interlaced_frame == 0,
            top_first: raw.top_field_first != 0,
            repeat: raw.repeat_pict,
        });
        let mut state = flying.picture.state();
        state.is_damaged = frame.is_damaged();
        state.frame = Some(Arc::new(frame));
        drop(state);
        // Held until it is shown.
        self.flying.insert(flying.picture.number(), flying);
    }

    fn ticks_a_frame(&self) -> i64 {
        let ticks = i64::from(self.ticks_a_second);
        match self.format.as_ref().map(|format| format.rate()) {
            Some((num, den)) if num > 0 => ticks * i64::from(den) / i64::from(num),
            _ => ticks / 25,
        }
    }

    /// Shows what waits, but for the last so many.
    fn show(&mut self, delay: usize) -> Result<(), Code> {
        while self.waiting.len() > delay {
            let Some(next) = self.waiting.pop_front() else {
                break;
            };
            if let Some(flying) = self.flying.remove(&next.picture) {
                flying.picture.state().is_shown = true;
            }
            self.last_shown = Some(next.timestamp);
            let mut info = CUVIDPARSERDISPINFO {
                picture_index: next.index as c_int,
                progressive_frame: c_int::from(next.is_progressive),
                top_field_first: c_int::from(next.top_first),
                repeat_first_field: next.repeat,
                timestamp: next.timestamp,
            };
            let shown = self.call_display(&mut info);
            self.surfaces.shown(next.picture);
            shown?;
        }
        Ok(())
    }

    fn call_display(&self, info: *mut CUVIDPARSERDISPINFO) -> Result<(), Code> {
        let Some(call) = self.callbacks.display else {
            return Ok(());
        };
        // SAFETY: the caller's function with the caller's data, and null or what lives through the call.
        match unsafe { call(self.callbacks.user, info) } {
            ..=0 => Err(UNKNOWN),
            _ => Ok(()),
        }
    }

    /// All that is inside is shown; the decoder takes another stream.
    fn drain(&mut self) -> Result<(), Code> {
        if let Some((decoder, _)) = &mut self.decoders {
            decoder.end();
        }
        self.receive();
        let shown = self.show(0);
        if let Some((decoder, _)) = &mut self.decoders {
            decoder.restart();
        }
        for number in std::mem::take(&mut self.flying).into_keys() {
            self.surfaces.shown(number);
        }
        self.field = None;
        shown
    }
}
