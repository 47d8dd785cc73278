//! What `reelmill workflow test` prints.
//!
//! Guarantees: shows every field of the answer that a person decides by. Deliberately absent: asking for it.

use crate::cli::table;
use serde_json::Value;
use serde_json::json;

/// Prints the answer of a test.
///
/// # Errors
/// Standard output is closed.
pub fn print(told: &Value) -> anyhow::Result<()> {
    let yes_no = |condition: bool| if condition { "yes" } else { "no" };
    println!(
        "matches      {}: {}",
        table::cell(&told["matches"]),
        table::cell(&told["why"])
    );
    println!("exists       {}", yes_no(told["exists"] == true));
    if told["arrival"].is_string() {
        println!("arrival      {}", table::cell(&told["arrival"]));
    }
    println!("facts known  {}", yes_no(told["facts_known"] == true));
    for (title, list, columns) in [
        (
            "activities",
            "activities",
            &[
                ("ACTIVITY", "/id"),
                ("TYPE", "/type"),
                ("RUNS", "/runs"),
                ("WHY", "/why"),
            ][..],
        ),
        (
            "outputs",
            "outputs",
            &[
                ("ACTIVITY", "/activity"),
                ("NAME", "/name"),
                ("OBJECT", "/object"),
                ("STANDS THERE", "/standing/size_bytes"),
                ("CONFLICT", "/conflict"),
                ("PUBLISHED AS", "/published_as"),
            ][..],
        ),
        (
            "passes",
            "passes",
            &[
                ("TURN", "/turn"),
                ("ACTIVITIES", "/activities"),
                ("WHOLE DECODE", "/heavy"),
            ][..],
        ),
        (
            "destinations",
            "destinations",
            &[("KIND", "/kind"), ("TO", "/to"), ("PROFILE", "/profile")][..],
        ),
    ] {
        if told[list].as_array().is_some_and(|items| !items.is_empty()) {
            println!("\n{title}");
            table::print_list(&json!({ "items": told[list] }), columns, false)?;
        }
    }
    let unknown = told["unknown"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !unknown.is_empty() {
        println!("\nnot known before a run");
        for sentence in unknown {
            println!("- {}", table::cell(sentence));
        }
    }
    Ok(())
}
