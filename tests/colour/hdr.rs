//! HDR is shown as SDR where the rendition is SDR, and stays HDR where the rendition keeps it.

use crate::FINE;
use crate::clips::Rgb;
use crate::clips::ffmpeg;
use crate::room::Room;
use crate::transcoded;
use std::path::Path;
use std::path::PathBuf;

/// Light of the bars, cd/m2: black, a grey card, SDR's white, HDR's usual white, a highlight.
const LIGHTS: [f64; 5] = [0.0, 26.0, 100.0, 203.0, 800.0];

/// The PQ code of a light, ten bits in limited range.
pub fn pq_code(nits: f64) -> u16 {
    let y = (nits / 10_000.0).powf(0.159_301_757_812_5);
    let value = ((0.835_937_5 + 18.851_562_5 * y) / (1.0 + 18.687_5 * y)).powf(78.843_75);
    (64.0 + 876.0 * value).round() as u16
}

/// The HLG code of a scene light in 0..=1.
fn hlg_code(light: f64) -> u16 {
    let value = if light <= 1.0 / 12.0 {
        (3.0 * light).sqrt()
    } else {
        0.178_832_77 * (12.0 * light - 0.284_668_92).ln() + 0.559_910_73
    };
    (64.0 + 876.0 * value).round() as u16
}

/// A clip of five grey bars of these codes, HEVC in ten bits.
pub fn grey_bars(directory: &Path, codes: [u16; 5], transfer: &str, params: &str) -> PathBuf {
    let raw = directory.join("hdr.yuv");
    let (width, height) = (320_usize, 180_usize);
    let mut frame: Vec<u8> = Vec::new();
    for _ in 0..height {
        frame.extend((0..width).flat_map(|x| codes[x * 5 / width].to_le_bytes()));
    }
    frame.extend(512_u16.to_le_bytes().repeat(width * height / 2));
    std::fs::write(&raw, frame.repeat(10)).expect("write");
    let path = directory.join(format!("{transfer}.mp4"));
    let words = format!(
        "-f rawvideo -pix_fmt yuv420p10le -s {width}x{height} -r 25 -i {{}} -c:v libx265 -preset ultrafast \
         -color_primaries bt2020 -color_trc {transfer} -colorspace bt2020nc -color_range tv \
         -x265-params log-level=error:crf=2:colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc{params} {{}}"
    );
    ffmpeg(&words, &[&raw, &path]);
    path
}

/// Brightness of the bars, 0..=255, all neutral.
fn brightness(path: &Path) -> Vec<i32> {
    let picture = Rgb::of(path, 3);
    (0..5)
        .map(|bar| {
            let [red, green, blue] = picture.at((f64::from(bar) + 0.5) / 5.0, 0.5);
            assert!(
                (red - green).abs() <= 4 && (blue - green).abs() <= 4,
                "not grey: {red} {green} {blue}"
            );
            green
        })
        .collect()
}

fn plausible(found: &[i32], what: &str) {
    assert!(found.windows(2).all(|pair| pair[0] < pair[1]), "{what}: {found:?}");
    assert!(found[0] <= 6, "{what}: black is {}", found[0]);
    // A grey card is at 41 % of SDR, its white where subtitles are put; a highlight is not cut off flat.
    assert!((70..=130).contains(&found[1]), "{what}: a grey card is {}", found[1]);
    assert!((160..=230).contains(&found[3]), "{what}: white is {}", found[3]);
    assert!((215..=255).contains(&found[4]), "{what}: a highlight is {}", found[4]);
}

#[test]
fn hdr10_is_shown_in_sdr_as_bright_as_it_was_meant() {
    let room = Room::new();
    for (params, what) in [
        ("", "nothing said"),
        (
            ":master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):max-cll=800,200",
            "graded at 1000 cd/m2",
        ),
    ] {
        let source = grey_bars(room.path(), LIGHTS.map(pq_code), "smpte2084", params);
        plausible(&brightness(&transcoded(&room, &source, FINE)), what);
    }
}

#[test]
fn hlg_is_shown_in_sdr_as_bright_as_it_was_meant() {
    let room = Room::new();
    // Scene light of the same displayed lights on a screen of 1000 cd/m2, whose gamma is 1.2.
    let codes = LIGHTS.map(|nits| hlg_code((nits / 1000.0).powf(1.0 / 1.2)));
    let source = grey_bars(room.path(), codes, "arib-std-b67", "");
    plausible(&brightness(&transcoded(&room, &source, FINE)), "HLG");
}
