//! Facts of a file in the words of IMS: `MetaInfo` and `OutFileMeta`.
//!
//! Guarantees: numbers are strings, floats or integers exactly where the samples have them so; every key of the
//! samples is there. What a file does not say is written as the clouds' own prober writes it: `und`, `unknown`,
//! level `-99`, zero. Deliberately absent: facts the clouds have no key for (see the native profile).

use crate::base::clock::UtcMs;
use crate::base::ids::OutputId;
use crate::events::profile::Deployment;
use crate::media::facts::AudioFacts;
use crate::media::facts::MediaFacts;
use crate::media::facts::Ratio;
use crate::media::facts::StreamFacts;
use crate::media::facts::StreamKind;
use crate::media::facts::VideoFacts;
use crate::objects::uri::ObjectUri;
use serde_json::Value;
use serde_json::json;

/// One published file.
pub struct OutputFile<'a> {
    /// Id of the output, called `jobId` inside the metadata.
    pub output: &'a OutputId,
    /// Where it stands.
    pub object: &'a ObjectUri,
    /// Its address.
    pub url: &'a str,
    /// Bytes, of a set all its files.
    pub size_bytes: u64,
    /// What was found when it was read again.
    pub facts: &'a MediaFacts,
    /// When it stood complete.
    pub made_at: UtcMs,
}

/// `MetaInfo` of VideoAnalysisComplete: only `Fps` is a number. Without facts only the size is known.
pub fn meta_info(size_bytes: u64, facts: Option<&MediaFacts>) -> Value {
    let Some(facts) = facts else {
        return json!({"Size": size_bytes.to_string()});
    };
    let video = facts.main_video().map(|(_, video)| video);
    json!({
        "Size": size_bytes.to_string(),
        "Fps": video.and_then(average_rate).map_or(0.0, rounded_rate),
        "Duration": format!("{:.6}", facts.duration_s.unwrap_or(0.0)),
        "Height": video.map_or(0, |video| video.height).to_string(),
        "Width": video.map_or(0, |video| video.width).to_string(),
        "Bitrate": format!("{:.2}", facts.bitrate_kbps.unwrap_or(0.0)),
    })
}

/// `OutFileMeta` of MediaConvertOutputComplete.
pub fn out_file_meta(file: &OutputFile<'_>, deployment: &Deployment) -> Value {
    let facts = file.facts;
    let job_id = file.output.as_str();
    let mut audio = Vec::new();
    let mut video = Vec::new();
    let mut subtitles = Vec::new();
    for stream in &facts.streams {
        match &stream.kind {
            StreamKind::Video(shown) if !shown.attached_picture => {
                video.push(video_stream(facts, stream, shown, job_id));
            }
            StreamKind::Audio(heard) => audio.push(audio_stream(facts, stream, heard, job_id)),
            StreamKind::Subtitle => subtitles.push(subtitle_stream(facts, stream, job_id)),
            StreamKind::Video(_) | StreamKind::Data => {}
        }
    }
    json!({
        "audioStreamInfoList": audio,
        "fileBasicInfo": basic_info(file, deployment),
        "playStreamInfo": play_info(file, deployment),
        "subtitleStreamInfoList": subtitles,
        "videoStreamInfoList": video,
    })
}

/// `OutFileMeta` of TranscodeComplete: without the play stream, without job ids, with the size of the file.
pub fn legacy_file_meta(file: &OutputFile<'_>, deployment: &Deployment) -> Value {
    let mut meta = out_file_meta(file, deployment);
    if let Some(lists) = meta.as_object_mut() {
        lists.shift_remove("playStreamInfo");
        for list in ["audioStreamInfoList", "subtitleStreamInfoList", "videoStreamInfoList"] {
            let streams = lists.get_mut(list).and_then(Value::as_array_mut);
            for stream in streams.into_iter().flatten().filter_map(Value::as_object_mut) {
                stream.shift_remove("jobId");
            }
        }
        if let Some(info) = lists.get_mut("fileBasicInfo").and_then(Value::as_object_mut) {
            info.insert("fileSize".into(), json!(file.size_bytes.to_string()));
        }
    }
    meta
}

fn basic_info(file: &OutputFile<'_>, deployment: &Deployment) -> Value {
    let (width, height) = frame_size(file.facts);
    json!({
        "bitrate": whole_kbps(file.facts),
        "duration": whole_seconds(file.facts),
        "fileName": file.object.file_name(),
        "fileStatus": "Normal",
        "fileType": "transcode_file",
        "fileUrl": file.url,
        "formatName": file.facts.format_name,
        "height": height.to_string(),
        "region": deployment.region,
        "width": width.to_string(),
    })
}

fn play_info(file: &OutputFile<'_>, deployment: &Deployment) -> Value {
    let (width, height) = frame_size(file.facts);
    let video = file.facts.main_video().map(|(_, video)| video);
    let format = match file.object.file_name().rsplit_once('.') {
        Some((_, extension)) => extension.to_lowercase(),
        None => String::new(),
    };
    json!({
        "bitrate": whole_kbps(file.facts),
        "creationTime": file.made_at.wire(),
        "definition": definition(width.min(height)),
        "duration": whole_seconds(file.facts),
        "encrypt": 0,
        "fileSize": file.size_bytes,
        "fileUrl": file.url,
        "format": format,
        "fps": rate_text(video.and_then(rate)),
        "height": height,
        "jobId": file.output.as_str(),
        "state": 1,
        // The clouds' template subtypes: 1 normal, 2 audio alone.
        "transTemplateType": if video.is_some() { 1 } else { 2 },
        "type": 1,
        "userId": deployment.user_id,
        "width": width,
    })
}

fn video_stream(facts: &MediaFacts, stream: &StreamFacts, video: &VideoFacts, job_id: &str) -> Value {
    let sar = video.sample_aspect_ratio.unwrap_or(Ratio { num: 1, den: 1 });
    json!({
        "avg_fps": rate_text(average_rate(video)),
        "bit_rate": format!("{:.3}", stream_kbps(facts, stream)),
        "codec_long_name": stream.codec_long_name,
        "codec_name": stream.codec_name,
        "codec_tag": stream.codec_tag,
        "codec_tag_string": stream.codec_tag_string,
        "codec_time_base": codec_time_base(&stream.codec_name, rate(video)),
        "dar": display_aspect(video, sar),
        "duration": seconds_text(stream.duration_s.or(facts.duration_s)),
        "fps": rate_text(rate(video)),
        "has_b_frames": video.has_b_frames.to_string(),
        "height": video.height.to_string(),
        "index": stream.index.to_string(),
        "jobId": job_id,
        "lang": language(stream),
        "level": stream.level.unwrap_or(-99).to_string(),
        "pixFmt": video.pixel_format.as_deref().unwrap_or("unknown"),
        "profile": stream.profile.as_deref().unwrap_or("unknown"),
        "sar": format!("{}:{}", sar.num, sar.den),
        "start_time": seconds_text(stream.start_time_s),
        "time_base": fraction(stream.time_base),
        "width": video.width.to_string(),
    })
}

fn audio_stream(facts: &MediaFacts, stream: &StreamFacts, audio: &AudioFacts, job_id: &str) -> Value {
    json!({
        "bitrate": format!("{:.3}", stream_kbps(facts, stream)),
        "channelLayout": audio.channel_layout,
        "channels": audio.channels.to_string(),
        "codecLongName": stream.codec_long_name,
        "codecName": stream.codec_name,
        "codecTag": stream.codec_tag,
        "codecTagString": stream.codec_tag_string,
        "codecTimeBase": format!("1/{}", audio.sample_rate_hz),
        "duration": seconds_text(stream.duration_s.or(facts.duration_s)),
        "index": stream.index.to_string(),
        "jobId": job_id,
        "lang": language(stream),
        "profile": stream.profile.as_deref().unwrap_or("unknown"),
        "sampleFmt": audio.sample_format.as_deref().unwrap_or("unknown"),
        "sampleRate": audio.sample_rate_hz.to_string(),
        "startTime": seconds_text(stream.start_time_s),
        "timebase": fraction(stream.time_base),
    })
}

/// The samples show no subtitle stream; these are the keys of the API's `SubtitleStreamInfoList`, cased as audio's.
fn subtitle_stream(facts: &MediaFacts, stream: &StreamFacts, job_id: &str) -> Value {
    json!({
        "codecLongName": stream.codec_long_name,
        "codecName": stream.codec_name,
        "codecTag": stream.codec_tag,
        "codecTagString": stream.codec_tag_string,
        "codecTimeBase": "0/1",
        "duration": seconds_text(stream.duration_s.or(facts.duration_s)),
        "index": stream.index.to_string(),
        "jobId": job_id,
        "lang": language(stream),
        "startTime": seconds_text(stream.start_time_s),
        "timebase": fraction(stream.time_base),
    })
}

fn frame_size(facts: &MediaFacts) -> (u32, u32) {
    facts
        .main_video()
        .map_or((0, 0), |(_, video)| (video.width, video.height))
}

fn whole_kbps(facts: &MediaFacts) -> String {
    format!("{:.0}", facts.bitrate_kbps.unwrap_or(0.0))
}

/// Whole seconds, rounded down as the samples do.
fn whole_seconds(facts: &MediaFacts) -> String {
    format!("{:.0}", facts.duration_s.unwrap_or(0.0).floor())
}

/// The stream's own rate, else what the others leave of the file's when it is the only one that does not say.
fn stream_kbps(facts: &MediaFacts, stream: &StreamFacts) -> f64 {
    if let Some(kbps) = stream.bitrate_kbps {
        return kbps;
    }
    let others = || {
        facts
            .streams
            .iter()
            .filter(|other| other.index != stream.index && !matches!(other.kind, StreamKind::Data))
    };
    match facts.bitrate_kbps {
        Some(total) if others().all(|other| other.bitrate_kbps.is_some()) => {
            let rest: f64 = others().filter_map(|other| other.bitrate_kbps).sum();
            (total - rest).max(0.0)
        }
        _ => 0.0,
    }
}

fn language(stream: &StreamFacts) -> &str {
    stream.language.as_deref().unwrap_or("und")
}

fn seconds_text(seconds: Option<f64>) -> String {
    format!("{:.6}", seconds.unwrap_or(0.0))
}

fn fraction(ratio: Ratio) -> String {
    format!("{}/{}", ratio.num, ratio.den)
}

fn rate(video: &VideoFacts) -> Option<Ratio> {
    video.frame_rate.or(video.average_frame_rate)
}

fn average_rate(video: &VideoFacts) -> Option<Ratio> {
    video.average_frame_rate.or(video.frame_rate)
}

/// To a thousandth of a frame: 30000/1001 is 29.97, 24000/1001 is 23.976.
fn rounded_rate(rate: Ratio) -> f64 {
    (rate.value() * 1000.0).round() / 1000.0
}

/// `30.0`, `29.97`: at least one decimal.
fn rate_text(rate: Option<Ratio>) -> String {
    format!("{:?}", rate.map_or(0.0, rounded_rate))
}

/// What old libav called the codec's time base: H.264 and MPEG-2 count fields, two a frame.
fn codec_time_base(codec_name: &str, rate: Option<Ratio>) -> String {
    let Some(rate) = rate.filter(|rate| rate.num > 0) else {
        return "0/1".to_owned();
    };
    let ticks: i64 = if matches!(codec_name, "h264" | "mpeg2video") {
        2
    } else {
        1
    };
    let (num, den) = reduced(i64::from(rate.den), i64::from(rate.num) * ticks);
    format!("{num}/{den}")
}

fn display_aspect(video: &VideoFacts, sar: Ratio) -> String {
    let (num, den) = reduced(
        i64::from(video.width) * i64::from(sar.num),
        i64::from(video.height) * i64::from(sar.den),
    );
    format!("{num}:{den}")
}

fn reduced(num: i64, den: i64) -> (i64, i64) {
    let (mut a, mut b) = (num.abs(), den.abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    if a == 0 { (0, 1) } else { (num / a, den / a) }
}

/// The clouds' number of a definition. Only 720 -> 3 is published; the others continue its row (FD, LD, SD, HD, then
/// 1080, 2K, 4K).
fn definition(short_edge: u32) -> u32 {
    match short_edge {
        0..360 => 0,
        360..480 => 1,
        480..720 => 2,
        720..1080 => 3,
        1080..1440 => 4,
        1440..2160 => 5,
        _ => 6,
    }
}
