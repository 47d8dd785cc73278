//! Where WebVTT puts a cue: its settings read, and the same place in a script of ASS.
//!
//! Guarantees: what is not understood is left out, as players do; a place is within the picture. Deliberately absent:
//! regions and text that runs from top to bottom.

/// What places are counted in: the canvas of a script, and the height of a line on it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Page {
    width: f64,
    height: f64,
    line: f64,
}

impl Page {
    /// Of a header that is written already.
    pub fn of(header: &str) -> Self {
        let number = |key: &str| -> Option<f64> {
            let value = header.lines().find_map(|line| line.strip_prefix(key))?;
            value.trim().parse().ok().filter(|number| *number > 0.0)
        };
        let columns = header
            .lines()
            .skip_while(|line| !line.to_ascii_lowercase().contains("styles]"));
        let columns = columns.filter_map(|line| line.strip_prefix("Format:")).next();
        let size_at = columns.and_then(|names| {
            let mut names = names.split(',').map(|name| name.trim().to_ascii_lowercase());
            names.position(|name| name == "fontsize")
        });
        let style = header.lines().find_map(|line| line.strip_prefix("Style:"));
        let size = style.zip(size_at).and_then(|(values, at)| values.split(',').nth(at));
        let size = size.and_then(|size| size.trim().parse::<f64>().ok());
        Page {
            width: number("PlayResX:").unwrap_or(CANVAS.width),
            height: number("PlayResY:").unwrap_or(CANVAS.height),
            line: size.filter(|size| *size > 0.0).unwrap_or(CANVAS.line),
        }
    }
}

/// The canvas that libav counts on.
const CANVAS: Page = Page {
    width: 384.0,
    height: 288.0,
    line: 16.0,
};
/// The middle of the lower edge, as on a keypad.
pub const USUAL_PLACE: u8 = 2;

/// How high a cue stands.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Line {
    /// So many lines from the upper edge; below 0 from the lower one, which -1 stands on.
    Number(f64),
    /// Share of the height.
    Part(f64),
}

/// Which of its sides, or its middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Start,
    Middle,
    End,
}

/// Where a cue stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Position {
    line: Option<Line>,
    /// What of the cue stands at `line`.
    line_side: Side,
    /// Share of the width.
    position: Option<f64>,
    /// What of the cue stands at `position`; none: by `align`.
    position_side: Option<Side>,
    /// Share of the width that the cue takes at most.
    size: f64,
    align: Side,
}

/// The settings that are carried on; a region would need its definition, which is not.
pub fn kept(settings: &str) -> String {
    const KEPT: [&str; 5] = ["line", "position", "align", "size", "vertical"];
    let settings = settings.split_whitespace().filter(|setting| {
        let name = setting.split_once(':').map(|(name, value)| (name, value.is_empty()));
        name.is_some_and(|(name, is_empty)| KEPT.contains(&name) && !is_empty) && !setting.contains("-->")
    });
    settings.collect::<Vec<_>>().join(" ")
}

impl Position {
    /// From a cue's settings; none: they say nothing of its place.
    pub fn read(settings: &str) -> Option<Self> {
        let mut found = false;
        let mut read = Position {
            line: None,
            line_side: Side::Start,
            position: None,
            position_side: None,
            size: 1.0,
            align: Side::Middle,
        };
        for setting in settings.split_whitespace() {
            let Some((name, value)) = setting.split_once(':') else {
                continue;
            };
            let (value, side) = match value.split_once(',') {
                Some((value, side)) => (value, Some(side)),
                None => (value, None),
            };
            let mut take = |is_read: bool| found |= is_read;
            match name {
                "line" => {
                    let line = match part(value) {
                        Some(part) => Some(Line::Part(part)),
                        None => value
                            .parse()
                            .ok()
                            .filter(|number: &f64| number.abs() < 1e6)
                            .map(Line::Number),
                    };
                    take(line.is_some());
                    read.line = line.or(read.line);
                    read.line_side = match side {
                        Some("center") => Side::Middle,
                        Some("end") => Side::End,
                        _ => Side::Start,
                    };
                }
                "position" => {
                    take(part(value).is_some());
                    read.position = part(value).or(read.position);
                    read.position_side = match side {
                        Some("line-left" | "start") => Some(Side::Start),
                        Some("center" | "middle") => Some(Side::Middle),
                        Some("line-right" | "end") => Some(Side::End),
                        _ => None,
                    };
                }
                "size" => {
                    take(part(value).is_some());
                    read.size = part(value).unwrap_or(read.size);
                }
                "align" => {
                    let align = match value {
                        "start" | "left" => Some(Side::Start),
                        "center" | "middle" => Some(Side::Middle),
                        "end" | "right" => Some(Side::End),
                        _ => None,
                    };
                    take(align.is_some());
                    read.align = align.unwrap_or(read.align);
                }
                // Such text would need letters on end: it stays where captions are.
                "vertical" => return None,
                _ => {}
            }
        }
        found.then_some(read)
    }

    /// An event of a script from its style on, `Style,Name,MarginL,MarginR,MarginV,Effect,Text`, put in its place.
    pub fn placed(&self, event: &str, page: Page) -> String {
        let fields: Vec<&str> = event.splitn(7, ',').collect();
        let [style, name, _, _, margin, effect, text] = fields[..] else {
            return event.to_owned();
        };
        let (left, right) = self.sides();
        let rows = 1 + text.matches("\\N").count();
        let (row, margin, at) = match self.line {
            None => (Side::End, margin.to_owned(), None),
            Some(line) => {
                let (row, edge) = self.height(line, rows as f64 * page.line, page);
                let from_edge = match row {
                    Side::Start => edge,
                    Side::Middle => 0.0,
                    Side::End => page.height - edge,
                };
                // ASS has no margin 0 but the style's.
                (row, whole(from_edge.max(1.0)), (row == Side::Middle).then_some(edge))
            }
        };
        let column = match self.align {
            Side::Start => 1,
            Side::Middle => 2,
            Side::End => 3,
        };
        let row = match row {
            Side::End => 0,
            Side::Middle => 3,
            Side::Start => 6,
        };
        let point = at.map_or(String::new(), |y| {
            let x = match self.align {
                Side::Start => left,
                Side::Middle => (left + right) / 2.0,
                Side::End => right,
            };
            format!("\\pos({:.1},{y:.1})", x * page.width)
        });
        let (left, right) = (
            whole((left * page.width).max(1.0)),
            whole(((1.0 - right) * page.width).max(1.0)),
        );
        format!(
            "{style},{name},{left},{right},{margin},{effect},{{\\an{}{point}}}{text}",
            row + column
        )
    }

    /// The nearest of the nine places that ASS and SubRip have, as on a keypad: 2 is the middle of the lower edge.
    pub fn keypad(&self) -> u8 {
        let third = |share: f64| (share * 3.0).clamp(0.0, 2.0) as u8;
        let row = match self.line {
            None => 0,
            Some(line) => {
                let (side, at) = self.height(line, CANVAS.line, CANVAS);
                let middle = match side {
                    Side::Start => at + CANVAS.line / 2.0,
                    Side::Middle => at,
                    Side::End => at - CANVAS.line / 2.0,
                };
                2 - third(middle / CANVAS.height)
            }
        };
        let (left, right) = self.sides();
        let column = match self.align {
            Side::Start => left,
            Side::Middle => (left + right) / 2.0,
            Side::End => right,
        };
        3 * row + 1 + third(column)
    }

    /// Whether none of these nine is quite its place.
    pub fn is_between(&self) -> bool {
        let is_edge = |share: f64| share == 0.0 || share == 1.0;
        let is_off_row = match self.line {
            None => false,
            Some(Line::Number(number)) => number != 0.0 && number != -1.0,
            Some(Line::Part(part)) => !(is_edge(part) || part == 0.5 && self.line_side == Side::Middle),
        };
        is_off_row || self.position.is_some_and(|part| !is_edge(part) && part != 0.5)
    }

    /// Left and right edge of its box, shares of the width.
    fn sides(&self) -> (f64, f64) {
        let at = self.position.unwrap_or(match self.align {
            Side::Start => 0.0,
            Side::Middle => 0.5,
            Side::End => 1.0,
        });
        let side = self.position_side.unwrap_or(self.align);
        let room = match side {
            Side::Start => 1.0 - at,
            Side::Middle => 2.0 * at.min(1.0 - at),
            Side::End => at,
        };
        // A box without room would break its text after each letter.
        let size = self.size.min(room).max(0.05);
        let left = match side {
            Side::Start => at,
            Side::Middle => at - size / 2.0,
            Side::End => at - size,
        };
        let left = left.clamp(0.0, 1.0 - size);
        (left, left + size)
    }

    /// Which edge of text of that height stands where, from the upper edge of the picture.
    fn height(&self, line: Line, text: f64, page: Page) -> (Side, f64) {
        let (side, at) = match line {
            Line::Number(number) if number >= 0.0 => (Side::Start, number.floor() * page.line),
            // Of several lines the first stands there, as far as there is room below it.
            Line::Number(number) => (Side::End, page.height + number.floor() * page.line + text),
            Line::Part(part) => (self.line_side, part * page.height),
        };
        let (above, below) = match side {
            Side::Start => (0.0, text),
            Side::Middle => (text / 2.0, text / 2.0),
            Side::End => (text, 0.0),
        };
        match () {
            // What would leave the picture stands at its edge.
            () if at + below > page.height => (Side::End, page.height),
            () if at - above < 0.0 => (Side::Start, 0.0),
            () => (side, at),
        }
    }
}

/// `12.5%` as a share.
fn part(text: &str) -> Option<f64> {
    let percent: f64 = text.strip_suffix('%')?.parse().ok()?;
    (0.0..=100.0).contains(&percent).then_some(percent / 100.0)
}

fn whole(number: f64) -> String {
    format!("{number:.0}")
}

#[cfg(test)]
mod tests {
    use super::Page;
    use super::Position;
    use super::kept;

    const HEADER: &str = "[Script Info]\nPlayResX: 400\nPlayResY: 200\n\n[V4+ Styles]\n\
        Format: Name, Fontname, Fontsize, PrimaryColour\nStyle: Default,Arial,20,&Hffffff\n";

    fn placed(settings: &str, text: &str) -> String {
        let event = format!("Default,,0,0,0,,{text}");
        match Position::read(settings) {
            Some(position) => position.placed(&event, Page::of(HEADER)),
            None => event,
        }
    }

    #[test]
    fn lines_are_counted_from_both_edges() {
        for (settings, text, wanted) in [
            ("line:0", "a", "1,1,1,,{\\an8}a"),
            ("line:2", "a", "1,1,40,,{\\an8}a"),
            ("line:-1", "a", "1,1,1,,{\\an2}a"),
            ("line:-3", "a", "1,1,40,,{\\an2}a"),
            ("line:-3", "a\\Nb", "1,1,20,,{\\an2}a\\Nb"),
            ("line:-1", "a\\Nb", "1,1,1,,{\\an2}a\\Nb"),
            ("line:99", "a", "1,1,1,,{\\an2}a"),
            ("line:-99", "a", "1,1,1,,{\\an8}a"),
            ("line:25%", "a", "1,1,50,,{\\an8}a"),
            ("line:50%,end", "a", "1,1,100,,{\\an2}a"),
            ("line:50%,center", "a", "1,1,1,,{\\an5\\pos(200.0,100.0)}a"),
            ("line:100%", "a", "1,1,1,,{\\an2}a"),
        ] {
            assert_eq!(placed(settings, text), format!("Default,,{wanted}"), "{settings}");
        }
    }

    #[test]
    fn a_box_stands_at_its_position_and_its_text_within_it() {
        for (settings, wanted) in [
            ("align:start", "1,1,0,,{\\an1}a"),
            ("align:right", "1,1,0,,{\\an3}a"),
            ("position:25%", "1,200,0,,{\\an2}a"),
            ("position:25% align:left", "100,1,0,,{\\an1}a"),
            ("position:75%,line-right size:50%", "100,100,0,,{\\an2}a"),
            ("size:50%", "100,100,0,,{\\an2}a"),
            ("position:100% align:start", "380,1,0,,{\\an1}a"),
        ] {
            assert_eq!(placed(settings, "a"), format!("Default,,{wanted}"), "{settings}");
        }
    }

    #[test]
    fn the_nearest_of_nine_places_is_known() {
        for (settings, keypad, is_between) in [
            ("line:0", 8, false),
            ("line:-1", 2, false),
            ("line:10%", 8, true),
            ("line:45%", 5, true),
            ("line:90%", 2, true),
            ("line:50%,center", 5, false),
            ("align:start", 1, false),
            ("align:end line:0", 9, false),
            ("position:10%,line-left align:start", 1, true),
            ("position:80%,center size:40% align:center", 3, true),
        ] {
            let position = Position::read(settings).expect("a place");
            assert_eq!(
                (position.keypad(), position.is_between()),
                (keypad, is_between),
                "{settings}"
            );
        }
    }

    #[test]
    fn what_is_no_setting_changes_nothing() {
        for settings in [
            "",
            "line",
            "line:",
            "line:x",
            "line:1e99",
            "position:200%",
            "align:up",
            "vertical:rl line:0",
        ] {
            assert_eq!(placed(settings, "a"), "Default,,0,0,0,,a", "{settings}");
        }
        assert_eq!(
            kept("line:0 region:fred a --> position:10%,line-left  x"),
            "line:0 position:10%,line-left"
        );
    }
}
