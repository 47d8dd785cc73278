//! Where outputs go: path templates, and the keys of the objects of one product.
//!
//! Guarantees: a template with an unknown token never gets past [`PathTemplate::parse`]; every key made here is
//! relative, has no empty, `.` or `..` segment, never lies under `.reelmill/`, and keeps each segment within 255
//! bytes, whatever bytes the source's name holds; the objects of one product share one stem. Deliberately absent:
//! whether a key is free, which the store decides when it reserves it.

use crate::base::clock::UtcMs;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::media::product::Place;
use crate::objects::uri::key_bytes;
use crate::objects::uri::key_text;
use crate::workflow::segment;

/// The path of outputs when a definition gives none.
pub const DEFAULT_PATH: &str = "{ObjectPrefix}{FileName}/{Name}{Ext}";

/// Digits of a number when `{Count}` does not say otherwise.
const COUNT_DIGITS: usize = 5;

/// Bytes of the longest key: what Linux takes as a path, less room for the storage's own folder and staging names.
const MAX_KEY_BYTES: usize = 3_500;

/// A word in braces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    ObjectPrefix,
    InputDir,
    FileName,
    ExtName,
    Name,
    Ext,
    Format,
    Group,
    Activity,
    Definition,
    MediaId,
    JobId,
    RunId,
    Date,
    UnixTimestamp,
    Count,
}

/// Every spelling: ours, those of IMS and MPS of Alibaba, those of Tencent.
const TOKENS: [(&str, Token); 23] = [
    ("ObjectPrefix", Token::ObjectPrefix),
    ("FileName", Token::FileName),
    ("ExtName", Token::ExtName),
    ("Name", Token::Name),
    ("Ext", Token::Ext),
    ("Count", Token::Count),
    ("TileCount", Token::Count),
    ("MediaId", Token::MediaId),
    ("JobId", Token::JobId),
    ("RunId", Token::RunId),
    ("TaskId", Token::RunId),
    ("taskId", Token::RunId),
    ("Group", Token::Group),
    ("Activity", Token::Activity),
    ("Date", Token::Date),
    ("UnixTimestamp", Token::UnixTimestamp),
    ("inputName", Token::FileName),
    ("inputFormat", Token::ExtName),
    ("inputDir", Token::InputDir),
    ("format", Token::Format),
    ("definition", Token::Definition),
    ("PlayDefinition", Token::Definition),
    ("number", Token::Count),
];

/// Part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Value(Token),
    Number { digits: usize },
}

/// Why a template is refused when it is saved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPath {
    /// A word in braces that means nothing.
    #[error("unknown token {{{token}}} in path {path:?}; the nearest known one is {{{nearest}}}")]
    UnknownToken {
        /// The template.
        path: String,
        /// The word.
        token: String,
        /// What was probably meant.
        nearest: String,
    },
    /// Padding on a word that is no number, or padding that is no padding.
    #[error(
        "{{{token}}} in path {path:?}: only {{Count}}, {{TileCount}} and {{number}} take padding, as in {{Count:05}}, of 1 to 10 digits"
    )]
    BadPadding {
        /// The template.
        path: String,
        /// The word with its padding.
        token: String,
    },
    /// A brace without its partner.
    #[error("path {path:?} has a brace without its partner at byte {at}")]
    Brace {
        /// The template.
        path: String,
        /// Where.
        at: usize,
    },
    /// A template that would leave the storage, or name nothing.
    #[error("path {path:?} {why}")]
    Shape {
        /// The template.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// A parsed path template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathTemplate {
    parts: Vec<Part>,
}

/// What the tokens of a template stand for, for one product.
#[derive(Debug, Clone, Copy)]
pub struct NameFacts<'a> {
    /// Key of the source, in text form.
    pub source_key: &'a str,
    /// `output.prefix`: stands in for the source's folder.
    pub prefix: Option<&'a str>,
    /// Name of the product: the rung, the group of a set, the activity's own.
    pub name: &'a str,
    /// Extension of its main object, with its dot; may be empty.
    pub extension: &'a str,
    /// Its output group; may be empty.
    pub group: &'a str,
    /// Id of its activity.
    pub activity: &'a str,
    /// Name of the template it was made from; none: the activity's id stands in.
    pub template: Option<&'a str>,
    /// Media, 32 hex digits.
    pub media: &'a str,
    /// Task, 32 hex digits.
    pub task: &'a str,
    /// Job, 32 hex digits.
    pub job: &'a str,
    /// When the task was made; `{Date}` is its UTC day.
    pub task_created_at: UtcMs,
}

impl PathTemplate {
    /// Reads a template.
    ///
    /// # Errors
    /// Names the token and the nearest known one.
    pub fn parse(path: &str) -> Result<Self, BadPath> {
        let shape = |why| BadPath::Shape {
            path: path.to_owned(),
            why,
        };
        let mut parts = Vec::new();
        let mut rest = path;
        while let Some(open) = rest.find(['{', '}']) {
            let brace = || BadPath::Brace {
                path: path.to_owned(),
                at: path.len() - rest.len() + open,
            };
            if rest.as_bytes()[open] == b'}' {
                return Err(brace());
            }
            let close = rest[open..].find('}').ok_or_else(brace)?;
            if open > 0 {
                parts.push(Part::Literal(rest[..open].to_owned()));
            }
            parts.push(Self::token(path, &rest[open + 1..open + close])?);
            rest = &rest[open + close + 1..];
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        if parts.is_empty() {
            return Err(shape("is empty"));
        }
        if path.ends_with('/') {
            return Err(shape("ends with a slash, so it names a folder instead of an object"));
        }
        if path.split('/').any(|segment| segment == ".." || segment == ".") {
            return Err(shape("has a . or .. segment"));
        }
        if path.trim_start_matches('/').split('/').next() == Some(segment::RESERVED) {
            return Err(shape("lies under .reelmill/, which is reelmill's own staging folder"));
        }
        if path.contains('\0') {
            return Err(shape("holds a NUL byte"));
        }
        Ok(PathTemplate { parts })
    }

    fn token(path: &str, text: &str) -> Result<Part, BadPath> {
        let (word, padding) = match text.split_once(':') {
            Some((word, padding)) => (word, Some(padding)),
            None => (text, None),
        };
        let Some((_, token)) = TOKENS.iter().find(|(known, _)| *known == word) else {
            let nearest = TOKENS
                .iter()
                .map(|(known, _)| *known)
                .max_by(|a, b| similarity(word, a).total_cmp(&similarity(word, b)))
                .unwrap_or("Name");
            return Err(BadPath::UnknownToken {
                path: path.to_owned(),
                token: word.to_owned(),
                nearest: nearest.to_owned(),
            });
        };
        let bad_padding = || BadPath::BadPadding {
            path: path.to_owned(),
            token: text.to_owned(),
        };
        match (token, padding) {
            // Tencent numbers without padding, Alibaba with five digits.
            (Token::Count, None) => Ok(Part::Number {
                digits: if word == "number" { 1 } else { COUNT_DIGITS },
            }),
            (Token::Count, Some(padding)) => match padding.parse::<usize>() {
                Ok(digits @ 1..=10) => Ok(Part::Number { digits }),
                _ => Err(bad_padding()),
            },
            (_, Some(_)) => Err(bad_padding()),
            (token, None) => Ok(Part::Value(*token)),
        }
    }

    /// Whether two outputs of one task can get different keys.
    pub fn tells_outputs_apart(&self) -> bool {
        self.holds(&[Token::Name])
    }

    /// Whether two sources can get different keys.
    pub fn tells_sources_apart(&self) -> bool {
        self.holds(&[
            Token::ObjectPrefix,
            Token::InputDir,
            Token::FileName,
            Token::MediaId,
            Token::RunId,
            Token::JobId,
        ])
    }

    fn holds(&self, tokens: &[Token]) -> bool {
        self.parts
            .iter()
            .any(|part| matches!(part, Part::Value(token) if tokens.contains(token)))
    }

    /// The names of one product's objects.
    ///
    /// # Errors
    /// `NameTooLong` when the key would not fit into a path.
    pub fn names(&self, facts: &NameFacts<'_>) -> Result<ProductNames, Fault> {
        let mut pieces = Vec::new();
        for part in &self.parts {
            pieces.push(match part {
                Part::Literal(text) => Piece::Bytes(text.as_bytes().to_vec()),
                Part::Value(token) => Piece::Bytes(value(*token, facts)),
                Part::Number { digits } => Piece::Number { digits: *digits },
            });
        }
        let names = ProductNames {
            pieces,
            name: facts.name.as_bytes().to_vec(),
            extension: facts.extension.as_bytes().to_vec(),
            version: 1,
        };
        let key_len = key_bytes(&names.key(&Place::Main)).len();
        if key_len > MAX_KEY_BYTES {
            return Err(Fault::new(
                "NameTooLong",
                Blame::Request,
                "name output",
                facts.name,
                format!("its key would be {key_len} bytes long, and {MAX_KEY_BYTES} is the most a path can hold"),
                "Shorten output.path or output.prefix of the workflow.",
            ));
        }
        Ok(names)
    }
}

/// How alike two words are, 0 to 1, letter case apart.
fn similarity(a: &str, b: &str) -> f64 {
    strsim::jaro_winkler(&a.to_lowercase(), &b.to_lowercase())
}

/// The bytes a token stands for.
fn value(token: Token, facts: &NameFacts<'_>) -> Vec<u8> {
    let source = key_bytes(facts.source_key);
    let name_at = source
        .iter()
        .rposition(|byte| *byte == b'/')
        .map_or(0, |slash| slash + 1);
    let (folder, file) = source.split_at(name_at);
    // A leading dot belongs to the name.
    let dot = file.iter().rposition(|byte| *byte == b'.').filter(|at| *at > 0);
    let folder = || match facts.prefix {
        Some("") => Vec::new(),
        Some(prefix) => [prefix.trim_end_matches('/').as_bytes(), b"/"].concat(),
        None => folder.to_vec(),
    };
    let one_segment = |text: &str| text.replace('/', "_").into_bytes();
    match token {
        Token::ObjectPrefix => folder(),
        Token::InputDir => {
            let mut folder = folder();
            folder.pop();
            folder
        }
        Token::FileName => file[..dot.unwrap_or(file.len())].to_vec(),
        Token::ExtName => dot.map_or_else(Vec::new, |at| file[at + 1..].to_vec()),
        Token::Name => one_segment(facts.name),
        Token::Ext => one_segment(facts.extension),
        Token::Format => one_segment(facts.extension.trim_start_matches('.')),
        Token::Group => one_segment(facts.group),
        Token::Activity => one_segment(facts.activity),
        Token::Definition => one_segment(facts.template.unwrap_or(facts.activity)),
        Token::MediaId => one_segment(facts.media),
        Token::JobId => one_segment(facts.job),
        Token::RunId => one_segment(facts.task),
        Token::Date => facts.task_created_at.wire().as_bytes()[..10].to_vec(),
        Token::UnixTimestamp => (facts.task_created_at.0 / 1000).to_string().into_bytes(),
        Token::Count => Vec::new(),
    }
}

/// A filled part of a template; numbers stay open.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Bytes(Vec<u8>),
    Number { digits: usize },
}

/// What stands in the place of a number.
#[derive(Clone, Copy)]
enum Number {
    /// This one.
    Is(u32),
    /// Nothing: the stem that all pictures share.
    Left,
    /// The word `{Count}`, for events.
    Word,
}

/// The keys of the objects of one product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductNames {
    pieces: Vec<Piece>,
    name: Vec<u8>,
    extension: Vec<u8>,
    version: u32,
}

impl ProductNames {
    /// The same product's names when its key is taken: `n` of 2 or more follows the stem, `clip-2.mp4`; 1 is the plain name.
    pub fn versioned(&self, n: u32) -> Self {
        ProductNames {
            version: n,
            ..self.clone()
        }
    }

    /// The key, in text form, of the object at `place`.
    pub fn key(&self, place: &Place) -> String {
        let has_number = self.has_number();
        let bytes = match place {
            // A single picture under a numbered path is number one, as in the clouds.
            Place::Main => self.compose(Number::Is(1), b""),
            Place::Numbered(number) if has_number => self.compose(Number::Is(*number), b""),
            Place::Numbered(number) => self.compose(Number::Left, format!("-{number:0COUNT_DIGITS$}").as_bytes()),
            Place::Beside(suffix) => {
                let (mut folder, stem, _) = self.split(Number::Left);
                folder.extend(segment::with_tail(&stem, suffix.replace(['/', '\0'], "_").as_bytes()));
                folder
            }
            Place::Inside(rest) => {
                let (mut folder, stem, _) = self.split(Number::Left);
                folder.extend(stem);
                folder.push(b'/');
                let inner = segment::clean_path(rest.as_bytes());
                folder.extend(if inner.is_empty() { b"_".to_vec() } else { inner });
                folder
            }
        };
        key_text(&bytes)
    }

    /// The key of numbered objects with the word `{Count}` in the place of the number, as events tell it.
    pub fn pattern(&self) -> String {
        let bytes = if self.has_number() {
            self.compose(Number::Word, b"")
        } else {
            self.compose(Number::Left, b"-{Count}")
        };
        key_text(&bytes)
    }

    fn has_number(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Number { .. }))
    }

    /// Folder, stem, tail and extension in one.
    fn compose(&self, number: Number, tail: &[u8]) -> Vec<u8> {
        let (mut folder, stem, extension) = self.split(number);
        folder.extend(segment::with_tail(&stem, &[tail, &extension].concat()));
        folder
    }

    /// The clean folder (with its slash, or empty), the stem with its version, and the extension with its dot.
    fn split(&self, number: Number) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
        let mut text = Vec::new();
        for piece in &self.pieces {
            match (piece, number) {
                (Piece::Bytes(bytes), _) => text.extend_from_slice(bytes),
                (Piece::Number { digits }, Number::Is(number)) => {
                    text.extend_from_slice(format!("{number:0digits$}").as_bytes());
                }
                (Piece::Number { .. }, Number::Word) => text.extend_from_slice(b"{Count}"),
                // The dash before a number goes with it.
                (Piece::Number { .. }, Number::Left) => {
                    while text.last().is_some_and(|last| b"-_. ".contains(last)) {
                        text.pop();
                    }
                }
            }
        }
        // A path may spell the extension out; one that does not match what the file is gets the true one on top.
        let spelt = text.len().saturating_sub(self.extension.len());
        let extension = if text[spelt..].eq_ignore_ascii_case(&self.extension) {
            text.split_off(spelt)
        } else {
            self.extension.clone()
        };
        let (folder, last) = match text.iter().rposition(|byte| *byte == b'/') {
            Some(slash) => text.split_at(slash + 1),
            None => (&[][..], &text[..]),
        };
        let last = if last.is_empty() { &self.name[..] } else { last };
        let mut folder = segment::clean_path(folder);
        let mut stem = segment::clean_stem(last);
        if !folder.is_empty() {
            folder.push(b'/');
        }
        if self.version > 1 {
            stem.extend_from_slice(format!("-{}", self.version).as_bytes());
        }
        (folder, stem, extension)
    }
}

/// How an object at `from` names one at `to` in a playlist or index: a relative URL reference, percent-encoded.
/// Both keys in text form.
pub fn relative_reference(from: &str, to: &str) -> String {
    let from = key_bytes(from);
    let to = key_bytes(to);
    let from: Vec<&[u8]> = from.split(|byte| *byte == b'/').collect();
    let to: Vec<&[u8]> = to.split(|byte| *byte == b'/').collect();
    let folders = from.len() - 1;
    let common = from[..folders]
        .iter()
        .zip(&to[..to.len() - 1])
        .take_while(|(a, b)| a == b)
        .count();
    let mut reference = "../".repeat(folders - common);
    for (at, segment) in to[common..].iter().enumerate() {
        if at > 0 {
            reference.push('/');
        }
        for byte in *segment {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
                reference.push(char::from(*byte));
            } else {
                reference.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    reference
}

#[cfg(test)]
#[path = "naming_tests.rs"]
mod tests;
