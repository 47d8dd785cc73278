//! One rendition of a set after the pass: its playlists are written, and all of it is read back and compared.
//!
//! Guarantees: every byte of its files was read again, sealed ones through their key; what a playlist of key frames
//! names shows a picture. Deliberately absent: the set's own manifests.

use crate::base::fault::Fault;
use crate::media::av::Source;
use crate::media::digest;
use crate::media::error;
use crate::media::facts::MediaFacts;
use crate::media::pass::conclude::Made;
use crate::media::pass::conclude::Proved;
use crate::media::pass::packaging::captions;
use crate::media::pass::packaging::fragment;
use crate::media::pass::packaging::joined::Joined;
use crate::media::pass::packaging::manifest_check;
use crate::media::pass::packaging::playlist;
use crate::media::pass::packaging::segments::KeyFrame;
use crate::media::pass::packaging::segments::TS_START_S;
use crate::media::pass::packaging::segments::Track;
use crate::media::pass::packaging::spool::Part;
use crate::media::pass::plan::GroupPlan;
use crate::media::pass::plan::OutputPlan;
use crate::media::pass::plan::SegmentForm;
use crate::media::product::Check;
use crate::media::product::Place;
use crate::media::product::ProductFile;
use crate::media::spec::GroupKind;
use crate::media::spec::SegmentFormat;
use crate::media::subtitles;
use crate::media::tally;
use crate::media::verify;
use crate::media::verify::Expected;
use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::Path;

const OPERATION: &str = "verify";
/// Key frames that are tried alone, spread over the whole.
const TRIED_KEYS: usize = 3;

/// What is known of a rendition before it is read back.
#[derive(Debug)]
pub struct Rendition<'a> {
    /// Its output.
    pub output: &'a OutputPlan,
    /// Its group.
    pub group: &'a GroupPlan,
    /// How it was written.
    pub form: &'a SegmentForm,
    /// Its folder, relative to the scratch directory, and absolute.
    pub relative: &'a str,
    /// See `relative`.
    pub directory: &'a Path,
}

impl Rendition<'_> {
    fn has_playlists(&self) -> bool {
        matches!(self.group.kind, GroupKind::Hls | GroupKind::Cmaf)
    }

    fn fault(&self, path: &Path) -> impl FnOnce(io::Error) -> Fault {
        let path = path.to_owned();
        move |cause| error::output_io(OPERATION, &path, &cause)
    }

    fn file(&self, name: &str, size_bytes: u64, md5: String) -> ProductFile {
        ProductFile {
            scratch_path: format!("{}/{name}", self.relative),
            place: Place::Inside(format!("{}/{name}", self.form.folder)),
            size_bytes,
            md5,
            names_others: false,
        }
    }

    /// Writes a text file of it.
    fn write(&self, name: &str, text: &str) -> Result<ProductFile, Fault> {
        let path = self.directory.join(name);
        std::fs::write(&path, text).map_err(self.fault(&path))?;
        let (size_bytes, md5) = digest::of_file(&path).map_err(self.fault(&path))?;
        Ok(self.file(name, size_bytes, md5))
    }

    /// Proves pictures or sound.
    pub fn prove(&self, mut track: Track, made: &Made, mut expected: Expected) -> Result<Proved, Fault> {
        let mut checks = Vec::new();
        let mut files = Vec::new();
        for piece in &track.pieces {
            let path = self.directory.join(&piece.name);
            let (size_bytes, md5) = digest::of_file(&path).map_err(self.fault(&path))?;
            if (size_bytes, &md5) != (piece.size_bytes, &piece.md5) {
                verify::check(&mut checks, "md5", &piece.md5, &md5, false);
            }
            files.push(self.file(&piece.name, size_bytes, md5));
        }
        let has_keys = self.has_playlists() && self.group.iframe_playlists;
        if has_keys && track.init.is_some() {
            self.shorten_keys(&mut track).map_err(self.fault(self.directory))?;
        }
        let is_single = self.form.single_file;
        let length_s = match (&expected.video, expected.audios.first()) {
            (Some(video), _) => video.end_s - video.first_s,
            // Padding before the origin is not played; a copy may begin later.
            (None, Some(audio)) => audio.end_s - audio.first_s.max(0.0),
            (None, None) => 0.0,
        };
        let text = playlist::media(&track, is_single);
        manifest_check::media_playlist(&mut checks, &text, self.directory, &track, length_s);
        let mut manifests = Vec::new();
        if self.has_playlists() {
            manifests.push(self.write(playlist::INDEX, &text)?);
        }
        if let Some(text) = playlist::iframes(&track, is_single).filter(|_| has_keys) {
            self.try_keys(&mut checks, &track)?;
            manifests.push(self.write(playlist::IFRAMES, &text)?);
        }

        let parts: Vec<_> = track
            .init
            .iter()
            .map(|part| (part.clone(), None))
            .chain(track.segments.iter().enumerate().map(|(number, segment)| {
                let seal = track.seal.clone().map(|seal| (seal, number as u64));
                (segment.part.clone(), seal)
            }))
            .collect();
        let joined = Joined::open(self.directory, &parts).map_err(self.fault(self.directory))?;
        let source = Source::from_bytes(Box::new(joined), &self.output.name).map_err(self.fault(self.directory))?;
        if self.form.format == SegmentFormat::Ts {
            expected.start_s = TS_START_S;
        }
        let read_back = verify::media(source, &expected)?;
        checks.extend(read_back.checks);
        if expected.video.is_some() {
            manifest_check::segment_starts(&mut checks, self.directory, &track, &read_back.keys_s);
        }
        Ok(Proved {
            facts: read_back.facts,
            checks,
            files,
            manifests,
            codecs: self.codecs(made),
            track: Some(track),
            keys_s: read_back.keys_s,
            series: read_back.series,
            notes: read_back.notes,
        })
    }

    /// Names of what is in it.
    fn codecs(&self, made: &Made) -> Vec<String> {
        let video = self.output.video.and_then(|index| made.videos[index].as_ref());
        let video = video.and_then(|video| video.codec.clone());
        let audios = self
            .output
            .audios
            .iter()
            .filter_map(|index| made.audio_codecs[*index].clone());
        video.into_iter().chain(audios).collect()
    }

    /// A player needs a fragment's index and its first sample.
    fn shorten_keys(&self, track: &mut Track) -> io::Result<()> {
        for segment in &mut track.segments {
            let file = File::open(self.directory.join(&segment.part.name))?;
            for key in &mut segment.keys {
                let (at, sample) = fragment::first_sample(&file, key.part.offset)?;
                key.part.size_bytes = at + sample.end - key.part.offset;
            }
        }
        Ok(())
    }

    /// A few key frames are shown by the bytes that their playlist names, and nothing else.
    fn try_keys(&self, checks: &mut Vec<Check>, track: &Track) -> Result<(), Fault> {
        let keys: Vec<&KeyFrame> = track.segments.iter().flat_map(|segment| &segment.keys).collect();
        let last = keys.len().saturating_sub(1);
        let tried: BTreeSet<usize> = (0..TRIED_KEYS).map(|number| last * number / (TRIED_KEYS - 1)).collect();
        let mut shown = 0;
        for number in &tried {
            let Some(key) = keys.get(*number) else { continue };
            let parts: Vec<(Part, _)> = track
                .init
                .iter()
                .chain([&key.part])
                .map(|part| (part.clone(), None))
                .collect();
            let joined = Joined::open(self.directory, &parts).map_err(self.fault(self.directory))?;
            let source = Source::from_bytes(Box::new(joined), &self.output.name).map_err(self.fault(self.directory))?;
            shown += usize::from(tally::shows_a_picture(source).unwrap_or(false));
        }
        verify::check(checks, "key_frames_alone", tried.len(), shown, shown == tried.len());
        Ok(())
    }

    /// Writes and proves subtitles.
    pub fn prove_captions(&self, made: &Made) -> Result<Proved, Fault> {
        let text = self
            .output
            .texts
            .first()
            .and_then(|text| made.texts.get(*text)?.as_ref());
        let Some(cues) = text else {
            let why = "the text track of the source could not be read".to_owned();
            return Err(error::output_unproved(&self.output.name, why));
        };
        std::fs::create_dir_all(self.directory).map_err(self.fault(self.directory))?;
        let end_s = made.end_s();
        let mut files = Vec::new();
        let mut manifests = Vec::new();
        let mut checks = Vec::new();
        let shown = |text: &str| -> BTreeSet<String> {
            let cues = text.split("\n\n").skip(1);
            cues.map(|cue| cue.trim().to_owned())
                .filter(|cue| !cue.is_empty())
                .collect()
        };
        let whole = subtitles::file_of(cues);
        let wanted = shown(&whole);
        let mut found = BTreeSet::new();
        if self.has_playlists() {
            let segments = captions::segments(cues, self.form.segment_s, end_s, self.form.format);
            for segment in &segments {
                let file = self.write(&segment.name, &segment.text)?;
                let path = self.directory.join(&segment.name);
                found.extend(shown(&std::fs::read_to_string(&path).map_err(self.fault(&path))?));
                files.push(file);
            }
            let named: Vec<(String, f64)> = segments
                .iter()
                .map(|segment| (segment.name.clone(), segment.duration_s))
                .collect();
            let text = playlist::captions(&named);
            let entries = manifest_check::read_media(&text).map_or(0, |playlist| playlist.entries.len());
            verify::check(&mut checks, "segments", named.len(), entries, entries == named.len());
            manifests.push(self.write(playlist::INDEX, &text)?);
        }
        if matches!(self.group.kind, GroupKind::Dash | GroupKind::Cmaf) {
            files.push(self.write(captions::WHOLE, &whole)?);
            let path = self.directory.join(captions::WHOLE);
            found.extend(shown(&std::fs::read_to_string(&path).map_err(self.fault(&path))?));
        }
        verify::check(&mut checks, "cues", wanted.len(), found.len(), wanted == found);
        Ok(Proved {
            facts: MediaFacts {
                format_name: "webvtt".to_owned(),
                format_long_name: "WebVTT subtitle".to_owned(),
                duration_s: Some(end_s),
                size_bytes: files.iter().map(|file| file.size_bytes).sum(),
                ..MediaFacts::default()
            },
            checks,
            files,
            manifests,
            codecs: Vec::new(),
            track: None,
            keys_s: Vec::new(),
            series: Vec::new(),
            notes: Vec::new(),
        })
    }
}
