//! A client of the decoder's library, as simple as one can be: what is shown is mapped, read and given back at once.

use crate::api::*;
use crate::call;
use nvidia_video_codec_sdk::sys::cuviddec as dec;
use nvidia_video_codec_sdk::sys::nvcuvid as cuvid;
use std::collections::VecDeque;
use std::ffi::c_int;
use std::ffi::c_uint;
use std::ffi::c_void;

/// What a client does otherwise than it should.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Habit {
    Good,
    /// Never gives frames back.
    Keeps,
    /// Maps what is shown when so many others were shown after it.
    MapsLate(usize),
    /// Gives fewer surfaces than are needed.
    Stingy,
    /// Does not make another decoder when the sequence changes.
    Stubborn,
    /// Tells its decoder of the change instead of making another one.
    Reconfigures,
}

/// A picture that was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub timestamp: i64,
    pub size: (usize, usize),
    /// Luma, then chroma in pairs; rows without anything behind them.
    pub bytes: Vec<u8>,
    pub status: u32,
    pub is_progressive: bool,
}

pub struct Client {
    habit: Habit,
    deinterlace: dec::cudaVideoDeinterlaceMode_enum,
    decoder: Pointer,
    parser: Pointer,
    codec: dec::cudaVideoCodec_enum,
    size: (usize, usize),
    sample: usize,
    pub events: Vec<String>,
    pub formats: Vec<(u32, u32, [i32; 4], u8)>,
    pub shown: Vec<Shown>,
    late: VecDeque<(c_int, i64)>,
    index: c_int,
    pub answers: Vec<c_int>,
}

impl Client {
    pub fn new(codec: dec::cudaVideoCodec_enum, habit: Habit, delay: u32) -> Box<Self> {
        let mut client = Box::new(Client {
            habit,
            deinterlace: dec::cudaVideoDeinterlaceMode_enum::cudaVideoDeinterlaceMode_Weave,
            decoder: NULL,
            parser: NULL,
            codec,
            size: (0, 0),
            sample: 1,
            events: Vec::new(),
            formats: Vec::new(),
            shown: Vec::new(),
            late: VecDeque::new(),
            index: 0,
            answers: Vec::new(),
        });
        // SAFETY: zeros are values of all of its fields.
        let mut how: cuvid::CUVIDPARSERPARAMS = unsafe { std::mem::zeroed() };
        how.CodecType = codec;
        how.ulMaxNumDecodeSurfaces = 1;
        how.ulClockRate = 1000;
        how.ulMaxDisplayDelay = delay;
        how.pUserData = (&raw mut *client).cast();
        how.pfnSequenceCallback = Some(on_sequence);
        how.pfnDecodePicture = Some(on_decode);
        how.pfnDisplayPicture = Some(on_display);
        assert_eq!(
            call!(cuvidCreateVideoParser(&raw mut client.parser, &raw mut how)),
            SUCCESS
        );
        client
    }

    pub fn deinterlacing(mut self: Box<Self>) -> Box<Self> {
        self.deinterlace = dec::cudaVideoDeinterlaceMode_enum::cudaVideoDeinterlaceMode_Bob;
        self
    }

    pub fn feed(&mut self, bytes: &[u8], timestamp: Option<i64>, flags: u64) -> c_int {
        let mut packet = cuvid::CUVIDSOURCEDATAPACKET {
            flags: flags | if timestamp.is_some() { 2 } else { 0 },
            payload_size: bytes.len() as u64,
            payload: if bytes.is_empty() {
                std::ptr::null()
            } else {
                bytes.as_ptr()
            },
            timestamp: timestamp.unwrap_or(0),
        };
        call!(cuvidParseVideoData(self.parser, &raw mut packet))
    }

    /// All of a stream in pieces of some odd size, then its end.
    pub fn play(&mut self, bytes: &[u8]) -> c_int {
        for piece in bytes.chunks(997) {
            let answer = self.feed(piece, None, 0);
            if answer != SUCCESS {
                return answer;
            }
        }
        self.feed(&[], None, 1 | 16)
    }

    pub fn end(&mut self) -> (c_int, c_int) {
        let parser = call!(cuvidDestroyVideoParser(self.parser));
        let decoder = if self.decoder.is_null() {
            SUCCESS
        } else {
            call!(cuvidDestroyDecoder(self.decoder))
        };
        (parser, decoder)
    }

    fn sequence(&mut self, format: &cuvid::CUVIDEOFORMAT) -> c_int {
        let area = &format.display_area;
        self.events.push("sequence".to_owned());
        self.formats.push((
            format.coded_width,
            format.coded_height,
            [area.left, area.top, area.right, area.bottom],
            format.progressive_sequence,
        ));
        let surfaces = u64::from(format.min_num_decode_surfaces);
        self.size = (
            (area.right - area.left).next_multiple_of_2() as usize,
            (area.bottom - area.top).next_multiple_of_2() as usize,
        );
        self.sample = if format.bit_depth_luma_minus8 > 0 { 2 } else { 1 };
        if !self.decoder.is_null() {
            if self.habit == Habit::Stubborn {
                return surfaces as c_int;
            }
            if self.habit == Habit::Reconfigures {
                let answer = self.reconfigure(format);
                self.answers.push(answer);
                return surfaces as c_int;
            }
            self.answers.push(call!(cuvidDestroyDecoder(self.decoder)));
        }
        // SAFETY: zeros are values of all of its fields.
        let mut info: dec::CUVIDDECODECREATEINFO = unsafe { std::mem::zeroed() };
        info.ulWidth = u64::from(format.coded_width);
        info.ulHeight = u64::from(format.coded_height);
        info.ulMaxWidth = info.ulWidth.max(640);
        info.ulMaxHeight = info.ulHeight.max(480);
        info.ulNumDecodeSurfaces = surfaces;
        info.CodecType = self.codec;
        info.ChromaFormat = format.chroma_format;
        info.bitDepthMinus8 = u64::from(format.bit_depth_luma_minus8);
        info.display_area.left = area.left as i16;
        info.display_area.top = area.top as i16;
        info.display_area.right = area.right as i16;
        info.display_area.bottom = area.bottom as i16;
        info.DeinterlaceMode = self.deinterlace;
        if self.sample == 2 {
            info.OutputFormat = dec::cudaVideoSurfaceFormat_enum::cudaVideoSurfaceFormat_P016;
        }
        (info.ulTargetWidth, info.ulTargetHeight) = (self.size.0 as u64, self.size.1 as u64);
        info.ulNumOutputSurfaces = 2;
        let answer = call!(cuvidCreateDecoder(&raw mut self.decoder, &raw mut info));
        self.answers.push(answer);
        match (answer, self.habit) {
            (SUCCESS, Habit::Stingy) => 2,
            (SUCCESS, _) => surfaces as c_int,
            _ => 0,
        }
    }

    /// Lends a frame out.
    pub fn map(&self, index: c_int) -> c_int {
        self.try_map(index).0
    }

    /// The address at which a frame was lent out.
    pub fn mapped(&self, index: c_int) -> u64 {
        let (answer, address) = self.try_map(index);
        assert_eq!(answer, SUCCESS);
        address
    }

    fn try_map(&self, index: c_int) -> (c_int, u64) {
        // SAFETY: zeros are values of all of its fields.
        let mut how: dec::CUVIDPROCPARAMS = unsafe { std::mem::zeroed() };
        let (mut address, mut pitch) = (0_u64, 0 as c_uint);
        let answer = call!(cuvidMapVideoFrame64(
            self.decoder,
            index,
            &raw mut address,
            &raw mut pitch,
            &raw mut how
        ));
        (answer, address)
    }

    pub fn unmap(&self, address: u64) -> c_int {
        call!(cuvidUnmapVideoFrame64(self.decoder, address))
    }

    /// The surface that was shown last.
    pub fn last_index(&self) -> c_int {
        self.index
    }

    /// Reconfigures when no sequence begins.
    pub fn reconfigure_now(&self) -> c_int {
        // SAFETY: zeros are values of all of its fields.
        let mut info: dec::CUVIDRECONFIGUREDECODERINFO = unsafe { std::mem::zeroed() };
        call!(cuvidReconfigureDecoder(self.decoder, &raw mut info))
    }

    fn reconfigure(&mut self, format: &cuvid::CUVIDEOFORMAT) -> c_int {
        let area = &format.display_area;
        // SAFETY: zeros are values of all of its fields.
        let mut info: dec::CUVIDRECONFIGUREDECODERINFO = unsafe { std::mem::zeroed() };
        (info.ulWidth, info.ulHeight) = (format.coded_width, format.coded_height);
        (info.ulTargetWidth, info.ulTargetHeight) = (self.size.0 as u32, self.size.1 as u32);
        info.ulNumDecodeSurfaces = u32::from(format.min_num_decode_surfaces);
        info.display_area.left = area.left as i16;
        info.display_area.top = area.top as i16;
        info.display_area.right = area.right as i16;
        info.display_area.bottom = area.bottom as i16;
        call!(cuvidReconfigureDecoder(self.decoder, &raw mut info))
    }

    fn display(&mut self, info: &cuvid::CUVIDPARSERDISPINFO) {
        self.events.push(format!("show {}", info.timestamp));
        self.index = info.picture_index;
        let now = (info.picture_index, info.timestamp);
        let lag = match self.habit {
            Habit::MapsLate(lag) => lag,
            _ => 0,
        };
        self.late.push_back(now);
        let wanted = if self.late.len() > lag {
            self.late.pop_front()
        } else {
            None
        };
        let Some((index, timestamp)) = wanted else {
            return;
        };
        // SAFETY: zeros are values of all of its fields.
        let mut how: dec::CUVIDPROCPARAMS = unsafe { std::mem::zeroed() };
        how.progressive_frame = info.progressive_frame;
        how.top_field_first = info.top_field_first;
        let (mut address, mut pitch) = (0_u64, 0 as c_uint);
        let answer = call!(cuvidMapVideoFrame64(
            self.decoder,
            index,
            &raw mut address,
            &raw mut pitch,
            &raw mut how
        ));
        self.answers.push(answer);
        if answer != SUCCESS {
            return;
        }
        // SAFETY: zeros are values of all of its fields.
        let mut status: dec::CUVIDGETDECODESTATUS = unsafe { std::mem::zeroed() };
        let told = call!(cuvidGetDecodeStatus(self.decoder, index, &raw mut status));
        let (pitch, row) = (pitch as usize, self.size.0 * self.sample);
        let rows = self.size.1 * 3 / 2;
        let all = read(address, pitch * rows);
        let bytes = all.chunks(pitch).flat_map(|line| &line[..row]).copied().collect();
        self.shown.push(Shown {
            timestamp,
            size: self.size,
            bytes,
            status: if told == SUCCESS {
                status.decodeStatus as u32
            } else {
                u32::MAX
            },
            is_progressive: info.progressive_frame != 0,
        });
        if self.habit != Habit::Keeps {
            self.answers.push(call!(cuvidUnmapVideoFrame64(self.decoder, address)));
        }
    }
}

trait Even {
    fn next_multiple_of_2(self) -> Self;
}
impl Even for i32 {
    fn next_multiple_of_2(self) -> Self {
        self + (self & 1)
    }
}

unsafe extern "C" fn on_sequence(client: *mut c_void, format: *mut cuvid::CUVIDEOFORMAT) -> c_int {
    // SAFETY: the client that made the parser, and what the callback is given.
    unsafe { (*client.cast::<Client>()).sequence(&*format) }
}

unsafe extern "C" fn on_decode(client: *mut c_void, picture: *mut dec::CUVIDPICPARAMS) -> c_int {
    // SAFETY: as above.
    let (client, index) = unsafe { (&mut *client.cast::<Client>(), (*picture).CurrPicIdx) };
    client.events.push(format!("decode into {index}"));
    let answer = call!(cuvidDecodePicture(client.decoder, picture));
    client.answers.push(answer);
    c_int::from(answer == SUCCESS)
}

unsafe extern "C" fn on_display(client: *mut c_void, info: *mut cuvid::CUVIDPARSERDISPINFO) -> c_int {
    // SAFETY: as above; null tells the end.
    let (client, info) = unsafe { (&mut *client.cast::<Client>(), info.as_ref()) };
    match info {
        Some(info) => client.display(info),
        None => client.events.push("end".to_owned()),
    }
    1
}
