//! JSON as text, for what is handed on with each of its digits: numbers that are read have those of a double.
//!
//! Guarantees: pure. Deliberately absent: whether it is JSON.

use serde_json::value::RawValue;

/// JSON text without the spaces that mean nothing.
pub fn without_spaces(json: &str) -> String {
    let (mut is_text, mut is_escaped) = (false, false);
    let mut kept = String::with_capacity(json.len());
    for letter in json.chars() {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' if is_text => is_escaped = true,
            '"' => is_text = !is_text,
            ' ' | '\t' | '\n' | '\r' if !is_text => continue,
            _ => {}
        }
        kept.push(letter);
    }
    kept
}

/// JSON text with null where a part of it stands, whose numbers may be larger than any that is read; `part` borrows from
/// the text.
pub fn without(json: &str, part: &RawValue) -> String {
    let part = part.get();
    let at = part.as_ptr().addr().wrapping_sub(json.as_ptr().addr());
    match (json.get(..at), json.get(at.saturating_add(part.len())..)) {
        (Some(before), Some(after)) => format!("{before}null{after}"),
        _ => json.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::without;
    use super::without_spaces;
    use serde_json::value::RawValue;
    use std::collections::BTreeMap;

    #[test]
    fn a_part_is_taken_out() {
        let json = r#"{"a": [1e999], "b": 2}"#;
        let parts: BTreeMap<&str, &RawValue> = serde_json::from_str(json).expect("reads");
        assert_eq!(without(json, parts["a"]), r#"{"a": null, "b": 2}"#);
        let other = RawValue::from_string("7".to_owned()).expect("JSON");
        assert_eq!(without(json, &other), json);
    }

    #[test]
    fn only_spaces_that_mean_nothing_go() {
        for (json, wanted) in [
            ("{ \"a b\" :\t[1.00,\n 2 ] }", "{\"a b\":[1.00,2]}"),
            (r#"{"a \" b": " c "}"#, r#"{"a \" b":" c "}"#),
            (" 7 ", "7"),
        ] {
            assert_eq!(without_spaces(json), wanted, "{json}");
        }
    }
}
