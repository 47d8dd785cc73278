//! `nvEncLockBitstream` and `nvEncUnlockBitstream`, and the making and ending of bitstream buffers.
//!
//! Guarantees: a lock of a buffer that a call has answered success for waits until it is filled; that of any other is a
//! breach, as is one that would wait for ever.

use crate::nvenc::answer::Answer;
use crate::nvenc::answer::breach;
use crate::nvenc::answer::refused;
use crate::nvenc::answer::status_of;
use crate::nvenc::order::Kind;
use crate::nvenc::output::Found;
use crate::nvenc::session;
use crate::nvenc::session::Session;
use crate::nvenc::session::State;
use nvidia_video_codec_sdk::sys::nvEncodeAPI as sys;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_CREATE_BITSTREAM_BUFFER;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_LOCK_BITSTREAM;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_PIC_STRUCT;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_PIC_TYPE;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NVENCSTATUS;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NVENCSTATUS::*;
use std::ffi::c_void;
use std::sync::MutexGuard;
use std::time::Duration;
use std::time::Instant;

/// How long a lock waits for pictures that another thread is to submit, before it is taken for one that never ends.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it looks whether the device is lost.
const LOOK: Duration = Duration::from_millis(100);

pub unsafe extern "C" fn create_bitstream_buffer(
    encoder: *mut c_void,
    params: *mut NV_ENC_CREATE_BITSTREAM_BUFFER,
) -> NVENCSTATUS {
    session::call("nvEncCreateBitstreamBuffer", encoder, |_, state| {
        // SAFETY: the caller's struct, or null.
        let Some(params) = (unsafe { params.as_mut() }) else {
            return Err(breach(NV_ENC_ERR_INVALID_PTR, "no parameters"));
        };
        if params.version != sys::NV_ENC_CREATE_BITSTREAM_BUFFER_VER {
            return Err(breach(
                NV_ENC_ERR_INVALID_VERSION,
                "NV_ENC_CREATE_BITSTREAM_BUFFER::version",
            ));
        }
        state.running()?;
        params.bitstreamBuffer = session::new_handle();
        state.outputs.create(params.bitstreamBuffer.addr());
        Ok(())
    })
}

pub unsafe extern "C" fn destroy_bitstream_buffer(encoder: *mut c_void, buffer: *mut c_void) -> NVENCSTATUS {
    session::call("nvEncDestroyBitstreamBuffer", encoder, |_, state| {
        state.outputs.destroy(buffer.addr())
    })
}

pub unsafe extern "C" fn lock_bitstream(encoder: *mut c_void, params: *mut NV_ENC_LOCK_BITSTREAM) -> NVENCSTATUS {
    let call = "nvEncLockBitstream";
    let answer = session::of(encoder).and_then(|session| {
        // SAFETY: the caller's struct, or null.
        let Some(params) = (unsafe { params.as_mut() }) else {
            return Err(breach(NV_ENC_ERR_INVALID_PTR, "no parameters"));
        };
        let (mut state, answer) = wait(&session, params);
        session::remember(call, &mut state, &answer);
        answer
    });
    status_of(call, answer)
}

fn wait<'a>(session: &'a Session, params: &mut NV_ENC_LOCK_BITSTREAM) -> (MutexGuard<'a, State>, Answer) {
    let begun = Instant::now();
    let mut state = session.lock();
    loop {
        let found = session::usable(session).and_then(|()| lock(&mut state, params));
        let refusal = match found {
            Ok(Found::Locked) => return (state, Ok(())),
            Err(refusal) => refusal,
            Ok(Found::NotYet) if params.doNotWait() == 1 => refused(NV_ENC_ERR_LOCK_BUSY, "not coded yet"),
            Ok(Found::NotYet) if state.is_over => breach(NV_ENC_ERR_INVALID_CALL, "the session ends"),
            Ok(Found::NotYet) if begun.elapsed() > PATIENCE => {
                breach(NV_ENC_ERR_GENERIC, "waits for pictures that do not come")
            }
            Ok(Found::NotYet) => {
                state = session.wait(state, LOOK);
                continue;
            }
        };
        return (state, Err(refusal));
    }
}

fn lock(state: &mut State, params: &mut NV_ENC_LOCK_BITSTREAM) -> Answer<Found> {
    if params.version != sys::NV_ENC_LOCK_BITSTREAM_VER {
        return Err(breach(NV_ENC_ERR_INVALID_VERSION, "NV_ENC_LOCK_BITSTREAM::version"));
    }
    state.running()?;
    let handle = params.outputBitstream.addr();
    if state.outputs.lock(handle)? == Found::NotYet {
        return Ok(Found::NotYet);
    }
    if let Some(written) = state.outputs.locked(handle) {
        params.frameIdx = written.coding_index;
        params.frameIdxDisplay = written.serial as u32;
        params.hwEncodeStatus = 0;
        params.numSlices = 0;
        params.bitstreamSizeInBytes = written.bytes.len() as u32;
        params.outputTimeStamp = written.timestamp;
        params.outputDuration = written.duration;
        params.bitstreamBufferPtr = written.bytes.as_ptr().cast_mut().cast::<c_void>();
        params.pictureType = match written.kind {
            Kind::Idr => NV_ENC_PIC_TYPE::NV_ENC_PIC_TYPE_IDR,
            Kind::P => NV_ENC_PIC_TYPE::NV_ENC_PIC_TYPE_P,
            Kind::B => NV_ENC_PIC_TYPE::NV_ENC_PIC_TYPE_B,
        };
        params.pictureStruct = NV_ENC_PIC_STRUCT::NV_ENC_PIC_STRUCT_FRAME;
        params.frameAvgQP = written.qp;
        params.frameSatd = 0;
        params.temporalId = 0;
        params.set_ltrFrame(0);
    }
    Ok(Found::Locked)
}

pub unsafe extern "C" fn unlock_bitstream(encoder: *mut c_void, buffer: *mut c_void) -> NVENCSTATUS {
    session::call("nvEncUnlockBitstream", encoder, |_, state| {
        state.outputs.unlock(buffer.addr())
    })
}
