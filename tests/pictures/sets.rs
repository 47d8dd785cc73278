//! Sprites with more than sheets: kept cells, WebVTT of single pictures, image playlists, overflow.

use crate::bench::Bench;
use crate::bench::snapshot;
use crate::numbered_clip;
use reelmill::media::image_playlist;
use reelmill::media::picture::Picture;
use reelmill::media::product::Place;
use reelmill::media::product::Product;
use reelmill::media::product::ProductFile;
use reelmill::media::spec::PictureFormat;
use reelmill::media::webvtt;

fn text(bench: &Bench, file: &ProductFile) -> String {
    String::from_utf8(std::fs::read(bench.root.path().join(&file.scratch_path)).expect("read")).expect("text")
}

fn picture(bench: &Bench, file: &ProductFile) -> Picture {
    let bytes = std::fs::read(bench.root.path().join(&file.scratch_path)).expect("read");
    Picture::decode(&bytes, PictureFormat::Jpg).expect("a picture")
}

fn number(picture: &Picture) -> Option<u32> {
    numbered_clip::number(picture, 0, 0, picture.width(), picture.height())
}

fn beside<'a>(output: &'a Product, suffix: &str) -> &'a ProductFile {
    let place = Place::Beside(suffix.to_owned());
    let found = output.files.iter().find(|file| file.place == place);
    let found = found.unwrap_or_else(|| panic!("no {suffix}"));
    assert!(found.names_others, "{suffix} names others");
    found
}

#[test]
fn kept_cells_are_the_pictures_of_the_sheets() {
    let bench = Bench::new();
    let clip = bench.clip("a.mp4", 250, &[]);
    let json = r#"{"mode":"sprite","interval_s":2,"columns":2,"lines":2,"keep_cells":true}"#;
    let made = bench.one(&clip, snapshot(json));
    let output = &made.outputs[0];
    let cells = bench.cells(output);
    assert_eq!(cells, [(0.0, 0), (2.0, 50), (4.0, 100), (6.0, 150), (8.0, 200)]);
    let kept: Vec<&ProductFile> = output
        .files
        .iter()
        .filter(|file| matches!(file.place, Place::Inside(_)))
        .collect();
    let places: Vec<Place> = (1..=5).map(|n| Place::Inside(format!("cell-{n:05}.jpg"))).collect();
    assert_eq!(kept.iter().map(|file| file.place.clone()).collect::<Vec<_>>(), places);
    for (file, (_, shown)) in kept.iter().zip(&cells) {
        let picture = picture(&bench, file);
        assert_eq!((picture.width(), picture.height()), (160, 90));
        assert_eq!(number(&picture), Some(*shown));
    }
    assert_eq!(output.picture_count, Some(5));
}

#[test]
fn a_webvtt_of_stills_names_whole_pictures() {
    let bench = Bench::new();
    let clip = bench.clip("a.mp4", 250, &[]);
    let json = r#"{"mode":"sprite","interval_s":2.4,"frame_type":"normal","vtt":"stills","columns":3,"lines":3}"#;
    let made = bench.one(&clip, snapshot(json));
    let output = &made.outputs[0];
    let stills: Vec<&ProductFile> = output
        .files
        .iter()
        .filter(|file| matches!(file.place, Place::Numbered(_)))
        .collect();
    let cues = webvtt::read(&text(&bench, beside(output, ".vtt"))).expect("cues");
    assert_eq!((stills.len(), cues.len(), output.files.len()), (5, 5, 6));
    for (at, (cue, file)) in cues.iter().zip(&stills).enumerate() {
        assert_eq!(cue.sheet, format!("{{reelmill:numbered:{}}}", at + 1));
        assert_eq!((cue.cell, cue.start_ms), (None, at as u64 * 2400));
        let picture = picture(&bench, file);
        assert_eq!((picture.width(), picture.height()), (160, 90), "no margin, no ground");
        assert_eq!(number(&picture), Some(at as u32 * 60));
    }
}

#[test]
fn an_image_playlist_agrees_with_the_sheets_and_the_film() {
    for (name, frames) in [("a.mp4", 250), ("a.ts", 235)] {
        let bench = Bench::new();
        let clip = bench.clip(name, frames, &["-bf", "3"]);
        // Key frames stand 2 s apart: tiles of equal length need more than those.
        let json = r#"{"mode":"sprite","interval_s":0.8,"columns":3,"lines":2,"image_playlist":true}"#;
        let made = bench.one(&clip, snapshot(json));
        let output = &made.outputs[0];
        let segments = image_playlist::read(&text(&bench, beside(output, ".m3u8"))).expect("a playlist");
        let sheets: Vec<Picture> = output
            .files
            .iter()
            .filter(|file| matches!(file.place, Place::Numbered(_)))
            .map(|file| picture(&bench, file))
            .collect();
        assert_eq!(segments.len(), sheets.len(), "{name}");
        let covered_s: f64 = segments.iter().map(|segment| segment.duration_s).sum();
        assert!(
            (covered_s - f64::from(frames) / 25.0).abs() < 0.05,
            "{name}: {covered_s} s"
        );
        // A player shows at a time the tile that the playlist alone leads to.
        let (mut at_s, mut tiles) = (0.0, 0);
        for (segment, sheet) in segments.iter().zip(&sheets) {
            let (columns, rows) = segment.layout;
            let (width, height) = segment.tile;
            assert_eq!(
                (columns * width, rows * height),
                (sheet.width(), sheet.height()),
                "{name}"
            );
            let count = (segment.duration_s / segment.tile_s - 0.01).ceil() as u32;
            for tile in 0..count {
                let (x, y) = (tile % columns * width, tile / columns * height);
                let shown = numbered_clip::number(sheet, x, y, width, height);
                let time_s = at_s + f64::from(tile) * segment.tile_s;
                assert_eq!(shown, Some((time_s * 25.0).round() as u32), "{name} at {time_s}");
                tiles += 1;
            }
            at_s += segment.duration_s;
        }
        assert_eq!(tiles, output.picture_count.unwrap_or(0), "{name}");
        assert_eq!(
            output.files.last().map(|file| &file.place),
            Some(&Place::Beside(".vtt".to_owned()))
        );
    }
}
