//! What callers say of media: how long it may be, and what stands in it.
//!
//! Guarantees: a refusal names the field. Deliberately absent: what is said (`store::library::description`).

use crate::objects::uri::ObjectUri;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::user_data::UserData;

/// Characters of a title, and of the name of a category or a rendition.
const TITLE: usize = 255;
/// Characters of a description.
const DESCRIPTION: usize = 8_192;
/// Tags of a media, and characters of one.
const TAGS: (usize, usize) = (64, 64);
/// Bytes of user data.
const USER_DATA: usize = 16_384;

/// Kinds of attachments.
pub const ATTACHMENTS: [&str; 4] = ["subtitle", "watermark", "image", "other"];

/// A short text: one line of it, trimmed.
///
/// # Errors
/// It is too long or holds control characters.
pub fn title(field: &str, text: &str) -> Answer<String> {
    let text = text.trim();
    if text.chars().count() > TITLE || text.chars().any(char::is_control) {
        return Err(bad(
            field,
            format!("is longer than {TITLE} characters or has control characters"),
        ));
    }
    Ok(text.to_owned())
}

/// A title that must not be empty.
///
/// # Errors
/// It is empty, too long or holds control characters.
pub fn name(field: &str, text: &str) -> Answer<String> {
    match title(field, text)? {
        empty if empty.is_empty() => Err(bad(field, "is empty".to_owned())),
        name => Ok(name),
    }
}

/// A long text.
///
/// # Errors
/// It is too long.
pub fn description(text: &str) -> Answer<String> {
    if text.chars().count() > DESCRIPTION || text.contains('\0') {
        return Err(bad("description", format!("is longer than {DESCRIPTION} characters")));
    }
    Ok(text.to_owned())
}

/// Tags, each once, in their order.
///
/// # Errors
/// There are too many, or one is too long or has a comma.
pub fn tags(given: &[String]) -> Answer<Vec<String>> {
    let mut tags: Vec<String> = Vec::new();
    for tag in given {
        let tag = tag.trim();
        if tag.is_empty() || tag.chars().count() > TAGS.1 || tag.contains(',') || tag.chars().any(char::is_control) {
            return Err(bad(
                "tags",
                format!("has the tag {tag:?}; a tag has 1 to {} characters and no comma", TAGS.1),
            ));
        }
        if !tags.iter().any(|known| known == tag) {
            tags.push(tag.to_owned());
        }
    }
    if tags.len() > TAGS.0 {
        return Err(bad("tags", format!("has more than {} tags", TAGS.0)));
    }
    Ok(tags)
}

/// User data as it is kept: a text as it is, anything else as JSON text; none: null.
///
/// # Errors
/// It is too long.
pub fn user_data(given: &UserData) -> Answer<Option<String>> {
    if given.text().is_some_and(|text| text.len() > USER_DATA) {
        return Err(bad("user_data", format!("is longer than {USER_DATA} bytes")));
    }
    Ok(given.text().map(str::to_owned))
}

/// A language tag.
///
/// # Errors
/// It is none.
pub fn language(text: &str) -> Answer<String> {
    let parts = text.split('-');
    let plain = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if text.len() > 35 || !parts.into_iter().all(plain) {
        return Err(bad("language", format!("is {text:?}; write it as en or pt-BR")));
    }
    Ok(text.to_owned())
}

/// An object as callers write it.
///
/// # Errors
/// It is none.
pub fn object(text: &str) -> Answer<ObjectUri> {
    ObjectUri::parse(text)
        .filter(|object| {
            !object
                .key
                .split('/')
                .any(|part| part == ".reelmill" || part == ".." || part == ".")
        })
        .ok_or_else(|| {
            Problem::unacceptable(
                "BadObject",
                format!("the object is \"{text}\""),
                "Write it as STORAGE:KEY, for example ingest:incoming/clip.mp4.",
            )
        })
}

fn bad(field: &str, what: String) -> Problem {
    Problem::unacceptable(
        "BadField",
        format!("{field} {what}"),
        format!("Change {field} and send it again."),
    )
}

#[cfg(test)]
mod tests {
    use super::language;
    use super::name;
    use super::object;
    use super::tags;
    use super::title;

    #[test]
    fn tags_are_each_once_and_have_no_commas() {
        let given = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
        assert_eq!(tags(&given(&["a", " b ", "a"])).expect("good"), ["a", "b"]);
        assert_eq!(tags(&given(&["a,b"])).expect_err("a comma").code, "BadField");
        assert!(tags(&given(&[""])).is_err());
    }

    #[test]
    fn texts_have_limits() {
        assert_eq!(title("title", "  x ").expect("good"), "x");
        assert!(title("title", &"x".repeat(256)).is_err());
        assert!(title("title", "a\nb").is_err());
        assert!(name("name", " ").is_err());
        assert!(language("pt-BR").is_ok() && language("p t").is_err() && language("").is_err());
        assert!(object("ingest:../x").is_err() && object("ingest:.reelmill/x").is_err() && object("ingest:x").is_ok());
    }
}
