//! What is carried into outputs beside pictures and sound: text, timecode, chapters, tags, covers.

use crate::workshop::Workshop;
use crate::workshop::probed;
use reelmill::media::product::Place;
use std::path::Path;
use std::path::PathBuf;

const ONE: &str = "[group.output.video]\ncodec=\"h264\"\npreset=\"ultrafast\"\nheight=144\n";

fn file(container: &str) -> String {
    format!("[[group]]\nkind=\"file\"\ncontainer=\"{container}\"\n[[group.output]]\nname=\"{container}\"\n{ONE}")
}

/// Three languages of subtitles, the second forced, the third for the deaf, with markup and an overlap.
fn three_languages(shop: &Workshop) -> PathBuf {
    for (name, word) in [("en", "Hello"), ("fr", "Bonjour"), ("zh", "你好")] {
        shop.write(
            &format!("{name}.srt"),
            &format!(
                "1\n00:00:00,501 --> 00:00:01,999\n{word} <i>one</i> & <b>two</b>\n\n2\n00:00:02,000 --> 00:00:03,123\n{word}\nsecond line\n\n\
                 3\n00:00:02,500 --> 00:00:03,500\n{word} overlap\n"
            ),
        );
    }
    shop.ffmpeg(
        "-f lavfi -i testsrc2=s=256x144:r=25:d=4 -i @/en.srt -i @/fr.srt -i @/zh.srt -map 0 -map 1 -map 2 -map 3 \
         -c:v libx264 -preset ultrafast -c:s srt -metadata:s:s:0 language=eng -metadata:s:s:1 language=fre \
         -metadata:s:s:2 language=chi -metadata:s:s:2 title=Chinese -disposition:s:0 default -disposition:s:1 forced \
         -disposition:s:2 hearing_impaired",
        "three.mkv",
    )
}

/// One text track as Debian's ffmpeg converts it to SRT.
fn srt_of(path: &Path, track: usize) -> String {
    let output = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args(["-map", &format!("0:s:{track}"), "-f", "srt", "-"])
        .output()
        .expect("ffmpeg runs");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn three_languages_are_carried_to_the_millisecond() {
    let shop = Workshop::new();
    let source = three_languages(&shop);
    // Of the two that WebM holds, NVENC makes the other.
    let codec = if crate::backend::is_gpu() { "av1" } else { "vp9" };
    let webm = format!(
        "[[group]]\nkind=\"file\"\ncontainer=\"webm\"\n[[group.output]]\nname=\"webm\"\n[group.output.video]\n\
         codec=\"{codec}\"\npreset=\"ultrafast\"\nheight=144\n"
    );
    let definition = [file("mp4"), file("mov"), file("mkv"), webm, file("ts")].concat();
    let product = shop.success(&source, &definition, &[]);
    assert!(product.dropped.is_empty(), "{:?}", product.dropped);
    for (number, codec) in [(0, "mov_text"), (1, "mov_text"), (2, "subrip"), (3, "webvtt")] {
        let path = shop.file(&product, number);
        let streams = probed(
            &path,
            &[
                "-select_streams",
                "s",
                "-show_entries",
                "stream=codec_name:stream_tags=language",
                "-of",
                "csv=p=0",
            ],
        );
        let wanted = format!("{codec},eng\n{codec},fre\n{codec},chi\n");
        assert_eq!(streams.replace("fra", "fre").replace("zho", "chi"), wanted, "{codec}");
        for (track, word) in [(0, "Hello"), (1, "Bonjour"), (2, "你好")] {
            let text = srt_of(&path, track);
            assert!(text.contains("00:00:00,501 --> 00:00:01,999"), "{codec}: {text}");
            assert!(
                text.contains(&format!("{word} <i>one</i> & <b>two</b>")),
                "{codec}: {text}"
            );
            assert!(text.contains("00:00:02,000 --> "), "{codec}: {text}");
            assert!(text.contains("--> 00:00:03,500"), "{codec}: {text}");
            assert!(text.contains("second line"), "{codec}: {text}");
            if codec == "mov_text" {
                // One text at a time: both stand together while both are on.
                for times in [
                    "00:00:02,000 --> 00:00:02,500",
                    "00:00:02,500 --> 00:00:03,123",
                    "00:00:03,123 --> 00:00:03,500",
                ] {
                    assert!(text.contains(times), "{codec}: {text}");
                }
            }
        }
    }
    let said = probed(
        &shop.file(&product, 2),
        &[
            "-select_streams",
            "s",
            "-show_entries",
            "stream_disposition=default,forced,hearing_impaired:stream_tags=title",
            "-of",
            "csv=p=0",
        ],
    );
    assert_eq!(said, "1,0,0\n0,1,0\n0,0,1,Chinese\n");
    let only_ts = shop.success(&source, &file("ts"), &[]);
    assert_eq!(only_ts.dropped.len(), 3, "{:?}", only_ts.dropped);
    assert!(
        only_ts.dropped[0].contains("subtitle (subrip, eng)"),
        "{:?}",
        only_ts.dropped
    );
}

#[test]
fn text_stands_beside_or_is_dropped_when_asked() {
    let shop = Workshop::new();
    let source = three_languages(&shop);
    let product = shop.success(
        &source,
        &format!("text=\"webvtt\"\n[clip]\nstart_s=1.0\nend_s=3.0\n{}", file("mp4")),
        &[],
    );
    let files = &product.outputs[0].files;
    assert_eq!(files.len(), 4, "{files:?}");
    let english = std::fs::read_to_string(shop.path("scratch").join(&files[0].scratch_path)).expect("read");
    assert!(files[0].scratch_path.ends_with(".eng.vtt"), "{files:?}");
    let wanted = "WEBVTT\n\n00:00:00.000 --> 00:00:00.999\nHello <i>one</i> &amp; <b>two</b>\n\n\
        00:00:01.000 --> 00:00:02.000\nHello\nsecond line\n\n00:00:01.500 --> 00:00:02.000\nHello overlap\n";
    assert_eq!(english, wanted);
    let mp4 = shop.path("scratch").join(&files[3].scratch_path);
    assert_eq!(
        probed(
            &mp4,
            &[
                "-select_streams",
                "s",
                "-show_entries",
                "stream=index",
                "-of",
                "csv=p=0"
            ]
        ),
        ""
    );

    let product = shop.success(&source, &format!("text=\"drop\"\n{}", file("mkv")), &[]);
    assert_eq!(
        (product.outputs[0].files.len(), product.dropped.len()),
        (1, 3),
        "{:?}",
        product.dropped
    );
}

#[test]
fn sets_offer_every_language_as_subtitles() {
    let shop = Workshop::new();
    let source = three_languages(&shop);
    let set = |kind: &str| format!("[[group]]\nkind=\"{kind}\"\n[[group.output]]\nname=\"v\"\n{ONE}");
    let product = shop.success(&source, &(set("hls") + &set("cmaf")), &[]);
    assert!(product.dropped.is_empty(), "{:?}", product.dropped);
    for output in &product.outputs {
        let master = output
            .files
            .iter()
            .find(|file| file.place == Place::Main)
            .expect("a master");
        let text = std::fs::read_to_string(shop.path("scratch").join(&master.scratch_path)).expect("text");
        let lines: Vec<&str> = text.lines().filter(|line| line.contains("TYPE=SUBTITLES")).collect();
        assert_eq!(lines.len(), 3, "{text}");
        for (line, words) in lines.iter().zip([
            ["LANGUAGE=\"en\"", "FORCED=NO"],
            ["LANGUAGE=\"fr\"", "FORCED=YES"],
            ["NAME=\"Chinese\"", "LANGUAGE=\"zh\""],
        ]) {
            assert!(words.iter().all(|word| line.contains(word)), "{line}");
        }
        let streams = text.lines().filter(|line| line.starts_with("#EXT-X-STREAM-INF"));
        assert!(
            streams.clone().count() > 0 && streams.clone().all(|line| line.contains("SUBTITLES=\"")),
            "{text}"
        );
        let cues: String = output
            .files
            .iter()
            .filter(|file| matches!(&file.place, Place::Inside(path) if path.starts_with("subtitles-fr/seg-")))
            .map(|file| std::fs::read_to_string(shop.path("scratch").join(&file.scratch_path)).expect("text"))
            .collect();
        assert!(cues.contains("00:00:00.501 --> 00:00:01.999"), "{cues}");
    }
    let dropping = format!("text=\"drop\"\n{}", set("hls"));
    let product = shop.success(&source, &dropping, &[]);
    assert_eq!(product.dropped.len(), 3, "{:?}", product.dropped);
}

#[test]
fn ass_keeps_its_styles_in_matroska() {
    let shop = Workshop::new();
    shop.write("x.srt", "1\n00:00:00,500 --> 00:00:01,500\nstyled\n");
    let source = shop.ffmpeg(
        "-f lavfi -i testsrc2=s=256x144:r=25:d=2 -i @/x.srt -map 0 -map 1 -c:v libx264 -preset ultrafast -c:s ass",
        "ass.mkv",
    );
    let product = shop.success(&source, &file("mkv"), &[]);
    let path = shop.file(&product, 0);
    let codec = probed(
        &path,
        &[
            "-select_streams",
            "s",
            "-show_entries",
            "stream=codec_name",
            "-of",
            "csv=p=0",
        ],
    );
    assert_eq!(codec, "ass\n");
    assert!(srt_of(&path, 0).contains("00:00:00,500 --> 00:00:01,500"));
}

#[test]
fn timecode_is_read_carried_and_advanced() {
    let shop = Workshop::new();
    let ntsc = shop.ffmpeg(
        "-f lavfi -i testsrc2=s=256x144:r=30000/1001:d=2 -c:v libx264 -preset ultrafast -timecode 00:59:59;20",
        "ntsc.mov",
    );
    let of = |path: &Path| {
        probed(
            path,
            &[
                "-show_entries",
                "stream_tags=timecode:format_tags=timecode",
                "-of",
                "default=nw=1:nk=1",
            ],
        )
    };
    let product = shop.success(
        &ntsc,
        &[file("mov"), file("mp4"), file("mkv"), file("ts")].concat(),
        &[],
    );
    let facts = shop.facts().timecode.expect("timecode");
    assert_eq!((facts.start.as_str(), facts.origin.as_str()), ("00:59:59;20", "track"));
    for number in 0..3 {
        let said = of(&shop.file(&product, number));
        assert!(said.contains("00:59:59;20"), "{number}: {said}");
    }
    let tags = probed(
        &shop.file(&product, 0),
        &["-show_entries", "stream=codec_tag_string", "-of", "csv=p=0"],
    );
    assert!(tags.contains("tmcd"), "{tags}");
    assert_eq!(product.dropped, ["timecode: ts without a place for it"]);
    // A second is 30 labels; over the full ten minutes none is left out.
    let product = shop.success(&ntsc, &format!("[clip]\nstart_s=1.001\n{}", file("mov")), &[]);
    let said = of(&shop.file(&product, 0));
    assert!(said.contains("01:00:00;20"), "{said}");

    let mxf = shop.ffmpeg(
        "-f lavfi -i testsrc2=s=720x576:r=25:d=1 -c:v mpeg2video -timecode 10:00:00:05",
        "tape.mxf",
    );
    let product = shop.success(&mxf, &file("mp4"), &[]);
    assert!(of(&shop.file(&product, 0)).contains("10:00:00:05"));
}

#[test]
fn chapters_titles_and_tags_are_carried_and_places_are_not() {
    let shop = Workshop::new();
    shop.write(
        "tags.txt",
        ";FFMETADATA1\ntitle=A film\nartist=Somebody\nlocation=+48.8577+002.2950/\ncreation_time=2024-05-06T07:08:09.000000Z\n\
         [CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=First\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=1000\nEND=3000\ntitle=Second\n",
    );
    let source = shop.ffmpeg(
        "-f lavfi -i testsrc2=s=256x144:r=25:d=3 -f lavfi -i sine=d=3 -i @/tags.txt -map 0 -map 1 -map_metadata 2 -c:v libx264 -preset ultrafast -c:a aac",
        "tagged.mp4",
    );
    let definition = [file("mp4"), file("mkv"), file("ts")].concat();
    let product = shop.success(&source, &definition, &[]);
    for number in 0..2 {
        let path = shop.file(&product, number);
        let tags = probed(&path, &["-show_entries", "format_tags", "-of", "default=nw=1"]).to_lowercase();
        for wanted in ["title=a film", "artist=somebody", "2024-05-06t07:08:09"] {
            assert!(tags.contains(wanted), "{number} {wanted}: {tags}");
        }
        assert!(!tags.contains("48.8577"), "{number}: {tags}");
        let chapters = probed(
            &path,
            &[
                "-show_chapters",
                "-show_entries",
                "chapter=start_time,end_time:chapter_tags=title",
                "-of",
                "csv=p=0",
            ],
        );
        assert_eq!(
            chapters, "0.000000,1.000000,First\n1.000000,3.000000,Second\n",
            "{number}"
        );
    }
    let dropped = product.dropped.join("; ");
    assert!(
        dropped.contains("chapters: ts without") && dropped.contains("tags: location"),
        "{dropped}"
    );

    let product = shop.success(&source, &format!("metadata=\"all\"\n{}", file("mp4")), &[]);
    let tags = probed(
        &shop.file(&product, 0),
        &["-show_entries", "format_tags", "-of", "default=nw=1"],
    );
    assert!(tags.contains("+48.8577"), "{tags}");
    let product = shop.success(&source, &format!("metadata=\"none\"\n{}", file("mp4")), &[]);
    let tags = probed(
        &shop.file(&product, 0),
        &["-show_chapters", "-show_entries", "format_tags", "-of", "default=nw=1"],
    );
    assert!(!tags.contains("A film") && !tags.contains("First"), "{tags}");
    assert!(
        product.dropped.iter().any(|line| line.starts_with("chapters")),
        "{:?}",
        product.dropped
    );
}

#[test]
fn covers_of_sound_go_along() {
    let shop = Workshop::new();
    shop.ffmpeg("-f lavfi -i color=red:s=64x64 -frames:v 1", "cover.jpg");
    let source = shop.ffmpeg(
        "-f lavfi -i sine=d=2 -i @/cover.jpg -map 0 -map 1 -c:a aac -c:v copy -disposition:v attached_pic -metadata title=Song",
        "song.m4a",
    );
    let sound = |container: &str, codec: &str| {
        format!(
            "[[group]]\nkind=\"file\"\ncontainer=\"{container}\"\n[[group.output]]\nname=\"{container}\"\naudio={{codec=\"{codec}\"}}\n"
        )
    };
    let definition = sound("m4a", "aac");
    let product = shop.success(&source, &definition, &[]);
    assert!(product.dropped.is_empty(), "{:?}", product.dropped);
    let path = shop.file(&product, 0);
    let said = probed(
        &path,
        &[
            "-show_entries",
            "stream=codec_name:stream_disposition=attached_pic:format_tags=title",
            "-of",
            "csv=p=0",
        ],
    );
    assert!(said.contains("mjpeg,1") && said.contains("Song"), "{said}");
}
