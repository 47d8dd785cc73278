//! Events for tests: one of each type, all of one task.

use crate::base::clock::UtcMs;
use crate::events::Detail;
use crate::events::Event;
use crate::events::JobBrief;
use crate::events::MediaBrief;
use crate::events::Purpose;
use crate::events::TaskBrief;
use crate::events::TriggerSource;
use crate::events::made::FileBrief;
use crate::events::made::MadeOutput;
use crate::media::facts::AudioFacts;
use crate::media::facts::MediaFacts;
use crate::media::facts::Ratio;
use crate::media::facts::StreamFacts;
use crate::media::facts::StreamKind;
use crate::media::facts::VideoFacts;
use crate::media::product::ProductKind;
use crate::media::product::QcCheck;
use crate::media::product::QcEvent;
use crate::media::product::QcReport;
use crate::media::product::QcResult;
use crate::media::product::QcVerdict;
use crate::objects::uri::ObjectUri;
use crate::workflow::resolved::ActivityKind;
use crate::workflow::status::JobStatus;
use crate::workflow::status::TaskStatus;
use serde_json::json;

fn event(job: Option<JobBrief>, detail: Detail) -> Event {
    Event {
        id: "0197871f3c2a7d10a5b3c1d2e3f40516".into(),
        at: UtcMs(1_750_318_382_000),
        media: Some(MediaBrief {
            id: "054589a03aaa71f09951e7f6c6586302".into(),
            object: ObjectUri::new("ingest", "show/clip.mov"),
            size_bytes: 77_570_208,
        }),
        task: Some(TaskBrief {
            id: "f521e6845595417b83a9efaa5bf9342d".into(),
            workflow: "01978700000070008000000000000001".into(),
            workflow_name: "studio-ladder".to_owned(),
            trigger: TriggerSource::Workflow,
            purpose: Purpose::Run,
            user_data: Some("{\"asset\":7}".to_owned()),
            created_at: UtcMs(1_750_318_000_000),
        }),
        job,
        detail,
    }
}

fn job(activity: &str, kind: ActivityKind, parameters: serde_json::Value) -> JobBrief {
    JobBrief {
        id: "2e083368d3224d22a8f3170ff9ff1cac".into(),
        activity: activity.to_owned(),
        kind,
        status: JobStatus::Success,
        template: Some("h264-mp4-ladder".to_owned()),
        parameters,
        submitted_at: UtcMs(1_750_318_100_000),
        finished_at: Some(UtcMs(1_750_318_380_000)),
        fault: None,
        backend: Some("software".to_owned()),
        fallback_reason: Some("no encoder on this device".to_owned()),
        partial: false,
        failed_outputs: Vec::new(),
    }
}

/// Facts whose figures are those of the published output sample.
pub fn facts() -> MediaFacts {
    let stream = |index, codec: &str, kind| StreamFacts {
        index,
        codec_name: codec.to_owned(),
        codec_long_name: String::new(),
        profile: None,
        level: None,
        codec_tag_string: String::new(),
        codec_tag: String::new(),
        time_base: Ratio { num: 1, den: 90_000 },
        start_time_s: Some(0.0),
        duration_s: None,
        bitrate_kbps: None,
        frame_count: None,
        language: None,
        title: None,
        dispositions: Vec::new(),
        default: true,
        decodable: true,
        programs: Vec::new(),
        kind,
    };
    let video = VideoFacts {
        width: 1280,
        height: 720,
        sample_aspect_ratio: None,
        rotation_degrees: 0,
        mirrored: false,
        pixel_format: Some("yuv420p".to_owned()),
        bit_depth: 8,
        frame_rate: Some(Ratio { num: 30, den: 1 }),
        average_frame_rate: Some(Ratio { num: 30, den: 1 }),
        field_order: "progressive".to_owned(),
        color_range: "tv".to_owned(),
        color_primaries: "bt709".to_owned(),
        color_transfer: "bt709".to_owned(),
        color_space: "bt709".to_owned(),
        hdr: "sdr".to_owned(),
        has_b_frames: 2,
        attached_picture: false,
        alpha_beside: false,
        dynamic_hdr: None,
        is_opaque: false,
        is_rate_assumed: false,
    };
    let audio = AudioFacts {
        sample_rate_hz: 44_100,
        channels: 2,
        channel_layout: "stereo".to_owned(),
        sample_format: Some("fltp".to_owned()),
        bit_depth: None,
    };
    MediaFacts {
        format_name: "mov,mp4,m4a,3gp,3g2,mj2".to_owned(),
        duration_s: Some(25.633_333),
        size_bytes: 77_570_208,
        bitrate_kbps: Some(7224.286),
        streams: vec![
            StreamFacts {
                codec_long_name: "H.264 / AVC / MPEG-4 AVC / MPEG-4 part 10".to_owned(),
                profile: Some("High".to_owned()),
                level: Some(31),
                codec_tag_string: "avc1".to_owned(),
                codec_tag: "0x31637661".to_owned(),
                start_time_s: Some(1.466),
                bitrate_kbps: Some(7086.421),
                ..stream(0, "h264", StreamKind::Video(video))
            },
            StreamFacts {
                codec_long_name: "AAC (Advanced Audio Coding)".to_owned(),
                profile: Some("LC".to_owned()),
                codec_tag_string: "mp4a".to_owned(),
                codec_tag: "0x6134706d".to_owned(),
                time_base: Ratio { num: 1, den: 44_100 },
                duration_s: Some(25.588_005),
                bitrate_kbps: Some(129.063),
                ..stream(1, "aac", StreamKind::Audio(audio))
            },
        ],
        ..MediaFacts::default()
    }
}

/// VideoAnalysisComplete.
pub fn analysis() -> Event {
    let detail = Detail::AnalysisEnded {
        facts: Some(Box::new(facts())),
    };
    event(Some(job("facts", ActivityKind::Analysis, json!({}))), detail)
}

/// MediaConvertOutputComplete.
pub fn output() -> Event {
    let detail = Detail::OutputEnded {
        output: "da68bc722dab477d960026e6eba153e8".into(),
        name: "720P".to_owned(),
        group: "MP4".to_owned(),
        object: Some(ObjectUri::new("renditions", "show/720p final.mp4")),
        size_bytes: 23_147_779,
        md5: Some("9e107d9d372bb6826bd81d3542a419d6".to_owned()),
        facts: Some(Box::new(facts())),
        fault: None,
    };
    event(Some(job("ladder", ActivityKind::Transcode, json!({}))), detail)
}

/// MediaConvertOutputGroupComplete.
pub fn group() -> Event {
    let detail = Detail::OutputGroupEnded {
        group: "6d4c8431636f4ff88c638e7d54036a30".into(),
        name: "HLS".to_owned(),
        ok: true,
    };
    event(Some(job("ladder", ActivityKind::Transcode, json!({}))), detail)
}

/// What the output of [`output`] is in brief.
pub fn made() -> MadeOutput {
    MadeOutput {
        id: "da68bc722dab477d960026e6eba153e8".into(),
        name: "720P".to_owned(),
        group: "MP4".to_owned(),
        kind: ProductKind::File,
        object: Some(ObjectUri::new("renditions", "show/720p final.mp4")),
        size_bytes: 23_147_779,
        md5: Some("9e107d9d372bb6826bd81d3542a419d6".to_owned()),
        file: Some(Box::new(FileBrief::from(&facts()))),
        renditions: Vec::new(),
        fault: None,
    }
}

/// MediaConvertComplete.
pub fn transcode() -> Event {
    event(
        Some(job("ladder", ActivityKind::Transcode, json!({}))),
        Detail::TranscodeEnded { outputs: vec![made()] },
    )
}

/// SnapshotComplete of a sprite.
pub fn sprite() -> Event {
    let parameters = json!({
        "mode": "sprite", "interval_s": 5.0, "start_s": 20.0, "frame_type": "normal",
        "columns": 10, "lines": 10, "cell_width": 160,
    });
    let detail = Detail::SnapshotEnded {
        snapshot_type: "Sprite".to_owned(),
        count: 5,
        object: Some(ObjectUri::new("renditions", "show/sprite-{Count}.jpg")),
        webvtt: Some(ObjectUri::new("renditions", "show/sprite.vtt")),
        file_count: 1,
        times_s: Vec::new(),
    };
    event(Some(job("sprite", ActivityKind::Snapshot, parameters)), detail)
}

/// DynamicImageComplete.
pub fn animation() -> Event {
    let parameters = json!({"format": "gif", "fps": 5.0, "width": 480, "start_s": 2.0, "duration_s": 3.0});
    let detail = Detail::AnimationEnded {
        object: Some(ObjectUri::new("renditions", "show/preview.gif")),
        size_bytes: 1_834_831,
        md5: Some("0cc175b9c0f1b6a831c399e269772661".to_owned()),
        file: None,
    };
    event(Some(job("preview", ActivityKind::DynamicImage, parameters)), detail)
}

/// QcComplete.
pub fn qc() -> Event {
    let report = QcReport {
        verdict: QcVerdict::Warn,
        checks: vec![QcResult {
            check: QcCheck::Black,
            verdict: QcVerdict::Warn,
            found: "black once, 2.40 s in all: 3.00-5.40 s".to_owned(),
            events: vec![QcEvent {
                start_s: 3.0,
                end_s: 5.4,
                value: None,
            }],
            events_left_out: 0,
            total_s: 2.4,
        }],
        ..QcReport::default()
    };
    let detail = Detail::QcEnded {
        report: Some(Box::new(report)),
        object: Some(ObjectUri::new("renditions", "show/qc.json")),
    };
    event(Some(job("qc", ActivityKind::Qc, json!({}))), detail)
}

/// WorkflowTaskComplete.
pub fn task_ended(status: TaskStatus) -> Event {
    let detail = Detail::TaskEnded {
        status,
        activities: Vec::new(),
        source: Some(Box::new(FileBrief::from(&facts()))),
    };
    event(None, detail)
}
