//! What subtitles ask for and do not get: counted cue by cue, and told by the form that they come out in.
//!
//! Guarantees: what a form can express is not told of it. Deliberately absent: looks of a whole track (its fonts, its
//! size), which are the player's.

use crate::media::cue::COLORS;
use crate::media::subtitles::ass::Event;
use crate::media::subtitles::ass::Script;
use crate::media::subtitles::markup;
use crate::media::subtitles::position::Position;
use crate::media::subtitles::position::USUAL_PLACE;
use std::collections::BTreeSet;

/// What subtitles come out in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// 3GPP timed text, in MP4 and MOV.
    MovText,
    /// SubRip.
    SubRip,
    /// ASS, from ASS.
    Ass,
    /// WebVTT.
    WebVtt,
    /// Pictures, into which they are drawn.
    Pictures,
}

impl Holder {
    fn word(self) -> &'static str {
        match self {
            Holder::MovText => "mov_text",
            Holder::SubRip => "subrip",
            Holder::Ass => "ass",
            Holder::WebVtt => "WebVTT",
            Holder::Pictures => "pictures",
        }
    }
}

/// What cues ask for, by how many of them do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unfollowed {
    /// Run from top to bottom.
    vertical: u64,
    /// Stand within a region.
    regions: u64,
    /// Stand elsewhere than subtitles usually do.
    placed: u64,
    /// Of those: not at an edge or in a middle.
    between: u64,
    /// Of those: at a point, by ASS.
    points: u64,
    /// Have fonts, sizes, or colours that WebVTT has no name for, by ASS.
    lettered: u64,
    /// Move, fade, or are lit up word by word, by ASS.
    moving: u64,
    /// Marks of WebVTT.
    voices: u64,
    classes: u64,
    languages: u64,
    ruby: u64,
    moments: u64,
    has_style_sheet: bool,
}

impl Unfollowed {
    /// Of a track that may have a style sheet of WebVTT, and no cue yet.
    pub fn of_track(has_style_sheet: bool) -> Self {
        Unfollowed {
            has_style_sheet,
            ..Unfollowed::default()
        }
    }

    /// Of a whole script.
    pub fn of_script(script: &Script) -> Self {
        let mut unfollowed = Self::of_track(script.has_style_sheet);
        script.events.iter().for_each(|event| unfollowed.count(event));
        unfollowed
    }

    /// Counts a cue.
    pub fn count(&mut self, event: &Event) {
        let has = |name: &str| {
            let settings = event.settings.split_whitespace();
            let mut settings = settings.filter_map(|setting| setting.split_once(':'));
            settings.any(|(known, value)| known == name && !value.is_empty())
        };
        self.vertical += u64::from(has("vertical"));
        self.regions += u64::from(has("region"));
        let text = event.text();
        let is_point = ["\\pos(", "\\move("].iter().any(|tag| text.contains(tag));
        let place = Position::read(&event.settings);
        let keypad = place.map_or_else(|| markup::place_of(text), |place| place.keypad());
        let is_placed = keypad != USUAL_PLACE;
        self.placed += u64::from(is_placed || is_point);
        self.between += u64::from(is_placed && place.is_some_and(|place| place.is_between()));
        self.points += u64::from(is_point);
        self.moving += u64::from(event.moves());
        match &event.vtt {
            None => self.lettered += u64::from(markup::has_own_letters(text)),
            Some(vtt) => {
                let marks = Marks::of(vtt);
                self.voices += u64::from(marks.has_voice);
                self.classes += u64::from(marks.has_class);
                self.languages += u64::from(marks.has_language);
                self.ruby += u64::from(marks.has_ruby);
                self.moments += u64::from(marks.has_moment);
            }
        }
    }

    /// What of it a form leaves out, in words.
    pub fn words(&self, holder: Holder) -> Vec<String> {
        let (is_drawn, is_webvtt) = (holder == Holder::Pictures, holder == Holder::WebVtt);
        let in_text = matches!(holder, Holder::MovText | Holder::SubRip);
        let mut words = Vec::new();
        let mut tell = |count: u64, holds: bool, of_them: &str| {
            if count > 0 && holds {
                words.push(format!("{count} cues {of_them}"));
            }
        };
        let name = holder.word();
        tell(
            self.vertical,
            in_text,
            "run from top to bottom (vertical), which is not carried into files",
        );
        tell(
            self.vertical,
            is_drawn,
            "run from top to bottom (vertical); they are drawn from side to side, where subtitles usually stand",
        );
        tell(self.regions, !is_drawn, "stand in regions, which are not carried");
        tell(
            self.regions,
            is_drawn,
            "stand in regions, which are not followed; they are drawn where subtitles usually stand",
        );
        tell(
            self.placed,
            holder == Holder::MovText,
            "stand elsewhere than subtitles usually do, for which mov_text has no place",
        );
        tell(
            self.between,
            holder == Holder::SubRip,
            "stand in the nearest of the nine places that subrip has",
        );
        tell(
            self.points,
            holder == Holder::SubRip || is_webvtt,
            &format!("stand at points of their own (\\pos), which are not carried into {name}"),
        );
        tell(
            self.lettered,
            is_webvtt,
            "have fonts, sizes or colours of their own, which are not carried into WebVTT",
        );
        tell(
            self.moving,
            in_text || is_webvtt,
            &format!("move, fade or light up word by word, which is not carried into {name}"),
        );
        tell(
            self.moments,
            in_text || is_webvtt || is_drawn,
            "show their words one after the other (times within them); all are there at once",
        );
        tell(
            self.ruby,
            in_text || is_drawn,
            "explain letters (<ruby>); the explanation stands in brackets",
        );
        let marks = [
            (self.voices, "voices"),
            (self.classes, "classes"),
            (self.languages, "languages"),
        ];
        let marks = marks.iter().filter(|(count, _)| *count > 0);
        let marks: Vec<String> = marks.map(|(count, mark)| format!("{mark} of {count} cues")).collect();
        if !marks.is_empty() && (in_text || is_drawn) {
            let verb = if is_drawn { "not shown in" } else { "not carried into" };
            words.push(format!("{} are {verb} {name}", marks.join(", ")));
        }
        if self.has_style_sheet {
            words.push("the style sheet is not carried".to_owned());
        }
        words
    }
}

/// What WebVTT marks in the text of a cue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Marks {
    has_voice: bool,
    /// One that is none of the colours of letters, which are carried.
    has_class: bool,
    has_language: bool,
    has_ruby: bool,
    has_moment: bool,
}

impl Marks {
    fn of(vtt: &str) -> Self {
        let mut marks = Marks::default();
        let colors: BTreeSet<&str> = COLORS.iter().map(|(name, _)| *name).collect();
        for tag in markup::tags(vtt) {
            let mut parts = tag.split_whitespace().next().unwrap_or_default().split('.');
            match parts.next().unwrap_or_default() {
                "v" => marks.has_voice = true,
                "lang" => marks.has_language = true,
                "ruby" => marks.has_ruby = true,
                name if name.starts_with(|letter: char| letter.is_ascii_digit()) => marks.has_moment = true,
                _ => {}
            }
            marks.has_class |= !tag.starts_with(|letter: char| letter.is_ascii_digit())
                && parts.any(|class| !class.is_empty() && !colors.contains(class));
        }
        marks
    }
}

#[cfg(test)]
mod tests {
    use super::Event;
    use super::Holder;
    use super::Marks;
    use super::Unfollowed;

    fn counted(events: &[(&str, &str, Option<&str>)]) -> Unfollowed {
        let mut unfollowed = Unfollowed::default();
        for (settings, text, vtt) in events {
            unfollowed.count(&Event {
                start_s: 0.0,
                end_s: 1.0,
                line: format!("0,0,Default,,0,0,0,,{text}"),
                settings: (*settings).to_owned(),
                vtt: vtt.map(str::to_owned),
            });
        }
        unfollowed
    }

    #[test]
    fn what_cannot_be_followed_is_counted() {
        let places = [
            "vertical:rl line:0",
            "vertical:",
            "region:fred",
            "align:left",
            "line:40%",
            "line:90%",
            "",
        ];
        let found = counted(&places.map(|settings| (settings, "x", Some("x"))));
        assert_eq!((found.vertical, found.regions), (1, 1));
        assert_eq!((found.placed, found.between), (2, 1));
        let found = counted(&[
            ("", "{\\an8}x", None),
            ("", "{\\an2}x", None),
            ("", "{\\pos(1,2)}x", None),
            ("", "{\\c&H0000FF&}x{\\c&H123456&}y", None),
            ("", "{\\c&H0000FF&}x{\\c}", None),
            ("", "{\\fad(1,2)}x", None),
        ]);
        assert_eq!((found.placed, found.points, found.lettered, found.moving), (2, 1, 1, 1));
    }

    #[test]
    fn a_form_is_told_only_what_it_lacks() {
        let found = counted(&[("line:0", "x", Some("<v Esme><c.yellow>x</c></v>"))]);
        assert_eq!(found.words(Holder::WebVtt), [""; 0]);
        assert_eq!(
            found.words(Holder::Pictures),
            ["voices of 1 cues are not shown in pictures"]
        );
        assert_eq!(
            found.words(Holder::SubRip),
            ["voices of 1 cues are not carried into subrip"]
        );
        assert_eq!(
            found.words(Holder::MovText),
            [
                "1 cues stand elsewhere than subtitles usually do, for which mov_text has no place",
                "voices of 1 cues are not carried into mov_text"
            ]
        );
        let found = counted(&[("", "{\\pos(1,2)}{\\k20}x", None)]);
        assert_eq!(found.words(Holder::Ass), [""; 0]);
        assert_eq!(found.words(Holder::WebVtt).len(), 2);
    }

    #[test]
    fn marks_are_found_with_their_classes() {
        let none = Marks::default();
        for (vtt, wanted) in [
            ("plain <i>x</i> <c.red>y</c> a < b", none),
            (
                "<c.bg_red>y</c>",
                Marks {
                    has_class: true,
                    ..none
                },
            ),
            (
                "<v.loud Esme>y",
                Marks {
                    has_voice: true,
                    has_class: true,
                    ..none
                },
            ),
            (
                "<v E. B. White>y",
                Marks {
                    has_voice: true,
                    ..none
                },
            ),
            (
                "<lang en-GB>y</lang>",
                Marks {
                    has_language: true,
                    ..none
                },
            ),
            ("<ruby>a<rt>b</rt></ruby>", Marks { has_ruby: true, ..none }),
            (
                "a <00:01.000>b",
                Marks {
                    has_moment: true,
                    ..none
                },
            ),
        ] {
            assert_eq!(Marks::of(vtt), wanted, "{vtt}");
        }
    }
}
