//! All subtitles of one track or file, read at once.
//!
//! Guarantees: times count from the origin given. What is damaged is left out. Deliberately absent: tracks that ride
//! along with a pass, which are never read twice.

use crate::media::av::AvError;
use crate::media::av::Demuxer;
use crate::media::av::Packet;
use crate::media::av::Parameters;
use crate::media::av::Source;
use crate::media::av::SubtitleDecoder;
use crate::media::facts::Ratio;
use crate::media::limits::Limits;
use crate::media::old_text;
use crate::media::subtitles::ass::Event;
use crate::media::subtitles::ass::Script;
use crate::media::subtitles::vtt;

/// How long text without a length stays, at most, seconds.
const LONGEST_S: f64 = 7.0;

/// Subtitles that were read.
pub enum Track {
    /// Text.
    Text(Script),
    /// Pictures, still coded.
    Bitmaps(Bitmaps),
}

/// Pictures of subtitles, still coded.
pub struct Bitmaps {
    /// What their decoder must know.
    pub parameters: Parameters,
    /// Unit of their times.
    pub unit: Ratio,
    /// Packets in the order of the file.
    pub packets: Vec<Packet>,
}

/// Whether a codec is text that can be read here.
pub fn is_text(codec_name: &str) -> bool {
    matches!(
        codec_name,
        "subrip" | "srt" | "ass" | "ssa" | "webvtt" | "mov_text" | "text"
    )
}

/// Whether a codec is pictures that can be read here.
pub fn is_bitmap(codec_name: &str) -> bool {
    matches!(codec_name, "hdmv_pgs_subtitle" | "dvb_subtitle" | "dvd_subtitle")
}

/// Reads one stream of an opened file to its end. Times are those of the stream.
pub fn read(demuxer: &mut Demuxer, stream: usize) -> Result<Track, AvError> {
    let (parameters, unit) = {
        let stream = demuxer.stream(stream).ok_or_else(|| AvError::argument("stream"))?;
        (stream.parameters()?, stream.time_base())
    };
    demuxer.keep_only(&[stream]);
    if is_bitmap(&parameters.codec_name()) {
        let mut packets = Vec::new();
        while let Some(packet) = next(demuxer, stream)? {
            packets.push(packet);
        }
        return Ok(Track::Bitmaps(Bitmaps {
            parameters,
            unit,
            packets,
        }));
    }
    let mut decoder = SubtitleDecoder::open(&parameters, unit)?;
    let mut events = Vec::new();
    while let Some(packet) = next(demuxer, stream)? {
        let Some(shown) = decoder.decode(&packet) else { continue };
        let Some(start_s) = shown.start_s else { continue };
        let end_s = start_s + shown.duration_s.unwrap_or(LONGEST_S);
        let settings = packet.cue_settings();
        events.extend(shown.lines.into_iter().map(|line| Event {
            start_s,
            end_s,
            line,
            settings: settings.clone(),
            vtt: shown.vtt.clone(),
        }));
    }
    events.sort_by(|one, other| one.start_s.total_cmp(&other.start_s));
    Ok(Track::Text(Script {
        header: decoder.header(),
        events,
        has_style_sheet: vtt::has_style_sheet(&String::from_utf8_lossy(parameters.extradata())),
    }))
}

fn next(demuxer: &mut Demuxer, stream: usize) -> Result<Option<Packet>, AvError> {
    loop {
        let mut packet = Packet::new()?;
        match demuxer.read(&mut packet) {
            Ok(true) if packet.stream_index() == stream => return Ok(Some(packet)),
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(refusal) if demuxer.watch().trouble().is_some() || refusal.is_no_memory() => return Err(refusal),
            // The pass itself counts what is damaged.
            Err(_) => return Ok(None),
        }
    }
}

/// Reads a file of text subtitles: SRT, WebVTT or ASS, whatever its name. The error says what is wrong.
pub fn text_of_file(bytes: &[u8], name: &str) -> Result<Script, String> {
    let mut text = decoded(bytes);
    let mut has_style_sheet = false;
    if text.starts_with("WEBVTT") {
        has_style_sheet = vtt::has_style_sheet(&text);
        text = vtt::cues_alone(&text);
    }
    let source = Source::from_bytes(Box::new(text.into_bytes()), name).map_err(|cause| cause.to_string())?;
    let unknown = |refusal: AvError| format!("it is neither SRT nor WebVTT nor ASS ({refusal})");
    let mut demuxer = Demuxer::open(source, &Limits::default()).map_err(unknown)?;
    let is_known = demuxer.stream(0).is_some_and(|stream| {
        stream
            .parameters()
            .is_ok_and(|parameters| is_text(&parameters.codec_name()))
    });
    if !is_known {
        return Err("it is neither SRT nor WebVTT nor ASS".to_owned());
    }
    match read(&mut demuxer, 0).map_err(unknown)? {
        Track::Text(script) if !script.events.is_empty() => Ok(Script {
            has_style_sheet,
            ..script
        }),
        _ => Err("it has no subtitles".to_owned()),
    }
}

/// Text of UTF-8, of UTF-16 with its mark, else of the encoding that its letters are most likely of: GBK, Big5,
/// Shift_JIS, EUC-KR, Windows-1251, Windows-1252 ...
fn decoded(bytes: &[u8]) -> String {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|two| unit([two[0], two[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        bytes => old_text::of(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::text_of_file;

    const SRT: &str =
        "1\n00:00:01,250 --> 00:00:02,500\nOne <i>caf\u{e9}</i>\n\n2\n00:00:03,000 --> 00:00:04,000\nTwo\nlines\n";

    #[test]
    fn all_three_forms_are_read_to_the_millisecond() {
        let vtt = "WEBVTT\n\n00:01.250 --> 00:02.500\nOne\n\n00:03.000 --> 00:04.000\nTwo\n";
        let ass = "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize\nStyle: Default,Arial,16\n\n\
            [Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n\
            Dialogue: 0,0:00:01.25,0:00:02.50,Default,,0,0,0,,One\nDialogue: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,Two\n";
        for (name, text) in [("a.srt", SRT), ("b.vtt", vtt), ("c.ass", ass), ("no-name", SRT)] {
            let script = text_of_file(text.as_bytes(), name).unwrap_or_else(|why| panic!("{name}: {why}"));
            let times: Vec<_> = script.events.iter().map(|event| (event.start_s, event.end_s)).collect();
            assert_eq!(times, [(1.25, 2.5), (3.0, 4.0)], "{name}");
            assert!(
                script.events[0].text().starts_with("One"),
                "{name}: {}",
                script.events[0].line
            );
            assert!(script.header.contains("Style:"), "{name}: {}", script.header);
        }
    }

    #[test]
    fn old_encodings_are_understood() {
        let latin: Vec<u8> = SRT.chars().map(|letter| letter as u8).collect();
        let wide: Vec<u8> = [0xfeff]
            .into_iter()
            .chain(SRT.encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        for bytes in [latin, wide, format!("\u{feff}{SRT}").into_bytes()] {
            let script = text_of_file(&bytes, "a.srt").expect("subtitles");
            assert!(
                script.events[0].text().contains("caf\u{e9}"),
                "{}",
                script.events[0].line
            );
        }
    }

    #[test]
    fn encodings_of_east_asia_are_recognised() {
        // The same words in GBK and in Big5.
        let gbk: &[u8] = b"\xc4\xe3\xba\xc3\xa3\xac\xca\xc0\xbd\xe7";
        let big5: &[u8] = b"\xa7A\xa6n\xa1A\xa5@\xac\xc9";
        for (words, wanted) in [(gbk, "你好，世界"), (big5, "你好，世界")] {
            let file = [b"1\n00:00:00,500 --> 00:00:03,000\n", words, b"\n"].concat();
            let script = text_of_file(&file, "a.srt").expect("subtitles");
            assert_eq!(script.events[0].text(), wanted);
        }
    }

    #[test]
    fn what_is_no_subtitles_is_said() {
        for bytes in [b"".as_slice(), b"WEBVTT\n\n", b"\x89PNG\r\n\x1a\n", b"hello world\n"] {
            assert!(text_of_file(bytes, "a.srt").is_err(), "{bytes:?}");
        }
    }
}
