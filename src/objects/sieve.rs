//! What lets pass, of all that a walk meets, what is worth telling.
//!
//! Guarantees: asked by several threads at once, for a piece of a folder each. Deliberately absent: what is known, which
//! whoever remembers it says, and walking (`crawl`).

/// One object as it was met.
#[derive(Debug, Clone, Copy)]
pub struct Sighting<'a> {
    /// Its key, in text form.
    pub key: &'a str,
    /// Bytes.
    pub size_bytes: u64,
    /// Modification time, nanoseconds since 1970.
    pub mtime_ns: i64,
    /// When its name, content or attributes last changed, by the file server's clock.
    pub ctime_ns: i64,
}

/// What lets pass what is worth telling. Asked by several threads at once, for a piece of a folder each.
pub trait Sieve: Send + Sync {
    /// Adds for each sighting whether it is news.
    fn news(&self, sightings: &[Sighting<'_>], news: &mut Vec<bool>);
}

/// Lets everything pass.
#[derive(Debug, Clone, Copy)]
pub struct Everything;

impl Sieve for Everything {
    fn news(&self, sightings: &[Sighting<'_>], news: &mut Vec<bool>) {
        news.resize(news.len() + sightings.len(), true);
    }
}
