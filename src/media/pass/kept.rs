//! What a file says of itself beside its tracks: tags, chapters, timecode, cover.
//!
//! Guarantees: nothing says where a recording was made, or on which device, unless all is asked for. Deliberately
//! absent: tracks.

use crate::media::av::Demuxer;
use crate::media::facts::MediaFacts;
use crate::media::facts::Ratio;
use crate::media::facts::StreamFacts;
use crate::media::facts::StreamKind;
use crate::media::pass::attempt::Pass;
use crate::media::pass::chapters;
use crate::media::pass::chapters::Taken;
use crate::media::pass::file_writer::Cover;
use crate::media::pass::file_writer::FileTags;
use crate::media::pass::plan::Form;
use crate::media::pass::plan::OutputPlan;
use crate::media::spec::Container;
use crate::media::spec::MetadataRule;
use std::collections::BTreeMap;

/// Tags that tell of the content.
const BASIC: [&str; 29] = [
    "title",
    "subtitle",
    "artist",
    "album",
    "album_artist",
    "author",
    "composer",
    "performer",
    "conductor",
    "publisher",
    "genre",
    "track",
    "tracktotal",
    "disc",
    "disctotal",
    "date",
    "year",
    "comment",
    "description",
    "synopsis",
    "copyright",
    "grouping",
    "lyrics",
    "show",
    "season_number",
    "episode_id",
    "episode_sort",
    "network",
    "creation_time",
];
/// Tags that tell of the container itself; they mean nothing in another one.
const OF_THE_CONTAINER: [&str; 10] = [
    "major_brand",
    "minor_version",
    "compatible_brands",
    "encoder",
    "handler_name",
    "vendor_id",
    "duration",
    "timecode",
    "encoding_tool",
    "language",
];

/// Whether a container has a place for chapters.
pub fn holds_chapters(container: Container) -> bool {
    !matches!(container, Container::Ts | Container::Wav | Container::Flac)
}

/// Whether a container has a place for timecode.
pub fn holds_timecode(container: Container) -> bool {
    matches!(container, Container::Mp4 | Container::Mov | Container::Mkv)
}

/// Whether a container has a place for a cover in an output without pictures.
pub fn holds_cover(container: Container) -> bool {
    matches!(
        container,
        Container::M4a | Container::Mp4 | Container::Mp3 | Container::Flac
    )
}

/// The tags that are kept, and the names of those that are not.
pub fn tags(facts: &MediaFacts, rule: MetadataRule) -> (BTreeMap<String, String>, Vec<String>) {
    let mut kept = BTreeMap::new();
    let mut left_out = Vec::new();
    for (key, value) in &facts.tags {
        let lower = key.to_ascii_lowercase();
        if OF_THE_CONTAINER.contains(&lower.as_str()) {
            continue;
        }
        let is_kept = match rule {
            MetadataRule::All => true,
            MetadataRule::Basic => BASIC.contains(&lower.as_str()),
            MetadataRule::None => false,
        };
        if is_kept {
            kept.insert(lower, value.clone());
        } else {
            left_out.push(key.clone());
        }
    }
    (kept, left_out)
}

/// The cover of the source, if it has one.
pub(super) fn cover(demuxer: &Demuxer, facts: &MediaFacts) -> Option<Cover> {
    let is_cover = |kind: &StreamKind| matches!(kind, StreamKind::Video(video) if video.attached_picture);
    let stream = facts.streams.iter().find(|stream| is_cover(&stream.kind))?;
    let raw = demuxer.stream(stream.index)?;
    Some(Cover {
        parameters: raw.parameters().ok()?,
        packet: raw.attached_picture()?,
    })
}

impl Pass<'_> {
    /// What an output says of itself. `rate`: of its pictures.
    pub(super) fn file_tags(&self, output: &OutputPlan, container: Container, rate: Option<Ratio>) -> FileTags {
        let rule = self.plan.jobs[output.job].metadata;
        let (mut tags, _) = tags(self.facts, rule);
        if let Some(label) = rate
            .and_then(|rate| self.timecode(rate))
            .filter(|_| holds_timecode(container))
        {
            tags.insert("timecode".to_owned(), label);
        }
        let is_wanted = rule != MetadataRule::None;
        let has_cover = is_wanted && output.video.is_none() && holds_cover(container);
        let mut chapters = Vec::new();
        if is_wanted && holds_chapters(container) {
            let taken = self.chapters();
            chapters = chapters::written(taken.chapters, taken.end_s, container).0;
        }
        if container == Container::Ogg {
            tags.extend(chapters::comments(&std::mem::take(&mut chapters)));
        }
        FileTags {
            chapters,
            tags,
            cover: self.cover.as_ref().filter(|_| has_cover).and_then(Cover::share),
        }
    }

    /// The label of the first picture of an output with so many frames a second.
    fn timecode(&self, rate: Ratio) -> Option<String> {
        let first = self.facts.timecode.as_ref()?.first()?;
        Some(first.later_s(self.timing.start_s).at_rate(rate)?.to_string())
    }

    /// Chapters inside what is made, on the outputs' clock.
    fn chapters(&self) -> Taken {
        let timing = &self.timing;
        // Of sound that outlasts the pictures there are chapters too.
        let is_shown = |stream: &&StreamFacts| matches!(stream.kind, StreamKind::Video(_) | StreamKind::Audio(_));
        let shown = self.facts.streams.iter().filter(is_shown);
        let shown_s = shown.filter_map(|stream| stream.duration_s).max_by(f64::total_cmp);
        // A list of chapters that goes on makes the whole no longer.
        let whole_s = shown_s
            .or(self.facts.duration_s)
            .map(|whole_s| whole_s - timing.start_s);
        let end_s = [timing.expected_s, whole_s]
            .into_iter()
            .flatten()
            .max_by(f64::total_cmp);
        let ends = end_s.into_iter().chain(timing.end_s);
        chapters::taken(
            &self.facts.chapters,
            self.origin_s(),
            ends.min_by(f64::total_cmp).unwrap_or(f64::MAX),
        )
    }

    /// What the outputs of job number `job` do not have of the source's chapters, though they have a place for them.
    pub(super) fn chapters_left_out(&self, job: usize) -> Vec<String> {
        let outputs = || {
            let mine = self.plan.outputs.iter().filter(move |output| output.job == job);
            mine.filter_map(|output| match &output.form {
                Form::File(container) if holds_chapters(*container) => Some((&output.name, *container)),
                _ => None,
            })
        };
        if self.plan.jobs[job].metadata == MetadataRule::None || outputs().next().is_none() {
            return Vec::new();
        }
        let taken = self.chapters();
        let mut words = chapters::missing_words(&taken, self.facts.unread_chapters);
        words.extend(outputs().flat_map(|(name, container)| chapters::changed_words(&taken, container, name)));
        words
    }
}

#[cfg(test)]
mod tests {
    use super::tags;
    use crate::media::facts::MediaFacts;
    use crate::media::spec::MetadataRule;

    #[test]
    fn places_and_devices_are_kept_only_when_all_is() {
        let all = [
            "TITLE",
            "location",
            "com.apple.quicktime.make",
            "major_brand",
            "creation_time",
        ];
        let facts = MediaFacts {
            tags: all.map(|key| (key.to_owned(), "x".to_owned())).into(),
            ..MediaFacts::default()
        };
        let kept = |rule| {
            let (kept, left_out) = tags(&facts, rule);
            (kept.into_keys().collect::<Vec<_>>(), left_out)
        };
        let (basic, left_out) = kept(MetadataRule::Basic);
        assert_eq!(basic, ["creation_time", "title"]);
        assert_eq!(left_out, ["com.apple.quicktime.make", "location"]);
        assert_eq!(kept(MetadataRule::All).0.len(), 4);
        assert_eq!(kept(MetadataRule::None).0.len(), 0);
    }
}
