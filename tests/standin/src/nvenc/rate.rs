//! Rate control: `NV_ENC_RC_PARAMS` read and judged.

use crate::nvenc::ability::Codec;
use crate::nvenc::answer::Answer;
use crate::nvenc::answer::breach;
use crate::nvenc::answer::refused;
use crate::nvenc::setup::word;
use nvidia_video_codec_sdk::sys::nvEncodeAPI as sys;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_RC_PARAMS;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NVENCSTATUS::*;

/// How bits are spent. Rates in bits a second, buffers in bits, 0 where nothing is said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rate {
    ConstantQp { intra: u32, inter: u32 },
    Constant { rate: u32, buffer: u32 },
    Variable { average: u32, max: u32, buffer: u32 },
    Quality { level: f32, max: u32, buffer: u32 },
}

impl Rate {
    /// QP of a picture where it is constant.
    pub fn constant_qp(&self, is_idr: bool) -> Option<u32> {
        match *self {
            Rate::ConstantQp { intra, inter } => Some(if is_idr { intra } else { inter }),
            _ => None,
        }
    }
}

/// Depth of the lookahead; 0: none.
pub fn lookahead(codec: Codec, params: &NV_ENC_RC_PARAMS, bframes: u32) -> Answer<u32> {
    if params.enableExtLookahead() != 0 {
        return Err(refused(
            NV_ENC_ERR_UNSUPPORTED_PARAM,
            "the stand-in has no external lookahead",
        ));
    }
    if params.enableLookahead() == 0 {
        return Ok(0);
    }
    if !codec.has_lookahead() {
        return Err(breach(
            NV_ENC_ERR_INVALID_PARAM,
            "lookahead is not among the device's capabilities",
        ));
    }
    let depth = u32::from(params.lookaheadDepth);
    if depth > 31 - bframes {
        return Err(breach(
            NV_ENC_ERR_INVALID_PARAM,
            format!("lookaheadDepth {depth} with {bframes} B-frames"),
        ));
    }
    Ok(depth)
}

/// The mode and its numbers.
pub fn read(codec: Codec, params: &NV_ENC_RC_PARAMS, bframes: u32) -> Answer<Rate> {
    let wrong = |what| Err(breach(NV_ENC_ERR_INVALID_PARAM, what));
    if params.version != 0 && params.version != sys::NV_ENC_RC_PARAMS_VER {
        return Err(breach(NV_ENC_ERR_INVALID_VERSION, "NV_ENC_RC_PARAMS::version"));
    }
    if params.reservedBitField1() != 0 || params.reservedBitFields() != 0 || params.reserved2 != 0 {
        return wrong("NV_ENC_RC_PARAMS: a reserved field is not 0");
    }
    if params.reserved.iter().any(|word| *word != 0) {
        return wrong("NV_ENC_RC_PARAMS: a reserved field is not 0");
    }
    if params.zeroReorderDelay() != 0 && bframes > 0 {
        return wrong("zeroReorderDelay together with B-frames");
    }
    if word!(params.multiPass) > 2 {
        return wrong("multiPass is out of range");
    }
    if word!(params.qpMapMode) != 0 {
        return Err(refused(NV_ENC_ERR_UNSUPPORTED_PARAM, "the stand-in takes no QP maps"));
    }
    quantizers(codec, params)?;
    let (average, max, buffer) = (params.averageBitRate, params.maxBitRate, params.vbvBufferSize);
    if params.vbvInitialDelay > buffer && buffer != 0 {
        return wrong("vbvInitialDelay is more than vbvBufferSize");
    }
    let level = f32::from(params.targetQuality) + f32::from(params.targetQualityLSB) / 256.0;
    match word!(params.rateControlMode) {
        0 => Ok(Rate::ConstantQp {
            intra: params.constQP.qpIntra,
            inter: params.constQP.qpInterP,
        }),
        1 if max != 0 && max < average => wrong("maxBitRate is less than averageBitRate"),
        1 if level > 0.0 && average == 0 => Ok(Rate::Quality { level, max, buffer }),
        1 if average == 0 => wrong("VBR without a rate or a quality"),
        1 => Ok(Rate::Variable { average, max, buffer }),
        2 if average == 0 => wrong("CBR without a rate"),
        2 => Ok(Rate::Constant { rate: average, buffer }),
        _ => Err(breach(
            NV_ENC_ERR_UNSUPPORTED_PARAM,
            "rateControlMode is none of the supported ones",
        )),
    }
}

fn quantizers(codec: Codec, params: &NV_ENC_RC_PARAMS) -> Answer {
    let wrong = |what| Err(breach(NV_ENC_ERR_INVALID_PARAM, what));
    let most = if codec == Codec::Av1 { 255 } else { 51 };
    let of = |qp: &sys::NV_ENC_QP| [qp.qpInterP, qp.qpInterB, qp.qpIntra];
    if word!(params.rateControlMode) == 0 && of(&params.constQP).iter().any(|qp| *qp > most) {
        return wrong("constQP is out of range");
    }
    let (low, high) = (of(&params.minQP), of(&params.maxQP));
    let (has_low, has_high) = (params.enableMinQP() == 1, params.enableMaxQP() == 1);
    if has_low && low.iter().any(|qp| *qp > most) || has_high && high.iter().any(|qp| *qp > most) {
        return wrong("minQP or maxQP is out of range");
    }
    if has_low && has_high && low.iter().zip(&high).any(|(low, high)| low > high) {
        return wrong("minQP is more than maxQP");
    }
    // The header knows 0 to 51 alone; for AV1 the programming guide has 63.
    let best = if codec == Codec::Av1 { 63 } else { 51 };
    if u32::from(params.targetQuality) > best {
        return wrong("targetQuality is out of range");
    }
    Ok(())
}
