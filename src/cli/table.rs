//! Lists for people: aligned columns on standard output, or the JSON as it came.
//!
//! Guarantees: one line an item; control characters of names never reach the terminal. Deliberately absent: colours.

use serde_json::Value;
use std::io::Write as _;

/// A column: its heading and the JSON pointer of its value.
pub type Column = (&'static str, &'static str);

/// Prints `items` as a table, or as JSON.
///
/// # Errors
/// Standard output is closed.
pub fn print_list(list: &Value, columns: &[Column], json: bool) -> anyhow::Result<()> {
    if json {
        return print_json(list);
    }
    let items = list["items"].as_array().cloned().unwrap_or_default();
    let rows: Vec<Vec<String>> = items
        .iter()
        .map(|item| {
            columns
                .iter()
                .map(|(_, pointer)| cell(item.pointer(pointer).unwrap_or(&Value::Null)))
                .collect()
        })
        .collect();
    let headings: Vec<&str> = columns.iter().map(|(heading, _)| *heading).collect();
    print_rows(&headings, &rows)?;
    if let Some(next) = list["next"].as_str() {
        eprintln!("more: --cursor {next}");
    }
    Ok(())
}

/// Prints JSON, indented.
///
/// # Errors
/// Standard output is closed.
pub fn print_json(value: &Value) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value).map_err(std::io::Error::from)?;
    writeln!(out)?;
    Ok(())
}

/// Prints aligned columns.
///
/// # Errors
/// Standard output is closed.
pub fn print_rows(headings: &[&str], rows: &[Vec<String>]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(aligned(headings, rows).as_bytes())?;
    Ok(())
}

fn aligned(headings: &[&str], rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = (0..headings.len())
        .map(|column| {
            rows.iter()
                .map(|row| row[column].chars().count())
                .chain([headings[column].chars().count()])
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    let mut line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut row = String::new();
        for (cell, width) in cells.zip(&widths) {
            row.push_str(cell);
            row.extend(std::iter::repeat_n(
                ' ',
                (width + 2).saturating_sub(cell.chars().count()),
            ));
        }
        text.push_str(row.trim_end());
        text.push('\n');
    };
    line(&mut headings.iter().copied());
    for row in rows {
        line(&mut row.iter().map(String::as_str));
    }
    text
}

/// One value as a person reads it.
pub fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => printable(text),
        other => other.to_string(),
    }
}

/// The text without what a terminal would take as a command.
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|character| if character.is_control() { '\u{fffd}' } else { character })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::aligned;
    use super::printable;

    #[test]
    fn columns_line_up_by_characters() {
        let rows = vec![
            vec!["\u{e9}\u{e9}\u{e9}".to_owned(), "x".to_owned()],
            vec!["a".to_owned(), "y".to_owned()],
        ];
        assert_eq!(aligned(&["N", "V"], &rows), "N    V\n\u{e9}\u{e9}\u{e9}  x\na    y\n");
    }

    #[test]
    fn escape_sequences_in_names_do_not_reach_the_terminal() {
        assert_eq!(printable("a\u{1b}[31mb"), "a\u{fffd}[31mb");
    }
}
