//! Definitions described in JSON Schema (2020-12), for forms and editors: every key with its type, default, range, unit,
//! words and help.
//!
//! Guarantees: tests hold each key, word, default and edge of a range against the reader and the checks that the API
//! uses. Deliberately absent: what only a whole definition can be asked: which keys go together beyond `x-when`, and the
//! graph; a check of the definition says it. `field` explains the keywords of ours.

mod codecs;
mod encodes;
mod field;
mod overlays;
mod parts;
mod pictures;
#[cfg(test)]
mod tests;

use crate::workflow::resolved::ActivityKind;
use crate::workflow::template::TemplateKind;
use field::Field;
use field::table;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// What is described.
pub const NOUNS: [&str; 4] = ["workflow", "template", "destination", "storage"];

/// Types of activities with what each does, in the order of menus.
const ACTIVITIES: [(ActivityKind, &str); 13] = [
    (ActivityKind::Transcode, "Makes renditions of the source."),
    (
        ActivityKind::Snapshot,
        "Takes stills, or sprite sheets with a WebVTT index.",
    ),
    (
        ActivityKind::Cover,
        "Takes a poster: the best picture of the source, or the one at a moment.",
    ),
    (ActivityKind::DynamicImage, "Makes a short silent animated picture."),
    (ActivityKind::Analysis, "Finds out the facts of the source."),
    (ActivityKind::Qc, "Looks for faults of the source."),
    (ActivityKind::Review, "Waits for a person to approve or block."),
    (ActivityKind::Hook, "Asks a program or a service."),
    (
        ActivityKind::Moderation,
        "Asks a service whether the media may be shown.",
    ),
    (
        ActivityKind::Recognition,
        "Asks a service what is to be seen and heard.",
    ),
    (
        ActivityKind::ContentAnalysis,
        "Asks a service for tags and descriptions.",
    ),
    (ActivityKind::Copy, "Copies outputs or the source to another storage."),
    (ActivityKind::Noop, "Does nothing; for tests."),
];

/// The description of a noun; none: there is no such noun.
pub fn of(noun: &str) -> Option<Value> {
    let mut defs = Map::new();
    let mut schema = match noun {
        "workflow" => workflow(&mut defs),
        "template" => template(&mut defs),
        "destination" => parts::destination(),
        "storage" => parts::storage(),
        _ => return None,
    };
    let whole = schema.as_object_mut()?;
    whole.shift_insert(
        0,
        "$schema".to_owned(),
        "https://json-schema.org/draft/2020-12/schema".into(),
    );
    if !defs.is_empty() {
        whole.insert("$defs".to_owned(), Value::Object(defs));
    }
    Some(schema)
}

/// Keys that say what an activity does; tables they name go into `defs`.
fn parameters(kind: ActivityKind, defs: &mut Map<String, Value>) -> Vec<Field> {
    match kind {
        ActivityKind::Transcode => encodes::tables(defs),
        ActivityKind::Snapshot => pictures::snapshot(),
        ActivityKind::Cover => pictures::cover(),
        ActivityKind::DynamicImage => pictures::dynamic_image(),
        ActivityKind::Qc => pictures::qc(),
        ActivityKind::Review => parts::review(),
        ActivityKind::Hook | ActivityKind::Moderation | ActivityKind::Recognition | ActivityKind::ContentAnalysis => {
            parts::hook(defs)
        }
        ActivityKind::Copy => parts::copy(),
        ActivityKind::Analysis | ActivityKind::Noop => Vec::new(),
    }
}

fn workflow(defs: &mut Map<String, Value>) -> Value {
    parts::sections(defs);
    let mut types = Vec::new();
    for (kind, help) in ACTIVITIES {
        let mut fields = vec![field::text("type", "").with("const", kind.as_str()).required()];
        fields.extend(parts::common());
        fields.extend(parameters(kind, defs));
        let name = format!("activity.{}", kind.as_str());
        types.push(field::reference(&name));
        defs.insert(name, table(kind.as_str(), help, &[kind.as_str()], fields));
    }
    for (word, help) in [
        ("start", "Where the graph begins; implied."),
        ("end", "Where it ends; implied."),
    ] {
        let fields = vec![
            field::text("type", "").with("const", word).required(),
            parts::id(),
            parts::needs(),
        ];
        let name = format!("activity.{word}");
        types.push(field::reference(&name));
        defs.insert(name, table(word, help, &[], fields));
    }
    let items = json!({ "oneOf": types, "x-discriminator": "type" });
    parts::workflow(items)
}

fn template(defs: &mut Map<String, Value>) -> Value {
    let mut types = Vec::new();
    let head = |word: &str| {
        let mut fields = vec![field::text("type", "What it is for.").with("const", word).required()];
        fields.extend(parts::named("Name of the template."));
        fields
    };
    for (kind, help) in ACTIVITIES {
        let mut fields = head(kind.as_str());
        fields.extend(parameters(kind, defs));
        let name = format!("template.{}", kind.as_str());
        types.push(field::reference(&name));
        defs.insert(name, table(kind.as_str(), help, &[kind.as_str()], fields));
    }
    for (kind, of, help) in [
        (
            TemplateKind::ImageWatermark,
            "watermark",
            "A watermark that draws a picture.",
        ),
        (TemplateKind::TextWatermark, "watermark", "A watermark that draws text."),
        (TemplateKind::Subtitle, "burn", "How burnt-in subtitles look."),
    ] {
        let name = format!("template.{}", kind.as_str());
        let mut schema = table(kind.as_str(), help, &["transcode"], head(kind.as_str()));
        // What is drawn may be left to whoever uses the template.
        let own = defs[of]["properties"].as_object().cloned().unwrap_or_default();
        for (key, value) in own.into_iter().filter(|(key, _)| key != "template") {
            schema["properties"][&key] = value;
        }
        types.push(field::reference(&name));
        defs.insert(name, schema);
    }
    json!({ "title": "Template", "description": "A named parameter set of an activity, or of what is drawn onto pictures.",
        "type": "object", "oneOf": types, "x-discriminator": "type" })
}
