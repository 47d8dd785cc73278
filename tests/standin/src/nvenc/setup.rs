//! What a session is asked to make: `NV_ENC_INITIALIZE_PARAMS` read and judged as the header says.
//!
//! Guarantees: a field that the header forbids, reserves or bounds is refused with its name; what passes is plain data.
//! Deliberately absent: what a real device could do and the stand-in cannot (motion hints, output into video memory,
//! layers, long-term references); it is refused as unsupported, which is no breach.

use crate::nvenc::ability::Codec;
use crate::nvenc::ability::PRESETS;
use crate::nvenc::answer::Answer;
use crate::nvenc::answer::breach;
use crate::nvenc::answer::refused;
use crate::nvenc::codec_setup;
use crate::nvenc::preset;
use crate::nvenc::rate;
use crate::nvenc::rate::Rate;
use nvidia_video_codec_sdk::sys::nvEncodeAPI as sys;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::GUID;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_CONFIG;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_INITIALIZE_PARAMS;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NVENCSTATUS::*;

/// Never.
pub const INFINITE: u32 = sys::NVENC_INFINITE_GOPLENGTH;

/// A field as the number that lies there: whoever cleared a struct has put numbers into it that its enumerations lack.
macro_rules! word {
    ($field:expr) => {{
        // SAFETY: the enumerations of the header are words of 32 bits, and the field lies in a struct that is borrowed.
        unsafe { std::ptr::addr_of!($field).cast::<u32>().read() }
    }};
}
pub(super) use word;

/// Video usability information; the parts that are not present are none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Vui {
    pub overscan: Option<bool>,
    pub signal_type: bool,
    pub format: u32,
    pub full_range: bool,
    /// Primaries, transfer, matrix.
    pub colours: Option<(u32, u32, u32)>,
    pub chroma_location: Option<(u32, u32)>,
    /// Units in a tick, ticks in a second.
    pub timing: Option<(u32, u32)>,
}

/// What of a profile matters to the software encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    Baseline,
    Main,
    High,
}

/// A session's settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Setup {
    pub codec: Codec,
    pub width: u32,
    pub height: u32,
    /// The most that a change of settings may ask for; 0: the size cannot be changed.
    pub max_width: u32,
    pub max_height: u32,
    pub display_aspect: (u32, u32),
    pub rate_num: u32,
    pub rate_den: u32,
    pub preset: usize,
    pub tuning: u32,
    pub profile: Profile,
    pub level: u32,
    pub tier: u32,
    /// Bits of a sample as given.
    pub input_depth: u32,
    /// Bits of a sample as coded.
    pub depth: u32,
    pub interval: u32,
    pub bframes: u32,
    pub gop: u32,
    pub idr_period: u32,
    pub lookahead: u32,
    pub rate: Rate,
    pub vui: Vui,
    pub repeats_headers: bool,
    pub omits_headers: bool,
    pub delimits: bool,
    pub variable_rate: bool,
}

impl Setup {
    /// Shape of a sample; zeros where nothing is said of it.
    pub fn sample_aspect(&self) -> (u32, u32) {
        let (wide, high) = self.display_aspect;
        if wide == 0 || high == 0 {
            return (0, 0);
        }
        let (wide, high) = (
            u64::from(wide) * u64::from(self.height),
            u64::from(high) * u64::from(self.width),
        );
        let mut divisor = greatest_common_divisor(wide, high);
        while wide / divisor > 65_535 || high / divisor > 65_535 {
            divisor *= 2;
        }
        ((wide / divisor) as u32, (high / divisor) as u32)
    }

    /// Reads the parameters of `nvEncInitializeEncoder`.
    pub fn read(params: &NV_ENC_INITIALIZE_PARAMS) -> Answer<Setup> {
        if params.version != sys::NV_ENC_INITIALIZE_PARAMS_VER {
            return Err(breach(NV_ENC_ERR_INVALID_VERSION, "NV_ENC_INITIALIZE_PARAMS::version"));
        }
        session_flags(params)?;
        let codec = Codec::of(params.encodeGUID)?;
        let tuning = word!(params.tuningInfo);
        let preset = PRESETS.iter().position(|preset| *preset == params.presetGUID);
        if preset.is_none() && (params.encodeConfig.is_null() || params.presetGUID != no_guid()) {
            return Err(breach(NV_ENC_ERR_UNSUPPORTED_PARAM, "a preset GUID that is not listed"));
        }
        if preset.is_some() && !(1..=4).contains(&tuning) {
            return Err(breach(
                NV_ENC_ERR_INVALID_PARAM,
                "tuningInfo is undefined or out of range",
            ));
        }
        sizes(params, codec)?;
        let preset = preset.unwrap_or(3);
        // SAFETY: the caller's, and not null where it is read.
        let config = match unsafe { params.encodeConfig.as_ref() } {
            Some(config) => *config,
            None => preset::config(codec, preset, tuning),
        };
        let mut setup = from_config(codec, &config)?;
        (setup.width, setup.height) = (params.encodeWidth, params.encodeHeight);
        (setup.max_width, setup.max_height) = (params.maxEncodeWidth, params.maxEncodeHeight);
        setup.display_aspect = (params.darWidth, params.darHeight);
        (setup.rate_num, setup.rate_den) = (params.frameRateNum, params.frameRateDen);
        (setup.preset, setup.tuning) = (preset, tuning);
        if params.enableWeightedPrediction() == 1 && setup.bframes > 0 {
            return Err(breach(
                NV_ENC_ERR_INVALID_PARAM,
                "weighted prediction together with B-frames",
            ));
        }
        codec_setup::level_fits(&setup)?;
        Ok(setup)
    }

    /// Whether a running session can take these settings in place of its own.
    pub fn can_follow(&self, old: &Setup) -> Answer {
        let same = |is_same: bool, what: &str| match is_same {
            true => Ok(()),
            false => Err(breach(
                NV_ENC_ERR_UNSUPPORTED_PARAM,
                format!("{what} cannot be reconfigured"),
            )),
        };
        same(self.codec == old.codec, "the codec")?;
        let gop = |setup: &Setup| (setup.gop, setup.idr_period, setup.interval);
        same(gop(self) == gop(old), "the GOP structure")?;
        same(
            (self.max_width, self.max_height) == (old.max_width, old.max_height),
            "the maximum size",
        )?;
        same(
            (self.input_depth, self.depth) == (old.input_depth, old.depth),
            "the bit depth",
        )?;
        same(self.lookahead == old.lookahead, "the lookahead depth")?;
        let can_resize = old.max_width != 0 && old.max_height != 0;
        let is_resized = (self.width, self.height) != (old.width, old.height);
        same(
            can_resize || !is_resized,
            "the size, without maxEncodeWidth and maxEncodeHeight,",
        )
    }
}

fn session_flags(params: &NV_ENC_INITIALIZE_PARAMS) -> Answer {
    let wrong = |what| Err(breach(NV_ENC_ERR_INVALID_PARAM, what));
    if params.enableEncodeAsync != 0 {
        return wrong("enableEncodeAsync: there is no asynchronous mode on Linux");
    }
    if params.privDataSize != 0 || !params.privData.is_null() {
        return wrong("privData is reserved");
    }
    let has_reserved = params.reserved.iter().any(|word| *word != 0)
        || params.reserved2.iter().any(|pointer| !pointer.is_null())
        || params.reservedBitFields() != 0;
    if has_reserved {
        return wrong("NV_ENC_INITIALIZE_PARAMS: a reserved field is not 0");
    }
    if ![0, 1, 2, 3, 15].contains(&params.splitEncodeMode()) {
        return wrong("splitEncodeMode is out of range");
    }
    let is_h264 = params.encodeGUID == Codec::H264.guid();
    if is_h264 && (1..15).contains(&params.splitEncodeMode()) {
        return wrong("split encoding is not applicable to H.264");
    }
    if params.enablePTD != 1 {
        return Err(refused(
            NV_ENC_ERR_UNSUPPORTED_PARAM,
            "the stand-in decides picture types itself",
        ));
    }
    let asked = [
        params.reportSliceOffsets(),
        params.enableSubFrameWrite(),
        params.enableExternalMEHints(),
        params.enableMEOnlyMode(),
        params.enableOutputInVidmem(),
        params.enableReconFrameOutput(),
        params.enableOutputStats(),
        params.numStateBuffers,
    ];
    if asked.iter().any(|value| *value != 0) {
        return Err(refused(
            NV_ENC_ERR_UNSUPPORTED_PARAM,
            "a mode of NVENC that the stand-in lacks",
        ));
    }
    Ok(())
}

fn sizes(params: &NV_ENC_INITIALIZE_PARAMS, codec: Codec) -> Answer {
    let wrong = |what: String| Err(refused(NV_ENC_ERR_INVALID_PARAM, what));
    let ((min_width, min_height), (max_width, max_height)) = codec.sizes();
    let (width, height) = (params.encodeWidth, params.encodeHeight);
    if width == 0 || height == 0 {
        return Err(breach(
            NV_ENC_ERR_INVALID_PARAM,
            "encodeWidth or encodeHeight is not set",
        ));
    }
    if !(min_width..=max_width).contains(&width) || !(min_height..=max_height).contains(&height) {
        return wrong(format!("{width}x{height} is beyond what the capabilities allow"));
    }
    if width % 2 != 0 || height % 2 != 0 {
        return Err(breach(
            NV_ENC_ERR_INVALID_PARAM,
            format!("{width}x{height}: chroma has half of each"),
        ));
    }
    let (most_width, most_height) = (params.maxEncodeWidth, params.maxEncodeHeight);
    if (most_width == 0) != (most_height == 0) {
        return Err(breach(
            NV_ENC_ERR_INVALID_PARAM,
            "of maxEncodeWidth and maxEncodeHeight only one is set",
        ));
    }
    if most_width != 0 && (most_width < width || most_height < height) {
        return Err(breach(
            NV_ENC_ERR_INVALID_PARAM,
            "the maximum size is smaller than the size",
        ));
    }
    if most_width > max_width || most_height > max_height {
        return wrong("the maximum size is beyond what the capabilities allow".to_owned());
    }
    if params.frameRateNum == 0 || params.frameRateDen == 0 {
        return Err(breach(NV_ENC_ERR_INVALID_PARAM, "frameRateNum or frameRateDen is 0"));
    }
    Ok(())
}

fn from_config(codec: Codec, config: &NV_ENC_CONFIG) -> Answer<Setup> {
    let wrong = |what| Err(breach(NV_ENC_ERR_INVALID_PARAM, what));
    if config.version != sys::NV_ENC_CONFIG_VER {
        return Err(breach(NV_ENC_ERR_INVALID_VERSION, "NV_ENC_CONFIG::version"));
    }
    let has_reserved =
        config.reserved.iter().any(|word| *word != 0) || config.reserved2.iter().any(|pointer| !pointer.is_null());
    if has_reserved {
        return wrong("NV_ENC_CONFIG: a reserved field is not 0");
    }
    if !codec.profiles().contains(&config.profileGUID) {
        return wrong("a profile GUID that nvEncGetEncodeProfileGUIDs does not list for the codec");
    }
    if config.gopLength == 0 {
        return wrong("gopLength is 0");
    }
    if config.frameIntervalP < 0 {
        return wrong("frameIntervalP is negative");
    }
    let interval = config.frameIntervalP.unsigned_abs();
    if config.gopLength == INFINITE && interval > 1 {
        return wrong("gopLength is infinite and frameIntervalP is not 1");
    }
    let bframes = interval.saturating_sub(1);
    if bframes > codec.max_bframes() {
        let text = format!("{bframes} B-frames, the device makes {}", codec.max_bframes());
        return Err(breach(NV_ENC_ERR_INVALID_PARAM, text));
    }
    if config.monoChromeEncoding != 0 || word!(config.mvPrecision) > 3 {
        return wrong("monoChromeEncoding or mvPrecision is beyond what the device does");
    }
    if word!(config.frameFieldMode) != 1 {
        return wrong("frameFieldMode is not that of frames, and the device has no field mode");
    }
    let mut setup = Setup {
        codec,
        width: 0,
        height: 0,
        max_width: 0,
        max_height: 0,
        display_aspect: (0, 0),
        rate_num: 0,
        rate_den: 1,
        preset: 0,
        tuning: 0,
        profile: profile(codec, config.profileGUID),
        level: 0,
        tier: 0,
        input_depth: 8,
        depth: 8,
        interval,
        bframes,
        gop: config.gopLength,
        idr_period: 0,
        lookahead: rate::lookahead(codec, &config.rcParams, bframes)?,
        rate: rate::read(codec, &config.rcParams, bframes)?,
        vui: Vui::default(),
        repeats_headers: false,
        omits_headers: false,
        delimits: false,
        variable_rate: false,
    };
    codec_setup::read(&mut setup, config)?;
    if setup.idr_period == 0 {
        setup.idr_period = setup.gop;
    }
    if setup.idr_period > setup.gop {
        return Err(refused(
            NV_ENC_ERR_UNSUPPORTED_PARAM,
            "the stand-in makes no intra pictures that are not IDR",
        ));
    }
    Ok(setup)
}

fn profile(codec: Codec, guid: GUID) -> Profile {
    match codec {
        Codec::H264 if guid == sys::NV_ENC_H264_PROFILE_BASELINE_GUID => Profile::Baseline,
        Codec::H264 if guid == sys::NV_ENC_H264_PROFILE_MAIN_GUID => Profile::Main,
        _ => Profile::High,
    }
}

fn no_guid() -> GUID {
    GUID {
        Data1: 0,
        Data2: 0,
        Data3: 0,
        Data4: [0; 8],
    }
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}
