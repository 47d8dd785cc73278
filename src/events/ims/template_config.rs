//! Parameters of picture activities in the words of IMS templates, for `TemplateConfig`.
//!
//! Guarantees: units are the clouds' (`Time` in milliseconds, `Interval` in seconds); what was not asked for is
//! not claimed. Deliberately absent: parameters the clouds have no word for (format and quality of stills).

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// Of a snapshot activity; `snapshot_type` is `Normal`, `Sprite` or `WebVtt`.
pub fn snapshot(snapshot_type: &str, parameters: &Value) -> Value {
    let mut config = Map::new();
    copy(&mut config, "BlackLevel", parameters, "black_level");
    copy(&mut config, "Count", parameters, "count");
    // The clouds know no choice left to the service; what they do unless told is intra.
    let frame_type = match parameters.get("frame_type").and_then(Value::as_str) {
        Some(said) if said != "auto" => said,
        _ => "intra",
    };
    config.insert("FrameType".into(), json!(frame_type));
    copy(&mut config, "Height", parameters, "height");
    if let Some(seconds) = parameters.get("interval_s").and_then(Value::as_f64) {
        config.insert("Interval".into(), number(seconds));
    }
    if snapshot_type != "Normal" {
        let mut sprite = Map::new();
        copy(&mut sprite, "CellHeight", parameters, "cell_height");
        copy(&mut sprite, "CellWidth", parameters, "cell_width");
        copy(&mut sprite, "Color", parameters, "color");
        copy(&mut sprite, "Columns", parameters, "columns");
        copy(&mut sprite, "Lines", parameters, "lines");
        copy(&mut sprite, "Margin", parameters, "margin");
        copy(&mut sprite, "Padding", parameters, "padding");
        config.insert("SpriteSnapshotConfig".into(), Value::Object(sprite));
    }
    copy(&mut config, "PixelBlackThreshold", parameters, "pixel_black_threshold");
    let start_s = parameters.get("start_s").and_then(Value::as_f64).unwrap_or(0.0);
    config.insert("Time".into(), number((start_s * 1000.0).round()));
    config.insert("Type".into(), json!(snapshot_type));
    copy(&mut config, "Width", parameters, "width");
    Value::Object(config)
}

/// Of a dynamic image activity.
pub fn animation(parameters: &Value) -> Value {
    let mut config = Map::new();
    let format = parameters.get("format").and_then(Value::as_str).unwrap_or("gif");
    config.insert("Format".into(), json!(format));
    if let Some(fps) = parameters.get("fps").and_then(Value::as_f64) {
        config.insert("Fps".into(), number(fps));
    }
    copy(&mut config, "Height", parameters, "height");
    copy(&mut config, "Width", parameters, "width");
    let mut span = Map::new();
    for (key, from) in [("Seek", "start_s"), ("Duration", "duration_s")] {
        if let Some(seconds) = parameters.get(from).and_then(Value::as_f64) {
            span.insert(key.into(), json!(number(seconds).to_string()));
        }
    }
    if !span.is_empty() {
        config.insert("TimeSpan".into(), Value::Object(span));
    }
    Value::Object(config)
}

fn copy(config: &mut Map<String, Value>, key: &str, parameters: &Value, from: &str) {
    if let Some(value) = parameters.get(from).filter(|value| !value.is_null()) {
        config.insert(key.to_owned(), value.clone());
    }
}

/// Whole values as integers, as the samples have them.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9e15 {
        json!(value as i64)
    } else {
        json!(value)
    }
}
