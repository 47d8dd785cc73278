//! After the pass: outputs are proved and become the products of their jobs.
//!
//! Guarantees: a product holds only files that were read back from disk; a set's playlists name exactly its
//! segments. Deliberately absent: decisions about the source.

use crate::base::fault::Fault;
use crate::media::av::Source;
use crate::media::av::source::ReadAt;
use crate::media::cue::Cue;
use crate::media::digest;
use crate::media::error;
use crate::media::facts::MediaFacts;
use crate::media::facts::Ratio;
use crate::media::pass::file_writer;
use crate::media::pass::plan::Form;
use crate::media::pass::plan::GroupPlan;
use crate::media::pass::plan::OutputPlan;
use crate::media::pass::plan::Plan;
use crate::media::pass::playlist;
use crate::media::pass::segments::INIT;
use crate::media::pass::segments::Track;
use crate::media::pass::text::TextForm;
use crate::media::product::Check;
use crate::media::product::Place;
use crate::media::product::Product;
use crate::media::product::ProductFile;
use crate::media::product::ProductKind;
use crate::media::product::Proof;
use crate::media::product::Rendition;
use crate::media::product::reference;
use crate::media::spec::GroupKind;
use crate::media::subtitles;
use crate::media::verify;
use crate::media::verify::AudioExpected;
use crate::media::verify::Expected;
use crate::media::verify::TextExpected;
use crate::media::verify::VideoExpected;
use std::fs::File;
use std::io;
use std::path::Path;
use std::path::PathBuf;

const OPERATION: &str = "verify";
/// Name of a media playlist in its folder.
const INDEX: &str = "index.m3u8";

/// What the pass knows of each encode's result.
#[derive(Debug, Clone)]
pub struct Made {
    /// Pictures expected, by encode.
    pub videos: Vec<Option<VideoMade>>,
    /// Sound expected, by encode.
    pub audios: Vec<Option<AudioExpected>>,
    /// What was read of each text track; none: it could not be read.
    pub texts: Vec<Option<Vec<Cue>>>,
    /// Closed captions are inside the source's pictures, and in no rendition.
    pub has_captions: bool,
    /// Codec of each text track in the source.
    pub text_codecs: Vec<String>,
    /// And its language, plain letters.
    pub text_languages: Vec<Option<String>>,
}

/// A video encode's result.
#[derive(Debug, Clone)]
pub struct VideoMade {
    /// What the source says should be in it.
    pub expected: VideoExpected,
    /// `avc1.640028`.
    pub codec: Option<String>,
    /// Nominal frames a second.
    pub rate: Ratio,
}

/// One proved output.
#[derive(Debug)]
pub struct Proved {
    facts: MediaFacts,
    checks: Vec<Check>,
    files: Vec<ProductFile>,
    track: Option<Track>,
}

/// Where an output is written, relative to the scratch directory.
pub fn path_of(plan: &Plan, output: &OutputPlan) -> String {
    let job = &plan.jobs[output.job].job;
    match &output.form {
        Form::File(container) => format!("{job}/{}/{}{}", output.group, output.name, container.extension()),
        Form::Segments(form) | Form::Captions(form) => format!("{job}/{}/{}", output.group, form.folder),
    }
}

/// Proves one output that was written to its end.
pub fn prove(
    plan: &Plan,
    output: &OutputPlan,
    track: Option<Track>,
    made: &Made,
    scratch: &Path,
) -> Result<Proved, Fault> {
    let relative = path_of(plan, output);
    let path = scratch.join(&relative);
    let video = output.video.and_then(|index| made.videos[index].as_ref());
    let (start_s, open_end) = match &output.form {
        Form::File(container) => (
            file_writer::start_s(*container, video.map(|video| video.rate)),
            !file_writer::says_last_duration(*container),
        ),
        _ => (0.0, false),
    };
    let expected = Expected {
        video: video.map(|video| video.expected),
        audios: output
            .audios
            .iter()
            .filter_map(|index| made.audios[*index].clone())
            .collect(),
        texts: match &output.form {
            Form::File(container) => (output.texts.iter())
                .filter_map(|text| {
                    let cues = made.texts[*text].as_ref()?;
                    let codec = TextForm::of(*container, made.text_codecs[*text].as_str())?;
                    Some(TextExpected {
                        codec: codec.stream_name(),
                        first_s: cues.iter().map(|cue| cue.start_s).reduce(f64::min),
                    })
                })
                .collect(),
            Form::Segments(_) | Form::Captions(_) => Vec::new(),
        },
        start_s,
        open_end,
    };
    let io_fault = |path: &Path| {
        let path = path.to_owned();
        move |cause: io::Error| error::output_io(OPERATION, &path, &cause)
    };
    let proved = match (&output.form, track) {
        (Form::Segments(_), Some(track)) => {
            let mut files = Vec::new();
            let mut checks = Vec::new();
            let mut paths = Vec::new();
            for piece in std::iter::once(&track.init).chain(&track.pieces) {
                let path = path.join(&piece.name);
                let (size_bytes, md5) = digest::of_file(&path).map_err(io_fault(&path))?;
                if (size_bytes, &md5) != (piece.size_bytes, &piece.md5) {
                    verify::check(&mut checks, "md5", &piece.md5, &md5, false);
                }
                files.push(ProductFile {
                    scratch_path: format!("{relative}/{}", piece.name),
                    place: Place::Inside(format!("{}/{}", output.name, piece.name)),
                    size_bytes,
                    md5,
                    names_others: false,
                });
                paths.push(path);
            }
            let text = playlist::media(INIT, &track.segments);
            let index = path.join(INDEX);
            std::fs::write(&index, &text).map_err(io_fault(&index))?;
            let (size_bytes, md5) = digest::of_file(&index).map_err(io_fault(&index))?;
            files.push(ProductFile {
                scratch_path: format!("{relative}/{INDEX}"),
                place: Place::Inside(format!("{}/{INDEX}", output.name)),
                size_bytes,
                md5,
                names_others: false,
            });
            check_playlist(&mut checks, &text, &track, &expected);
            let joined = Joined::open(&paths).map_err(io_fault(&path))?;
            let source = Source::from_bytes(Box::new(joined), &output.name).map_err(io_fault(&path))?;
            let (facts, found) = verify::media(source, &expected)?;
            checks.extend(found);
            Proved {
                facts,
                checks,
                files,
                track: Some(track),
            }
        }
        _ => {
            let (size_bytes, md5) = digest::of_file(&path).map_err(io_fault(&path))?;
            let file = File::open(&path).map_err(io_fault(&path))?;
            let source = Source::from_file(file, &output.name).map_err(io_fault(&path))?;
            let (facts, mut checks) = verify::media(source, &expected)?;
            verify::check(&mut checks, "md5", "of the file as it lies on disk", &md5, true);
            let mut files = text_files(plan, output, made, scratch)?;
            files.push(ProductFile {
                scratch_path: relative,
                place: Place::Main,
                size_bytes,
                md5,
                names_others: false,
            });
            Proved {
                facts,
                checks,
                files,
                track: None,
            }
        }
    };
    match verify::refusal(&output.name, &proved.checks) {
        Some(fault) => Err(fault),
        None => Ok(proved),
    }
}

/// Subtitles beside a file.
fn text_files(plan: &Plan, output: &OutputPlan, made: &Made, scratch: &Path) -> Result<Vec<ProductFile>, Fault> {
    let mut files: Vec<ProductFile> = Vec::new();
    for text in &output.beside {
        let Some(cues) = made.texts.get(*text).and_then(Option::as_ref) else {
            continue;
        };
        let language = made.text_languages[*text].as_deref().unwrap_or("und");
        let taken = |suffix: &str| files.iter().any(|file| file.place == Place::Beside(suffix.to_owned()));
        let mut suffix = format!(".{language}.vtt");
        let mut number = 2;
        while taken(&suffix) {
            suffix = format!(".{language}-{number}.vtt");
            number += 1;
        }
        let relative = format!("{}/{}/{}{suffix}", plan.jobs[output.job].job, output.group, output.name);
        let path = scratch.join(&relative);
        let io_fault = |cause: io::Error| error::output_io("write the subtitles", &path, &cause);
        std::fs::write(&path, subtitles::file_of(cues)).map_err(io_fault)?;
        let (size_bytes, md5) = digest::of_file(&path).map_err(io_fault)?;
        files.push(ProductFile {
            scratch_path: relative,
            place: Place::Beside(suffix),
            size_bytes,
            md5,
            names_others: false,
        });
    }
    Ok(files)
}

/// The playlist as text against the segments on disk.
fn check_playlist(checks: &mut Vec<Check>, text: &str, track: &Track, expected: &Expected) {
    let named: Vec<&str> = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    let there: Vec<&str> = track.pieces.iter().map(|piece| piece.name.as_str()).collect();
    verify::check(checks, "segments", there.len(), named.len(), named == there);
    let said_s: f64 = text
        .lines()
        .filter_map(|line| line.strip_prefix("#EXTINF:"))
        .filter_map(|line| line.trim_end_matches(',').parse::<f64>().ok())
        .sum();
    let wanted_s = match (&expected.video, expected.audios.first()) {
        (Some(video), _) => video.end_s - video.first_s,
        (None, Some(audio)) => audio.end_s,
        (None, None) => 0.0,
    };
    verify::near(checks, "playlist_duration_s", wanted_s, said_s, 0.05);
}

/// The products of one group. `proved` holds what was proved of each output of the plan; outputs that failed
/// are left out and named in `warnings` (the caller allows that only for jobs that take what they get).
pub fn products(
    plan: &Plan,
    group: &GroupPlan,
    proved: &mut [Option<Proved>],
    made: &Made,
    scratch: &Path,
) -> Result<Vec<Product>, Fault> {
    match group.kind {
        GroupKind::File => Ok(group
            .outputs
            .iter()
            .filter_map(|index| {
                let output = &plan.outputs[*index];
                let done = proved[*index].take()?;
                Some(Product {
                    group: group.group.clone(),
                    name: output.name.clone(),
                    extension: match &output.form {
                        Form::File(container) => container.extension().to_owned(),
                        Form::Segments(_) | Form::Captions(_) => String::new(),
                    },
                    kind: ProductKind::File,
                    files: done.files,
                    facts: Some(done.facts),
                    proof: Proof { checks: done.checks },
                    renditions: Vec::new(),
                    picture_count: None,
                })
            })
            .collect()),
        GroupKind::Hls | GroupKind::Dash | GroupKind::Cmaf => {
            Ok(set(plan, group, proved, made, scratch)?.into_iter().collect())
        }
    }
}

fn set(
    plan: &Plan,
    group: &GroupPlan,
    proved: &mut [Option<Proved>],
    made: &Made,
    scratch: &Path,
) -> Result<Option<Product>, Fault> {
    let master = master_text(plan, group, proved, made);
    if !master.contains("#EXT-X-STREAM-INF") {
        return Ok(None);
    }
    let first = &plan.outputs[group.outputs[0]];
    let relative = format!("{}/{}/{}.m3u8", plan.jobs[first.job].job, first.group, group.set_name);
    let path = scratch.join(&relative);
    std::fs::write(&path, &master).map_err(|cause| error::output_io("write", &path, &cause))?;
    let (size_bytes, md5) = digest::of_file(&path).map_err(|cause| error::output_io(OPERATION, &path, &cause))?;

    let mut files = Vec::new();
    let mut checks = Vec::new();
    let mut renditions = Vec::new();
    let mut indexes = Vec::new();
    let mut main_facts = None;
    for index in &group.outputs {
        let output = &plan.outputs[*index];
        let Some(mut done) = proved[*index].take() else {
            continue;
        };
        checks.extend(done.checks.drain(..).map(|check| Check {
            name: format!("{}/{}", output.name, check.name),
            ..check
        }));
        let segment_bytes = done.files.iter().map(|file| file.size_bytes).sum();
        indexes.extend(done.files.pop());
        files.append(&mut done.files);
        if main_facts.is_none() || output.video.is_some() && renditions.is_empty() {
            main_facts = Some(done.facts.clone());
        }
        renditions.push(Rendition {
            name: output.name.clone(),
            place: Place::Inside(format!("{}/{INDEX}", output.name)),
            facts: done.facts,
            size_bytes: segment_bytes,
        });
    }
    // Manifests after what they name, the master last.
    files.append(&mut indexes);
    files.push(ProductFile {
        scratch_path: relative,
        place: Place::Main,
        size_bytes,
        md5,
        names_others: true,
    });
    Ok(Some(Product {
        group: group.group.clone(),
        name: group.set_name.clone(),
        extension: ".m3u8".to_owned(),
        kind: ProductKind::Hls,
        files,
        facts: main_facts,
        proof: Proof { checks },
        renditions,
        picture_count: None,
    }))
}

fn master_text(plan: &Plan, group: &GroupPlan, proved: &[Option<Proved>], made: &Made) -> String {
    let uri = |output: usize| reference(&Place::Inside(format!("{}/{INDEX}", plan.outputs[output].name)));
    let track = |output: Option<usize>| {
        output
            .and_then(|output| proved[output].as_ref())
            .and_then(|done| done.track.as_ref())
    };
    let mut sounds: Vec<playlist::Sound> = Vec::new();
    let mut variants = Vec::new();
    for variant in &group.variants {
        let choice = variant
            .audio
            .and_then(|number| group.audio_groups.get(number)?.tracks.first());
        let audio_output = choice.map(|choice| choice.output);
        let (video, audio) = (track(variant.video), track(audio_output));
        // A rung whose pictures or sound failed is no variant.
        if variant.video.is_some() != video.is_some() || audio_output.is_some() != audio.is_some() {
            continue;
        }
        let mut codecs = Vec::new();
        let info = variant
            .video
            .and_then(|output| made.videos[plan.outputs[output].video?].as_ref());
        codecs.extend(info.and_then(|info| info.codec.clone()));
        if audio.is_some() {
            codecs.push("mp4a.40.2".to_owned());
        }
        let both = |of: fn(&[playlist::Segment]) -> u64| {
            [video, audio]
                .into_iter()
                .flatten()
                .map(|track| of(&track.segments))
                .sum()
        };
        let sound_group = audio_output
            .filter(|_| video.is_some())
            .map(|output| plan.outputs[output].name.clone());
        if let (Some(output), Some(name)) = (audio_output, &sound_group)
            && !sounds.iter().any(|sound| sound.group == *name)
        {
            sounds.push(playlist::Sound {
                group: name.clone(),
                uri: uri(output),
                language: choice.and_then(|choice| choice.label.language.clone()),
                channels: plan.outputs[output]
                    .audios
                    .first()
                    .map_or(2, |audio| plan.audios[*audio].channels),
            });
        }
        let Some(main) = variant.video.or(audio_output) else {
            continue;
        };
        variants.push(playlist::Variant {
            uri: uri(main),
            bandwidth: both(playlist::peak),
            average_bandwidth: both(playlist::average),
            resolution: info.map(|info| (info.expected.width, info.expected.height)),
            frame_rate: info.map(|info| info.rate.value()),
            codecs,
            audio: sound_group,
        });
    }
    playlist::master(&variants, &sounds)
}

/// Several files read as one.
struct Joined {
    parts: Vec<(u64, File)>,
    size_bytes: u64,
}

impl Joined {
    fn open(paths: &[PathBuf]) -> io::Result<Self> {
        let mut parts = Vec::new();
        let mut size_bytes = 0;
        for path in paths {
            let file = File::open(path)?;
            let length = file.metadata()?.len();
            parts.push((size_bytes, file));
            size_bytes += length;
        }
        Ok(Joined { parts, size_bytes })
    }
}

impl ReadAt for Joined {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut number = self
            .parts
            .partition_point(|(start, _)| *start <= offset)
            .saturating_sub(1);
        // An empty part is passed over.
        while let Some((start, file)) = self.parts.get(number) {
            let count = std::os::unix::fs::FileExt::read_at(file, buffer, offset - start)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            number += 1;
        }
        Ok(0)
    }
    fn size_bytes(&self) -> io::Result<u64> {
        Ok(self.size_bytes)
    }
}
