//! Whether an answer is a true one.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::process::Command;
use std::process::ExitStatus;

/// What may be said of a damaged file. Others would be our own fault, not the file's.
const CODES: [&str; 14] = [
    "SourceEmpty",
    "SourceNotMedia",
    "SourceTruncated",
    "SourceUndecodable",
    "SourceEncrypted",
    "SourceOverLimit",
    "SourceDamaged",
    "SourceUnreadable",
    "DurationUnknown",
    // A decoder that dies takes its worker along and nobody else; counted apart, below.
    "WorkerCrashed",
    "WorkerOutOfMemory",
    "WorkerSpinning",
    "OutOfMemory",
    // An output that does not hold what it should is refused by our own proof.
    "OutputUnproved",
];

/// Frames by which an output may differ from what an independent decoder finds: decoders differ in what they give of
/// a broken group of pictures, and how many broken frames are too many is said in per cent.
const SLACK_FRAMES: i64 = 3;
const SLACK_PER_CENT: i64 = 2;

/// What an input came to.
pub struct Verdict {
    /// How each activity ended: a status or the code of a fault.
    pub ends: Vec<String>,
    /// What must not be.
    pub finding: Option<String>,
}

impl Verdict {
    /// Something that must not be.
    pub fn found(finding: impl Into<String>) -> Self {
        Verdict {
            ends: Vec::new(),
            finding: Some(finding.into()),
        }
    }
}

/// How often each end came.
#[derive(Default)]
pub struct Tally(BTreeMap<String, u64>, u64);

impl Tally {
    pub fn add(&mut self, verdict: &Verdict) {
        self.1 += 1;
        for end in &verdict.ends {
            *self.0.entry(end.clone()).or_default() += 1;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} inputs:", self.1)?;
        self.0.iter().try_for_each(|(end, count)| write!(f, " {end} {count}"))
    }
}

/// Judges what a run said of a source. `left` entries remained in its scratch directory.
pub fn of(source: &Path, status: ExitStatus, said: &str, complained: &str, left: usize) -> Verdict {
    if !matches!(status.code(), Some(0 | 1)) {
        return Verdict::found(format!("the parent ended with {status}: {complained}"));
    }
    let Ok(report) = serde_json::from_str::<Value>(said) else {
        return Verdict::found(format!("no result object: {said} {complained}"));
    };
    let texts = |key: &str, within: &str| -> Vec<String> {
        let list = report[key].as_array().cloned().unwrap_or_default();
        list.iter()
            .filter_map(|item| item[within].as_str().map(str::to_owned))
            .collect()
    };
    let codes = texts("errors", "code");
    let statuses = texts("activities", "status");
    let mut ends: Vec<String> = statuses.into_iter().filter(|status| status != "Fail").collect();
    ends.extend(codes.iter().cloned());
    let mut finding = None;
    let mut note = |text: String| {
        finding.get_or_insert(text);
    };
    for error in report["errors"].as_array().into_iter().flatten() {
        let code = error["code"].as_str().unwrap_or("");
        if !CODES.contains(&code) {
            note(format!("fault {code}: {}", error["cause"]));
        }
        if error["remedy"].as_str().is_none_or(str::is_empty) {
            note(format!("fault {code} has no remedy"));
        }
        if matches!(code, "WorkerCrashed" | "WorkerSpinning") {
            note(format!("{code}: {}", error["cause"]));
        }
    }
    if (status.code() == Some(1)) == codes.is_empty() {
        note(format!("{status} with faults {codes:?}"));
    }
    if left > 0 {
        note(format!("{left} entries left in scratch"));
    }
    for output in report["outputs"].as_array().into_iter().flatten() {
        if let Some(lie) = lie(source, output, &report) {
            note(format!("a success that lies: {lie}"));
        }
    }
    Verdict { ends, finding }
}

/// What is untrue of an output.
fn lie(source: &Path, output: &Value, report: &Value) -> Option<String> {
    for file in output["files"].as_array()? {
        let path = Path::new(file["path"].as_str()?);
        let Ok(metadata) = path.metadata() else {
            return Some(format!("{} is not there", path.display()));
        };
        if Some(metadata.len()) != file["size_bytes"].as_u64() || metadata.len() == 0 {
            return Some(format!("{} has {} bytes", path.display(), metadata.len()));
        }
    }
    if output["proof"]["checks"].as_array().is_none_or(Vec::is_empty) {
        return Some("nothing was compared".to_owned());
    }
    let main = Path::new(output["path"].as_str()?);
    if output["kind"] != "file" {
        return image::open(main)
            .err()
            .map(|cause| format!("{} cannot be decoded: {cause}", main.display()));
    }
    // A file may hold several; the engine takes the first that it can decode.
    let video = report["facts"]["streams"]
        .as_array()?
        .iter()
        .find(|stream| stream["type"] == "video" && stream["decodable"] == true && stream["attached_picture"] == false);
    let has_video = video.is_some();
    let Some(made) = frames_of(main, if has_video { "V:0" } else { "a:0" }) else {
        return Some(format!("{} cannot be read", main.display()));
    };
    if made.complaints > 0 || made.decoded == 0 {
        return Some(format!(
            "{} complaints about {}, which has {} frames",
            made.complaints,
            main.display(),
            made.decoded
        ));
    }
    if !has_video {
        return None;
    }
    let taken = video?["index"].to_string();
    let Some(there) = frames_of(source, &taken) else {
        return Some("an output with pictures of a source in which ffprobe finds none".to_owned());
    };
    let slack = SLACK_FRAMES.max(there.decoded * SLACK_PER_CENT / 100);
    let is_told = report["warnings"]
        .as_array()
        .is_some_and(|warnings| !warnings.is_empty());
    // More than ffprobe decodes is fine: it is the loss that must not be silent.
    (there.decoded - made.decoded > slack && !is_told).then(|| {
        format!(
            "{} of {} frames, and no word about the rest",
            made.decoded, there.decoded
        )
    })
}

struct Frames {
    decoded: i64,
    complaints: usize,
}

/// Frames of a stream as Debian's ffprobe decodes them.
fn frames_of(path: &Path, stream: &str) -> Option<Frames> {
    let said = Command::new("timeout")
        .args([
            "120",
            "ffprobe",
            "-v",
            "error",
            "-count_frames",
            "-select_streams",
            stream,
        ])
        .args(["-show_entries", "stream=nb_read_frames", "-of", "csv=p=0"])
        .arg(path)
        .output()
        .expect("ffprobe runs");
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    let decoded = text.lines().next()?.trim_matches(',').parse().ok()?;
    let complaints = String::from_utf8_lossy(&said.stderr).lines().count();
    Some(Frames { decoded, complaints })
}
