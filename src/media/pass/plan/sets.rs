//! Outputs of a set: a folder for the pictures of each variant, shared folders for what variants share.
//!
//! Guarantees: renditions of a set are cut at the same times; each group of choices has at most one default and no
//! name twice. Deliberately absent: manifests.

use crate::media::facts::MediaFacts;
use crate::media::facts::Ratio;
use crate::media::language;
use crate::media::pass::plan::Form;
use crate::media::pass::plan::GroupPlan;
use crate::media::pass::plan::OutputPlan;
use crate::media::pass::plan::Plan;
use crate::media::pass::plan::SegmentForm;
use crate::media::pass::plan::TrackChoice;
use crate::media::pass::plan::TrackGroup;
use crate::media::pass::plan::TrackLabel;
use crate::media::pass::plan::Variant;
use crate::media::pass::plan::Want;
use crate::media::pass::plan::names::unique;
use crate::media::pass::plan::texts;
use crate::media::spec::GroupKind;
use crate::media::spec::GroupSpec;
use crate::media::spec::OutputSpec;
use crate::media::spec::RenditionKind;
use crate::media::spec::RenditionSpec;
use crate::media::spec::SegmentFormat;
use crate::media::spec::VideoCodec;

impl Plan {
    /// Adds what one wanted output is in its set. `sounds` are its audio encodes, the one that players take by
    /// themselves first.
    pub(super) fn add_rendition(
        &mut self,
        at: (usize, usize),
        group: &GroupSpec,
        want: &Want,
        (video, sounds): (Option<usize>, &[usize]),
        facts: &MediaFacts,
        planned: &mut GroupPlan,
    ) {
        let kind = want.rendition.kind;
        let has_pictures = group.outputs.iter().any(|output| output.video.is_some());
        if video.is_some() && kind == Some(RenditionKind::Hybrid) {
            let output = self.add_segments(at, (group, facts), want.name.clone(), (video, sounds), planned);
            planned.variants.push(variant(want, Some(output), None));
            return;
        }
        let video =
            video.map(|video| self.add_segments(at, (group, facts), want.name.clone(), (Some(video), &[]), planned));
        let is_choice = video.is_none() && !want.fell_back && (kind == Some(RenditionKind::Audio) || has_pictures);
        let audio = (!sounds.is_empty()).then(|| {
            let is_one = sounds.len() == 1;
            let mut choices = Vec::new();
            for (number, sound) in sounds.iter().enumerate() {
                let stream = facts.streams.get(self.audios[*sound].stream);
                let mut label = label_of(
                    &want.rendition,
                    stream.and_then(|stream| stream.language.as_deref()),
                    "audio",
                );
                label.default = want.rendition.default.unwrap_or(false) && number == 0;
                let shared = self.outputs.iter().position(|output| {
                    (output.job, output.group) == at && output.video.is_none() && output.audios == [*sound]
                });
                let output = shared.unwrap_or_else(|| {
                    let base = match (&label.language, is_choice) {
                        (_, true) => want.name.clone(),
                        (Some(language), false) if !is_one => format!("audio-{language}"),
                        _ => "audio".to_owned(),
                    };
                    let folder = unique(&base, &|name| self.is_taken(at, group, name, is_choice));
                    self.add_segments(at, (group, facts), folder, (None, &[*sound]), planned)
                });
                choices.push(TrackChoice { output, label });
            }
            let id = want.rendition.audio_group.clone();
            let id = id.or_else(|| is_choice.then(|| "audio".to_owned()));
            join(&mut planned.audio_groups, id, "audio", choices)
        });
        if !is_choice {
            planned.variants.push(variant(want, video, audio));
        }
    }

    /// Adds an output of subtitles: the source's first text track, or the first in the language asked for. False when
    /// there is none.
    pub(super) fn add_captions(
        &mut self,
        at: (usize, usize),
        group: &GroupSpec,
        output: &OutputSpec,
        facts: &MediaFacts,
        planned: &mut GroupPlan,
    ) -> bool {
        let wish = output.rendition.clone().unwrap_or_default();
        let wanted = wish.language.as_deref().and_then(language::tag);
        let found = texts::tracks(facts).find(|stream| {
            let spoken = stream.language.as_deref().and_then(language::tag);
            wanted.is_none() || spoken.is_none() || wanted == spoken
        });
        let Some(stream) = found else { return false };
        let label = TrackLabel {
            default: wish.default.unwrap_or(false),
            ..label_of(&wish, stream.language.as_deref(), "subtitles")
        };
        let id = wish.subtitle_group.unwrap_or_else(|| "subtitles".to_owned());
        self.add_caption(at, (group, facts), (&output.name, stream.index), (id, label), planned);
        true
    }

    /// Offers every text track of the source as subtitles, for a set whose definition names none.
    pub(super) fn carry_captions(
        &mut self,
        at: (usize, usize),
        group: &GroupSpec,
        facts: &MediaFacts,
        planned: &mut GroupPlan,
    ) {
        for stream in texts::tracks(facts) {
            let wish = RenditionSpec {
                name: stream.title.clone(),
                forced: stream.dispositions.iter().any(|word| word == "forced"),
                ..RenditionSpec::default()
            };
            let label = label_of(&wish, stream.language.as_deref(), "subtitles");
            let base = match &label.language {
                Some(language) => format!("subtitles-{language}"),
                None => "subtitles".to_owned(),
            };
            let folder = unique(&base, &|name| self.is_taken(at, group, name, false));
            self.add_caption(
                at,
                (group, facts),
                (&folder, stream.index),
                ("subtitles".to_owned(), label),
                planned,
            );
        }
    }

    fn add_caption(
        &mut self,
        at: (usize, usize),
        (group, facts): (&GroupSpec, &MediaFacts),
        (name, stream): (&str, usize),
        (id, label): (String, TrackLabel),
        planned: &mut GroupPlan,
    ) {
        let text = self.text_of(stream);
        let number = self.outputs.len();
        self.outputs.push(OutputPlan {
            job: at.0,
            group: at.1,
            name: name.to_owned(),
            form: Form::Captions(form_of(group, facts, name.to_owned())),
            video: None,
            audios: Vec::new(),
            texts: vec![text],
            beside: Vec::new(),
        });
        planned.outputs.push(number);
        let choice = TrackChoice { output: number, label };
        join(&mut planned.subtitle_groups, Some(id), "subtitles", vec![choice]);
    }

    fn is_taken(&self, at: (usize, usize), group: &GroupSpec, name: &str, own: bool) -> bool {
        let of_definition = group.outputs.iter().any(|output| output.name == name);
        let of_plan = self
            .outputs
            .iter()
            .any(|output| (output.job, output.group) == at && output.name == name);
        of_plan || (of_definition && !own)
    }

    fn add_segments(
        &mut self,
        at: (usize, usize),
        (group, facts): (&GroupSpec, &MediaFacts),
        folder: String,
        (video, audios): (Option<usize>, &[usize]),
        planned: &mut GroupPlan,
    ) -> usize {
        self.outputs.push(OutputPlan {
            job: at.0,
            group: at.1,
            name: folder.clone(),
            form: Form::Segments(form_of(group, facts, folder)),
            video,
            audios: audios.to_vec(),
            texts: Vec::new(),
            beside: Vec::new(),
        });
        planned.outputs.push(self.outputs.len() - 1);
        self.outputs.len() - 1
    }
}

impl GroupPlan {
    /// Finds the sound and subtitles of variants that have none of their own, once all outputs are there.
    pub(super) fn join_groups(&mut self, group: &GroupSpec) {
        let named = |groups: &[TrackGroup], wanted: Option<&String>| match wanted {
            Some(id) => groups.iter().position(|group| group.id == *id),
            None => (!groups.is_empty()).then_some(0),
        };
        for variant in &mut self.variants {
            let output = group.outputs.iter().find(|output| output.name == variant.name);
            let rendition = output.and_then(|output| output.rendition.as_ref());
            let is_hybrid = rendition.is_some_and(|rendition| rendition.kind == Some(RenditionKind::Hybrid));
            if variant.audio.is_none() && !is_hybrid {
                let wanted = rendition.and_then(|rendition| rendition.audio_group.as_ref());
                variant.audio = named(&self.audio_groups, wanted);
            }
            let wanted = rendition.and_then(|rendition| rendition.subtitle_group.as_ref());
            variant.subtitles = named(&self.subtitle_groups, wanted);
        }
        for group in &mut self.audio_groups {
            if !group.tracks.iter().any(|track| track.label.default)
                && let Some(first) = group.tracks.first_mut()
            {
                first.label.default = true;
            }
        }
        for group in self.audio_groups.iter_mut().chain(&mut self.subtitle_groups) {
            tidy(group);
        }
    }
}

/// One default, no name twice; what is taken by itself may be taken by language.
fn tidy(group: &mut TrackGroup) {
    let mut has_default = false;
    let mut names: Vec<String> = Vec::new();
    for track in &mut group.tracks {
        let label = &mut track.label;
        label.default &= !has_default;
        has_default |= label.default;
        label.autoselect |= label.default || label.forced;
        label.name = unique(&label.name, &|name| names.iter().any(|known| known == name));
        names.push(label.name.clone());
    }
}

/// The number of a group with this id, or with these choices when it needs no certain id.
fn join(groups: &mut Vec<TrackGroup>, id: Option<String>, usual: &str, choices: Vec<TrackChoice>) -> usize {
    let outputs = |choices: &[TrackChoice]| choices.iter().map(|choice| choice.output).collect::<Vec<_>>();
    let known = groups.iter().position(|group| match &id {
        Some(id) => group.id == *id,
        None => outputs(&group.tracks) == outputs(&choices),
    });
    let number = known.unwrap_or_else(|| {
        let id = id.unwrap_or_else(|| unique(usual, &|name| groups.iter().any(|group| group.id == name)));
        groups.push(TrackGroup { id, tracks: Vec::new() });
        groups.len() - 1
    });
    for choice in choices {
        if !groups[number].tracks.iter().any(|track| track.output == choice.output) {
            groups[number].tracks.push(choice);
        }
    }
    number
}

fn variant(want: &Want, video: Option<usize>, audio: Option<usize>) -> Variant {
    Variant {
        name: want.name.clone(),
        video,
        audio,
        subtitles: None,
    }
}

fn label_of(wish: &RenditionSpec, said: Option<&str>, usual: &str) -> TrackLabel {
    let language = wish.language.clone().or_else(|| language::tag(said?));
    TrackLabel {
        name: wish
            .name
            .clone()
            .or_else(|| language.clone())
            .unwrap_or_else(|| usual.to_owned()),
        language,
        default: false,
        autoselect: wish.autoselect.unwrap_or(true),
        forced: wish.forced,
    }
}

fn form_of(group: &GroupSpec, facts: &MediaFacts, folder: String) -> SegmentForm {
    let format = match group.kind {
        GroupKind::Hls => group.segment_format,
        GroupKind::File | GroupKind::Dash | GroupKind::Cmaf => SegmentFormat::Fmp4,
    };
    SegmentForm {
        folder,
        segment_s: segment_s(group, facts),
        format,
        single_file: group.single_file,
        encryption: group.encryption.clone().filter(|_| group.kind == GroupKind::Hls),
    }
}

/// Length of a segment: the fewest whole GOPs that reach the target, so that sound and subtitles, which could be cut
/// anywhere, are cut where pictures are.
fn segment_s(group: &GroupSpec, facts: &MediaFacts) -> f64 {
    let mut videos = group.outputs.iter().filter_map(|output| output.video.as_ref());
    let gop_s = videos
        .find(|video| video.codec != VideoCodec::Copy)
        .and_then(|video| match video.gop_frames {
            None => Some(video.gop_s),
            Some(frames) => {
                let (_, source) = facts.main_video()?;
                let rate = source.nominal_rate();
                Some(f64::from(frames) / video.fps.or(rate.map(Ratio::value))?)
            }
        })
        .filter(|gop_s| *gop_s > 0.0);
    match gop_s {
        Some(gop_s) => (group.segment_s / gop_s - 1e-6).ceil().max(1.0) * gop_s,
        None => group.segment_s,
    }
}
