//! The driver's configuration of an encoder: what its preset says, with what is asked for written over it.
//!
//! Guarantees: pure; nothing is asked for that the device said it does not have, and what was left out or lessened is
//! a note. Deliberately absent: calls of the driver.

use crate::media::cuda::nvenc::setup::BFrames;
use crate::media::cuda::nvenc::setup::Codec;
use crate::media::cuda::nvenc::setup::EncodeSetup;
use crate::media::cuda::nvenc::setup::Profile;
use crate::media::cuda::nvenc::setup::Rate;
use crate::media::cuda::nvenc::setup::Signal;
use crate::media::device_report::EncodeAbility;
use nvidia_video_codec_sdk::sys::nvEncodeAPI as sys;
use std::mem::MaybeUninit;

/// Pictures it looks ahead, where it does; 31 with the B-frames is the most there may be.
const LOOKAHEAD: u32 = 20;
const MOST_AHEAD: u32 = 31;
/// Frames of a GOP with B-frames: the infinite GOP goes with none, by the header. Forced key frames come long before.
const LONGEST_GOP: u32 = 1 << 20;
/// The header's number of the level of AV1 that the driver chooses.
const AV1_ANY_LEVEL: u32 = 24;
/// Steps of the fraction of a quality level.
const QUALITY_STEPS: f64 = 256.0;
/// The driver takes level 0 for "choose yourself".
const BEST_QUALITY: f64 = 1.0 / QUALITY_STEPS;
const WORST_QUALITY: f64 = 51.0;

/// A configuration ready for the driver.
pub struct Config {
    /// The struct; every field that Rust must know the value of is written.
    pub raw: Box<MaybeUninit<sys::NV_ENC_CONFIG>>,
    /// B-frames in a row.
    pub bframes: u32,
    /// Pictures looked ahead.
    pub lookahead: u32,
    /// What is not as it was asked for, a sentence without full stop each.
    pub notes: Vec<String>,
}

impl Config {
    /// Writes what is asked for over what the preset says.
    pub fn new(setup: &EncodeSetup, ability: &EncodeAbility, preset: Box<MaybeUninit<sys::NV_ENC_CONFIG>>) -> Self {
        let mut raw = preset;
        let mut notes = Vec::new();
        let config = raw.as_mut_ptr();
        // SAFETY: a number, and the struct is initialised with zeros or by the driver.
        let of_preset = unsafe { (*config).frameIntervalP } - 1;
        let bframes = bframes(setup, ability, u32::try_from(of_preset).unwrap_or(0), &mut notes);
        let lookahead = if setup.is_careful && ability.lookahead {
            LOOKAHEAD.min(MOST_AHEAD - bframes)
        } else {
            0
        };
        let gop = if bframes == 0 {
            sys::NVENC_INFINITE_GOPLENGTH
        } else {
            LONGEST_GOP
        };
        // SAFETY: fields of an initialised struct, written one by one with values that they have.
        unsafe {
            (*config).version = sys::NV_ENC_CONFIG_VER;
            (*config).profileGUID = profile(setup);
            (*config).gopLength = gop;
            (*config).frameIntervalP = bframes as i32 + 1;
            (*config).frameFieldMode = sys::NV_ENC_PARAMS_FRAME_FIELD_MODE::NV_ENC_PARAMS_FRAME_FIELD_MODE_FRAME;
            let rate = &mut (*config).rcParams;
            write_rate(rate, &setup.rate, ability);
            write_care(rate, setup, ability, lookahead);
            // Of the union, the one that belongs to the codec; presets of the driver fill no other.
            let codec = &raw mut (*config).encodeCodecConfig;
            match setup.codec {
                Codec::H264 => write_h264(&raw mut (*codec).h264Config, setup, ability, (bframes, gop)),
                Codec::Hevc => write_hevc(&raw mut (*codec).hevcConfig, setup, ability, (bframes, gop)),
                Codec::Av1 => write_av1(&raw mut (*codec).av1Config, setup, ability, (bframes, gop)),
            }
        }
        Config {
            raw,
            bframes,
            lookahead,
            notes,
        }
    }

    /// Changes the rate and nothing else.
    pub fn set_rate(&mut self, rate: &Rate, ability: &EncodeAbility) {
        // SAFETY: initialised by `new`.
        write_rate(unsafe { &mut (*self.raw.as_mut_ptr()).rcParams }, rate, ability);
    }

    /// Pictures that the encoder may hold before the first comes out, and some on their way.
    pub fn pictures_inside(&self) -> usize {
        // As many as FFmpeg and the driver's samples have; the header wants four more than there are B-frames.
        let interval = self.bframes + 1;
        (interval * 4).max(self.lookahead + interval + 5).max(4) as usize
    }
}

fn bframes(setup: &EncodeSetup, ability: &EncodeAbility, of_preset: u32, notes: &mut Vec<String>) -> u32 {
    match setup.bframes {
        BFrames::OfPreset => of_preset.min(ability.max_bframes),
        BFrames::Usual(usual) => usual.min(ability.max_bframes),
        BFrames::Asked(asked) => {
            let most = ability.max_bframes;
            if asked > most {
                let name = setup.codec.name();
                notes.push(format!(
                    "{asked} B-frames in a row were asked for; this device has at most {most} in {name}"
                ));
            }
            asked.min(most)
        }
    }
}

fn profile(setup: &EncodeSetup) -> sys::GUID {
    match (setup.codec, setup.profile) {
        (Codec::H264, Profile::Baseline) => sys::NV_ENC_H264_PROFILE_BASELINE_GUID,
        (Codec::H264, Profile::Main) => sys::NV_ENC_H264_PROFILE_MAIN_GUID,
        (Codec::H264, _) => sys::NV_ENC_H264_PROFILE_HIGH_GUID,
        (Codec::Hevc, Profile::Main10) => sys::NV_ENC_HEVC_PROFILE_MAIN10_GUID,
        (Codec::Hevc, _) => sys::NV_ENC_HEVC_PROFILE_MAIN_GUID,
        (Codec::Av1, _) => sys::NV_ENC_AV1_PROFILE_MAIN_GUID,
    }
}

fn write_rate(rc: &mut sys::NV_ENC_RC_PARAMS, rate: &Rate, ability: &EncodeAbility) {
    use sys::NV_ENC_PARAMS_RC_MODE as Mode;
    let buffer_bits = |buffer: Option<u32>| buffer.filter(|_| ability.custom_vbv).unwrap_or(0);
    rc.version = sys::NV_ENC_RC_PARAMS_VER;
    rc.targetQuality = 0;
    rc.targetQualityLSB = 0;
    rc.vbvInitialDelay = 0;
    match rate {
        Rate::Constant { bitrate, buffer } => {
            rc.rateControlMode = Mode::NV_ENC_PARAMS_RC_CBR;
            rc.averageBitRate = *bitrate;
            rc.maxBitRate = *bitrate;
            rc.vbvBufferSize = buffer_bits(Some(*buffer));
        }
        Rate::Average { bitrate, cap, buffer } => {
            rc.rateControlMode = Mode::NV_ENC_PARAMS_RC_VBR;
            rc.averageBitRate = *bitrate;
            rc.maxBitRate = cap.unwrap_or(0);
            rc.vbvBufferSize = buffer_bits(*buffer);
        }
        Rate::Quality { level, cap, buffer } => {
            let steps = (level.clamp(BEST_QUALITY, WORST_QUALITY) * QUALITY_STEPS).round() as u32;
            rc.rateControlMode = Mode::NV_ENC_PARAMS_RC_VBR;
            rc.averageBitRate = 0;
            rc.maxBitRate = cap.unwrap_or(0);
            rc.vbvBufferSize = buffer_bits(*buffer);
            rc.targetQuality = (steps / QUALITY_STEPS as u32) as u8;
            rc.targetQualityLSB = (steps % QUALITY_STEPS as u32) as u8;
        }
    }
}

/// What costs time and saves bits.
fn write_care(rc: &mut sys::NV_ENC_RC_PARAMS, setup: &EncodeSetup, ability: &EncodeAbility, lookahead: u32) {
    rc.set_enableLookahead(u32::from(lookahead > 0));
    rc.lookaheadDepth = lookahead as u16;
    // Key frames stand where they are forced, on all renditions at once, and nowhere else.
    rc.set_disableIadapt(1);
    rc.set_strictGOPTarget(1);
    // B-frames must be there to be decided on, and pictures may come late.
    rc.set_zeroReorderDelay(0);
    rc.set_enableAQ(u32::from(setup.is_careful));
    rc.set_aqStrength(0);
    rc.set_enableTemporalAQ(u32::from(setup.is_careful && ability.temporal_aq));
    rc.qpMapMode = sys::NV_ENC_QP_MAP_MODE::NV_ENC_QP_MAP_DISABLED;
    if setup.is_analysed_twice {
        rc.multiPass = sys::NV_ENC_MULTI_PASS::NV_ENC_TWO_PASS_FULL_RESOLUTION;
    }
}

/// Which B-frames are references: the middle one of a run, where the device can and there is a middle.
fn references(ability: &EncodeAbility, bframes: u32) -> sys::NV_ENC_BFRAME_REF_MODE {
    if ability.bframe_references && bframes >= 2 {
        sys::NV_ENC_BFRAME_REF_MODE::NV_ENC_BFRAME_REF_MODE_MIDDLE
    } else {
        sys::NV_ENC_BFRAME_REF_MODE::NV_ENC_BFRAME_REF_MODE_DISABLED
    }
}

/// # Safety
/// `place` lies within an initialised configuration whose codec is H.264.
unsafe fn write_h264(
    place: *mut sys::NV_ENC_CONFIG_H264,
    setup: &EncodeSetup,
    ability: &EncodeAbility,
    (bframes, gop): (u32, u32),
) {
    use sys::NV_ENC_H264_ENTROPY_CODING_MODE as Entropy;
    // SAFETY: by the contract; the driver's own preset of this version holds values of it.
    let h264 = unsafe { &mut *place };
    let is_constant = matches!(setup.rate, Rate::Constant { .. });
    h264.level = setup.level.unwrap_or(0);
    h264.idrPeriod = gop;
    h264.chromaFormatIDC = 1;
    h264.useBFramesAsRef = references(ability, bframes);
    if setup.profile == Profile::Baseline {
        h264.entropyCodingMode = Entropy::NV_ENC_H264_ENTROPY_CODING_MODE_CAVLC;
        h264.adaptiveTransformMode = sys::NV_ENC_H264_ADAPTIVE_TRANSFORM_MODE::NV_ENC_H264_ADAPTIVE_TRANSFORM_DISABLE;
    }
    h264.set_repeatSPSPPS(1);
    h264.set_disableSPSPPS(0);
    h264.set_outputAUD(0);
    h264.set_enableVFR(u32::from(!setup.is_steady));
    h264.set_outputBufferingPeriodSEI(u32::from(is_constant));
    h264.set_outputPictureTimingSEI(u32::from(is_constant));
    h264.set_enableFillerDataInsertion(u32::from(is_constant));
    // SAFETY: as above; what follows writes only numbers.
    unsafe { write_signal(&raw mut (*place).h264VUIParameters, setup.signal) }
}

/// # Safety
/// `place` lies within an initialised configuration whose codec is HEVC.
unsafe fn write_hevc(
    place: *mut sys::NV_ENC_CONFIG_HEVC,
    setup: &EncodeSetup,
    ability: &EncodeAbility,
    (bframes, gop): (u32, u32),
) {
    // SAFETY: by the contract; the driver's own preset of this version holds values of it.
    let hevc = unsafe { &mut *place };
    let is_constant = matches!(setup.rate, Rate::Constant { .. });
    hevc.level = setup.level.unwrap_or(0);
    hevc.tier = 0;
    hevc.idrPeriod = gop;
    hevc.useBFramesAsRef = references(ability, bframes);
    hevc.set_chromaFormatIDC(1);
    hevc.set_pixelBitDepthMinus8(depth_above_8(setup));
    hevc.set_repeatSPSPPS(1);
    hevc.set_disableSPSPPS(0);
    hevc.set_outputAUD(0);
    hevc.set_outputBufferingPeriodSEI(u32::from(is_constant));
    hevc.set_outputPictureTimingSEI(u32::from(is_constant));
    hevc.set_enableFillerDataInsertion(u32::from(is_constant));
    // SAFETY: as above; what follows writes only numbers.
    unsafe { write_signal(&raw mut (*place).hevcVUIParameters, setup.signal) }
}

/// # Safety
/// `place` lies within an initialised configuration whose codec is AV1.
unsafe fn write_av1(
    place: *mut sys::NV_ENC_CONFIG_AV1,
    setup: &EncodeSetup,
    ability: &EncodeAbility,
    (bframes, gop): (u32, u32),
) {
    // SAFETY: by the contract; the driver's own preset of this version holds values of it.
    let av1 = unsafe { &mut *place };
    av1.level = setup.level.unwrap_or(AV1_ANY_LEVEL);
    av1.tier = 0;
    av1.idrPeriod = gop;
    av1.useBFramesAsRef = references(ability, bframes);
    av1.set_outputAnnexBFormat(0);
    av1.set_chromaFormatIDC(1);
    av1.set_inputPixelBitDepthMinus8(depth_above_8(setup));
    av1.set_pixelBitDepthMinus8(depth_above_8(setup));
    av1.set_repeatSeqHdr(1);
    av1.set_disableSeqHdr(0);
    av1.set_enableBitstreamPadding(u32::from(matches!(setup.rate, Rate::Constant { .. })));
    av1.colorRange = u32::from(setup.signal.is_full_range);
    // SAFETY: numbers of the same width, which the standard lists and the header's enums need not.
    unsafe {
        (&raw mut (*place).colorPrimaries)
            .cast::<u32>()
            .write(setup.signal.primaries);
        (&raw mut (*place).transferCharacteristics)
            .cast::<u32>()
            .write(setup.signal.transfer);
        (&raw mut (*place).matrixCoefficients)
            .cast::<u32>()
            .write(setup.signal.matrix);
    }
}

fn depth_above_8(setup: &EncodeSetup) -> u32 {
    if setup.is_ten_bit { 2 } else { 0 }
}

/// # Safety
/// `vui` lies within an initialised configuration.
unsafe fn write_signal(vui: *mut sys::NV_ENC_CONFIG_H264_VUI_PARAMETERS, signal: Signal) {
    // SAFETY: by the contract; numbers of the same width, which the standard lists and the header's enums need not.
    unsafe {
        (*vui).videoSignalTypePresentFlag = 1;
        (*vui).videoFormat = sys::NV_ENC_VUI_VIDEO_FORMAT::NV_ENC_VUI_VIDEO_FORMAT_UNSPECIFIED;
        (*vui).videoFullRangeFlag = u32::from(signal.is_full_range);
        (*vui).colourDescriptionPresentFlag = 1;
        (&raw mut (*vui).colourPrimaries).cast::<u32>().write(signal.primaries);
        (&raw mut (*vui).transferCharacteristics)
            .cast::<u32>()
            .write(signal.transfer);
        (&raw mut (*vui).colourMatrix).cast::<u32>().write(signal.matrix);
    }
}

#[cfg(test)]
mod tests {
    use super::Config;
    use crate::media::cuda::nvenc::api;
    use crate::media::cuda::nvenc::setup::BFrames;
    use crate::media::cuda::nvenc::setup::Codec;
    use crate::media::cuda::nvenc::setup::EncodeSetup;
    use crate::media::cuda::nvenc::setup::Profile;
    use crate::media::cuda::nvenc::setup::Rate;
    use crate::media::cuda::nvenc::setup::Signal;
    use crate::media::device_report::EncodeAbility;
    use nvidia_video_codec_sdk::sys::nvEncodeAPI as sys;

    const QUALITY: Rate = Rate::Quality {
        level: 23.5,
        cap: Some(900_000),
        buffer: Some(1_800_000),
    };

    fn setup(codec: Codec) -> EncodeSetup {
        EncodeSetup {
            codec,
            profile: Profile::Main,
            level: None,
            width: 1280,
            height: 720,
            is_ten_bit: false,
            frame_rate: (30, 1),
            is_steady: true,
            preset: 4,
            is_careful: false,
            rate: QUALITY,
            is_analysed_twice: false,
            bframes: BFrames::Asked(3),
            signal: Signal {
                primaries: 9,
                transfer: 16,
                matrix: 9,
                is_full_range: true,
            },
            messages: Vec::new(),
        }
    }

    fn able() -> EncodeAbility {
        EncodeAbility {
            max_bframes: 4,
            bframe_references: true,
            ten_bit: true,
            lookahead: true,
            temporal_aq: true,
            custom_vbv: true,
            ..EncodeAbility::default()
        }
    }

    fn of(setup: &EncodeSetup, ability: &EncodeAbility) -> Config {
        Config::new(setup, ability, Box::new(api::blank()))
    }

    fn whole(config: &Config) -> &sys::NV_ENC_CONFIG {
        // SAFETY: begun with zeros, every enum that has none is written, and these tests write values that exist.
        unsafe { config.raw.assume_init_ref() }
    }

    fn rate(config: &Config) -> sys::NV_ENC_RC_PARAMS {
        whole(config).rcParams
    }

    fn h264(config: &Config) -> &sys::NV_ENC_CONFIG_H264 {
        // SAFETY: the part of the union that was written.
        unsafe { &whole(config).encodeCodecConfig.h264Config }
    }

    fn hevc(config: &Config) -> &sys::NV_ENC_CONFIG_HEVC {
        // SAFETY: the part of the union that was written.
        unsafe { &whole(config).encodeCodecConfig.hevcConfig }
    }

    fn av1(config: &Config) -> &sys::NV_ENC_CONFIG_AV1 {
        // SAFETY: the part of the union that was written.
        unsafe { &whole(config).encodeCodecConfig.av1Config }
    }

    fn said(vui: &sys::NV_ENC_CONFIG_H264_VUI_PARAMETERS) -> [u32; 6] {
        [
            vui.videoSignalTypePresentFlag,
            vui.colourDescriptionPresentFlag,
            vui.videoFullRangeFlag,
            vui.colourPrimaries as u32,
            vui.transferCharacteristics as u32,
            vui.colourMatrix as u32,
        ]
    }

    #[test]
    fn quality_is_a_variable_rate_with_a_cap() {
        let rate = rate(&of(&setup(Codec::H264), &able()));
        assert_eq!(rate.rateControlMode, sys::NV_ENC_PARAMS_RC_MODE::NV_ENC_PARAMS_RC_VBR);
        assert_eq!((rate.targetQuality, rate.targetQualityLSB), (23, 128));
        assert_eq!(
            (rate.averageBitRate, rate.maxBitRate, rate.vbvBufferSize),
            (0, 900_000, 1_800_000)
        );
        assert_eq!(
            (rate.disableIadapt(), rate.strictGOPTarget(), rate.enableLookahead()),
            (1, 1, 0)
        );
        let best = Rate::Quality {
            level: 0.0,
            cap: None,
            buffer: None,
        };
        let mut config = of(&setup(Codec::H264), &able());
        config.set_rate(&best, &able());
        let rate = self::rate(&config);
        assert_eq!(
            (rate.targetQuality, rate.targetQualityLSB),
            (0, 1),
            "0 is the driver's own choice"
        );
    }

    #[test]
    fn care_is_taken_as_far_as_the_device_can() {
        let mut wanted = setup(Codec::Hevc);
        wanted.is_careful = true;
        wanted.is_analysed_twice = true;
        let config = of(&wanted, &able());
        let found = rate(&config);
        assert_eq!(
            (found.enableLookahead(), found.lookaheadDepth, config.lookahead),
            (1, 20, 20)
        );
        assert_eq!((found.enableAQ(), found.enableTemporalAQ()), (1, 1));
        assert_eq!(found.multiPass, sys::NV_ENC_MULTI_PASS::NV_ENC_TWO_PASS_FULL_RESOLUTION);
        assert!(config.pictures_inside() >= 20 + 3 + 4);
        let poor = of(&wanted, &EncodeAbility::default());
        let found = rate(&poor);
        assert_eq!(
            (found.enableLookahead(), found.enableTemporalAQ(), found.vbvBufferSize),
            (0, 0, 0)
        );
        assert_eq!((found.enableAQ(), poor.bframes), (1, 0));
        assert_eq!(poor.notes.len(), 1, "{:?}", poor.notes);
        wanted.bframes = BFrames::Usual(3);
        assert!(
            of(&wanted, &EncodeAbility::default()).notes.is_empty(),
            "nobody asked for them"
        );
    }

    #[test]
    fn no_key_frame_comes_by_itself() {
        let gop = |bframes| {
            let mut wanted = setup(Codec::H264);
            wanted.bframes = BFrames::Asked(bframes);
            let config = of(&wanted, &able());
            let (frames, interval) = (whole(&config).gopLength, whole(&config).frameIntervalP);
            let idr = h264(&config).idrPeriod;
            assert_eq!(frames, idr);
            (frames, interval)
        };
        assert_eq!(gop(0), (sys::NVENC_INFINITE_GOPLENGTH, 1));
        let (frames, interval) = gop(9);
        assert_eq!(interval, 5, "the device has four");
        assert!(frames > 100_000 && frames != sys::NVENC_INFINITE_GOPLENGTH);
    }

    #[test]
    fn each_codec_says_what_its_numbers_mean() {
        let mut wanted = setup(Codec::H264);
        wanted.level = Some(41);
        let config = of(&wanted, &able());
        let found = h264(&config);
        assert_eq!(said(&found.h264VUIParameters), [1, 1, 1, 9, 16, 9]);
        assert_eq!((found.repeatSPSPPS(), found.level, found.chromaFormatIDC), (1, 41, 1));
        let mut wanted = setup(Codec::Hevc);
        wanted.is_ten_bit = true;
        wanted.profile = Profile::Main10;
        let config = of(&wanted, &able());
        let found = hevc(&config);
        assert_eq!(said(&found.hevcVUIParameters), [1, 1, 1, 9, 16, 9]);
        let form = (
            found.repeatSPSPPS(),
            found.chromaFormatIDC(),
            found.pixelBitDepthMinus8(),
        );
        assert_eq!(form, (1, 1, 2));
        assert_eq!(whole(&config).profileGUID, sys::NV_ENC_HEVC_PROFILE_MAIN10_GUID);
        let config = of(&setup(Codec::Av1), &able());
        let found = av1(&config);
        assert_eq!((found.matrixCoefficients as u32, found.colorRange), (9, 1));
        assert_eq!((found.level, found.repeatSeqHdr()), (24, 1));
    }
}
