//! The parser's functions, as the library shows them.
//!
//! Guarantees: a parser that is called from its own callback, or from two threads at once, is a violation and not a
//! deadlock.

use crate::cuda::code::Code;
use crate::cuda::code::INVALID_HANDLE;
use crate::cuda::code::INVALID_VALUE;
use crate::cuda::code::NOT_SUPPORTED;
use crate::cuda::code::answer;
use crate::cuda::code::put;
use crate::cuda::code::refuse;
use crate::cuvid::codec::Codec;
use crate::cuvid::parser::Callbacks;
use crate::cuvid::parser::Parser;
use crate::cuvid::parser::Setup;
use crate::handle::Table;
use nvidia_video_codec_sdk::sys::nvcuvid::CUVIDPARSERPARAMS;
use nvidia_video_codec_sdk::sys::nvcuvid::CUVIDSOURCEDATAPACKET;
use std::ffi::c_void;
use std::sync::Mutex;
use std::sync::TryLockError;

const TIMESTAMP: u64 = 2;
/// Headers of the container's, bytes.
const MAX_HEADERS: u32 = 1024;

static PARSERS: Table<Mutex<Parser>> = Table::new();

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuvidCreateVideoParser(to: *mut *mut c_void, parameters: *mut CUVIDPARSERPARAMS) -> Code {
    let call = "cuvidCreateVideoParser";
    if parameters.is_null() {
        return answer(refuse(call, INVALID_VALUE, "a null pointer"));
    }
    // SAFETY: as this function's. The codec is read as a number: a caller may have put anything there.
    let (number, given) = unsafe { ((&raw const (*parameters).CodecType).cast::<u32>().read(), &*parameters) };
    answer((|| {
        let codec = Codec::numbered(number).ok_or(NOT_SUPPORTED)?;
        if given.uReserved1 != [0; 4] || given.pvReserved2.iter().any(|one| !one.is_null()) || given.uReserved() != 0 {
            return refuse(call, INVALID_VALUE, "reserved fields are not 0");
        }
        if given.ulErrorThreshold > 100 {
            return refuse(call, INVALID_VALUE, "an error threshold over 100 %");
        }
        if given.ulMaxNumDecodeSurfaces == 0 || given.ulMaxNumDecodeSurfaces > 32 {
            let words = format!("{} surfaces", given.ulMaxNumDecodeSurfaces);
            return refuse(call, INVALID_VALUE, words);
        }
        let setup = Setup {
            codec,
            callbacks: Callbacks {
                user: given.pUserData,
                sequence: given.pfnSequenceCallback,
                decode: given.pfnDecodePicture,
                display: given.pfnDisplayPicture,
            },
            max_surfaces: given.ulMaxNumDecodeSurfaces as usize,
            max_delay: given.ulMaxDisplayDelay as usize,
            ticks_a_second: if given.ulClockRate == 0 {
                10_000_000
            } else {
                given.ulClockRate
            },
            // SAFETY: as this function's: null or what the header calls it.
            headers: unsafe { headers(call, given) }?,
        };
        let parser = Parser::new(setup).ok_or(NOT_SUPPORTED)?;
        let handle = PARSERS.insert(Mutex::new(parser));
        // SAFETY: as this function's.
        unsafe { put(call, to, handle) }
    })())
}

/// # Safety
/// `given.pExtVideoInfo` is null or what the header calls it.
unsafe fn headers(call: &str, given: &CUVIDPARSERPARAMS) -> Result<Vec<u8>, Code> {
    // SAFETY: as this function's.
    let Some(known) = (unsafe { given.pExtVideoInfo.as_ref() }) else {
        return Ok(Vec::new());
    };
    let length = known.format.seqhdr_data_length;
    if length > MAX_HEADERS {
        return refuse(
            call,
            INVALID_VALUE,
            format!("{length} bytes of headers, {MAX_HEADERS} are taken"),
        );
    }
    // SAFETY: bytes of a union that is bytes all through.
    Ok(unsafe { known.__bindgen_anon_1.raw_seqhdr_data }[..length as usize].to_vec())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuvidParseVideoData(handle: *mut c_void, packet: *mut CUVIDSOURCEDATAPACKET) -> Code {
    let call = "cuvidParseVideoData";
    answer((|| {
        let Some(parser) = PARSERS.get(handle) else {
            return refuse(call, INVALID_HANDLE, "no such parser, or a destroyed one");
        };
        // SAFETY: as this function's: null or a packet.
        let Some(packet) = (unsafe { packet.as_ref() }) else {
            return refuse(call, INVALID_VALUE, "a null pointer");
        };
        if packet.payload.is_null() && packet.payload_size > 0 {
            return refuse(call, INVALID_VALUE, "a null pointer to bytes");
        }
        let bytes = match packet.payload_size {
            0 => &[][..],
            // SAFETY: as this function's: so many bytes, which live through the call.
            size => unsafe { std::slice::from_raw_parts(packet.payload, size as usize) },
        };
        let mut parser = match parser.try_lock() {
            Ok(parser) => parser,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                return refuse(
                    call,
                    INVALID_VALUE,
                    "called from a callback, or from two threads at once",
                );
            }
        };
        let timestamp = (packet.flags & TIMESTAMP != 0).then_some(packet.timestamp);
        parser.packet(packet.flags, bytes, timestamp)
    })())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuvidDestroyVideoParser(handle: *mut c_void) -> Code {
    let call = "cuvidDestroyVideoParser";
    answer((|| {
        let Some(parser) = PARSERS.get(handle) else {
            return refuse(call, INVALID_HANDLE, "no such parser, or a destroyed one");
        };
        if matches!(parser.try_lock(), Err(TryLockError::WouldBlock)) {
            return refuse(call, INVALID_VALUE, "called from a callback, or while it parses");
        }
        PARSERS.remove(handle);
        Ok(())
    })())
}
