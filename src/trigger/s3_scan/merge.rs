//! What a page of a listing says beside what the ledger says of the same stretch of keys.
//!
//! Guarantees: pure; looks at one page and one stretch, never at a whole bucket. A content that is known is never news:
//! neither because a service stamps it differently in a listing than in an answer about it alone, nor because it was
//! stamped anew. Deliberately absent: what is done about it.

use crate::objects::s3::Listed;
use crate::store::bucket_ledger::BucketRow;
use std::collections::HashMap;

/// Stamps of the same object may differ by so much: some services cut them to seconds in one answer and not in another.
const GRAIN_NS: i64 = 2_000_000_000;

/// How an object as it is now stands to its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It settled as it is.
    Same,
    /// The same, and the ledger took it for gone.
    Back,
    /// The same content, stamped later: written once more, or only stamped differently. Its head says which.
    Restamped,
    /// Not known with this content.
    New,
}

/// How `object` stands to its row.
pub fn standing(object: &Listed, row: Option<&BucketRow>) -> Standing {
    let Some(row) = row.filter(|row| row.settled) else {
        return Standing::New;
    };
    if row.size_bytes != object.size_bytes {
        return Standing::New;
    }
    let one_is_missing = row.etag.is_empty() || object.etag.is_empty();
    if !one_is_missing && row.etag != object.etag {
        return Standing::New;
    }
    let later = object.mtime_ns.saturating_sub(row.mtime_ns) > GRAIN_NS;
    let earlier = row.mtime_ns.saturating_sub(object.mtime_ns) > GRAIN_NS;
    if one_is_missing && (later || earlier) {
        return Standing::New;
    }
    match (later, row.gone) {
        (true, _) => Standing::Restamped,
        (false, true) => Standing::Back,
        (false, false) => Standing::Same,
    }
}

/// The stamp as rows hold it: whole seconds, which every answer of every service agrees on.
pub fn whole_seconds(mtime_ns: i64) -> i64 {
    mtime_ns - mtime_ns.rem_euclid(1_000_000_000)
}

/// Whether two stamps are the same one.
pub fn same_stamp(a_ns: i64, b_ns: i64) -> bool {
    a_ns.abs_diff(b_ns) <= GRAIN_NS.unsigned_abs()
}

/// What a page says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Objects that are not known with their content.
    pub news: Vec<Listed>,
    /// Objects whose content is known and whose stamp is later.
    pub restamped: Vec<Listed>,
    /// Keys of objects that are there again.
    pub back: Vec<String>,
    /// Keys of rows that the page should hold and does not.
    pub gone: Vec<String>,
    /// Rows whose keys are there, with whatever content.
    pub met: u64,
}

/// Compares the objects of a page with `rows`: all rows of the stretch that the page covers, and those of its own keys.
/// `whole`: a row that the page lacks is gone.
pub fn merge(objects: &[Listed], rows: &[BucketRow], whole: bool) -> Merged {
    let mut by_key: HashMap<&str, &BucketRow> = rows.iter().map(|row| (row.key.as_str(), row)).collect();
    let mut merged = Merged::default();
    for object in objects {
        let row = by_key.remove(object.key.as_str());
        merged.met += u64::from(row.is_some());
        match standing(object, row) {
            Standing::Same => {}
            Standing::Back => merged.back.push(object.key.clone()),
            Standing::Restamped => merged.restamped.push(object.clone()),
            Standing::New => merged.news.push(object.clone()),
        }
    }
    if whole {
        let gone = rows
            .iter()
            .filter(|row| !row.gone && by_key.contains_key(row.key.as_str()));
        merged.gone.extend(gone.map(|row| row.key.clone()));
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::Listed;
    use super::Standing;
    use super::merge;
    use super::standing;
    use super::whole_seconds;
    use crate::store::bucket_ledger::BucketRow;

    const S: i64 = 1_000_000_000;

    fn listed(key: &str, size_bytes: u64, mtime_ns: i64, etag: &str) -> Listed {
        Listed {
            key: key.to_owned(),
            size_bytes,
            mtime_ns,
            etag: etag.to_owned(),
        }
    }

    fn row(key: &str, size_bytes: u64, mtime_ns: i64, etag: &str) -> BucketRow {
        BucketRow {
            key: key.to_owned(),
            size_bytes,
            mtime_ns,
            etag: etag.to_owned(),
            settled: true,
            gone: false,
        }
    }

    #[test]
    fn a_content_is_known_by_size_and_etag_whatever_the_precision_of_its_stamp() {
        let known = row("a", 5, 100 * S, "e");
        let of = |object| standing(&object, Some(&known));
        assert_eq!(of(listed("a", 5, 100 * S + 999_000_000, "e")), Standing::Same);
        assert_eq!(of(listed("a", 5, 40 * S, "e")), Standing::Same);
        assert_eq!(of(listed("a", 5, 103 * S, "e")), Standing::Restamped);
        assert_eq!(of(listed("a", 5, 100 * S, "f")), Standing::New);
        assert_eq!(of(listed("a", 6, 100 * S, "e")), Standing::New);
        // A service that lists no ETags: the stamp has to do.
        assert_eq!(of(listed("a", 5, 101 * S, "")), Standing::Same);
        assert_eq!(of(listed("a", 5, 140 * S, "")), Standing::New);
        assert_eq!(of(listed("a", 5, 40 * S, "")), Standing::New);
        let unsettled = BucketRow {
            settled: false,
            ..known.clone()
        };
        assert_eq!(standing(&listed("a", 5, 100 * S, "e"), Some(&unsettled)), Standing::New);
        let gone = BucketRow { gone: true, ..known };
        assert_eq!(standing(&listed("a", 5, 100 * S, "e"), Some(&gone)), Standing::Back);
        assert_eq!(whole_seconds(-1), -S);
        assert_eq!(whole_seconds(S + 1), S);
    }

    #[test]
    fn a_page_is_compared_with_its_stretch() {
        let rows = [
            row("a", 1, S, "x"),
            row("b", 1, S, "x"),
            row("c", 1, S, "x"),
            BucketRow {
                gone: true,
                ..row("d", 1, S, "x")
            },
            BucketRow {
                gone: true,
                ..row("e", 1, S, "x")
            },
        ];
        let page = [
            listed("a", 1, S, "x"),
            listed("b", 1, S, "y"),
            listed("d", 1, S, "x"),
            listed("f", 1, S, "x"),
        ];
        let merged = merge(&page, &rows, true);
        let keys = |objects: &[super::Listed]| objects.iter().map(|object| object.key.clone()).collect::<Vec<_>>();
        assert_eq!(keys(&merged.news), ["b", "f"]);
        assert_eq!(
            (merged.back, merged.gone, merged.met),
            (vec!["d".to_owned()], vec!["c".to_owned()], 3)
        );
        assert!(merge(&page, &rows, false).gone.is_empty());
    }
}
