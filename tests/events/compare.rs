//! What a rendered event has otherwise than a sample.

use serde_json::Value;
use std::collections::BTreeSet;

/// `path: missing`, `path: extra`, `path: A, not B`. Texts that hold JSON on both sides are compared inside.
pub fn differences(sample: &Value, found: &Value) -> BTreeSet<String> {
    let mut into = BTreeSet::new();
    compare(sample, found, "", &mut into);
    into
}

fn compare(sample: &Value, found: &Value, path: &str, into: &mut BTreeSet<String>) {
    match (sample, found) {
        (Value::Object(sample), Value::Object(found)) => {
            for (key, sample) in sample {
                match found.get(key) {
                    Some(found) => compare(sample, found, &format!("{path}/{key}"), into),
                    None => {
                        into.insert(format!("{path}/{key}: missing"));
                    }
                }
            }
            for key in found.keys().filter(|key| !sample.contains_key(*key)) {
                into.insert(format!("{path}/{key}: extra"));
            }
        }
        (Value::Array(sample), Value::Array(found)) => {
            if sample.len() != found.len() {
                into.insert(format!("{path}: {} items, not {}", found.len(), sample.len()));
            }
            for (at, (sample, found)) in sample.iter().zip(found).enumerate() {
                compare(sample, found, &format!("{path}/{at}"), into);
            }
        }
        (Value::String(sample), Value::String(found)) => match (inside(sample), inside(found)) {
            (Some(sample), Some(found)) => compare(&sample, &found, path, into),
            _ if sample == found => {}
            _ => {
                into.insert(format!("{path}: {found:?}, not {sample:?}"));
            }
        },
        // A whole number and a fraction are two types on the wire.
        (sample, found) if sample == found && sample.is_f64() == found.is_f64() => {}
        (sample, found) => {
            into.insert(format!("{path}: {found}, not {sample}"));
        }
    }
}

fn inside(text: &str) -> Option<Value> {
    let begins = text.starts_with('{') || text.starts_with('[');
    begins.then(|| serde_json::from_str(text).ok()).flatten()
}
