//! Keys of products, with the names that real shares hold.

use super::BadPath;
use super::DEFAULT_PATH;
use super::NameFacts;
use super::PathTemplate;
use super::ProductNames;
use super::relative_reference;
use crate::base::clock::UtcMs;
use crate::media::product::Place;
use crate::objects::uri::key_bytes;

fn facts<'a>(source_key: &'a str, name: &'a str, extension: &'a str) -> NameFacts<'a> {
    NameFacts {
        source_key,
        prefix: None,
        name,
        extension,
        group: "",
        activity: "ladder",
        template: Some("h264-mp4-ladder"),
        media: "m1",
        task: "t1",
        job: "j1",
        task_created_at: UtcMs(1_657_245_768_123),
    }
}

fn names(path: &str, facts: &NameFacts<'_>) -> ProductNames {
    PathTemplate::parse(path)
        .expect("a good path")
        .names(facts)
        .expect("a short key")
}

#[test]
fn the_default_path_puts_products_into_a_folder_of_the_sources_stem() {
    let ladder = names(DEFAULT_PATH, &facts("a/b/c.flv", "1080p", ".mp4"));
    assert_eq!(ladder.key(&Place::Main), "a/b/c/1080p.mp4");
    let set = names(DEFAULT_PATH, &facts("c.flv", "HLS", ".m3u8"));
    assert_eq!(set.key(&Place::Main), "c/HLS.m3u8");
    assert_eq!(
        set.key(&Place::Inside("720p/seg-00001.m4s".to_owned())),
        "c/HLS/720p/seg-00001.m4s"
    );
    let sprite = names(DEFAULT_PATH, &facts("c.flv", "sprite", ".jpg"));
    assert_eq!(sprite.key(&Place::Numbered(12)), "c/sprite-00012.jpg");
    assert_eq!(sprite.key(&Place::Beside(".vtt".to_owned())), "c/sprite.vtt");
    assert_eq!(sprite.pattern(), "c/sprite-{Count}.jpg");
}

#[test]
fn both_clouds_tokens_are_understood() {
    let still = facts("a/b/c.flv", "stills", ".jpg");
    let key = |path| names(path, &still).key(&Place::Numbered(1));
    assert_eq!(key("{ObjectPrefix}{FileName}{Count}.jpg"), "a/b/c00001.jpg");
    assert_eq!(key("{ObjectPrefix}{FileName}-{Count:02}.jpg"), "a/b/c-01.jpg");
    assert_eq!(
        key("{inputDir}/{inputName}_{definition}_{number}.{format}"),
        "a/b/c_h264-mp4-ladder_1.jpg"
    );
    assert_eq!(
        key("{MediaId}/{RunId}/{TaskId}/{JobId}-{TileCount}"),
        "m1/t1/t1/j1-00001.jpg"
    );
    assert_eq!(key("{Date}/{ExtName}/{Name}"), "2022-07-08/flv/stills-00001.jpg");
    // At the top of a storage there is no folder to begin with.
    assert_eq!(
        names("{inputDir}/{inputName}.{format}", &facts("c.flv", "x", ".mp4")).key(&Place::Main),
        "c.mp4"
    );
}

#[test]
fn a_spelt_extension_is_kept_when_true_and_corrected_when_not() {
    let path = "{ObjectPrefix}{FileName}test.mp4";
    assert_eq!(
        names(path, &facts("a/b/c.flv", "n", ".mp4")).key(&Place::Main),
        "a/b/ctest.mp4"
    );
    assert_eq!(
        names(path, &facts("a/b/c.flv", "n", ".m3u8")).key(&Place::Main),
        "a/b/ctest.mp4.m3u8"
    );
}

#[test]
fn a_prefix_stands_in_for_the_sources_folder() {
    let mut moved = facts("deep/down/c.flv", "720p", ".mp4");
    for prefix in ["done/", "done", "/done/"] {
        moved.prefix = Some(prefix);
        assert_eq!(
            names(DEFAULT_PATH, &moved).key(&Place::Main),
            "done/c/720p.mp4",
            "{prefix}"
        );
    }
    moved.prefix = Some("");
    assert_eq!(names(DEFAULT_PATH, &moved).key(&Place::Main), "c/720p.mp4");
}

#[test]
fn versions_go_on_the_stem_of_every_object_of_the_set() {
    let set = names(DEFAULT_PATH, &facts("c.flv", "HLS", ".m3u8")).versioned(2);
    assert_eq!(set.key(&Place::Main), "c/HLS-2.m3u8");
    assert_eq!(
        set.key(&Place::Inside("720p/init.mp4".to_owned())),
        "c/HLS-2/720p/init.mp4"
    );
    assert_eq!(set.key(&Place::Numbered(3)), "c/HLS-2-00003.m3u8");
    assert_eq!(set.key(&Place::Beside(".vtt".to_owned())), "c/HLS-2.vtt");
    assert_eq!(set.versioned(1).key(&Place::Main), "c/HLS.m3u8");
}

#[test]
fn no_source_name_leads_out_of_the_storage_or_into_staging() {
    for source in [
        "../../etc/passwd.mp4",
        "/abs//x.mp4",
        "./..mp4",
        "a/../..",
        ".reelmill/x.mp4",
        ".reelmill",
    ] {
        for path in [
            DEFAULT_PATH,
            "{FileName}",
            "{FileName}/{FileName}",
            "/{inputDir}/{Name}",
        ] {
            for place in [
                Place::Main,
                Place::Inside("../../x".to_owned()),
                Place::Beside("/../x".to_owned()),
            ] {
                let key = names(path, &facts(source, "n", "")).key(&place);
                let harmless = |segment| !["", ".", "..", ".reelmill"].contains(&segment);
                assert!(key.split('/').all(harmless), "{source} {path} {key}");
            }
        }
    }
}

#[test]
fn odd_bytes_survive_from_source_to_output() {
    for source in [
        "caf%E9.mov",
        "cafe\u{301}.mov",
        "100%25E9 \"q\".mov",
        "line\nbreak's.mov",
        "\u{4f60} \u{597d}.mov",
    ] {
        let key = names("{FileName}{Ext}", &facts(source, "n", ".mp4")).key(&Place::Main);
        let stem = key_bytes(source);
        let stem = &stem[..stem.len() - 4];
        assert_eq!(key_bytes(&key), [stem, b".mp4"].concat(), "{source}");
    }
    // A literal percent sign before a token must not become an escape.
    let key = names("%{FileName}{Ext}", &facts("E9.mov", "n", ".mp4")).key(&Place::Main);
    assert_eq!(key_bytes(&key), b"%E9.mp4");
}

#[test]
fn long_names_are_cut_between_characters_and_stay_different() {
    let long = "\u{4f60}".repeat(85);
    let key = |tail: &str| {
        names("{FileName}{Ext}", &facts(&format!("{long}{tail}.mov"), "n", ".mp4")).key(&Place::Numbered(7))
    };
    assert!(
        key("a").len() <= 255 && key("a").ends_with("-00007.mp4"),
        "{}",
        key("a")
    );
    assert_ne!(key("a"), key("b"));
    let folder = names(
        "{FileName}/{Name}{Ext}",
        &facts(&format!("{}.mov", "x".repeat(400)), "n", ".mp4"),
    );
    assert!(folder.key(&Place::Main).split('/').all(|segment| segment.len() <= 255));
    let deep = format!("{}x.mov", "0123456789/".repeat(400));
    let path = PathTemplate::parse(DEFAULT_PATH).expect("good");
    assert_eq!(
        path.names(&facts(&deep, "n", ".mp4")).expect_err("too long").code,
        "NameTooLong"
    );
}

#[test]
fn unknown_tokens_name_the_nearest_known_one() {
    let error = PathTemplate::parse("{ObjectPrefix}{filename}{Ext}").expect_err("unknown");
    assert!(
        matches!(&error, BadPath::UnknownToken { token, nearest, .. } if token == "filename" && nearest == "FileName")
    );
    assert!(
        error.to_string().contains("{filename}") && error.to_string().contains("{FileName}"),
        "{error}"
    );
    for bad in [
        "{Name:05}",
        "{Count:x}",
        "{Count:11}",
        "{Name",
        "Name}",
        "",
        "a/",
        "../{Name}",
        ".reelmill/{Name}",
        "a\0",
    ] {
        assert!(PathTemplate::parse(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn references_are_relative_and_encoded() {
    assert_eq!(
        relative_reference("c/HLS.m3u8", "c/HLS/720p/playlist.m3u8"),
        "HLS/720p/playlist.m3u8"
    );
    assert_eq!(
        relative_reference("c/HLS/720p/p.m3u8", "c/HLS/audio/a.m4s"),
        "../audio/a.m4s"
    );
    assert_eq!(
        relative_reference("a.vtt", "caf%E9 #1:\"x\".jpg"),
        "caf%E9%20%231%3A%22x%22.jpg"
    );
    assert_eq!(relative_reference("s/a.vtt", "100%25E9.jpg"), "../100%25E9.jpg");
    assert_eq!(relative_reference("a/a", "a"), "../a");
}
