//! Seed 004, and the flat events of VOD beside it.

use crate::compare::differences;
use crate::facts::at;
use crate::facts::body;
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
use reelmill::events::Event;
use reelmill::events::TriggerSource;
use reelmill::events::library::AuditStatus;
use reelmill::events::library::DeleteType;
use reelmill::events::library::FieldChange;
use reelmill::events::library::LibraryFact;
use reelmill::events::library::MediaType;
use reelmill::events::library::Pulled;
use reelmill::events::library::Role;
use reelmill::events::made::FileBrief;
use reelmill::events::made::MadeOutput;
use reelmill::events::profile::Profile;
use reelmill::media::facts::MediaFacts;
use reelmill::media::product::ProductKind;
use reelmill::workflow::opinion::Label;
use reelmill::workflow::opinion::Opinion;
use reelmill::workflow::opinion::Segment;
use reelmill::workflow::opinion::Verdict;
use reelmill::workflow::resolved::ActivityKind;
use reelmill::workflow::status::TaskStatus;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeSet;

const MEDIA: &str = "c066a7898e2c71f08b23752281ed0000";

fn vod(event: &Event) -> Value {
    body(
        Profile::Vod,
        event,
        1_833_220_977_560_785,
        "http://sample-bucket.oss-cn-shanghai.aliyuncs.com",
    )
}

/// 960 lines of 540, 15 s, 30 frames a second, 925 kbit/s.
fn rendition() -> MediaFacts {
    file(json!({
        "format_name": "mov,mp4,m4a,3gp,3g2,mj2", "duration_s": 15.0, "start_time_s": 0.0, "size_bytes": 1_815_321,
        "bitrate_kbps": 925.0,
        "streams": [{
            "index": 0, "codec_name": "h264", "codec_tag_string": "avc1", "codec_tag": "0x31637661",
            "time_base": {"num": 1, "den": 30}, "start_time_s": 0.0, "duration_s": 15.0, "bitrate_kbps": 900.0,
            "type": "video", "width": 540, "height": 960, "pixel_format": "yuv420p", "frame_rate": {"num": 30, "den": 1},
            "average_frame_rate": {"num": 30, "den": 1}, "has_b_frames": 0
        }]
    }))
}

fn event_of(kind: ActivityKind, detail: Detail) -> Event {
    let mut task = task(TriggerSource::Workflow);
    task.user_data = Some("test data".to_owned());
    let job = job("ddddddddddd0000000000000000000000", "activity", kind);
    of_task(
        "2017-03-20T07:49:17Z",
        media(MEDIA, "title-sample.mp4"),
        task,
        Some(job),
        detail,
    )
}

#[test]
fn the_end_of_a_task_is_the_sample_of_seed_004() {
    let sample: Value = serde_json::from_str(include_str!("samples/vod_WorkflowTaskComplete.json")).expect("JSON");
    // The five digits are those of the activity's id.
    let mut snapshot = job("ce87026be9020000", "bzqqz", ActivityKind::Snapshot);
    snapshot.finished_at = Some(at("2025-04-01T02:29:50Z"));
    let mut task = task(TriggerSource::Workflow);
    task.workflow = "01978700000070008000000000000001".into();
    task.created_at = at("2025-04-01T02:29:43Z");
    let mut media = media(MEDIA, "title-sample.mp4");
    media.object.storage = "sample-bucket".to_owned();
    let detail = Detail::TaskEnded {
        status: TaskStatus::Succeed,
        activities: vec![ActivityBrief {
            job: snapshot,
            started_at: Some(at("2025-04-01T02:29:46Z")),
            event: Some(Box::new(Detail::SnapshotEnded {
                snapshot_type: "Normal".to_owned(),
                count: 5,
                object: Some(object("covers/990f-{Count}.jpg")),
                webvtt: None,
                file_count: 5,
                times_s: Vec::new(),
            })),
        }],
        source: None,
    };
    let found = vod(&of_task("2025-04-01T02:33:12Z", media, task, None, detail));
    let decided: BTreeSet<String> = [
        // Its table requires both; the sample leaves them out.
        "/EventType: extra",
        "/EventTime: extra",
        // What was made, as SnapshotComplete has it.
        "/ActivityResults/VodSnapshot_53e77/Result/MessageBody/SnapshotInfos: extra",
    ]
    .map(str::to_owned)
    .into();
    assert_eq!(differences(&sample, &found), decided, "{found:#}");
    for key in ["TaskInput", "ActivityResults"] {
        assert!(found[key].is_string(), "{key} is a text of JSON");
    }
}

#[test]
fn events_of_outputs_are_flat_and_typed_as_published() {
    let made = MadeOutput {
        id: "ddddddddddd".into(),
        name: "960p".to_owned(),
        group: "FILE".to_owned(),
        kind: ProductKind::File,
        object: Some(object("62cb3151eba52js82j2da3b55bc50000.mp4")),
        size_bytes: 1_815_321,
        md5: None,
        file: Some(Box::new(FileBrief::from(&rendition()))),
        renditions: Vec::new(),
        fault: None,
    };
    let stream = json!({
        "Status": "success", "Bitrate": "925", "Definition": "SD", "Duration": 15.0, "Encrypt": false,
        "FileUrl": "http://sample-bucket.oss-cn-shanghai.aliyuncs.com/62cb3151eba52js82j2da3b55bc50000.mp4",
        "Format": "mp4", "Fps": "30", "Height": 960, "Size": 1_815_321, "Width": 540, "JobId": "ddddddddddd"
    });
    let missing = MadeOutput {
        object: None,
        file: None,
        size_bytes: 0,
        fault: Some(crate::facts::fault()),
        ..made.clone()
    };
    let whole = vod(&event_of(
        ActivityKind::Transcode,
        Detail::TranscodeEnded {
            outputs: vec![made, missing],
        },
    ));
    assert_eq!(whole["EventType"], "TranscodeComplete");
    assert_eq!(whole["Status"], "success", "one stream is enough");
    assert_eq!(differences(&stream, &whole["StreamInfos"][0]), BTreeSet::new());
    assert_eq!(whole["StreamInfos"][1]["Status"], "fail");
    assert_eq!(whole["StreamInfos"][1]["ErrorCode"], "SourceTruncated");
    let alone = vod(&event_of(
        ActivityKind::Transcode,
        Detail::OutputEnded {
            output: "ddddddddddd".into(),
            name: "960p".to_owned(),
            group: "FILE".to_owned(),
            object: Some(object("62cb3151eba52js82j2da3b55bc50000.mp4")),
            size_bytes: 1_815_321,
            md5: None,
            facts: Some(Box::new(rendition())),
            fault: None,
        },
    ));
    let mut sample = stream;
    for (key, value) in [
        ("EventTime", "2017-03-20T07:49:17Z"),
        ("EventType", "StreamTranscodeComplete"),
        ("VideoId", MEDIA),
        ("Extend", "test data"),
        ("UserId", "1833220977560785"),
        ("TriggerSource", "Workflow"),
    ] {
        sample[key] = json!(value);
    }
    assert_eq!(differences(&sample, &alone), BTreeSet::new());
}

#[test]
fn facts_stills_covers_and_animations_are_told_as_published() {
    let analysis = vod(&event_of(
        ActivityKind::Analysis,
        Detail::AnalysisEnded {
            facts: Some(Box::new(rendition())),
        },
    ));
    let texts: Vec<&Value> = ["Duration", "Height", "Width", "Fps", "Bitrate", "Size"]
        .map(|key| &analysis[key])
        .to_vec();
    assert_eq!(texts, ["15", "960", "540", "30", "925", "77570208"]);
    let cover = vod(&event_of(
        ActivityKind::Cover,
        Detail::CoverEnded {
            candidates: vec![CoverCandidate {
                score: 5.8,
                time_ms: 1000.0,
                object: object("covers/990f-00002.jpg"),
            }],
        },
    ));
    assert_eq!(cover["EventType"], "SnapshotComplete");
    assert_eq!(
        cover["CoverUrl"],
        "http://sample-bucket.oss-cn-shanghai.aliyuncs.com/covers/990f-00002.jpg"
    );
    assert_eq!(cover["SnapshotInfos"][0]["SnapshotType"], "CoverSnapshot");
    let sprite = vod(&event_of(
        ActivityKind::Snapshot,
        Detail::SnapshotEnded {
            snapshot_type: "Sprite".to_owned(),
            count: 1,
            object: Some(object("covers/sprite/990f-{Count}.jpg")),
            webvtt: None,
            file_count: 1,
            times_s: Vec::new(),
        },
    ));
    let info = json!({
        "Status": "success", "SnapshotType": "SpriteSnapshot", "SnapshotCount": 1,
        "SnapshotFormat": "covers/sprite/990f-{SnapshotCount}.jpg",
        "SnapshotRegular": "http://sample-bucket.oss-cn-shanghai.aliyuncs.com/covers/sprite/990f-{SnapshotCount}.jpg",
        "JobId": "ddddddddddd0000000000000000000000"
    });
    assert_eq!(differences(&json!([info]), &sprite["SnapshotInfos"]), BTreeSet::new());
    let animation = vod(&event_of(
        ActivityKind::DynamicImage,
        Detail::AnimationEnded {
            object: Some(object("image/dynamic/3af1.gif")),
            size_bytes: 1_834_831,
            md5: None,
            file: Some(Box::new(FileBrief::from(&rendition()))),
        },
    ));
    let info = json!({
        "FileSize": "1834831", "FileURL": "http://sample-bucket.oss-cn-shanghai.aliyuncs.com/image/dynamic/3af1.gif",
        "Fps": "30", "Height": "960", "JobId": "ddddddddddd0000000000000000000000", "Status": "success", "Width": "540"
    });
    assert!(animation["DynamicImageJobInfo"].is_string());
    assert_eq!(
        differences(&json!(info.to_string()), &animation["DynamicImageJobInfo"]),
        BTreeSet::new()
    );
}

#[test]
fn the_library_is_told_flat_with_an_id_for_each_kind() {
    let told = |fact: LibraryFact| vod(&library("2017-03-20T07:49:17Z", MEDIA, fact));
    let upload = |role, media_type, pulled| LibraryFact::Uploaded {
        role,
        media_type,
        pulled,
        object: Some(object("a.png")),
        size_bytes: 14_333,
        user_data: None,
        fault: None,
    };
    let url = "http://sample-bucket.oss-cn-shanghai.aliyuncs.com/a.png";
    let file = told(upload(Role::Media, MediaType::Video, None));
    assert_eq!(
        (
            &file["EventType"],
            &file["VideoId"],
            &file["FileUrl"],
            &file["Size"],
            &file["Status"]
        ),
        (
            &json!("FileUploadComplete"),
            &json!(MEDIA),
            &json!(url),
            &json!(14_333),
            &json!("success")
        )
    );
    let image = told(upload(Role::Media, MediaType::Image, None));
    assert_eq!((&image["ImageId"], &image["FileURL"]), (&json!(MEDIA), &json!(url)));
    let attached = told(upload(Role::Attachment, MediaType::Text, None));
    assert_eq!(
        (&attached["AttachedMediaId"], &attached["FileURL"]),
        (&json!(MEDIA), &json!(url))
    );
    let pull = Pulled {
        job: "4c815bjs83j10000".into(),
        url: "http://sample/27ff.mp4".to_owned(),
    };
    let pulled = told(upload(Role::Media, MediaType::Video, Some(pull)));
    assert_eq!(
        (
            &pulled["EventType"],
            &pulled["JobId"],
            &pulled["SourceURL"],
            &pulled["VideoId"]
        ),
        (
            &json!("UploadByURLComplete"),
            &json!("4c815bjs83j10000"),
            &json!("http://sample/27ff.mp4"),
            &json!(MEDIA)
        )
    );
    let deleted = told(LibraryFact::MediaDeleted {
        delete_type: DeleteType::Source,
        objects: vec![object("a.png")],
        fault: Some(crate::facts::fault()),
    });
    assert_eq!(
        (
            &deleted["Status"],
            &deleted["DeleteType"],
            &deleted["MediaType"],
            &deleted["ErrorCode"],
            &deleted["FileURLs"]
        ),
        (
            &json!("fail"),
            &json!("mezzanine"),
            &json!("video"),
            &json!("SourceTruncated"),
            &json!(url)
        )
    );
    let changed = told(LibraryFact::MediaChanged {
        media_type: MediaType::Audio,
        changes: vec![FieldChange {
            field: "tags".to_owned(),
            old: String::new(),
            new: "a,b".to_owned(),
        }],
    });
    assert_eq!(
        changed["MediaContent"],
        r#"{"Tags":"{\"OldValue\":\"\",\"NewValue\":\"a,b\"}"}"#
    );
    assert_eq!(
        (&changed["MediaType"], &changed["OperateMode"]),
        (&json!("video"), &json!("update"))
    );
    let review = told(LibraryFact::ReviewEnded {
        review: "0197871f3c2a7d10a5b3c1d2e3f40517".into(),
        audit: Some(AuditStatus::Blocked),
        auditor: "author".to_owned(),
        reason: "Vulgar content".to_owned(),
        comment: String::new(),
        asked_at: at("2017-03-20T07:49:17Z"),
        fault: None,
    });
    let sample = json!({
        "EventType": "CreateAuditComplete", "EventTime": "2017-03-20T07:49:17Z", "MediaId": MEDIA, "Status": "success",
        "CreationTime": "2017-03-20T07:49:17Z", "SubType": "video", "AuditStatus": "Blocked", "Auditor": "author",
        "Reason": "Vulgar content", "Comment": "", "UserId": "1833220977560785"
    });
    assert_eq!(differences(&sample, &review), BTreeSet::new());
}

#[test]
fn opinions_are_told_with_their_results_as_texts() {
    let opinion = Opinion {
        verdict: Verdict::Review,
        labels: vec![Label {
            name: "sexy".to_owned(),
            confidence: 0.9248,
        }],
        segments: vec![
            segment(1005, "sexy", 0.9248),
            segment(9005, "sexy", 0.9182),
            segment(3005, "weapon", 0.5),
        ],
        summary: String::new(),
        by: "censor".to_owned(),
    };
    let audit = vod(&event_of(
        ActivityKind::Moderation,
        Detail::OpinionEnded {
            opinion: Some(Box::new(opinion.clone())),
        },
    ));
    assert_eq!(
        (
            &audit["EventType"],
            &audit["MediaId"],
            &audit["Code"],
            &audit["Message"]
        ),
        (&json!("AIMediaAuditComplete"), &json!(MEDIA), &json!("0"), &json!("OK"))
    );
    let data: Value = serde_json::from_str(audit["Data"].as_str().expect("a text")).expect("JSON");
    assert_eq!(
        (&data["AbnormalModules"], &data["Label"], &data["Suggestion"]),
        (&json!("video"), &json!("sexy"), &json!("review"))
    );
    let porn = json!({
        "TopList": [
            {"Score": "92.4800000000", "Label": "sexy", "Timestamp": "1005", "Url": ""},
            {"Score": "91.8200000000", "Label": "sexy", "Timestamp": "9005", "Url": ""}
        ],
        "Suggestion": "review", "MaxScore": "92.4800000000", "AverageScore": "92.1500000000", "Label": "sexy",
        "CounterList": [{"Label": "sexy", "Count": 2}]
    });
    assert_eq!(differences(&porn, &data["VideoResult"]["PornResult"]), BTreeSet::new());
    assert_eq!(data["VideoResult"]["TerrorismResult"]["Label"], "weapon");
    let tags = vod(&event_of(
        ActivityKind::ContentAnalysis,
        Detail::OpinionEnded {
            opinion: Some(Box::new(opinion)),
        },
    ));
    assert_eq!(tags["EventType"], "AIVideoTagComplete");
    let data: Value = serde_json::from_str(tags["Data"].as_str().expect("a text")).expect("JSON");
    assert_eq!(data["Keyword"][0], json!({"Tag": "sexy", "Times": ["1005", "9005"]}));
}

fn segment(start_ms: i64, label: &str, confidence: f64) -> Segment {
    Segment {
        start_ms,
        end_ms: start_ms + 1000,
        label: label.to_owned(),
        confidence,
        verdict: None,
    }
}
