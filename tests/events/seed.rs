//! Seed 002: the events of IMS.

use crate::compare::differences;
use crate::facts::at;
use crate::facts::body;
use crate::facts::fault;
use crate::facts::file;
use crate::facts::job;
use crate::facts::library;
use crate::facts::media;
use crate::facts::object;
use crate::facts::of_task;
use crate::facts::task;
use reelmill::events::CoverCandidate;
use reelmill::events::Detail;
use reelmill::events::Event;
use reelmill::events::LegacyFact;
use reelmill::events::TriggerSource;
use reelmill::events::library::AuditStatus;
use reelmill::events::library::DeleteType;
use reelmill::events::library::FieldChange;
use reelmill::events::library::LibraryFact;
use reelmill::events::library::MediaType;
use reelmill::events::library::Pulled;
use reelmill::events::library::Role;
use reelmill::events::made::MadeOutput;
use reelmill::events::profile::Profile;
use reelmill::media::facts::MediaFacts;
use reelmill::media::product::ProductKind;
use reelmill::workflow::opinion::Opinion;
use reelmill::workflow::opinion::Verdict;
use reelmill::workflow::resolved::ActivityKind;
use reelmill::workflow::status::JobStatus;
use reelmill::workflow::status::TaskStatus;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// The file of the seeds.
const SEED: &str = "002_fd7d5d07504bb8a2.txt";

/// One event of the seed.
struct Case {
    name: &'static str,
    sample: &'static str,
    event: Event,
    /// What addresses of the bucket begin with.
    base: &'static str,
    /// What differs from the sample, and is meant to.
    decided: Vec<&'static str>,
}

macro_rules! case {
    ($name:literal, $base:literal, $event:expr, $decided:expr) => {
        Case {
            name: $name,
            sample: include_str!(concat!("samples/", $name, ".json")),
            event: $event,
            base: $base,
            decided: $decided.to_vec(),
        }
    };
}

/// Events of the seed that mean nothing on premises, and why.
const NOT_HERE: [(&str, &str); 6] = [
    ("ProduceMediaComplete", "clip editing is not built"),
    ("BatchProduceMediaComplete", "clip editing is not built"),
    ("SmartJobComplete", "editing jobs are not built"),
    ("LiveRecordFileCreated", "live streams are no source"),
    ("LiveRecordTaskStatus", "live streams are no source"),
    ("LiveSnapshotFileCreated", "live streams are no source"),
];

/// ErrorCode and ErrorMessage stand only in failures; these samples show them in a success.
const NO_ERRORS: [&str; 2] = ["/MessageBody/ErrorCode: missing", "/MessageBody/ErrorMessage: missing"];

fn uploaded(role: Role, media_type: MediaType, key: &str, size_bytes: u64) -> LibraryFact {
    LibraryFact::Uploaded {
        role,
        media_type,
        pulled: None,
        object: Some(object(key)),
        size_bytes,
        user_data: None,
        fault: None,
    }
}

fn pulled(role: Role, job: &str, url: &str, user_data: Option<&str>) -> LibraryFact {
    LibraryFact::Uploaded {
        role,
        media_type: MediaType::Video,
        pulled: Some(Pulled {
            job: job.into(),
            url: url.to_owned(),
        }),
        object: Some(object("big_buck_bunny.mp4")),
        size_bytes: 5_510_872,
        user_data: user_data.map(str::to_owned),
        fault: None,
    }
}

fn still(score: f64, time_ms: f64, key: &str) -> CoverCandidate {
    CoverCandidate {
        score,
        time_ms,
        object: object(key),
    }
}

/// Facts behind VideoAnalysisComplete.
fn analysed() -> MediaFacts {
    file(json!({
        "format_name": "mov,mp4,m4a,3gp,3g2,mj2", "duration_s": 68.576667, "start_time_s": 0.0, "size_bytes": 77_570_208,
        "bitrate_kbps": 9049.17,
        "streams": [{
            "index": 0, "codec_name": "h264", "codec_tag_string": "avc1", "codec_tag": "0x31637661",
            "time_base": {"num": 1, "den": 24}, "start_time_s": 0.0, "duration_s": 68.576667, "bitrate_kbps": 8900.0,
            "type": "video", "width": 3120, "height": 1440, "pixel_format": "yuv420p", "frame_rate": {"num": 24, "den": 1},
            "average_frame_rate": {"num": 24, "den": 1}, "has_b_frames": 0
        }]
    }))
}

/// Facts behind TranscodeComplete.
fn older_output() -> MediaFacts {
    file(json!({
        "format_name": "mov,mp4,m4a,3gp,3g2,mj2", "duration_s": 403.04, "start_time_s": 0.0, "size_bytes": 16_078_713,
        "bitrate_kbps": 319.0,
        "streams": [{
            "index": 0, "codec_name": "h264", "codec_long_name": "H.264 / AVC / MPEG-4 AVC / MPEG-4 part 10",
            "profile": "High", "level": 31, "codec_tag_string": "avc1", "codec_tag": "0x31637661",
            "time_base": {"num": 1, "den": 12800}, "start_time_s": 0.0, "duration_s": 403.04, "bitrate_kbps": 316.728,
            "type": "video", "width": 700, "height": 600, "sample_aspect_ratio": {"num": 32, "den": 21},
            "pixel_format": "yuv420p", "frame_rate": {"num": 25, "den": 1}, "average_frame_rate": {"num": 25, "den": 1},
            "has_b_frames": 4
        }]
    }))
}

/// Facts behind MediaConvertOutputComplete.
fn converted() -> MediaFacts {
    file(json!({
        "format_name": "mov,mp4,m4a,3gp,3g2,mj2", "duration_s": 25.633333, "start_time_s": 0.0, "size_bytes": 23_147_779,
        "bitrate_kbps": 7224.3,
        "streams": [{
            "index": 0, "codec_name": "h264", "codec_long_name": "H.264 / AVC / MPEG-4 AVC / MPEG-4 part 10",
            "profile": "High", "level": 31, "codec_tag_string": "avc1", "codec_tag": "0x31637661",
            "time_base": {"num": 1, "den": 90000}, "start_time_s": 1.466, "duration_s": 25.633333,
            "bitrate_kbps": 7086.421, "type": "video", "width": 1280, "height": 720,
            "sample_aspect_ratio": {"num": 0, "den": 1}, "pixel_format": "yuv420p", "frame_rate": {"num": 30, "den": 1},
            "average_frame_rate": {"num": 30, "den": 1}, "has_b_frames": 2
        }, {
            "index": 1, "codec_name": "aac", "codec_long_name": "AAC (Advanced Audio Coding)", "profile": "LC",
            "codec_tag_string": "mp4a", "codec_tag": "0x6134706d", "time_base": {"num": 1, "den": 44100},
            "start_time_s": 0.0, "duration_s": 25.588005, "bitrate_kbps": 129.063, "type": "audio",
            "sample_rate_hz": 44100, "channels": 2, "channel_layout": "stereo", "sample_format": "fltp"
        }]
    }))
}

/// The table: each event of the seed, the fact behind its sample, and what was decided otherwise.
fn cases() -> Vec<Case> {
    let console = || task(TriggerSource::Console);
    let user = |data: &str| {
        let mut task = task(TriggerSource::Api);
        task.user_data = Some(data.to_owned());
        task
    };
    let mut sprite = job("11a32131403478e92cc013998550000", "test job", ActivityKind::Snapshot);
    sprite.id = "11a32131403478e92cc013998550000".into();
    sprite.template = Some("2590d131403478e92cc013998330000".to_owned());
    sprite.finished_at = Some(at("2021-09-28T01:20:19Z"));
    let mut animation = sprite.clone();
    animation.kind = ActivityKind::DynamicImage;
    sprite.parameters = json!({"count": 5, "frame_type": "normal", "height": 720, "interval_s": 5.0, "start_s": 0.02,
        "width": 1280, "mode": "sprite"});
    animation.parameters = json!({"format": "gif", "fps": 5.0, "height": 1080, "width": 1920});
    let mut older = job(
        "a11f624c98e84f6b839d4ffb74b70000",
        "Audio and image enhancement-0001",
        ActivityKind::Transcode,
    );
    older.finished_at = Some(at("2022-06-27T08:41:32Z"));
    let mut convert = job("6f6739ea9c4a45c4bfce6eb17189ca6f", "ladder", ActivityKind::Transcode);
    convert.finished_at = Some(at("2025-06-17T06:14:23Z"));
    let older_key = "output/01iceout/yinhuazengqinag0627001.mp4";
    let made = MadeOutput {
        id: "533d2c5eac5b4f0aaf2d09c7ee880000".into(),
        name: "mp4".to_owned(),
        group: "FILE".to_owned(),
        kind: ProductKind::File,
        object: Some(object(older_key)),
        size_bytes: 16_078_713,
        md5: None,
        file: None,
        renditions: Vec::new(),
        fault: None,
    };
    let convert_key =
        "054589a03aaa71f09951e7f6c6586302/transcode/normal/4B7680E8-1978719125A-1833-2209-775-60785.mp4.mp4";
    let opinion = |kind: ActivityKind, id: &str| {
        let opinion = Opinion {
            verdict: Verdict::Pass,
            labels: Vec::new(),
            segments: Vec::new(),
            summary: String::new(),
            by: "hook".to_owned(),
        };
        let detail = Detail::OpinionEnded {
            opinion: Some(Box::new(opinion)),
        };
        (job(id, "opinion", kind), detail)
    };
    let (audit_job, audit) = opinion(ActivityKind::Moderation, "12fa59321345435e84d610d4cb1e0000");
    let (tag_job, tags) = opinion(ActivityKind::Recognition, "12fa59321345435e84d610d4cb1e0001");
    // Documented as always there, and missing in the samples.
    let user_data = "/MessageBody/UserData: extra";
    vec![
        case!(
            "FileUploadComplete",
            "http://outin-000.oss-cn-shanghai.aliyuncs.com",
            library(
                "2022-07-15T08:48:14Z",
                "c321b3a0041a71eda1590674a2ce0000",
                uploaded(
                    Role::Media,
                    MediaType::Video,
                    "sv/93ad7c5-182010aa3dc/93ad7c5-182010a0000.mp4",
                    5_510_872
                ),
            ),
            []
        ),
        case!(
            "UploadByURLComplete",
            "http://x",
            library(
                "2022-07-15T08:48:14Z",
                "c321b3a0041a71eda1590674a2ce0000",
                pulled(
                    Role::Media,
                    "88aabd2461ec4ad389f439f6ff920000",
                    "http://000/big_buck_bunny.mp4",
                    None
                ),
            ),
            []
        ),
        case!(
            "ImageUploadComplete",
            "https://outin-000.oss-cn-shanghai.aliyuncs.com",
            library(
                "2022-07-06T08:27:52Z",
                "7e976e80fd0571ec82115523919d0000",
                uploaded(
                    Role::Media,
                    MediaType::Image,
                    "image/default/E81B931FA75246B3972844D352910000-6-2.jpg",
                    132_066,
                ),
            ),
            []
        ),
        case!(
            "AttachedMediaUploadComplete",
            "https://outin-000.oss-cn-shanghai.aliyuncs.com",
            library(
                "2022-07-15T06:38:33Z",
                "b3e59350040871ed9d535532918c0000",
                uploaded(
                    Role::Attachment,
                    MediaType::Text,
                    "subtitle/4C3C3021EC704639A9F2F55BB0C90000-3-3.ass",
                    34_758,
                ),
            ),
            []
        ),
        case!(
            "RegisterStreamComplete",
            "https://000.oss-cn-shenzhen.aliyuncs.com",
            library(
                "2022-07-13T09:34:39Z",
                "fa04bee0028e71edb10f81848c010000",
                LibraryFact::StreamRegistered {
                    object: object("InterfaceTest/900d1-b0000.aac"),
                    user_data: Some(r#"{"MessageCallback":{"CallbackURL":"000","CallbackType":"http"}}"#.to_owned(),),
                    fault: None,
                },
            ),
            []
        ),
        case!(
            "StreamUploadComplete",
            "http://000.aliyuncs.com",
            library(
                "2022-07-05T12:53:30Z",
                "b37ff450fc6071ec9c5e472190a90000",
                LibraryFact::Uploaded {
                    role: Role::Rendition,
                    media_type: MediaType::Video,
                    pulled: None,
                    object: Some(object(
                        "vod-f1e0dd/stream/b37ff450fc6071ec9c5e472190a90000/a0c69a523724cc432c897dcaa6f30000-fd.mp4",
                    )),
                    size_bytes: 1,
                    user_data: Some(
                        r#"{"MessageCallback":"{\"CallbackURL\":\"000\",\"CallbackType\":\"http\"}"}"#.to_owned(),
                    ),
                    fault: None,
                },
            ),
            []
        ),
        case!(
            "UploadStreamByURLComplete",
            "http://x",
            library(
                "2022-07-07T08:09:14Z",
                "0f65faa0fdcc71ecbfcd472190a90000",
                pulled(
                    Role::Rendition,
                    "7f0d49297cb0fa50ab7341fd60f40000",
                    "http://000/example/html5/mov_bbb.mp4",
                    Some(r#"{"MessageCallback":"{\"CallbackURL\":\"000\",\"CallbackType\":\"http\"}"}"#),
                ),
            ),
            []
        ),
        case!(
            "CreateAuditComplete",
            "http://x",
            library(
                "2022-06-23T13:11:33Z",
                "71151b80f2d471ecb21b472190a90000",
                LibraryFact::ReviewEnded {
                    review: "0197871f3c2a7d10a5b3c1d2e3f40517".into(),
                    audit: Some(AuditStatus::Normal),
                    auditor: "auditor".to_owned(),
                    reason: "test".to_owned(),
                    comment: "test".to_owned(),
                    asked_at: at("2022-06-23T13:11:33Z"),
                    fault: None,
                },
            ),
            []
        ),
        case!(
            "RegisterMediaComplete",
            "http://x",
            library(
                "2022-06-23T13:11:33Z",
                "71151b80f2d471ecb21b472190a90000",
                LibraryFact::MediaRegistered {
                    user_data: None,
                    fault: None,
                },
            ),
            []
        ),
        case!(
            "DeleteMediaComplete",
            "http://x",
            library(
                "2022-06-23T13:11:33Z",
                "71151b80f2d471ecb21b472190a90000",
                LibraryFact::MediaDeleted {
                    delete_type: DeleteType::All,
                    objects: Vec::new(),
                    fault: None,
                },
            ),
            []
        ),
        case!(
            "MediaBaseChangeComplete",
            "http://x",
            library(
                "2022-06-23T13:11:33Z",
                "3b46b391419aj294m83b459f74350000",
                LibraryFact::MediaChanged {
                    media_type: MediaType::Video,
                    changes: vec![FieldChange {
                        field: "cover".to_owned(),
                        old: "https://outin-8e7b1c7d2a3811eb83da00163e000000.oss-cn-shanghai.aliyuncs.com/\
                              0202342e8ae944d09695fd7dbc6d69dc/snapshots/4a6c26eb46a841a3b60c1d56acce0000-00005.jpg"
                            .to_owned(),
                        new: "http://cdn.com/ee.png".to_owned(),
                    }],
                },
            ),
            []
        ),
        case!(
            "WorkflowTaskComplete",
            "http://x",
            of_task(
                "2022-07-08T02:22:48Z",
                media("4c3a4a30041b71edbfc96732b68f0000", "a.mp4"),
                task(TriggerSource::Workflow),
                None,
                Detail::TaskEnded {
                    status: TaskStatus::Succeed,
                    activities: Vec::new(),
                    source: None,
                },
            ),
            []
        ),
        case!(
            "VideoAnalysisComplete",
            "https://outin-000.oss-cn-shanghai.aliyuncs.com",
            of_task(
                "2022-07-15T08:52:17Z",
                media(
                    "4c3a4a30041b71edbfc96732b68f0000",
                    "sv/51246387-182010e2655/51246387-182010e0000.mp4",
                ),
                task(TriggerSource::Workflow),
                Some(job("0197871f3c2a7d10a5b3c1d2e3f40518", "facts", ActivityKind::Analysis)),
                Detail::AnalysisEnded {
                    facts: Some(Box::new(analysed())),
                },
            ),
            []
        ),
        case!(
            "SnapshotComplete",
            "http://bucket-empty.oss-cn-shanghai.aliyuncs.com",
            of_task(
                "2021-09-28T01:30:19Z",
                media("4c3a4a30041b71edbfc96732b68f0000", "xxx.mp4"),
                user(r#"{"aaa": "bbb"}"#),
                Some(sprite),
                Detail::SnapshotEnded {
                    snapshot_type: "Sprite".to_owned(),
                    count: 5,
                    object: Some(object("yyy-{Count}.jpg")),
                    webvtt: None,
                    file_count: 1,
                    times_s: Vec::new(),
                },
            ),
            [
                NO_ERRORS[0],
                NO_ERRORS[1],
                // Its storage has another name here; a place is a region; there is one queue.
                "/MessageBody/Input/ossFile/Bucket: \"bucket\", not \"bucket-empty\"",
                "/MessageBody/Output/ossFile/Bucket: \"bucket\", not \"bucket-empty\"",
                "/MessageBody/Input/ossFile/Location: \"cn-shanghai\", not \"oss-cn-shanghai\"",
                "/MessageBody/Output/ossFile/Location: \"cn-shanghai\", not \"oss-cn-shanghai\"",
                "/MessageBody/PipelineId: \"default\", not \"3a791131403478e92cc013998620000\"",
                // The sample's parameters are of stills; a sprite's say so, and have its cells.
                "/MessageBody/TemplateConfig/Type: \"Sprite\", not \"Normal\"",
                "/MessageBody/TemplateConfig/SpriteSnapshotConfig: extra",
            ]
        ),
        case!(
            "DynamicImageComplete",
            "http://bucket-empty.oss-cn-shanghai.aliyuncs.com",
            of_task(
                "2021-09-28T01:30:19Z",
                media("4c3a4a30041b71edbfc96732b68f0000", "xxx.mp4"),
                user(r#"{"aaa": "bbb"}"#),
                Some(animation),
                Detail::AnimationEnded {
                    object: Some(object("yyy.gif")),
                    size_bytes: 1,
                    md5: None,
                    file: None,
                },
            ),
            [
                NO_ERRORS[0],
                NO_ERRORS[1],
                "/MessageBody/Input/ossFile/Bucket: \"bucket\", not \"bucket-empty\"",
                "/MessageBody/Output/ossFile/Bucket: \"bucket\", not \"bucket-empty\"",
                "/MessageBody/Input/ossFile/Location: \"cn-shanghai\", not \"oss-cn-shanghai\"",
                "/MessageBody/Output/ossFile/Location: \"cn-shanghai\", not \"oss-cn-shanghai\"",
                "/MessageBody/PipelineId: \"default\", not \"3a791131403478e92cc013998620000\"",
                // The sample carries a snapshot's parameters by mistake; the API's are these.
                "/MessageBody/TemplateConfig/Count: missing",
                "/MessageBody/TemplateConfig/FrameType: missing",
                "/MessageBody/TemplateConfig/Height: 1080, not 720",
                "/MessageBody/TemplateConfig/Interval: missing",
                "/MessageBody/TemplateConfig/Time: missing",
                "/MessageBody/TemplateConfig/Type: missing",
                "/MessageBody/TemplateConfig/Width: 1920, not 1280",
                "/MessageBody/TemplateConfig/Format: extra",
                "/MessageBody/TemplateConfig/Fps: extra",
            ]
        ),
        case!(
            "TranscodeComplete",
            "http://laisi-vedio-0000.oss-cn-shanghai.aliyuncs.com",
            of_task(
                "2022-06-27T08:41:32Z",
                media("4c3a4a30041b71edbfc96732b68f0000", "a.mp4"),
                console(),
                Some(older.clone()),
                Detail::Legacy {
                    fact: Box::new(LegacyFact::OutputEnded {
                        output: "533d2c5eac5b4f0aaf2d09c7ee884cae".into(),
                        object: Some(object(older_key)),
                        size_bytes: 16_078_713,
                        facts: Some(Box::new(older_output())),
                        fault: None,
                    }),
                },
            ),
            []
        ),
        case!(
            "TranscodeParentComplete",
            "http://laisi-vedio0000.oss-cn-shanghai.aliyuncs.com",
            of_task(
                "2022-06-27T08:41:32Z",
                media("4c3a4a30041b71edbfc96732b68f0000", "a.mp4"),
                console(),
                Some(older),
                Detail::Legacy {
                    fact: Box::new(LegacyFact::JobEnded {
                        outputs: vec![made.clone()],
                    }),
                },
            ),
            []
        ),
        case!(
            "MediaConvertComplete",
            "http://x",
            of_task(
                "2022-07-15T08:48:14Z",
                media("4c3a4a30041b71edbfc96732b68f0000", "a.mp4"),
                console(),
                Some(convert),
                Detail::TranscodeEnded { outputs: vec![made] },
            ),
            [user_data]
        ),
        case!(
            "MediaConvertOutputGroupComplete",
            "http://x",
            of_task(
                "2022-07-15T08:48:14Z",
                media("4c3a4a30041b71edbfc96732b68f0000", "a.mp4"),
                task(TriggerSource::Api),
                Some(job(
                    "6c5f4e6a4bbc4d06b774eaaf63cd35f6",
                    "ladder",
                    ActivityKind::Transcode
                )),
                Detail::OutputGroupEnded {
                    group: "6d4c8431636f4ff88c638e7d54036a30".into(),
                    name: "HLS".to_owned(),
                    ok: true,
                },
            ),
            [
                // The heading has the name; the sample's is a slip of translation.
                "/EventType: \"MediaConvertOutputGroupComplete\", not \"ApsaraVideoForMediaProcessingOutputGroupComplete\"",
                user_data,
            ]
        ),
        case!(
            "MediaConvertOutputComplete",
            "http://pyh-bucket-shanghai.oss-cn-shanghai.aliyuncs.com",
            {
                let mut task = task(TriggerSource::Workflow);
                task.id = "f521e6845595417b83a9efaa5bf9342d".into();
                let mut event = of_task(
                    "2025-06-19T07:33:02Z",
                    media("054589a03aaa71f09951e7f6c6586302", "a.mp4"),
                    task,
                    Some(job(
                        "2e083368d3224d22a8f3170ff9ff1cac",
                        "ladder",
                        ActivityKind::Transcode,
                    )),
                    Detail::OutputEnded {
                        output: "da68bc722dab477d960026e6eba153e8".into(),
                        name: "720P".to_owned(),
                        group: "MP4".to_owned(),
                        object: Some(object(convert_key)),
                        size_bytes: 23_147_779,
                        md5: None,
                        facts: Some(Box::new(converted())),
                        fault: None,
                    },
                );
                event.id = "0197871f3c2a7d10a5b3c1d2e3f40519".into();
                event
            },
            [
                // What was made is told some seconds before it is announced at the cloud; documented: Console, Workflow, API.
                "/EventTime: \"2025-06-19T07:33:02Z\", not \"2022-07-15T08:48:14Z\"",
                "/MessageBody/TriggerSource: \"Workflow\", not \"IceWorkflow\"",
            ]
        ),
        case!(
            "AIMediaAuditComplete",
            "http://x",
            of_task(
                "2022-07-19T03:06:12Z",
                media("02389c00031e71edbfdc90a588430000", "a.mp4"),
                console(),
                Some(audit_job),
                audit,
            ),
            []
        ),
        case!(
            "AIProduceComplete",
            "http://x",
            of_task(
                "2022-07-14T02:26:54Z",
                media("4c3a4a30041b71edbfc96732b68f0000", "a.mp4"),
                user(r#"{"www":111}"#),
                Some(job("168510ad1a2a4806bfce31fe1799532c", "cover", ActivityKind::Cover)),
                Detail::CoverEnded {
                    candidates: vec![
                        still(5.891979105782871, 1966.6666666666665, "meinv-00002.jpg"),
                        still(5.610427496267542, 2966.666666666667, "meinv-00001.jpg"),
                        still(4.963208311043985, 10966.666666666666, "meinv-00003.jpg"),
                    ],
                },
            ),
            [
                // Whole addresses: a receiver here knows no bucket to complete a name by.
                "/MessageBody/OutputFiles/0: \"http://x/meinv-00002.jpg\", not \"meinv-00002.jpg\"",
                "/MessageBody/OutputFiles/1: \"http://x/meinv-00001.jpg\", not \"meinv-00001.jpg\"",
                "/MessageBody/OutputFiles/2: \"http://x/meinv-00003.jpg\", not \"meinv-00003.jpg\"",
                "/MessageBody/Result/0/Url: \"http://x/meinv-00002.jpg\", not \"meinv-00002.jpg\"",
                "/MessageBody/Result/1/Url: \"http://x/meinv-00001.jpg\", not \"meinv-00001.jpg\"",
                "/MessageBody/Result/2/Url: \"http://x/meinv-00003.jpg\", not \"meinv-00003.jpg\"",
            ]
        ),
        case!(
            "MediaAiAnalysisComplete",
            "http://x",
            of_task(
                "2022-06-23T13:11:33Z",
                media("0000b391419aj294m83b459f74350000", "a.mp4"),
                console(),
                Some(tag_job),
                tags,
            ),
            []
        ),
    ]
}

#[test]
fn every_event_is_its_sample_but_for_what_was_decided() {
    for case in cases() {
        let sample: Value = serde_json::from_str(case.sample).expect("a sample is JSON");
        let user_id = sample["UserId"].as_u64().expect("a number");
        let found = body(Profile::Ims, &case.event, user_id, case.base);
        let decided: BTreeSet<String> = case.decided.iter().map(|&line| line.to_owned()).collect();
        assert_eq!(differences(&sample, &found), decided, "{}: {found:#}", case.name);
        assert_eq!(case.event.event_type().as_str(), case.name);
    }
}

#[test]
fn every_profile_of_our_own_and_of_the_sibling_tells_them_too() {
    for case in cases() {
        let native = body(Profile::Native, &case.event, 1, case.base);
        assert_eq!(native["type"], case.name);
        assert!(
            native.as_object().expect("an object").len() > 7,
            "{} says nothing: {native:#}",
            case.name
        );
        let told_by_vod = !matches!(
            case.name,
            "MediaConvertOutputGroupComplete" | "TranscodeComplete" | "TranscodeParentComplete"
        );
        if told_by_vod {
            let vod = body(Profile::Vod, &case.event, 1, case.base);
            assert!(vod["EventType"].is_string() && vod["MessageBody"].is_null(), "{vod:#}");
            assert_eq!(vod["UserId"], "1");
        }
    }
}

#[test]
fn failures_are_told_in_each_event_s_own_spelling() {
    let failed = |case: Case| {
        let mut event = case.event;
        if let Some(job) = &mut event.job {
            job.status = JobStatus::Fail;
            job.fault = Some(fault());
        }
        match &mut event.detail {
            Detail::Library { fact: told } => match told.as_mut() {
                LibraryFact::Uploaded { object, fault: at, .. } => (*object, *at) = (None, Some(fault())),
                LibraryFact::StreamRegistered { fault: at, .. }
                | LibraryFact::MediaRegistered { fault: at, .. }
                | LibraryFact::MediaDeleted { fault: at, .. } => *at = Some(fault()),
                LibraryFact::ReviewEnded { audit, fault: at, .. } => (*audit, *at) = (None, Some(fault())),
                LibraryFact::MediaChanged { .. } => {}
            },
            Detail::TaskEnded { status, .. } => *status = TaskStatus::Failed,
            Detail::AnalysisEnded { facts } => *facts = None,
            Detail::OutputEnded { object, facts, .. } => (*object, *facts) = (None, None),
            Detail::OutputGroupEnded { ok, .. } => *ok = false,
            Detail::SnapshotEnded { object, .. } | Detail::AnimationEnded { object, .. } => *object = None,
            Detail::OpinionEnded { opinion } => *opinion = None,
            Detail::CoverEnded { candidates } => candidates.clear(),
            Detail::Legacy { fact } => match fact.as_mut() {
                LegacyFact::OutputEnded { object, facts, .. } => (*object, *facts) = (None, None),
                LegacyFact::JobEnded { outputs } => outputs.iter_mut().for_each(|output| output.object = None),
            },
            _ => {}
        }
        (case.name, body(Profile::Ims, &event, 1, case.base))
    };
    for case in cases() {
        let (name, found) = failed(case);
        let expected = match name {
            "MediaBaseChangeComplete" => continue,
            "WorkflowTaskComplete" | "MediaConvertOutputGroupComplete" | "MediaConvertOutputComplete" => "Failed",
            "MediaAiAnalysisComplete" => "Failed",
            "MediaConvertComplete" => "Error",
            _ => "Fail",
        };
        let message = &found["MessageBody"];
        assert_eq!(message["Status"], expected, "{name}: {message:#}");
        match name {
            // The task of this specimen has no activities to blame.
            "WorkflowTaskComplete" => assert_eq!(message["ErrorCode"], "Canceled"),
            // Each of its sub-jobs has its own.
            "TranscodeParentComplete" => assert_eq!(message["Jobs"][0]["ErrorCode"], "SourceTruncated"),
            _ => assert_eq!(message["ErrorCode"], "SourceTruncated", "{name}"),
        }
        if name == "MediaAiAnalysisComplete" {
            assert_eq!(message["JobStatus"], "AnalyzeFailed");
        }
    }
}

/// The samples as the seed prints them, masks and all; none: the seeds are not here.
fn printed() -> Option<Vec<(String, String)>> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/spec/seeds");
    let path = beside.join(SEED);
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: {} is not there", path.display());
        return None;
    };
    let mut found = Vec::new();
    for (at, _) in text.match_indices("\"EventType\"") {
        let Some(value) = text[at + 11..].trim_start().strip_prefix(':') else {
            continue;
        };
        let Some(name) = value
            .trim_start()
            .strip_prefix('"')
            .and_then(|rest| rest.split('"').next())
        else {
            continue;
        };
        let begin = text[..at].rfind("\n{\n").map_or(0, |before| before + 1);
        found.push((name.to_owned(), block(&text[begin..])));
    }
    Some(found)
}

/// The object that a text begins with; masks outside of texts are made zeros, remarks are taken out.
fn block(text: &str) -> String {
    let (mut depth, mut quoted, mut escaped) = (0, false, false);
    let mut block = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if quoted {
            quoted = escaped || character != '"';
            escaped = !escaped && character == '\\';
            block.push(character);
            continue;
        }
        match character {
            '"' => quoted = true,
            '{' => depth += 1,
            '}' => depth -= 1,
            '/' if characters.peek() == Some(&'/') => {
                while characters.next_if(|next| *next != '\n').is_some() {}
                continue;
            }
            _ => {}
        }
        block.push(if character == '*' { '0' } else { character });
        if depth == 0 && character == '}' {
            break;
        }
    }
    block
}

/// Whether `whole` is `masked` with each mask made some character.
fn unmasked(masked: &Value, whole: &Value) -> bool {
    match (masked, whole) {
        (Value::Object(masked), Value::Object(whole)) => {
            masked.len() == whole.len()
                && masked
                    .iter()
                    .all(|(key, value)| whole.get(key).is_some_and(|whole| unmasked(value, whole)))
        }
        (Value::Array(masked), Value::Array(whole)) => {
            masked.len() == whole.len() && masked.iter().zip(whole).all(|(one, other)| unmasked(one, other))
        }
        (Value::String(masked), Value::String(whole)) => {
            masked.chars().count() == whole.chars().count()
                && masked
                    .chars()
                    .zip(whole.chars())
                    .all(|(one, other)| one == '*' || one == other)
        }
        // A mask within a number was made zeros.
        (Value::Number(masked), Value::Number(whole)) if masked.is_u64() => {
            let masked = masked.to_string();
            let begin = masked.strip_suffix("0000").unwrap_or(&masked);
            let whole = whole.to_string();
            whole.len() == masked.len() && whole.starts_with(begin)
        }
        (masked, whole) => masked == whole,
    }
}

#[test]
fn the_samples_are_those_of_the_seed() {
    let Some(printed) = printed() else {
        return;
    };
    let cases = cases();
    for (name, block) in &printed {
        // The slip of translation again.
        let name = match name.as_str() {
            "ApsaraVideoForMediaProcessingOutputGroupComplete" => "MediaConvertOutputGroupComplete",
            name => name,
        };
        if NOT_HERE.iter().any(|(known, _)| *known == name) {
            continue;
        }
        let case = cases.iter().find(|case| case.name == name);
        let case = case.unwrap_or_else(|| panic!("{name} is neither built nor said not to be"));
        let masked: Value = serde_json::from_str(block).unwrap_or_else(|error| panic!("{name}: {error}\n{block}"));
        let whole: Value = serde_json::from_str(case.sample).expect("a sample is JSON");
        assert!(unmasked(&masked, &whole), "{name}: {masked:#}\n{whole:#}");
    }
    assert_eq!(printed.len(), cases.len() + NOT_HERE.len());
}
