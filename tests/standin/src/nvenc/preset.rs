//! The configurations behind the presets.
//!
//! Guarantees: a configuration handed out passes the judgement of `setup` on this device. Deliberately absent: NVIDIA's
//! exact values, which nobody should build on: a client sets what it needs.

use crate::nvenc::ability::Codec;
use crate::nvenc::setup::INFINITE;
use nvidia_video_codec_sdk::sys::nvEncodeAPI as sys;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_BFRAME_REF_MODE::NV_ENC_BFRAME_REF_MODE_MIDDLE;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_CODEC_CONFIG;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_CONFIG;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_CONFIG_AV1;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_CONFIG_H264;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_CONFIG_HEVC;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_MV_PRECISION;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_PARAMS_FRAME_FIELD_MODE;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_PARAMS_RC_MODE;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_QP;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_RC_PARAMS;

const HIGH_QUALITY: u32 = 1;
const LOSSLESS: u32 = 4;

/// What preset `preset` (0: P1) stands for with a tuning.
pub fn config(codec: Codec, preset: usize, tuning: u32) -> NV_ENC_CONFIG {
    // The header: from P3 for H.264, from P2 for HEVC there are B-frames where latency does not matter.
    let first_with_b = if codec == Codec::H264 { 2 } else { 1 };
    let reorders = (tuning == HIGH_QUALITY || tuning == LOSSLESS) && preset >= first_with_b;
    let bframes = if reorders { codec.max_bframes().min(2) } else { 0 };
    let gop = if tuning == HIGH_QUALITY { 250 } else { INFINITE };
    let gop = if reorders { 250 } else { gop };
    let mut rate = NV_ENC_RC_PARAMS {
        version: sys::NV_ENC_RC_PARAMS_VER,
        ..Default::default()
    };
    match tuning {
        HIGH_QUALITY => {
            rate.rateControlMode = NV_ENC_PARAMS_RC_MODE::NV_ENC_PARAMS_RC_VBR;
            rate.averageBitRate = 4_000_000;
        }
        LOSSLESS => {
            rate.rateControlMode = NV_ENC_PARAMS_RC_MODE::NV_ENC_PARAMS_RC_CONSTQP;
            rate.constQP = NV_ENC_QP::default();
        }
        _ => {
            rate.rateControlMode = NV_ENC_PARAMS_RC_MODE::NV_ENC_PARAMS_RC_CBR;
            rate.averageBitRate = 4_000_000;
            rate.lowDelayKeyFrameScale = 1;
        }
    }
    NV_ENC_CONFIG {
        version: sys::NV_ENC_CONFIG_VER,
        profileGUID: sys::NV_ENC_CODEC_PROFILE_AUTOSELECT_GUID,
        gopLength: gop,
        frameIntervalP: bframes as i32 + 1,
        frameFieldMode: NV_ENC_PARAMS_FRAME_FIELD_MODE::NV_ENC_PARAMS_FRAME_FIELD_MODE_FRAME,
        mvPrecision: NV_ENC_MV_PRECISION::NV_ENC_MV_PRECISION_QUARTER_PEL,
        rcParams: rate,
        encodeCodecConfig: codec_config(codec, gop, bframes),
        ..Default::default()
    }
}

fn codec_config(codec: Codec, gop: u32, bframes: u32) -> NV_ENC_CODEC_CONFIG {
    let references = if bframes > 1 {
        NV_ENC_BFRAME_REF_MODE_MIDDLE
    } else {
        sys::NV_ENC_BFRAME_REF_MODE::NV_ENC_BFRAME_REF_MODE_DISABLED
    };
    let mut config = NV_ENC_CODEC_CONFIG::default();
    match codec {
        Codec::H264 => {
            config.h264Config = NV_ENC_CONFIG_H264 {
                idrPeriod: gop,
                chromaFormatIDC: 1,
                useBFramesAsRef: references,
                ..Default::default()
            };
        }
        Codec::Hevc => {
            let mut hevc = NV_ENC_CONFIG_HEVC {
                idrPeriod: gop,
                useBFramesAsRef: references,
                ..Default::default()
            };
            hevc.set_chromaFormatIDC(1);
            config.hevcConfig = hevc;
        }
        Codec::Av1 => {
            let mut av1 = NV_ENC_CONFIG_AV1 {
                idrPeriod: gop,
                useBFramesAsRef: references,
                ..Default::default()
            };
            av1.set_chromaFormatIDC(1);
            config.av1Config = av1;
        }
    }
    config
}
