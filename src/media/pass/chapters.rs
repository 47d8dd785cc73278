//! Chapters of a source as its outputs have them: moved to their clock, cut to what is made, and put in a row where a
//! container knows but one at a time.
//!
//! Guarantees: pure; what an output does not have as the source does is told in words. Deliberately absent: which
//! containers have chapters at all (`kept`).

use crate::media::facts::ChapterFacts;
use crate::media::spec::Container;

/// Bytes of a title that are written; those of QuickTime count theirs in 16 bits.
const MAX_TITLE_BYTES: usize = 32_000;
/// Titles named where chapters are left out.
const MAX_NAMED: usize = 3;
/// Chapters nearer to one another than this begin together: containers count milliseconds.
const SAME_S: f64 = 0.001;

/// Where containers have no time between chapters, less of it than this is none: programs end a chapter a frame early.
const LEAST_GAP_S: f64 = 0.05;

/// One chapter of an output: its beginning and end, seconds of the output, and its title.
pub type Chapter = (f64, f64, Option<String>);

/// Chapters on the clock of what is made.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Taken {
    /// Those of which something is made.
    pub chapters: Vec<Chapter>,
    /// The others.
    pub outside: Vec<ChapterFacts>,
    /// Where what is made ends; `f64::MAX`: nobody knows.
    pub end_s: f64,
}

/// How many chapters of an output are not as they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Changed {
    /// They end sooner.
    pub shortened: usize,
    /// They are not there.
    pub left_out: usize,
    /// They last until the next one, or until the end.
    pub lengthened: usize,
}

/// Chapters of a source of which the time from `zero_s` on is made, until `end_s` of the outputs' clock.
pub fn taken(all: &[ChapterFacts], zero_s: f64, end_s: f64) -> Taken {
    let mut taken = Taken {
        end_s,
        ..Taken::default()
    };
    for chapter in all {
        let start_s = (chapter.start_s - zero_s).max(0.0);
        let until_s = (chapter.end_s - zero_s).min(end_s);
        if until_s > start_s {
            taken.chapters.push((start_s, until_s, chapter.title.clone()));
        } else {
            taken.outside.push(chapter.clone());
        }
    }
    taken
}

/// Whether a container knows one chapter at a time, by its beginning.
fn is_in_a_row(container: Container) -> bool {
    matches!(
        container,
        Container::Mp4 | Container::M4a | Container::Mov | Container::Ogg
    )
}

/// Chapters as comments of Vorbis, which is how Ogg holds them (xiph.org, "Chapter Extension"). libav writes them for each codec
/// but Vorbis itself; as tags they are written for all.
pub fn comments(chapters: &[Chapter]) -> impl Iterator<Item = (String, String)> {
    chapters.iter().enumerate().flat_map(|(number, (start_s, _, title))| {
        let ms = (start_s * 1000.0).round() as u64;
        let (hours, minutes) = (ms / 3_600_000, ms / 60_000 % 60);
        let start = format!("{hours:02}:{minutes:02}:{:02}.{:03}", ms / 1000 % 60, ms % 1000);
        let named = title.clone().map(|title| (format!("CHAPTER{number:03}NAME"), title));
        [(format!("CHAPTER{number:03}"), start)].into_iter().chain(named)
    })
}

/// Chapters as a container has them in a file that ends at `until_s`, and how many of them are not as they were.
pub fn written(mut chapters: Vec<Chapter>, until_s: f64, container: Container) -> (Vec<Chapter>, Changed) {
    for (_, _, title) in &mut chapters {
        if let Some(title) = title {
            let mut cuts = (0..=title.len().min(MAX_TITLE_BYTES)).rev();
            let cut = cuts.find(|cut| title.is_char_boundary(*cut));
            title.truncate(cut.unwrap_or(0));
        }
    }
    if !is_in_a_row(container) {
        return (chapters, Changed::default());
    }
    // Of those that begin together the first is the longest, which the others are parts of.
    chapters.sort_by(|one, other| one.0.total_cmp(&other.0).then(other.1.total_cmp(&one.1)));
    let mut row: Vec<Chapter> = Vec::with_capacity(chapters.len());
    if let Some((first_s, _, _)) = chapters.first().filter(|(first_s, _, _)| *first_s >= SAME_S) {
        // The first one in a row begins at the beginning, whatever it says.
        row.push((0.0, *first_s, Some(String::new())));
    }
    let mut changed = Changed::default();
    for (start_s, end_s, title) in chapters {
        match row.last_mut() {
            Some(last) if start_s - last.0 < SAME_S => {
                changed.left_out += 1;
                continue;
            }
            Some(last) if last.1 - start_s >= SAME_S => {
                last.1 = start_s;
                changed.shortened += 1;
            }
            _ => {}
        }
        // One without a title would be left out by the muxer, and the one before it last until its end.
        row.push((start_s, end_s, Some(title.unwrap_or_default())));
    }
    // Of Ogg's only beginnings are written.
    let last_s = (container == Container::Ogg && until_s < f64::MAX).then_some(until_s);
    let nexts = row.iter().skip(1).map(|next| Some(next.0)).chain([last_s]);
    let is_apart = |(chapter, next_s): &(&Chapter, Option<f64>)| next_s.is_some_and(|s| s - chapter.1 >= LEAST_GAP_S);
    changed.lengthened = row.iter().zip(nexts).filter(is_apart).count();
    (row, changed)
}

/// What is told of the chapters that an output in this container, called `name`, does not have as the source does.
pub fn changed_words(taken: &Taken, container: Container, name: &str) -> impl Iterator<Item = String> + use<> {
    let (_, changed) = written(taken.chapters.clone(), taken.end_s, container);
    let ends = match changed.shortened {
        0 => None,
        1 => Some("1 ends where the next begins".to_owned()),
        many => Some(format!("{many} end where the next begins")),
    };
    let missing = match changed.left_out {
        0 => None,
        1 => Some("1 that begins with another is left out".to_owned()),
        many => Some(format!("{many} that begin with another are left out")),
    };
    let words: Vec<String> = ends.into_iter().chain(missing).collect();
    let overlap = (!words.is_empty()).then(|| {
        format!(
            "chapters that overlap: {name} has one at a time, so {}",
            words.join(" and ")
        )
    });
    let next = match container {
        Container::Ogg => "until the next begins or the file ends",
        _ => "until the next begins",
    };
    let apart = match changed.lengthened {
        0 => None,
        1 => Some(format!("1 lasts {next}")),
        many => Some(format!("{many} last {next}")),
    };
    let apart = apart.map(|words| format!("time between chapters: {name} has no place for it, so {words}"));
    overlap.into_iter().chain(apart)
}

/// What is told of the chapters that no output has: those outside of what is made, and `unread` ones.
pub fn missing_words(taken: &Taken, unread: u32) -> Vec<String> {
    let mut words = Vec::new();
    if !taken.outside.is_empty() {
        let (count, all) = (taken.outside.len(), taken.outside.len() + taken.chapters.len());
        let named = taken.outside.iter().filter_map(|chapter| chapter.title.as_deref());
        let named = named.filter(|title| !title.is_empty() && title.len() < 100);
        let named: Vec<String> = named.take(MAX_NAMED).map(|title| format!("{title:?}")).collect();
        let named = match named.is_empty() {
            true => String::new(),
            false if named.len() < count => format!(" ({}, ...)", named.join(", ")),
            false => format!(" ({})", named.join(", ")),
        };
        words.push(format!("chapters: {count} of {all} outside of what is made{named}"));
    }
    if unread > 0 {
        words.push(format!(
            "chapters: {unread} that are within others, out of order, or outside of what is joined"
        ));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::Changed;
    use super::ChapterFacts;
    use super::Taken;
    use super::changed_words;
    use super::missing_words;
    use super::taken;
    use super::written;
    use crate::media::spec::Container;

    fn chapter(start_s: f64, end_s: f64, title: &str) -> ChapterFacts {
        ChapterFacts {
            start_s,
            end_s,
            title: (!title.is_empty()).then(|| title.to_owned()),
        }
    }

    #[test]
    fn chapters_are_cut_to_what_is_made() {
        let all = [
            chapter(0.0, 2.0, "a"),
            chapter(2.0, 9.0, "b"),
            chapter(8.0, 8.0, ""),
            chapter(8.0, 9.0, "d"),
        ];
        let found = taken(&all, 1.0, 4.0);
        assert_eq!(
            found.chapters,
            [(0.0, 1.0, Some("a".to_owned())), (1.0, 4.0, Some("b".to_owned()))]
        );
        assert_eq!(
            missing_words(&found, 1),
            [
                "chapters: 2 of 4 outside of what is made (\"d\", ...)",
                "chapters: 1 that are within others, out of order, or outside of what is joined"
            ]
        );
        assert!(missing_words(&taken(&all[..2], 0.0, 9.0), 0).is_empty());
    }

    #[test]
    fn a_row_has_one_at_a_time_and_no_chapter_without_a_title() {
        let title = |title: &str| Some(title.to_owned());
        let nested = vec![
            (1.0, 2.0, title("scene")),
            (0.0, 2.0, title("part")),
            (0.0, 1.0, None),
            (2.0, 3.0, None),
        ];
        let found = Taken {
            chapters: nested.clone(),
            outside: Vec::new(),
            end_s: 3.0,
        };
        let (row, changed) = written(nested.clone(), 3.0, Container::Mp4);
        assert_eq!(
            row,
            [
                (0.0, 1.0, title("part")),
                (1.0, 2.0, title("scene")),
                (2.0, 3.0, title(""))
            ]
        );
        let both = Changed {
            shortened: 1,
            left_out: 1,
            lengthened: 0,
        };
        assert_eq!(changed, both);
        assert_eq!(
            changed_words(&found, Container::Mov, "m").collect::<Vec<_>>(),
            [
                "chapters that overlap: m has one at a time, so 1 ends where the next begins and 1 that begins with another \
             is left out"
            ]
        );
        assert_eq!(
            written(nested.clone(), 3.0, Container::Mkv),
            (nested, Changed::default())
        );
        let late = written(vec![(1.0, 2.0, title("late"))], 9.0, Container::M4a);
        assert_eq!(late.0, [(0.0, 1.0, title("")), (1.0, 2.0, title("late"))]);
        assert_eq!(late.1, Changed::default());
        assert_eq!(changed_words(&found, Container::Mkv, "m").next(), None);
    }

    #[test]
    fn time_between_chapters_is_told_where_there_is_no_place_for_it() {
        let all = [
            chapter(1.0, 2.0, "a"),
            chapter(2.03, 3.0, "b"),
            chapter(4.0, 4.5, ""),
            chapter(6.0, 7.0, "d"),
        ];
        let found = taken(&all, 0.0, 10.0);
        let words = |container| changed_words(&found, container, "x").collect::<Vec<_>>();
        let wanted = "time between chapters: x has no place for it, so 2 last until the next begins";
        assert_eq!(words(Container::Mp4), [wanted]);
        let wanted = "time between chapters: x has no place for it, so 3 last until the next begins or the file ends";
        assert_eq!(words(Container::Ogg), [wanted]);
        assert_eq!(words(Container::Mkv), [""; 0]);
        assert_eq!(words(Container::Mp3), [""; 0]);
    }

    #[test]
    fn a_title_without_end_is_cut_between_letters() {
        let (row, _) = written(vec![(0.0, 1.0, Some("é".repeat(40_000)))], 1.0, Container::Mkv);
        let title = row[0].2.as_deref().expect("a title");
        assert_eq!(title.len(), 32_000);
        assert!(title.chars().all(|letter| letter == 'é'));
    }
}
