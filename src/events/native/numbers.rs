//! Whether the numbers of a JSON text come back as they were.
//!
//! Guarantees: pure. Deliberately absent: whether it is JSON.

/// Whether every number of the text is one that a 64-bit integer or a double holds with all its digits.
pub fn are_kept(json: &str) -> bool {
    let mut rest = json;
    while let Some(at) = rest.find(|letter: char| letter == '"' || letter == '-' || letter.is_ascii_digit()) {
        rest = &rest[at..];
        let length = match rest.starts_with('"') {
            true => text_length(rest),
            false => {
                let is_part = |letter: char| letter.is_ascii_digit() || "+-.eE".contains(letter);
                let length = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
                if !is_kept(&rest[..length]) {
                    return false;
                }
                length
            }
        };
        rest = &rest[length..];
    }
    true
}

fn is_kept(number: &str) -> bool {
    if number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok() {
        return true;
    }
    match number.parse::<f64>() {
        Ok(double) if double.is_finite() => digits(&format!("{double:e}")) == digits(number),
        _ => false,
    }
}

/// The digits that count: without those of the exponent and zeros at either end.
fn digits(number: &str) -> String {
    let mantissa = number.split(['e', 'E']).next().unwrap_or_default();
    let all: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    all.trim_matches('0').to_owned()
}

/// Bytes of the text in quotation marks that begins here.
fn text_length(json: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in json.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    json.len()
}

#[cfg(test)]
mod tests {
    use super::are_kept;

    #[test]
    fn numbers_beyond_a_double_are_seen() {
        for kept in [
            "7",
            "{\"a\":18446744073709551615,\"b\":[-9223372036854775808,1.00,0.1,1e20,-2.5E-3]}",
            "\"123456789012345678901234567890\"",
            "{\"\\\"1234567890123456789012\":0}",
            "1700000000.123456",
        ] {
            assert!(are_kept(kept), "{kept}");
        }
        for lost in [
            "123456789012345678901234567890",
            "{\"a\":[1,0.12345678901234567890]}",
            "1e400",
        ] {
            assert!(!are_kept(lost), "{lost}");
        }
    }
}
