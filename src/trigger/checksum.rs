//! What checksum files say: `md5sum` lines, BSD lines, bare digests, media hash lists.
//!
//! Guarantees: pure; a line that is none is passed over, a file in which nothing is one is refused with a clause; names
//! compare without regard to how accents are composed. Deliberately absent: computing (`verification`).

use crate::objects::companions::MHL_ENDING;
use crate::objects::companions::name_of;
use crate::objects::likeness::nfc;
use crate::objects::uri::key_text;
use quick_xml::events::Event;

/// Largest list that is read.
pub const MAX_BYTES: u64 = 32 << 20;

/// How a digest is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// 128 bits.
    Md5,
    /// 160 bits.
    Sha1,
    /// 256 bits.
    Sha256,
    /// 64 bits, as camera departments write it.
    Xxh64,
}

impl Algorithm {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha1 => "SHA-1",
            Algorithm::Sha256 => "SHA-256",
            Algorithm::Xxh64 => "XXH64",
        }
    }

    fn of_length(digits: usize) -> Option<Self> {
        match digits {
            32 => Some(Algorithm::Md5),
            40 => Some(Algorithm::Sha1),
            64 => Some(Algorithm::Sha256),
            _ => None,
        }
    }

    fn of_element(name: &str) -> Option<Self> {
        match name {
            "md5" => Some(Algorithm::Md5),
            "sha1" => Some(Algorithm::Sha1),
            "sha256" => Some(Algorithm::Sha256),
            "xxhash64be" | "xxhash64" | "xxh64" => Some(Algorithm::Xxh64),
            _ => None,
        }
    }

    fn digits(self) -> usize {
        match self {
            Algorithm::Xxh64 => 16,
            Algorithm::Md5 => 32,
            Algorithm::Sha1 => 40,
            Algorithm::Sha256 => 64,
        }
    }
}

/// What an object must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// How it is computed.
    pub algorithm: Algorithm,
    /// The digest, lower-case hex.
    pub hex: String,
    /// Key of the file that says so.
    pub list: String,
    /// Hash of that file's identity.
    pub stamp: u64,
}

/// One line of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// How it is computed.
    pub algorithm: Algorithm,
    /// Lower-case hex.
    pub hex: String,
    /// Path of the file, in text form, as the list has it, from the folder of the list on; empty: it names none.
    pub path: String,
}

/// What the file called `name` says.
///
/// # Errors
/// A clause: nothing in it is a checksum.
pub fn read(name: &str, bytes: &[u8]) -> Result<Vec<Line>, String> {
    let is_mhl = name.to_ascii_lowercase().ends_with(MHL_ENDING) || bytes.trim_ascii_start().starts_with(b"<");
    let lines = match is_mhl {
        true => mhl(bytes)?,
        false => bytes.split(|byte| *byte == b'\n').filter_map(line).collect(),
    };
    if lines.is_empty() {
        return Err(match bytes.trim_ascii().is_empty() {
            true => "it is empty".to_owned(),
            false => "nothing in it is an MD5, SHA-1, SHA-256 or XXH64".to_owned(),
        });
    }
    Ok(lines)
}

/// What the lines of a list say of the file at `path`, from the list's folder on. A list that lies beside one file and
/// names nothing speaks of that one.
pub fn about<'a>(lines: &'a [Line], path: &str, is_beside: bool) -> Option<&'a Line> {
    let wanted = nfc(path);
    let exact = lines.iter().filter(|line| nfc(&line.path) == wanted);
    let best = exact.max_by_key(|line| line.algorithm);
    if best.is_some() || !is_beside {
        return best;
    }
    // The tool ran elsewhere: the last part of the path is what counts beside the file itself.
    let wanted = nfc(name_of(path));
    let by_name = lines.iter().find(|line| nfc(name_of(&line.path)) == wanted);
    let only = match lines {
        [only] if only.path.is_empty() => Some(only),
        _ => None,
    };
    by_name.or(only)
}

fn line(line: &[u8]) -> Option<Line> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    if line.is_empty() || matches!(line[0], b'#' | b';' | b'%') {
        return None;
    }
    bsd(line).or_else(|| gnu(line))
}

/// `digest  name`, `digest *name`, `\digest  name` with escapes, or the digest alone.
fn gnu(line: &[u8]) -> Option<Line> {
    let (escaped, line) = match line.strip_prefix(b"\\") {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    let end = line
        .iter()
        .position(|byte| !byte.is_ascii_hexdigit())
        .unwrap_or(line.len());
    let (digest, rest) = line.split_at(end);
    let algorithm = Algorithm::of_length(digest.len())?;
    let name = match rest {
        [] => rest,
        [b' ' | b'\t', ..] => {
            let rest = rest.trim_ascii_start();
            rest.strip_prefix(b"*").unwrap_or(rest)
        }
        _ => return None,
    };
    Some(Line {
        algorithm,
        hex: String::from_utf8_lossy(digest).to_lowercase(),
        path: match escaped {
            true => key_text(&unescaped(name)),
            false => path(name),
        },
    })
}

fn unescaped(name: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len());
    let mut bytes = name.iter();
    while let Some(byte) = bytes.next() {
        match (byte, bytes.as_slice().first()) {
            (b'\\', Some(b'n')) => out.push(b'\n'),
            (b'\\', Some(b'r')) => out.push(b'\r'),
            (b'\\', Some(b'\\')) => out.push(b'\\'),
            _ => {
                out.push(*byte);
                continue;
            }
        }
        bytes.next();
    }
    out
}

/// `MD5 (name) = digest`.
fn bsd(line: &[u8]) -> Option<Line> {
    let open = line.iter().position(|byte| *byte == b'(')?;
    let algorithm = match line[..open].trim_ascii() {
        b"MD5" => Algorithm::Md5,
        b"SHA1" => Algorithm::Sha1,
        b"SHA256" | b"SHA2-256" => Algorithm::Sha256,
        _ => return None,
    };
    let close = line.windows(4).rposition(|four| four == b") = ")?;
    let digest = line[close + 4..].trim_ascii();
    let good = digest.len() == algorithm.digits() && digest.iter().all(u8::is_ascii_hexdigit);
    (good && close > open).then(|| Line {
        algorithm,
        hex: String::from_utf8_lossy(digest).to_lowercase(),
        path: path(&line[open + 1..close]),
    })
}

/// The text form of a path as tools of any system write it.
fn path(bytes: &[u8]) -> String {
    let mut text = key_text(bytes.trim_ascii_end());
    if !text.contains('/') && text.contains('\\') {
        text = text.replace('\\', "/");
    }
    text.strip_prefix("./").unwrap_or(&text).to_owned()
}

/// Both forms of media hash lists: `<hash><file>path</file><md5>..</md5></hash>` of the first, and
/// `<hash><path>path</path><md5>..</md5></hash>` of the ASC.
fn mhl(bytes: &[u8]) -> Result<Vec<Line>, String> {
    let refused = |cause: &dyn std::fmt::Display| format!("it is no media hash list: {cause}");
    let mut reader = quick_xml::Reader::from_reader(bytes);
    let mut lines = Vec::new();
    let mut file = String::new();
    let mut digests: Vec<(Algorithm, String)> = Vec::new();
    let mut within: Vec<String> = Vec::new();
    loop {
        match reader.read_event().map_err(|error| refused(&error))? {
            Event::Start(start) => {
                within.push(String::from_utf8_lossy(start.local_name().as_ref()).to_lowercase());
                if within.last().is_some_and(|name| name == "hash") {
                    file.clear();
                    digests.clear();
                }
            }
            Event::End(_) => {
                let ended = within.pop();
                if ended.is_some_and(|name| name == "hash") && !file.is_empty() {
                    lines.extend(digests.drain(..).map(|(algorithm, hex)| Line {
                        algorithm,
                        hex,
                        path: path(file.as_bytes()),
                    }));
                }
            }
            Event::Text(text) => take(
                &within,
                &text.decode().map_err(|error| refused(&error))?,
                &mut file,
                &mut digests,
            ),
            Event::GeneralRef(name) => {
                let name = name.decode().map_err(|error| refused(&error))?;
                let letter = match &*name {
                    "amp" => "&",
                    "lt" => "<",
                    "gt" => ">",
                    "quot" => "\"",
                    "apos" => "'",
                    _ => "",
                };
                take(&within, letter, &mut file, &mut digests);
            }
            Event::Eof => break,
            _ => {}
        }
    }
    match within.is_empty() {
        true => Ok(lines),
        false => Err(refused(&"it ends in the middle")),
    }
}

fn take(within: &[String], text: &str, file: &mut String, digests: &mut Vec<(Algorithm, String)>) {
    let Some((name, above)) = within.split_last() else {
        return;
    };
    if above.last().is_none_or(|above| above != "hash") {
        return;
    }
    if matches!(name.as_str(), "file" | "path") {
        file.push_str(text);
    } else if let Some(algorithm) = Algorithm::of_element(name) {
        let hex = text.trim().to_lowercase();
        if hex.len() == algorithm.digits() && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            digests.push((algorithm, hex));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Algorithm;
    use super::about;
    use super::read;

    const MD5: &str = "0123456789abcdef0123456789abcdef";
    const SHA1: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn all_ways_of_writing_a_line_are_read() {
        for (text, path) in [
            (format!("{MD5}  a b.mp4\n"), "a b.mp4"),
            (
                format!("# made by x\r\n{} *sub/a.mp4\r\n", MD5.to_uppercase()),
                "sub/a.mp4",
            ),
            (format!("{MD5} ./a.mp4"), "a.mp4"),
            (format!("{MD5}  sub\\a.mp4"), "sub/a.mp4"),
            (format!("\\{MD5}  a\\nb\\\\.mp4"), "a\nb\\.mp4"),
            (format!("MD5 (a (1).mp4) = {MD5}\n"), "a (1).mp4"),
            (format!("{MD5}\n"), ""),
        ] {
            let lines = read("x.md5", text.as_bytes()).unwrap_or_else(|why| panic!("{text:?}: {why}"));
            assert_eq!(
                (lines.len(), lines[0].hex.as_str(), lines[0].path.as_str()),
                (1, MD5, path),
                "{text:?}"
            );
        }
        for wrong in ["", "hello world\n", "0123  a.mp4\n", &format!("{MD5}x a.mp4")] {
            assert!(read("x.md5", wrong.as_bytes()).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_list_says_of_each_file_its_own_and_the_strongest() {
        let text = format!("{MD5}  a.mp4\n{SHA1}  a.mp4\n{MD5}  sub/cafe\u{301}.mp4\n");
        let lines = read("SUMS", text.as_bytes()).expect("a list");
        assert_eq!(
            about(&lines, "a.mp4", false).map(|line| line.algorithm),
            Some(Algorithm::Sha1)
        );
        assert!(about(&lines, "sub/caf\u{e9}.mp4", false).is_some());
        assert!(about(&lines, "sub/a.mp4", false).is_none());
        let beside = read("b.mp4.md5", format!("{MD5}  /home/x/b.mp4").as_bytes()).expect("a line");
        assert!(about(&beside, "b.mp4", true).is_some() && about(&beside, "c.mp4", true).is_none());
        let bare = read("b.mp4.md5", MD5.as_bytes()).expect("a digest");
        assert!(about(&bare, "b.mp4", true).is_some() && about(&bare, "b.mp4", false).is_none());
    }

    #[test]
    fn media_hash_lists_of_both_forms_are_read() {
        let first = format!(
            "<?xml version=\"1.0\"?><hashlist version=\"1.1\"><hash><file>Clips/A &amp; B.mov</file><size>5</size>\
             <md5>{MD5}</md5></hash><hash><file>x</file><md5>nonsense</md5></hash></hashlist>"
        );
        let second = "<hashlist xmlns=\"urn:ASC:MHL:v2.0\"><hashes><hash><path size=\"5\">Clips/A.mov</path>\
             <xxh64 action=\"original\">0123456789abcdef</xxh64></hash></hashes></hashlist>";
        let lines = read("a.mhl", first.as_bytes()).expect("a list");
        assert_eq!((lines.len(), lines[0].path.as_str()), (1, "Clips/A & B.mov"));
        let lines = read("0001_x.mhl", second.as_bytes()).expect("a list");
        assert_eq!(
            (lines[0].algorithm, lines[0].path.as_str()),
            (Algorithm::Xxh64, "Clips/A.mov")
        );
        for wrong in ["<hashlist><hash>", "<a>", "<hashlist></hashlist>"] {
            assert!(read("a.mhl", wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
