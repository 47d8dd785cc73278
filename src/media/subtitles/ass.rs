//! A script of Advanced SubStation Alpha: what libass draws from.
//!
//! Guarantees: what is not overridden stays as the script has it. Deliberately absent: drawing.

use crate::media::subtitles::markup;
use crate::media::subtitles::position::Page;
use crate::media::subtitles::position::Position;
use crate::media::subtitles::position::USUAL_PLACE;
use std::collections::BTreeMap;

/// One event of a script.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When it appears, seconds.
    pub start_s: f64,
    /// When it is gone.
    pub end_s: f64,
    /// `ReadOrder,Layer,Style,Name,MarginL,MarginR,MarginV,Effect,Text`.
    pub line: String,
    /// Where WebVTT wants it, by its cue settings; empty: it does not say.
    pub settings: String,
    /// Its text as WebVTT has it; none: it was something else.
    pub vtt: Option<String>,
}

impl Event {
    /// Its text, with ASS's overrides.
    pub fn text(&self) -> &str {
        self.line.splitn(9, ',').nth(8).unwrap_or_default()
    }

    /// The same in the place of one on a keypad.
    pub fn at(&self, place: u8) -> Self {
        let mut event = self.clone();
        let at = self.line.len() - self.text().len();
        event.line.insert_str(at, &format!("{{\\an{place}}}"));
        event
    }

    /// Whether what is seen changes while it is there.
    pub fn moves(&self) -> bool {
        let effect = self.line.split(',').nth(7).unwrap_or_default();
        let overrides = ["\\t(", "\\move", "\\fad", "\\k", "\\K"];
        !effect.trim().is_empty() || overrides.iter().any(|tag| self.text().contains(tag))
    }
}

/// What replaces the styles of a script; sizes in per cent of the picture's height.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Style {
    /// Font family.
    pub font: Option<String>,
    /// Height of letters.
    pub size_percent: Option<f64>,
    /// `#rrggbb` of the letters.
    pub color: Option<String>,
    /// `#rrggbb` of their border.
    pub border_color: Option<String>,
    /// Distance from the lower edge.
    pub margin_percent: Option<f64>,
}

/// A whole script.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Script {
    /// Everything before the first event.
    pub header: String,
    /// Events, in the order of their beginning.
    pub events: Vec<Event>,
    /// It was WebVTT with a style sheet.
    pub has_style_sheet: bool,
}

impl Script {
    /// Moves all events by some seconds; what ends before 0 is gone.
    pub fn moved(mut self, by_s: f64) -> Self {
        for event in &mut self.events {
            event.start_s = (event.start_s + by_s).max(0.0);
            event.end_s += by_s;
        }
        self.events.retain(|event| event.end_s > event.start_s);
        self
    }

    /// The file. Times are hundredths of a second, which is all that the form has.
    pub fn write(&self, style: &Style) -> String {
        let mut text = self.styled_header(style);
        let page = Page::of(&text);
        if !text.contains("[Events]") {
            text.push_str("\n[Events]\n");
        }
        text.push_str("Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n");
        for event in &self.events {
            let mut fields = event.line.splitn(9, ',');
            let (_, layer) = (fields.next(), fields.next().unwrap_or("0"));
            let rest = fields.collect::<Vec<_>>().join(",");
            let rest = Position::read(&event.settings).map_or(rest.clone(), |position| position.placed(&rest, page));
            text.push_str(&format!(
                "Dialogue: {layer},{},{},{}\n",
                clock(event.start_s),
                clock(event.end_s),
                rest.replace(['\r', '\n'], "")
            ));
        }
        text
    }

    fn styled_header(&self, style: &Style) -> String {
        let height: f64 = self
            .header
            .lines()
            .find_map(|line| line.strip_prefix("PlayResY:"))
            .and_then(|value| value.trim().parse().ok())
            .filter(|height| *height > 0.0)
            .unwrap_or(288.0);
        let mut columns: Vec<String> = Vec::new();
        let mut in_styles = false;
        let mut text = String::with_capacity(self.header.len() + 256);
        for line in self.header.lines() {
            let line = line.trim_end_matches('\r');
            if line.starts_with('[') {
                in_styles = line.to_ascii_lowercase().contains("styles]");
            }
            let is_format = line.strip_prefix("Format:");
            match (is_format, line.strip_prefix("Style:")) {
                (Some(names), _) if in_styles => {
                    columns = names.split(',').map(|name| name.trim().to_ascii_lowercase()).collect();
                }
                // Written anew with the events.
                (Some(_), _) => continue,
                (None, Some(values)) if in_styles => {
                    text.push_str(&format!("Style: {}\n", restyled(values, &columns, style, height)));
                    continue;
                }
                _ => {}
            }
            text.push_str(line);
            text.push('\n');
        }
        text
    }
}

/// Where the styles of a script put their text, by their names; those of the usual place are left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Places(BTreeMap<String, u8>);

impl Places {
    /// Of a header.
    pub fn of(header: &str) -> Self {
        let mut places = BTreeMap::new();
        let (mut is_old, mut columns) = (false, Vec::new());
        for line in header.lines().map(str::trim) {
            if line.starts_with('[') {
                is_old = line.eq_ignore_ascii_case("[V4 Styles]");
                columns = Vec::new();
            } else if let Some(names) = line.strip_prefix("Format:") {
                columns = names.split(',').map(|name| name.trim().to_ascii_lowercase()).collect();
            } else if let Some(values) = line.strip_prefix("Style:") {
                let values: Vec<&str> = values.split(',').map(str::trim).collect();
                let value = |name: &str| {
                    let at = columns.iter().position(|column| column == name)?;
                    values.get(at).copied()
                };
                let number = value("alignment").and_then(|number| number.parse::<u8>().ok());
                let place = match number {
                    Some(old) if is_old => markup::of_old(old),
                    place => place.filter(|place| (1..=9).contains(place)),
                };
                if let (Some(name), Some(place)) = (value("name"), place.filter(|place| *place != USUAL_PLACE)) {
                    places.insert(name.trim_start_matches('*').to_owned(), place);
                }
            }
        }
        Places(places)
    }

    /// An event with the place of its style said in its text, unless it says another.
    pub fn put(&self, event: Event) -> Event {
        let style = event.line.split(',').nth(2).unwrap_or_default().trim_start_matches('*');
        let place = self.0.get(style).copied();
        match place.filter(|_| !markup::has_place(event.text())) {
            Some(place) => event.at(place),
            None => event,
        }
    }
}

fn restyled(values: &str, columns: &[String], style: &Style, height: f64) -> String {
    let values = values.split(',').map(|value| value.trim().to_owned());
    let changed = values.enumerate().map(|(number, value)| {
        let of_height = |percent: f64| format!("{:.2}", height * percent / 100.0);
        let wanted = match columns.get(number).map(String::as_str) {
            Some("fontname") => style.font.clone(),
            Some("fontsize") => style.size_percent.map(of_height),
            Some("primarycolour") => style.color.as_deref().map(bgr),
            Some("outlinecolour") => style.border_color.as_deref().map(bgr),
            Some("marginv") => style
                .margin_percent
                .map(|percent| format!("{:.0}", height * percent / 100.0)),
            _ => None,
        };
        wanted.unwrap_or(value)
    });
    changed.collect::<Vec<_>>().join(",")
}

/// `#rrggbb` as ASS writes it.
fn bgr(color: &str) -> String {
    let digits = color.trim_start_matches('#');
    match (digits.get(0..2), digits.get(2..4), digits.get(4..6)) {
        (Some(r), Some(g), Some(b)) => format!("&H00{b}{g}{r}"),
        _ => "&H00FFFFFF".to_owned(),
    }
}

fn clock(seconds: f64) -> String {
    let hundredths = (seconds.max(0.0) * 100.0).round() as u64;
    format!(
        "{}:{:02}:{:02}.{:02}",
        hundredths / 360_000,
        hundredths / 6000 % 60,
        hundredths / 100 % 60,
        hundredths % 100
    )
}

#[cfg(test)]
mod tests {
    use super::Event;
    use super::Places;
    use super::Script;
    use super::Style;

    fn script() -> Script {
        Script {
            header: "[Script Info]\nPlayResX: 384\nPlayResY: 200\n\n[V4+ Styles]\n\
                Format: Name, Fontname, Fontsize, PrimaryColour, OutlineColour, MarginV\n\
                Style: Default,Arial,16,&Hffffff,&H0,10\n\n[Events]\nFormat: Layer, Start, End, Text\n"
                .to_owned(),
            events: vec![
                Event {
                    start_s: 1.0,
                    end_s: 2.5,
                    line: "0,3,Default,,0,0,0,,Hello, {\\i1}you".to_owned(),
                    settings: String::new(),
                    vtt: None,
                },
                Event {
                    start_s: 3661.234,
                    end_s: 3662.0,
                    line: "1,0,Default,,0,0,0,,Late".to_owned(),
                    settings: String::new(),
                    vtt: None,
                },
            ],
            has_style_sheet: false,
        }
    }

    #[test]
    fn styles_say_where_their_text_stands() {
        let event = |style: &str, text: &str| Event {
            line: format!("0,0,{style},,0,0,0,,{text}"),
            ..script().events[0].clone()
        };
        for (section, sign) in [("[V4+ Styles]", 8), ("[V4 Styles]", 6)] {
            let header = format!(
                "{section}\nFormat: Name, Alignment, Fontname\nStyle: Default,2,Arial\nStyle: *Sign, {sign} ,Arial\n\n[Events]\n"
            );
            let places = Places::of(&header);
            assert_eq!(places.put(event("Sign", "a, b")).text(), "{\\an8}a, b", "{section}");
            assert_eq!(places.put(event("Default", "a")).text(), "a");
            assert_eq!(places.put(event("Sign", "{\\an1}a")).text(), "{\\an1}a");
            assert_eq!(places.put(event("Other", "a")).text(), "a");
        }
    }

    #[test]
    fn a_script_is_written_with_its_styles() {
        let text = script().write(&Style::default());
        assert!(text.contains("Style: Default,Arial,16,&Hffffff,&H0,10\n"), "{text}");
        assert!(
            text.contains("Dialogue: 3,0:00:01.00,0:00:02.50,Default,,0,0,0,,Hello, {\\i1}you\n"),
            "{text}"
        );
        assert!(
            text.contains("Dialogue: 0,1:01:01.23,1:01:02.00,Default,,0,0,0,,Late\n"),
            "{text}"
        );
        assert_eq!(text.matches("[Events]").count(), 1);
    }

    #[test]
    fn styles_are_overridden_one_by_one() {
        let style = Style {
            font: Some("Serif".to_owned()),
            size_percent: Some(10.0),
            color: Some("#112233".to_owned()),
            ..Style::default()
        };
        let text = script().write(&style);
        assert!(
            text.contains("Style: Default,Serif,20.00,&H00332211,&H0,10\n"),
            "{text}"
        );
    }

    #[test]
    fn moving_cuts_at_the_beginning() {
        let moved = script().moved(-2.0);
        assert_eq!((moved.events[0].start_s, moved.events[0].end_s), (0.0, 0.5));
        assert_eq!(script().moved(-3.0).events.len(), 1);
    }

    #[test]
    fn what_moves_is_known() {
        let event = |text: &str, effect: &str| Event {
            start_s: 0.0,
            end_s: 1.0,
            line: format!("0,0,Default,,0,0,0,{effect},{text}"),
            settings: String::new(),
            vtt: None,
        };
        assert!(event("{\\fad(100,100)}x", "").moves());
        assert!(event("x", "Banner;10").moves());
        assert!(!event("{\\b1}x, y{\\b0}", "").moves());
    }
}
