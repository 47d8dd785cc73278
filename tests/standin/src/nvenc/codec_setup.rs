//! The codec's own part of a configuration, read and judged.

use crate::contract;
use crate::nvenc::ability::Codec;
use crate::nvenc::answer::Answer;
use crate::nvenc::answer::breach;
use crate::nvenc::answer::refused;
use crate::nvenc::setup::Profile;
use crate::nvenc::setup::Setup;
use crate::nvenc::setup::Vui;
use crate::nvenc::setup::word;
use nvidia_video_codec_sdk::sys::nvEncodeAPI as sys;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_CONFIG;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_CONFIG_AV1;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_CONFIG_H264;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_CONFIG_H264_VUI_PARAMETERS;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_CONFIG_HEVC;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NVENCSTATUS::*;

const CALL: &str = "nvEncInitializeEncoder";

/// Fills in what the codec's part says.
pub fn read(setup: &mut Setup, config: &NV_ENC_CONFIG) -> Answer {
    // SAFETY: plain numbers and pointers whichever codec's they are; which codec's it is the encode GUID said.
    unsafe {
        match setup.codec {
            Codec::H264 => h264(setup, &config.encodeCodecConfig.h264Config),
            Codec::Hevc => hevc(setup, &config.encodeCodecConfig.hevcConfig, config),
            Codec::Av1 => av1(setup, &config.encodeCodecConfig.av1Config),
        }
    }
}

fn wrong<T>(what: &str) -> Answer<T> {
    Err(breach(NV_ENC_ERR_INVALID_PARAM, what))
}

fn lacking<T>(what: &str) -> Answer<T> {
    Err(refused(
        NV_ENC_ERR_UNSUPPORTED_PARAM,
        format!("the stand-in has no {what}"),
    ))
}

fn h264(setup: &mut Setup, config: &NV_ENC_CONFIG_H264) -> Answer {
    let has_reserved = config.reservedBitFields() != 0
        || config.reserved1.iter().any(|word| *word != 0)
        || config.reserved2.iter().any(|pointer| !pointer.is_null());
    if has_reserved {
        return wrong("NV_ENC_CONFIG_H264: a reserved field is not 0");
    }
    if config.chromaFormatIDC != 1 {
        return wrong("chromaFormatIDC is not 1, and the device does not do 4:4:4");
    }
    if config.disableSPSPPS() == 1 && config.repeatSPSPPS() == 1 {
        return wrong("disableSPSPPS together with repeatSPSPPS");
    }
    if config.enableLTR() == 1 && setup.bframes > 0 {
        return wrong("long-term references together with B-frames");
    }
    let is_cabac = word!(config.entropyCodingMode) == 1;
    if setup.profile == Profile::Baseline && (is_cabac || setup.bframes > 0) {
        return wrong("baseline has neither CABAC nor B-frames");
    }
    if config.disableDeblockingFilterIDC > 2 || word!(config.entropyCodingMode) > 2 || config.sliceMode > 3 {
        return wrong("a mode of NV_ENC_CONFIG_H264 is out of range");
    }
    references(setup, word!(config.useBFramesAsRef))?;
    if config.enableTemporalSVC() == 1 || config.enableStereoMVC() == 1 || config.hierarchicalPFrames() == 1 {
        return lacking("layers");
    }
    if config.enableIntraRefresh() == 1 || config.enableLTR() == 1 || config.qpPrimeYZeroTransformBypassFlag() == 1 {
        return lacking("intra refresh, long-term references or lossless coding");
    }
    setup.level = config.level;
    setup.idr_period = config.idrPeriod;
    setup.repeats_headers = config.repeatSPSPPS() == 1;
    setup.omits_headers = config.disableSPSPPS() == 1;
    setup.delimits = config.outputAUD() == 1;
    setup.variable_rate = config.enableVFR() == 1;
    setup.vui = vui(&config.h264VUIParameters)?;
    Ok(())
}

fn hevc(setup: &mut Setup, config: &NV_ENC_CONFIG_HEVC, whole: &NV_ENC_CONFIG) -> Answer {
    let has_reserved = config.reserved() != 0
        || config.reserved1.iter().any(|word| *word != 0)
        || config.reserved2.iter().any(|pointer| !pointer.is_null());
    if has_reserved {
        return wrong("NV_ENC_CONFIG_HEVC: a reserved field is not 0");
    }
    if config.chromaFormatIDC() != 1 {
        return wrong("chromaFormatIDC is not 1, and the device does not do 4:4:4");
    }
    let is_main10 = whole.profileGUID == sys::NV_ENC_HEVC_PROFILE_MAIN10_GUID;
    let is_main = whole.profileGUID == sys::NV_ENC_HEVC_PROFILE_MAIN_GUID;
    setup.depth = depth(setup.codec, config.pixelBitDepthMinus8())?;
    setup.input_depth = setup.depth;
    if setup.depth == 10 && is_main {
        return wrong("10 bits in profile Main");
    }
    if is_main10 && !setup.codec.has_ten_bits() {
        return wrong("Main10 is not among the device's profiles");
    }
    if config.disableSPSPPS() == 1 && config.repeatSPSPPS() == 1 {
        return wrong("disableSPSPPS together with repeatSPSPPS");
    }
    if config.enableLTR() == 1 && setup.bframes > 0 {
        return wrong("long-term references together with B-frames");
    }
    if word!(config.minCUSize) > 4 || ![0, 3].contains(&word!(config.maxCUSize)) || config.tier > 1 {
        return wrong("minCUSize, maxCUSize or tier is out of range");
    }
    if config.sliceMode > 3 {
        return wrong("sliceMode is out of range");
    }
    references(setup, word!(config.useBFramesAsRef))?;
    if config.enableAlphaLayerEncoding() == 1 || config.enableIntraRefresh() == 1 || config.enableLTR() == 1 {
        return lacking("alpha layer, intra refresh or long-term references");
    }
    setup.level = config.level;
    setup.tier = config.tier;
    setup.idr_period = config.idrPeriod;
    setup.repeats_headers = config.repeatSPSPPS() == 1;
    setup.omits_headers = config.disableSPSPPS() == 1;
    setup.delimits = config.outputAUD() == 1;
    setup.vui = vui(&config.hevcVUIParameters)?;
    Ok(())
}

fn av1(setup: &mut Setup, config: &NV_ENC_CONFIG_AV1) -> Answer {
    let has_reserved = config.reserved() != 0
        || config.reserved1.iter().any(|word| *word != 0)
        || config.reserved2.iter().any(|pointer| !pointer.is_null());
    if has_reserved {
        return wrong("NV_ENC_CONFIG_AV1: a reserved field is not 0");
    }
    if config.chromaFormatIDC() != 1 {
        return wrong("chromaFormatIDC is not 1");
    }
    setup.input_depth = depth(setup.codec, config.inputPixelBitDepthMinus8())?;
    setup.depth = depth(setup.codec, config.pixelBitDepthMinus8())?;
    if setup.input_depth > setup.depth {
        return wrong("pictures of 10 bits are not coded with 8");
    }
    if config.disableSeqHdr() == 1 && config.repeatSeqHdr() == 1 {
        return wrong("disableSeqHdr together with repeatSeqHdr");
    }
    if config.level > 24 || config.tier > 1 || config.colorRange > 1 || config.chromaSamplePosition > 2 {
        return wrong("level, tier, colorRange or chromaSamplePosition is out of range");
    }
    references(setup, word!(config.useBFramesAsRef))?;
    if config.outputAnnexBFormat() == 1 || config.enableIntraRefresh() == 1 || config.enableFilmGrainParams() == 1 {
        return lacking("Annex B form, intra refresh or film grain");
    }
    if config.enableCustomTileConfig() == 1 {
        return lacking("custom tiles");
    }
    setup.idr_period = config.idrPeriod;
    setup.repeats_headers = config.repeatSeqHdr() == 1;
    setup.omits_headers = config.disableSeqHdr() == 1;
    let colours = (
        word!(config.colorPrimaries),
        word!(config.transferCharacteristics),
        word!(config.matrixCoefficients),
    );
    setup.vui = Vui {
        full_range: config.colorRange == 1,
        colours: (colours != (0, 0, 0) && colours != (2, 2, 2)).then_some(colours),
        ..Vui::default()
    };
    Ok(())
}

/// B-frames as references: none, each, or the middle one, which is all that the device does.
fn references(setup: &Setup, mode: u32) -> Answer {
    match mode {
        0 => Ok(()),
        2 if setup.codec.max_bframes() > 0 => Ok(()),
        _ => wrong("useBFramesAsRef is not among the device's capabilities"),
    }
}

fn depth(codec: Codec, minus8: u32) -> Answer<u32> {
    match minus8 {
        0 => Ok(8),
        2 if codec.has_ten_bits() => Ok(10),
        2 => wrong("10 bits are not among the device's capabilities"),
        _ => wrong("a bit depth that is neither 8 nor 10"),
    }
}

fn vui(params: &NV_ENC_CONFIG_H264_VUI_PARAMETERS) -> Answer<Vui> {
    if params.reserved.iter().any(|word| *word != 0) {
        return wrong("the usability information has a reserved field that is not 0");
    }
    let flags = [
        params.overscanInfoPresentFlag,
        params.overscanInfo,
        params.videoSignalTypePresentFlag,
        params.videoFullRangeFlag,
        params.colourDescriptionPresentFlag,
        params.chromaSampleLocationFlag,
        params.bitstreamRestrictionFlag,
        params.timingInfoPresentFlag,
    ];
    if flags.iter().any(|flag| *flag > 1) {
        return wrong("a flag of the usability information is neither 0 nor 1");
    }
    let signal_type = params.videoSignalTypePresentFlag == 1;
    let described = params.colourDescriptionPresentFlag == 1;
    if described && !signal_type {
        contract::violated(
            CALL,
            "a colour description without videoSignalTypePresentFlag: it would be lost",
        );
    }
    if params.videoFullRangeFlag == 1 && !signal_type {
        contract::violated(
            CALL,
            "videoFullRangeFlag without videoSignalTypePresentFlag: it would be lost",
        );
    }
    let chroma = (params.chromaSampleLocationTop, params.chromaSampleLocationBot);
    if chroma.0 > 5 || chroma.1 > 5 {
        return wrong("a chroma sample location is out of range");
    }
    Ok(Vui {
        overscan: (params.overscanInfoPresentFlag == 1).then_some(params.overscanInfo == 1),
        signal_type,
        format: word!(params.videoFormat) & 7,
        full_range: params.videoFullRangeFlag == 1,
        colours: described.then(|| {
            (
                word!(params.colourPrimaries),
                word!(params.transferCharacteristics),
                word!(params.colourMatrix),
            )
        }),
        chroma_location: (params.chromaSampleLocationFlag == 1).then_some(chroma),
        timing: (params.timingInfoPresentFlag == 1).then_some((params.numUnitInTicks, params.timeScale)),
    })
}

/// Whether pictures of this size and rate may be of the level that was asked for. Known of H.264, whose table is Annex A's.
pub fn level_fits(setup: &Setup) -> Answer {
    /// Level, macroblocks a second, macroblocks a picture.
    const LEVELS: [(u32, u64, u64); 20] = [
        (9, 1_485, 99),
        (10, 1_485, 99),
        (11, 3_000, 396),
        (12, 6_000, 396),
        (13, 11_880, 396),
        (20, 11_880, 396),
        (21, 19_800, 792),
        (22, 20_250, 1_620),
        (30, 40_500, 1_620),
        (31, 108_000, 3_600),
        (32, 216_000, 5_120),
        (40, 245_760, 8_192),
        (41, 245_760, 8_192),
        (42, 522_240, 8_704),
        (50, 589_824, 22_080),
        (51, 983_040, 36_864),
        (52, 2_073_600, 36_864),
        (60, 4_177_920, 139_264),
        (61, 8_355_840, 139_264),
        (62, 16_711_680, 139_264),
    ];
    if setup.codec != Codec::H264 || setup.level == 0 {
        return Ok(());
    }
    let Some((_, per_second, per_picture)) = LEVELS.iter().find(|(level, ..)| *level == setup.level) else {
        return wrong("a level that H.264 does not have");
    };
    let picture = u64::from(setup.width.div_ceil(16)) * u64::from(setup.height.div_ceil(16));
    let second = picture * u64::from(setup.rate_num) / u64::from(setup.rate_den);
    if picture > *per_picture || second > *per_second {
        return Err(breach(NV_ENC_ERR_INVALID_PARAM, "Invalid Level."));
    }
    Ok(())
}
