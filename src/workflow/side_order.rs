//! What `NAME.reelmill.json` may say, read; and what it means for the workflows that run on `NAME`.
//!
//! Guarantees: pure; nonsense is refused with a clause, never half done. Deliberately absent: finding the file
//! (`trigger`), and the task itself (`store::intake`).

use crate::base::json_text;
use crate::media::spec::Clip;
use crate::media::spec::MediaWork;
use crate::media::spec::Moment;
use crate::workflow::arrival::SidecarOrder;
use crate::workflow::resolved::Activity;
use crate::workflow::resolved::ResolvedWorkflow;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;

/// Largest file that is read.
pub const MAX_BYTES: usize = 128 << 10;
/// Longest user data, bytes: they are repeated in every event.
const USER_DATA_BYTES: usize = 64 << 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    start: Option<Value>,
    #[serde(default)]
    end: Option<Value>,
    #[serde(default)]
    #[expect(dead_code, reason = "known, and read by itself")]
    user_data: Option<IgnoredAny>,
    #[serde(default)]
    priority: Option<i32>,
}

/// The user data by themselves, as they are written: numbers that are read have the digits of a double.
#[derive(Deserialize)]
struct Echoed<'a> {
    #[serde(borrow, default)]
    user_data: Option<&'a RawValue>,
}

/// Reads the file.
///
/// # Errors
/// A clause: what is wrong with it.
pub fn read(bytes: &[u8]) -> Result<SidecarOrder, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err("it is empty".to_owned());
    }
    let refused = |error: serde_json::Error| format!("it is not what it should be: {error}");
    let json = std::str::from_utf8(bytes).map_err(|error| format!("it is not what it should be: {error}"))?;
    let echoed: Echoed = serde_json::from_str(json).map_err(refused)?;
    let rest = echoed.user_data.map(|own| json_text::without(json, own));
    let tree: Value = serde_json::from_str(rest.as_deref().unwrap_or(json)).map_err(refused)?;
    if !tree.is_object() {
        return Err("it is not what it should be: a JSON object".to_owned());
    }
    let written: Written = serde_json::from_value(tree).map_err(refused)?;
    let (start, end) = (moment("start", written.start)?, moment("end", written.end)?);
    if let (Some(Moment::Seconds(from)), Some(Moment::Seconds(to))) = (start, end)
        && to <= from
    {
        return Err(format!("end ({to} s) does not come after start ({from} s)"));
    }
    if let Some(priority) = written.priority.filter(|priority| !(-10..=10).contains(priority)) {
        return Err(format!("priority is {priority}, and goes from -10 to 10"));
    }
    let user_data = echoed.user_data.map(|data| json_text::without_spaces(data.get()));
    let user_data = user_data.filter(|json| json != "null");
    if let Some(long) = user_data
        .as_ref()
        .map(String::len)
        .filter(|long| *long > USER_DATA_BYTES)
    {
        return Err(format!("user_data has {long} bytes, and {USER_DATA_BYTES} are allowed"));
    }
    Ok(SidecarOrder {
        start: start.map(|moment| moment.to_string()),
        end: end.map(|moment| moment.to_string()),
        user_data: user_data
            .map(|json| match json.starts_with('"') {
                true => serde_json::from_str(&json).map_err(refused),
                false => Ok(Value::String(json)),
            })
            .transpose()?,
        priority: written.priority,
    })
}

fn moment(key: &str, written: Option<Value>) -> Result<Option<Moment>, String> {
    let text = match written {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text,
        Some(Value::Number(number)) => number.to_string(),
        Some(other) => {
            return Err(format!(
                "{key} is {other}, and should be seconds, hh:mm:ss or a timecode"
            ));
        }
    };
    text.parse().map(Some).map_err(|why| format!("{key}: {why}"))
}

/// The user data as tasks keep them: text as it is, anything else as JSON (of ledgers that were written before).
pub fn user_data(order: &SidecarOrder) -> Option<String> {
    order.user_data.as_ref().map(|data| match data {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}

/// The activities of `workflow` that are done otherwise because of an order: those that take a part of the source take
/// this one.
pub fn clipped(workflow: &ResolvedWorkflow, order: &SidecarOrder) -> Vec<Activity> {
    let parsed = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<Moment>().ok());
    let (start, end) = (parsed(&order.start), parsed(&order.end));
    if start.is_none() && end.is_none() {
        return Vec::new();
    }
    let clip = clip_of(start, end);
    let mut changed = Vec::new();
    for activity in &workflow.activities {
        let Some(MediaWork::Transcode(spec)) = &activity.work else {
            continue;
        };
        let mut spec = spec.clone();
        spec.clip = Some(clip);
        let mut other = activity.clone();
        other.work = Some(MediaWork::Transcode(spec));
        if let (Some(parameters), Ok(clip)) = (other.parameters.as_object_mut(), serde_json::to_value(clip)) {
            parameters.insert("clip".to_owned(), clip);
        }
        changed.push(other);
    }
    changed
}

fn clip_of(start: Option<Moment>, end: Option<Moment>) -> Clip {
    let mut clip = Clip::default();
    match start {
        Some(Moment::Seconds(seconds)) => clip.start_s = seconds,
        label => clip.start = label,
    }
    match end {
        Some(Moment::Seconds(seconds)) => clip.end_s = Some(seconds),
        label => clip.end = label,
    }
    clip
}

#[cfg(test)]
mod tests {
    use super::clipped;
    use super::read;
    use super::user_data;
    use crate::media::spec::MediaWork;
    use crate::workflow::definition::Definition;
    use crate::workflow::template::Templates;

    #[test]
    fn an_order_is_read_and_nonsense_is_refused() {
        let order =
            read(br#"{ "start": "00:00:01.5", "end": 4, "user_data": {"a": 1}, "priority": 5 }"#).expect("good");
        assert_eq!((order.start.as_deref(), order.end.as_deref()), (Some("1.5"), Some("4")));
        assert_eq!(
            (user_data(&order).as_deref(), order.priority),
            (Some(r#"{"a":1}"#), Some(5))
        );
        let digits = read(br#"{"user_data": [123456789012345678901234567890, 1.00, 1e999]}"#).expect("good");
        assert_eq!(
            user_data(&digits).as_deref(),
            Some("[123456789012345678901234567890,1.00,1e999]")
        );
        assert_eq!(read(br#"{"user_data": null}"#).expect("good").user_data, None);
        let timecode = read(br#"{ "start": "10:00:00:12", "user_data": "text" }"#).expect("good");
        assert_eq!(timecode.start.as_deref(), Some("10:00:00:12"));
        assert_eq!(user_data(&timecode).as_deref(), Some("text"));
        for (wrong, word) in [
            ("", "empty"),
            ("{", "not what it should be"),
            ("[]", "not what it should be"),
            (r#"{"strat": 1}"#, "strat"),
            (r#"{"start": "x"}"#, "start"),
            (r#"{"start": -1}"#, "start"),
            (r#"{"start": 5, "end": 5}"#, "after start"),
            (r#"{"start": [1]}"#, "should be seconds"),
            (r#"{"priority": 11}"#, "-10 to 10"),
            (r#"{"priority": "high"}"#, "priority"),
        ] {
            let why = read(wrong.as_bytes()).expect_err(wrong);
            // A type that does not fit is told by place, not by name.
            assert!(why.contains(word) || why.contains("invalid type"), "{wrong}: {why}");
        }
        let long = format!(r#"{{"user_data": "{}"}}"#, "x".repeat(70_000));
        assert!(read(long.as_bytes()).expect_err("long").contains("user_data"));
    }

    #[test]
    fn a_clip_reaches_what_takes_a_part_of_the_source() {
        let text = "name = \"w\"\n[source]\nstorage = \"ingest\"\n[[activity]]\nid = \"facts\"\ntype = \"analysis\"\n\
            [[activity]]\nid = \"proxy\"\ntype = \"transcode\"\ntemplate = \"proxy-540p\"\n";
        let definition = Definition::from_toml(text).expect("reads");
        let workflow = crate::workflow::resolve::resolve(&definition, &Templates::shipped()).expect("resolves");
        let order = read(br#"{ "start": 1, "end": "10:00:00:12" }"#).expect("good");
        let changed = clipped(&workflow, &order);
        assert_eq!(changed.len(), 1);
        let Some(MediaWork::Transcode(spec)) = &changed[0].work else {
            panic!("a transcode")
        };
        let clip = spec.clip.expect("a clip");
        assert_eq!((clip.start_s, clip.end_s), (1.0, None));
        assert!(clip.end.is_some() && changed[0].parameters["clip"]["start_s"] == 1.0);
        assert!(clipped(&workflow, &Default::default()).is_empty());
    }
}
