//! A set as a publisher would lay it out, and what an independent reader makes of it.

use reelmill::media::product::Place;
use reelmill::media::product::Product;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

/// A set laid out in a directory.
pub struct Published {
    directory: PathBuf,
    pub name: String,
    pub extension: String,
}

/// Lays a product out under its own name, with references turned into relative names.
pub fn publish(scratch: &Path, product: &Product, to: &Path) -> Published {
    let name = &product.name;
    for file in &product.files {
        let path = match &file.place {
            Place::Main => to.join(format!("{name}{}", product.extension)),
            Place::Beside(suffix) => to.join(format!("{name}{suffix}")),
            Place::Inside(rest) => to.join(name).join(rest),
            Place::Numbered(_) => panic!("a set has no numbered files"),
        };
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        let bytes = std::fs::read(scratch.join(&file.scratch_path)).expect("read");
        assert_eq!(bytes.len() as u64, file.size_bytes, "{}", file.scratch_path);
        assert_eq!(
            reelmill::media::digest::of_bytes(&bytes),
            file.md5,
            "{}",
            file.scratch_path
        );
        let bytes = match file.names_others {
            false => bytes,
            true => named(&String::from_utf8(bytes).expect("text"), name).into_bytes(),
        };
        std::fs::write(path, bytes).expect("written");
    }
    Published {
        directory: to.to_owned(),
        name: name.clone(),
        extension: product.extension.clone(),
    }
}

fn named(text: &str, name: &str) -> String {
    let text = text.replace("{reelmill:inside:", "{").replace("{reelmill:folder:", "{");
    let text = text.replace('{', &format!("{name}/")).replace('}', "");
    assert!(!text.contains("reelmill"), "{text}");
    text
}

impl Published {
    /// The main object.
    pub fn main(&self) -> PathBuf {
        self.directory.join(format!("{}{}", self.name, self.extension))
    }
    /// An object beside the main one.
    pub fn beside(&self, suffix: &str) -> PathBuf {
        self.directory.join(format!("{}{suffix}", self.name))
    }
    /// A file of the set.
    pub fn inside(&self, path: &str) -> PathBuf {
        self.directory.join(&self.name).join(path)
    }
    /// Text of the main object.
    pub fn text(&self) -> String {
        std::fs::read_to_string(self.main()).expect("read")
    }
}

/// Runs a tool of the system that must have nothing to complain about; what it said.
pub fn tool(program: &str, arguments: &[&str], path: &Path, rest: &[&str]) -> String {
    let output = Command::new(program)
        .args(["-v", "error"])
        .args(arguments)
        .arg("-i")
        .arg(path)
        .args(rest)
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && complaints.trim().is_empty(),
        "{program} on {}: {complaints}",
        path.display()
    );
    String::from_utf8(output.stdout).expect("text")
}

/// Decodes every track of something, down to the last picture; the pictures of its first video track.
pub fn decoded_frames(path: &Path) -> u64 {
    let text = tool(
        "ffprobe",
        &[
            "-allowed_extensions",
            "ALL",
            "-count_frames",
            "-select_streams",
            "v:0",
            "-show_entries",
            "stream=nb_read_frames",
            "-of",
            "csv=p=0",
        ],
        path,
        &[],
    );
    let number = text.lines().find_map(|line| line.trim().trim_matches(',').parse().ok());
    number.unwrap_or_else(|| panic!("{}: {text:?}", path.display()))
}

/// Decodes all tracks, which must go without a word.
pub fn decodes(path: &Path, arguments: &[&str]) {
    tool(
        "ffmpeg",
        &[&["-nostdin"], arguments].concat(),
        path,
        &["-map", "0", "-f", "null", "-"],
    );
}

/// Time stamps of key frames, from 0, as the independent reader sees them.
pub fn key_times(path: &Path) -> Vec<f64> {
    let text = tool(
        "ffprobe",
        &[
            "-select_streams",
            "v:0",
            "-show_entries",
            "packet=pts_time,flags",
            "-of",
            "csv=p=0",
        ],
        path,
        &[],
    );
    let packets: Vec<(f64, bool)> = text
        .lines()
        .filter_map(|line| {
            let (time, flags) = line.split_once(',')?;
            Some((time.parse().ok()?, flags.contains('K')))
        })
        .collect();
    let first = packets.iter().map(|(at_s, _)| *at_s).fold(f64::MAX, f64::min);
    let keys = packets.iter().filter(|(_, is_key)| *is_key);
    keys.map(|(at_s, _)| at_s - first).collect()
}

/// Seconds of a whole.
pub fn duration_s(path: &Path) -> f64 {
    let text = tool(
        "ffprobe",
        &["-show_entries", "format=duration", "-of", "csv=p=0"],
        path,
        &[],
    );
    text.trim()
        .parse()
        .unwrap_or_else(|_| panic!("{}: {text:?}", path.display()))
}
