//! The table of the matrix: one row a file, tab-separated, its last column written by people.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

const HEAD: &str = "file\tresult\tmade\twhy";

/// What became of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its name.
    pub file: String,
    /// `success`, with what was skipped and why; or the fault's code and the activities it failed.
    pub result: String,
    /// Pictures, sound and cells made.
    pub made: String,
    /// Why that is right.
    pub why: String,
}

impl Row {
    /// One that did not even come to a result.
    pub fn failed(file: &str, result: &str) -> Self {
        Row {
            file: file.to_owned(),
            result: result.to_owned(),
            made: String::new(),
            why: String::new(),
        }
    }

    /// From the result object of `reelmill run`.
    pub fn of(file: &str, report: &Value) -> Self {
        let mut result: Vec<String> = Vec::new();
        let mut failed: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for error in list(report, "errors") {
            failed
                .entry(text(error, "code"))
                .or_default()
                .push(text(error, "activity"));
        }
        let activities = list(report, "activities");
        for (code, who) in &failed {
            result.push(match who.len() == activities.len() {
                true => (*code).to_owned(),
                false => format!("{code} ({})", who.join(", ")),
            });
        }
        if failed.is_empty() {
            result.push(match text(report, "status") {
                "Succeed" => "success".to_owned(),
                other => other.to_owned(),
            });
        }
        let mut skipped: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for activity in activities.iter().filter(|one| text(one, "status") == "Skipped") {
            skipped
                .entry(text(activity, "reason"))
                .or_default()
                .push(text(activity, "id"));
        }
        result.extend(
            skipped
                .iter()
                .map(|(why, who)| format!("{} skipped: {why}", who.join(", "))),
        );
        Row {
            file: file.to_owned(),
            result: result.join("; "),
            made: made(report),
            why: String::new(),
        }
    }
}

fn made(report: &Value) -> String {
    let mut parts = Vec::new();
    for output in list(report, "outputs") {
        for rendition in list(output, "renditions") {
            let facts = &rendition["facts"];
            for stream in list(facts, "streams") {
                parts.push(match text(stream, "type") {
                    "video" => format!(
                        "{}x{} {} pictures",
                        stream["width"],
                        stream["height"],
                        check(output, text(rendition, "name"), "frame_count")
                    ),
                    kind => format!("{kind} {} Hz {} ch", stream["sample_rate_hz"], stream["channels"]),
                });
            }
        }
        if let Some(count) = output["picture_count"].as_u64() {
            parts.push(format!("{} {count}", text(output, "activity")));
        }
    }
    parts.join(", ")
}

/// What a proof of a rendition found.
fn check<'a>(output: &'a Value, rendition: &str, name: &str) -> &'a str {
    let wanted = format!("{rendition}/{name}");
    output["proof"]["checks"]
        .as_array()
        .and_then(|checks| checks.iter().find(|check| check["name"] == wanted.as_str()))
        .map_or("?", |check| text(check, "found"))
}

pub fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// All rows.
#[derive(Debug, Clone, Default)]
pub struct Table(BTreeMap<String, Row>);

impl Table {
    /// As it stands in the sources; empty when there is none.
    pub fn read(path: &Path) -> Self {
        let written = std::fs::read_to_string(path).unwrap_or_default();
        let rows = written.lines().skip(1).filter_map(|line| {
            let mut cells = line.split('\t').map(str::to_owned);
            Some(Row {
                file: cells.next()?,
                result: cells.next()?,
                made: cells.next()?,
                why: cells.next().unwrap_or_default(),
            })
        });
        Table(rows.map(|row| (row.file.clone(), row)).collect())
    }

    /// With new rows, keeping what people wrote; `all`: rows of files that are gone go too.
    pub fn with(mut self, rows: &[Row], all: bool) -> Self {
        let old = std::mem::take(&mut self.0);
        if !all {
            self.0 = old.clone();
        }
        for row in rows {
            let why = old.get(&row.file).map_or(String::new(), |known| known.why.clone());
            self.0.insert(row.file.clone(), Row { why, ..row.clone() });
        }
        self
    }

    /// Writes it.
    pub fn write(&self, path: &Path) {
        let lines = self
            .0
            .values()
            .map(|row| format!("{}\t{}\t{}\t{}\n", row.file, row.result, row.made, row.why));
        std::fs::write(path, format!("{HEAD}\n{}", lines.collect::<String>())).expect("the table can be written");
    }

    /// Where rows differ from it. `only_ends`: what was made may differ.
    pub fn differences(&self, rows: &[Row], all: bool, only_ends: bool) -> Vec<String> {
        let mut differences = Vec::new();
        for row in rows {
            match self.0.get(&row.file) {
                None => differences.push(format!("{}: no row; now {} ({})", row.file, row.result, row.made)),
                Some(known) if known.result != row.result => {
                    differences.push(format!("{}: was {}; now {}", row.file, known.result, row.result));
                }
                Some(known) if known.made != row.made && !only_ends => {
                    differences.push(format!("{}: made {}; now {}", row.file, known.made, row.made));
                }
                Some(known) if !row.result.starts_with("success") && known.why.is_empty() => {
                    differences.push(format!("{}: the table does not say why it fails", row.file));
                }
                Some(_) => {}
            }
        }
        let gone = self.0.keys().filter(|file| !rows.iter().any(|row| row.file == **file));
        if all {
            differences.extend(gone.map(|file| format!("{file}: in the table, not in the collection")));
        }
        differences
    }
}
