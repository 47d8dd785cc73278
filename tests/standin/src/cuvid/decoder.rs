//! Decoders: what is to be decoded, and into which surface.
//!
//! Guarantees: a picture is refused that is of another size than the decoder was made for, that goes to a surface there
//! is not, or to one that is mapped.

use crate::contract;
use crate::cuda::allocate::PITCH;
use crate::cuda::code::Code;
use crate::cuda::code::INVALID_CONTEXT;
use crate::cuda::code::INVALID_HANDLE;
use crate::cuda::code::INVALID_VALUE;
use crate::cuda::code::NOT_SUPPORTED;
use crate::cuda::code::OUT_OF_MEMORY;
use crate::cuda::code::answer;
use crate::cuda::code::put;
use crate::cuda::code::refuse;
use crate::cuda::context;
use crate::cuda::context::Context;
use crate::cuda::memory;
use crate::cuda::memory::Kind;
use crate::cuda::memory::Piece;
use crate::cuda::memory::Reserved;
use crate::cuda::stream::Stream;
use crate::cuvid::caps::CHROMA_420;
use crate::cuvid::codec::Codec;
use crate::cuvid::lock;
use crate::cuvid::lock::Held;
use crate::cuvid::parser;
use crate::cuvid::picture::Picture;
use crate::cuvid::post::Target;
use crate::fault;
use crate::handle::Table;
use nvidia_video_codec_sdk::sys::cuviddec::CUVIDDECODECREATEINFO;
use nvidia_video_codec_sdk::sys::cuviddec::CUVIDGETDECODESTATUS;
use nvidia_video_codec_sdk::sys::cuviddec::CUVIDPICPARAMS;
use nvidia_video_codec_sdk::sys::cuviddec::CUVIDRECONFIGUREDECODERINFO;
use std::ffi::c_int;
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

/// Surfaces that a decoder can have, and frames that it can lend out.
const MAX_SURFACES: u64 = 32;
const MAX_FRAMES: u64 = 64;

static DECODERS: Table<Decoder> = Table::new();

/// A decoder.
#[derive(Debug)]
pub struct Decoder {
    codec: &'static Codec,
    context: u64,
    lock: usize,
    state: Mutex<State>,
    _memory: Reserved,
}

/// What changes of it.
#[derive(Debug)]
pub struct State {
    /// Largest size it can be told to take.
    room: (u32, u32),
    /// Size that it takes.
    size: (u32, u32),
    /// How frames are lent out.
    pub target: Target,
    /// What lies in its surfaces.
    pub surfaces: Vec<Option<Arc<Picture>>>,
    /// What it lends out.
    pub frames: Vec<Lent>,
}

/// A frame that can be lent out.
#[derive(Debug)]
pub struct Lent {
    /// Where it lies.
    pub piece: Arc<Piece>,
    /// To whom: the surface, and the stream on which it was written.
    pub to: Option<(usize, Arc<Stream>)>,
}

impl Decoder {
    /// What changes of it.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The living decoder of that handle, with its lock held and its context current.
pub fn enter(call: &str, handle: *mut c_void) -> Result<(Arc<Decoder>, Arc<Context>, Held), Code> {
    let Some(decoder) = DECODERS.get(handle) else {
        return refuse(call, INVALID_HANDLE, "no such decoder, or a destroyed one");
    };
    let held = lock::hold(call, std::ptr::without_provenance_mut(decoder.lock))?;
    let context = context::current(call)?;
    if context.number() != decoder.context {
        return refuse(call, INVALID_CONTEXT, "the decoder is of another context");
    }
    Ok((decoder, context, held))
}

/// The target of a decoder that is to be made, or why there can be none.
fn target(call: &str, info: &CUVIDDECODECREATEINFO, depth: u32) -> Result<Target, Code> {
    // SAFETY: as the caller's; enumerations are read as numbers.
    let (format, deinterlace) = unsafe {
        (
            (&raw const info.OutputFormat).cast::<u32>().read(),
            (&raw const info.DeinterlaceMode).cast::<u32>().read(),
        )
    };
    if format > 1 || (format == 1 && depth == 8) || deinterlace > 2 {
        let words = format!("surfaces of format {format} and deinterlacing {deinterlace} for {depth} bits");
        return refuse(call, INVALID_VALUE, words);
    }
    let area = &info.display_area;
    let rect = &info.target_rect;
    let target = Target {
        is_wide: format == 1,
        doubles_fields: deinterlace > 0,
        size: (info.ulTargetWidth as usize, info.ulTargetHeight as usize),
        area: [area.left, area.top, area.right, area.bottom].map(i32::from),
        rect: [rect.left, rect.top, rect.right, rect.bottom].map(i32::from),
    };
    target.check(call, (info.ulWidth, info.ulHeight))?;
    Ok(target)
}

fn create(call: &str, info: &CUVIDDECODECREATEINFO) -> Result<Decoder, Code> {
    let _held = lock::hold(call, info.vidLock.cast())?;
    let context = context::current(call)?;
    // SAFETY: as the caller's; enumerations are read as numbers.
    let (number, chroma) = unsafe {
        (
            (&raw const info.CodecType).cast::<u32>().read(),
            (&raw const info.ChromaFormat).cast::<u32>().read(),
        )
    };
    if info.Reserved1 != 0 || info.Reserved2 != [0; 4] {
        return refuse(call, INVALID_VALUE, "reserved fields are not 0");
    }
    if !(1..=MAX_SURFACES).contains(&info.ulNumDecodeSurfaces) || !(1..=MAX_FRAMES).contains(&info.ulNumOutputSurfaces)
    {
        let words = format!(
            "{} surfaces, {} frames",
            info.ulNumDecodeSurfaces, info.ulNumOutputSurfaces
        );
        return refuse(call, INVALID_VALUE, words);
    }
    let depth = info.bitDepthMinus8 as u32 + 8;
    let size = (info.ulWidth as u32, info.ulHeight as u32);
    // What the abilities say no to is refused; asking all the same is no offence.
    let codec = Codec::numbered(number)
        .filter(|codec| chroma == CHROMA_420 && codec.is_taken(depth) && codec.has_size(size.0, size.1))
        .filter(|_| info.enableHistogram == 0)
        .ok_or(NOT_SUPPORTED)?;
    let room = (size.0.max(info.ulMaxWidth as u32), size.1.max(info.ulMaxHeight as u32));
    let target = target(call, info, depth)?;
    let sample = if depth > 8 { 2 } else { 1 };
    let surface = room.0.next_multiple_of(16) as usize * room.1.next_multiple_of(16) as usize * sample * 3 / 2;
    let memory = Reserved::new(context.device(), surface * info.ulNumDecodeSurfaces as usize).ok_or(OUT_OF_MEMORY)?;
    let frames = lend(&context, &target, info.ulNumOutputSurfaces as usize)?;
    Ok(Decoder {
        codec,
        context: context.number(),
        lock: info.vidLock.addr(),
        state: Mutex::new(State {
            room,
            size,
            target,
            surfaces: vec![None; info.ulNumDecodeSurfaces as usize],
            frames,
        }),
        _memory: memory,
    })
}

/// Takes memory for frames.
fn lend(context: &Context, target: &Target, count: usize) -> Result<Vec<Lent>, Code> {
    let pitch = target.row_bytes().next_multiple_of(PITCH);
    let mut frames = Vec::new();
    for _ in 0..count {
        let Some(piece) = memory::take(context, pitch * target.rows(), Kind::Frame) else {
            take_back("cuvidCreateDecoder", &frames);
            return Err(OUT_OF_MEMORY);
        };
        piece.set_open(false);
        frames.push(Lent { piece, to: None });
    }
    Ok(frames)
}

fn take_back(call: &str, frames: &[Lent]) {
    for frame in frames {
        memory::give_back(call, frame.piece.address());
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuvidCreateDecoder(to: *mut *mut c_void, info: *mut CUVIDDECODECREATEINFO) -> Code {
    let call = "cuvidCreateDecoder";
    if info.is_null() {
        return answer(refuse(call, INVALID_VALUE, "a null pointer"));
    }
    // SAFETY: as this function's.
    answer(create(call, unsafe { &*info }).and_then(|decoder| {
        let handle = DECODERS.insert(decoder);
        // SAFETY: as this function's.
        unsafe { put(call, to, handle) }
    }))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuvidDestroyDecoder(handle: *mut c_void) -> Code {
    let call = "cuvidDestroyDecoder";
    answer((|| {
        let Some(decoder) = DECODERS.remove(handle) else {
            return refuse(call, INVALID_HANDLE, "no such decoder, or a destroyed one");
        };
        // Its memory goes even when its context is lost.
        let state = decoder.state();
        let mapped = state.frames.iter().filter(|frame| frame.to.is_some()).count();
        // Once the device is lost no unmapping is heard any more: nobody can do better then.
        if mapped > 0 && context::current(call).is_ok() {
            contract::violated(call, format!("{mapped} frames are mapped"));
        }
        take_back(call, &state.frames);
        let _held = lock::hold(call, std::ptr::without_provenance_mut(decoder.lock))?;
        context::current(call).map(|_| ())
    })())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuvidDecodePicture(handle: *mut c_void, parameters: *mut CUVIDPICPARAMS) -> Code {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let call = "cuvidDecodePicture";
    answer(enter(call, handle).and_then(|(decoder, _context, _held)| {
        // SAFETY: as this function's: null or parameters.
        let Some(parameters) = (unsafe { parameters.as_ref() }) else {
            return refuse(call, INVALID_VALUE, "a null pointer");
        };
        let Some(picture) = Picture::of(parameters) else {
            return refuse(
                call,
                INVALID_VALUE,
                "parameters that no parser gave, or after its callback returned",
            );
        };
        if picture.codec().number != decoder.codec.number {
            let words = format!(
                "a picture of {} to a decoder of {}",
                picture.codec().name,
                decoder.codec.name
            );
            return refuse(call, INVALID_VALUE, words);
        }
        let mut state = decoder.state();
        let blocks = (parameters.PicWidthInMbs as u32, parameters.FrameHeightInMbs as u32);
        let made_for = (state.size.0.div_ceil(16), state.size.1.div_ceil(16));
        if blocks != made_for {
            let words = format!("a picture of {blocks:?} blocks to a decoder made for {made_for:?}");
            return refuse(call, INVALID_VALUE, words);
        }
        let index = parameters.CurrPicIdx as usize;
        if index >= state.surfaces.len() {
            let words = format!("surface {index} of {}", state.surfaces.len());
            return refuse(call, INVALID_VALUE, words);
        }
        if state
            .frames
            .iter()
            .any(|frame| frame.to.as_ref().is_some_and(|(mapped, _)| *mapped == index))
        {
            return refuse(call, INVALID_VALUE, format!("surface {index} is mapped"));
        }
        if parameters.second_field == 0 {
            let number = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
            picture.state().fails = fault::picture_fails(number);
            state.surfaces[index] = Some(picture);
        }
        Ok(())
    }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuvidGetDecodeStatus(
    handle: *mut c_void,
    index: c_int,
    status: *mut CUVIDGETDECODESTATUS,
) -> Code {
    let call = "cuvidGetDecodeStatus";
    answer(enter(call, handle).and_then(|(decoder, _context, _held)| {
        if status.is_null() {
            return refuse(call, INVALID_VALUE, "a null pointer");
        }
        if !decoder.codec.tells_status {
            return Err(NOT_SUPPORTED);
        }
        let state = decoder.state();
        let Some(surface) = usize::try_from(index).ok().and_then(|index| state.surfaces.get(index)) else {
            return refuse(call, INVALID_VALUE, format!("there is no surface {index}"));
        };
        let known = surface.as_ref().map_or(0, |picture| match *picture.state() {
            crate::cuvid::picture::State { fails: true, .. } => 8,
            crate::cuvid::picture::State { frame: None, .. } => 1,
            crate::cuvid::picture::State { is_damaged: true, .. } => 9,
            _ => 2_u32,
        });
        // SAFETY: as this function's; all of these numbers are of the enumeration.
        unsafe { (&raw mut (*status).decodeStatus).cast::<u32>().write(known) };
        Ok(())
    }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuvidReconfigureDecoder(handle: *mut c_void, info: *mut CUVIDRECONFIGUREDECODERINFO) -> Code {
    let call = "cuvidReconfigureDecoder";
    answer(enter(call, handle).and_then(|(decoder, context, _held)| {
        // SAFETY: as this function's: null or what the header calls it.
        let Some(info) = (unsafe { info.as_ref() }) else {
            return refuse(call, INVALID_VALUE, "a null pointer");
        };
        if !parser::is_in_sequence_callback() {
            return refuse(call, INVALID_VALUE, "called outside of a sequence callback");
        }
        let mut state = decoder.state();
        if state.frames.iter().any(|frame| frame.to.is_some()) {
            return refuse(call, INVALID_VALUE, "frames are mapped");
        }
        if info.ulWidth > state.room.0 || info.ulHeight > state.room.1 {
            let words = format!("{}x{} of at most {:?}", info.ulWidth, info.ulHeight, state.room);
            return refuse(call, INVALID_VALUE, words);
        }
        if !(1..=MAX_SURFACES).contains(&u64::from(info.ulNumDecodeSurfaces)) {
            return refuse(call, INVALID_VALUE, format!("{} surfaces", info.ulNumDecodeSurfaces));
        }
        let (area, rect) = (&info.display_area, &info.target_rect);
        let target = Target {
            size: (info.ulTargetWidth as usize, info.ulTargetHeight as usize),
            area: [area.left, area.top, area.right, area.bottom].map(i32::from),
            rect: [rect.left, rect.top, rect.right, rect.bottom].map(i32::from),
            ..state.target
        };
        target.check(call, (u64::from(info.ulWidth), u64::from(info.ulHeight)))?;
        let frames = lend(&context, &target, state.frames.len())?;
        take_back(call, &state.frames);
        state.frames = frames;
        state.size = (info.ulWidth, info.ulHeight);
        state.target = target;
        state.surfaces = vec![None; info.ulNumDecodeSurfaces as usize];
        Ok(())
    }))
}
