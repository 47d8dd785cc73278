//! The elements of a small XML document, as far as manifests use the language.
//!
//! Guarantees: what it does not understand is an error, never passed over; documents of any shape end within its limits.
//! Deliberately absent: document types, namespaces' meaning, mixed content.

use std::collections::BTreeMap;

const MAX_DEPTH: usize = 32;

/// One element.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Element {
    /// Its name as written.
    pub name: String,
    /// Its attributes, opened of their escapes.
    pub attributes: BTreeMap<String, String>,
    /// Elements within it.
    pub children: Vec<Element>,
    /// Text within it, without white space around it.
    pub text: String,
}

impl Element {
    /// Elements of a name within it.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }
    /// The first element of a name within it.
    pub fn first(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }
    /// An attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }
    /// An attribute that is a number.
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.attribute(name)?.parse().ok()
    }
}

/// Text as it stands in an attribute or between elements.
pub fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, letter| {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            letter if letter.is_control() => out.push(' '),
            letter => out.push(letter),
        }
        out
    })
}

fn opened(text: &str) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let end = rest[at..].find(';').ok_or("an escape without its end")?;
        out.push(match &rest[at + 1..at + end] {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            other => return Err(format!("an unknown escape {other:?}")),
        });
        rest = &rest[at + end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

/// The root element of a document.
pub fn read(document: &str) -> Result<Element, String> {
    let mut rest = document.trim_start();
    let mut open: Vec<Element> = Vec::new();
    loop {
        let Some(at) = rest.find('<') else {
            return Err("the document ends within an element".to_owned());
        };
        if let Some(element) = open.last_mut() {
            element.text.push_str(&opened(rest[..at].trim())?);
        } else if !rest[..at].trim().is_empty() {
            return Err("text outside of all elements".to_owned());
        }
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("<?") {
            rest = &after[after.find("?>").ok_or("an instruction without its end")? + 2..];
            continue;
        }
        if let Some(after) = rest.strip_prefix("<!--") {
            rest = &after[after.find("-->").ok_or("a comment without its end")? + 3..];
            continue;
        }
        let close = rest.find('>').ok_or("a tag without its end")?;
        let tag = &rest[1..close];
        rest = &rest[close + 1..];
        let ended = if let Some(name) = tag.strip_prefix('/') {
            let element = open.pop().ok_or("an end without a beginning")?;
            if element.name != name.trim() {
                return Err(format!("{:?} is ended by {name:?}", element.name));
            }
            Some(element)
        } else {
            let (tag, is_empty) = match tag.strip_suffix('/') {
                Some(tag) => (tag, true),
                None => (tag, false),
            };
            let element = element(tag)?;
            if is_empty {
                Some(element)
            } else {
                if open.len() == MAX_DEPTH {
                    return Err(format!("elements more than {MAX_DEPTH} deep"));
                }
                open.push(element);
                None
            }
        };
        if let Some(element) = ended {
            match open.last_mut() {
                Some(parent) => parent.children.push(element),
                None if rest.trim().is_empty() => return Ok(element),
                None => return Err("something follows the root element".to_owned()),
            }
        }
    }
}

fn element(tag: &str) -> Result<Element, String> {
    let (name, mut rest) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .chars()
                .all(|letter| letter.is_alphanumeric() || ":_-.".contains(letter))
    };
    if !is_name(name) {
        return Err(format!("{name:?} is no name of an element"));
    }
    let mut attributes = BTreeMap::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            break;
        }
        let bad = || format!("the attributes of {name} cannot be read");
        let (key, after) = rest.split_once('=').ok_or_else(bad)?;
        let after = after.trim_start().strip_prefix('"').ok_or_else(bad)?;
        let (value, after) = after.split_once('"').ok_or_else(bad)?;
        if !is_name(key.trim()) || value.contains('<') {
            return Err(bad());
        }
        if attributes.insert(key.trim().to_owned(), opened(value)?).is_some() {
            return Err(format!("{name} has {key} twice"));
        }
        rest = after;
    }
    Ok(Element {
        name: name.to_owned(),
        attributes,
        ..Element::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_with_its_escapes() {
        let text = format!(
            "<?xml version=\"1.0\"?>\n<!-- x --><MPD a=\"{}\">\n<S t=\"1\" /><B>{}</B></MPD>\n",
            escaped("<\"&>"),
            escaped("a&b")
        );
        let root = read(&text).expect("reads");
        assert_eq!(root.attribute("a"), Some("<\"&>"));
        assert_eq!(root.first("S").and_then(|child| child.number::<u64>("t")), Some(1));
        assert_eq!(root.first("B").map(|child| child.text.as_str()), Some("a&b"));
    }

    #[test]
    fn broken_documents_are_refused() {
        let deep = "<a>".repeat(100);
        for text in [
            "",
            "x",
            "<a>",
            "<a></b>",
            "</a>",
            "<a/><b/>",
            "<a b=1/>",
            "<a b=\"&x;\"/>",
            "<a b=\"1\" b=\"2\"/>",
            "<!--",
            "<a b=\"",
            &deep,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
