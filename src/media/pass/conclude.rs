//! After the pass: outputs are proved and become the products of their jobs.
//!
//! Guarantees: a product holds only files that were read back from disk; key frames of renditions that belong together
//! stand at the same times. Deliberately absent: decisions about the source; what is particular to sets, which is
//! `packaging`.

use crate::base::fault::Fault;
use crate::media::av::Source;
use crate::media::cue::Cue;
use crate::media::digest;
use crate::media::error;
use crate::media::facts::MediaFacts;
use crate::media::facts::Ratio;
use crate::media::pass::file_writer;
use crate::media::pass::packaging::alignment;
use crate::media::pass::packaging::alignment::Keys;
use crate::media::pass::packaging::rendition::Rendition;
use crate::media::pass::packaging::segments::Track;
use crate::media::pass::packaging::set::Set;
use crate::media::pass::plan::Form;
use crate::media::pass::plan::GroupPlan;
use crate::media::pass::plan::OutputPlan;
use crate::media::pass::plan::Plan;
use crate::media::pass::text::TextForm;
use crate::media::product::Check;
use crate::media::product::LoudnessSeries;
use crate::media::product::Place;
use crate::media::product::Product;
use crate::media::product::ProductFile;
use crate::media::product::ProductKind;
use crate::media::product::Proof;
use crate::media::product::TrackKind;
use crate::media::product::TrackSeries;
use crate::media::spec::SegmentFormat;
use crate::media::spec::VideoCodec;
use crate::media::subtitles;
use crate::media::verify;
use crate::media::verify::AudioExpected;
use crate::media::verify::Expected;
use crate::media::verify::TextExpected;
use crate::media::verify::VideoExpected;
use std::fs::File;
use std::io;
use std::path::Path;

const OPERATION: &str = "verify";

/// What the pass knows of each encode's result.
#[derive(Debug, Clone)]
pub struct Made {
    /// Pictures expected, by encode.
    pub videos: Vec<Option<VideoMade>>,
    /// What the encoders left out or lessened, by video encode.
    pub notes: Vec<Vec<String>>,
    /// Sound expected, by encode.
    pub audios: Vec<Option<AudioExpected>>,
    /// How loud it is over its length, by encode; none: it was not measured.
    pub loudness: Vec<Option<LoudnessSeries>>,
    /// RFC 6381 names of the sound, by encode.
    pub audio_codecs: Vec<Option<String>>,
    /// What was read of each text track; none: it could not be read.
    pub texts: Vec<Option<Vec<Cue>>>,
    /// Closed captions are inside the source's pictures.
    pub has_captions: bool,
    /// Whether they go on with the pictures, by video encode.
    pub is_captioned: Vec<bool>,
    /// Codec of each text track in the source.
    pub text_codecs: Vec<String>,
    /// And its language, plain letters.
    pub text_languages: Vec<Option<String>>,
}

impl Made {
    /// When the last of it ends, seconds.
    pub fn end_s(&self) -> f64 {
        let videos = self.videos.iter().flatten().map(|video| video.expected.end_s);
        let audios = self.audios.iter().flatten().map(|audio| audio.end_s);
        videos.chain(audios).fold(0.0, f64::max)
    }
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
    /// Its facts as read back.
    pub facts: MediaFacts,
    /// What was compared.
    pub checks: Vec<Check>,
    /// Its files.
    pub files: Vec<ProductFile>,
    /// Files that name the others, to be published after them.
    pub manifests: Vec<ProductFile>,
    /// Its segments.
    pub track: Option<Track>,
    /// RFC 6381 names of what is in a rendition.
    pub codecs: Vec<String>,
    /// When its key frames are shown.
    pub keys_s: Vec<f64>,
    /// Its tracks over its length.
    pub series: Vec<TrackSeries>,
    /// What is no failure and not as it was asked for.
    pub notes: Vec<String>,
}

impl Proved {
    /// Adds how loud its tracks of sound are to what reading them back said.
    fn hear(&mut self, output: &OutputPlan, made: &Made) {
        let tracks = self.series.iter_mut().filter(|track| track.kind == TrackKind::Audio);
        for (track, encode) in tracks.zip(&output.audios) {
            track.loudness = made.loudness.get(*encode).cloned().flatten();
        }
    }
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
        Form::Segments(form) => (0.0, form.format == SegmentFormat::Ts),
        Form::Captions(_) => (0.0, false),
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
        is_fragmented: matches!(output.form, Form::Segments(_)),
    };
    let rendition = |form| -> Result<Rendition<'_>, Fault> {
        Ok(Rendition {
            output,
            group: group_of(plan, output)?,
            form,
            relative: &relative,
            directory: &path,
        })
    };
    let missing = || error::broken_invariant(OPERATION, &output.name, "its segments are not known");
    let mut proved = match &output.form {
        Form::File(_) => {
            let mut proved = file(&relative, &path, &output.name, &expected)?;
            // The file itself is published last.
            proved.files.splice(0..0, text_files(plan, output, made, scratch)?);
            proved
        }
        Form::Segments(form) => rendition(form)?.prove(track.ok_or_else(missing)?, made, expected)?,
        Form::Captions(form) => rendition(form)?.prove_captions(made)?,
    };
    proved.hear(output, made);
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

fn group_of<'a>(plan: &'a Plan, output: &OutputPlan) -> Result<&'a GroupPlan, Fault> {
    let groups = &plan.jobs[output.job].groups;
    let found = groups.iter().find(|group| group.number == output.group);
    found.ok_or_else(|| error::broken_invariant(OPERATION, &output.name, "it has no group"))
}

fn file(relative: &str, path: &Path, name: &str, expected: &Expected) -> Result<Proved, Fault> {
    let fault = |cause: io::Error| error::output_io(OPERATION, path, &cause);
    let (size_bytes, md5) = digest::of_file(path).map_err(fault)?;
    let source = Source::from_file(File::open(path).map_err(fault)?, name).map_err(fault)?;
    let read_back = verify::media(source, expected)?;
    let mut checks = read_back.checks;
    verify::check(&mut checks, "md5", "of the file as it lies on disk", &md5, true);
    Ok(Proved {
        facts: read_back.facts,
        checks,
        files: vec![ProductFile {
            scratch_path: relative.to_owned(),
            place: Place::Main,
            size_bytes,
            md5,
            names_others: false,
        }],
        manifests: Vec::new(),
        track: None,
        codecs: Vec::new(),
        keys_s: read_back.keys_s,
        series: read_back.series,
        notes: read_back.notes,
    })
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
    let aligned = aligned(plan, group, proved, made);
    if let Some(fault) = verify::refusal(&group.set_name, &aligned) {
        return Err(fault);
    }
    if group.kind.is_set() {
        let set = Set {
            plan,
            group,
            proved,
            made,
            scratch,
        };
        let mut product = set.product()?;
        if let Some(product) = &mut product {
            product.proof.checks.extend(aligned);
        }
        return Ok(product.into_iter().collect());
    }
    let mut products = Vec::new();
    for index in &group.outputs {
        let output = &plan.outputs[*index];
        let Some(done) = proved[*index].take() else { continue };
        let mut checks = done.checks;
        let own = |check: &&Check| check.name.split('/').next() == Some(output.name.as_str());
        checks.extend(aligned.iter().filter(own).map(|check| Check {
            name: "key_frames_aligned".to_owned(),
            ..check.clone()
        }));
        products.push(Product {
            group: group.group.clone(),
            name: output.name.clone(),
            extension: match &output.form {
                Form::File(container) => container.extension().to_owned(),
                Form::Segments(_) | Form::Captions(_) => String::new(),
            },
            kind: ProductKind::File,
            files: done.files,
            facts: Some(done.facts),
            proof: Proof { checks },
            renditions: Vec::new(),
            picture_count: None,
            quality: None,
            series: done.series,
        });
    }
    Ok(products)
}

/// Key frames of all renditions of a group that were meant to have them at the same times.
fn aligned(plan: &Plan, group: &GroupPlan, proved: &[Option<Proved>], made: &Made) -> Vec<Check> {
    let mut first = None;
    let mut alike: Vec<Keys<'_>> = Vec::new();
    for index in &group.outputs {
        let output = &plan.outputs[*index];
        let (Some(encode), Some(done)) = (output.video, proved[*index].as_ref()) else {
            continue;
        };
        let (spec, Some(video)) = (&plan.videos[encode].spec, made.videos[encode].as_ref()) else {
            continue;
        };
        if spec.codec == VideoCodec::Copy || spec.codec.is_intra_only() {
            continue;
        }
        // Files of different codecs are not switched between.
        let codec = (!group.kind.is_set()).then_some(spec.codec);
        let wanted = (codec, spec.gop_s, spec.gop_frames);
        if *first.get_or_insert(wanted) == wanted {
            alike.push(Keys {
                name: &output.name,
                at_s: &done.keys_s,
                picture_s: 1.0 / video.rate.value(),
            });
        }
    }
    alignment::check(&alike)
}
