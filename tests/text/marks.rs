//! Places, voices, classes, colours and the like of text cues: carried where a form has them, told where it has not.

use crate::labels::file;
use crate::workshop::Workshop;
use std::path::Path;

const ODD_VTT: &str = "WEBVTT - a title\n\nSTYLE\n::cue(.red) { color: red }\n\nREGION\nid:fred\nwidth:40%\nlines:3\n\n\
    NOTE\nnot shown\n\n\
    late\n00:03.000 --> 00:03.500\n<v Esme>late &amp; <c.red>red</c></v>\n\n\
    00:00.500 --> 00:02.000 region:fred\n<i.loud>first</i> caf&#233; &lrm;A\n\n\
    00:01.000 --> 00:01.500 vertical:rl\n<ruby>over<rt>lap</rt></ruby>\n";

#[test]
fn odd_webvtt_is_read_in_its_order_and_what_is_not_followed_is_told_once() {
    let shop = Workshop::new();
    let source = shop.ffmpeg(
        "-f lavfi -i color=0x808080:s=640x360:r=25:d=4 -c:v libx264 -preset ultrafast",
        "grey.mp4",
    );
    let vtt = shop.write("odd.vtt", ODD_VTT);
    let output = |name: &str, height: u32| {
        format!(
            "[[group.output]]\nname=\"{name}\"\n[group.output.video]\ncodec=\"h264\"\npreset=\"ultrafast\"\n\
             height={height}\nburn={{source=\"subs:odd.vtt\"}}\n"
        )
    };
    let definition = format!("[[group]]\nkind=\"file\"\n{}{}", output("a", 360), output("b", 180));
    let product = shop.success(&source, &definition, &[("subs:odd.vtt", vtt.clone())]);
    assert_eq!(
        product.warnings,
        [
            "burn: subs:odd.vtt: 1 cues explain letters (<ruby>); the explanation stands in brackets",
            "burn: subs:odd.vtt: 1 cues run from top to bottom (vertical); they are drawn from side to side, where \
             subtitles usually stand",
            "burn: subs:odd.vtt: 1 cues stand in regions, which are not followed; they are drawn where subtitles usually \
             stand",
            "burn: subs:odd.vtt: the style sheet is not carried",
            "burn: subs:odd.vtt: voices of 1 cues, classes of 1 cues are not shown in pictures"
        ]
    );
    let picture = |at_s: f64| crate::workshop::Seen::at(&shop.file(&product, 0), at_s);
    let lines = |at_s: f64| {
        let picture = picture(at_s);
        let is_lit = |y: &usize| picture.bright((0, *y, 640, 1), 200) > 0;
        assert!(!(0..270).any(|y| is_lit(&y)), "all near the lower edge at {at_s}");
        (270..360).filter(is_lit).count()
    };
    // One line, two of them, none, one again.
    let found = [0.8, 1.2, 2.5, 3.2].map(lines);
    assert!(found[0] > 8 && found[1] > found[0] * 3 / 2, "{found:?}");
    assert!(found[2] == 0 && found[3] > 8, "{found:?}");

    let beside = "[[subtitle]]\nsource=\"subs:odd.vtt\"\nlanguage=\"en\"\n";
    let definition = format!("text=\"webvtt\"\n{beside}{}", file("a", "mp4"));
    let product = shop.success(&source, &definition, &[("subs:odd.vtt", vtt.clone())]);
    let path = shop.path("scratch").join(&product.outputs[0].files[0].scratch_path);
    let text = std::fs::read_to_string(path).expect("read");
    assert_eq!(
        text,
        "WEBVTT\n\n00:00:00.500 --> 00:00:02.000\n<i.loud>first</i> caf&#233; &lrm;A\n\n\
         00:00:01.000 --> 00:00:01.500 vertical:rl\n<ruby>over<rt>lap</rt></ruby>\n\n\
         00:00:03.000 --> 00:00:03.500\n<v Esme>late &amp; <c.red>red</c></v>\n"
    );
    assert_eq!(
        product.warnings,
        [
            "subtitles 0: 1 cues stand in regions, which are not carried",
            "subtitles 0: the style sheet is not carried"
        ]
    );

    let product = shop.success(
        &source,
        &format!("{beside}{}", file("a", "mp4")),
        &[("subs:odd.vtt", vtt)],
    );
    let told = product.warnings.join("\n");
    for words in [
        "(vertical), which is not carried into files",
        "1 cues stand in regions",
        "the explanation stands in brackets",
        "the style sheet is not carried",
        "voices of 1 cues, classes of 1 cues are not carried into mov_text",
    ] {
        assert_eq!(told.matches(words).count(), 1, "{words}: {told}");
    }
    assert_eq!(product.warnings.len(), 5, "{told}");
}

const MARKED_VTT: &str = "WEBVTT\n\n\
    00:00.500 --> 00:01.500 line:0 align:start\n<v Esme><c.yellow>Yes</c></v> <c.loud>no</c>\n\n\
    00:02.000 --> 00:03.000 line:40%\n<lang fr>Oui <00:02.500>a</lang> <c.magenta>b</c>\n";

/// Text of a file's first track as Debian's ffmpeg takes it out.
fn taken_out(path: &Path, how: &[&str]) -> String {
    let output = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args(["-map", "0:s:0"])
        .args(how)
        .arg("-")
        .output()
        .expect("ffmpeg runs");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn marks_and_places_are_carried_where_a_form_has_them_and_told_where_it_has_not() {
    let shop = Workshop::new();
    let source = shop.ffmpeg(
        "-f lavfi -i color=0x808080:s=256x144:r=25:d=4 -c:v libx264 -preset ultrafast",
        "grey.mp4",
    );
    let vtt = shop.write("marked.vtt", MARKED_VTT);
    let beside = "[[subtitle]]\nsource=\"subs:marked.vtt\"\nlanguage=\"en\"\n";
    let made = |definition: &str| {
        let definition = format!("{beside}{definition}");
        shop.success(&source, &definition, &[("subs:marked.vtt", vtt.clone())])
    };
    let codec = if crate::backend::is_gpu() { "av1" } else { "vp9" };
    let webm = file("a", "webm").replace("h264", codec);
    let product = made(&webm);
    assert_eq!(
        taken_out(&shop.file(&product, 0), &["-c", "copy", "-f", "webvtt"]),
        "WEBVTT\n\n00:00.500 --> 00:01.500 line:0 align:start\n<v Esme><c.yellow>Yes</c></v> <c.loud>no</c>\n\n\
         00:02.000 --> 00:03.000 line:40%\n<lang fr>Oui a</lang> <c.magenta>b</c>\n"
    );
    let moments = "subtitles 0: 1 cues show their words one after the other (times within them); all are there at once";
    assert_eq!(product.warnings, [moments]);

    let product = made(&file("a", "mkv"));
    let text = taken_out(&shop.file(&product, 0), &["-c", "copy", "-f", "srt"]);
    assert!(
        text.contains("{\\an7}<font color=\"#ffff00\">Yes</font> no\n"),
        "{text}"
    );
    assert!(
        text.contains("{\\an5}Oui a <font color=\"#ff00ff\">b</font>\n"),
        "{text}"
    );
    assert_eq!(
        product.warnings,
        [
            moments,
            "subtitles 0: 1 cues stand in the nearest of the nine places that subrip has",
            "subtitles 0: voices of 1 cues, classes of 1 cues, languages of 1 cues are not carried into subrip"
        ]
    );

    let product = made(&file("a", "mp4"));
    let text = taken_out(&shop.file(&product, 0), &["-f", "srt"]);
    assert!(text.contains("<font color=\"#ffff00\">Yes</font> no\n"), "{text}");
    assert_eq!(
        product.warnings,
        [
            moments,
            "subtitles 0: 2 cues stand elsewhere than subtitles usually do, for which mov_text has no place",
            "subtitles 0: voices of 1 cues, classes of 1 cues, languages of 1 cues are not carried into mov_text"
        ]
    );

    // Text of SubRip and ASS has places and colours, too.
    let words = "1\n00:00:00,500 --> 00:00:01,500\n{\\an9}<font color=\"#00ffff\">Up</font> <i>there</i>\n\n\
        2\n00:00:02,000 --> 00:00:03,000\n<font color=\"#123456\" face=\"Arial\">dark</font>\n";
    let srt = shop.write("placed.srt", words);
    let beside = beside.replace("marked.vtt", "placed.srt");
    let side = [("subs:placed.srt", srt)];
    let product = shop.success(
        &source,
        &format!("text=\"webvtt\"\n{beside}{}", file("a", "mp4")),
        &side,
    );
    let path = shop.path("scratch").join(&product.outputs[0].files[0].scratch_path);
    assert_eq!(
        std::fs::read_to_string(path).expect("read"),
        "WEBVTT\n\n00:00:00.500 --> 00:00:01.500 line:0 align:end\n<c.cyan>Up</c> <i>there</i>\n\n\
         00:00:02.000 --> 00:00:03.000\ndark\n"
    );
    assert_eq!(
        product.warnings,
        ["subtitles 0: 1 cues have fonts, sizes or colours of their own, which are not carried into WebVTT"]
    );
    let style = "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\n\
        Format: Name, Fontname, Fontsize, PrimaryColour, Alignment\nStyle: Default,Arial,16,&Hffffff,2\n\
        Style: Sign,Arial,16,&Hffffff,8\n\n[Events]\n\
        Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n\
        Dialogue: 0,0:00:00.50,0:00:01.50,Sign,,0,0,0,,Above\n\
        Dialogue: 0,0:00:02.00,0:00:03.00,Default,,0,0,0,,{\\pos(10,20)\\fad(100,100)}There\n";
    shop.write("styled.ass", style);
    let styled = shop.ffmpeg("-i @/grey.mp4 -i @/styled.ass -map 0 -map 1 -c copy", "styled.mkv");
    let product = shop.success(&styled, &[file("a", "mp4"), webm].concat(), &[]);
    assert_eq!(
        taken_out(&shop.file(&product, 1), &["-c", "copy", "-f", "webvtt"]),
        "WEBVTT\n\n00:00.500 --> 00:01.500 line:0\nAbove\n\n00:02.000 --> 00:03.000\nThere\n"
    );
    assert_eq!(
        product.warnings,
        [
            "subtitles 0: 1 cues move, fade or light up word by word, which is not carried into WebVTT",
            "subtitles 0: 1 cues move, fade or light up word by word, which is not carried into mov_text",
            "subtitles 0: 1 cues stand at points of their own (\\pos), which are not carried into WebVTT",
            "subtitles 0: 2 cues stand elsewhere than subtitles usually do, for which mov_text has no place"
        ]
    );
}

#[test]
fn colours_of_webvtt_are_drawn() {
    let shop = Workshop::new();
    let source = shop.ffmpeg(
        "-f lavfi -i color=0x808080:s=640x360:r=25:d=2 -c:v libx264 -preset ultrafast",
        "grey.mp4",
    );
    let vtt = shop.write(
        "c.vtt",
        "WEBVTT\n\n00:00.000 --> 00:02.000\n<c.red>HHHHHH</c>HHHHHH<c.lime>HHHHHH</c>\n",
    );
    let definition = "[[group]]\nkind=\"file\"\n[[group.output]]\nname=\"a\"\n[group.output.video]\ncodec=\"h264\"\n\
        preset=\"ultrafast\"\nheight=360\nburn={source=\"subs:c.vtt\", font_size=\"10%\"}\n";
    let product = shop.success(&source, definition, &[("subs:c.vtt", vtt)]);
    assert!(product.warnings.is_empty(), "{:?}", product.warnings);
    let seen = crate::workshop::Seen::at(&shop.file(&product, 0), 1.0);
    // Where pixels of each colour are, in the mean.
    let mean = |is: fn([u8; 3]) -> bool| {
        let all = (240..360).flat_map(|y| (0..640).map(move |x| (x, y)));
        let found: Vec<usize> = all.filter(|(x, y)| is(seen.pixel(*x, *y))).map(|(x, _)| x).collect();
        assert!(found.len() > 50, "{}", found.len());
        found.iter().sum::<usize>() / found.len()
    };
    let red = mean(|[r, g, b]| r > 180 && g < 90 && b < 90);
    let white = mean(|[r, g, b]| r > 220 && g > 220 && b > 220);
    let lime = mean(|[r, g, b]| g > 180 && r < 90 && b < 90);
    assert!(red < white && white < lime, "{red} {white} {lime}");
}
