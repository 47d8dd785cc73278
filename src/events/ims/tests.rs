//! Each ims event against a hand-checked body, and against the shape (keys, types, nesting) of the published sample.

use crate::base::clock::UtcMs;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::events::ActivityBrief;
use crate::events::Detail;
use crate::events::Event;
use crate::events::JobBrief;
use crate::events::profile::Deployment;
use crate::events::profile::Profile;
use crate::events::profile::render;
use crate::events::specimen;
use crate::media::facts::MediaFacts;
use crate::objects::uri::ObjectUri;
use crate::workflow::resolved::ActivityKind;
use crate::workflow::status::JobStatus;
use crate::workflow::status::TaskStatus;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeSet;

/// Keys and types of the published samples.
const SHAPES: &str = include_str!("shapes.json");

fn deployment() -> Deployment {
    Deployment::new(
        1_833_220_977_560_785,
        "app-1000000",
        "on-premises",
        "http://mam.local:8080",
    )
}

fn body_of(event: &Event) -> Value {
    render(Profile::Ims, event, &deployment())
        .expect("ims has every event")
        .body
}

/// Where `found` differs from `shape`: `path: what`. A text that holds JSON is compared inside.
fn differences(shape: &Value, found: &Value, path: &str, into: &mut BTreeSet<String>) {
    match (shape, found) {
        (Value::Object(shape), Value::String(text)) if shape.contains_key("$text") => {
            let inner: Value = serde_json::from_str(text).expect("a stringified object is JSON");
            differences(&shape["$text"], &inner, path, into);
        }
        (Value::Object(shape), Value::Object(found)) => {
            for (key, shape) in shape {
                match found.get(key) {
                    Some(found) => differences(shape, found, &format!("{path}/{key}"), into),
                    None => {
                        into.insert(format!("{path}/{key}: missing"));
                    }
                }
            }
            for key in found.keys().filter(|key| !shape.contains_key(*key)) {
                into.insert(format!("{path}/{key}: extra"));
            }
        }
        (Value::Array(shape), Value::Array(found)) => {
            if let Some(shape) = shape.first() {
                assert!(!found.is_empty(), "{path} must be filled to be compared");
                for item in found {
                    differences(shape, item, path, into);
                }
            }
        }
        (Value::String(name), found) => {
            let ok = match name.as_str() {
                "text" => found.is_string(),
                "integer" => found.is_u64() || found.is_i64(),
                "float" => found.is_f64(),
                other => panic!("no such type in the shapes: {other}"),
            };
            if !ok {
                into.insert(format!("{path}: {found} is no {name}"));
            }
        }
        (shape, found) => {
            into.insert(format!("{path}: {found} is no {shape}"));
        }
    }
}

fn assert_shape(event: &Event, decided: &[&str]) {
    let shapes: Value = serde_json::from_str(SHAPES).expect("the shapes are JSON");
    let body = body_of(event);
    let mut found = BTreeSet::new();
    let name = event.event_type().as_str();
    differences(&shapes[name], &body, "", &mut found);
    let decided: BTreeSet<String> = decided.iter().map(|&line| line.to_owned()).collect();
    assert_eq!(
        found, decided,
        "{name} differs from its sample elsewhere than decided: {body:#}"
    );
}

#[test]
fn every_event_has_the_shape_of_its_sample() {
    // Only in failures; the samples show them in successes too.
    let errors = ["/MessageBody/ErrorCode: missing", "/MessageBody/ErrorMessage: missing"];
    // Documented, though missing in the sample; the caller's is left out where there is none.
    let user_data = "/MessageBody/UserData: extra";
    assert_shape(&specimen::analysis(), &[user_data]);
    assert_shape(&specimen::output(), &[]);
    assert_shape(&specimen::group(), &[user_data]);
    assert_shape(&specimen::transcode(), &[user_data]);
    assert_shape(&specimen::task_ended(TaskStatus::Succeed), &[user_data]);
    let sprite = [
        errors[0],
        errors[1],
        "/MessageBody/TemplateConfig/SpriteSnapshotConfig: extra",
        "/MessageBody/TemplateConfig/Height: missing",
        "/MessageBody/TemplateConfig/Width: missing",
        "/MessageBody/TemplateConfig/Count: missing",
    ];
    assert_shape(&specimen::sprite(), &sprite);
    // The sample carries a snapshot's parameters by mistake; these are an animation's.
    let animation = [
        errors[0],
        errors[1],
        "/MessageBody/TemplateConfig/Count: missing",
        "/MessageBody/TemplateConfig/FrameType: missing",
        "/MessageBody/TemplateConfig/Height: missing",
        "/MessageBody/TemplateConfig/Interval: missing",
        "/MessageBody/TemplateConfig/Time: missing",
        "/MessageBody/TemplateConfig/Type: missing",
        "/MessageBody/TemplateConfig/Format: extra",
        "/MessageBody/TemplateConfig/Fps: extra",
        "/MessageBody/TemplateConfig/TimeSpan: extra",
    ];
    assert_shape(&specimen::animation(), &animation);
}

#[test]
fn an_output_is_told_as_in_the_sample() {
    let url = "http://mam.local:8080/o/renditions/show/720p%20final.mp4";
    let job_id = "da68bc722dab477d960026e6eba153e8";
    let expected = json!({
        "EventType": "MediaConvertOutputComplete",
        "UserId": 1_833_220_977_560_785_u64,
        "EventTime": "2025-06-19T07:33:02Z",
        "MessageBody": {
            "JobId": "2e083368d3224d22a8f3170ff9ff1cac",
            "MediaId": "054589a03aaa71f09951e7f6c6586302",
            "OutFileMeta": {
                "audioStreamInfoList": [{
                    "bitrate": "129.063", "channelLayout": "stereo", "channels": "2",
                    "codecLongName": "AAC (Advanced Audio Coding)", "codecName": "aac", "codecTag": "0x6134706d",
                    "codecTagString": "mp4a", "codecTimeBase": "1/44100", "duration": "25.588005", "index": "1",
                    "jobId": job_id, "lang": "und", "profile": "LC", "sampleFmt": "fltp", "sampleRate": "44100",
                    "startTime": "0.000000", "timebase": "1/44100"
                }],
                "fileBasicInfo": {
                    "bitrate": "7224", "duration": "25", "fileName": "720p final.mp4", "fileStatus": "Normal",
                    "fileType": "transcode_file", "fileUrl": url, "formatName": "mov,mp4,m4a,3gp,3g2,mj2",
                    "height": "720", "region": "on-premises", "width": "1280"
                },
                "playStreamInfo": {
                    "bitrate": "7224", "creationTime": "2025-06-19T07:33:02Z", "definition": 3, "duration": "25",
                    "encrypt": 0, "fileSize": 23_147_779, "fileUrl": url, "format": "mp4", "fps": "30.0", "height": 720,
                    "jobId": job_id, "state": 1, "transTemplateType": 1, "type": 1, "userId": 1_833_220_977_560_785_u64,
                    "width": 1280
                },
                "subtitleStreamInfoList": [],
                "videoStreamInfoList": [{
                    "avg_fps": "30.0", "bit_rate": "7086.421",
                    "codec_long_name": "H.264 / AVC / MPEG-4 AVC / MPEG-4 part 10", "codec_name": "h264",
                    "codec_tag": "0x31637661", "codec_tag_string": "avc1", "codec_time_base": "1/60", "dar": "16:9",
                    "duration": "25.633333", "fps": "30.0", "has_b_frames": "2", "height": "720", "index": "0",
                    "jobId": job_id, "lang": "und", "level": "31", "pixFmt": "yuv420p", "profile": "High",
                    "sar": "1:1", "start_time": "1.466000", "time_base": "1/90000", "width": "1280"
                }]
            },
            "Name": "720P",
            "OutputUrl": url,
            "Status": "Success",
            "TaskId": job_id,
            "TriggerSource": "Workflow",
            "UserData": "{\"ImsSrc\":\"Workflow\",\"TaskId\":\"f521e6845595417b83a9efaa5bf9342d\"}"
        }
    });
    let body = body_of(&specimen::output());
    assert_eq!(body, expected);
    // Order of keys and digits too: what is signed and replayed is the text.
    assert_eq!(body.to_string(), expected.to_string());
}

#[test]
fn facts_are_told_with_numbers_as_strings_but_the_rate() {
    let body = body_of(&specimen::analysis());
    assert_eq!(
        body.to_string(),
        json!({
            "EventType": "VideoAnalysisComplete",
            "UserId": 1_833_220_977_560_785_u64,
            "EventTime": "2025-06-19T07:33:02Z",
            "MessageBody": {
                "Status": "Success",
                "FileUrl": "http://mam.local:8080/o/ingest/show/clip.mov",
                "MediaId": "054589a03aaa71f09951e7f6c6586302",
                "MetaInfo": {
                    "Size": "77570208", "Fps": 30.0, "Duration": "25.633333", "Height": "720", "Width": "1280",
                    "Bitrate": "7224.29"
                },
                "UserData": "{\"asset\":7}"
            }
        })
        .to_string()
    );
}

#[test]
fn a_sound_without_picture_has_no_size_and_no_rate() {
    let mut event = specimen::analysis();
    if let Detail::AnalysisEnded { facts: Some(facts) } = &mut event.detail {
        facts.streams.remove(0);
    }
    let meta = &body_of(&event)["MessageBody"]["MetaInfo"];
    assert_eq!((&meta["Width"], &meta["Fps"]), (&json!("0"), &json!(0.0)));
}

#[test]
fn pictures_are_told_with_stringified_places_and_parameters() {
    let body = body_of(&specimen::sprite());
    let message = &body["MessageBody"];
    assert_eq!(message["Type"], "Sprite");
    assert_eq!(message["Count"], 5);
    assert_eq!(
        message["Input"],
        "{\"type\":\"OSS\",\"media\":\"http://mam.local:8080/o/ingest/show/clip.mov\",\"ossFile\":{\"Bucket\":\"ingest\",\
         \"Location\":\"on-premises\",\"Object\":\"show/clip.mov\"}}"
    );
    assert_eq!(
        message["Output"],
        "{\"type\":\"OSS\",\"media\":\"http://mam.local:8080/o/renditions/show/sprite-{Count}.jpg\",\"ossFile\":\
         {\"Bucket\":\"renditions\",\"Location\":\"on-premises\",\"Object\":\"show/sprite-{Count}.jpg\"}}"
    );
    assert_eq!(
        message["TemplateConfig"],
        "{\"FrameType\":\"normal\",\"Interval\":5,\"SpriteSnapshotConfig\":{\"CellWidth\":160,\"Columns\":10,\"Lines\":10},\
         \"Time\":20000,\"Type\":\"Sprite\"}"
    );
    let animation = body_of(&specimen::animation());
    assert_eq!(
        animation["MessageBody"]["TemplateConfig"],
        "{\"Format\":\"gif\",\"Fps\":5,\"Width\":480,\"TimeSpan\":{\"Seek\":\"2\",\"Duration\":\"3\"}}"
    );
    assert!(animation["MessageBody"].get("Count").is_none());
}

#[test]
fn each_event_spells_its_failure_its_own_way() {
    let fault = Fault::new(
        "SourceTruncated",
        Blame::Source,
        "decode",
        "ingest:show/clip.mov",
        "it ends early",
        "Copy it again.",
    );
    let failed = |mut event: Event| -> Value {
        let job = event.job.as_mut().expect("an event of a job");
        job.status = JobStatus::Fail;
        job.fault = Some(fault.clone());
        match &mut event.detail {
            Detail::AnalysisEnded { facts } => *facts = None,
            Detail::OutputEnded { object, facts, .. } => (*object, *facts) = (None, None),
            Detail::OutputGroupEnded { ok, .. } => *ok = false,
            Detail::SnapshotEnded { object, count, .. } => (*object, *count) = (None, 0),
            Detail::AnimationEnded { object, .. } => *object = None,
            _ => {}
        }
        body_of(&event)["MessageBody"].take()
    };
    for (event, status) in [
        (specimen::analysis(), "Fail"),
        (specimen::output(), "Failed"),
        (specimen::group(), "Failed"),
        (specimen::transcode(), "Error"),
        (specimen::sprite(), "Fail"),
        (specimen::animation(), "Fail"),
    ] {
        let message = failed(event);
        assert_eq!(message["Status"], status);
        assert_eq!(message["ErrorCode"], "SourceTruncated");
        assert_eq!(
            message["ErrorMessage"],
            "decode of ingest:show/clip.mov failed: it ends early. Copy it again."
        );
        assert!(message.get("OutputUrl").is_none());
    }
}

#[test]
fn a_canceled_task_failed_for_the_clouds_and_was_canceled_for_us() {
    let event = specimen::task_ended(TaskStatus::Canceled);
    let ims = body_of(&event);
    assert_eq!(ims["MessageBody"]["Status"], "Failed");
    assert_eq!(
        ims["MessageBody"]["TaskInput"],
        "{\"Type\":\"Media\",\"Media\":\"054589a03aaa71f09951e7f6c6586302\"}"
    );
    let vod = render(Profile::Vod, &event, &deployment())
        .expect("vod has this event")
        .body;
    assert_eq!(vod["Status"], "Failed");
    let native = render(Profile::Native, &event, &deployment())
        .expect("native has every event")
        .body;
    assert_eq!(native["status"], "Canceled");
}

#[test]
fn a_start_is_a_completion_that_is_still_processing() {
    let mut event = specimen::task_ended(TaskStatus::Succeed);
    let mut completed = body_of(&event);
    event.detail = Detail::TaskStarted;
    let started = body_of(&event);
    completed["EventType"] = json!("WorkflowTaskStart");
    completed["MessageBody"]["Status"] = json!("Processing");
    assert_eq!(started, completed);
}

#[test]
fn vod_tells_the_end_of_a_task_flat_with_results_in_strings() {
    let mut event = specimen::task_ended(TaskStatus::Succeed);
    let snapshot = specimen::sprite();
    event.detail = Detail::TaskEnded {
        status: TaskStatus::Succeed,
        source: None,
        activities: vec![ActivityBrief {
            job: snapshot.job.expect("of a job"),
            started_at: Some(UtcMs(1_750_318_300_000)),
            event: Some(Box::new(snapshot.detail)),
        }],
    };
    let body = render(Profile::Vod, &event, &deployment())
        .expect("vod has this event")
        .body;
    for key in [
        "Status",
        "TaskId",
        "VideoId",
        "ActivityResults",
        "TaskInput",
        "ModifiedTime",
        "FinishTime",
        "UserId",
        "CreateTime",
        "WorkflowId",
        "EventType",
        "EventTime",
    ] {
        assert!(body[key].is_string(), "{key} must be a string: {body:#}");
    }
    let results: Value = serde_json::from_str(body["ActivityResults"].as_str().expect("a string")).expect("JSON");
    let (key, node) = results.as_object().and_then(|map| map.iter().next()).expect("one node");
    assert!(key.starts_with("VodSnapshot_") && key.len() == 17, "{key}");
    assert_eq!(node["ActivityId"], "VodSnapshot");
    assert_eq!(node["Status"], "Succeed");
    let result: Value = serde_json::from_str(node["Result"].as_str().expect("a string")).expect("JSON in JSON");
    assert_eq!(result["EventType"], "SnapshotComplete");
    assert_eq!(result["MessageBody"]["Status"], "success");
    let trigger: Value = serde_json::from_str(result["MessageBody"]["TriggerSource"].as_str().expect("a string"))
        .expect("JSON in JSON in JSON");
    assert_eq!(trigger["BizType"], "ice-workflow");
    let input: Value = serde_json::from_str(body["TaskInput"].as_str().expect("a string")).expect("JSON");
    assert_eq!(input["Title"], "clip.mov");
}

#[test]
fn native_holds_what_the_clouds_have_no_word_for() {
    let event = specimen::output();
    let body = render(Profile::Native, &event, &deployment())
        .expect("native has every event")
        .body;
    assert_eq!(body["id"], event.id.as_str());
    assert_eq!(body["output"]["md5"], "9e107d9d372bb6826bd81d3542a419d6");
    assert_eq!(body["output"]["object"]["key"], "show/720p final.mp4");
    assert_eq!(body["task"]["user_data"]["asset"], 7);
    assert_eq!(body["job"]["fallback_reason"], "no encoder on this device");
    let facts: MediaFacts = serde_json::from_value(body["output"]["facts"].clone()).expect("facts read back");
    assert_eq!(facts.streams.len(), 2);
}

#[test]
fn a_failure_of_the_task_names_the_job_that_failed() {
    let mut event = specimen::task_ended(TaskStatus::Failed);
    let job = JobBrief {
        kind: ActivityKind::Transcode,
        status: JobStatus::Fail,
        fault: Some(Fault::new(
            "OutputDiskFull",
            Blame::Host,
            "publish",
            "renditions:x",
            "no space",
            "Free some.",
        )),
        ..specimen::output().job.expect("of a job")
    };
    event.detail = Detail::TaskEnded {
        status: TaskStatus::Failed,
        source: None,
        activities: vec![ActivityBrief {
            job,
            started_at: None,
            event: None,
        }],
    };
    assert_eq!(body_of(&event)["MessageBody"]["ErrorCode"], "OutputDiskFull");
}

#[test]
fn a_sheet_of_one_file_has_no_count_in_its_place() {
    let mut event = specimen::sprite();
    if let Detail::SnapshotEnded { object, .. } = &mut event.detail {
        *object = Some(ObjectUri::new("renditions", "a {b}.jpg"));
    }
    let output = body_of(&event)["MessageBody"]["Output"]
        .as_str()
        .expect("a string")
        .to_owned();
    assert!(output.contains("/o/renditions/a%20%7Bb%7D.jpg"), "{output}");
}
