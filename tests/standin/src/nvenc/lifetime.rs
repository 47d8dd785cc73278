//! A session from its opening to its end: opened, initialised, reconfigured, asked for its headers, destroyed.
//!
//! Guarantees: a session ends only when nothing of it is mapped, registered, locked or allocated and its encoder was
//! flushed, or it is a breach; it ends all the same.

use crate::contract;
use crate::cuda::context;
use crate::cuda::memory::Reserved;
use crate::cuda::stream;
use crate::nvenc::ability::Codec;
use crate::nvenc::answer::Answer;
use crate::nvenc::answer::breach;
use crate::nvenc::answer::refused;
use crate::nvenc::answer::status_of;
use crate::nvenc::order::Order;
use crate::nvenc::picture::Shape;
use crate::nvenc::query::put;
use crate::nvenc::session;
use crate::nvenc::session::IoStreams;
use crate::nvenc::session::Running;
use crate::nvenc::session::State;
use crate::nvenc::setup::Setup;
use crate::nvenc::setup::word;
use crate::nvenc::stream::Stream;
use crate::settings::settings;
use nvidia_video_codec_sdk::sys::nvEncodeAPI as sys;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_INITIALIZE_PARAMS;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_OPEN_ENCODE_SESSION_EX_PARAMS;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_RECONFIGURE_PARAMS;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_SEQUENCE_PARAM_PAYLOAD;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NVENCSTATUS;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NVENCSTATUS::*;
use std::ffi::c_char;
use std::ffi::c_void;
use std::sync::Arc;

/// Pictures that an encoder keeps on the device beside those that wait: references and what is being coded.
const OWN_PICTURES: u32 = 6;
/// A device of CUDA's.
const CUDA: u32 = 1;

pub unsafe extern "C" fn open(
    params: *mut NV_ENC_OPEN_ENCODE_SESSION_EX_PARAMS,
    encoder: *mut *mut c_void,
) -> NVENCSTATUS {
    // SAFETY: the caller's struct, or null.
    let answer = match unsafe { params.as_ref() } {
        None => Err(breach(NV_ENC_ERR_INVALID_PTR, "no parameters")),
        Some(_) if encoder.is_null() => Err(breach(NV_ENC_ERR_INVALID_PTR, "no place for the session")),
        Some(params) => open_checked(params),
    };
    let answer = match answer {
        Ok(handle) => put(encoder, handle),
        Err(refusal) => {
            if !encoder.is_null() {
                // SAFETY: not null, and the caller's to be written to.
                unsafe { encoder.write(std::ptr::null_mut()) };
            }
            Err(refusal)
        }
    };
    status_of("nvEncOpenEncodeSessionEx", answer)
}

fn open_checked(params: &NV_ENC_OPEN_ENCODE_SESSION_EX_PARAMS) -> Answer<*mut c_void> {
    if params.version != sys::NV_ENC_OPEN_ENCODE_SESSION_EX_PARAMS_VER {
        return Err(breach(
            NV_ENC_ERR_INVALID_VERSION,
            "NV_ENC_OPEN_ENCODE_SESSION_EX_PARAMS::version",
        ));
    }
    if params.apiVersion != sys::NVENCAPI_VERSION {
        return Err(breach(NV_ENC_ERR_INVALID_VERSION, "apiVersion"));
    }
    let has_reserved = !params.reserved.is_null()
        || params.reserved1.iter().any(|word| *word != 0)
        || params.reserved2.iter().any(|pointer| !pointer.is_null());
    if has_reserved {
        return Err(breach(NV_ENC_ERR_INVALID_PARAM, "a reserved field is not 0"));
    }
    if word!(params.deviceType) != CUDA {
        return Err(refused(NV_ENC_ERR_UNSUPPORTED_DEVICE, "a device that is not CUDA's"));
    }
    let Some(context) = context::of_handle(params.device) else {
        return Err(breach(NV_ENC_ERR_INVALID_ENCODERDEVICE, "device is no living context"));
    };
    context
        .usable()
        .map_err(|code| refused(NV_ENC_ERR_DEVICE_NOT_EXIST, format!("the device is lost ({code})")))?;
    if !context::is_primary(params.device) {
        return Err(breach(
            NV_ENC_ERR_INVALID_DEVICE,
            "the context is not the device's primary one",
        ));
    }
    if context::current_handle() != params.device {
        return Err(breach(
            NV_ENC_ERR_INVALID_DEVICE,
            "the context is not current on this thread",
        ));
    }
    if settings().no_nvenc {
        // What cards without an encoder answer.
        return Err(refused(NV_ENC_ERR_UNSUPPORTED_DEVICE, "the device has no encoder"));
    }
    session::open(context)
}

pub unsafe extern "C" fn initialize(encoder: *mut c_void, params: *mut NV_ENC_INITIALIZE_PARAMS) -> NVENCSTATUS {
    session::call("nvEncInitializeEncoder", encoder, |session, state| {
        // SAFETY: the caller's struct, or null.
        let Some(params) = (unsafe { params.as_ref() }) else {
            return Err(breach(NV_ENC_ERR_INVALID_PTR, "no parameters"));
        };
        if state.running.is_some() {
            return Err(breach(NV_ENC_ERR_INVALID_CALL, "the session is initialised already"));
        }
        let setup = Setup::read(params)?;
        let (width, height) = (setup.width.max(setup.max_width), setup.height.max(setup.max_height));
        let pictures = OWN_PICTURES + setup.bframes + setup.lookahead;
        let bytes = Shape::bytes(width, height, setup.depth) * pictures as usize;
        let memory = Reserved::new(session.context.device(), bytes)
            .ok_or_else(|| refused(NV_ENC_ERR_OUT_OF_MEMORY, "the device has no memory left"))?;
        let stream = Stream::open(&setup).map_err(|text| refused(NV_ENC_ERR_GENERIC, text))?;
        let order = Order::new(setup.interval, setup.idr_period, setup.lookahead);
        state.running = Some(Running {
            order: if setup.codec == Codec::Av1 {
                order.packed()
            } else {
                order
            },
            setup: Arc::new(setup),
            stream,
            submitted: 0,
            _memory: memory,
            force_next_idr: false,
            is_flushed: true,
        });
        Ok(())
    })
}

pub unsafe extern "C" fn reconfigure(encoder: *mut c_void, params: *mut NV_ENC_RECONFIGURE_PARAMS) -> NVENCSTATUS {
    session::call("nvEncReconfigureEncoder", encoder, |_, state| {
        // SAFETY: the caller's struct, or null.
        let Some(params) = (unsafe { params.as_ref() }) else {
            return Err(breach(NV_ENC_ERR_INVALID_PTR, "no parameters"));
        };
        if params.version != sys::NV_ENC_RECONFIGURE_PARAMS_VER {
            return Err(breach(NV_ENC_ERR_INVALID_VERSION, "NV_ENC_RECONFIGURE_PARAMS::version"));
        }
        let running = state.running()?;
        let mut setup = Setup::read(&params.reInitEncodeParams)?;
        if params.reInitEncodeParams.encodeConfig.is_null() && setup.preset == running.setup.preset {
            // The configuration in use goes on; what stands beside it changes.
            setup = Setup {
                width: setup.width,
                height: setup.height,
                display_aspect: setup.display_aspect,
                rate_num: setup.rate_num,
                rate_den: setup.rate_den,
                ..(*running.setup).clone()
            };
        }
        setup.can_follow(&running.setup)?;
        let is_resized = (setup.width, setup.height) != (running.setup.width, running.setup.height);
        let restarts = params.forceIDR() == 1 || params.resetEncoder() == 1;
        if is_resized && !restarts {
            contract::violated("nvEncReconfigureEncoder", "another size without forceIDR");
        }
        running.force_next_idr |= restarts || is_resized;
        running.setup = Arc::new(setup);
        Ok(())
    })
}

/// The streams on which pictures come and go. Each is the address of a variable that holds a stream, which the encoder
/// goes on reading: it must stay.
pub unsafe extern "C" fn set_io_streams(encoder: *mut c_void, input: *mut c_void, output: *mut c_void) -> NVENCSTATUS {
    session::call("nvEncSetIOCudaStreams", encoder, |session, state| {
        state.running()?;
        for pointer in [input, output] {
            if pointer.is_null() {
                return Err(breach(
                    NV_ENC_ERR_INVALID_PTR,
                    "a null pointer in place of the address of a stream",
                ));
            }
            let is_a_stream = pointer.addr() > 2 && stream::find(&session.context, pointer).is_some();
            if is_a_stream || pointer.addr() <= 2 {
                let text = "a stream, where the address of a variable that holds one is wanted";
                return Err(breach(NV_ENC_ERR_INVALID_PARAM, text));
            }
        }
        let streams = IoStreams::new(input, output);
        streams.input(&session.context)?;
        state.streams = Some(streams);
        Ok(())
    })
}

pub unsafe extern "C" fn sequence_params(
    encoder: *mut c_void,
    payload: *mut NV_ENC_SEQUENCE_PARAM_PAYLOAD,
) -> NVENCSTATUS {
    session::call("nvEncGetSequenceParams", encoder, |_, state| {
        same_thread(state)?;
        let headers = state.running()?.stream.parameter_sets();
        give_headers(&headers, payload)
    })
}

pub unsafe extern "C" fn sequence_params_ex(
    encoder: *mut c_void,
    params: *mut NV_ENC_INITIALIZE_PARAMS,
    payload: *mut NV_ENC_SEQUENCE_PARAM_PAYLOAD,
) -> NVENCSTATUS {
    session::call("nvEncGetSequenceParamEx", encoder, |_, state| {
        same_thread(state)?;
        let headers = match &state.running {
            Some(running) => running.stream.parameter_sets(),
            None => {
                // SAFETY: the caller's struct, or null.
                let Some(params) = (unsafe { params.as_ref() }) else {
                    return Err(breach(NV_ENC_ERR_INVALID_PTR, "neither initialised nor told with what"));
                };
                let stream = Stream::open(&Setup::read(params)?).map_err(|text| refused(NV_ENC_ERR_GENERIC, text))?;
                stream.parameter_sets()
            }
        };
        give_headers(&headers, payload)
    })
}

fn same_thread(state: &State) -> Answer {
    match state.submitter {
        Some(thread) if thread != std::thread::current().id() => Err(breach(
            NV_ENC_ERR_INVALID_CALL,
            "from another thread than nvEncEncodePicture",
        )),
        _ => Ok(()),
    }
}

fn give_headers(headers: &[u8], payload: *mut NV_ENC_SEQUENCE_PARAM_PAYLOAD) -> Answer {
    // SAFETY: the caller's struct, or null.
    let Some(payload) = (unsafe { payload.as_ref() }) else {
        return Err(breach(NV_ENC_ERR_INVALID_PTR, "no parameters"));
    };
    if payload.version != sys::NV_ENC_SEQUENCE_PARAM_PAYLOAD_VER {
        return Err(breach(
            NV_ENC_ERR_INVALID_VERSION,
            "NV_ENC_SEQUENCE_PARAM_PAYLOAD::version",
        ));
    }
    if payload.spsppsBuffer.is_null() {
        return Err(breach(NV_ENC_ERR_INVALID_PTR, "no spsppsBuffer"));
    }
    if (payload.inBufferSize as usize) < headers.len() {
        return Err(refused(
            NV_ENC_ERR_NOT_ENOUGH_BUFFER,
            format!("{} bytes are needed", headers.len()),
        ));
    }
    put(payload.outSPSPPSPayloadSize, headers.len() as u32)?;
    // SAFETY: the caller says that so many bytes lie there, and they suffice.
    unsafe { std::ptr::copy_nonoverlapping(headers.as_ptr(), payload.spsppsBuffer.cast::<u8>(), headers.len()) };
    Ok(())
}

pub unsafe extern "C" fn last_error(encoder: *mut c_void) -> *const c_char {
    match session::of(encoder) {
        // The text lives until the session's next error.
        Ok(session) => session.lock().last_error.as_ptr(),
        Err(refusal) => {
            status_of("nvEncGetLastErrorString", Err(refusal));
            c"".as_ptr()
        }
    }
}

pub unsafe extern "C" fn destroy(encoder: *mut c_void) -> NVENCSTATUS {
    let call = "nvEncDestroyEncoder";
    let session = match session::close(encoder) {
        Ok(session) => session,
        Err(refusal) => return status_of(call, Err(refusal)),
    };
    let mut state = session.lock();
    state.is_over = true;
    session.changed.notify_all();
    let is_lost = session.context.usable().is_err();
    let (registered, mapped) = state.resources.census();
    let (buffers, busy) = state.outputs.census();
    let unflushed = state.running.as_ref().is_some_and(|running| !running.is_flushed);
    // After the device is lost nothing can be put in order any more.
    if !is_lost {
        for (count, what) in [
            (mapped, "pictures are still mapped"),
            (registered, "pictures are still registered"),
            (busy, "bitstream buffers hold or wait for a picture"),
            (buffers, "bitstream buffers are not destroyed"),
        ] {
            if count > 0 {
                contract::violated(call, format!("{count} {what}"));
            }
        }
        if unflushed {
            contract::violated(call, "pictures were submitted and the end of the stream was not");
        }
    }
    NV_ENC_SUCCESS
}
