//! What cutting rooms and graphics machines deliver beside camera codecs: every intermediate and uncompressed form that a
//! clip can be made of here keeps its colours, of SD by BT.601, of HD by BT.709.

use crate::FINE;
use crate::clips::BARS;
use crate::clips::Rgb;
use crate::clips::bars;
use crate::clips::distance;
use crate::clips::ffmpeg;
use crate::room::Room;
use crate::transcoded;

/// Coarse quantisers of some of them, halved chroma and a lossy encoder cost so much of 255 at most.
const BOUND: i32 = 9;

/// Encoder with its options, form, container, whether it is SD.
const FORMS: &[(&str, &str, &str, bool)] = &[
    ("v210", "yuv422p10le", "mov", false),
    ("v308", "yuv444p", "mov", false),
    ("v408", "yuva444p", "mov", false),
    ("v410", "yuv444p10le", "mov", false),
    ("y41p", "yuv411p", "avi", true),
    ("avui -strict -2", "uyvy422", "mov", true),
    ("r210", "gbrp10le", "mov", false),
    ("r10k", "gbrp10le", "mov", false),
    ("rawvideo -tag:v 2vuy", "uyvy422", "mov", false),
    ("rawvideo -tag:v yuvs", "yuyv422", "mov", false),
    ("rawvideo", "yuv420p", "avi", false),
    ("rawvideo", "bgr24", "avi", false),
    ("prores_ks -profile:v 3", "yuv422p10le", "mov", false),
    ("dnxhd -profile:v dnxhr_hq", "yuv422p", "mxf", false),
    ("cfhd", "yuv422p10le", "mov", false),
    ("jpeg2000", "yuv422p", "mxf", false),
    ("jpegls", "bgr24", "avi", false),
    ("speedhq -q:v 1", "yuv422p", "avi", true),
    ("mjpeg -q:v 1 -huffman default", "yuvj422p", "avi", true),
    ("dvvideo", "yuv420p", "dv", true),
    ("huffyuv", "yuv422p", "avi", false),
    ("ffvhuff", "yuv420p", "avi", false),
    ("utvideo", "gbrp", "avi", false),
    ("magicyuv", "yuv422p", "avi", false),
    ("qtrle", "rgb24", "mov", false),
    ("ffv1 -level 3", "yuv422p10le", "mkv", false),
    ("snow -pred dwt53 -q:v 0 -strict experimental", "yuv420p", "avi", false),
];

#[test]
fn intermediate_and_uncompressed_forms_keep_their_colours() {
    let room = Room::new();
    for (codec, form, extension, is_sd) in FORMS {
        let (width, height, matrix) = if *is_sd {
            (720, 576, "bt601")
        } else {
            (1280, 720, "bt709")
        };
        let raw = bars(room.path(), width, height, 3);
        let source = room.path().join(format!("source.{extension}"));
        let scale = match form.contains("gb") {
            true => String::new(),
            false => {
                let range = if form.starts_with("yuvj") { "full" } else { "limited" };
                format!("scale=out_color_matrix={matrix}:out_range={range},")
            }
        };
        let words = format!(
            "-f rawvideo -pix_fmt rgb24 -s {width}x{height} -r 25 -i {{}} -vf {scale}format={form} -c:v {codec} {{}}"
        );
        ffmpeg(&words, &[&raw, &source]);
        let output = transcoded(&room, &source, FINE);
        let picture = Rgb::of(&output, 1);
        for (bar, wanted) in BARS.iter().enumerate() {
            let found = picture.at((bar as f64 + 0.5) / BARS.len() as f64, 0.5);
            let wanted = wanted.map(i32::from);
            assert!(
                distance(found, wanted) <= BOUND,
                "{codec} in {extension}: {wanted:?} became {found:?}"
            );
        }
    }
}
