//! What manifests call the codec of sound, in the terms of RFC 6381. Of pictures `encoding` knows.
//!
//! Guarantees: pure; read from the coded stream's own header where it tells. Deliberately absent: whether a player can
//! play it.

/// By libav's name of the codec and its header.
pub fn of_sound(codec: &str, header: &[u8]) -> Option<String> {
    match codec {
        "aac" => Some(aac(header).unwrap_or_else(|| "mp4a.40.2".to_owned())),
        "mp3" => Some("mp4a.40.34".to_owned()),
        "ac3" => Some("ac-3".to_owned()),
        "eac3" => Some("ec-3".to_owned()),
        "opus" | "flac" | "alac" => Some(codec.to_owned()),
        _ => None,
    }
}

/// The audio object type of an AudioSpecificConfig.
fn aac(specific: &[u8]) -> Option<String> {
    let (one, two) = (*specific.first()?, *specific.get(1)?);
    let kind = match one >> 3 {
        31 => 32 + (u32::from(one & 7) << 3 | u32::from(two >> 5)),
        kind => u32::from(kind),
    };
    Some(format!("mp4a.40.{kind}"))
}

#[cfg(test)]
mod tests {
    use super::of_sound;

    #[test]
    fn names_come_from_headers() {
        assert_eq!(of_sound("aac", &[0x11, 0x90]).as_deref(), Some("mp4a.40.2"));
        assert_eq!(of_sound("aac", &[0x2B, 0x92]).as_deref(), Some("mp4a.40.5"));
        assert_eq!(of_sound("eac3", &[]).as_deref(), Some("ec-3"));
        assert_eq!(of_sound("pcm_s16le", &[]), None);
    }
}
