//! `nvEncEncodePicture`: pictures in, coded pictures into the buffers whose turn it is.
//!
//! Guarantees: needs more input exactly as long as the picture given last waits for a later one; success means that
//! every buffer submitted so far may be locked, which with a lookahead may wait for pictures to come.

use crate::nvenc::ability::Codec;
use crate::nvenc::answer::Answer;
use crate::nvenc::answer::breach;
use crate::nvenc::answer::refused;
use crate::nvenc::driver;
use crate::nvenc::order::Kind;
use crate::nvenc::order::Turn;
use crate::nvenc::output::Written;
use crate::nvenc::session;
use crate::nvenc::session::Running;
use crate::nvenc::session::Session;
use crate::nvenc::session::State;
use crate::nvenc::session::Submitted;
use crate::nvenc::setup::Setup;
use crate::nvenc::setup::word;
use crate::nvenc::stream::Extras;
use crate::nvenc::stream::Stream;
use crate::settings::settings;
use nvidia_video_codec_sdk::sys::nvEncodeAPI as sys;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_PIC_FLAGS;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_PIC_PARAMS;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_SEI_PAYLOAD;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NVENCSTATUS;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NVENCSTATUS::*;
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

const FORCE_INTRA: u32 = NV_ENC_PIC_FLAGS::NV_ENC_PIC_FLAG_FORCEINTRA as u32;
const FORCE_IDR: u32 = NV_ENC_PIC_FLAGS::NV_ENC_PIC_FLAG_FORCEIDR as u32;
const OUTPUT_HEADERS: u32 = NV_ENC_PIC_FLAGS::NV_ENC_PIC_FLAG_OUTPUT_SPSPPS as u32;
const END: u32 = NV_ENC_PIC_FLAGS::NV_ENC_PIC_FLAG_EOS as u32;

pub unsafe extern "C" fn encode_picture(encoder: *mut c_void, params: *mut NV_ENC_PIC_PARAMS) -> NVENCSTATUS {
    let call = "nvEncEncodePicture";
    session::call(call, encoder, |session, state| {
        // SAFETY: the caller's struct, or null.
        let Some(params) = (unsafe { params.as_ref() }) else {
            return Err(breach(NV_ENC_ERR_INVALID_PTR, "no parameters"));
        };
        if params.version != sys::NV_ENC_PIC_PARAMS_VER {
            return Err(breach(NV_ENC_ERR_INVALID_VERSION, "NV_ENC_PIC_PARAMS::version"));
        }
        state.running()?;
        let here = std::thread::current().id();
        state.submitter = Some(here);
        let answer = if params.encodePicFlags & END != 0 {
            end(state, params)
        } else {
            fail_if_asked().and_then(|()| submit(session, state, params))
        };
        session.changed.notify_all();
        answer
    })
}

fn end(state: &mut State, params: &NV_ENC_PIC_PARAMS) -> Answer {
    if !params.inputBuffer.is_null() {
        return Err(breach(
            NV_ENC_ERR_INVALID_PARAM,
            "the end of the stream together with a picture",
        ));
    }
    let running = state.running()?;
    running.is_flushed = true;
    let turns = running.order.ready(true);
    code(state, turns)?;
    state.outputs.promise();
    Ok(())
}

/// The error that the environment asks for.
fn fail_if_asked() -> Answer {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
    if settings().encode_error_at == Some(number) {
        return Err(refused(NV_ENC_ERR_GENERIC, "fails, as it was told to"));
    }
    Ok(())
}

fn submit(session: &Session, state: &mut State, params: &NV_ENC_PIC_PARAMS) -> Answer {
    check(params)?;
    let (input, output) = (params.inputBuffer.addr(), params.outputBitstream.addr());
    let (picture, memory) = state.resources.look(input)?;
    state.outputs.check_free(output)?;
    // Mapping waits for the default stream; of other work the encoder knows what is on its input stream.
    let default = session.context.default_stream();
    let input_stream = match &state.streams {
        Some(streams) => streams.input(&session.context)?,
        None => Arc::clone(default),
    };
    let is_ready = [default, &input_stream]
        .iter()
        .any(|stream| driver::is_ready_for(picture.address, stream));
    if !is_ready {
        return Err(breach(
            NV_ENC_ERR_INVALID_CALL,
            "the picture may still be drawn: by work that is neither on the input stream nor waited for",
        ));
    }
    let wrong = |text: String| Err(breach(NV_ENC_ERR_INVALID_PARAM, text));
    if word!(params.bufferFmt) != picture.format {
        return wrong("bufferFmt is not that of the mapped picture".to_owned());
    }
    let pitches = [picture.shape.pitch, picture.shape.width];
    if !pitches.contains(&(params.inputPitch as usize)) {
        return wrong(format!(
            "inputPitch {} is neither the pitch nor the width",
            params.inputPitch
        ));
    }
    let running = state.running()?;
    let size = (running.setup.width, running.setup.height);
    if (params.inputWidth, params.inputHeight) != size {
        return wrong(format!("a picture of {}x{}", params.inputWidth, params.inputHeight));
    }
    if (picture.shape.width, picture.shape.height) != (size.0 as usize, size.1 as usize) {
        return wrong("the mapped picture has another size than the session".to_owned());
    }
    let depth = if picture.shape.is_ten_bit { 10 } else { 8 };
    if depth != running.setup.input_depth {
        return wrong(format!(
            "a picture of {depth} bits in a session of {}",
            running.setup.input_depth
        ));
    }
    let extras = extras(running.setup.codec, params)?;
    let digest = picture.shape.digest(&memory);
    let serial = running.submitted;
    running.submitted += 1;
    running.is_flushed = false;
    let forced = params.encodePicFlags & FORCE_IDR != 0 || std::mem::take(&mut running.force_next_idr);
    let submitted = Submitted {
        picture: picture.shape.picture(&memory, running.setup.depth),
        setup: Arc::clone(&running.setup),
        serial,
        timestamp: params.inputTimeStamp,
        duration: params.inputDuration,
        extras,
    };
    running.order.push(submitted, forced);
    let turns = running.order.ready(false);
    state.resources.used(input, serial, digest);
    state.outputs.submit(output);
    if turns.is_empty() {
        return Err(refused(NV_ENC_ERR_NEED_MORE_INPUT, "the picture waits for later ones"));
    }
    code(state, turns)?;
    state.outputs.promise();
    Ok(())
}

fn check(params: &NV_ENC_PIC_PARAMS) -> Answer {
    let wrong = |text| Err(breach(NV_ENC_ERR_INVALID_PARAM, text));
    let has_reserved = params.reserved1.iter().chain(&params.reserved3).any(|word| *word != 0)
        || params
            .reserved2
            .iter()
            .chain(&params.reserved4)
            .any(|pointer| !pointer.is_null())
        || params.reservedBitFields != 0;
    if has_reserved {
        return wrong("NV_ENC_PIC_PARAMS: a reserved field is not 0");
    }
    if params.inputBuffer.is_null() {
        return wrong("no inputBuffer, and not the end of the stream");
    }
    if !params.completionEvent.is_null() {
        return wrong("a completionEvent: there is no asynchronous mode on Linux");
    }
    if word!(params.pictureStruct) != 1 {
        return wrong("pictureStruct is not that of a frame");
    }
    if params.encodePicFlags & !0x3f != 0 {
        return wrong("encodePicFlags that the header does not know");
    }
    if params.encodePicFlags & (FORCE_INTRA | 0x30) != 0 {
        return Err(refused(
            NV_ENC_ERR_UNSUPPORTED_PARAM,
            "the stand-in forces no intra pictures that are not IDR, and keeps no state or picture aside",
        ));
    }
    let is_plain = params.qpDeltaMap.is_null() && params.meExternalHints.is_null() && params.alphaBuffer.is_null();
    if !is_plain {
        return Err(refused(
            NV_ENC_ERR_UNSUPPORTED_PARAM,
            "the stand-in takes no QP maps, hints or alpha",
        ));
    }
    Ok(())
}

/// What is wanted beside the picture; the messages are copied, because they are the caller's again when this answers.
fn extras(codec: Codec, params: &NV_ENC_PIC_PARAMS) -> Answer<Extras> {
    // SAFETY: plain numbers and pointers, whichever codec's they are.
    let (count, first) = unsafe {
        match codec {
            Codec::H264 => {
                let own = &params.codecPicParams.h264PicParams;
                (own.seiPayloadArrayCnt, own.seiPayloadArray)
            }
            Codec::Hevc => {
                let own = &params.codecPicParams.hevcPicParams;
                (own.seiPayloadArrayCnt, own.seiPayloadArray)
            }
            Codec::Av1 => {
                let own = &params.codecPicParams.av1PicParams;
                (own.obuPayloadArrayCnt, own.obuPayloadArray)
            }
        }
    };
    let mut extras = Extras {
        with_headers: params.encodePicFlags & OUTPUT_HEADERS != 0,
        messages: Vec::new(),
    };
    if count == 0 {
        return Ok(extras);
    }
    if first.is_null() {
        return Err(breach(NV_ENC_ERR_INVALID_PTR, "payloads are counted and not given"));
    }
    // SAFETY: the caller says that there are so many.
    let payloads: &[NV_ENC_SEI_PAYLOAD] = unsafe { std::slice::from_raw_parts(first, count as usize) };
    for payload in payloads {
        if payload.payload.is_null() || payload.payloadSize == 0 {
            return Err(breach(NV_ENC_ERR_INVALID_PARAM, "an empty payload"));
        }
        if codec == Codec::Av1 && !(1..32).contains(&payload.payloadType) {
            return Err(breach(
                NV_ENC_ERR_INVALID_PARAM,
                "a payload type that is no type of metadata",
            ));
        }
        // SAFETY: the caller says that it is so long.
        let bytes = unsafe { std::slice::from_raw_parts(payload.payload, payload.payloadSize as usize) };
        extras.messages.push((payload.payloadType, bytes.to_vec()));
    }
    Ok(extras)
}

/// Codes pictures in their order, each into the buffer whose turn it is.
fn code(state: &mut State, turns: Vec<Turn<Submitted>>) -> Answer {
    for turn in turns {
        let running = state.running()?;
        let item = turn.item;
        follow(running, turn.kind, &item.setup)?;
        let unit = running
            .stream
            .code(&item.picture, turn.kind, turn.since_idr, &item.extras)
            .map_err(|text| refused(NV_ENC_ERR_GENERIC, text))?;
        state.outputs.write(Written {
            bytes: unit.bytes,
            kind: turn.kind,
            qp: unit.qp,
            serial: item.serial,
            timestamp: item.timestamp,
            duration: item.duration,
            coding_index: 0,
        });
    }
    Ok(())
}

/// At an IDR the stream takes on what was reconfigured before its picture came.
fn follow(running: &mut Running, kind: Kind, setup: &Setup) -> Answer {
    if kind == Kind::Idr && running.stream.setup() != setup {
        running.stream = Stream::open(setup).map_err(|text| refused(NV_ENC_ERR_GENERIC, text))?;
    }
    Ok(())
}
