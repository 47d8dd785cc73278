//! Sets as players find them: made by the real engine, read by the system's ffmpeg and by a playlist reader of our own.

#[path = "../media_pass/room.rs"]
#[allow(dead_code)]
mod room;

mod playlist;
mod published;
mod sounds;

use playlist::attribute;
use published::Published;
use published::decoded_frames;
use published::decodes;
use published::duration_s;
use published::key_times;
use published::publish;
use published::tool;
use reelmill::media::product::JobEnd;
use reelmill::media::product::Product;
use reelmill::media::product::ProductKind;
use reelmill::media::sample::make_sample;
use room::Room;
use room::transcode;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

/// Pictures a second of made clips.
const RATE: u64 = 30;

fn clip(room: &Room, seconds: u32) -> PathBuf {
    let path = room.path().join(format!("clip-{seconds}.mp4"));
    make_sample(&path, seconds, 320, 180).expect("a clip");
    path
}

fn group(head: &str, rungs: &[u32], more: &str) -> String {
    let rungs: String = rungs
        .iter()
        .map(|height| {
            format!(
                "[[group.output]]\nname = \"{height}p\"\n\
                 video = {{ codec = \"h264\", height = {height}, preset = \"ultrafast\", crf = 32, gop_s = 1.0, bframes = 2 }}\n\
                 {more}\n"
            )
        })
        .collect();
    format!("[[group]]\nsegment_s = 2.0\n{head}\n{rungs}")
}

const SOUND: &str = "audio = { codec = \"aac\", bitrate_kbps = 64 }";

/// Makes one set and lays it out.
fn made(room: &Room, source: &Path, spec: &str) -> (Product, Published) {
    let product = room.success(source, &transcode(spec));
    let set = product.outputs.into_iter().next_back().expect("an output");
    for check in &set.proof.checks {
        assert!(check.ok, "{check:?}");
    }
    let out = room.path().join("out");
    let _ = std::fs::remove_dir_all(&out);
    let published = publish(&room.path().join("scratch"), &set, &out);
    (set, published)
}

fn has_check(product: &Product, name: &str) -> bool {
    product.proof.checks.iter().any(|check| check.name == name)
}

/// Every name in a master playlist is a right media playlist of `seconds`; the variants, without key-frame ones.
fn check_master(published: &Published, seconds: f64) -> Vec<String> {
    let text = published.text();
    let folder = published.main().parent().expect("a folder").to_owned();
    let mut variants = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line.starts_with("#EXT-X-STREAM-INF:") {
            let uri = lines.next().expect("a name");
            for group in ["AUDIO", "SUBTITLES"] {
                if let Some(id) = attribute(line, group) {
                    let member = format!("TYPE={group},GROUP-ID=\"{id}\"");
                    assert!(text.contains(&member), "{member} in {text}");
                }
            }
            let peak: u64 = attribute(line, "BANDWIDTH").expect("a rate").parse().expect("bits");
            let average: u64 = attribute(line, "AVERAGE-BANDWIDTH")
                .expect("a rate")
                .parse()
                .expect("bits");
            assert!(peak >= average && average > 1000, "{line}");
            assert!(
                attribute(line, "CODECS").is_some_and(|codecs| codecs.contains("avc1.")),
                "{line}"
            );
            variants.push(uri.to_owned());
        }
        if let Some(uri) = attribute(line, "URI").filter(|_| line.starts_with("#EXT-X-")) {
            let media = playlist::media(&folder.join(uri));
            assert!((media.length_s() - seconds).abs() < 0.1, "{uri}: {}", media.length_s());
        }
    }
    for uri in &variants {
        let media = playlist::media(&folder.join(uri));
        assert!((media.length_s() - seconds).abs() < 0.05, "{uri}: {}", media.length_s());
    }
    assert!(!variants.is_empty(), "{text}");
    variants
}

/// Each entry of a playlist of key frames is one key frame, where the whole has one.
fn check_iframes(room: &Room, published: &Published, folder: &str) {
    let wanted = key_times(&published.inside(&format!("{folder}/index.m3u8")));
    let media = playlist::media(&published.inside(&format!("{folder}/iframes.m3u8")));
    assert_eq!(media.entries.len(), wanted.len());
    let mut at_s = 0.0;
    for (entry, key_s) in media.entries.iter().zip(&wanted) {
        assert!((at_s - key_s).abs() < 0.002, "{at_s} {wanted:?}");
        at_s += entry.duration_s;
        let alone = room.path().join("key.bin");
        std::fs::write(&alone, media.bytes(&published.inside(folder), entry)).expect("written");
        let output = Command::new("ffprobe")
            .args([
                "-v",
                "quiet",
                "-select_streams",
                "v:0",
                "-show_entries",
                "frame=key_frame,pict_type",
                "-of",
                "csv=p=0",
            ])
            .arg(&alone)
            .output()
            .expect("ffprobe runs");
        let text = String::from_utf8(output.stdout).expect("text");
        assert!(
            text.lines().next().is_some_and(|line| line.starts_with("1,I")),
            "{folder} at {at_s}: {text:?}"
        );
    }
}

#[test]
fn fmp4_sets_play_and_wind() {
    let room = Room::new();
    let source = clip(&room, 5);
    let (set, published) = made(&room, &source, &group("kind = \"hls\"", &[180, 128], SOUND));
    assert!(has_check(&set, "128p/key_frames_aligned"));
    assert!(has_check(&set, "180p/last_gop_pictures") && has_check(&set, "180p/segments_at_key_frames"));
    for uri in check_master(&published, 5.0) {
        let path = published.main().parent().expect("a folder").join(uri);
        assert_eq!(decoded_frames(&path), 5 * RATE);
    }
    decodes(&published.main(), &[]);
    assert!((duration_s(&published.main()) - 5.0).abs() < 0.1);
    let text = published.text();
    assert_eq!(text.matches("#EXT-X-I-FRAME-STREAM-INF:").count(), 2, "{text}");
    check_iframes(&room, &published, "180p");
    check_iframes(&room, &published, "128p");
}

#[test]
fn transport_stream_sets_play_and_wind() {
    let room = Room::new();
    let source = clip(&room, 5);
    let spec = group("kind = \"hls\"\nsegment_format = \"ts\"", &[180, 128], SOUND);
    let (_, published) = made(&room, &source, &spec);
    for uri in check_master(&published, 5.0) {
        let path = published.main().parent().expect("a folder").join(uri);
        let media = playlist::media(&path);
        assert_eq!((media.version, media.entries.len()), (3, 3));
        assert_eq!(decoded_frames(&path), 5 * RATE);
        for entry in &media.entries {
            // Every segment can be played alone: tables first, then a key frame.
            let segment = path.parent().expect("a folder").join(&entry.uri);
            let bytes = std::fs::read(&segment).expect("read");
            assert_eq!(
                (bytes[0], u16::from_be_bytes([bytes[1], bytes[2]]) & 0x1FFF),
                (0x47, 0x11),
                "{}",
                entry.uri
            );
            assert_eq!(
                u16::from_be_bytes([bytes[189], bytes[190]]) & 0x1FFF,
                0,
                "the program table"
            );
            assert_eq!(bytes.len() % 188, 0);
            decodes(&segment, &[]);
            assert_eq!(key_times(&segment).first(), Some(&0.0));
        }
    }
    decodes(&published.main(), &[]);
    check_iframes(&room, &published, "180p");
    // Sound and pictures begin together on the stream's clock.
    let starts = |folder: &str, kind: &str| -> f64 {
        let arguments = [
            "-select_streams",
            kind,
            "-show_entries",
            "stream=start_time",
            "-of",
            "csv=p=0",
        ];
        let text = tool(
            "ffprobe",
            &arguments,
            &published.inside(&format!("{folder}/seg-00001.ts")),
            &[],
        );
        text.lines()
            .find_map(|line| line.trim().trim_matches(',').parse().ok())
            .expect("a time")
    };
    assert!((starts("180p", "v:0") - starts("audio", "a:0")).abs() < 0.04);
}

#[test]
fn pictures_and_sound_in_one_stream() {
    let room = Room::new();
    let source = clip(&room, 5);
    let more = format!("{SOUND}\nrendition = {{ type = \"hybrid\" }}");
    let (set, published) = made(
        &room,
        &source,
        &group("kind = \"hls\"\nsegment_format = \"ts\"", &[180, 128], &more),
    );
    assert_eq!(set.renditions.len(), 2);
    let text = published.text();
    assert!(!text.contains("EXT-X-MEDIA:"), "{text}");
    for uri in check_master(&published, 5.0) {
        let path = published.main().parent().expect("a folder").join(uri);
        assert_eq!(decoded_frames(&path), 5 * RATE);
        let kinds = tool(
            "ffprobe",
            &["-show_entries", "stream=codec_type", "-of", "csv=p=0"],
            &path,
            &[],
        );
        assert!(kinds.contains("video") && kinds.contains("audio"), "{kinds}");
        decodes(&path, &[]);
    }
    assert!(text.contains("mp4a.40.2"), "{text}");
    check_iframes(&room, &published, "128p");
}

#[test]
fn one_file_for_each_rendition() {
    let room = Room::new();
    let source = clip(&room, 5);
    for format in ["fmp4", "ts"] {
        let head = format!("kind = \"hls\"\nsegment_format = \"{format}\"\nsingle_file = true");
        let (set, published) = made(&room, &source, &group(&head, &[128], SOUND));
        let media_files = set.files.iter().filter(|file| file.scratch_path.contains("/media."));
        assert_eq!(media_files.count(), 2, "{format}");
        for uri in check_master(&published, 5.0) {
            let path = published.main().parent().expect("a folder").join(uri);
            let media = playlist::media(&path);
            assert_eq!(media.entries.len(), 3);
            assert!(media.entries.iter().all(|entry| entry.range.is_some()));
            assert_eq!(decoded_frames(&path), 5 * RATE, "{format}");
        }
        decodes(&published.main(), &[]);
        check_iframes(&room, &published, "128p");
    }
}

#[test]
fn sealed_sets_open_with_their_key_only() {
    let room = Room::new();
    let source = clip(&room, 5);
    for head in [
        "segment_format = \"ts\"\nencryption = { method = \"aes-128\" }",
        "encryption = { method = \"aes-128\", iv = \"000102030405060708090A0B0C0D0E0F\" }",
        "segment_format = \"ts\"\nsingle_file = true\nencryption = { method = \"aes-128\" }",
    ] {
        let (set, published) = made(
            &room,
            &source,
            &group(&format!("kind = \"hls\"\n{head}"), &[128], SOUND),
        );
        let key = std::fs::read(published.inside("enc.key")).expect("a key");
        assert_eq!(key.len(), 16);
        let told = format!("{:?}{}", set, serde_json::to_string(&set).expect("text"));
        assert!(
            !told.contains(&hex::encode(&key)) && !told.contains(&format!("{key:?}")),
            "the key is told"
        );
        let path = published.inside("128p/index.m3u8");
        let media = playlist::media(&path);
        assert!(
            media.text.contains("#EXT-X-KEY:METHOD=AES-128,URI=\"../enc.key\""),
            "{}",
            media.text
        );
        assert_eq!(
            media.text.contains("IV=0x000102030405060708090A0B0C0D0E0F"),
            head.contains("iv =")
        );
        assert_eq!(decoded_frames(&path), 5 * RATE, "{head}");
        assert!(
            !published.text().contains("I-FRAME"),
            "parts of sealed segments cannot be read alone"
        );
        std::fs::write(published.inside("enc.key"), [1; 16]).expect("written");
        let wrong = Command::new("ffprobe")
            .args([
                "-v",
                "quiet",
                "-allowed_extensions",
                "ALL",
                "-count_frames",
                "-select_streams",
                "v:0",
            ])
            .args(["-show_entries", "stream=nb_read_frames", "-of", "csv=p=0"])
            .arg(&path)
            .output()
            .expect("ffprobe runs");
        let text = String::from_utf8_lossy(&wrong.stdout).trim().to_owned();
        assert_ne!(text, (5 * RATE).to_string(), "another key opens it too");
    }
}

/// What OpenSSL makes of one sealed part; it refuses padding that is none.
fn opened_by_openssl(room: &Room, sealed: &[u8], key: &[u8], iv: u128) -> Vec<u8> {
    let (from, to) = (room.path().join("sealed.bin"), room.path().join("plain.bin"));
    std::fs::write(&from, sealed).expect("written");
    let answer = Command::new("openssl")
        .args([
            "enc",
            "-d",
            "-aes-128-cbc",
            "-K",
            &hex::encode(key),
            "-iv",
            &format!("{iv:032x}"),
        ])
        .arg("-in")
        .arg(&from)
        .arg("-out")
        .arg(&to)
        .output()
        .expect("openssl is installed");
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    std::fs::read(to).expect("what it made")
}

/// As RFC 8216bis has it: each range is a segment, sealed and padded by itself, its number in the playlist its vector
/// unless one is given; an initialisation section before the key is not sealed.
#[test]
fn each_range_of_a_sealed_file_opens_by_itself() {
    let room = Room::new();
    let source = clip(&room, 5);
    let given = 0x0001_0203_0405_0607_0809_0A0B_0C0D_0E0F_u128;
    for (format, iv) in [("fmp4", None), ("fmp4", Some(given)), ("ts", None)] {
        let said = iv.map_or(String::new(), |iv| format!(", iv = \"{iv:032X}\""));
        let head = format!(
            "kind = \"hls\"\nsegment_format = \"{format}\"\nsingle_file = true\nencryption = {{ method = \"aes-128\"{said} }}"
        );
        let (_, published) = made(&room, &source, &group(&head, &[128], SOUND));
        let key = std::fs::read(published.inside("enc.key")).expect("a key");
        let path = published.inside("128p/index.m3u8");
        let media = playlist::media(&path);
        let folder = path.parent().expect("a folder");
        let lines: Vec<&str> = media.text.lines().collect();
        let at = |tag: &str| lines.iter().position(|line| line.starts_with(tag));
        assert!(media.text.contains("#EXT-X-MEDIA-SEQUENCE:0\n"), "{}", media.text);
        assert_eq!(at("#EXT-X-MAP").is_some(), format == "fmp4");
        assert!(
            at("#EXT-X-MAP") < at("#EXT-X-KEY"),
            "a section after the key would be sealed"
        );
        let part = |(offset, size): (u64, u64), name: &str| {
            let bytes = std::fs::read(folder.join(name)).expect("read");
            bytes[offset as usize..(offset + size) as usize].to_vec()
        };
        let init = media
            .map
            .as_ref()
            .map(|(name, range)| part(range.expect("a range"), name));
        let init = init.unwrap_or_default();
        let mut whole = init.clone();
        assert!(media.entries.len() > 1);
        for (number, entry) in media.entries.iter().enumerate() {
            let sealed = part(entry.range.expect("a range"), &entry.uri);
            assert_eq!(sealed.len() % 16, 0, "whole blocks");
            let plain = opened_by_openssl(&room, &sealed, &key, iv.unwrap_or(number as u128));
            let alone = room.path().join("alone.bin");
            std::fs::write(&alone, [init.as_slice(), &plain].concat()).expect("written");
            assert!(
                key_times(&alone).first().is_some_and(|at_s| *at_s < 0.001),
                "{format} {number}"
            );
            whole.extend(plain);
        }
        let all = room.path().join("all.bin");
        std::fs::write(&all, whole).expect("written");
        assert_eq!(decoded_frames(&all), 5 * RATE, "{format}");
    }
}

#[test]
fn a_key_of_the_studio_and_its_server() {
    let mut room = Room::new();
    let source = clip(&room, 3);
    let head = "kind = \"hls\"\nsegment_format = \"ts\"\nencryption = { method = \"aes-128\", key = \"vault:film.key\", key_uri = \"https://keys.local/film\" }";
    let work = transcode(&group(head, &[128], ""));
    let reelmill::media::spec::MediaWork::Transcode(spec) = &work else {
        panic!("a transcode")
    };
    assert!(spec.side_names().contains("vault:film.key"));
    let key = room.path().join("film.key");
    std::fs::write(&key, [9; 15]).expect("written");
    room.add_side("vault:film.key", &key);
    let ends = room.carry_out(&source, std::slice::from_ref(&work)).expect("ended");
    let JobEnd::Failed { fault } = &ends[0].1 else {
        panic!("15 bytes are no key: {ends:?}")
    };
    assert_eq!(fault.code, "KeyUnusable");

    std::fs::write(&key, [9; 16]).expect("written");
    let (_, published) = made(&room, &source, &group(head, &[128], ""));
    assert!(!published.inside("enc.key").exists());
    let index = published.inside("128p/index.m3u8");
    let text = std::fs::read_to_string(&index).expect("read");
    assert!(
        text.contains("METHOD=AES-128,URI=\"https://keys.local/film\"\n"),
        "{text}"
    );
    std::fs::write(&index, text.replace("https://keys.local/film", "../../../film.key")).expect("written");
    assert_eq!(decoded_frames(&index), 3 * RATE);
}

/// A clip with English and German sound.
fn two_languages(room: &Room) -> PathBuf {
    let path = room.path().join("two.mkv");
    let status = Command::new("ffmpeg")
        .args([
            "-v",
            "error",
            "-nostdin",
            "-f",
            "lavfi",
            "-i",
            "testsrc=s=320x180:r=30:d=4",
        ])
        .args(["-f", "lavfi", "-i", "sine=400:d=4", "-f", "lavfi", "-i", "sine=800:d=4"])
        .args([
            "-map", "0", "-map", "1", "-map", "2", "-c:v", "mpeg4", "-c:a", "flac", "-t", "4",
        ])
        .args([
            "-metadata:s:a:0",
            "language=eng",
            "-metadata:s:a:1",
            "language=ger",
            "-disposition:a:0",
            "default",
        ])
        .arg(&path)
        .status()
        .expect("ffmpeg runs");
    assert!(status.success());
    path
}

#[test]
fn each_language_is_a_choice() {
    let room = Room::new();
    let source = two_languages(&room);
    let (set, published) = made(&room, &source, &group("kind = \"cmaf\"", &[180, 128], SOUND));
    check_master(&published, 4.0);
    let text = published.text();
    let choices: Vec<&str> = text.lines().filter(|line| line.starts_with("#EXT-X-MEDIA:")).collect();
    let told: Vec<_> = choices
        .iter()
        .map(|line| {
            (
                attribute(line, "LANGUAGE"),
                attribute(line, "DEFAULT"),
                attribute(line, "GROUP-ID"),
            )
        })
        .collect();
    let group = attribute(choices[0], "GROUP-ID");
    assert_eq!(
        told,
        [(Some("en"), Some("YES"), group), (Some("de"), Some("NO"), group)],
        "{text}"
    );
    assert_eq!(
        text.matches(&format!("AUDIO=\"{}\"", group.expect("a group"))).count(),
        2,
        "{text}"
    );
    assert_eq!(set.renditions.len(), 4, "two rungs, two languages");
    let mpd = std::fs::read_to_string(published.beside(".mpd")).expect("read");
    for language in ["en", "de"] {
        assert!(
            mpd.contains(&format!("startWithSAP=\"1\" lang=\"{language}\"")),
            "{mpd}"
        );
    }
    let kinds = tool(
        "ffprobe",
        &["-show_entries", "stream=codec_type", "-of", "csv=p=0"],
        &published.beside(".mpd"),
        &[],
    );
    // It lists the streams of the program, then all of them.
    let all = kinds.trim().rsplit("\n\n").next().expect("text");
    assert_eq!(all.matches("audio").count(), 2, "{kinds}");
}

#[test]
fn groups_that_the_definition_names() {
    let room = Room::new();
    let source = clip(&room, 3);
    let sound = |name: &str, kbps: u32, group: &str, label: &str| {
        format!(
            "[[group.output]]\nname = \"{name}\"\naudio = {{ codec = \"aac\", bitrate_kbps = {kbps} }}\n\
             rendition = {{ type = \"audio\", audio_group = \"{group}\", name = \"{label}\", language = \"fr-CA\" }}\n"
        )
    };
    let rungs = group("kind = \"hls\"", &[180], "rendition = { audio_group = \"rich\" }");
    let low = group("", &[128], "rendition = { audio_group = \"lean\" }");
    let low = low.split_once("[[group.output]]").expect("an output").1;
    let spec = format!(
        "{rungs}[[group.output]]{low}{}{}",
        sound("good", 96, "rich", "Voix"),
        sound("small", 32, "lean", "Voix")
    );
    let (_, published) = made(&room, &source, &spec);
    check_master(&published, 3.0);
    let text = published.text();
    for (id, folder) in [("rich", "good"), ("lean", "small")] {
        let line = format!(
            "TYPE=AUDIO,GROUP-ID=\"{id}\",NAME=\"Voix\",LANGUAGE=\"fr-CA\",DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"2\",URI=\"hls/{folder}/index.m3u8\""
        );
        assert!(text.contains(&line), "{line} in {text}");
    }
    let wide = text
        .lines()
        .find(|line| line.contains("RESOLUTION=320x180") && line.contains("STREAM-INF:BANDWIDTH"));
    assert_eq!(wide.and_then(|line| attribute(line, "AUDIO")), Some("rich"), "{text}");
}

#[test]
fn dash_sets_play() {
    let room = Room::new();
    let source = clip(&room, 5);
    let (set, published) = made(&room, &source, &group("kind = \"dash\"", &[180, 128], SOUND));
    let told = (set.kind, set.name.as_str(), set.extension.as_str());
    assert_eq!(told, (ProductKind::Dash, "dash", ".mpd"));
    assert!(has_check(&set, "180p/mpd_segments") && !published.inside("180p/index.m3u8").exists());
    assert_eq!(decoded_frames(&published.main()), 5 * RATE);
    decodes(&published.main(), &[]);
    assert!((duration_s(&published.main()) - 5.0).abs() < 0.1);
    let arguments = ["-show_entries", "stream=width,height", "-of", "csv=p=0"];
    let sizes = tool("ffprobe", &arguments, &published.main(), &[]);
    assert!(sizes.contains("320,180") && sizes.contains(",128"), "{sizes}");
}

#[test]
fn one_set_of_segments_behind_both_manifests() {
    let room = Room::new();
    let source = clip(&room, 5);
    let (set, published) = made(&room, &source, &group("kind = \"cmaf\"", &[180, 128], SOUND));
    assert_eq!((set.kind, set.extension.as_str()), (ProductKind::Cmaf, ".m3u8"));
    check_master(&published, 5.0);
    decodes(&published.main(), &[]);
    let mpd = published.beside(".mpd");
    assert_eq!(decoded_frames(&mpd), 5 * RATE);
    decodes(&mpd, &[]);
    let text = std::fs::read_to_string(mpd).expect("read");
    assert!(
        text.contains("initialization=\"cmaf/180p/init.mp4\" media=\"cmaf/180p/seg-$Number%05d$.m4s\""),
        "{text}"
    );
}

#[test]
fn segments_follow_the_key_frames_of_other_rates() {
    let room = Room::new();
    let source = clip(&room, 7);
    // Groups of 1.5 s in segments of about 2 s become segments of 3 s, of sound as well.
    let rung = |name: &str, fps: &str| {
        format!(
            "[[group.output]]\nname = \"{name}\"\nvideo = {{ codec = \"h264\", height = 128, preset = \"ultrafast\", crf = 32, gop_s = 1.5{fps} }}\n{SOUND}\n"
        )
    };
    let spec = format!(
        "[[group]]\nkind = \"hls\"\nsegment_s = 2.0\n{}{}",
        rung("full", ""),
        rung("half", ", fps = 15")
    );
    let (set, published) = made(&room, &source, &spec);
    assert!(has_check(&set, "half/key_frames_aligned"), "{:?}", set.proof);
    for folder in ["full", "half", "audio"] {
        let media = playlist::media(&published.inside(&format!("{folder}/index.m3u8")));
        let lengths: Vec<f64> = media.entries.iter().map(|entry| entry.duration_s.round()).collect();
        assert_eq!(lengths, [3.0, 3.0, 1.0], "{folder}");
    }
}

#[test]
fn nameless_sets_have_names_of_their_own() {
    let room = Room::new();
    let source = clip(&room, 2);
    let one = group("kind = \"hls\"", &[128], "");
    let product = room.success(
        &source,
        &transcode(&format!("{one}{one}{}", group("kind = \"dash\"", &[128], ""))),
    );
    let names: Vec<&str> = product.outputs.iter().map(|output| output.name.as_str()).collect();
    assert_eq!(names, ["hls", "hls-2", "dash"]);
}
