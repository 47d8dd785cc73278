//! Lending out decoded pictures.
//!
//! Guarantees: a picture that was not shown yet is not lent out, so a surface that was given to another picture while
//! its own still waited to be mapped is noticed; what is lent can be touched until it is given back and no longer; it
//! is not given back before all work that reads it was waited for, or comes before the decoder's in its stream.

use crate::cuda::allocate::PITCH;
use crate::cuda::code::Code;
use crate::cuda::code::INVALID_VALUE;
use crate::cuda::code::MAP_FAILED;
use crate::cuda::code::answer;
use crate::cuda::code::put;
use crate::cuda::code::refuse;
use crate::cuda::stream;
use crate::cuvid::decoder;
use crate::cuvid::post::Field;
use crate::fault;
use nvidia_video_codec_sdk::sys::cuviddec::CUVIDPROCPARAMS;
use std::ffi::c_int;
use std::ffi::c_uint;
use std::ffi::c_void;
use std::sync::Arc;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuvidMapVideoFrame64(
    handle: *mut c_void,
    index: c_int,
    address: *mut u64,
    pitch: *mut c_uint,
    how: *mut CUVIDPROCPARAMS,
) -> Code {
    let call = "cuvidMapVideoFrame64";
    answer(decoder::enter(call, handle).and_then(|(decoder, context, _held)| {
        // SAFETY: as this function's: null or what the header calls it.
        let Some(how) = (unsafe { how.as_ref() }) else {
            return refuse(call, INVALID_VALUE, "a null pointer");
        };
        let is_clean = how.reserved_flags == 0
            && how.reserved_zero == 0
            && how.Reserved1 == 0
            && how.Reserved == [0; 46]
            && how.Reserved2.iter().all(|one| one.is_null());
        if !is_clean || how.raw_input_dptr != 0 || how.raw_output_dptr != 0 {
            return refuse(call, INVALID_VALUE, "reserved fields are not 0");
        }
        let queue = stream::of_handle(call, &context, how.output_stream.cast())?;
        let mut state = decoder.state();
        let surface = usize::try_from(index).unwrap_or(usize::MAX);
        let Some(Some(picture)) = state.surfaces.get(surface).cloned() else {
            return refuse(call, INVALID_VALUE, format!("nothing was decoded into surface {index}"));
        };
        let mapped = state.frames.iter().filter(|frame| frame.to.is_some()).count();
        let Some(free) = state.frames.iter().position(|frame| frame.to.is_none()) else {
            return refuse(call, MAP_FAILED, format!("all {mapped} frames are mapped"));
        };
        let (frame, is_shown, fails) = {
            let picture = picture.state();
            (picture.frame.clone(), picture.is_shown, picture.fails)
        };
        let Some(frame) = frame.filter(|_| is_shown) else {
            let words = format!("the picture in surface {index} is not to be shown yet: was it given to another one?");
            return refuse(call, INVALID_VALUE, words);
        };
        fault::tick(&context)?;
        let has_fields = state.target.doubles_fields && how.progressive_frame == 0;
        let field = has_fields.then_some(Field {
            is_lower: (how.top_field_first == 0) != (how.second_field != 0),
        });
        let target = state.target;
        let step = target.row_bytes().next_multiple_of(PITCH);
        // Lent in turn, so that the one that was given back last is the last to be lent again.
        let mut lent = state.frames.remove(free);
        if fails {
            // SAFETY: all of the piece, which nobody else touches while it is not lent.
            unsafe { lent.piece.start().write_bytes(0x80, lent.piece.bytes()) };
        } else {
            // SAFETY: the piece was taken for frames of this target.
            unsafe { target.write(&frame, field, lent.piece.start(), step) };
        }
        lent.piece.touched_by(&queue.queue());
        lent.piece.set_open(true);
        let at = lent.piece.address();
        lent.to = Some((surface, Arc::clone(&queue)));
        state.frames.push(lent);
        // SAFETY: as this function's.
        unsafe { put(call, pitch, step as c_uint) }?;
        // SAFETY: as this function's.
        unsafe { put(call, address, at) }
    }))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuvidUnmapVideoFrame64(handle: *mut c_void, address: u64) -> Code {
    let call = "cuvidUnmapVideoFrame64";
    answer(decoder::enter(call, handle).and_then(|(decoder, _context, _held)| {
        let mut state = decoder.state();
        let lent = state
            .frames
            .iter_mut()
            .find(|frame| frame.to.is_some() && frame.piece.address() == address);
        let Some(lent) = lent else {
            return refuse(call, INVALID_VALUE, format!("{address:#x} is not mapped"));
        };
        let stream = lent.to.take().map(|(_, stream)| stream);
        lent.piece.set_open(false);
        if lent
            .piece
            .last_use()
            .is_some_and(|last| !last.is_over_for(stream.as_ref()))
        {
            return refuse(
                call,
                INVALID_VALUE,
                format!("work that reads {address:#x} was not waited for"),
            );
        }
        Ok(())
    }))
}
