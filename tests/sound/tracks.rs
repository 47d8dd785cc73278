//! Tracks: which are taken, what they are called, how they are put together or copied.

use crate::PICTURES;
use crate::VIDEO;
use crate::X264;
use crate::channel;
use crate::collection;
use crate::file;
use crate::group;
use crate::reader::lag;
use crate::reader::make;
use crate::reader::samples;
use crate::reader::streams;
use crate::reader::tone;
use crate::room::Room;
use crate::room::probe;
use crate::room::transcode;

#[test]
fn languages_titles_and_marks_are_kept() {
    let room = Room::new();
    let tracks = [1, 2, 3].map(|n| format!("sine=f={}:r=48000:d=1", n * 300));
    let source = make(
        room.path(),
        "three.mkv",
        &[&format!("{PICTURES}:d=1"), &tracks[0], &tracks[1], &tracks[2]],
        &format!(
            "-map 0 -map 1 -map 2 -map 3 {X264} -c:a aac -metadata:s:a:0 language=eng -metadata:s:a:1 language=ger \
            -metadata:s:a:1 title=Commentary -metadata:s:a:2 language=fra -disposition:a:0 0 -disposition:a:1 comment \
            -disposition:a:2 default"
        ),
    );
    let spec = group("mp4", "mp4", &format!("{VIDEO}\naudio = {{ codec = \"aac\" }}"))
        + &group("mkv", "mkv", &format!("{VIDEO}\naudio = {{ codec = \"opus\" }}"))
        + &group(
            "two",
            "mp4",
            "audio = { codec = \"aac\", tracks = [\"eng\", 2, \"spa\"] }",
        )
        + &group("one", "mp3", "audio = { codec = \"mp3\" }");
    let product = room.success(&source, &transcode(&spec));
    for container in ["mp4", "mkv"] {
        let path = file(&room, &product, container);
        let languages = streams(&path, "stream_tags=language");
        // MP4 has the codes of ISO 639-2/T.
        let german = if container == "mp4" { "deu" } else { "ger" };
        assert_eq!(languages, ["fra", "eng", german], "{container}");
        let marks = streams(&path, "stream_disposition=default,comment");
        assert_eq!(marks[0], "1,0", "{container}: {marks:?}");
        let key = if container == "mp4" { "handler_name" } else { "title" };
        let titles = streams(&path, &format!("stream_tags={key}"));
        assert_eq!(
            titles.last().map(String::as_str),
            Some("Commentary"),
            "{container}: {titles:?}"
        );
        for (track, hz) in [(0, 900.0), (1, 300.0), (2, 600.0)] {
            let heard = samples(&path, track);
            assert!(tone(&heard, (0, 1), 48_000.0, hz) > 0.1, "{container} track {track}");
        }
        let facts = probe(&path);
        let commentary = facts
            .streams
            .iter()
            .find(|stream| stream.title.is_some())
            .expect("a titled track");
        assert_eq!(commentary.title.as_deref(), Some("Commentary"));
    }
    let mkv = streams(&file(&room, &product, "mkv"), "stream_disposition=default,comment");
    assert_eq!(mkv, ["1,0", "0,0", "0,1"]);
    let two = file(&room, &product, "two");
    assert_eq!(streams(&two, "stream_tags=language"), ["eng", "deu"]);
    let one = file(&room, &product, "one");
    assert!(
        tone(&samples(&one, 0), (0, 1), 48_000.0, 900.0) > 0.1,
        "the default track"
    );
    let told = |words: &str| product.dropped.iter().any(|line| line.contains(words));
    assert!(told("spa") && told("mp3 files hold one track"), "{:?}", product.dropped);
}

#[test]
fn copies_are_the_sources_packets() {
    let room = Room::new();
    let sound = "anoisesrc=r=48000:d=2:seed=5:a=0.5,lowpass=f=3000,lowpass=f=3000";
    let pictures = format!("{PICTURES}:d=2");
    for (name, codec, containers) in [
        ("aac.mp4", "aac", ["mp4", "mkv", "mov"]),
        ("mp3.mkv", "libmp3lame", ["mp4", "mkv", "mp3"]),
        ("lame.mp3", "libmp3lame", ["mp3", "mkv", "mp4"]),
        ("ac3.ts", "ac3", ["mp4", "mkv", "ts"]),
        ("adts.ts", "aac", ["mp4", "mkv", "ts"]),
    ] {
        let source = match name {
            "lame.mp3" => make(room.path(), name, &[sound], "-c:a libmp3lame -ac 2"),
            _ => make(
                room.path(),
                name,
                &[&pictures, sound],
                &format!("-map 0 -map 1 {X264} -c:a {codec} -ac 2"),
            ),
        };
        let spec: String = containers
            .iter()
            .map(|container| {
                let video = if *container == "mp3" || name == "lame.mp3" {
                    ""
                } else {
                    VIDEO
                };
                group(
                    container,
                    container,
                    &format!("{video}\naudio = {{ codec = \"copy\" }}"),
                )
            })
            .collect();
        let product = room.success(&source, &transcode(&spec));
        let wanted = samples(&source, 0);
        for container in containers {
            let path = file(&room, &product, container);
            let codec_name = if codec == "libmp3lame" { "mp3" } else { codec };
            // Of a transport stream ffprobe lists streams twice.
            assert_eq!(
                streams(&path, "stream=codec_name").first().map(String::as_str),
                Some(codec_name),
                "{name} to {container}"
            );
            let made = samples(&path, 0);
            // Transport streams say no encoder's delay, so it may be heard there, and only there.
            let is_coarse = name == "lame.mp3" && container == "mkv";
            let is_ts = name.ends_with(".ts") || container == "ts";
            let reach = if is_ts { 2_200 } else { 48 * i64::from(is_coarse) };
            let (one, other) = (channel(&wanted, 0, 2), channel(&made, 0, 2));
            let (_, likeness) = lag(&one, &other, reach);
            assert!(likeness > 0.98, "{name} to {container}: {likeness}");
        }
    }
}

#[test]
fn mono_tracks_of_a_broadcast_file() {
    let room = Room::new();
    let made = make(
        room.path(),
        "mono.mov",
        &[
            "sine=f=300:r=48000:d=1",
            "sine=f=500:r=48000:d=1",
            "sine=f=700:r=48000:d=1",
            "sine=f=900:r=48000:d=1",
        ],
        "-map 0 -map 1 -map 2 -map 3 -c:a pcm_s24le -ac 1",
    );
    let spec = group("apart", "mp4", "audio = { codec = \"aac\" }")
        + &group("pairs", "mov", "audio = { codec = \"pcm\", merge = \"stereo_pairs\" }")
        + &group(
            "picked",
            "wav",
            "audio = { codec = \"pcm\", merge = \"stereo_pairs\", channel_map = [1, 0] }",
        );
    let product = room.success(&made, &transcode(&spec));
    assert_eq!(streams(&file(&room, &product, "apart"), "stream=channels"), ["1"; 4]);
    let pairs = file(&room, &product, "pairs");
    assert_eq!(streams(&pairs, "stream=channels"), ["2", "2"]);
    let level = tone(&samples(&made, 0), (0, 1), 48_000.0, 300.0);
    for (track, channel, hz) in [(0, 0, 300.0), (0, 1, 500.0), (1, 0, 700.0), (1, 1, 900.0)] {
        let found = tone(&samples(&pairs, track), (channel, 2), 48_000.0, hz);
        assert!((found - level).abs() < 1e-3, "{hz}: {found}, not {level}");
    }
    let picked = samples(&file(&room, &product, "picked"), 0);
    assert!(tone(&picked, (0, 2), 48_000.0, 500.0) > level / 2.0);

    if let Some(path) = collection::media("fate_SonyXAVC_LongGOP_green_pixelation_early_Frames.mp4") {
        let spec = format!(
            "partial = true\n{}{}",
            group("apart", "mp4", "audio = { codec = \"aac\" }"),
            group("pairs", "mp4", "audio = { codec = \"aac\", merge = \"stereo_pairs\" }")
        );
        let product = room.success(&path, &transcode(&spec));
        assert_eq!(streams(&file(&room, &product, "apart"), "stream=channels"), ["1"; 4]);
        assert_eq!(streams(&file(&room, &product, "pairs"), "stream=channels"), ["2"; 2]);
    }
}
