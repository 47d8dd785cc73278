//! Pictures that ride a pass, which decodes every frame anyway: the same frames as those that are sought.

use crate::backend;
use crate::bench::Bench;
use crate::bench::animation;
use crate::bench::attempt;
use crate::bench::product;
use crate::bench::snapshot;
use crate::numbered_clip;
use reelmill::media::picture::Picture;
use reelmill::media::spec::MediaWork;
use reelmill::media::spec::PictureFormat;

const RUNG: &str = "[[group]]\nkind = \"file\"\n[[group.output]]\nname = \"low\"\n\
    video = { codec = \"h264\", height = 90, preset = \"ultrafast\" }\n";

#[test]
fn pictures_that_ride_a_rendition_show_the_frames_of_their_labels() {
    for (name, arguments) in [("b.mp4", ["-bf", "3"]), ("b.ts", ["-bf", "2"])] {
        let bench = Bench::new();
        let clip = bench.clip(name, 250, &arguments);
        let works = [
            MediaWork::Transcode(toml::from_str(RUNG).expect("a definition")),
            snapshot(r#"{"mode":"sprite","interval_s":1.48,"frame_type":"normal","columns":4,"lines":2}"#),
            snapshot(r#"{"times":["50%"],"frame_type":"normal","format":"png"}"#),
            animation(r#"{"start_s":3.2,"duration_s":2,"fps":5,"width":320}"#),
        ];
        let (ends, _) = attempt(bench.root.path(), &clip, &works).expect("an attempt");
        let made: Vec<_> = ends.into_iter().map(product).collect();
        let everywhere = if backend::is_gpu() { "gpu" } else { "software" };
        for product in &made {
            assert_eq!(product.backend, everywhere, "{name}: {:?}", product.fallback_reason);
        }
        let expected: Vec<(f64, u32)> = (0..7).map(|n| (f64::from(n * 148) / 100.0, n * 37)).collect();
        assert_eq!(bench.cells(&made[1].outputs[0]), expected, "{name}");
        let still = bench.root.path().join(&made[2].outputs[0].files[0].scratch_path);
        let still = Picture::decode(&std::fs::read(still).expect("read"), PictureFormat::Png).expect("a picture");
        let shown = numbered_clip::number(&still, 0, 0, still.width(), still.height());
        assert_eq!(shown, Some(125), "{name}");
        assert_eq!(made[3].outputs[0].picture_count, Some(10), "{name}");
    }
}
