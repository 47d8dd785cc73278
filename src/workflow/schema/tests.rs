//! The descriptions against the reader and the checks: every key, word, default and edge of a range is tried.

use crate::base::reader::Wrong;
use crate::workflow::definition::Definition;
use crate::workflow::resolve;
use crate::workflow::schema;
use crate::workflow::template::Template;
use crate::workflow::template::Templates;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// One key of the description, where it stands, and the table around it.
struct Place {
    /// The type of activity, empty for keys of the workflow.
    kind: String,
    /// Steps from the activity, or from the workflow.
    path: Vec<String>,
    schema: Value,
    table: Value,
}

impl Place {
    fn name(&self) -> String {
        format!("{}:{}", self.kind, self.path.join("."))
    }

    fn key(&self) -> &str {
        self.path.last().expect("a key")
    }
}

fn resolved<'a>(whole: &'a Value, schema: &'a Value) -> &'a Value {
    match schema.get("$ref").and_then(Value::as_str) {
        Some(to) => &whole["$defs"][to.trim_start_matches("#/$defs/")],
        None => schema,
    }
}

/// The table a key leads to, and whether a list of them.
fn beneath<'a>(whole: &'a Value, schema: &'a Value) -> Option<(&'a Value, bool)> {
    let is_table = |schema: &'a Value| {
        let schema = resolved(whole, schema);
        schema.get("properties").is_some().then_some(schema)
    };
    let any = schema.get("anyOf").and_then(Value::as_array).into_iter().flatten();
    let alone = std::iter::once(schema).chain(any).find_map(is_table);
    alone
        .map(|table| (table, false))
        .or_else(|| is_table(schema.get("items")?).map(|table| (table, true)))
}

fn collect(whole: &Value, kind: &str, table: &Value, path: &[String], into: &mut Vec<Place>) {
    for (key, schema) in table["properties"].as_object().expect("keys") {
        let mut path = path.to_vec();
        path.push(key.clone());
        // The marks of a whole job and of one output are the same table; the job's are enough.
        let again = path.len() > 3 && ["watermark", "mosaic", "burn"].contains(&key.as_str());
        if key == "type" && path.len() == 1 || key == "activity" || again {
            continue;
        }
        into.push(Place {
            kind: kind.to_owned(),
            path: path.clone(),
            schema: schema.clone(),
            table: table.clone(),
        });
        if let Some((table, is_list)) = beneath(whole, schema) {
            if is_list {
                path.push("0".to_owned());
            }
            collect(whole, kind, table, &path, into);
        }
    }
}

fn places() -> Vec<Place> {
    let whole = schema::of("workflow").expect("described");
    let mut places = Vec::new();
    collect(&whole, "", &whole, &[], &mut places);
    for (name, table) in whole["$defs"].as_object().expect("tables") {
        // Start and End are no activities, and a workflow needs one.
        let edges = ["activity.start", "activity.end"].contains(&name.as_str());
        if let Some(kind) = name.strip_prefix("activity.").filter(|_| !edges) {
            collect(&whole, kind, table, &[], &mut places);
        }
    }
    places
}

/// A right activity of each type.
fn activity(kind: &str) -> Value {
    let mut node = json!({ "id": "a", "type": kind });
    let more = match kind {
        "transcode" => json!({
            "group": [{ "kind": "hls", "segment_s": 60, "output": [{ "name": "r",
                "video": { "codec": "h264" }, "audio": { "codec": "aac" }, "rendition": {} }] }],
            "watermark": [{ "kind": "text", "text": "x" }],
            "mosaic": [{ "x": 0, "y": 0, "width": 9, "height": 9 }],
            "burn": { "source": "track:0" },
            "subtitle": [{ "source": "a:b" }],
            "clip": {},
        }),
        "hook" | "moderation" | "recognition" | "content_analysis" => json!({ "url": "http://192.0.2.1/ask" }),
        "copy" => json!({ "storage": "a" }),
        _ => json!({}),
    };
    for (key, value) in more.as_object().expect("a table") {
        node[key] = value.clone();
    }
    node
}

fn table_at<'a>(tree: &'a mut Value, path: &[String]) -> &'a mut Value {
    path.iter().fold(tree, |tree, step| match step.parse::<usize>() {
        Ok(at) => {
            if !tree.is_array() {
                *tree = json!([{}]);
            }
            &mut tree[at]
        }
        Err(_) => {
            if tree
                .get(step)
                .is_none_or(|value| !value.is_object() && !value.is_array())
            {
                tree[step] = json!({});
            }
            &mut tree[step.as_str()]
        }
    })
}

/// What must stand beside a key so that it means something. `word`: of the table of `x-by`.
fn company(place: &Place, word: Option<(&str, &str)>) -> Map<String, Value> {
    let mut beside = Map::new();
    if let Some(when) = place.schema.get("x-when").and_then(Value::as_object) {
        for (key, words) in when {
            beside.insert(key.clone(), words[0].clone());
        }
    }
    if let Some((key, word)) = word {
        beside.insert(key.to_owned(), word.into());
    }
    for key in place
        .schema
        .get("x-needs")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let key = key.as_str().expect("a key");
        let value = match key {
            "url" => json!("http://192.0.2.1/x"),
            "black_level" => json!(50),
            "times" => json!(["1"]),
            "duration_s" => json!(0.05),
            _ => json!(128),
        };
        beside.insert(key.to_owned(), value);
    }
    match (place.key(), beside.get("rate").and_then(Value::as_str)) {
        ("bitrate_kbps", _) => {}
        (_, Some("vbr" | "cbr")) => {
            beside.insert("bitrate_kbps".to_owned(), json!(1000));
        }
        _ => {}
    }
    let more: &[(&str, Value)] = match place.key() {
        "min_rungs" => &[("max_rungs", json!(8))],
        "max_rungs" => &[("min_rungs", json!(1))],
        "min_bitrate_kbps" => &[("max_bitrate_kbps", json!(200_000))],
        "max_bitrate_kbps" if place.path.iter().any(|step| step == "ladder") => &[("min_bitrate_kbps", json!(30))],
        "fill" => &[("width", json!(128)), ("height", json!(128))],
        "kind" if place.path.iter().any(|step| step == "watermark") => {
            &[("image", json!("a:b")), ("text", Value::Null)]
        }
        "on_timeout" => &[("timeout_s", json!(60))],
        "exec" => &[("url", Value::Null)],
        _ => &[],
    };
    if beside.get("mode").and_then(Value::as_str) == Some("sprite") {
        beside.insert("interval_s".to_owned(), json!(1));
    }
    beside.extend(more.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
    beside
}

/// Puts beside and around a key what it needs.
fn surround(place: &Place, own: &mut Value, word: Option<(&str, &str)>) {
    if place.path.len() > 1 && place.path[0] == "review" {
        own["on_review"] = json!("ask");
    }
    let beside = company(place, word);
    if beside.get("codec").and_then(Value::as_str) == Some("pcm") {
        own["group"][0]["kind"] = json!("file");
        own["group"][0]["container"] = json!("mkv");
        if let Some(output) = own["group"][0]["output"][0].as_object_mut() {
            output.shift_remove("rendition");
        }
    }
    let table = table_at(own, &place.path[..place.path.len() - 1]);
    for (key, value) in beside {
        table[&key] = value;
    }
}

/// Everything wrong with a workflow in which the key has this value, by path from the activity or the workflow.
fn wrongs(place: &Place, value: &Value, word: Option<(&str, &str)>) -> Vec<Wrong> {
    let mut tree = json!({ "name": "w", "source": { "storage": "a" }, "activity": [] });
    let mut node = (!place.kind.is_empty()).then(|| activity(&place.kind));
    let (own, path) = (node.as_mut().unwrap_or(&mut tree), &place.path[..place.path.len() - 1]);
    if place.kind == "cover" && place.key() == "times" {
        own["count"] = Value::Null;
    }
    if place.path.first().is_some_and(|key| key == "source") && ["library"].contains(&place.key()) {
        own["source"] = json!({});
    }
    surround(place, own, word);
    let table = table_at(own, path);
    table[place.key()] = value.clone();
    if !place.kind.is_empty() || place.key() != "preset" {
        tree["activity"] = json!([node.unwrap_or_else(|| json!({ "id": "a", "type": "noop" }))]);
    }
    let bad = Definition::from_tree(&tree).and_then(|read| resolve::resolve(&read, &Templates::shipped()));
    bad.err().map_or_else(Vec::new, |bad| {
        bad.problems.into_iter().map(|problem| problem.wrong).collect()
    })
}

/// What is wrong with the key itself, not with what stands beside it.
fn wrong_there(place: &Place, value: &Value, word: Option<(&str, &str)>) -> Vec<String> {
    let mut path = String::new();
    for step in &place.path {
        match step.parse::<usize>() {
            Ok(at) => path.push_str(&format!("[{at}]")),
            Err(_) if path.is_empty() => path.push_str(step),
            Err(_) => path.push_str(&format!(".{step}")),
        }
    }
    let here = |wrong: &Wrong| wrong.path == path || wrong.path.starts_with(&format!("{path}["));
    wrongs(place, value, word)
        .into_iter()
        .filter(here)
        .map(|wrong| wrong.why)
        .collect()
}

/// The edges of a range, and what lies just beyond them.
fn edges(schema: &Value) -> Vec<(Value, bool)> {
    let is_whole = schema["type"] == "integer";
    let step = schema.get("multipleOf").and_then(Value::as_i64).unwrap_or(1);
    let mut tries = Vec::new();
    for (edge, sign) in [("minimum", -1), ("maximum", 1)] {
        let Some(value) = schema.get(edge).filter(|value| !value.is_null()) else {
            continue;
        };
        // What another key decides is not an edge of its own.
        if schema.get(if sign == 1 { "x-open" } else { "x-after" }).is_some() {
            continue;
        }
        tries.push((value.clone(), true));
        tries.push(match value.as_i64().filter(|_| is_whole) {
            Some(value) => (json!(value + sign * step), false),
            None => {
                let value = value.as_f64().expect("a number");
                (
                    json!(value + f64::from(sign as i32) * value.abs().max(1.0) * 0.001),
                    false,
                )
            }
        });
    }
    tries
}

#[test]
fn every_edge_of_every_range_is_that_of_the_checks() {
    let mut tried = 0;
    let mut failed = Vec::new();
    for place in places() {
        let mut forms = vec![(place.schema.clone(), None)];
        if let Some(by) = place.schema.get("x-by").and_then(Value::as_object) {
            // What differs by a word is tried by each; the range of all words together by none.
            if by
                .values()
                .flat_map(|words| words.as_object())
                .flatten()
                .any(|(_, of)| of.get("minimum").is_some() || of.get("enum").is_some() || of.get("maximum").is_some())
            {
                forms.clear();
            }
            for (key, words) in by {
                for (word, keywords) in words.as_object().expect("words") {
                    let mut schema = place.schema.clone();
                    for (keyword, value) in keywords.as_object().expect("keywords") {
                        schema[keyword] = value.clone();
                    }
                    forms.push((schema, Some((key.clone(), word.clone()))));
                }
            }
        }
        for (schema, word) in forms {
            let word = word.as_ref().map(|(key, word)| (key.as_str(), word.as_str()));
            let alternatives = schema.get("anyOf").and_then(Value::as_array).cloned();
            let alternatives = alternatives.into_iter().flatten().map(|mut one| {
                if let (Some(most), true) = (schema.get("maximum"), one.get("maximum").is_some()) {
                    one["maximum"] = most.clone();
                }
                one
            });
            let mut all: Vec<Value> = alternatives.chain([schema.clone()]).collect();
            all.extend(["x-pixels", "x-part"].iter().filter_map(|key| {
                let mut one = schema.get(*key)?.clone();
                one["type"] = json!(if *key == "x-pixels" { "integer" } else { "number" });
                Some(one)
            }));
            for one in all {
                let words = one.get("enum").and_then(Value::as_array);
                if let Some(words) = words.filter(|words| words.iter().all(Value::is_number)) {
                    for value in words {
                        tried += 1;
                        let found = wrong_there(&place, value, word);
                        if !found.is_empty() {
                            failed.push(format!("{} {word:?} = {value}: {found:?}", place.name()));
                        }
                    }
                    continue;
                }
                for (value, right) in edges(&one) {
                    tried += 1;
                    let found = wrong_there(&place, &value, word);
                    if found.is_empty() != right {
                        failed.push(format!("{} {word:?} = {value}: {found:?}", place.name()));
                    }
                }
            }
        }
    }
    assert!(failed.is_empty(), "{} of {tried}:\n{}", failed.len(), failed.join("\n"));
    assert!(tried > 300, "{tried}");
}

#[test]
fn every_word_is_taken_and_no_other() {
    let (mut tried, mut failed) = (0, Vec::new());
    for place in places() {
        let is_list = place.schema.get("items").is_some();
        let schema = if is_list { &place.schema["items"] } else { &place.schema };
        let Some(words) = schema.get("enum").and_then(Value::as_array) else {
            continue;
        };
        if words.iter().any(|word| !word.is_string()) {
            continue;
        }
        let given = |word: &Value| if is_list { json!([word]) } else { word.clone() };
        for word in words {
            tried += 1;
            let found = wrong_there(&place, &given(word), None);
            let unknown = found
                .iter()
                .any(|why| why.contains("is not one of") || why.contains("there is no"));
            if unknown {
                failed.push(format!("{} = {word}: {found:?}", place.name()));
            }
        }
        let found = wrong_there(&place, &given(&json!("zzzz")), None).join(" ");
        // The refusal lists what there is.
        let all_there = words.iter().all(|word| found.contains(word.as_str().expect("a word")));
        let listed = found
            .split(" is not one of ")
            .nth(1)
            .map_or(0, |list| list.split(", ").filter(|word| *word != "gauss").count());
        if found.is_empty() || !all_there || listed > 0 && listed != words.len() {
            failed.push(format!("{} = zzzz: {found:?}", place.name()));
        }
    }
    assert!(failed.is_empty(), "{} of {tried}:\n{}", failed.len(), failed.join("\n"));
    assert!(tried > 100, "{tried}");
}

#[test]
fn every_key_is_known_and_none_is_missing() {
    let (mut tables, mut failed) = (0, Vec::new());
    let mut seen = Vec::new();
    for place in places() {
        let around = place.path[..place.path.len() - 1].to_vec();
        let name = format!("{}:{}", place.kind, around.join("."));
        if seen.contains(&name) {
            continue;
        }
        seen.push(name.clone());
        tables += 1;
        let stray = Place {
            path: around.iter().cloned().chain(["\u{1}".to_owned()]).collect(),
            kind: place.kind.clone(),
            schema: json!({}),
            table: place.table.clone(),
        };
        let found: Vec<String> = wrongs(&stray, &json!(1), None)
            .into_iter()
            .map(|wrong| wrong.why)
            .collect();
        let Some(known) = found.iter().find_map(|why| why.split("known are ").nth(1)) else {
            // A type without parameters lists none.
            if !found.iter().any(|why| why.contains("takes no parameters")) {
                failed.push(format!("{name}: {found:?}"));
            }
            continue;
        };
        let mut known: Vec<&str> = known.split(", ").collect();
        let described = place.table["properties"].as_object().expect("keys");
        let common = ["id", "type", "needs", "when", "optional", "backend", "template"];
        let mut described: Vec<&str> = described.keys().map(String::as_str).collect();
        described
            .retain(|key| !(around.is_empty() && !place.kind.is_empty() && common.contains(key)) && *key != "template");
        let is_cover = place.kind == "cover";
        // Keys that only other types of activities use, though the reader is one.
        known.retain(|key| *key != "best" && (!is_cover || described.contains(key)));
        known.sort_unstable();
        described.sort_unstable();
        if known != described {
            failed.push(format!(
                "{name}: the reader knows {known:?}, described are {described:?}"
            ));
        }
    }
    assert!(
        failed.is_empty(),
        "{} of {tables}:\n{}",
        failed.len(),
        failed.join("\n")
    );
    assert!(tables > 20, "{tables}");
}

#[test]
fn what_is_left_out_is_its_default() {
    let (mut tried, mut failed) = (0, Vec::new());
    for place in places() {
        let Some(default) = place.schema.get("default") else {
            continue;
        };
        let read = |value: Option<&Value>| {
            let mut tree = json!({ "name": "w", "source": { "storage": "a" }, "activity": [] });
            let mut node = (!place.kind.is_empty()).then(|| activity(&place.kind));
            let own = node.as_mut().unwrap_or(&mut tree);
            surround(&place, own, None);
            let table = table_at(own, &place.path[..place.path.len() - 1]);
            let table = table.as_object_mut().expect("a table");
            table.shift_remove(place.key());
            if let Some(value) = value {
                table.insert(place.key().to_owned(), value.clone());
            }
            tree["activity"] = json!([node.unwrap_or_else(|| json!({ "id": "a", "type": "noop" }))]);
            let read = Definition::from_tree(&tree).and_then(|read| resolve::resolve(&read, &Templates::shipped()));
            // The parameters as they were written are kept besides; they differ, of course.
            read.map(|mut read| {
                for activity in &mut read.activities {
                    activity.parameters = Value::Null;
                }
                read
            })
        };
        tried += 1;
        match (read(None), read(Some(default))) {
            (Ok(without), Ok(with)) if without == with => {}
            (Err(without), Err(with)) if without.problems == with.problems => {
                failed.push(format!("{} is not asked rightly: {without}", place.name()));
            }
            (without, with) => failed.push(format!(
                "{}: without it {:?}, with {default} {:?}",
                place.name(),
                without.map_err(|bad| bad.to_string()),
                with.map_err(|bad| bad.to_string())
            )),
        }
    }
    assert!(failed.is_empty(), "{} of {tried}:\n{}", failed.len(), failed.join("\n"));
    assert!(tried > 80, "{tried}");
}

#[test]
fn shipped_templates_and_presets_are_what_is_described() {
    let templates = schema::of("template").expect("described");
    let kinds: Vec<&str> = templates["oneOf"]
        .as_array()
        .expect("types")
        .iter()
        .filter_map(|one| one["$ref"].as_str()?.rsplit('.').next())
        .collect();
    for template in Templates::shipped().iter() {
        let kind = template.kind.as_str();
        assert!(kinds.contains(&kind), "{kind}");
        let described = &templates["$defs"][format!("template.{kind}")]["properties"];
        for key in template.parameters.keys() {
            assert!(described.get(key).is_some(), "{}: {key}", template.name);
        }
    }
    // Each type of template is one that the reader knows.
    for kind in kinds {
        let tree = json!({ "name": "t", "type": kind, "\u{1}": 1 });
        let why = Template::from_tree(&tree).expect_err("an unknown key").why;
        assert!(why.contains("unknown key"), "{kind}: {why}");
    }
}

#[test]
fn nothing_is_without_help() {
    for noun in schema::NOUNS {
        let whole = schema::of(noun).expect("described");
        let tables = whole.get("$defs").and_then(Value::as_object);
        for table in tables.into_iter().flat_map(Map::values).chain([&whole]) {
            for (key, schema) in table.get("properties").and_then(Value::as_object).into_iter().flatten() {
                let help = schema["description"].as_str().unwrap_or_default();
                assert!(!help.is_empty() || key == "type", "{noun}: {key}");
            }
        }
        let text = whole.to_string();
        for to in text.split("#/$defs/").skip(1) {
            let name = to.split('"').next().unwrap_or_default();
            assert!(whole["$defs"].get(name).is_some(), "{noun}: {name}");
        }
    }
    assert_eq!(schema::of("nothing"), None);
}
