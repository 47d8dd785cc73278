//! Text subtitles on their way through the pass: decoded where the source is read, written into files at once, kept as
//! cues for what is written at the end.
//!
//! Guarantees: times are the source's to the millisecond, counted from the pass's origin and cut to its clip. Where a
//! container shows one text at a time, those that overlap are shown together. Deliberately absent: choosing tracks.

use crate::base::fault::Fault;
use crate::media::av::AvError;
use crate::media::av::Packet;
use crate::media::av::Parameters;
use crate::media::av::SubtitleDecoder;
use crate::media::av::SubtitleEncoder;
use crate::media::av::subtitle::Shown;
use crate::media::cue::Cue;
use crate::media::error;
use crate::media::facts::Ratio;
use crate::media::pass::clock::Origin;
use crate::media::pass::output::Health;
use crate::media::pass::output::Output;
use crate::media::pass::output::TrackId;
use crate::media::spec::Container;
use crate::media::subtitles;
use crate::media::subtitles::Event;
use crate::media::subtitles::Holder;
use crate::media::subtitles::Places;
use crate::media::subtitles::Position;
use crate::media::subtitles::Script;
use crate::media::subtitles::Unfollowed;
use std::collections::BTreeSet;
use std::collections::VecDeque;

/// Unit of text packets.
pub const MILLISECOND: Ratio = Ratio { num: 1, den: 1000 };
/// How long text without a length stays, at most.
const LONGEST_MS: i64 = 7_000;
/// Rows of the decoder's canvas for captions.
const CAPTION_ROWS: u32 = 288;
/// So much later than the packets around it text may stand in a file and still find its neighbours.
const LATE_MS: i64 = 5_000;

/// How a container holds text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextForm {
    /// 3GPP timed text: one at a time.
    MovText,
    /// SubRip.
    SubRip,
    /// ASS with its styles.
    Ass,
    /// WebVTT.
    WebVtt,
}

impl TextForm {
    /// In a container, of a codec; none: it has no place for text.
    pub fn of(container: Container, codec_name: &str) -> Option<Self> {
        if !subtitles::is_text(codec_name) {
            return None;
        }
        match container {
            Container::Mp4 | Container::Mov => Some(TextForm::MovText),
            Container::Mkv if matches!(codec_name, "ass" | "ssa") => Some(TextForm::Ass),
            Container::Mkv => Some(TextForm::SubRip),
            Container::Webm => Some(TextForm::WebVtt),
            _ => None,
        }
    }

    /// What a probe calls a stream of it.
    pub fn stream_name(self) -> &'static str {
        match self {
            TextForm::MovText => "mov_text",
            TextForm::SubRip => "subrip",
            TextForm::Ass => "ass",
            TextForm::WebVtt => "webvtt",
        }
    }

    fn holder(self) -> Holder {
        match self {
            TextForm::MovText => Holder::MovText,
            TextForm::SubRip => Holder::SubRip,
            TextForm::Ass => Holder::Ass,
            TextForm::WebVtt => Holder::WebVtt,
        }
    }

    /// A cue as its encoder takes it: SubRip has nine places, and of those the one nearest to that of WebVTT; the encoder
    /// of 3GPP timed text knows colours only by the longer of their two names.
    fn line_of(self, event: &Event) -> String {
        let place = Position::read(&event.settings).map(|position| position.keypad());
        match (self, place) {
            (TextForm::SubRip, Some(place)) => event.at(place).line,
            (TextForm::MovText, _) => ["&", "}", "\\"].iter().fold(event.line.clone(), |line, end| {
                line.replace(&format!("\\c{end}"), &format!("\\1c{end}"))
            }),
            _ => event.line.clone(),
        }
    }

    /// An encoder for lines of an ASS header.
    pub fn encoder(self, header: &str) -> Result<SubtitleEncoder, AvError> {
        SubtitleEncoder::open(self.stream_name(), header)
    }
}

/// One text track of the source, or beside it.
#[derive(Debug)]
pub struct TextIn {
    origin: TextOrigin,
    header: String,
    /// Where its styles put text.
    places: Places,
    cues: Vec<Cue>,
    unfollowed: Unfollowed,
}

/// Where text comes from.
#[derive(Debug)]
enum TextOrigin {
    /// Packets of a stream of the file.
    Stream {
        stream: usize,
        unit: Ratio,
        decoder: SubtitleDecoder,
    },
    /// Closed captions inside the pictures; time stamps are those of the pass.
    Captions(SubtitleDecoder),
    /// A file of its own, read before; its times count from the pass's origin.
    Outside(VecDeque<Event>),
}

impl TextIn {
    /// Opens its decoder.
    pub fn open(stream: usize, parameters: &Parameters, unit: Ratio) -> Result<Self, AvError> {
        let decoder = SubtitleDecoder::open(parameters, unit)?;
        let head = String::from_utf8_lossy(parameters.extradata());
        let has_style_sheet = parameters.codec_name() == "webvtt" && subtitles::vtt::has_style_sheet(&head);
        let header = decoder.header();
        let origin = TextOrigin::Stream { stream, unit, decoder };
        Ok(Self::of(origin, header, has_style_sheet))
    }

    /// Opens a decoder of closed captions; `unit` is that of the pass.
    pub fn captions(unit: Ratio) -> Result<Self, AvError> {
        let decoder = SubtitleDecoder::captions(unit)?;
        let header = decoder.header();
        Ok(Self::of(TextOrigin::Captions(decoder), header, false))
    }

    /// Text of a file beside the source, on the clock of the pass.
    pub fn outside(script: Script) -> Self {
        let has_style_sheet = script.has_style_sheet;
        Self::of(
            TextOrigin::Outside(script.events.into()),
            script.header,
            has_style_sheet,
        )
    }

    fn of(origin: TextOrigin, header: String, has_style_sheet: bool) -> Self {
        TextIn {
            origin,
            places: Places::of(&header),
            header,
            cues: Vec::new(),
            unfollowed: Unfollowed::of_track(has_style_sheet),
        }
    }

    /// Its stream in the source's file; none: it lies beside.
    fn stream(&self) -> Option<usize> {
        match &self.origin {
            TextOrigin::Stream { stream, .. } => Some(*stream),
            TextOrigin::Captions(_) | TextOrigin::Outside(_) => None,
        }
    }

    /// The next text beside the source that begins before a moment.
    fn next_outside(&mut self, until_s: f64) -> Option<Event> {
        match &mut self.origin {
            TextOrigin::Stream { .. } | TextOrigin::Captions(_) => None,
            TextOrigin::Outside(events) => {
                let is_due = events.front().is_some_and(|event| event.start_s <= until_s);
                is_due.then(|| events.pop_front()).flatten()
            }
        }
    }

    /// Where its styles put text.
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// The ASS header of its lines.
    pub fn header(&self) -> &str {
        &self.header
    }
}

/// Where one text track goes.
pub struct TextFeed<'a> {
    /// Its number in the plan.
    pub text: usize,
    /// The output.
    pub output: &'a Output,
    /// How it is written there.
    pub form: TextForm,
    /// Its encoder.
    pub encoder: SubtitleEncoder,
    /// Where the styles of its track put text.
    pub places: Places,
    /// Cues that are on, for forms that show one text at a time.
    pub waiting: Vec<(i64, i64, Event)>,
}

/// All text of a pass.
pub struct Texts<'a> {
    /// By number in the plan; none: it cannot be decoded.
    pub tracks: Vec<Option<TextIn>>,
    /// Where they go.
    pub feeds: Vec<TextFeed<'a>>,
    /// Those that come out as WebVTT of their own, beside an output or in a set.
    pub apart: BTreeSet<usize>,
    /// Whether anybody waits for the outputs.
    pub health: &'a Health,
    /// Where a clip ends, seconds from the origin.
    pub end_s: Option<f64>,
    /// Where everything ends, as far as it is known: text beside the source that comes later is nobody's.
    pub last_s: Option<f64>,
}

impl Texts<'_> {
    /// Streams that are wanted.
    pub fn streams(&self) -> Vec<usize> {
        self.tracks.iter().flatten().filter_map(TextIn::stream).collect()
    }

    /// Takes a packet if it is one of text.
    pub fn take(&mut self, packet: &Packet, origin: Origin) -> bool {
        let stream = packet.stream_index();
        let mut found = false;
        for text in 0..self.tracks.len() {
            let Some(track) = self.tracks[text].as_mut() else {
                continue;
            };
            let TextOrigin::Stream {
                stream: own,
                unit,
                decoder,
            } = &mut track.origin
            else {
                continue;
            };
            if *own != stream {
                continue;
            }
            found = true;
            let Some(shown) = decoder.decode(packet) else {
                continue;
            };
            let Some(pts) = packet.pts().or_else(|| packet.dts()) else {
                continue;
            };
            let start_ms = origin.since(pts, *unit, MILLISECOND);
            let length_ms = shown
                .duration_s
                .map_or(LONGEST_MS, |duration_s| (duration_s * 1000.0).round() as i64);
            let end_ms = start_ms.saturating_add(length_ms);
            self.show(text, (start_ms, end_ms), self.end_s, shown, &packet.cue_settings());
        }
        found
    }

    /// Takes captions of the picture with that time stamp; none: there are no more pictures.
    pub fn take_captions(&mut self, captions: Option<(i64, &[u8])>) -> Result<(), AvError> {
        for text in 0..self.tracks.len() {
            let Some(TextOrigin::Captions(decoder)) = self.tracks[text].as_mut().map(|track| &mut track.origin) else {
                continue;
            };
            let packet = match captions {
                None => Packet::new()?,
                Some((pts, constructs)) => {
                    let mut packet = Packet::of_bytes(constructs)?;
                    packet.set_times(Some(pts), Some(pts), 0);
                    packet
                }
            };
            let Some((start_s, mut shown)) = decoder.decode(&packet).and_then(|shown| Some((shown.start_s?, shown)))
            else {
                continue;
            };
            let milliseconds = |seconds: f64| (seconds * 1000.0).round() as i64;
            // What is on at the end stays on.
            let length_s = shown.duration_s.filter(|_| captions.is_some());
            let end_ms = length_s.map_or(i64::MAX, |length_s| milliseconds(start_s + length_s));
            shown.lines = shown.lines.iter().map(|line| roughly_placed(line)).collect();
            self.show(
                text,
                (milliseconds(start_s), end_ms),
                self.last_s.or(self.end_s),
                shown,
                "",
            );
        }
        Ok(())
    }

    /// Takes text beside the source that begins before a moment.
    fn take_outside(&mut self, until_s: f64) {
        for text in 0..self.tracks.len() {
            while let Some(event) = self.tracks[text].as_mut().and_then(|track| track.next_outside(until_s)) {
                let milliseconds = |seconds: f64| (seconds * 1000.0).round() as i64;
                let times = (milliseconds(event.start_s), milliseconds(event.end_s));
                let shown = Shown {
                    lines: vec![event.line],
                    vtt: event.vtt,
                    ..Shown::default()
                };
                self.show(text, times, self.last_s.or(self.end_s), shown, &event.settings);
            }
        }
    }

    /// Keeps lines as cues and hands them on, cut to what is made.
    fn show(&mut self, text: usize, (start_ms, end_ms): (i64, i64), last_s: Option<f64>, shown: Shown, settings: &str) {
        let last_ms = last_s.map_or(i64::MAX, |last_s| (last_s * 1000.0).round() as i64);
        let (start_ms, end_ms) = (start_ms.max(0), end_ms.min(last_ms));
        let Some(track) = self.tracks[text].as_mut().filter(|_| end_ms > start_ms) else {
            return;
        };
        let mut events = Vec::with_capacity(shown.lines.len());
        for line in shown.lines {
            let event = Event {
                start_s: start_ms as f64 / 1000.0,
                end_s: end_ms as f64 / 1000.0,
                line,
                settings: settings.to_owned(),
                vtt: shown.vtt.clone(),
            };
            let placed = track.places.put(event.clone());
            track.unfollowed.count(&placed);
            track.cues.extend(subtitles::cue_of(&placed));
            events.push(event);
        }
        if !events.is_empty() {
            self.hand_on(text, start_ms, end_ms, &events);
        }
    }

    fn hand_on(&mut self, text: usize, start_ms: i64, end_ms: i64, events: &[Event]) {
        for feed in self.feeds.iter_mut().filter(|feed| feed.text == text) {
            let answer = if feed.form == TextForm::MovText {
                let answer = feed.flush(start_ms, self.health);
                let events = events.iter().map(|event| (start_ms, end_ms, event.clone()));
                feed.waiting.extend(events);
                answer
            } else {
                feed.write(start_ms, end_ms, events, self.health)
            };
            feed.fail_on(answer, self.health);
        }
    }

    /// The source was read so far: what ended long before is written.
    pub fn reached(&mut self, at_s: f64) {
        self.take_outside(at_s);
        let until_ms = (at_s * 1000.0) as i64 - LATE_MS;
        for feed in &mut self.feeds {
            if feed.waiting.iter().any(|(_, end_ms, _)| *end_ms <= until_ms) {
                let answer = feed.flush(until_ms, self.health);
                feed.fail_on(answer, self.health);
            }
        }
    }

    /// The source was read to its end. `whole`: what was written is worth finishing. Answers the cues by text track, and
    /// what is to be said of them.
    pub fn finish(mut self, whole: bool) -> (Vec<Option<Vec<Cue>>>, Vec<String>) {
        self.take_outside(f64::INFINITY);
        // Nothing but memory fails here, and then there is no last caption.
        let _ = self.take_captions(None);
        for feed in &mut self.feeds {
            let answer = feed.flush(i64::MAX, self.health);
            feed.fail_on(answer, self.health);
            if whole {
                feed.output.end_track(self.health);
            }
        }
        let notes = self.notes();
        let tracks = self.tracks.into_iter();
        (tracks.map(|track| track.map(|track| track.cues)).collect(), notes)
    }

    /// What is to be said of what cues ask for and outputs do not have.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for (number, track) in self.tracks.iter().enumerate() {
            let Some(track) = track else { continue };
            let feeds = self.feeds.iter().filter(|feed| feed.text == number);
            let apart = self.apart.contains(&number).then_some(Holder::WebVtt);
            let holders = feeds.map(|feed| feed.form.holder()).chain(apart);
            let words = holders.flat_map(|holder| track.unfollowed.words(holder));
            // Two forms may lack the same.
            let words: BTreeSet<String> = words.collect();
            notes.extend(words.into_iter().map(|words| format!("subtitles {number}: {words}")));
        }
        notes
    }
}

impl TextFeed<'_> {
    /// Writes what is on before a moment, cut wherever the lines that are on change.
    fn flush(&mut self, until_ms: i64, health: &Health) -> Result<(), AvError> {
        loop {
            let Some(from_ms) = self.waiting.iter().map(|(start_ms, _, _)| *start_ms).min() else {
                return Ok(());
            };
            if from_ms >= until_ms {
                return Ok(());
            }
            let changes = self
                .waiting
                .iter()
                .flat_map(|(start_ms, end_ms, _)| [*start_ms, *end_ms]);
            let to_ms = changes
                .filter(|change| *change > from_ms)
                .min()
                .unwrap_or(until_ms)
                .min(until_ms);
            let on = self.waiting.iter().filter(|(start_ms, _, _)| *start_ms <= from_ms);
            let events: Vec<Event> = on.map(|(_, _, event)| event.clone()).collect();
            self.write(from_ms, to_ms, &events, health)?;
            for (start_ms, _, _) in &mut self.waiting {
                *start_ms = (*start_ms).max(to_ms);
            }
            self.waiting.retain(|(start_ms, end_ms, _)| end_ms > start_ms);
        }
    }

    fn write(&mut self, start_ms: i64, end_ms: i64, events: &[Event], health: &Health) -> Result<(), AvError> {
        let length_ms = end_ms - start_ms;
        let mut settings = String::new();
        let bytes = match self.form {
            TextForm::WebVtt => {
                let cues: Vec<Cue> = events
                    .iter()
                    .filter_map(|event| subtitles::cue_of(&self.places.put(event.clone())))
                    .collect();
                settings = cues.first().map_or(settings, |cue| cue.settings.clone());
                let texts: Vec<String> = cues.into_iter().map(|cue| cue.text).collect();
                texts.join("\n").into_bytes()
            }
            _ => {
                let lines: Vec<String> = events.iter().map(|event| self.form.line_of(event)).collect();
                self.encoder
                    .encode(&lines, u32::try_from(length_ms).unwrap_or(u32::MAX))?
            }
        };
        if bytes.is_empty() {
            return Ok(());
        }
        let mut packet = Packet::of_bytes(&bytes)?;
        packet.set_times(Some(start_ms), Some(start_ms), length_ms);
        if !settings.is_empty() {
            packet.set_cue_settings(&settings)?;
        }
        self.output.write(TrackId::Text(self.text), packet, health);
        Ok(())
    }

    fn fail_on(&self, answer: Result<(), AvError>, health: &Health) {
        if let Err(refusal) = answer {
            let fault: Fault = error::output_refused("write the subtitles", self.form.stream_name(), &refusal);
            self.output.fail(fault, health);
        }
    }
}

/// A line of captions, of which the decoder says the cell of its first letter, above or below as players place subtitles.
fn roughly_placed(line: &str) -> String {
    let Some((before, rest)) = line.split_once("{\\an7}{\\pos(") else {
        return line.to_owned();
    };
    let Some((place, text)) = rest.split_once(")}") else {
        return line.to_owned();
    };
    let row = place.split_once(',').and_then(|(_, y)| y.parse::<u32>().ok());
    let above = if row.is_some_and(|y| y < CAPTION_ROWS / 2) {
        "{\\an8}"
    } else {
        ""
    };
    format!("{before}{above}{text}")
}

#[cfg(test)]
mod tests {
    use super::roughly_placed;

    #[test]
    fn captions_stand_above_or_below() {
        assert_eq!(
            roughly_placed("0,0,Default,,0,0,0,,{\\an7}{\\pos(115,228)}HELLO"),
            "0,0,Default,,0,0,0,,HELLO"
        );
        assert_eq!(
            roughly_placed("a,,{\\an7}{\\pos(38,16)}UP\\NTHERE"),
            "a,,{\\an8}UP\\NTHERE"
        );
        for plain in ["a,,HELLO", "a,,{\\an7}{\\pos(1"] {
            assert_eq!(roughly_placed(plain), plain);
        }
    }
}
