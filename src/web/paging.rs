//! Pages of lists: a bounded number of items and an opaque cursor to the next ones.
//!
//! Guarantees: a page costs the same wherever it lies (the cursor holds the last key, not an offset); items added
//! while somebody pages are neither repeated nor shifted. Deliberately absent: totals; counting a million rows
//! for every page is what makes lists slow.

use crate::base::clock::UtcMs;
use crate::web::error::Problem;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::Serialize;
use utoipa::IntoParams;
use utoipa::ToSchema;

/// Items of a page when nobody says how many.
const DEFAULT_LIMIT: u32 = 50;
/// The most a page may hold.
const MAX_LIMIT: u32 = 500;

/// One page of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Give it back as `cursor` for the next page; none: this was the last.
    pub next: Option<String>,
}

/// The query of a list that has no filters.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many, 1 to 500.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// The `next` of the page before.
    pub cursor: Option<String>,
}

/// A time in a query.
///
/// # Errors
/// It is none.
pub fn time(name: &str, text: &str) -> Result<UtcMs, Problem> {
    UtcMs::parse_wire(text).ok_or_else(|| {
        Problem::bad_request(
            "BadTime",
            format!("`{name}` is {text:?}"),
            "Write it as 2026-01-31T23:59:59Z.",
        )
    })
}

/// Which page is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Items wanted, 1..=500.
    pub limit: usize,
    /// Key of the last item of the page before.
    pub after: Option<String>,
}

impl Wanted {
    /// Reads the query's `limit` and `cursor` for the list named `list`.
    ///
    /// # Errors
    /// A limit outside 1..=500, or a cursor that is not one of this list's.
    pub fn read(list: &str, limit: Option<u32>, cursor: Option<&str>) -> Result<Self, Problem> {
        let limit = limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(Problem::bad_request(
                "BadLimit",
                format!("limit is {limit}"),
                format!("Ask for 1 to {MAX_LIMIT} items."),
            ));
        }
        let after = cursor.map(|cursor| key_of(list, cursor)).transpose()?;
        Ok(Wanted {
            limit: limit as usize,
            after,
        })
    }

    /// The key of the last item of the page before, where keys are numbers.
    ///
    /// # Errors
    /// The cursor is not one of such a list.
    pub fn after_number(&self) -> Result<Option<i64>, Problem> {
        let parsed = self
            .after
            .as_deref()
            .map(|key| key.parse().map_err(|_| bad_cursor(key)));
        parsed.transpose()
    }

    /// How many rows to read: one more than the page holds tells whether there is another page.
    pub fn rows(&self) -> usize {
        self.limit + 1
    }

    /// Makes the page of `list` out of up to [`rows`](Self::rows) rows.
    pub fn page<R, T>(
        &self,
        list: &str,
        mut rows: Vec<R>,
        key: impl Fn(&R) -> String,
        view: impl Fn(R) -> T,
    ) -> Page<T> {
        let more = rows.len() > self.limit;
        rows.truncate(self.limit);
        let next = rows.last().filter(|_| more).map(|row| cursor_of(list, &key(row)));
        Page {
            items: rows.into_iter().map(view).collect(),
            next,
        }
    }
}

/// The cursor after the item with this key.
fn cursor_of(list: &str, key: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{list}\n{key}"))
}

/// Most characters that are searched for.
const SEARCH_CHARS: usize = 1_000;

/// A text to search for; none: an empty one does not narrow.
///
/// # Errors
/// No row could hold it, or it is too long: a verb over all that is found must not take it for less than it is.
pub fn sought(field: &str, text: Option<String>) -> Result<Option<String>, Problem> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let bad = |why: String| {
        let remedy = format!("Search for 1 to {SEARCH_CHARS} characters, none of them NUL, or leave `{field}` out.");
        Err(Problem::bad_request("BadSearch", format!("`{field}` {why}"), remedy))
    };
    if text.contains('\0') {
        return bad("holds the character NUL".to_owned());
    }
    match text.chars().count() {
        1..=SEARCH_CHARS => Ok(Some(text)),
        count => bad(format!("has {count} characters")),
    }
}

/// The key in a cursor.
fn key_of(list: &str, cursor: &str) -> Result<String, Problem> {
    URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|text| Some(text.strip_prefix(list)?.strip_prefix('\n')?.to_owned()))
        .ok_or_else(|| bad_cursor(cursor))
}

fn bad_cursor(cursor: &str) -> Problem {
    Problem::bad_request(
        "BadCursor",
        format!("the cursor {cursor:?} is not one of this list"),
        "Use the `next` of the page before, unchanged, or leave `cursor` out.",
    )
}

#[cfg(test)]
mod tests {
    use super::Wanted;

    #[test]
    fn the_cursor_leads_from_page_to_page_and_ends() {
        let mut after = None;
        let mut seen = Vec::new();
        loop {
            let wanted = Wanted::read("numbers", Some(2), after.as_deref()).expect("a good page");
            let from: usize = wanted.after.as_deref().map_or(0, |key| key.parse().expect("a number"));
            let rows: Vec<usize> = (from + 1..=5).take(wanted.rows()).collect();
            let page = wanted.page("numbers", rows, ToString::to_string, |row| row);
            seen.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, [1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_text_that_no_row_holds_is_not_taken_for_none() {
        let sought = |text: &str| super::sought("text", Some(text.to_owned()));
        assert_eq!(sought("").expect("none"), None);
        assert_eq!(sought("é%").expect("a text").as_deref(), Some("é%"));
        for bad in ["\0", "a\0b", &"é".repeat(1_001)] {
            assert_eq!(sought(bad).expect_err("refused").code, "BadSearch");
        }
    }

    #[test]
    fn limits_and_foreign_cursors_are_refused() {
        for limit in [0, 501] {
            assert_eq!(
                Wanted::read("a", Some(limit), None).expect_err("out of range").code,
                "BadLimit"
            );
        }
        let foreign = super::cursor_of("tasks", "x");
        assert_eq!(
            Wanted::read("jobs", None, Some(&foreign)).expect_err("foreign").code,
            "BadCursor"
        );
        assert_eq!(
            Wanted::read("jobs", None, Some("%%")).expect_err("garbage").code,
            "BadCursor"
        );
    }
}
