//! Conditions of edges in the Common Expression Language, over the facts of the source and what activities before did:
//! `height >= 2160 && hdr`, `results.qc.status == "Success" && size(results.qc.qc.black) == 0`,
//! `results.look.verdict == "block" || results.look.labels.exists(one, one.name == "smoke")`.
//!
//! Guarantees: pure; an expression that was read names only what there is, so that what can go wrong later is a type or a
//! missing field, and is said in words. Deliberately absent: anything that takes time without bound: the language has no
//! loops but those over lists that are there.

use crate::media::facts::MediaFacts;
use crate::media::facts::StreamKind;
use crate::workflow::status::JobStatus;
use cel::Context;
use cel::Program;
use cel::Value;
use serde::Deserialize;
use serde::Serialize;
use std::collections::HashMap;

/// Longest expression, bytes.
const LONGEST: usize = 2000;

/// What is known of the source. Sizes are as shown (upright, square pixels); what a source has not is 0, "" or false.
pub const NAMES: [&str; 22] = [
    "width",
    "height",
    "duration_s",
    "fps",
    "bitrate_kbps",
    "size_bytes",
    "format",
    "video_codec",
    "bit_depth",
    "hdr",
    "hdr_kind",
    "interlaced",
    "rotation_degrees",
    "has_video",
    "has_audio",
    "audio_codec",
    "audio_tracks",
    "channels",
    "sample_rate_hz",
    "subtitle_tracks",
    "languages",
    "results",
];

/// A condition that was read and names only what there is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Expression(String);

/// What one activity did.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    /// Its id.
    pub activity: String,
    /// How it ended, or that it has not.
    pub status: JobStatus,
    /// What it did, as its result shows in JSON; none: nothing, or it failed.
    pub result: Option<serde_json::Value>,
}

/// What a condition is about.
#[derive(Debug, Clone, Copy, Default)]
pub struct Subject<'a> {
    /// The source; none: not known yet.
    pub facts: Option<&'a MediaFacts>,
    /// The activities before.
    pub done: &'a [Done],
}

impl Expression {
    /// Reads one. `activities`: ids that `results` may name.
    ///
    /// # Errors
    /// A sentence: it is no expression, or names what there is not.
    pub fn parse(text: &str, activities: &[&str]) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("an expression of {} bytes; {LONGEST} are allowed", text.len()));
        }
        let program = compiled(text)?;
        let references = program.references();
        let own: Vec<&str> = bound_in(text).collect();
        for name in references.variables() {
            if !NAMES.contains(&name) && !own.contains(&name) {
                return Err(format!(
                    "{name:?} is not known of a source; {}",
                    crate::base::reader::meant(name, &NAMES)
                ));
            }
        }
        for activity in asked_of(text) {
            if !activities.contains(&activity) {
                return Err(format!(
                    "results has nothing of {activity:?}, which is no activity before this one; {}",
                    crate::base::reader::meant(activity, activities)
                ));
            }
        }
        // Tried once on a source without anything: what is no yes or no, or no such function, shows here.
        let done: Vec<Done> = activities
            .iter()
            .map(|activity| Done {
                activity: (*activity).to_owned(),
                status: JobStatus::Success,
                result: None,
            })
            .collect();
        let empty = MediaFacts::default();
        let subject = Subject {
            facts: Some(&empty),
            done: &done,
        };
        match answer(&program, &subject) {
            Ok(Value::Bool(_)) => {}
            Ok(other) => return Err(format!("it answers {:?} where yes or no is wanted", other.type_of())),
            // A field that only a real result has.
            Err(cel::ExecutionError::NoSuchKey(_)) if references.has_variable("results") => {}
            Err(refusal) => return Err(refusal.to_string()),
        }
        Ok(Expression(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it looks at what came before, and so decides itself what a failure or a block there means.
    pub fn asks_results(&self) -> bool {
        asked_of(&self.0).next().is_some()
    }

    /// Whether it holds.
    ///
    /// # Errors
    /// A sentence: facts are not known yet, a field is not there, or types do not fit.
    pub fn holds(&self, subject: &Subject<'_>) -> Result<bool, String> {
        let program = compiled(&self.0)?;
        let of_source = program
            .references()
            .variables()
            .into_iter()
            .any(|name| name != "results" && NAMES.contains(&name));
        if subject.facts.is_none() && of_source {
            return Err("the facts of the source are not known".to_owned());
        }
        match answer(&program, subject) {
            Ok(Value::Bool(holds)) => Ok(holds),
            Ok(other) => Err(format!("it answers {:?} where yes or no is wanted", other.type_of())),
            Err(refusal) => Err(refusal.to_string()),
        }
    }
}

/// The activities that `results` is asked for by name: `results.NAME`, `results["NAME"]`.
fn asked_of(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("results").filter_map(|(at, word)| {
        let rest = text[at + word.len()..].trim_start();
        let name = match rest.strip_prefix('.') {
            Some(rest) => rest
                .trim_start()
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()?,
            None => {
                let rest = rest.strip_prefix('[')?.trim_start();
                let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
                rest[1..].split(quote).next()?
            }
        };
        (!name.is_empty()).then_some(name)
    })
}

/// The names that an expression gives to the members of lists: `labels.exists(NAME, ...)`.
fn bound_in(text: &str) -> impl Iterator<Item = &str> {
    const MACROS: [&str; 5] = [".exists(", ".exists_one(", ".all(", ".filter(", ".map("];
    MACROS.into_iter().flat_map(move |word| {
        text.match_indices(word).filter_map(move |(at, _)| {
            let (name, _) = text[at + word.len()..].split_once(',')?;
            Some(name.trim()).filter(|name| !name.is_empty())
        })
    })
}

fn compiled(text: &str) -> Result<Program, String> {
    Program::compile(text).map_err(|errors| {
        let said = errors.to_string();
        format!(
            "{text:?} is no expression: {}",
            said.lines().next().unwrap_or("it cannot be read")
        )
    })
}

fn answer(program: &Program, subject: &Subject<'_>) -> Result<Value, cel::ExecutionError> {
    let mut context = Context::default();
    for (name, value) in names(subject) {
        context.add_variable_from_value(name, value_of(&value));
    }
    program.execute(&context)
}

/// JSON as the language holds it: all whole numbers of one type, so that they can be counted with.
fn value_of(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(yes) => Value::Bool(*yes),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(whole) => Value::Int(whole),
            None => Value::Float(number.as_f64().unwrap_or(f64::MAX)),
        },
        serde_json::Value::String(text) => text.as_str().into(),
        serde_json::Value::Array(list) => list.iter().map(value_of).collect::<Vec<Value>>().into(),
        serde_json::Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.as_str(), value_of(value)))
            .collect::<HashMap<&str, Value>>()
            .into(),
    }
}

/// Everything in [`NAMES`] with its value.
fn names(subject: &Subject<'_>) -> Vec<(&'static str, serde_json::Value)> {
    let nothing = MediaFacts::default();
    let facts = subject.facts.unwrap_or(&nothing);
    let video = facts.main_video();
    let audio = facts.main_audio();
    let (width, height) = video.map_or((0, 0), |(_, video)| video.display_size());
    let count = |wanted: fn(&StreamKind) -> bool| facts.streams.iter().filter(|stream| wanted(&stream.kind)).count();
    let languages: Vec<&str> = facts
        .streams
        .iter()
        .filter_map(|stream| stream.language.as_deref())
        .collect();
    let results: serde_json::Map<String, serde_json::Value> = subject
        .done
        .iter()
        .map(|done| {
            let mut result = match &done.result {
                Some(serde_json::Value::Object(fields)) => fields.clone(),
                _ => serde_json::Map::new(),
            };
            // Whoever gave an opinion is asked for its parts by name.
            if let Some(serde_json::Value::Object(opinion)) = result.remove("opinion") {
                for part in ["labels", "segments"] {
                    result
                        .entry(part)
                        .or_insert_with(|| serde_json::Value::Array(Vec::new()));
                }
                result.extend(opinion);
            }
            result.insert("status".to_owned(), done.status.as_str().into());
            (done.activity.clone(), result.into())
        })
        .collect();
    let hdr = video.map_or("sdr", |(_, video)| video.hdr.as_str());
    vec![
        ("width", signed(width)),
        ("height", signed(height)),
        ("duration_s", facts.duration_s.unwrap_or(0.0).into()),
        (
            "fps",
            video
                .and_then(|(_, video)| video.nominal_rate())
                .map_or(0.0, |rate| rate.value())
                .into(),
        ),
        ("bitrate_kbps", facts.bitrate_kbps.unwrap_or(0.0).into()),
        ("size_bytes", i64::try_from(facts.size_bytes).unwrap_or(i64::MAX).into()),
        ("format", facts.format_name.as_str().into()),
        (
            "video_codec",
            video.map_or("", |(stream, _)| stream.codec_name.as_str()).into(),
        ),
        ("bit_depth", signed(video.map_or(0, |(_, video)| video.bit_depth))),
        ("hdr", (hdr != "sdr").into()),
        ("hdr_kind", hdr.into()),
        (
            "interlaced",
            video
                .is_some_and(|(_, video)| matches!(video.field_order.as_str(), "tt" | "bb" | "tb" | "bt"))
                .into(),
        ),
        (
            "rotation_degrees",
            signed(video.map_or(0, |(_, video)| video.rotation_degrees)),
        ),
        ("has_video", video.is_some().into()),
        ("has_audio", audio.is_some().into()),
        (
            "audio_codec",
            audio.map_or("", |(stream, _)| stream.codec_name.as_str()).into(),
        ),
        (
            "audio_tracks",
            count(|kind| matches!(kind, StreamKind::Audio(_))).into(),
        ),
        ("channels", signed(audio.map_or(0, |(_, audio)| audio.channels))),
        (
            "sample_rate_hz",
            signed(audio.map_or(0, |(_, audio)| audio.sample_rate_hz)),
        ),
        (
            "subtitle_tracks",
            count(|kind| matches!(kind, StreamKind::Subtitle)).into(),
        ),
        ("languages", languages.into()),
        ("results", results.into()),
    ]
}

fn signed(number: u32) -> serde_json::Value {
    i64::from(number).into()
}

#[cfg(test)]
mod tests {
    use super::Done;
    use super::Expression;
    use super::NAMES;
    use super::Subject;
    use super::names;
    use crate::media::facts::MediaFacts;
    use crate::workflow::status::JobStatus;
    use serde_json::json;

    fn facts() -> MediaFacts {
        let streams = json!([
            {"index": 0, "codec_name": "hevc", "codec_long_name": "", "profile": null, "level": null, "codec_tag_string": "",
             "codec_tag": "", "time_base": {"num": 1, "den": 25}, "start_time_s": 0.0, "duration_s": 61.5, "bitrate_kbps": null,
             "frame_count": null, "language": null, "default": true, "decodable": true, "type": "video", "width": 3840,
             "height": 2160, "sample_aspect_ratio": null, "rotation_degrees": 90, "mirrored": false, "pixel_format": null,
             "bit_depth": 10, "frame_rate": null, "average_frame_rate": {"num": 30000, "den": 1001}, "field_order": "tt",
             "color_range": "", "color_primaries": "", "color_transfer": "", "color_space": "", "hdr": "hdr10",
             "has_b_frames": 0, "attached_picture": false}
        ]);
        MediaFacts {
            duration_s: Some(61.5),
            size_bytes: 1 << 33,
            streams: serde_json::from_value(streams).expect("facts"),
            ..MediaFacts::default()
        }
    }

    #[test]
    fn facts_and_results_decide() {
        let facts = facts();
        let done = [Done {
            activity: "qc".to_owned(),
            status: JobStatus::Success,
            result: Some(json!({"warnings": ["a"], "qc": {"loudness": -23.5, "black": [{"start_s": 1}]}})),
        }];
        let subject = Subject {
            facts: Some(&facts),
            done: &done,
        };
        let holds = |text: &str| {
            Expression::parse(text, &["qc"])
                .expect(text)
                .holds(&subject)
                .expect(text)
        };
        assert!(
            holds("height >= 2160 && hdr"),
            "upright, a turned 3840x2160 is 3840 high"
        );
        assert!(holds("width == 2160 && rotation_degrees == 90"));
        assert!(
            holds("duration_s > 60 && duration_s < 61.6"),
            "whole and broken numbers compare"
        );
        assert!(holds("size_bytes > 4294967296 && fps > 29"));
        assert!(holds("results.qc.status == 'Success' && size(results.qc.qc.black) > 0"));
        assert!(holds(
            "results.qc.qc.loudness < -23 && results.qc.qc.black[0].start_s >= 1"
        ));
        assert!(!holds("has_audio || video_codec in ['h264', 'mpeg2video']"));
        assert!(holds("interlaced && !has(results.qc.other)"));
        assert!(holds("width * 2 > height + 1 && size(results.qc.warnings) == 1"));
    }

    #[test]
    fn what_somebody_said_is_asked_for_without_facts() {
        let done = [Done {
            activity: "look".to_owned(),
            status: JobStatus::Success,
            result: Some(json!({"backend": "none", "opinion": {"verdict": "block", "by": "anna",
                "labels": [{"name": "smoke", "confidence": 0.9}]}})),
        }];
        let subject = Subject {
            facts: None,
            done: &done,
        };
        let holds = |text: &str| Expression::parse(text, &["look"]).expect(text).holds(&subject);
        assert_eq!(
            holds("results.look.verdict == 'block' && results.look.by == 'anna'"),
            Ok(true)
        );
        assert_eq!(
            holds("results.look.labels.exists(one, one.name == 'smoke' && one.confidence > 0.8)"),
            Ok(true)
        );
        assert_eq!(holds("size(results.look.segments) == 0"), Ok(true));
        assert!(
            holds("results.look.verdict == 'block' && height > 1").is_err(),
            "facts are not known"
        );
    }

    #[test]
    fn what_is_no_condition_is_refused_with_a_reason() {
        let refused = |text: &str| Expression::parse(text, &["qc"]).expect_err(text);
        assert!(
            refused("heigth > 1").contains("did you mean \"height\""),
            "{}",
            refused("heigth > 1")
        );
        assert!(refused("height >").contains("no expression"), "{}", refused("height >"));
        assert!(refused("results.cq.status == 'Success'").contains("known are qc"));
        assert!(refused("results['mx'].status == 'Success'").contains("mx"));
        assert!(refused("height + 1").contains("yes or no"));
        assert!(refused("shrink(height) > 1").contains("shrink"));
        assert!(!refused("height > 'tall'").is_empty());
        assert!(!refused(&"(".repeat(1999)).is_empty());
    }

    #[test]
    fn what_is_not_there_is_said_when_it_is_asked_for() {
        let parsed = Expression::parse("results.qc.qc.loudness < -20.0", &["qc"]).expect("good");
        let facts = facts();
        let nothing = Subject {
            facts: Some(&facts),
            done: &[],
        };
        assert!(parsed.holds(&nothing).expect_err("no such result").contains("qc"));
        assert!(parsed.holds(&Subject::default()).is_err(), "facts are not known");
    }

    #[test]
    fn every_name_has_a_value() {
        let given: Vec<&str> = names(&Subject::default()).iter().map(|(name, _)| *name).collect();
        assert_eq!(given, NAMES);
    }
}
