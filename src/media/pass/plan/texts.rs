//! Text tracks of files: inside, where the container has a place for them, or beside.

use crate::media::facts::MediaFacts;
use crate::media::facts::StreamFacts;
use crate::media::facts::StreamKind;
use crate::media::pass::plan::Plan;
use crate::media::pass::plan::TextTrack;
use crate::media::pass::text::TextForm;
use crate::media::spec::Container;
use crate::media::spec::TextRule;
use crate::media::subtitles;

/// The tracks that are text and can be read, of the programme that is made.
pub(super) fn tracks(facts: &MediaFacts) -> impl Iterator<Item = &StreamFacts> {
    facts.streams.iter().filter(|stream| {
        let is_text = matches!(stream.kind, StreamKind::Subtitle) && subtitles::is_text(&stream.codec_name);
        is_text && stream.decodable && facts.is_of_main_program(stream)
    })
}

impl Plan {
    /// Indexes of the text tracks that go into a file, and of those that go beside it.
    pub(super) fn texts_of(
        &mut self,
        container: Container,
        has_video: bool,
        rule: TextRule,
        facts: &MediaFacts,
    ) -> (Vec<usize>, Vec<usize>) {
        let (mut inside, mut beside) = (Vec::new(), Vec::new());
        for stream in tracks(facts) {
            match rule {
                TextRule::Carry if has_video && TextForm::of(container, &stream.codec_name).is_some() => {
                    inside.push(self.text_of(stream.index));
                }
                TextRule::Webvtt => beside.push(self.text_of(stream.index)),
                TextRule::Carry | TextRule::Drop => {}
            }
        }
        (inside, beside)
    }

    /// Index of a text track, added where it is new.
    pub(super) fn text_of(&mut self, stream: usize) -> usize {
        let track = TextTrack { stream };
        self.texts.iter().position(|known| *known == track).unwrap_or_else(|| {
            self.texts.push(track);
            self.texts.len() - 1
        })
    }
}
