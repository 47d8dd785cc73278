//! The calls by which pictures are registered and mapped.

use crate::nvenc::answer::breach;
use crate::nvenc::answer::refused;
use crate::nvenc::resource;
use crate::nvenc::resource::Registered;
use crate::nvenc::session;
use crate::nvenc::setup::word;
use nvidia_video_codec_sdk::sys::nvEncodeAPI as sys;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_BUFFER_FORMAT;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_MAP_INPUT_RESOURCE;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_REGISTER_RESOURCE;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NVENCSTATUS;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NVENCSTATUS::*;
use std::ffi::c_void;

/// A resource that is an address of a device; one that is a picture to be encoded.
const DEVICE_POINTER: u32 = 1;
const INPUT_IMAGE: u32 = 0;

pub unsafe extern "C" fn register(encoder: *mut c_void, params: *mut NV_ENC_REGISTER_RESOURCE) -> NVENCSTATUS {
    session::call("nvEncRegisterResource", encoder, |session, state| {
        // SAFETY: the caller's struct, or null.
        let Some(params) = (unsafe { params.as_mut() }) else {
            return Err(breach(NV_ENC_ERR_INVALID_PTR, "no parameters"));
        };
        if params.version != sys::NV_ENC_REGISTER_RESOURCE_VER {
            return Err(breach(NV_ENC_ERR_INVALID_VERSION, "NV_ENC_REGISTER_RESOURCE::version"));
        }
        let has_reserved = params.reserved1.iter().any(|word| *word != 0)
            || params.reserved2.iter().any(|pointer| !pointer.is_null())
            || !params.pInputFencePoint.is_null();
        if has_reserved || params.subResourceIndex != 0 {
            return Err(breach(NV_ENC_ERR_INVALID_PARAM, "a reserved field is not 0"));
        }
        let (kind, usage) = (word!(params.resourceType), word!(params.bufferUsage));
        if kind != DEVICE_POINTER || usage != INPUT_IMAGE {
            let text = "the stand-in registers device pointers of pictures to be encoded alone";
            return Err(refused(NV_ENC_ERR_UNSUPPORTED_PARAM, text));
        }
        let format = word!(params.bufferFormat);
        let setup = &state.running()?.setup;
        let most = (setup.width.max(setup.max_width), setup.height.max(setup.max_height));
        if params.width > most.0 || params.height > most.1 {
            let text = format!(
                "a picture of {}x{} in a session of {}x{}",
                params.width, params.height, most.0, most.1
            );
            return Err(breach(NV_ENC_ERR_INVALID_PARAM, text));
        }
        let picture = Registered {
            address: params.resourceToRegister.addr() as u64,
            shape: resource::shape(format, params.width, params.height, params.pitch)?,
            format,
        };
        let handle = session::new_handle();
        state
            .resources
            .register(session.context.device(), handle.addr(), picture)?;
        params.registeredResource = handle;
        Ok(())
    })
}

pub unsafe extern "C" fn unregister(encoder: *mut c_void, registered: *mut c_void) -> NVENCSTATUS {
    session::call("nvEncUnregisterResource", encoder, |_, state| {
        state.resources.unregister(registered.addr())
    })
}

pub unsafe extern "C" fn map(encoder: *mut c_void, params: *mut NV_ENC_MAP_INPUT_RESOURCE) -> NVENCSTATUS {
    session::call("nvEncMapInputResource", encoder, |_, state| {
        // SAFETY: the caller's struct, or null.
        let Some(params) = (unsafe { params.as_mut() }) else {
            return Err(breach(NV_ENC_ERR_INVALID_PTR, "no parameters"));
        };
        if params.version != sys::NV_ENC_MAP_INPUT_RESOURCE_VER {
            return Err(breach(NV_ENC_ERR_INVALID_VERSION, "NV_ENC_MAP_INPUT_RESOURCE::version"));
        }
        state.running()?;
        let handle = session::new_handle();
        let format = state.resources.map(params.registeredResource.addr(), handle.addr())?;
        params.mappedResource = handle;
        params.mappedBufferFmt = match format {
            resource::NV12 => NV_ENC_BUFFER_FORMAT::NV_ENC_BUFFER_FORMAT_NV12,
            _ => NV_ENC_BUFFER_FORMAT::NV_ENC_BUFFER_FORMAT_YUV420_10BIT,
        };
        Ok(())
    })
}

pub unsafe extern "C" fn unmap(encoder: *mut c_void, mapped: *mut c_void) -> NVENCSTATUS {
    session::call("nvEncUnmapInputResource", encoder, |_, state| {
        let outputs = &state.outputs;
        state
            .resources
            .unmap(mapped.addr(), |serial| outputs.was_locked(serial))
    })
}
