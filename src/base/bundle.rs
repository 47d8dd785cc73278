//! Files put into one: a gzipped tar archive that is made in memory.
//!
//! Guarantees: the archive is whole or an error; names are those given, beneath one folder. Deliberately absent: reading
//! archives, and files too large for memory.

use crate::base::clock::UtcMs;
use flate2::Compression;
use flate2::write::GzEncoder;

/// What a bundle of diagnostics that is made at `at` is called; as a file with `.tar.gz` behind.
pub fn diagnostics_name(at: UtcMs) -> String {
    format!("reelmill-diagnostics-{}", at.wire().replace([':', '-'], ""))
}

/// An archive of these files (name, content) beneath `folder`, made at `at`.
///
/// # Errors
/// A name that no archive can hold.
pub fn archive(folder: &str, files: &[(String, Vec<u8>)], at: UtcMs) -> std::io::Result<Vec<u8>> {
    let seconds = u64::try_from(at.0 / 1_000).unwrap_or(0);
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o600);
        header.set_mtime(seconds);
        archive.append_data(&mut header, format!("{folder}/{name}"), content.as_slice())?;
    }
    archive.into_inner()?.finish()
}

#[cfg(test)]
mod tests {
    use super::archive;
    use crate::base::clock::UtcMs;
    use std::io::Read as _;

    #[test]
    fn what_goes_in_comes_out() {
        let files = [
            ("a.json".to_owned(), b"{}".to_vec()),
            ("b/c.txt".to_owned(), b"text".to_vec()),
        ];
        let bytes = archive("bundle", &files, UtcMs(5_000)).expect("archived");
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes.as_slice()));
        let mut found = Vec::new();
        for entry in archive.entries().expect("entries") {
            let mut entry = entry.expect("an entry");
            let mut content = Vec::new();
            entry.read_to_end(&mut content).expect("reads");
            found.push((entry.path().expect("a name").display().to_string(), content));
        }
        let wanted: Vec<_> = files
            .iter()
            .map(|(name, content)| (format!("bundle/{name}"), content.clone()))
            .collect();
        assert_eq!(found, wanted);
    }
}
