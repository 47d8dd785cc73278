//! Several files opened as one film: cut bytes put together again, recordings in a row, sound that lies beside its
//! pictures.
//!
//! Guarantees: facts are those of the whole, time goes on from file to file; a file that is damaged fails the whole, by
//! its own name. Deliberately absent: which files belong together.

use crate::base::fault::Fault;
use crate::media::assembly::Assembly;
use crate::media::assembly::Concatenation;
use crate::media::assembly::Recording;
use crate::media::assembly::Rest;
use crate::media::av::Source;
use crate::media::av::source::ReadAt;
use crate::media::error;
use crate::media::facts::MediaFacts;
use crate::media::facts::StreamKind;
use crate::media::limits::Limits;
use crate::media::pass::join;
use crate::media::pass::join::Joining;
use crate::media::pass::splice::Seam;
use crate::media::probe;
use crate::media::probe::Opened;
use crate::media::spec::Clip;
use std::sync::Arc;

const OPERATION: &str = "open";

/// Opens the source `first`, called `name`, with the rest of its files.
pub fn open(first: &Arc<dyn ReadAt>, name: &str, rest: &Rest, limits: &Limits) -> Result<Opened, Fault> {
    let unreadable = |name: &str, cause: std::io::Error| error::source_unreadable(OPERATION, name, cause.to_string());
    let others = || rest.files.iter().map(|(name, file)| (name.as_str(), file));
    let files = || std::iter::once((name, first)).chain(others());
    match &rest.assembly {
        Assembly::Cut => {
            let files = files().map(|(_, file)| Arc::clone(file)).collect();
            let whole = Concatenation::of(files).map_err(|cause| unreadable(name, cause))?;
            let source = Source::from_bytes(Box::new(whole), name).map_err(|cause| unreadable(name, cause))?;
            probe::open(source, limits)
        }
        Assembly::Row(recordings) => {
            let mut files = files();
            let mut row = Vec::new();
            for recording in recordings {
                row.push(open_recording(recording, &mut files, limits)?);
            }
            in_a_row(row, name)
        }
    }
}

/// Opens the next recording of `files` with the sound beside it.
fn open_recording<'a>(
    recording: &Recording,
    files: &mut impl Iterator<Item = (&'a str, &'a Arc<dyn ReadAt>)>,
    limits: &Limits,
) -> Result<Joining, Fault> {
    let mut open = || {
        let (name, file) = files.next().ok_or_else(|| {
            error::broken_invariant(OPERATION, "source", "the order names more files than came with it")
        })?;
        let unreadable = |cause: std::io::Error| error::source_unreadable(OPERATION, name, cause.to_string());
        let source = Source::from_shared(Arc::clone(file), name).map_err(unreadable)?;
        let opened = probe::open(source, limits)?;
        match opened.missing_data() {
            Some(missing) => Err(error::source_truncated(OPERATION, name, missing)),
            None => Ok(opened),
        }
    };
    let mut opened = open()?;
    for _ in 0..recording.sounds {
        let sound = open()?;
        add_sound(&mut opened, sound);
    }
    let rate = opened.facts.main_video().and_then(|(_, video)| video.nominal_rate());
    let clip = recording.frames.zip(rate).map(|((from, until), rate)| {
        let second = |frames: u64| frames as f64 / rate.value();
        Clip::seconds(second(from), Some(second(until)))
    });
    // A camera that cut nothing off says so by naming all frames.
    let is_whole = |clip: &Clip| {
        let length_s = opened.facts.main_video().and_then(|(stream, _)| stream.duration_s);
        let frame_s = rate.map_or(0.0, |rate| 1.0 / rate.value());
        clip.start_s == 0.0
            && length_s
                .zip(clip.end_s)
                .is_some_and(|(length_s, end_s)| end_s + frame_s / 2.0 >= length_s)
    };
    let clip = clip.filter(|clip| !is_whole(clip));
    Ok(Joining { opened, clip })
}

/// Lays a file of sound beside a recording.
fn add_sound(opened: &mut Opened, sound: Opened) {
    let before = opened.demuxer.stream_count();
    let facts = &mut opened.facts;
    facts.size_bytes += sound.facts.size_bytes;
    for mut stream in sound.facts.streams {
        stream.index += before;
        // Which one is heard by itself is said by none of them.
        stream.default &= !matches!(stream.kind, StreamKind::Audio(_)) || facts.main_audio().is_none();
        facts.streams.push(stream);
    }
    opened.demuxer.add_beside(sound.demuxer);
}

/// Recordings as one: facts of all, times that go on.
fn in_a_row(row: Vec<Joining>, name: &str) -> Result<Opened, Fault> {
    let mut row = row.into_iter();
    let Some(Joining { opened: mut main, clip }) = row.next() else {
        return Err(error::broken_invariant(OPERATION, name, "a source of no recordings"));
    };
    let after: Vec<Joining> = row.collect();
    if after.is_empty() && clip.is_none() {
        return Ok(main);
    }
    let mut all: Vec<MediaFacts> = vec![main.facts.clone()];
    all.extend(after.iter().map(|one| one.opened.facts.clone()));
    let is_cut = clip.is_some() || after.iter().any(|one| one.clip.is_some());
    let facts = main.facts.clone();
    let mut whole = join::in_a_row(&mut main, &facts, clip, Vec::new(), after, Seam::None)?;
    whole.size_bytes = all.iter().map(|facts| facts.size_bytes).sum();
    let long_s = whole.duration_s.filter(|duration_s| *duration_s > 0.0);
    whole.bitrate_kbps = long_s.map(|duration_s| whole.size_bytes as f64 * 8.0 / 1000.0 / duration_s);
    let counts = all
        .iter()
        .map(|facts| facts.main_video().and_then(|(stream, _)| stream.frame_count));
    let count: Option<u64> = counts.sum();
    let video = whole.main_video().map(|(stream, _)| stream.index);
    for stream in whole
        .streams
        .iter_mut()
        .filter(|stream| Some(stream.index) == video && !is_cut)
    {
        stream.frame_count = count;
    }
    main.facts = whole;
    Ok(main)
}
