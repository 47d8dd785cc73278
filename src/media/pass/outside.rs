//! Subtitles that are no streams of the source, as if they were: those that lie beside it, read before the pass, and
//! closed captions inside its pictures.
//!
//! Guarantees: to the plan they are text streams after the source's own, seen by the jobs alone that name them; what is no
//! subtitles is told among what a job leaves out. Deliberately absent: finding them, and drawing (`drawn`).

use crate::base::ids::JobId;
use crate::media::facts::MediaFacts;
use crate::media::facts::Ratio;
use crate::media::facts::StreamFacts;
use crate::media::facts::StreamKind;
use crate::media::pass::PassOrder;
use crate::media::spec::TextRule;
use crate::media::spec::TranscodeSpec;
use crate::media::subtitles;
use crate::media::subtitles::Script;
use std::collections::BTreeSet;

/// All of a pass.
#[derive(Debug, Default)]
pub struct Outside {
    files: Vec<OutsideText>,
    /// The stream that captions inside the pictures are to the plan.
    captions: Option<usize>,
}

#[derive(Debug)]
struct OutsideText {
    source: String,
    read: Result<(usize, Script), String>,
}

impl Outside {
    /// Reads what the jobs name, and adds a stream for each to `facts`. `is_late`: something is shown before the source,
    /// so that their times are none of what is made. `has_captions`: they are inside the pictures.
    pub fn read(
        order: &PassOrder,
        jobs: &[(&JobId, &TranscodeSpec)],
        is_late: bool,
        has_captions: bool,
        facts: &mut MediaFacts,
    ) -> Self {
        let mut all = Outside::default();
        if has_captions && jobs.iter().any(|(_, spec)| spec.wants_text_of_captions()) {
            let index = facts.streams.len();
            facts
                .streams
                .push(stream(index, "closed captions in the pictures", None));
            all.captions = Some(index);
        }
        let carried = jobs.iter().filter(|(_, spec)| spec.text != TextRule::Drop);
        for wish in carried.flat_map(|(_, spec)| &spec.subtitles) {
            if all.files.iter().any(|known| known.source == wish.source) {
                continue;
            }
            let script = match is_late {
                true => Err("something is shown before the source, and they would come too early".to_owned()),
                false => order
                    .side
                    .read(&wish.source)
                    .map_err(|fault| fault.cause)
                    .and_then(|bytes| subtitles::text_of_file(&bytes, &wish.source)),
            };
            let read = script.map(|script| {
                let index = facts.streams.len();
                facts
                    .streams
                    .push(stream(index, "subtitles beside the source", wish.language.clone()));
                (index, script)
            });
            all.files.push(OutsideText {
                source: wish.source.clone(),
                read,
            });
        }
        all
    }

    /// Streams that a job does not see.
    pub fn hidden_from(&self, spec: &TranscodeSpec) -> BTreeSet<usize> {
        let named = |source: &str| spec.subtitles.iter().any(|wish| wish.source == source);
        let others = self.files.iter().filter(|text| !named(&text.source));
        let captions = self.captions.filter(|_| !spec.wants_text_of_captions());
        others
            .filter_map(|text| Some(text.read.as_ref().ok()?.0))
            .chain(captions)
            .collect()
    }

    /// What a job names and cannot have, in words.
    pub fn refused(&self, spec: &TranscodeSpec) -> Vec<String> {
        let named = |source: &str| spec.subtitles.iter().any(|wish| wish.source == source);
        let own = self.files.iter().filter(|text| named(&text.source));
        let words = own.filter_map(|text| Some(format!("subtitles {}: {}", text.source, text.read.as_ref().err()?)));
        words.collect()
    }

    /// The stream of captions inside the pictures; none: nobody wants them as text, or there are none.
    pub fn captions(&self) -> Option<usize> {
        self.captions
    }

    /// What the stream of this number holds; none: it is one of the source itself.
    pub fn script(&self, stream: usize) -> Option<&Script> {
        self.files
            .iter()
            .filter_map(|text| text.read.as_ref().ok())
            .find(|(index, _)| *index == stream)
            .map(|(_, script)| script)
    }
}

/// The facts as a job sees them that has nothing to do with `hidden`.
pub fn without(facts: &MediaFacts, hidden: &BTreeSet<usize>) -> MediaFacts {
    let mut facts = facts.clone();
    for stream in facts.streams.iter_mut().filter(|stream| hidden.contains(&stream.index)) {
        stream.decodable = false;
    }
    facts
}

fn stream(index: usize, what: &str, language: Option<String>) -> StreamFacts {
    StreamFacts {
        index,
        codec_name: "subrip".to_owned(),
        codec_long_name: what.to_owned(),
        profile: None,
        level: None,
        codec_tag_string: String::new(),
        codec_tag: String::new(),
        time_base: Ratio { num: 1, den: 1000 },
        start_time_s: None,
        duration_s: None,
        bitrate_kbps: None,
        frame_count: None,
        language,
        title: None,
        default: false,
        dispositions: Vec::new(),
        decodable: true,
        programs: Vec::new(),
        kind: StreamKind::Subtitle,
    }
}
