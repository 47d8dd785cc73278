//! The WebVTT index of a sprite: which cell of which sheet stands for which span of time.
//!
//! Guarantees: cues follow one another without gap or overlap, rise strictly, and end at the source's end; what
//! [`write()`] wrote, [`read()`] understands. Deliberately absent: caption features of WebVTT.
//!
//! A cue begins at the time of the frame its cell shows. Where exact frames were taken that is the moment asked for
//! (0, 10, 20 ...); where key frames were taken it is the key frame's own time, so a label never claims a picture
//! the viewer would not see at that time. The first cue of a sprite that begins at the source's start begins at 0.

use crate::media::sheet::CellBox;

/// One cell and the span of time it stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct Cue {
    /// First moment, milliseconds.
    pub start_ms: u64,
    /// First moment no longer covered, milliseconds.
    pub end_ms: u64,
    /// Name of the sheet, as it stands in the file.
    pub sheet: String,
    /// Where on the sheet; none: all of it.
    pub cell: Option<CellBox>,
}

/// Cues for cells labelled `at_s` (rising), the last of which lasts until `end_s`. `sheet_of` gives the name of the
/// sheet of a cell's number and its place there.
pub fn cues(at_s: &[f64], end_s: f64, mut sheet_of: impl FnMut(usize) -> (String, Option<CellBox>)) -> Vec<Cue> {
    // Two frames less than a millisecond apart still get a cue each.
    let mut starts_ms: Vec<u64> = Vec::with_capacity(at_s.len() + 1);
    for moment_s in at_s.iter().chain([&end_s]) {
        let rounded_ms = (moment_s.max(0.0) * 1000.0).round() as u64;
        let least_ms = starts_ms.last().map_or(0, |before_ms| before_ms + 1);
        starts_ms.push(rounded_ms.max(least_ms));
    }
    (0..at_s.len())
        .map(|number| {
            let (sheet, cell) = sheet_of(number);
            Cue {
                start_ms: starts_ms[number],
                end_ms: starts_ms[number + 1],
                sheet,
                cell,
            }
        })
        .collect()
}

/// The file. `notes` become NOTE blocks; they are one line each.
pub fn write(cues: &[Cue], notes: &[String]) -> String {
    let mut text = String::from("WEBVTT\n");
    for note in notes {
        text.push_str(&format!("\nNOTE {}\n", note.replace("-->", "to").replace('\n', " ")));
    }
    for cue in cues {
        text.push_str(&format!(
            "\n{} --> {}\n{}",
            clock(cue.start_ms),
            clock(cue.end_ms),
            cue.sheet
        ));
        if let Some(CellBox { x, y, width, height }) = cue.cell {
            text.push_str(&format!("#xywh={x},{y},{width},{height}"));
        }
        text.push('\n');
    }
    text
}

/// Reads the cues back. The error names the line.
pub fn read(text: &str) -> Result<Vec<Cue>, String> {
    // A carriage return ends a line by itself, too.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines = text
        .lines()
        .enumerate()
        .map(|(number, line)| (number + 1, line))
        .peekable();
    match lines.next() {
        Some((_, first)) if first == "WEBVTT" || first.starts_with("WEBVTT ") => {}
        _ => return Err("line 1 is not WEBVTT".to_owned()),
    }
    let mut cues = Vec::new();
    while let Some((number, line)) = lines.next() {
        if line.starts_with("NOTE") {
            while lines.next_if(|(_, line)| !line.is_empty()).is_some() {}
            continue;
        }
        let Some((start, end)) = line.split_once(" --> ") else {
            if line.is_empty() || lines.peek().is_some_and(|(_, next)| next.contains(" --> ")) {
                continue;
            }
            return Err(format!("line {number} is neither a time line nor an identifier"));
        };
        let bad_time = || format!("line {number} has no time");
        let (start_ms, end_ms) = (unclock(start).ok_or_else(bad_time)?, unclock(end).ok_or_else(bad_time)?);
        let (number, payload) = lines.next().ok_or_else(|| format!("nothing follows line {number}"))?;
        if payload.is_empty() {
            return Err(format!("line {number} names no picture"));
        }
        let (sheet, fragment) = match payload.rsplit_once("#xywh=") {
            Some((sheet, fragment)) => (sheet, Some(fragment)),
            None => (payload, None),
        };
        let cell = match fragment {
            Some(fragment) => Some(part(fragment).ok_or_else(|| format!("line {number} has no x,y,w,h"))?),
            None => None,
        };
        cues.push(Cue {
            start_ms,
            end_ms,
            sheet: sheet.to_owned(),
            cell,
        });
    }
    Ok(cues)
}

/// The first thing wrong with a list of cues that should follow one another; none when all is well.
pub fn flaw(cues: &[Cue]) -> Option<String> {
    for (number, cue) in cues.iter().enumerate() {
        if cue.end_ms <= cue.start_ms {
            return Some(format!("cue {} ends before it begins", number + 1));
        }
        if cues.get(number + 1).is_some_and(|next| next.start_ms != cue.end_ms) {
            return Some(format!(
                "cue {} does not begin where cue {} ends",
                number + 2,
                number + 1
            ));
        }
    }
    None
}

fn part(fragment: &str) -> Option<CellBox> {
    let mut sides = fragment.split(',').map(|side| side.parse::<u32>().ok());
    let mut side = || sides.next().flatten();
    let cell = CellBox {
        x: side()?,
        y: side()?,
        width: side()?,
        height: side()?,
    };
    sides.next().is_none().then_some(cell)
}

/// A moment as WebVTT writes it, `00:00:10.000`.
pub fn clock(ms: u64) -> String {
    format!(
        "{:02}:{:02}:{:02}.{:03}",
        ms / 3_600_000,
        ms / 60_000 % 60,
        ms / 1000 % 60,
        ms % 1000
    )
}

/// The milliseconds of a moment as WebVTT writes it, hours left out or not; none: it is no moment.
pub fn unclock(text: &str) -> Option<u64> {
    let (whole, thousandths) = text.trim().split_once('.')?;
    let mut parts = whole.split(':').rev().map(|part| part.parse::<u64>().ok());
    let seconds = parts.next()??;
    let minutes = parts.next()??;
    let hours = parts.next().unwrap_or(Some(0))?;
    if parts.next().is_some() || thousandths.len() != 3 || seconds > 59 || minutes > 59 {
        return None;
    }
    if !thousandths.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let whole_s = hours.checked_mul(3600)?.checked_add(minutes * 60 + seconds)?;
    whole_s.checked_mul(1000)?.checked_add(thousandths.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(at_s: &[f64], end_s: f64) -> Vec<Cue> {
        cues(at_s, end_s, |number| {
            (
                "{reelmill:numbered:1}".to_owned(),
                Some(CellBox {
                    x: number as u32 * 160,
                    y: 0,
                    width: 160,
                    height: 90,
                }),
            )
        })
    }

    #[test]
    fn cues_cover_the_whole_without_gaps_and_survive_the_file() {
        let cues = made(&[0.0, 10.0, 20.0], 29.97);
        let text = write(&cues, &["cells show key frames".to_owned()]);
        assert!(text.starts_with("WEBVTT\n\nNOTE cells show key frames\n\n00:00:00.000 --> 00:00:10.000\n"));
        assert!(text.ends_with("00:00:20.000 --> 00:00:29.970\n{reelmill:numbered:1}#xywh=320,0,160,90\n"));
        assert_eq!(read(&text).expect("reads"), cues);
        assert_eq!(flaw(&cues), None);
    }

    #[test]
    fn a_cue_may_name_a_whole_picture() {
        let stills = cues(&[0.0, 4.0], 8.0, |number| (format!("still-{number}.jpg"), None));
        let text = write(&stills, &[]);
        assert!(text.ends_with("00:00:04.000 --> 00:00:08.000\nstill-1.jpg\n"), "{text}");
        assert_eq!(read(&text).expect("reads"), stills);
    }

    #[test]
    fn lines_may_end_in_any_way() {
        let text = write(&made(&[0.0, 10.0], 20.0), &[]);
        for ending in ["\r\n", "\r"] {
            let other = text.replace('\n', ending);
            assert_eq!(read(&other), read(&text), "{ending:?}");
        }
    }

    #[test]
    fn hours_do_not_wrap() {
        let text = write(&made(&[0.0, 360_000.5], 360_001.0), &[]);
        assert!(text.contains("--> 100:00:00.500\n"), "{text}");
        assert_eq!(read(&text).expect("reads")[1].start_ms, 360_000_500);
    }

    #[test]
    fn frames_closer_than_a_millisecond_keep_their_order() {
        let cues = made(&[1.0, 1.0002, 1.0004], 1.0005);
        assert_eq!(flaw(&cues), None);
        assert_eq!(
            cues.iter().map(|cue| cue.start_ms).collect::<Vec<_>>(),
            [1000, 1001, 1002]
        );
    }

    #[test]
    fn gaps_and_backward_cues_are_seen() {
        let mut gap = made(&[0.0, 10.0], 20.0);
        gap[1].start_ms += 1;
        assert!(flaw(&gap).expect("a gap").contains("cue 2"));
        let mut backward = made(&[0.0], 20.0);
        backward[0].end_ms = 0;
        assert!(flaw(&backward).is_some());
    }

    #[test]
    fn broken_files_are_refused_by_line() {
        for (text, line) in [
            ("", "line 1"),
            ("WEBVTT\n\n00:00.000 --> x\na#xywh=1,2,3,4\n", "line 3"),
            ("WEBVTT\n\n00:00.000 --> 00:01.000\n", "line 3"),
            ("WEBVTT\n\n00:00.000 --> 00:01.000\n\n", "line 4"),
            ("WEBVTT\n\n00:00.000 --> 99999999999999999:00:01.000\na.jpg\n", "line 3"),
            ("WEBVTT\n\n00:00.000 --> 00:01.+10\na.jpg\n", "line 3"),
            ("WEBVTT\n\n00:00.000 --> 00:01.000\na.jpg#xywh=1,2,3,4,5\n", "line 4"),
            ("WEBVTT\n\n00:00.000 --> 00:01.000\na.jpg#xywh=1,2,3\n", "line 4"),
        ] {
            let message = read(text).expect_err(text);
            assert!(message.contains(line), "{text:?}: {message}");
        }
    }

    #[test]
    fn a_note_cannot_end_its_block_or_pose_as_a_time() {
        let text = write(&made(&[0.0], 1.0), &["a\n\n00:00:01.000 --> 00:00:02.000".to_owned()]);
        assert_eq!(read(&text).expect("reads").len(), 1);
    }
}
