//! What libav is told that a source is called: it guesses by names too.
//!
//! Guarantees: no name makes a pattern or a protocol of a file.

/// Pictures with these names libav takes for one of a numbered row, more surely than for the JPEG that their content says,
/// and rows are opened one by one here.
const NUMBERED: [&str; 4] = ["jpg", "jpeg", "jps", "mpo"];

/// A source's name as libav is told it, who guesses by it too.
pub(super) fn told_name(name: &str) -> String {
    let plain = name.replace(['\0', ':', '%'], "_");
    match plain.rsplit_once('.') {
        Some((stem, extension)) if NUMBERED.iter().any(|known| extension.eq_ignore_ascii_case(known)) => {
            format!("{stem}_{extension}")
        }
        _ => plain,
    }
}
