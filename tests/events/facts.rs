//! Events made of plain facts.

use reelmill::base::clock::UtcMs;
use reelmill::base::fault::Blame;
use reelmill::base::fault::Fault;
use reelmill::events::Detail;
use reelmill::events::Event;
use reelmill::events::JobBrief;
use reelmill::events::MediaBrief;
use reelmill::events::Purpose;
use reelmill::events::TaskBrief;
use reelmill::events::TriggerSource;
use reelmill::events::library::LibraryFact;
use reelmill::events::profile::Deployment;
use reelmill::events::profile::Profile;
use reelmill::events::profile::render;
use reelmill::media::facts::MediaFacts;
use reelmill::objects::uri::ObjectUri;
use reelmill::workflow::resolved::ActivityKind;
use reelmill::workflow::status::JobStatus;
use serde_json::Value;
use serde_json::json;

/// The storage whose objects have the addresses of the samples.
pub const BUCKET: &str = "bucket";

pub fn at(text: &str) -> UtcMs {
    UtcMs::parse_wire(text).expect("a time")
}

pub fn object(key: &str) -> ObjectUri {
    ObjectUri::new(BUCKET, key)
}

pub fn media(id: &str, key: &str) -> MediaBrief {
    MediaBrief {
        id: id.into(),
        object: object(key),
        size_bytes: 77_570_208,
    }
}

pub fn task(trigger: TriggerSource) -> TaskBrief {
    TaskBrief {
        id: "71151b80f2d471ecb21b472190a90000".into(),
        workflow: "SW-10100000".into(),
        workflow_name: "studio".to_owned(),
        trigger,
        purpose: Purpose::Run,
        user_data: None,
        created_at: at("2022-07-08T02:19:19Z"),
    }
}

pub fn job(id: &str, activity: &str, kind: ActivityKind) -> JobBrief {
    JobBrief {
        id: id.into(),
        activity: activity.to_owned(),
        kind,
        status: JobStatus::Success,
        template: None,
        parameters: json!({}),
        submitted_at: at("2021-09-28T01:10:19Z"),
        finished_at: None,
        fault: None,
        backend: None,
        fallback_reason: None,
        partial: false,
        failed_outputs: Vec::new(),
    }
}

/// A fact of the library about this media.
pub fn library(time: &str, media_id: &str, fact: LibraryFact) -> Event {
    Event {
        id: "0197871f3c2a7d10a5b3c1d2e3f40516".into(),
        at: at(time),
        media: (!media_id.is_empty()).then(|| media(media_id, "a.mp4")),
        task: None,
        job: None,
        detail: Detail::Library { fact: Box::new(fact) },
    }
}

/// A fact of a task about this media.
pub fn of_task(time: &str, media: MediaBrief, task: TaskBrief, job: Option<JobBrief>, detail: Detail) -> Event {
    Event {
        id: "0197871f3c2a7d10a5b3c1d2e3f40516".into(),
        at: at(time),
        media: Some(media),
        task: Some(task),
        job,
        detail,
    }
}

pub fn fault() -> Fault {
    Fault::new(
        "SourceTruncated",
        Blame::Source,
        "decode",
        "ingest:show/clip.mov",
        "it ends early",
        "Copy it again.",
    )
}

/// Facts of a file from JSON, with what a file always has filled in.
pub fn file(value: Value) -> MediaFacts {
    let mut value = value;
    value["format_long_name"] = json!("");
    let streams = value["streams"].as_array_mut().expect("streams");
    for stream in streams {
        let plain = json!({
            "codec_long_name": "", "profile": null, "level": null, "frame_count": null, "language": null, "default": true,
            "decodable": true, "rotation_degrees": 0, "mirrored": false, "bit_depth": 8, "field_order": "progressive",
            "color_range": "tv", "color_primaries": "bt709", "color_transfer": "bt709", "color_space": "bt709",
            "hdr": "sdr", "attached_picture": false, "sample_aspect_ratio": null,
        });
        for (key, value) in plain.as_object().expect("an object") {
            if stream.get(key).is_none() {
                stream[key] = value.clone();
            }
        }
    }
    serde_json::from_value(value).expect("facts")
}

/// The body as `profile` has it; addresses of [`BUCKET`] begin with `base`.
pub fn body(profile: Profile, event: &Event, user_id: u64, base: &str) -> Value {
    let mut deployment = Deployment::new(user_id, "app-1000000", "cn-shanghai", "http://mam.local");
    let base = base.to_owned();
    let bases = move |storage: &str| (storage == BUCKET).then(|| base.clone());
    deployment.urls = deployment.urls.with_bases(std::sync::Arc::new(bases));
    let kept: Value = serde_json::to_value(event).expect("JSON");
    let read: Event = serde_json::from_str(&kept.to_string()).expect("an event");
    assert!(
        alike(&kept, &serde_json::to_value(&read).expect("JSON")),
        "its row keeps it: {kept:#}"
    );
    let rendered = render(profile, event, &deployment).expect("the profile has this event");
    serde_json::from_slice(&rendered.bytes()).expect("a body is JSON")
}

/// The same, but for the last digit of a fraction: JSON is not read back to it.
fn alike(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(key, value)| other.get(key).is_some_and(|other| alike(value, other)))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| alike(one, other))
        }
        (Value::Number(one), Value::Number(other)) => match (one.as_f64(), other.as_f64()) {
            (Some(one), Some(other)) => (one - other).abs() <= 1e-12 * one.abs(),
            _ => one == other,
        },
        (one, other) => one == other,
    }
}
