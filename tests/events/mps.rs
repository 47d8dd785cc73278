//! Notifications of Tencent MPS against the types that its SDK publishes: every key known, every value of its type.

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
use reelmill::events::ActivityBrief;
use reelmill::events::CoverCandidate;
use reelmill::events::Detail;
use reelmill::events::TriggerSource;
use reelmill::events::library::LibraryFact;
use reelmill::events::made::FileBrief;
use reelmill::events::made::MadeOutput;
use reelmill::events::profile::Deployment;
use reelmill::events::profile::Profile;
use reelmill::events::profile::render;
use reelmill::media::facts::MediaFacts;
use reelmill::media::product::ProductKind;
use reelmill::media::product::QcCheck;
use reelmill::media::product::QcEvent;
use reelmill::media::product::QcReport;
use reelmill::media::product::QcResult;
use reelmill::media::product::QcVerdict;
use reelmill::workflow::opinion::Label;
use reelmill::workflow::opinion::Opinion;
use reelmill::workflow::opinion::Segment;
use reelmill::workflow::opinion::Verdict;
use reelmill::workflow::resolved::ActivityKind;
use reelmill::workflow::status::JobStatus;
use reelmill::workflow::status::TaskStatus;
use serde_json::Value;
use serde_json::json;

/// Type by type: key and Go type, of the SDK's models for ParseNotification.
const TYPES: &str = include_str!("samples/mps_types.json");

fn source() -> MediaFacts {
    file(json!({
        "format_name": "mov,mp4,m4a,3gp,3g2,mj2", "duration_s": 25.6, "start_time_s": 0.0, "size_bytes": 77_570_208,
        "bitrate_kbps": 7224.3,
        "streams": [{
            "index": 0, "codec_name": "h264", "codec_tag_string": "avc1", "codec_tag": "0x31637661",
            "time_base": {"num": 1, "den": 90000}, "start_time_s": 0.0, "duration_s": 25.6, "bitrate_kbps": 7086.4,
            "type": "video", "width": 1280, "height": 720, "pixel_format": "yuv420p",
            "frame_rate": {"num": 30000, "den": 1001}, "average_frame_rate": {"num": 30000, "den": 1001}, "has_b_frames": 2
        }, {
            "index": 1, "codec_name": "aac", "codec_tag_string": "mp4a", "codec_tag": "0x6134706d",
            "time_base": {"num": 1, "den": 44100}, "start_time_s": 0.0, "duration_s": 25.58, "bitrate_kbps": 129.0,
            "type": "audio", "sample_rate_hz": 44100, "channels": 2, "channel_layout": "stereo", "sample_format": "fltp"
        }]
    }))
}

fn made(kind: ProductKind, key: &str) -> MadeOutput {
    MadeOutput {
        id: "da68bc722dab477d960026e6eba153e8".into(),
        name: "720p".to_owned(),
        group: "MP4".to_owned(),
        kind,
        object: Some(object(key)),
        size_bytes: 23_147_779,
        md5: Some("9e107d9d372bb6826bd81d3542a419d6".to_owned()),
        file: Some(Box::new(FileBrief::from(&source()))),
        renditions: Vec::new(),
        fault: None,
    }
}

fn activity(id: &str, kind: ActivityKind, parameters: Value, detail: Detail) -> ActivityBrief {
    let mut job = job("2e083368d3224d22a8f3170ff9ff1cac", id, kind);
    job.parameters = parameters;
    job.template = Some("100020".to_owned());
    job.finished_at = Some(at("2025-04-01T02:30:00Z"));
    ActivityBrief {
        job,
        started_at: Some(at("2025-04-01T02:29:46Z")),
        event: Some(Box::new(detail)),
    }
}

fn opinion(verdict: Verdict) -> Detail {
    Detail::OpinionEnded {
        opinion: Some(Box::new(Opinion {
            verdict,
            labels: vec![Label {
                name: "porn".to_owned(),
                confidence: 0.5,
            }],
            segments: vec![
                Segment {
                    start_ms: 1500,
                    end_ms: 2500,
                    label: "porn".to_owned(),
                    confidence: 0.98,
                    verdict: Some(Verdict::Block),
                },
                Segment {
                    start_ms: 0,
                    end_ms: 500,
                    label: "politics".to_owned(),
                    confidence: 0.4,
                    verdict: Some(Verdict::Pass),
                },
            ],
            summary: String::new(),
            by: "censor".to_owned(),
        })),
    }
}

fn stills(snapshot_type: &str, file_count: u32) -> Detail {
    Detail::SnapshotEnded {
        snapshot_type: snapshot_type.to_owned(),
        count: 2,
        object: Some(object("show/shot-{Count}.jpg")),
        webvtt: (snapshot_type == "Sprite").then(|| object("show/shot.vtt")),
        file_count,
        times_s: vec![1.5, 12.8],
    }
}

fn activities() -> Vec<ActivityBrief> {
    let mut missing = made(ProductKind::File, "x");
    missing.object = None;
    missing.fault = Some(fault());
    let outputs = vec![
        made(ProductKind::File, "show/720p.mp4"),
        made(ProductKind::Hls, "show/hls.m3u8"),
        missing,
    ];
    let report = QcReport {
        verdict: QcVerdict::Warn,
        checks: vec![QcResult {
            check: QcCheck::Black,
            verdict: QcVerdict::Warn,
            found: "black once".to_owned(),
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
    vec![
        activity(
            "ladder",
            ActivityKind::Transcode,
            json!({}),
            Detail::TranscodeEnded { outputs },
        ),
        activity(
            "times",
            ActivityKind::Snapshot,
            json!({"times": ["1.5", "50%"]}),
            stills("Normal", 2),
        ),
        activity(
            "every",
            ActivityKind::Snapshot,
            json!({"interval_s": 10.0}),
            stills("Normal", 2),
        ),
        activity(
            "sprite",
            ActivityKind::Snapshot,
            json!({"mode": "sprite", "cell_width": 160, "cell_height": 90}),
            stills("Sprite", 1),
        ),
        activity(
            "gif",
            ActivityKind::DynamicImage,
            json!({"start_s": 2.0, "duration_s": 3.0}),
            Detail::AnimationEnded {
                object: Some(object("show/preview.gif")),
                size_bytes: 1_834_831,
                md5: Some("0cc175b9c0f1b6a831c399e269772661".to_owned()),
                file: None,
            },
        ),
        activity("censor", ActivityKind::Moderation, json!({}), opinion(Verdict::Block)),
        activity("who", ActivityKind::Recognition, json!({}), opinion(Verdict::Pass)),
        activity("what", ActivityKind::ContentAnalysis, json!({}), opinion(Verdict::Pass)),
        activity(
            "cover",
            ActivityKind::Cover,
            json!({}),
            Detail::CoverEnded {
                candidates: vec![CoverCandidate {
                    score: 5.8,
                    time_ms: 1966.0,
                    object: object("show/cover-00002.jpg"),
                }],
            },
        ),
        activity(
            "qc",
            ActivityKind::Qc,
            json!({}),
            Detail::QcEnded {
                report: Some(Box::new(report)),
                object: None,
            },
        ),
    ]
}

fn ended(status: TaskStatus, activities: Vec<ActivityBrief>) -> Value {
    let mut task = task(TriggerSource::Workflow);
    task.user_data = Some("{\"asset\":7}".to_owned());
    let detail = Detail::TaskEnded {
        status,
        activities,
        source: Some(Box::new(FileBrief::from(&source()))),
    };
    let event = of_task(
        "2025-04-01T02:33:12Z",
        media("054589a03aaa71f09951e7f6c6586302", "show/clip.mov"),
        task,
        None,
        detail,
    );
    body(Profile::Mps, &event, 1, "http://x")
}

/// Every value of `found` is of the type that `go` names; keys that a type does not have are refused.
fn assert_typed(types: &Value, go: &str, found: &Value, path: &str) {
    if found.is_null() {
        return;
    }
    if let Some(of) = go.strip_prefix("[]") {
        let items = found.as_array().unwrap_or_else(|| panic!("{path}: {found} is no list"));
        for (at, item) in items.iter().enumerate() {
            assert_typed(types, of, item, &format!("{path}/{at}"));
        }
        return;
    }
    let fits = match go {
        "string" => found.is_string(),
        "bool" => found.is_boolean(),
        "int64" => found.is_i64() || found.is_u64(),
        "uint64" => found.is_u64(),
        "float64" => found.is_number(),
        name => {
            let known = types[name].as_object();
            let known = known.unwrap_or_else(|| panic!("{path}: {name} is not expected here: {found}"));
            let found = found
                .as_object()
                .unwrap_or_else(|| panic!("{path}: {found} is no {name}"));
            for (key, value) in found {
                let go = known.get(key).and_then(Value::as_str);
                let go = go.unwrap_or_else(|| panic!("{path}/{key}: {name} has no such key"));
                assert_typed(types, go, value, &format!("{path}/{key}"));
            }
            true
        }
    };
    assert!(fits, "{path}: {found} is no {go}");
}

#[test]
fn the_end_of_a_task_is_a_notification_of_the_published_types() {
    let types: Value = serde_json::from_str(TYPES).expect("JSON");
    let body = ended(TaskStatus::Succeed, activities());
    assert_typed(&types, "ParseNotificationResponseParams", &body, "");
    let task = &body["WorkflowTaskEvent"];
    for key in types["WorkflowTask"].as_object().expect("a type").keys() {
        assert!(task.get(key).is_some(), "{key} is missing");
    }
    assert_eq!(
        (
            &body["EventType"],
            &task["Status"],
            &task["ErrCode"],
            &body["SessionContext"]
        ),
        (
            &json!("WorkflowTask"),
            &json!("FINISH"),
            &json!(0),
            &json!("{\"asset\":7}")
        )
    );
    assert_eq!(
        task["InputInfo"]["CosInputInfo"],
        json!({"Bucket": "bucket", "Region": "cn-shanghai", "Object": "/show/clip.mov"})
    );
    let meta = &task["MetaData"];
    assert_eq!(
        (
            &meta["Bitrate"],
            &meta["Width"],
            &meta["Duration"],
            &meta["AudioDuration"],
            &meta["Size"]
        ),
        (
            &json!(7_224_300),
            &json!(1280),
            &json!(25.6),
            &json!(25.58),
            &json!(77_570_208)
        )
    );
    assert_eq!(
        (
            &meta["VideoStreamSet"][0]["Fps"],
            &meta["VideoStreamSet"][0]["FpsNumerator"]
        ),
        (&json!(30), &json!(30_000))
    );
}

#[test]
fn each_output_is_an_item_of_its_type_with_all_its_files() {
    let body = ended(TaskStatus::Succeed, activities());
    let items = body["WorkflowTaskEvent"]["MediaProcessResultSet"]
        .as_array()
        .expect("a list");
    let kinds: Vec<&str> = items.iter().filter_map(|item| item["Type"].as_str()).collect();
    let expected = [
        "Transcode",
        "AdaptiveDynamicStreaming",
        "Transcode",
        "SnapshotByTimeOffset",
        "SampleSnapshot",
        "ImageSprites",
        "AnimatedGraphics",
    ];
    assert_eq!(kinds, expected);
    for item in items {
        let tasks = item.as_object().expect("an object").iter();
        let filled = tasks.filter(|(key, value)| *key != "Type" && !value.is_null()).count();
        assert_eq!(filled, 1, "one result, the others null: {item:#}");
    }
    let file = &items[0]["TranscodeTask"];
    assert_eq!(
        (&file["Status"], &file["ErrCode"], &file["Progress"]),
        (&json!("SUCCESS"), &json!(0), &json!(100))
    );
    let output = &file["Output"];
    assert_eq!(
        (
            &output["Path"],
            &output["Definition"],
            &output["Container"],
            &output["Md5"],
            &output["Size"]
        ),
        (
            &json!("/show/720p.mp4"),
            &json!(100_020),
            &json!("mp4"),
            &json!("9e107d9d372bb6826bd81d3542a419d6"),
            &json!(23_147_779)
        )
    );
    let set = &items[1]["AdaptiveDynamicStreamingTask"];
    assert_eq!(
        (&set["Output"]["Package"], &set["Output"]["Path"]),
        (&json!("HLS"), &json!("/show/hls.m3u8"))
    );
    assert_eq!(set["BeginProcessTime"], "2025-04-01T02:29:46Z");
    let missing = &items[2]["TranscodeTask"];
    assert_eq!(
        (
            &missing["Status"],
            &missing["ErrCode"],
            &missing["ErrCodeExt"],
            &missing["Output"]
        ),
        (&json!("FAIL"), &json!(60_000), &json!("SourceTruncated"), &Value::Null)
    );
    let pictures = &items[3]["SnapshotByTimeOffsetTask"]["Output"]["PicInfoSet"];
    assert_eq!(
        (&pictures[1]["TimeOffset"], &pictures[1]["Path"]),
        (&json!(12.8), &json!("/show/shot-00002.jpg"))
    );
    let sampled = &items[4]["SampleSnapshotTask"]["Output"];
    assert_eq!(
        (&sampled["SampleType"], &sampled["Interval"], &sampled["ImagePathSet"]),
        (
            &json!("Time"),
            &json!(10),
            &json!(["/show/shot-00001.jpg", "/show/shot-00002.jpg"])
        )
    );
    let sprite = &items[5]["ImageSpriteTask"]["Output"];
    assert_eq!(
        (&sprite["TotalCount"], &sprite["WebVttPath"], &sprite["ImagePathSet"]),
        (&json!(2), &json!("/show/shot.vtt"), &json!(["/show/shot-00001.jpg"]))
    );
    let animation = &items[6]["AnimatedGraphicTask"]["Output"];
    assert_eq!(
        (&animation["StartTimeOffset"], &animation["EndTimeOffset"]),
        (&json!(2.0), &json!(5.0))
    );
}

#[test]
fn opinions_covers_and_checks_stand_in_the_sets_of_their_kind() {
    let body = ended(TaskStatus::Succeed, activities());
    let task = &body["WorkflowTaskEvent"];
    let porn = &task["AiContentReviewResultSet"][0];
    assert_eq!(porn["Type"], "Porn");
    let output = &porn["PornTask"]["Output"];
    assert_eq!(
        (
            &output["Suggestion"],
            &output["Confidence"],
            &output["SegmentSet"][0]["StartTimeOffset"]
        ),
        (&json!("block"), &json!(98.0), &json!(1.5))
    );
    let political = &task["AiContentReviewResultSet"][1]["PoliticalTask"]["Output"];
    assert_eq!(political["Suggestion"], "pass");
    let found = &task["AiRecognitionResultSet"][0]["ObjectTask"]["Output"]["ResultSet"];
    assert_eq!(
        (&found[0]["Name"], &found[1]["Name"]),
        (&json!("porn"), &json!("politics"))
    );
    let analyses = task["AiAnalysisResultSet"].as_array().expect("a list");
    let kinds: Vec<&str> = analyses.iter().filter_map(|item| item["Type"].as_str()).collect();
    assert_eq!(kinds, ["Tag", "FrameTag", "Cover"]);
    assert_eq!(
        analyses[2]["CoverTask"]["Output"]["CoverSet"][0]["CoverPath"],
        "/show/cover-00002.jpg"
    );
    let quality = &task["AiQualityControlTaskResult"]["Output"];
    assert_eq!(
        (&quality["NoAudio"], &quality["NoVideo"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(quality["QualityControlResultSet"][0]["Type"], "SolidColorScreen");
}

#[test]
fn what_failed_and_what_was_canceled_says_so() {
    let types: Value = serde_json::from_str(TYPES).expect("JSON");
    let mut all = activities();
    for (at, brief) in all.iter_mut().enumerate() {
        if at % 2 == 0 {
            brief.job.status = JobStatus::Canceled;
            brief.event = None;
        } else {
            brief.job.status = JobStatus::Fail;
            brief.job.fault = Some(fault());
            if let Some(Detail::OpinionEnded { opinion }) = brief.event.as_deref_mut() {
                *opinion = None;
            }
        }
    }
    let body = ended(TaskStatus::Failed, all);
    assert_typed(&types, "ParseNotificationResponseParams", &body, "");
    let task = &body["WorkflowTaskEvent"];
    assert_eq!(task["ErrCode"], 60_000, "the source is to blame");
    assert_eq!(
        task["MediaProcessResultSet"][0]["TranscodeTask"]["ErrCodeExt"],
        "Canceled"
    );
    assert_eq!(task["AiContentReviewResultSet"][0]["PornTask"]["Status"], "FAIL");
    assert_eq!(
        task["AiRecognitionResultSet"][0]["ObjectTask"]["Message"],
        "The task was canceled."
    );
}

#[test]
fn starts_are_notified_and_single_facts_are_not() {
    let started = of_task(
        "2025-04-01T02:33:12Z",
        media("054589a03aaa71f09951e7f6c6586302", "show/clip.mov"),
        task(TriggerSource::Workflow),
        None,
        Detail::TaskStarted,
    );
    let body = body(Profile::Mps, &started, 1, "http://x");
    assert_eq!(body["WorkflowTaskEvent"]["Status"], "PROCESSING");
    let registered = library(
        "2025-04-01T02:33:12Z",
        "054589a03aaa71f09951e7f6c6586302",
        LibraryFact::MediaRegistered {
            user_data: None,
            fault: None,
        },
    );
    assert!(
        render(
            Profile::Mps,
            &registered,
            &Deployment::new(1, "app", "here", "http://x")
        )
        .is_none()
    );
}
