//! The shared collection of real media files, which may be absent where nobody requires it.

use std::path::Path;
use std::path::PathBuf;

/// A file of the shared collection; none when it is not there and not required.
pub fn media(name: &str) -> Option<PathBuf> {
    let directory = std::env::var_os("REELMILL_MEDIA_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/media"),
        PathBuf::from,
    );
    let path = directory.join(name);
    if path.exists() {
        return Some(path);
    }
    let required = std::env::var_os("REELMILL_REQUIRE_MEDIA").is_some_and(|value| value == "1");
    assert!(!required, "{} is missing", path.display());
    eprintln!("skipped: {} is missing", path.display());
    None
}
