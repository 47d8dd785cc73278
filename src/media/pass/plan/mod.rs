//! What a pass makes: distinct encodes, the outputs they feed, and how outputs form groups and jobs.
//!
//! Guarantees: pure. Equal encodes of different outputs, groups and jobs appear once; video encodes stand in the
//! order of the scaling cascade, largest first. Deliberately absent: files and libav.

mod group;
mod names;
mod pictures;
mod rates;
mod sets;
mod sounds;
mod texts;

pub use group::GroupPlan;
pub use group::TrackChoice;
pub use group::TrackGroup;
pub use group::TrackLabel;
pub use group::Variant;

use crate::base::ids::JobId;
use crate::media::facts::MediaFacts;
use crate::media::pass::left_out;
use crate::media::pass::outside;
use crate::media::pass::outside::Outside;
use crate::media::spec::AudioSpec;
use crate::media::spec::Container;
use crate::media::spec::EncryptionSpec;
use crate::media::spec::GroupKind;
use crate::media::spec::GroupSpec;
use crate::media::spec::MetadataRule;
use crate::media::spec::OutputSpec;
use crate::media::spec::QualitySpec;
use crate::media::spec::RenditionKind;
use crate::media::spec::RenditionSpec;
use crate::media::spec::SegmentFormat;
use crate::media::spec::TextRule;
use crate::media::spec::TranscodeSpec;
use crate::media::spec::VideoCodec;
use crate::media::spec::VideoSpec;
use crate::media::spec::set_names;
use std::collections::BTreeSet;

/// One video encode.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoEncode {
    /// Parameters; its size fields have been resolved into `width` and `height` and are empty.
    pub spec: VideoSpec,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Name of the first output that wants it, for messages.
    pub name: String,
}

/// One audio encode, of one track of the source or of several mono ones.
#[derive(Debug, Clone, PartialEq)]
pub struct AudioEncode {
    /// The source's stream it is made of.
    pub stream: usize,
    /// Further streams, whose channels follow those of `stream`.
    pub joined: Vec<usize>,
    /// Parameters; what has been resolved below is empty, and `codec` is `Copy` only where packets are copied.
    pub spec: AudioSpec,
    /// Codec, as a probe calls it.
    pub codec_name: String,
    /// Hz.
    pub rate_hz: u32,
    /// Channels.
    pub channels: u32,
    /// Where the source has them, as libav spells it, `quad`; kept where the codec can. Empty: as that many usually are.
    pub layout: String,
    /// Bits of a sample of lossless codecs; 0: floating point numbers.
    pub bit_depth: u32,
}

impl AudioEncode {
    /// All streams of the source that it is made of.
    pub fn streams(&self) -> impl Iterator<Item = usize> + '_ {
        std::iter::once(self.stream).chain(self.joined.iter().copied())
    }
}

/// How an output is written.
#[derive(Debug, Clone, PartialEq)]
pub enum Form {
    /// One file.
    File(Container),
    /// Media segments and what belongs to them, in a folder of the set.
    Segments(SegmentForm),
    /// WebVTT segments, written from the cues of its one text track when the pass is over; it has no writer.
    Captions(SegmentForm),
}

/// How the segments of one rendition of a set are written.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentForm {
    /// Folder within the set.
    pub folder: String,
    /// Length of a segment, seconds: a whole number of GOPs.
    pub segment_s: f64,
    /// What they are.
    pub format: SegmentFormat,
    /// All in one file.
    pub single_file: bool,
    /// How they are sealed.
    pub encryption: Option<EncryptionSpec>,
}

/// One written output.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputPlan {
    /// Index of its job.
    pub job: usize,
    /// Index of its group in the job.
    pub group: usize,
    /// `{Name}`.
    pub name: String,
    /// How it is written.
    pub form: Form,
    /// Index of its video encode.
    pub video: Option<usize>,
    /// Indexes of its audio encodes, the one that players choose by themselves first.
    pub audios: Vec<usize>,
    /// Indexes of its text tracks.
    pub texts: Vec<usize>,
    /// Indexes of text tracks that stand beside it as WebVTT files.
    pub beside: Vec<usize>,
}

impl OutputPlan {
    /// How many tracks are written into it while the source is read.
    pub fn track_count(&self) -> usize {
        let texts = match self.form {
            Form::Captions(_) => 0,
            Form::File(_) | Form::Segments(_) => self.texts.len(),
        };
        usize::from(self.video.is_some()) + self.audios.len() + texts
    }
}

/// One text track, taken from the source.
#[derive(Debug, Clone, PartialEq)]
pub struct TextTrack {
    /// The source's stream.
    pub stream: usize,
}

/// One transcode job.
#[derive(Debug, Clone, PartialEq)]
pub struct JobPlan {
    /// The job.
    pub job: JobId,
    /// Publish what succeeded.
    pub partial: bool,
    /// Its renditions are compared with what they are made of.
    pub quality: Option<QualitySpec>,
    /// Groups that have outputs.
    pub groups: Vec<GroupPlan>,
    /// What is not carried over, in words.
    pub dropped: Vec<String>,
    /// What becomes of text.
    pub text: TextRule,
    /// What becomes of tags.
    pub metadata: MetadataRule,
}

/// All of a pass.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// Distinct video encodes, largest first.
    pub videos: Vec<VideoEncode>,
    /// Distinct audio encodes.
    pub audios: Vec<AudioEncode>,
    /// Text tracks.
    pub texts: Vec<TextTrack>,
    /// Written outputs.
    pub outputs: Vec<OutputPlan>,
    /// Jobs; one without groups has nothing to do.
    pub jobs: Vec<JobPlan>,
}

impl Plan {
    /// Plans the given jobs for a source.
    pub fn make(jobs: &[(&JobId, &TranscodeSpec)], facts: &MediaFacts) -> Self {
        Self::with_texts(jobs, facts, &Outside::default())
    }

    /// The same where `facts` have the streams of subtitles beside the source too.
    pub fn with_texts(jobs: &[(&JobId, &TranscodeSpec)], facts: &MediaFacts, outside: &Outside) -> Self {
        let mut plan = Plan::default();
        let all = facts;
        let display = facts.main_video().map(|(_, video)| video.display_size());
        for (number, (job, spec)) in jobs.iter().enumerate() {
            let hidden = outside.hidden_from(spec);
            let own = (!hidden.is_empty()).then(|| outside::without(all, &hidden));
            let facts = own.as_ref().unwrap_or(all);
            let mut planned = JobPlan {
                job: (*job).clone(),
                partial: spec.partial,
                quality: spec.quality.clone(),
                groups: Vec::new(),
                dropped: outside.refused(spec),
                text: spec.text,
                metadata: spec.metadata,
            };
            let groups = spec.drawn_groups();
            let names = set_names(&groups);
            for (group, set_name) in groups.iter().zip(names) {
                let at = (number, planned.groups.len());
                let group = &rates::settled(group, facts);
                let group_plan = plan.add_group(at, (group, set_name), facts, display, &mut planned);
                if !group_plan.outputs.is_empty() {
                    planned.groups.push(group_plan);
                }
            }
            plan.jobs.push(planned);
            let mut used = plan.streams_of(number, facts);
            used.extend(hidden);
            let left_out = left_out::of(&plan, number, facts, &used);
            plan.jobs[number].dropped.splice(0..0, left_out);
        }
        plan.order_cascade();
        let coded = facts
            .main_video()
            .map_or((0, 0), |(_, video)| (video.width, video.height));
        for copy in plan
            .videos
            .iter_mut()
            .filter(|video| video.spec.codec == VideoCodec::Copy)
        {
            (copy.width, copy.height) = coded;
        }
        plan
    }

    /// Streams of the source that outputs of a job are made of.
    fn streams_of(&self, job: usize, facts: &MediaFacts) -> BTreeSet<usize> {
        let mut used = BTreeSet::new();
        for output in self.outputs.iter().filter(|output| output.job == job) {
            used.extend(output.audios.iter().flat_map(|index| self.audios[*index].streams()));
            let texts = output.texts.iter().chain(&output.beside);
            used.extend(texts.map(|index| self.texts[*index].stream));
            used.extend(
                facts
                    .main_video()
                    .filter(|_| output.video.is_some())
                    .map(|(stream, _)| stream.index),
            );
        }
        used
    }

    fn add_group(
        &mut self,
        at: (usize, usize),
        (group, set_name): (&GroupSpec, String),
        facts: &MediaFacts,
        display: Option<(u32, u32)>,
        job: &mut JobPlan,
    ) -> GroupPlan {
        let mut planned = GroupPlan {
            number: at.1,
            group: group.name.clone(),
            set_name,
            kind: group.kind,
            iframe_playlists: group.iframe_playlists && group.encryption.is_none(),
            outputs: Vec::new(),
            variants: Vec::new(),
            audio_groups: Vec::new(),
            subtitle_groups: Vec::new(),
        };
        let wanted = match display {
            Some(display) => pictures::with_sizes(group, display, &mut job.dropped),
            None => Vec::new(),
        };
        let mut wants: Vec<Want> = wanted;
        let is_captions = |output: &&OutputSpec| {
            let rendition = output.rendition.as_ref();
            rendition.is_some_and(|rendition| rendition.kind == Some(RenditionKind::Subtitle))
        };
        let sound_only = group
            .outputs
            .iter()
            .filter(|output| (output.video.is_none() || display.is_none()) && !is_captions(output));
        for output in sound_only {
            let fell_back = output.video.is_some();
            match (&output.audio, facts.main_audio()) {
                (Some(spec), Some(_)) => {
                    let known = wants
                        .iter()
                        .any(|want| want.fell_back && fell_back && want.audio.as_ref() == Some(spec));
                    if known {
                        continue;
                    }
                    wants.push(Want {
                        name: output.name.clone(),
                        video: None,
                        audio: Some(spec.clone()),
                        rendition: output.rendition.clone().unwrap_or_default(),
                        fell_back,
                    });
                }
                _ => job.dropped.push(format!(
                    "{}: the source has no {}",
                    output.name,
                    if fell_back { "video" } else { "audio" }
                )),
            }
        }
        names::name_sound(&mut wants);
        for want in &wants {
            let video = want.video.as_ref().map(|(spec, width, height)| {
                self.video_of(VideoEncode {
                    spec: spec.clone(),
                    width: *width,
                    height: *height,
                    name: want.name.clone(),
                })
            });
            let codec = want.audio.as_ref().map(|spec| spec.codec);
            let container = group
                .container
                .filter(|container| video.is_some() || container.is_audio_only() || !want.fell_back)
                .unwrap_or(Container::usual(video.is_some(), codec));
            let sounds = match &want.audio {
                Some(spec) => {
                    let into = match group.kind {
                        GroupKind::File => container,
                        // Segments of a transport stream hold less than fragments of MP4.
                        _ if group.kind == GroupKind::Hls && group.segment_format == SegmentFormat::Ts => Container::Ts,
                        GroupKind::Hls | GroupKind::Dash | GroupKind::Cmaf => Container::Mp4,
                    };
                    self.sounds_of(spec, facts, &want.name, into, &mut job.dropped)
                }
                None => Vec::new(),
            };
            if video.is_none() && sounds.is_empty() {
                continue;
            }
            match group.kind {
                GroupKind::File => {
                    let (texts, beside) = self.texts_of(container, video.is_some(), job.text, facts);
                    planned.outputs.push(self.outputs.len());
                    self.outputs.push(OutputPlan {
                        job: at.0,
                        group: at.1,
                        name: want.name.clone(),
                        form: Form::File(container),
                        video,
                        audios: sounds,
                        texts,
                        beside,
                    });
                }
                GroupKind::Hls | GroupKind::Dash | GroupKind::Cmaf => {
                    self.add_rendition(at, group, want, (video, &sounds), facts, &mut planned);
                }
            }
        }
        for output in group.outputs.iter().filter(is_captions) {
            let has_others = !planned.variants.is_empty();
            if has_others && !self.add_captions(at, group, output, facts, &mut planned) {
                job.dropped
                    .push(format!("{}: the source has no such text track", output.name));
            }
        }
        let has_pictures = planned.variants.iter().any(|variant| variant.video.is_some());
        if has_pictures && job.text != TextRule::Drop && !group.outputs.iter().any(|output| is_captions(&output)) {
            self.carry_captions(at, group, facts, &mut planned);
        }
        planned.join_groups(group);
        planned
    }
}

/// One output as it will be made.
struct Want {
    name: String,
    video: Option<(VideoSpec, u32, u32)>,
    audio: Option<AudioSpec>,
    /// Its place in a set.
    rendition: RenditionSpec,
    /// Was to have video.
    fell_back: bool,
}

#[cfg(test)]
mod tests {
    use super::Form;
    use super::Plan;
    use crate::base::ids::JobId;
    use crate::media::facts::MediaFacts;
    use crate::media::spec::Container;
    use crate::media::spec::TranscodeSpec;

    fn facts(streams: &str) -> MediaFacts {
        let text =
            format!("{{\"format_name\":\"mov\",\"format_long_name\":\"\",\"size_bytes\":1,\"streams\":[{streams}]}}");
        serde_json::from_str(&text).expect("facts")
    }
    const HEAD: &str = "\"codec_long_name\":\"\",\"codec_tag_string\":\"\",\"codec_tag\":\"\",\
        \"time_base\":{\"num\":1,\"den\":1},\"default\":true,\"decodable\":true";
    fn video() -> String {
        format!(
            "{{\"index\":0,\"codec_name\":\"h264\",{HEAD},\"type\":\"video\",\"width\":1280,\"height\":720,\
            \"rotation_degrees\":0,\"mirrored\":false,\"bit_depth\":8,\"field_order\":\"progressive\",\
            \"color_range\":\"tv\",\"color_primaries\":\"bt709\",\"color_transfer\":\"bt709\",\"color_space\":\"bt709\",\
            \"hdr\":\"sdr\",\"has_b_frames\":0,\"attached_picture\":false}}"
        )
    }
    fn audio() -> String {
        format!(
            "{{\"index\":1,\"codec_name\":\"aac\",{HEAD},\"type\":\"audio\",\"sample_rate_hz\":44100,\"channels\":6,\
            \"channel_layout\":\"5.1\"}}"
        )
    }
    fn ladder() -> TranscodeSpec {
        let rung = |height: u32| {
            format!(
                "[[group.output]]\nname=\"{height}p\"\nvideo={{codec=\"h264\",height={height}}}\naudio={{codec=\"aac\"}}\n"
            )
        };
        let rungs = [1080, 720, 360].map(rung).concat();
        toml::from_str(&format!(
            "[[group]]\nkind=\"file\"\n{rungs}[[group]]\nkind=\"hls\"\n{rungs}"
        ))
        .expect("a spec")
    }
    fn plan(streams: &str) -> Plan {
        Plan::make(&[(&JobId::from("j"), &ladder())], &facts(streams))
    }

    #[test]
    fn equal_encodes_are_made_once() {
        let plan = plan(&format!("{},{}", video(), audio()));
        let sizes: Vec<_> = plan.videos.iter().map(|video| (video.width, video.height)).collect();
        assert_eq!(sizes, [(1280, 720), (640, 360)]);
        assert_eq!(plan.audios.len(), 1);
        assert_eq!((plan.audios[0].rate_hz, plan.audios[0].channels), (44_100, 2));
        // Two files; two folders of pictures and one of sound.
        assert_eq!(plan.outputs.len(), 5);
        let variants = &plan.jobs[0].groups[1].variants;
        assert_eq!(variants.len(), 2);
        assert_eq!(
            (variants[0].audio, variants[1].audio),
            (Some(0), Some(0)),
            "one sound for both"
        );
        assert_eq!(
            plan.jobs[0].dropped.len(),
            2,
            "1080p of both groups: {:?}",
            plan.jobs[0].dropped
        );
        assert_eq!(plan.jobs[0].groups[1].set_name, "hls");
    }

    #[test]
    fn a_source_without_pictures_gives_its_sound_once() {
        let plan = plan(&audio());
        assert!(plan.videos.is_empty());
        let names: Vec<_> = plan.outputs.iter().map(|output| output.name.as_str()).collect();
        assert_eq!(names, ["audio", "audio"]);
        assert_eq!(plan.outputs[0].form, Form::File(Container::M4a));
    }

    #[test]
    fn a_source_without_sound_gives_silent_outputs() {
        let plan = plan(&video());
        assert_eq!(plan.outputs.len(), 4);
        assert!(
            plan.outputs
                .iter()
                .all(|output| output.audios.is_empty() && output.video.is_some())
        );
    }
}
