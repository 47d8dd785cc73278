//! Places, files and streams in the words of Tencent MPS.
//!
//! Guarantees: bit rates are bit/s, lengths seconds; `Fps` is whole, its fraction stands beside it. Deliberately absent:
//! what a file does not say, which is null or 0 as MPS has it.

use crate::events::made::AudioBrief;
use crate::events::made::FileBrief;
use crate::events::made::VideoBrief;
use crate::events::profile::Deployment;
use crate::objects::uri::ObjectUri;
use serde_json::Value;
use serde_json::json;

/// `InputInfo`.
pub fn input(object: &ObjectUri, deployment: &Deployment) -> Value {
    json!({
        "Type": "COS",
        "CosInputInfo": {"Bucket": object.storage, "Region": deployment.region, "Object": path(&object.key)},
        "UrlInputInfo": null,
        "S3InputInfo": null,
        "VODInputInfo": null,
    })
}

/// `OutputStorage` and `Storage`.
pub fn storage(object: &ObjectUri, deployment: &Deployment) -> Value {
    json!({
        "Type": "COS",
        "CosOutputStorage": {"Bucket": object.storage, "Region": deployment.region},
        "S3OutputStorage": null,
        "VODOutputStorage": null,
    })
}

/// A key as a path of its bucket.
pub fn path(key: &str) -> String {
    format!("/{key}")
}

/// `MetaData`.
pub fn meta_data(file: &FileBrief, size_bytes: u64) -> Value {
    let video = file.main_video();
    let duration_s = file.duration_s.unwrap_or(0.0);
    let longest = |lengths: &mut dyn Iterator<Item = Option<f64>>| {
        let mut any = false;
        let longest = lengths
            .inspect(|_| any = true)
            .map(|length| length.unwrap_or(duration_s))
            .fold(0.0, f64::max);
        if any { longest } else { 0.0 }
    };
    json!({
        "Size": size_bytes,
        "Container": file.format_name,
        "Bitrate": bits(file.bitrate_kbps),
        "Height": video.map_or(0, |video| video.height),
        "Width": video.map_or(0, |video| video.width),
        "Duration": duration_s,
        "Rotate": video.map_or(0, |video| video.rotation_degrees),
        "VideoStreamSet": video_streams(file),
        "AudioStreamSet": audio_streams(file),
        "VideoDuration": longest(&mut file.video.iter().map(|stream| stream.duration_s)),
        "AudioDuration": longest(&mut file.audio.iter().map(|stream| stream.duration_s)),
    })
}

/// `VideoStreamSet`.
pub fn video_streams(file: &FileBrief) -> Vec<Value> {
    file.video.iter().map(video_stream).collect()
}

/// `AudioStreamSet`.
pub fn audio_streams(file: &FileBrief) -> Vec<Value> {
    file.audio.iter().map(audio_stream).collect()
}

fn video_stream(stream: &VideoBrief) -> Value {
    json!({
        "Bitrate": bits(stream.bitrate_kbps),
        "Height": stream.height,
        "Width": stream.width,
        "Codec": stream.codec,
        "Fps": stream.rate.map_or(0, |rate| rate.value().round() as i64),
        "ColorPrimaries": stream.color_primaries,
        "ColorSpace": stream.color_space,
        "ColorTransfer": stream.color_transfer,
        "HdrType": stream.hdr,
        "Codecs": stream.tag,
        "FpsNumerator": stream.rate.map_or(0, |rate| rate.num),
        "FpsDenominator": stream.rate.map_or(1, |rate| rate.den),
    })
}

fn audio_stream(stream: &AudioBrief) -> Value {
    json!({
        "Bitrate": bits(stream.bitrate_kbps),
        "SamplingRate": stream.sample_rate_hz,
        "Codec": stream.codec,
        "Channel": stream.channels,
        "Codecs": stream.tag,
        "Loudness": 0.0,
    })
}

/// Bit/s.
pub fn bits(kbps: Option<f64>) -> i64 {
    (kbps.unwrap_or(0.0) * 1000.0).round() as i64
}
