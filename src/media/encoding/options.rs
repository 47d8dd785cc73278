//! Options of each encoder for a spec.
//!
//! Guarantees: pure but for the dictionary's memory. What a codec has no option for is refused by `spec_check` and
//! never dropped in silence. Deliberately absent: size, timing and colours, which every encoder takes alike.

use crate::media::av::AvError;
use crate::media::av::Dict;
use crate::media::encoding::Engine;
use crate::media::encoding::KeyFrames;
use crate::media::encoding::hdr::HdrMetadata;
use crate::media::encoding::preset;
use crate::media::spec::RateControl;
use crate::media::spec::VideoSpec;
use std::path::Path;

/// Which reading of the source this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading<'a> {
    /// The only one.
    Only,
    /// The first of two: statistics are written to this file.
    First(&'a Path),
    /// The second: they are read from it.
    Second(&'a Path),
}

/// An encode as its encoder is asked for it.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The encoder.
    pub engine: Engine,
    /// Parameters.
    pub spec: &'a VideoSpec,
    /// Pixels across.
    pub width: u32,
    /// Threads of its own.
    pub threads: u32,
    /// What HDR pictures carry, if this encode keeps them.
    pub hdr: &'a HdrMetadata,
    /// Which reading of the source.
    pub reading: Reading<'a>,
}

/// Options of the encoder.
pub fn options(wanted: &Wanted<'_>) -> Result<Dict, AvError> {
    let mut options = Dict::new();
    match wanted.engine {
        Engine::X264 => x264(wanted, &mut options)?,
        Engine::X265 => x265(wanted, &mut options)?,
        Engine::SvtAv1 => svt_av1(wanted, &mut options)?,
        Engine::Aom => aom(wanted, &mut options)?,
        Engine::Vpx => vpx(wanted, &mut options)?,
        Engine::ProresKs => {
            options.set("profile", wanted.spec.profile.as_deref().unwrap_or("standard"))?;
            options.set("vendor", "apl0")?;
        }
        Engine::Dnxhd => {
            let profile = wanted.spec.profile.as_deref().unwrap_or("sq");
            options.set("profile", &format!("dnxhr_{profile}"))?;
        }
        Engine::Mpeg2 => mpeg2(wanted, &mut options)?,
    }
    Ok(options)
}

fn bits(kbps: u32) -> String {
    (u64::from(kbps) * 1000).to_string()
}

/// Average and buffer, the way most encoders take them.
fn rate(spec: &VideoSpec, options: &mut Dict) -> Result<(), AvError> {
    let bitrate = spec.bitrate_kbps.unwrap_or(2000);
    match spec.rate {
        RateControl::Cbr => {
            options.set("b", &bits(bitrate))?;
            options.set("maxrate", &bits(bitrate))?;
            options.set("minrate", &bits(bitrate))?;
            options.set("bufsize", &bits(spec.bufsize_kbps.unwrap_or(bitrate)))?;
        }
        RateControl::Vbr => {
            options.set("b", &bits(bitrate))?;
            cap(spec, options)?;
        }
        RateControl::Crf => cap(spec, options)?,
    }
    Ok(())
}

fn cap(spec: &VideoSpec, options: &mut Dict) -> Result<(), AvError> {
    if let Some(most) = spec.max_bitrate_kbps {
        options.set("maxrate", &bits(most))?;
        options.set("bufsize", &bits(spec.bufsize_kbps.unwrap_or(most.saturating_mul(2))))?;
    }
    Ok(())
}

fn pass_flag(reading: Reading<'_>) -> Option<&'static str> {
    match reading {
        Reading::Only => None,
        Reading::First(_) => Some("+pass1"),
        Reading::Second(_) => Some("+pass2"),
    }
}

fn x264(wanted: &Wanted<'_>, options: &mut Dict) -> Result<(), AvError> {
    let spec = wanted.spec;
    options.set("preset", &spec.preset)?;
    if let Some(profile) = &spec.profile {
        options.set("profile", profile)?;
    }
    if let Some(level) = &spec.level {
        options.set("level", level)?;
    }
    options.set("forced-idr", "1")?;
    options.set("sc_threshold", "0")?;
    // A thread of its own for looking ahead keeps some ten more frames; the encoder's threads overlap enough.
    options.set("x264-params", "sync-lookahead=0")?;
    rate(spec, options)?;
    match spec.rate {
        RateControl::Cbr => options.set("nal-hrd", "cbr")?,
        RateControl::Crf => options.set("crf", &spec.crf.unwrap_or(23.0).to_string())?,
        RateControl::Vbr => {}
    }
    if let (Some(flag), Reading::First(path) | Reading::Second(path)) = (pass_flag(wanted.reading), wanted.reading) {
        options.set("flags", flag)?;
        options.set("stats", &path.to_string_lossy())?;
    }
    Ok(())
}

fn x265(wanted: &Wanted<'_>, options: &mut Dict) -> Result<(), AvError> {
    let spec = wanted.spec;
    options.set("preset", &spec.preset)?;
    if let Some(profile) = &spec.profile {
        options.set("profile", profile)?;
    }
    options.set("forced-idr", "1")?;
    rate(spec, options)?;
    let mut params = vec![
        "log-level=none".to_owned(),
        "open-gop=0".to_owned(),
        "scenecut=0".to_owned(),
        "min-keyint=1".to_owned(),
        // Left alone it starts a thread for every core of the host.
        format!("pools={}", wanted.threads.max(1)),
    ];
    match spec.rate {
        RateControl::Cbr => params.push("strict-cbr=1".to_owned()),
        RateControl::Crf => options.set("crf", &spec.crf.unwrap_or(28.0).to_string())?,
        RateControl::Vbr => {}
    }
    if let Some(level) = &spec.level {
        params.push(format!("level-idc={level}"));
    }
    let number = match wanted.reading {
        Reading::Only => None,
        Reading::First(path) => Some((1, path)),
        Reading::Second(path) => Some((2, path)),
    };
    if let Some((number, path)) = number {
        params.push(format!("pass={number}"));
        params.push(format!("stats={}", escaped(&path.to_string_lossy())));
    }
    params.extend(x265_hdr(wanted.hdr));
    options.set("x265-params", &params.join(":"))
}

fn x265_hdr(hdr: &HdrMetadata) -> Vec<String> {
    let mut params = Vec::new();
    if let Some(display) = &hdr.mastering {
        let at = |value: f64| (value * 50_000.0).round() as u32;
        let light = |value: f64| (value * 10_000.0).round() as u32;
        let [red, green, blue] = display.primaries;
        params.push(format!(
            "master-display=G({},{})B({},{})R({},{})WP({},{})L({},{})",
            at(green.0),
            at(green.1),
            at(blue.0),
            at(blue.1),
            at(red.0),
            at(red.1),
            at(display.white.0),
            at(display.white.1),
            light(display.max_luminance),
            light(display.min_luminance)
        ));
    }
    if let Some(light) = &hdr.light {
        params.push(format!("max-cll={},{}", light.max_content, light.max_frame_average));
    }
    if !params.is_empty() {
        params.push("hdr10=1".to_owned());
    }
    params
}

fn svt_av1(wanted: &Wanted<'_>, options: &mut Dict) -> Result<(), AvError> {
    let spec = wanted.spec;
    options.set("preset", &preset::svt_av1(&spec.preset).to_string())?;
    rate(spec, options)?;
    if spec.rate == RateControl::Crf {
        // Its 0 means "not said".
        options.set("crf", &spec.crf.unwrap_or(35.0).round().max(1.0).to_string())?;
    }
    let mut params = vec![format!("lp={}", wanted.threads.max(1)), "scd=0".to_owned()];
    if let Some(level) = &spec.level {
        params.push(format!("level={level}"));
    }
    if let Some(display) = &wanted.hdr.mastering {
        let [red, green, blue] = display.primaries;
        params.push(format!(
            "mastering-display=G({},{})B({},{})R({},{})WP({},{})L({},{})",
            green.0,
            green.1,
            blue.0,
            blue.1,
            red.0,
            red.1,
            display.white.0,
            display.white.1,
            display.max_luminance,
            display.min_luminance
        ));
    }
    if let Some(light) = &wanted.hdr.light {
        params.push(format!(
            "content-light={},{}",
            light.max_content, light.max_frame_average
        ));
    }
    options.set("svtav1-params", &params.join(":"))
}

fn aom(wanted: &Wanted<'_>, options: &mut Dict) -> Result<(), AvError> {
    let spec = wanted.spec;
    options.set("cpu-used", &preset::aom(&spec.preset).to_string())?;
    options.set("row-mt", "1")?;
    if let KeyFrames::Counted(frames) = wanted.engine.key_frames(spec) {
        options.set("keyint_min", &frames.to_string())?;
    }
    constrained_quality(spec, 35.0, options)?;
    if let Some(level) = spec.level.as_deref().and_then(av1_level_index) {
        options.set("aom-params", &format!("target-seq-level-idx={level}"))?;
    }
    Ok(())
}

/// Position of an AV1 level in the standard's list.
fn av1_level_index(level: &str) -> Option<u32> {
    let (major, minor) = level.split_once('.')?;
    let (major, minor): (u32, u32) = (major.parse().ok()?, minor.parse().ok()?);
    Some(major.checked_sub(2)? * 4 + minor)
}

fn vpx(wanted: &Wanted<'_>, options: &mut Dict) -> Result<(), AvError> {
    let spec = wanted.spec;
    let (deadline, cpu_used) = preset::vpx(&spec.preset);
    options.set("deadline", deadline)?;
    options.set("cpu-used", &cpu_used.to_string())?;
    options.set("row-mt", "1")?;
    // A tile is at least 256 pixels wide.
    let tiles = (wanted.width / 256).max(1).ilog2().min(4);
    options.set("tile-columns", &tiles.to_string())?;
    if let Some(level) = &spec.level {
        options.set("level", level)?;
    }
    constrained_quality(spec, 32.0, options)?;
    if let Some(flag) = pass_flag(wanted.reading) {
        options.set("flags", flag)?;
    }
    Ok(())
}

/// libvpx and libaom: quality alone has no bitrate, quality with one is capped by it.
fn constrained_quality(spec: &VideoSpec, usual_crf: f64, options: &mut Dict) -> Result<(), AvError> {
    if spec.rate != RateControl::Crf {
        return rate(spec, options);
    }
    options.set("crf", &spec.crf.unwrap_or(usual_crf).round().to_string())?;
    match spec.max_bitrate_kbps {
        None => options.set("b", "0"),
        Some(most) => {
            options.set("b", &bits(most))?;
            options.set("bufsize", &bits(spec.bufsize_kbps.unwrap_or(most.saturating_mul(2))))
        }
    }
}

fn mpeg2(wanted: &Wanted<'_>, options: &mut Dict) -> Result<(), AvError> {
    /// libav's Lagrange multiplier of one step of the quantiser.
    const LAMBDA: f64 = 118.0;
    let spec = wanted.spec;
    let mut flags = "+cgop".to_owned();
    // A scene that changes is no reason for a key frame of its own.
    options.set("sc_threshold", "1000000000")?;
    rate(spec, options)?;
    if spec.rate == RateControl::Crf {
        flags.push_str("+qscale");
        options.set(
            "global_quality",
            &(spec.crf.unwrap_or(4.0) * LAMBDA).round().to_string(),
        )?;
    }
    flags.push_str(pass_flag(wanted.reading).unwrap_or_default());
    options.set("flags", &flags)
}

/// Text inside a list of `key=value` pairs that colons part.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        if matches!(character, ':' | '\\' | '\'' | '=') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::encoding::hdr::ContentLight;
    use crate::media::encoding::hdr::MasteringDisplay;

    fn of(engine: Engine, text: &str, reading: Reading<'_>) -> Dict {
        let spec: VideoSpec = toml::from_str(text).expect("a spec");
        options(&Wanted {
            engine,
            spec: &spec,
            width: 1280,
            threads: 2,
            hdr: &HdrMetadata::default(),
            reading,
        })
        .expect("options")
    }

    #[test]
    fn quality_under_a_cap_is_said_in_each_encoders_words() {
        let capped = "crf = 30\nmax_bitrate_kbps = 900";
        let x264 = of(Engine::X264, &format!("codec = \"h264\"\n{capped}"), Reading::Only).entries();
        assert_eq!(
            (x264["crf"].as_str(), x264["maxrate"].as_str(), x264["bufsize"].as_str()),
            ("30", "900000", "1800000")
        );
        let vpx = of(Engine::Vpx, &format!("codec = \"vp9\"\n{capped}"), Reading::Only).entries();
        assert_eq!((vpx["crf"].as_str(), vpx["b"].as_str()), ("30", "900000"));
        let free = of(Engine::Vpx, "codec = \"vp9\"", Reading::Only).entries();
        assert_eq!(free["b"], "0", "libvpx takes its own usual bitrate for a cap otherwise");
    }

    #[test]
    fn statistics_have_their_file_whatever_it_is_called() {
        let path = Path::new("/a:b/x.stats");
        let text = "codec = \"hevc\"\nrate = \"vbr\"\nbitrate_kbps = 500\ntwo_pass = true";
        let x265 = of(Engine::X265, text, Reading::Second(path)).entries();
        assert!(x265["x265-params"].contains("pass=2:stats=/a\\:b/x.stats"), "{x265:?}");
        let mpeg2 = of(Engine::Mpeg2, "codec = \"mpeg2\"", Reading::First(path)).entries();
        assert_eq!(mpeg2["flags"], "+cgop+qscale+pass1");
    }

    #[test]
    fn mastering_metadata_is_in_the_units_of_the_encoder() {
        let hdr = HdrMetadata {
            mastering: Some(MasteringDisplay {
                primaries: [(0.68, 0.32), (0.265, 0.69), (0.15, 0.06)],
                white: (0.3127, 0.329),
                max_luminance: 1000.0,
                min_luminance: 0.005,
            }),
            light: Some(ContentLight {
                max_content: 1000,
                max_frame_average: 400,
            }),
        };
        assert_eq!(
            x265_hdr(&hdr).join(":"),
            "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50):max-cll=1000,400:hdr10=1"
        );
    }
}
