//! What the tests have made, and the clips they make it of.

use crate::appliance::clips;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;

/// Pictures of a rung, good enough to be compared.
fn rung(name: &str, height: u32, more: &str) -> String {
    format!(
        "[[activity.group.output]]\nname = \"{name}\"\nvideo = {{ codec = \"h264\", height = {height}, \
         preset = \"ultrafast\", rate = \"crf\", crf = 12.0, gop_s = 1.0{more} }}\n\
         audio = {{ codec = \"aac\", bitrate_kbps = 64 }}\n"
    )
}

/// A ladder of these heights as files and as a set, with a sprite and a poster in the same pass.
pub fn ladder(heights: &[u32]) -> String {
    let rungs: String = heights
        .iter()
        .map(|height| rung(&format!("{height}p"), *height, ""))
        .collect();
    format!(
        "name = \"ladder\"\n[[activity]]\nid = \"ladder\"\ntype = \"transcode\"\n\
         [[activity.group]]\nname = \"MP4\"\nkind = \"file\"\ncontainer = \"mp4\"\n{rungs}\
         [[activity.group]]\nname = \"HLS\"\nkind = \"hls\"\nsegment_s = 1.0\n{rungs}\
         [[activity]]\nid = \"sprite\"\ntype = \"snapshot\"\nmode = \"sprite\"\ninterval_s = 1\ncolumns = 2\n\
         lines = 2\ncell_width = 160\n[[activity]]\nid = \"poster\"\ntype = \"cover\"\n"
    )
}

/// A sheet and stills that lose nothing. The cells are larger than the one small rendition, so that nobody makes them of it.
pub fn pictures(with_rendition: bool) -> String {
    let rendition = one(128, "").replace("name = \"one\"\n", "");
    format!(
        "name = \"pictures\"\n[[activity]]\nid = \"sprite\"\ntype = \"snapshot\"\nmode = \"sprite\"\n\
         interval_s = 0.5\nframe_type = \"normal\"\ncolumns = 2\nlines = 2\ncell_width = 320\nformat = \"png\"\n\
         [[activity]]\nid = \"stills\"\ntype = \"snapshot\"\ncount = 2\nframe_type = \"normal\"\nformat = \"png\"\n{}",
        if with_rendition { rendition.as_str() } else { "" }
    )
}

/// One file of one rendition; `more` is added to its video.
pub fn one(height: u32, more: &str) -> String {
    let rung = rung("only", height, more);
    format!(
        "name = \"one\"\n[[activity]]\nid = \"one\"\ntype = \"transcode\"\n\
         [[activity.group]]\nname = \"MP4\"\nkind = \"file\"\ncontainer = \"mp4\"\n{rung}"
    )
}

const X264: [&str; 4] = ["-c:v", "libx264", "-preset", "ultrafast"];

/// Made once, though tests of one process run side by side.
fn made(name: &str, args: &[&str]) -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    clips::made(name, args)
}

fn clip(name: &str, filter: &str, coding: &[&str]) -> PathBuf {
    let source = ["-f", "lavfi", "-i", filter, "-f", "lavfi", "-i"];
    let sound = [
        "sine=frequency=440:sample_rate=48000:duration=2",
        "-c:a",
        "aac",
        "-shortest",
    ];
    made(
        name,
        &[&source[..], &sound, &["-g", "25", "-crf", "10"], coding].concat(),
    )
}

/// 2 s of 384x216, 4:2:0 of 8 bits, with sound.
pub fn plain() -> PathBuf {
    let pictures = "testsrc2=size=384x216:rate=25:duration=2,format=yuv420p";
    clip("gpu-plain.mp4", pictures, &X264)
}

/// 2 s of the same size without an edge in them: what is made of them differs by rounding alone.
pub fn smooth() -> PathBuf {
    let pictures = "nullsrc=size=384x216:rate=25:duration=2,format=yuv420p,\
                    geq=lum='40+X*0.35+N':cb='96+X*0.2':cr='180-Y*0.4'";
    clip("gpu-smooth.mp4", pictures, &X264)
}

/// The same in 4:2:2, which the decoder does not take.
pub fn rich() -> PathBuf {
    let pictures = "testsrc2=size=384x216:rate=25:duration=2,format=yuv422p";
    clip("gpu-rich.mp4", pictures, &X264)
}

/// HDR10 in HEVC, of light and colours that SDR can hold.
pub fn hdr() -> PathBuf {
    let pictures = "testsrc2=size=384x216:rate=25:duration=2,format=yuv420p10le,\
                    lutyuv=y=64+(val-64)*0.6:u=512+(val-512)*0.1:v=512+(val-512)*0.1";
    let hdr = "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:log-level=none:keyint=25";
    let coding = [
        "-c:v",
        "libx265",
        "-preset",
        "ultrafast",
        "-x265-params",
        hdr,
        "-color_primaries",
        "bt2020",
        "-color_trc",
        "smpte2084",
        "-colorspace",
        "bt2020nc",
    ];
    clip("gpu-hdr.mp4", pictures, &coding)
}

/// Held upright by its container.
pub fn rotated() -> PathBuf {
    let lying = plain();
    let lying = lying.to_string_lossy();
    made(
        "gpu-rotated.mov",
        &["-i", &lying, "-c", "copy", "-metadata:s:v", "rotate=90"],
    )
}

/// Two sizes of one form, then another form, in one stream.
pub fn changing() -> PathBuf {
    let part = |name: &str, size: &str| {
        let pictures = format!("testsrc2=size={size}:rate=25:duration=1,format=yuv420p");
        let source = ["-f", "lavfi", "-i", pictures.as_str(), "-g", "25", "-crf", "10"];
        let part = made(name, &[&source[..], &X264].concat());
        part.to_string_lossy().into_owned()
    };
    let parts = [
        part("gpu-first.ts", "384x216"),
        part("gpu-second.ts", "320x180"),
        part("gpu-third.ts", "288x216"),
    ];
    let all = format!("concat:{}", parts.join("|"));
    made("gpu-changing.ts", &["-i", &all, "-c", "copy"])
}

/// Fields, the upper one first.
pub fn interlaced() -> PathBuf {
    let pictures = "testsrc2=size=384x216:rate=50:duration=2,tinterlace=mode=interleave_top,format=yuv420p";
    clip(
        "gpu-interlaced.mp4",
        pictures,
        &[&X264[..], &["-x264opts", "tff=1"]].concat(),
    )
}
