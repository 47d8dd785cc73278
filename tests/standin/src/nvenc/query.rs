//! What a client asks before it encodes: codecs, profiles, presets, formats, capabilities.

use crate::nvenc::ability::Codec;
use crate::nvenc::ability::PRESETS;
use crate::nvenc::answer::Answer;
use crate::nvenc::answer::breach;
use crate::nvenc::preset;
use crate::nvenc::session;
use nvidia_video_codec_sdk::sys::nvEncodeAPI as sys;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::GUID;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_BUFFER_FORMAT;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_CAPS_PARAM;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_PRESET_CONFIG;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_TUNING_INFO;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NVENCSTATUS;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NVENCSTATUS::*;
use std::ffi::c_int;
use std::ffi::c_void;

/// Writes an answer to where the caller wants it.
pub fn put<T>(slot: *mut T, value: T) -> Answer {
    if slot.is_null() {
        return Err(breach(
            NV_ENC_ERR_INVALID_PTR,
            "a null pointer where an answer is to go",
        ));
    }
    // SAFETY: not null, and the caller's to be written to.
    unsafe { slot.write(value) };
    Ok(())
}

fn count<T>(name: &str, encoder: *mut c_void, to: *mut u32, of: impl FnOnce() -> Answer<Vec<T>>) -> NVENCSTATUS {
    session::call(name, encoder, |_, _| put(to, of()?.len() as u32))
}

/// As many as there is room for.
fn list<T: Copy>(
    name: &str,
    encoder: *mut c_void,
    (to, room, written): (*mut T, u32, *mut u32),
    of: impl FnOnce() -> Answer<Vec<T>>,
) -> NVENCSTATUS {
    session::call(name, encoder, |_, _| {
        let all = of()?;
        if to.is_null() {
            return Err(breach(NV_ENC_ERR_INVALID_PTR, "no array"));
        }
        let fits = all.len().min(room as usize);
        for (index, one) in all.iter().take(fits).enumerate() {
            // SAFETY: the caller says that its array has `room` elements.
            unsafe { to.add(index).write(*one) };
        }
        put(written, fits as u32)
    })
}

fn codecs() -> Answer<Vec<GUID>> {
    Ok(Codec::offered().into_iter().map(Codec::guid).collect())
}

fn presets(codec: GUID) -> Answer<Vec<GUID>> {
    Codec::of(codec).map(|_| PRESETS.to_vec())
}

pub unsafe extern "C" fn encode_guid_count(encoder: *mut c_void, to: *mut u32) -> NVENCSTATUS {
    count("nvEncGetEncodeGUIDCount", encoder, to, codecs)
}

pub unsafe extern "C" fn encode_guids(
    encoder: *mut c_void,
    to: *mut GUID,
    room: u32,
    written: *mut u32,
) -> NVENCSTATUS {
    list("nvEncGetEncodeGUIDs", encoder, (to, room, written), codecs)
}

pub unsafe extern "C" fn profile_guid_count(encoder: *mut c_void, codec: GUID, to: *mut u32) -> NVENCSTATUS {
    count("nvEncGetEncodeProfileGUIDCount", encoder, to, || {
        Codec::of(codec).map(Codec::profiles)
    })
}

pub unsafe extern "C" fn profile_guids(
    encoder: *mut c_void,
    codec: GUID,
    to: *mut GUID,
    room: u32,
    written: *mut u32,
) -> NVENCSTATUS {
    let of = || Codec::of(codec).map(Codec::profiles);
    list("nvEncGetEncodeProfileGUIDs", encoder, (to, room, written), of)
}

pub unsafe extern "C" fn input_format_count(encoder: *mut c_void, codec: GUID, to: *mut u32) -> NVENCSTATUS {
    count("nvEncGetInputFormatCount", encoder, to, || {
        Codec::of(codec).map(Codec::formats)
    })
}

pub unsafe extern "C" fn input_formats(
    encoder: *mut c_void,
    codec: GUID,
    to: *mut NV_ENC_BUFFER_FORMAT,
    room: u32,
    written: *mut u32,
) -> NVENCSTATUS {
    let of = || Codec::of(codec).map(Codec::formats);
    list("nvEncGetInputFormats", encoder, (to, room, written), of)
}

pub unsafe extern "C" fn preset_count(encoder: *mut c_void, codec: GUID, to: *mut u32) -> NVENCSTATUS {
    count("nvEncGetEncodePresetCount", encoder, to, || presets(codec))
}

pub unsafe extern "C" fn preset_guids(
    encoder: *mut c_void,
    codec: GUID,
    to: *mut GUID,
    room: u32,
    written: *mut u32,
) -> NVENCSTATUS {
    list("nvEncGetEncodePresetGUIDs", encoder, (to, room, written), || {
        presets(codec)
    })
}

pub unsafe extern "C" fn encode_caps(
    encoder: *mut c_void,
    codec: GUID,
    params: *mut NV_ENC_CAPS_PARAM,
    to: *mut c_int,
) -> NVENCSTATUS {
    session::call("nvEncGetEncodeCaps", encoder, |_, _| {
        let codec = Codec::of(codec)?;
        // SAFETY: the caller's struct, or null.
        let Some(params) = (unsafe { params.as_ref() }) else {
            return Err(breach(NV_ENC_ERR_INVALID_PTR, "no parameters"));
        };
        if params.version != sys::NV_ENC_CAPS_PARAM_VER {
            return Err(breach(NV_ENC_ERR_INVALID_VERSION, "NV_ENC_CAPS_PARAM::version"));
        }
        if params.reserved.iter().any(|word| *word != 0) {
            return Err(breach(
                NV_ENC_ERR_INVALID_PARAM,
                "NV_ENC_CAPS_PARAM: a reserved field is not 0",
            ));
        }
        put(to, codec.capability(params.capsToQuery))
    })
}

pub unsafe extern "C" fn preset_config_ex(
    encoder: *mut c_void,
    codec: GUID,
    preset: GUID,
    tuning: NV_ENC_TUNING_INFO,
    to: *mut NV_ENC_PRESET_CONFIG,
) -> NVENCSTATUS {
    session::call("nvEncGetEncodePresetConfigEx", encoder, |_, _| {
        let codec = Codec::of(codec)?;
        let Some(preset) = PRESETS.iter().position(|known| *known == preset) else {
            return Err(breach(NV_ENC_ERR_UNSUPPORTED_PARAM, "a preset GUID that is not listed"));
        };
        let tuning = tuning as u32;
        if !(1..=4).contains(&tuning) {
            return Err(breach(
                NV_ENC_ERR_INVALID_PARAM,
                "tuningInfo is undefined or out of range",
            ));
        }
        // SAFETY: the caller's struct, or null.
        let Some(to) = (unsafe { to.as_mut() }) else {
            return Err(breach(NV_ENC_ERR_INVALID_PTR, "no parameters"));
        };
        if to.version != sys::NV_ENC_PRESET_CONFIG_VER || to.presetCfg.version != sys::NV_ENC_CONFIG_VER {
            return Err(breach(
                NV_ENC_ERR_INVALID_VERSION,
                "NV_ENC_PRESET_CONFIG::version or that of its presetCfg",
            ));
        }
        to.presetCfg = preset::config(codec, preset, tuning);
        Ok(())
    })
}
