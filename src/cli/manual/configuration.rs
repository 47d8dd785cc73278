//! The manual page of the configuration, made from `config/reelmill.toml`.
//!
//! Guarantees: every key of the reference stands in it with the default and the words it has there. Deliberately absent:
//! words of its own, but for the first paragraph.

use clap_mangen::roff::Roff;
use clap_mangen::roff::bold;
use clap_mangen::roff::roman;

/// The page's file name.
pub(super) const FILE_NAME: &str = "reelmill.toml.5";

/// The reference.
const REFERENCE: &str = include_str!("../../../config/reelmill.toml");

/// What a line of the reference is.
#[derive(Debug, PartialEq, Eq)]
enum Line<'a> {
    /// `[section]` or `[[list]]`.
    Section(&'a str),
    /// `key = default`.
    Key(&'a str),
    /// Words about what follows.
    Words(&'a str),
    /// The end of a paragraph.
    Blank,
}

/// Reads one line. Sections that are examples are commented out as a whole, their words twice.
fn line(text: &str) -> Line<'_> {
    let bare = text
        .strip_prefix("# ")
        .or_else(|| text.strip_prefix('#'))
        .unwrap_or(text);
    let is_words = bare.len() < text.len();
    let words = bare.strip_prefix("# ").unwrap_or(bare);
    let key = bare.split(" = ").next().unwrap_or_default();
    let is_key = bare.contains(" = ") && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    match bare.trim() {
        "" => Line::Blank,
        name if name.starts_with('[') && name.ends_with(']') => Line::Section(name),
        _ if is_key => Line::Key(bare),
        _ if is_words => Line::Words(words),
        other => Line::Words(other),
    }
}

/// The page.
pub(super) fn page(date: &str) -> Roff {
    let mut page = Roff::new();
    let source = concat!("reelmill ", env!("CARGO_PKG_VERSION"));
    page.control("TH", ["REELMILL.TOML", "5", date, source, super::MANUAL]);
    page.control("SH", ["NAME"]);
    page.text([roman("reelmill.toml - configuration of reelmill")]);
    page.control("SH", ["DESCRIPTION"]);
    let mut words: Vec<&str> = Vec::new();
    for text in REFERENCE.lines() {
        match line(text) {
            Line::Words(text) => words.push(text),
            Line::Blank => paragraph(&mut page, &mut words),
            Line::Section(name) => {
                paragraph(&mut page, &mut words);
                page.control("SH", [name]);
            }
            Line::Key(key) => {
                page.control("TP", []);
                page.text([bold(key)]);
                // A key without words of its own is explained with the one before it.
                if !words.is_empty() {
                    page.text([roman(std::mem::take(&mut words).join(" "))]);
                }
            }
        }
    }
    paragraph(&mut page, &mut words);
    super::section(&mut page, "SEE ALSO", &["reelmill(1), reelmill-check(1)"]);
    page
}

/// What was gathered, as a paragraph.
fn paragraph(page: &mut Roff, words: &mut Vec<&str>) {
    if !words.is_empty() {
        page.control("PP", []);
        page.text([roman(std::mem::take(words).join(" "))]);
    }
}

#[cfg(test)]
mod tests {
    use super::Line;
    use super::line;
    use super::page;

    #[test]
    fn lines_are_read_also_where_they_are_examples() {
        assert_eq!(line("# [[storage]]"), Line::Section("[[storage]]"));
        assert_eq!(line("[server]"), Line::Section("[server]"));
        assert_eq!(line("# kind = \"folder\""), Line::Key("kind = \"folder\""));
        assert_eq!(line("# # The folder: a = b"), Line::Words("The folder: a = b"));
        assert_eq!(line("# Where it is."), Line::Words("Where it is."));
        assert_eq!(line("#"), Line::Blank);
        assert_eq!(line(""), Line::Blank);
    }

    #[test]
    fn every_key_of_the_reference_stands_on_the_page() {
        let text = page("").to_roff();
        let bare = text.replace("\\-", "-").replace("\\&", "");
        for section in [
            "[server]",
            "[[storage]]",
            "[[destination]]",
            "[capacity.gpu]",
            "[alerts]",
        ] {
            assert!(bare.contains(&format!(".SH {section}")), "{section}");
        }
        let keys = super::REFERENCE
            .lines()
            .filter(|text| matches!(line(text), Line::Key(_)));
        let missing: Vec<&str> = keys
            .filter(|text| match line(text) {
                Line::Key(key) => !bare.contains(key),
                _ => false,
            })
            .collect();
        assert_eq!(missing, Vec::<&str>::new());
    }
}
