//! The two functions that libnvidia-encode exports, and the list of the others.

use crate::nvenc::answer::breach;
use crate::nvenc::answer::status_of;
use crate::nvenc::encode;
use crate::nvenc::lifetime;
use crate::nvenc::lock;
use crate::nvenc::query;
use crate::nvenc::register;
use crate::settings::settings;
use nvidia_video_codec_sdk::sys::nvEncodeAPI as sys;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::GUID;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_CREATE_INPUT_BUFFER;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_CREATE_MV_BUFFER;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_EVENT_PARAMS;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_LOCK_INPUT_BUFFER;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_LOOKAHEAD_PIC_PARAMS;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_MEONLY_PARAMS;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_PRESET_CONFIG;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_RESTORE_ENCODER_STATE_PARAMS;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_STAT;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENCODE_API_FUNCTION_LIST;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NVENCSTATUS;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NVENCSTATUS::*;
use std::ffi::c_void;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn NvEncodeAPIGetMaxSupportedVersion(version: *mut u32) -> NVENCSTATUS {
    let (major, minor) = settings().nvenc_version;
    status_of(
        "NvEncodeAPIGetMaxSupportedVersion",
        query::put(version, major << 4 | minor),
    )
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn NvEncodeAPICreateInstance(list: *mut NV_ENCODE_API_FUNCTION_LIST) -> NVENCSTATUS {
    // SAFETY: the caller's struct, or null.
    let answer = match unsafe { list.as_mut() } {
        None => Err(breach(NV_ENC_ERR_INVALID_PTR, "no list")),
        // Drivers older than the client's header refuse what they do not know.
        Some(_) if settings().nvenc_version < (sys::NVENCAPI_MAJOR_VERSION, sys::NVENCAPI_MINOR_VERSION) => {
            Err(breach(
                NV_ENC_ERR_INVALID_VERSION,
                "the driver is older than the client: NvEncodeAPIGetMaxSupportedVersion would have told",
            ))
        }
        Some(list) if list.version != sys::NV_ENCODE_API_FUNCTION_LIST_VER => Err(breach(
            NV_ENC_ERR_INVALID_VERSION,
            "NV_ENCODE_API_FUNCTION_LIST::version",
        )),
        Some(list) => {
            fill(list);
            Ok(())
        }
    };
    status_of("NvEncodeAPICreateInstance", answer)
}

fn fill(list: &mut NV_ENCODE_API_FUNCTION_LIST) {
    list.nvEncOpenEncodeSession = Some(open_old);
    list.nvEncGetEncodeGUIDCount = Some(query::encode_guid_count);
    list.nvEncGetEncodeProfileGUIDCount = Some(query::profile_guid_count);
    list.nvEncGetEncodeProfileGUIDs = Some(query::profile_guids);
    list.nvEncGetEncodeGUIDs = Some(query::encode_guids);
    list.nvEncGetInputFormatCount = Some(query::input_format_count);
    list.nvEncGetInputFormats = Some(query::input_formats);
    list.nvEncGetEncodeCaps = Some(query::encode_caps);
    list.nvEncGetEncodePresetCount = Some(query::preset_count);
    list.nvEncGetEncodePresetGUIDs = Some(query::preset_guids);
    list.nvEncGetEncodePresetConfig = Some(preset_config_old);
    list.nvEncInitializeEncoder = Some(lifetime::initialize);
    list.nvEncCreateInputBuffer = Some(create_input_buffer);
    list.nvEncDestroyInputBuffer = Some(destroy_input_buffer);
    list.nvEncCreateBitstreamBuffer = Some(lock::create_bitstream_buffer);
    list.nvEncDestroyBitstreamBuffer = Some(lock::destroy_bitstream_buffer);
    list.nvEncEncodePicture = Some(encode::encode_picture);
    list.nvEncLockBitstream = Some(lock::lock_bitstream);
    list.nvEncUnlockBitstream = Some(lock::unlock_bitstream);
    list.nvEncLockInputBuffer = Some(lock_input_buffer);
    list.nvEncUnlockInputBuffer = Some(unlock_input_buffer);
    list.nvEncGetEncodeStats = Some(encode_stats);
    list.nvEncGetSequenceParams = Some(lifetime::sequence_params);
    list.nvEncRegisterAsyncEvent = Some(register_event);
    list.nvEncUnregisterAsyncEvent = Some(unregister_event);
    list.nvEncMapInputResource = Some(register::map);
    list.nvEncUnmapInputResource = Some(register::unmap);
    list.nvEncDestroyEncoder = Some(lifetime::destroy);
    list.nvEncInvalidateRefFrames = Some(invalidate_references);
    list.nvEncOpenEncodeSessionEx = Some(lifetime::open);
    list.nvEncRegisterResource = Some(register::register);
    list.nvEncUnregisterResource = Some(register::unregister);
    list.nvEncReconfigureEncoder = Some(lifetime::reconfigure);
    list.nvEncCreateMVBuffer = Some(create_motion_buffer);
    list.nvEncDestroyMVBuffer = Some(destroy_motion_buffer);
    list.nvEncRunMotionEstimationOnly = Some(estimate_motion);
    list.nvEncGetLastErrorString = Some(lifetime::last_error);
    list.nvEncSetIOCudaStreams = Some(lifetime::set_io_streams);
    list.nvEncGetEncodePresetConfigEx = Some(query::preset_config_ex);
    list.nvEncGetSequenceParamEx = Some(lifetime::sequence_params_ex);
    list.nvEncRestoreEncoderState = Some(restore_state);
    list.nvEncLookaheadPicture = Some(lookahead_picture);
}

unsafe extern "C" fn open_old(_: *mut c_void, _: u32, _: *mut *mut c_void) -> NVENCSTATUS {
    let text = "deprecated: nvEncOpenEncodeSessionEx opens sessions";
    status_of("nvEncOpenEncodeSession", Err(breach(NV_ENC_ERR_INVALID_CALL, text)))
}

unsafe extern "C" fn preset_config_old(_: *mut c_void, _: GUID, _: GUID, _: *mut NV_ENC_PRESET_CONFIG) -> NVENCSTATUS {
    let text = "the presets P1 to P7 need a tuning: nvEncGetEncodePresetConfigEx";
    status_of(
        "nvEncGetEncodePresetConfig",
        Err(breach(NV_ENC_ERR_UNSUPPORTED_PARAM, text)),
    )
}

// The stand-in does without these; a client that wants them learns so.

unsafe extern "C" fn create_input_buffer(_: *mut c_void, _: *mut NV_ENC_CREATE_INPUT_BUFFER) -> NVENCSTATUS {
    NV_ENC_ERR_UNIMPLEMENTED
}
unsafe extern "C" fn destroy_input_buffer(_: *mut c_void, _: *mut c_void) -> NVENCSTATUS {
    NV_ENC_ERR_UNIMPLEMENTED
}
unsafe extern "C" fn lock_input_buffer(_: *mut c_void, _: *mut NV_ENC_LOCK_INPUT_BUFFER) -> NVENCSTATUS {
    NV_ENC_ERR_UNIMPLEMENTED
}
unsafe extern "C" fn unlock_input_buffer(_: *mut c_void, _: *mut c_void) -> NVENCSTATUS {
    NV_ENC_ERR_UNIMPLEMENTED
}
/// The header: not supported on devices of CUDA's.
unsafe extern "C" fn encode_stats(_: *mut c_void, _: *mut NV_ENC_STAT) -> NVENCSTATUS {
    NV_ENC_ERR_UNIMPLEMENTED
}
/// The header: there is no asynchronous mode on Linux.
unsafe extern "C" fn register_event(_: *mut c_void, _: *mut NV_ENC_EVENT_PARAMS) -> NVENCSTATUS {
    NV_ENC_ERR_UNIMPLEMENTED
}
unsafe extern "C" fn unregister_event(_: *mut c_void, _: *mut NV_ENC_EVENT_PARAMS) -> NVENCSTATUS {
    NV_ENC_ERR_UNIMPLEMENTED
}
unsafe extern "C" fn invalidate_references(_: *mut c_void, _: u64) -> NVENCSTATUS {
    NV_ENC_ERR_UNIMPLEMENTED
}
unsafe extern "C" fn create_motion_buffer(_: *mut c_void, _: *mut NV_ENC_CREATE_MV_BUFFER) -> NVENCSTATUS {
    NV_ENC_ERR_UNIMPLEMENTED
}
unsafe extern "C" fn destroy_motion_buffer(_: *mut c_void, _: *mut c_void) -> NVENCSTATUS {
    NV_ENC_ERR_UNIMPLEMENTED
}
unsafe extern "C" fn estimate_motion(_: *mut c_void, _: *mut NV_ENC_MEONLY_PARAMS) -> NVENCSTATUS {
    NV_ENC_ERR_UNIMPLEMENTED
}
unsafe extern "C" fn restore_state(_: *mut c_void, _: *mut NV_ENC_RESTORE_ENCODER_STATE_PARAMS) -> NVENCSTATUS {
    NV_ENC_ERR_UNIMPLEMENTED
}
unsafe extern "C" fn lookahead_picture(_: *mut c_void, _: *mut NV_ENC_LOOKAHEAD_PIC_PARAMS) -> NVENCSTATUS {
    NV_ENC_ERR_UNIMPLEMENTED
}
