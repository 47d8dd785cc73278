//! Films that end with a picture that stays on for seconds, as slide shows and screen recordings do: it stays on.

use crate::room::Room;
use crate::room::ffprobe;

const WORK: &str = r#"
[[activity]]
id = "t"
type = "transcode"
[[activity.group]]
kind = "file"
container = "mp4"
[[activity.group.output]]
name = "plain"
video = { codec = "h264", preset = "ultrafast", crf = 30.0, bframes = 0 }
[[activity.group]]
kind = "file"
container = "mp4"
[[activity.group.output]]
name = "reordered"
video = { codec = "h264", preset = "medium", crf = 30.0, bframes = 3 }
[[activity.group]]
name = "fmp4"
kind = "hls"
[[activity.group.output]]
name = "low"
video = { codec = "h264", preset = "medium", crf = 30.0, bframes = 3 }
[[activity.group]]
name = "ts"
kind = "hls"
segment_format = "ts"
[[activity.group.output]]
name = "lower"
video = { codec = "h264", preset = "medium", crf = 30.0, bframes = 3 }
"#;

#[test]
fn the_last_picture_stays_on_as_long_as_its_source_says() {
    let room = Room::new();
    // Nine pictures of a tenth of a second, the last of 2.5 s: 3.3 s in all, 0.9 s without it.
    let source = room.make(
        "slides.gif",
        "-f lavfi -i testsrc2=s=320x180:r=10:d=0.9 -final_delay 250",
    );
    let run = room.run(WORK, &source, &[]);
    assert_eq!(run.code, 0, "{}", run.words);
    for name in ["plain", "reordered"] {
        let length_s = ffprobe(&run.output(name), "v:0", "format=duration")[0];
        assert!((length_s - 3.3).abs() < 0.02, "{name} lasts {length_s} s");
    }
    let outputs = run.report["outputs"].as_array().expect("outputs");
    let mut lists = 0;
    let files = outputs.iter().filter_map(|output| output["files"].as_array()).flatten();
    for file in files.filter_map(|file| file["path"].as_str()) {
        let Ok(text) = std::fs::read_to_string(file) else {
            continue;
        };
        let lengths: Vec<f64> = text
            .lines()
            .filter_map(|line| line.strip_prefix("#EXTINF:")?.trim_end_matches(',').parse().ok())
            .collect();
        if !lengths.is_empty() {
            lists += 1;
            let all_s: f64 = lengths.iter().sum();
            assert!((all_s - 3.3).abs() < 0.02, "{file} lasts {all_s} s");
        }
    }
    assert!(lists >= 2, "{outputs:?}");
}
