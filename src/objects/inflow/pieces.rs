//! What is remembered of a file that comes into a bucket: its multipart upload, and the parts that the bucket took.
//!
//! Guarantees: pure; parts are of one size as long as the size of the whole is known, and grow where it is not, so that
//! neither their number nor the row that remembers them runs away. Deliberately absent: sending them.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::objects::s3::Part;
use crate::objects::uri::ObjectUri;
use serde::Deserialize;
use serde::Serialize;

const MIB: u64 = 1 << 20;
/// The fewest bytes that services take as a part that is not the last.
const LEAST_BYTES: u64 = 5 * MIB;
/// The most parts that services take.
const MOST_PARTS: u64 = 10_000;
/// As many parts are no burden to a row. Parts grow up to [`EASY_BYTES`] to stay below.
const EASY_PARTS: u64 = 2_000;
/// Parts so large are no burden to memory.
const EASY_BYTES: u64 = 64 * MIB;
/// Of a file whose size nobody said, after so many parts the next are twice as large, so often.
const STEP_PARTS: usize = 1_000;
const STEPS: usize = 5;

/// The multipart upload of one file. Its JSON stands in `uploads.pieces` and `pulls.pieces`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pieces {
    /// The upload's id at the service.
    pub upload: String,
    /// Bytes of its first part, and of all of them where `grows` is false.
    pub part_bytes: u64,
    /// The size of the whole was not known when it was begun.
    #[serde(default)]
    pub grows: bool,
    /// The parts that the service took, in order.
    pub taken: Vec<Taken>,
}

/// One part that the service took, told in few bytes: an upload has thousands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken(
    u64,
    String,
    #[serde(default, skip_serializing_if = "String::is_empty")] String,
);

impl Taken {
    fn of(part: Part) -> Self {
        // Most services take the MD5 for the ETag.
        let md5 = if part.md5 == part.etag { String::new() } else { part.md5 };
        Taken(part.size_bytes, part.etag, md5)
    }
}

impl Pieces {
    /// Reads what a row remembers; none: nothing was sent yet.
    ///
    /// # Errors
    /// `UploadLost`: it cannot be read.
    pub fn read(text: Option<&str>, object: &ObjectUri) -> Result<Option<Self>, Fault> {
        let read = text.map(serde_json::from_str).transpose();
        read.map_err(|error| {
            Fault::new(
                "UploadLost",
                Blame::Bug,
                "go on with",
                object.to_string(),
                format!("what is remembered of its parts cannot be read: {error}"),
                "Send it again, and report this message.",
            )
        })
    }

    /// What a row remembers.
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers are JSON")
    }

    /// Bytes that the service has.
    pub fn size_bytes(&self) -> u64 {
        self.taken.iter().map(|taken| taken.0).sum()
    }

    /// The service took the next part.
    pub fn push(&mut self, part: Part) {
        self.taken.push(Taken::of(part));
    }

    /// The parts, as the service wants them told at the end.
    pub fn parts(&self) -> Vec<Part> {
        let numbered = (1..).zip(&self.taken);
        let parts = numbered.map(|(number, Taken(size_bytes, etag, md5))| Part {
            number,
            size_bytes: *size_bytes,
            etag: etag.clone(),
            md5: if md5.is_empty() { etag.clone() } else { md5.clone() },
        });
        parts.collect()
    }

    /// Bytes of the next part.
    pub fn next_bytes(&self) -> u64 {
        match self.grows {
            true => self.part_bytes << (self.taken.len() / STEP_PARTS).min(STEPS),
            false => self.part_bytes,
        }
    }

    /// Number of the next part; they are counted from 1.
    pub fn next_number(&self) -> u32 {
        u32::try_from(self.taken.len() + 1).unwrap_or(u32::MAX)
    }
}

/// Bytes of a part of a file of this size (none: not known), where `configured` are wanted.
pub fn part_bytes(configured: u64, size_bytes: Option<u64>) -> u64 {
    let least = configured.max(LEAST_BYTES);
    let Some(size_bytes) = size_bytes else { return least };
    let share = |parts: u64| size_bytes.div_ceil(parts).next_multiple_of(MIB);
    least.max(share(EASY_PARTS).min(EASY_BYTES)).max(share(MOST_PARTS))
}

#[cfg(test)]
mod tests {
    use super::MIB;
    use super::Pieces;
    use super::part_bytes;
    use crate::objects::s3::Part;
    use crate::objects::uri::ObjectUri;

    #[test]
    fn any_file_fits_into_ten_thousand_parts() {
        const TIB: u64 = 1 << 40;
        for size_bytes in [0, 1, 5 * MIB, 40 << 30, 200 << 30, TIB, 5 * TIB] {
            let part = part_bytes(16 * MIB, Some(size_bytes));
            assert!(part >= 16 * MIB && size_bytes.div_ceil(part) <= 10_000, "{size_bytes}");
        }
        assert_eq!(part_bytes(16 * MIB, Some(30 << 30)), 16 * MIB);
        assert_eq!(part_bytes(MIB, Some(100)), 5 * MIB, "services take no smaller ones");
        // Of a file whose size nobody knows, the sizes of the parts say how large it can become.
        let mut pieces = Pieces {
            upload: "u".to_owned(),
            part_bytes: part_bytes(16 * MIB, None),
            grows: true,
            taken: Vec::new(),
        };
        let mut whole = 0;
        for number in 0..10_000 {
            whole += pieces.next_bytes();
            pieces.push(part(number, "m"));
        }
        assert!(whole > TIB, "{whole}");
    }

    #[test]
    fn parts_are_remembered_as_they_were_taken() {
        let object = ObjectUri::new("cloud", "a");
        let mut pieces = Pieces {
            upload: "u\"1".to_owned(),
            part_bytes: 5 * MIB,
            grows: false,
            taken: Vec::new(),
        };
        let parts = [part(0, "e"), part(1, "m")];
        parts.iter().cloned().for_each(|part| pieces.push(part));
        let read = Pieces::read(Some(&pieces.text()), &object)
            .expect("reads")
            .expect("something");
        assert_eq!(
            (read.parts().as_slice(), read.size_bytes(), read.next_number()),
            (&parts[..], 2, 3)
        );
        assert!(Pieces::read(None, &object).expect("reads").is_none());
        assert_eq!(
            Pieces::read(Some("{}"), &object).expect_err("unreadable").code,
            "UploadLost"
        );
    }

    fn part(number: u32, md5: &str) -> Part {
        Part {
            number: number + 1,
            etag: "e".to_owned(),
            size_bytes: 1,
            md5: md5.to_owned(),
        }
    }
}
