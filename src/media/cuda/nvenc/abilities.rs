//! What the encoders of a device can do, and how many more of them can be opened.
//!
//! Guarantees: asked of the driver, codec by codec, never taken from a table of cards; sessions opened to ask are closed
//! again. Deliberately absent: remedies, which the report of devices adds.

use crate::media::cuda::error::CudaError;
use crate::media::cuda::error::Trouble;
use crate::media::cuda::gpu::Gpu;
use crate::media::cuda::nvenc::encoder::Encoder;
use crate::media::cuda::nvenc::setup::Codec;
use crate::media::device_report::EncodeAbility;
use nvidia_video_codec_sdk::sys::nvEncodeAPI as sys;
use std::sync::Arc;

/// No driver has more codecs.
const MOST_CODECS: u32 = 64;

/// What the encoders of a device can do, by codec; codecs that this program does not ask for are left out.
///
/// # Errors
/// `Absent`: the device has no encoders, or the driver no library for them, or one that is too old. `Busy`: all
/// sessions are taken, and one is needed to ask.
pub fn abilities(gpu: &Arc<Gpu>) -> Result<Vec<EncodeAbility>, CudaError> {
    let encoder = Encoder::open(gpu)?;
    let guids = codecs(&encoder)?;
    [Codec::H264, Codec::Hevc, Codec::Av1]
        .into_iter()
        .filter(|codec| guids.contains(&guid(*codec)))
        .map(|codec| of_codec(&encoder, codec))
        .collect()
}

/// Sessions that can be opened now, counted by opening up to `bound` of them at once. What others open meanwhile is
/// missed.
///
/// # Errors
/// As [`abilities`], but all sessions taken is 0.
pub fn sessions_free(gpu: &Arc<Gpu>, bound: u32) -> Result<u32, CudaError> {
    let mut open = Vec::new();
    for _ in 0..bound {
        match Encoder::open(gpu) {
            Ok(encoder) => open.push(encoder),
            Err(full) if full.kind == Trouble::Busy => break,
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(open.len() as u32)
}

/// The driver's name of a codec.
pub fn guid(codec: Codec) -> sys::GUID {
    match codec {
        Codec::H264 => sys::NV_ENC_CODEC_H264_GUID,
        Codec::Hevc => sys::NV_ENC_CODEC_HEVC_GUID,
        Codec::Av1 => sys::NV_ENC_CODEC_AV1_GUID,
    }
}

fn codecs(encoder: &Encoder) -> Result<Vec<sys::GUID>, CudaError> {
    let functions = encoder.functions();
    let mut count = 0;
    // SAFETY: a live session, and one number of ours.
    let code = unsafe { (functions.codec_count)(encoder.handle(), &mut count) };
    encoder.check("nvEncGetEncodeGUIDCount", code)?;
    let mut guids = vec![sys::GUID::default(); count.min(MOST_CODECS) as usize];
    let mut filled = 0;
    // SAFETY: a live session; the list has as many places as it is said to have.
    let code = unsafe { (functions.codecs)(encoder.handle(), guids.as_mut_ptr(), guids.len() as u32, &mut filled) };
    encoder.check("nvEncGetEncodeGUIDs", code)?;
    guids.truncate(filled as usize);
    Ok(guids)
}

/// The same of one codec, for a session that is about to use it.
///
/// # Errors
/// `Absent`: the device does not make this codec.
pub fn of_codec_if_there(encoder: &Encoder, codec: Codec) -> Result<EncodeAbility, CudaError> {
    if codecs(encoder)?.contains(&guid(codec)) {
        return of_codec(encoder, codec);
    }
    let name = codec.name();
    Err(CudaError::absent(
        "nvEncGetEncodeGUIDs",
        format!("the encoders of this device do not make {name}"),
    ))
}

fn of_codec(encoder: &Encoder, codec: Codec) -> Result<EncodeAbility, CudaError> {
    use sys::NV_ENC_CAPS as Cap;
    let ask = |cap: Cap| -> Result<u32, CudaError> {
        let mut question = sys::NV_ENC_CAPS_PARAM {
            version: sys::NV_ENC_CAPS_PARAM_VER,
            capsToQuery: cap,
            reserved: [0; 62],
        };
        let mut answer = 0;
        // SAFETY: a live session, and two structs of ours.
        let code = unsafe { (encoder.functions().ability)(encoder.handle(), guid(codec), &mut question, &mut answer) };
        encoder.check("nvEncGetEncodeCaps", code)?;
        Ok(u32::try_from(answer).unwrap_or(0))
    };
    Ok(EncodeAbility {
        codec: codec.name().to_owned(),
        min_width: ask(Cap::NV_ENC_CAPS_WIDTH_MIN)?,
        min_height: ask(Cap::NV_ENC_CAPS_HEIGHT_MIN)?,
        max_width: ask(Cap::NV_ENC_CAPS_WIDTH_MAX)?,
        max_height: ask(Cap::NV_ENC_CAPS_HEIGHT_MAX)?,
        max_bframes: ask(Cap::NV_ENC_CAPS_NUM_MAX_BFRAMES)?,
        bframe_references: ask(Cap::NV_ENC_CAPS_SUPPORT_BFRAME_REF_MODE)? > 0,
        ten_bit: ask(Cap::NV_ENC_CAPS_SUPPORT_10BIT_ENCODE)? > 0,
        lookahead: ask(Cap::NV_ENC_CAPS_SUPPORT_LOOKAHEAD)? > 0,
        temporal_aq: ask(Cap::NV_ENC_CAPS_SUPPORT_TEMPORAL_AQ)? > 0,
        custom_vbv: ask(Cap::NV_ENC_CAPS_SUPPORT_CUSTOM_VBV_BUF_SIZE)? > 0,
        // Drivers that know the question have at least one.
        engines: ask(Cap::NV_ENC_CAPS_NUM_ENCODER_ENGINES)?.max(1),
    })
}
