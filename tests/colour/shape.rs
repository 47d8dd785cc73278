//! Orientation, the shape of pixels, odd sizes, and changes of size in the middle.

use crate::FINE;
use crate::clips::Rgb;
use crate::clips::distance;
use crate::clips::ffmpeg;
use crate::clips::ffprobe;
use crate::clips::quarters;
use crate::clips::set_matrix;
use crate::made;
use crate::one_file;
use crate::room::Room;
use crate::room::backend;
use crate::transcoded;

/// Coded quarters: where they lie seen from the middle (right and down are positive), and their colour.
const QUARTERS: [((i32, i32), [i32; 3]); 4] = [
    ((-1, -1), [220, 20, 20]),
    ((1, -1), [20, 220, 20]),
    ((-1, 1), [20, 20, 220]),
    ((1, 1), [220, 220, 220]),
];

#[test]
fn all_eight_orientations_come_out_upright() {
    let room = Room::new();
    let source = quarters(room.path(), 320, 192);
    let matrices = [
        [1, 0, 0, 1],
        [0, 1, -1, 0],
        [-1, 0, 0, -1],
        [0, -1, 1, 0],
        [-1, 0, 0, 1],
        [1, 0, 0, -1],
        [0, 1, 1, 0],
        [0, -1, -1, 0],
    ];
    for matrix in matrices {
        set_matrix(&source, matrix);
        let output = transcoded(&room, &source, FINE);
        let picture = Rgb::of(&output, 2);
        let [a, b, c, d] = matrix;
        let wanted_size = if a == 0 { (192, 320) } else { (320, 192) };
        assert_eq!((picture.width, picture.height), wanted_size, "{matrix:?}");
        for ((x, y), colour) in QUARTERS {
            // ISO 14496-12: a point is multiplied as a row by the matrix.
            let (shown_x, shown_y) = (a * x + c * y, b * x + d * y);
            let part = |side: i32| 0.5 + 0.25 * f64::from(side);
            let found = picture.at(part(shown_x), part(shown_y));
            assert!(
                distance(found, colour) <= 12,
                "{matrix:?}: {colour:?} at {shown_x},{shown_y} is {found:?}"
            );
        }
    }
}

#[test]
fn wide_pixels_become_square_ones() {
    let room = Room::new();
    let source = room.path().join("wide.mp4");
    ffmpeg(
        "-f lavfi -i testsrc=s=360x288:d=0.4,setsar=16/11 -c:v libx264 -preset ultrafast {}",
        &[&source],
    );
    let output = transcoded(&room, &source, FINE);
    assert_eq!(
        ffprobe("stream=width,height,sample_aspect_ratio", &output),
        ["524,288,1:1"]
    );
}

#[test]
fn odd_and_tiny_sizes_are_made_even() {
    let room = Room::new();
    let source = room.path().join("odd.mkv");
    for (size, wanted) in [
        ("161x121", "160,120"),
        ("16x16", "16,16"),
        ("33x17", "32,16"),
        ("17x200", "16,200"),
    ] {
        for format in ["yuv420p", "gbrp", "yuv444p"] {
            ffmpeg(
                &format!("-f lavfi -i testsrc=s={size}:d=0.4 -pix_fmt {format} -c:v ffv1 {{}}"),
                &[&source],
            );
            if backend::is_gpu() && size != "161x121" {
                room.refused(&source, &one_file(FINE), "NVENC makes h264 from 145x49 on");
                continue;
            }
            let output = transcoded(&room, &source, FINE);
            assert_eq!(ffprobe("stream=width,height", &output), [wanted], "{size} {format}");
        }
    }
}

#[test]
fn a_change_of_size_in_the_middle_is_fitted_into_the_first() {
    let room = Room::new();
    let part = |name: &str, colour: &str, size: &str, first_s: f64| {
        let path = room.path().join(name);
        let words = format!(
            "-f lavfi -i color={colour}:s={size}:r=25:d=1 -vf format=yuv420p -c:v libx264 -preset ultrafast -bf 0 \
             -output_ts_offset {first_s} -muxdelay 0 {{}}"
        );
        ffmpeg(&words, &[&path]);
        std::fs::read(path).expect("read")
    };
    let mut bytes = part("one.ts", "0x20C020", "320x180", 1.0);
    bytes.extend(part("two.ts", "0xC02020", "240x180", 2.0));
    let source = room.path().join("joined.ts");
    std::fs::write(&source, bytes).expect("write");
    let product = room.success(&source, &one_file(FINE));
    let output = made(&room, &product);
    assert!(
        product.warnings.iter().any(|warning| warning.contains("changed")),
        "{:?}",
        product.warnings
    );
    let of = |number: usize, across: f64| Rgb::of(&output, number).at(across, 0.5);
    assert!(distance(of(5, 0.02), [32, 192, 32]) <= 10);
    assert!(distance(of(40, 0.5), [192, 32, 32]) <= 10, "{:?}", of(40, 0.5));
    assert!(
        distance(of(40, 0.02), [0, 0, 0]) <= 20,
        "bars at the sides: {:?}",
        of(40, 0.02)
    );
    assert_eq!(ffprobe("stream=width,height,nb_frames", &output), ["320,180,50"]);
}

#[test]
fn what_a_container_cuts_off_stays_cut_off() {
    // H.264 of 180 lines is coded in 192; the crop is in its header.
    let room = Room::new();
    let source = quarters(room.path(), 316, 180);
    let picture = Rgb::of(&transcoded(&room, &source, FINE), 1);
    assert_eq!((picture.width, picture.height), (316, 180));
    assert!(distance(picture.at(0.99, 0.99), [220; 3]) <= 12);
}

#[test]
fn pictures_that_say_themselves_how_they_are_held_are_turned() {
    let room = Room::new();
    let plain = quarters(room.path(), 320, 192);
    let source = room.path().join("held.ts");
    // The message counts anticlockwise.
    ffmpeg(
        "-i {} -c copy -bsf:v h264_metadata=display_orientation=insert:rotate=90 {}",
        &[&plain, &source],
    );
    let picture = Rgb::of(&transcoded(&room, &source, FINE), 2);
    assert_eq!((picture.width, picture.height), (192, 320));
    // Turned by a quarter anticlockwise, what was above at the right is above at the left.
    for (across, down, colour) in [(0.25, 0.25, [20, 220, 20]), (0.75, 0.75, [20, 20, 220])] {
        let found = picture.at(across, down);
        assert!(distance(found, colour) <= 12, "{found:?} for {colour:?}");
    }
}

#[test]
fn a_change_of_the_shape_of_pixels_is_followed() {
    let room = Room::new();
    let part = |name: &str, aspect: &str, first_s: f64| {
        let path = room.path().join(name);
        let words = format!(
            "-f lavfi -i color=white:s=320x180:r=25:d=1,setsar={aspect} -vf format=yuv420p -c:v libx264 -preset ultrafast \
             -bf 0 -output_ts_offset {first_s} -muxdelay 0 {{}}"
        );
        ffmpeg(&words, &[&path]);
        std::fs::read(path).expect("read")
    };
    let mut bytes = part("square.ts", "1/1", 1.0);
    bytes.extend(part("narrow.ts", "3/4", 2.0));
    let source = room.path().join("aspect.ts");
    std::fs::write(&source, bytes).expect("write");
    let output = transcoded(&room, &source, FINE);
    let at = |number: usize, across: f64| Rgb::of(&output, number).at(across, 0.5)[1];
    assert!(at(5, 0.02) > 240, "the first pictures fill the frame");
    assert!(
        at(40, 0.02) < 30 && at(40, 0.5) > 240,
        "narrower ones have bars at their sides"
    );
}

#[test]
fn pictures_go_on_when_a_stream_moves_them_to_another_number() {
    let room = Room::new();
    let part = |name: &str, pid: u32, first_s: f64| {
        let path = room.path().join(name);
        let words = format!(
            "-f lavfi -i testsrc=s=160x96:r=25:d=1 -c:v libx264 -preset ultrafast -bf 0 -mpegts_start_pid {pid} \
             -output_ts_offset {first_s} -muxdelay 0 -mpegts_flags +initial_discontinuity {{}}"
        );
        ffmpeg(&words, &[&path]);
        std::fs::read(path).expect("read")
    };
    let mut bytes = part("one.ts", 256, 1.0);
    bytes.extend(part("two.ts", 512, 2.0));
    let source = room.path().join("moved.ts");
    std::fs::write(&source, bytes).expect("write");
    let output = transcoded(&room, &source, FINE);
    assert_eq!(ffprobe("stream=nb_frames", &output), ["50"]);
}
