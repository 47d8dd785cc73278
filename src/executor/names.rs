//! Writes final names into the text files of an output: playlists, manifests, WebVTT.
//!
//! Guarantees: starts from the file as the worker wrote it, however often it is called, with whatever keys; every name
//! becomes a relative URL reference that a player resolves to the named object; a name nobody knows is a fault, never
//! published. Deliberately absent: what the files mean.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::media::product::Place;
use crate::media::product::ProductFile;
use crate::media::product::folder_reference;
use crate::media::product::reference;
use crate::objects::local::Folder;
use crate::objects::local::Placed;
use crate::objects::pulse::Pulse;
use crate::objects::uri::key_text;
use crate::workflow::naming::relative_reference;
use md5::Digest;
use md5::Md5;
use std::collections::HashMap;
use std::io::Read;

/// A playlist of a day in two-second segments has 5 MB.
const MAX_BYTES: u64 = 256 << 20;
/// What every reference begins with.
const MARK: &str = "{reelmill:";

/// Replaces the references in `file` (in `scratch`) by references relative to `own_key`, its final key. `keys` are
/// those of the others. Returns the file with its new size and hash.
pub fn write(
    scratch: &Folder,
    file: &ProductFile,
    own_key: &str,
    keys: &[(Place, String)],
    pulse: &Pulse,
) -> Result<ProductFile, Fault> {
    let pristine = pristine(scratch, file, pulse)?;
    let mut known: HashMap<String, String> = keys
        .iter()
        .map(|(place, key)| (reference(place), relative_reference(own_key, key)))
        .collect();
    for (place, key) in keys {
        let Place::Inside(rest) = place else { continue };
        if let Some((folder, _)) = rest.rsplit_once('/') {
            let named = relative_reference(own_key, key);
            let parent = named.rsplit_once('/').map_or(".", |(parent, _)| parent);
            known.insert(folder_reference(folder), parent.to_owned());
        }
    }
    known
        .entry(reference(&file.place))
        .or_insert_with(|| relative_reference(own_key, own_key));
    let text = replaced(&pristine, &known).ok_or_else(|| {
        Fault::new(
            "NameUnknown",
            Blame::Bug,
            "write names",
            &file.scratch_path,
            "it names a file that is not part of its output",
            "This is a defect of reelmill: report it with the workflow.",
        )
    })?;
    scratch.write(&key_text(file.scratch_path.as_bytes()), text.as_bytes())?;
    Ok(ProductFile {
        size_bytes: text.len() as u64,
        md5: hex::encode(Md5::digest(text.as_bytes())),
        ..file.clone()
    })
}

/// The file as the worker wrote it, kept aside the first time.
fn pristine(scratch: &Folder, file: &ProductFile, pulse: &Pulse) -> Result<String, Fault> {
    let written = key_text(file.scratch_path.as_bytes());
    let name = hex::encode(Md5::digest(file.scratch_path.as_bytes()));
    let (kept, fresh) = (format!(".names/{name}"), format!(".names/{name}.copy"));
    if scratch.stat(&kept)?.is_none() {
        let (source, _) = scratch.open(&written)?;
        scratch.stage(&fresh, &source, pulse)?;
        if scratch.place(&fresh, &kept, false)? == Placed::Done {
            scratch.sync_parent(&kept)?;
        }
    }
    let (source, _) = scratch.open(&kept)?;
    let mut text = String::new();
    source.take(MAX_BYTES).read_to_string(&mut text).map_err(|error| {
        Fault::new(
            "ScratchLost",
            Blame::Host,
            "write names",
            &file.scratch_path,
            error.to_string(),
            "Run the job again; keep other programs away from scratch_dir.",
        )
    })?;
    Ok(text)
}

/// `text` with every reference replaced; none: one of them is not known.
fn replaced(text: &str, known: &HashMap<String, String>) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(MARK) {
        out.push_str(&rest[..at]);
        let end = at + rest[at..].find('}')? + 1;
        out.push_str(known.get(&rest[at..end])?);
        rest = &rest[end..];
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::write;
    use crate::media::product::Place;
    use crate::media::product::ProductFile;
    use crate::objects::local::Folder;
    use crate::objects::pulse::Pulse;

    #[test]
    fn repeating_with_other_keys_starts_from_the_workers_file() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let scratch = Folder::new("scratch", root.path());
        let text = "#EXTM3U\n{reelmill:inside:v/0.m4s}\n{reelmill:folder:v}/$Number$.m4s\n";
        std::fs::write(root.path().join("list"), text).expect("it can be written");
        let file = ProductFile {
            scratch_path: "list".to_owned(),
            place: Place::Main,
            size_bytes: text.len() as u64,
            md5: String::new(),
            names_others: true,
        };
        let keys = |stem: &str| vec![(Place::Inside("v/0.m4s".to_owned()), format!("o/{stem}/v/0.m4s"))];
        for stem in ["clip", "clip-2", "clip"] {
            let key = format!("o/{stem}.m3u8");
            let named = write(&scratch, &file, &key, &keys(stem), &Pulse::default()).expect("the names are known");
            let found = std::fs::read_to_string(root.path().join("list")).expect("it is there");
            assert_eq!(found, format!("#EXTM3U\n{stem}/v/0.m4s\n{stem}/v/$Number$.m4s\n"));
            assert_eq!(named.size_bytes, found.len() as u64);
        }
        let fault = write(&scratch, &file, "o/clip.m3u8", &[], &Pulse::default()).expect_err("the name is unknown");
        assert_eq!(fault.code, "NameUnknown");
    }
}
