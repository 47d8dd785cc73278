//! Numbered pictures of one folder as one source: `shot_0001.dpx`, `shot_0002.dpx`, ...
//!
//! Guarantees: only regular files of the family are opened, beneath the given folder, one at a time; picture n is
//! shown n - first frames after the beginning, so that a missing number is a longer picture, not a shorter film.
//! Deliberately absent: finding the family, which whoever names it does.

use crate::base::fault::Fault;
use crate::media::av::AvError;
use crate::media::av::Demuxer;
use crate::media::av::Packet;
use crate::media::av::Source;
use crate::media::av::feed::Feed;
use crate::media::av::source;
use crate::media::av::source::ReadAt;
use crate::media::error;
use crate::media::facts::Ratio;
use crate::media::facts::StreamKind;
use crate::media::limits::Limits;
use crate::media::probe;
use crate::media::probe::Opened;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use serde::Deserialize;
use serde::Serialize;
use std::fs::File;
use std::io;
use std::sync::Arc;

const OPERATION: &str = "read pictures";
/// An 8K picture of 16-bit RGBA is 256 MiB.
const MAX_PICTURE_BYTES: u64 = 1 << 30;

/// Which files belong to a family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Family {
    /// Name before the number.
    pub prefix: String,
    /// Digits, at least; 0 and 1: no leading zeros.
    pub digits: usize,
    /// Name after the number.
    pub suffix: String,
    /// Stretches of numbers that are there, first and last of each, ascending.
    pub numbers: Vec<(u64, u64)>,
    /// Pictures a second.
    pub rate: Ratio,
}

/// What a picture of a family may be called: what the engine opens, lower case.
const EXTENSIONS: [&str; 11] = [
    "dpx", "exr", "tif", "tiff", "png", "jpg", "jpeg", "webp", "bmp", "jp2", "j2k",
];
/// More digits are a date.
const MAX_DIGITS: usize = 9;

/// A file name with the number of a picture in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbered<'a> {
    /// Before the number.
    pub prefix: &'a str,
    /// The number.
    pub number: u64,
    /// Digits of it as written.
    pub digits: usize,
    /// It has leading zeros.
    pub is_padded: bool,
    /// After it: a dot and an extension.
    pub suffix: &'a str,
}

impl<'a> Numbered<'a> {
    /// Takes the name of a picture apart; none: it has no number right before its extension, or is that of something
    /// else. A version (`poster_v2.png`) is no number.
    pub fn of(name: &'a str) -> Option<Self> {
        let (stem, extension) = name.rsplit_once('.')?;
        if !EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str()) {
            return None;
        }
        let digits = stem.len() - stem.trim_end_matches(|one: char| one.is_ascii_digit()).len();
        let (prefix, number) = stem.split_at(stem.len() - digits);
        if digits > MAX_DIGITS {
            return None;
        }
        let before = prefix.strip_suffix(['v', 'V']);
        if before.is_some_and(|before| before.is_empty() || before.ends_with(['_', '-', '.', ' '])) {
            return None;
        }
        Some(Numbered {
            prefix,
            number: number.parse().ok()?,
            digits,
            is_padded: digits > 1 && number.starts_with('0'),
            suffix: &name[stem.len()..],
        })
    }
}

impl Family {
    /// The family of these names, in their order; none: they are not of one.
    pub fn of_names(names: &[String], rate: Ratio) -> Option<Self> {
        let all: Vec<Numbered<'_>> = names.iter().map(|name| Numbered::of(name)).collect::<Option<_>>()?;
        let first = all.first()?;
        let mut numbers: Vec<(u64, u64)> = Vec::new();
        for one in &all {
            match numbers.last_mut() {
                Some((_, last)) if *last >= one.number => return None,
                Some((_, last)) if *last + 1 == one.number => *last = one.number,
                _ => numbers.push((one.number, one.number)),
            }
        }
        let padded = all.iter().filter(|one| one.is_padded).map(|one| one.digits).min();
        let family = Family {
            prefix: first.prefix.to_owned(),
            digits: padded.unwrap_or(1),
            suffix: first.suffix.to_owned(),
            numbers,
            rate,
        };
        let named = all
            .iter()
            .zip(names)
            .all(|(one, name)| family.name(one.number) == *name);
        named.then_some(family)
    }

    /// Every number that is there.
    pub fn each(&self) -> impl Iterator<Item = u64> + '_ {
        self.numbers.iter().flat_map(|(first, last)| *first..=*last)
    }

    /// Name of one picture.
    pub fn name(&self, number: u64) -> String {
        let digits = self.digits;
        format!("{}{number:0digits$}{}", self.prefix, self.suffix)
    }

    /// Numbers that are not there between the first and the last.
    pub fn missing(&self) -> Vec<(u64, u64)> {
        let pairs = self.numbers.windows(2);
        pairs.map(|pair| (pair[0].1 + 1, pair[1].0 - 1)).collect()
    }

    /// Pictures there are.
    pub fn count(&self) -> u64 {
        self.numbers.iter().map(|(first, last)| last - first + 1).sum()
    }

    fn first(&self) -> u64 {
        self.numbers.first().map_or(0, |stretch| stretch.0)
    }

    fn last(&self) -> u64 {
        self.numbers.last().map_or(0, |stretch| stretch.1)
    }

    /// The next number that is there, from one on.
    fn at_or_after(&self, number: u64) -> Option<u64> {
        let stretch = self.numbers.iter().find(|(_, last)| *last >= number)?;
        Some(number.max(stretch.0))
    }

    fn open(&self, shelf: &dyn Shelf, number: u64) -> io::Result<Arc<dyn ReadAt>> {
        let name = self.name(number);
        let picture = shelf.open(&name)?;
        if picture.size_bytes()? > MAX_PICTURE_BYTES {
            return Err(io::Error::other(format!("{name} is no picture file")));
        }
        Ok(picture)
    }
}

/// Where the files of a family stand, by name.
pub trait Shelf: Send + Sync {
    /// Opens one; only regular files.
    fn open(&self, name: &str) -> io::Result<Arc<dyn ReadAt>>;
}

/// The shelf that an open folder is.
impl Shelf for File {
    fn open(&self, name: &str) -> io::Result<Arc<dyn ReadAt>> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(self, name, flags, Mode::empty())?);
        if !file.metadata()?.is_file() {
            return Err(io::Error::other(format!("{name} is no file")));
        }
        Ok(Arc::new(file))
    }
}

/// Opens the family as a source.
pub fn open(shelf: &Arc<dyn Shelf>, family: &Family, name: &str, limits: &Limits) -> Result<Opened, Fault> {
    let unreadable = |cause: io::Error| error::source_unreadable(OPERATION, name, cause.to_string());
    let first = family.open(&**shelf, family.first()).map_err(unreadable)?;
    let source = Source::from_shared(first, &family.name(family.first())).map_err(unreadable)?;
    let mut opened = probe::open(source, limits)?;
    if !opened.facts.format_name.ends_with("_pipe") {
        return Err(error::source_not_media(
            OPERATION,
            name,
            "its files are no pictures; a family is made of DPX, EXR, TIFF, PNG, JPEG, WebP or BMP files",
        ));
    }
    let unit = Ratio {
        num: family.rate.den,
        den: family.rate.num,
    };
    let frames = family.last() - family.first() + 1;
    let length_s = frames as f64 * unit.value();
    let facts = &mut opened.facts;
    let Some(index) = facts.main_video().map(|(stream, _)| stream.index) else {
        return Err(error::source_undecodable(
            OPERATION,
            name,
            "its pictures cannot be decoded here",
        ));
    };
    for stream in facts.streams.iter_mut().filter(|stream| stream.index == index) {
        stream.time_base = unit;
        stream.start_time_s = Some(0.0);
        stream.duration_s = Some(length_s);
        stream.frame_count = Some(family.count());
        if let StreamKind::Video(video) = &mut stream.kind {
            video.frame_rate = Some(family.rate);
            video.average_frame_rate = Some(family.rate);
        }
    }
    facts.duration_s = Some(length_s);
    facts.start_time_s = Some(0.0);
    opened.demuxer.feed_from(Box::new(Pictures {
        shelf: Arc::clone(shelf),
        family: family.clone(),
        next: family.first(),
        stream: index,
        unit,
    }));
    Ok(opened)
}

/// All of a picture's file.
fn whole(picture: &dyn ReadAt) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; picture.size_bytes()? as usize];
    let read = source::fill(picture, &mut bytes, 0)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// Reads one picture after the other.
struct Pictures {
    shelf: Arc<dyn Shelf>,
    family: Family,
    next: u64,
    stream: usize,
    unit: Ratio,
}

impl Feed for Pictures {
    fn read(&mut self, main: &mut Demuxer, packet: &mut Packet) -> Result<bool, AvError> {
        let Some(number) = self.family.at_or_after(self.next) else {
            return Ok(false);
        };
        self.next = number + 1;
        let bytes = match self
            .family
            .open(&*self.shelf, number)
            .and_then(|picture| whole(&*picture))
        {
            Ok(bytes) => bytes,
            Err(cause) => {
                let name = self.family.name(number);
                main.watch().remember(format!("reading {name} failed: {cause}"));
                return Err(AvError::argument("read"));
            }
        };
        main.watch().count(bytes.len() as u64);
        let at = i64::try_from(number - self.family.first()).unwrap_or(i64::MAX);
        let after = self.family.at_or_after(self.next).unwrap_or(self.next);
        *packet = Packet::of_bytes(&bytes)?;
        packet.set_stream_index(self.stream);
        packet.set_times(Some(at), Some(at), i64::try_from(after - number).unwrap_or(1));
        Ok(true)
    }

    fn unit(&self, stream: usize) -> Option<Ratio> {
        (stream == self.stream).then_some(self.unit)
    }

    fn seek(&mut self, _main: &mut Demuxer, _stream: usize, time: i64) -> Result<bool, AvError> {
        self.next = self.family.first() + u64::try_from(time).unwrap_or(0);
        // The picture that is on at that time.
        let on = self.family.numbers.iter().rev().find(|(first, _)| *first <= self.next);
        if let Some((_, last)) = on {
            self.next = self.next.min(*last);
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::Family;
    use crate::media::facts::Ratio;

    #[test]
    fn a_family_is_found_in_its_names() {
        let rate = Ratio { num: 25, den: 1 };
        let names = |names: &[&str]| -> Vec<String> { names.iter().map(|name| (*name).to_owned()).collect() };
        let family = Family::of_names(&names(&["a_098.png", "a_099.png", "a_100.png", "a_1000.png"]), rate);
        let family = family.expect("one family");
        assert_eq!(
            (family.digits, family.numbers.as_slice()),
            (3, &[(98, 100), (1000, 1000)][..])
        );
        assert_eq!(family.each().count(), 4);
        assert!(Family::of_names(&names(&["a9.png", "a10.png"]), rate).is_some());
        for none in [
            &["a1.png", "b2.png"][..],
            &["a2.png", "a1.png"],
            &["a01.png", "a001.png"],
            &["a.png"],
            &[],
        ] {
            assert_eq!(Family::of_names(&names(none), rate), None, "{none:?}");
        }
    }

    #[test]
    fn a_family_knows_its_names_and_its_gaps() {
        let family = Family {
            prefix: "a_".to_owned(),
            digits: 4,
            suffix: ".dpx".to_owned(),
            numbers: vec![(98, 100), (103, 104)],
            rate: Ratio { num: 24, den: 1 },
        };
        assert_eq!(family.name(98), "a_0098.dpx");
        assert_eq!(family.missing(), [(101, 102)]);
        assert_eq!(family.count(), 5);
        assert_eq!(family.at_or_after(101), Some(103));
        assert_eq!(family.at_or_after(105), None);
    }
}
