//! Making a session ready: its preset, its parameters, its headers.
//!
//! Guarantees: what the driver says is copied as bits where Rust need not know its values. Deliberately absent: what is
//! done with the session afterwards.

use crate::media::cuda::error::CudaError;
use crate::media::cuda::nvenc::abilities;
use crate::media::cuda::nvenc::api;
use crate::media::cuda::nvenc::config::Config;
use crate::media::cuda::nvenc::encoder::Encoder;
use crate::media::cuda::nvenc::setup::Codec;
use crate::media::cuda::nvenc::setup::EncodeSetup;
use nvidia_video_codec_sdk::sys::nvEncodeAPI as sys;
use std::mem::MaybeUninit;

/// The driver's own headers are shorter than 512 bytes.
const HEADER_BYTES: usize = 4096;
/// Not split between engines: several sessions fill them already.
const ONE_ENGINE: u32 = sys::NV_ENC_SPLIT_ENCODE_MODE::NV_ENC_SPLIT_DISABLE_MODE as u32;

fn preset_guid(preset: u32) -> sys::GUID {
    match preset {
        0 | 1 => sys::NV_ENC_PRESET_P1_GUID,
        2 => sys::NV_ENC_PRESET_P2_GUID,
        3 => sys::NV_ENC_PRESET_P3_GUID,
        4 => sys::NV_ENC_PRESET_P4_GUID,
        5 => sys::NV_ENC_PRESET_P5_GUID,
        6 => sys::NV_ENC_PRESET_P6_GUID,
        _ => sys::NV_ENC_PRESET_P7_GUID,
    }
}

/// Pictures may come late, so quality comes first.
const TUNING: sys::NV_ENC_TUNING_INFO = sys::NV_ENC_TUNING_INFO::NV_ENC_TUNING_INFO_HIGH_QUALITY;

/// The parameters behind the preset.
pub fn preset_of(encoder: &Encoder, setup: &EncodeSetup) -> Result<Box<MaybeUninit<sys::NV_ENC_CONFIG>>, CudaError> {
    let mut answer = Box::new(api::blank::<sys::NV_ENC_PRESET_CONFIG>());
    let place = answer.as_mut_ptr();
    // SAFETY: a live session; a struct of ours with both versions written.
    let code = unsafe {
        (*place).version = sys::NV_ENC_PRESET_CONFIG_VER;
        (*place).presetCfg.version = sys::NV_ENC_CONFIG_VER;
        let (codec, preset) = (abilities::guid(setup.codec), preset_guid(setup.preset));
        (encoder.functions().preset)(encoder.handle(), codec, preset, TUNING, place)
    };
    encoder.check("nvEncGetEncodePresetConfigEx", code)?;
    let mut config = Box::new(api::blank::<sys::NV_ENC_CONFIG>());
    // SAFETY: both are whole structs of that type; bits are copied, not values.
    unsafe { std::ptr::copy_nonoverlapping(&raw const (*place).presetCfg, config.as_mut_ptr(), 1) };
    Ok(config)
}

/// What the encoder is made with; it holds the address of the configuration.
pub fn parameters(setup: &EncodeSetup, config: &Config) -> sys::NV_ENC_INITIALIZE_PARAMS {
    let mut parameters = sys::NV_ENC_INITIALIZE_PARAMS {
        version: sys::NV_ENC_INITIALIZE_PARAMS_VER,
        encodeGUID: abilities::guid(setup.codec),
        presetGUID: preset_guid(setup.preset),
        encodeWidth: setup.width,
        encodeHeight: setup.height,
        // Pixels are square.
        darWidth: setup.width,
        darHeight: setup.height,
        frameRateNum: setup.frame_rate.0,
        frameRateDen: setup.frame_rate.1,
        enablePTD: 1,
        encodeConfig: config.raw.as_ptr().cast_mut(),
        tuningInfo: TUNING,
        ..Default::default()
    };
    if setup.codec != Codec::H264 {
        parameters.set_splitEncodeMode(ONE_ENGINE);
    }
    parameters
}

/// Makes the encoder.
pub fn initialize(encoder: &Encoder, setup: &EncodeSetup, config: &Config) -> Result<(), CudaError> {
    let mut order = parameters(setup, config);
    // SAFETY: a live session; the configuration is whole and lives through the call, which copies it.
    let code = unsafe { (encoder.functions().initialize)(encoder.handle(), &mut order) };
    encoder.check("nvEncInitializeEncoder", code)
}

/// Parameter sets of an initialised session.
pub fn headers_of(encoder: &Encoder) -> Result<Vec<u8>, CudaError> {
    let mut bytes = vec![0_u8; HEADER_BYTES];
    let mut size = 0_u32;
    let mut order = sys::NV_ENC_SEQUENCE_PARAM_PAYLOAD {
        version: sys::NV_ENC_SEQUENCE_PARAM_PAYLOAD_VER,
        inBufferSize: HEADER_BYTES as u32,
        spsppsBuffer: bytes.as_mut_ptr().cast(),
        outSPSPPSPayloadSize: &raw mut size,
        ..Default::default()
    };
    // SAFETY: a live, initialised session; the buffer is as long as is said.
    let code = unsafe { (encoder.functions().headers)(encoder.handle(), &mut order) };
    encoder.check("nvEncGetSequenceParams", code)?;
    bytes.truncate(size as usize);
    if bytes.is_empty() {
        return Err(CudaError::refused("nvEncGetSequenceParams", "there is no header"));
    }
    Ok(bytes)
}
