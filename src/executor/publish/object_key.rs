//! Keys of outputs in buckets: which are refused, and which are named when.
//!
//! Guarantees: a key that passes can be named through links and lies in a folder as well; whatever refers to others is
//! named after them. Deliberately absent: choosing keys.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::executor::PublishFile;
use crate::objects::uri::key_bytes;

/// Bytes of the largest object, as the protocol has it.
const LARGEST: u64 = 5 << 40;
/// Longest key, in bytes, as the protocol has it.
const LONGEST_KEY: usize = 1_024;

/// When a file is named: whatever refers to others after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Refers to nothing.
    Content,
    /// Names parts of pictures.
    Index,
    /// Names segments, or other manifests.
    Manifest,
}

/// When the object `key` is named.
pub fn rank(key: &str) -> Rank {
    match key.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "m3u8" | "mpd" => Rank::Manifest,
        "vtt" => Rank::Index,
        _ => Rank::Content,
    }
}

/// Refuses keys that a bucket cannot hold, or that only a bucket could: what was named for one storage has to fit
/// through links and into folders as well.
pub fn check_key(file: &PublishFile) -> Result<(), Fault> {
    let key = key_bytes(&file.to.key);
    let mut parts = key.split(|byte| *byte == b'/');
    if key.contains(&0) || parts.any(|part| part.is_empty() || part == b"." || part == b"..") {
        return Err(Fault::new(
            "KeyInvalid",
            Blame::Request,
            "publish",
            file.to.to_string(),
            "a key is names joined by single slashes, without `.`, `..` or NUL",
            "Correct the key or the path template it was made from.",
        ));
    }
    if file.size_bytes > LARGEST {
        return Err(Fault::new(
            "OutputTooLarge",
            Blame::Request,
            "publish",
            file.to.to_string(),
            format!(
                "it has {} bytes, and buckets hold objects of at most {LARGEST}",
                file.size_bytes
            ),
            "Write it into a storage of kind \"folder\", or cut it into a set.",
        ));
    }
    if key.len() > LONGEST_KEY {
        return Err(Fault::new(
            "OutputNameTooLong",
            Blame::Request,
            "publish",
            file.to.to_string(),
            format!("a key in a bucket has at most {LONGEST_KEY} bytes"),
            "Shorten the path template of the workflow or the name of the source.",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Rank;
    use super::rank;

    #[test]
    fn whatever_refers_to_others_comes_after_them() {
        let mut keys = ["a/hls.m3u8", "a/hls/v.m3u8", "a/s.vtt", "a/hls/1.m4s", "a/s.jpg"];
        keys.sort_by_key(|key| rank(key));
        assert_eq!(
            keys,
            ["a/hls/1.m4s", "a/s.jpg", "a/s.vtt", "a/hls.m3u8", "a/hls/v.m3u8"]
        );
        assert!(Rank::Content < Rank::Index && Rank::Index < Rank::Manifest);
    }
}
