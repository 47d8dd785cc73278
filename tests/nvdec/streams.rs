//! Every codec, container and kind of picture: the same as libavcodec's.

use crate::clips::clip;
use crate::clips::ffmpeg;
use crate::decoding::Film;
use crate::decoding::Picture;
use crate::decoding::assert_same;
use crate::decoding::device_decoder;
use crate::decoding::in_software;
use crate::decoding::on_device as decode_on_device;
use crate::decoding::take;
use crate::driver::on_device;
use reelmill::media::av::decode::Decode;
use std::path::Path;

const SMALL: &str = "size=176x144:rate=25:duration=1";

/// Decodes a file on the device and by libavcodec, compares, and answers what both say.
fn same(path: &Path) -> Vec<Picture> {
    let mut film = Film::open(path);
    let packets = film.packets();
    let software = in_software(&film, &packets);
    let mut decoder = device_decoder(&film);
    let device = decode_on_device(&mut decoder, &packets).expect("decoded");
    assert_same(&device, &software);
    assert_eq!(decoder.frames(), software.len() as u64);
    assert_eq!(
        (decoder.damaged_frames(), decoder.refused_packets(), decoder.rebuilds()),
        (0, 0, 0)
    );
    device
}

fn same_clip(name: &str, picture: &str, arguments: &str) -> Vec<Picture> {
    let room = tempfile::tempdir().expect("a temporary directory");
    let pictures = same(&clip(room.path(), name, picture, arguments));
    assert!(pictures.len() >= 20, "{} pictures", pictures.len());
    pictures
}

macro_rules! same_as_libavcodec {
    ($($test:ident: $name:literal, $picture:expr, $arguments:literal;)*) => {
        $(#[test]
        fn $test() {
            on_device(concat!("streams::", stringify!($test)), &[], || {
                same_clip($name, $picture, $arguments);
            });
        })*
    };
}

same_as_libavcodec! {
    h264_with_b_frames_in_mp4: "a.mp4", SMALL, "-c:v libx264 -preset veryfast -bf 3 -g 12 -pix_fmt yuv420p";
    h264_in_a_transport_stream: "a.ts", SMALL, "-c:v libx264 -preset veryfast -bf 2 -g 10 -pix_fmt yuv420p";
    h264_in_avi_with_times_of_decoding_alone: "a.avi", SMALL, "-c:v libx264 -preset veryfast -bf 2 -pix_fmt yuv420p";
    h264_cropped: "a.mp4", "size=150x86:rate=25:duration=1", "-c:v libx264 -preset ultrafast -pix_fmt yuv420p";
    h264_with_open_gops: "a.mp4", SMALL, "-c:v libx264 -preset veryfast -g 8 -x264-params open-gop=1 -pix_fmt yuv420p";
    h264_of_full_range: "a.mp4", SMALL, "-vf scale=out_range=full -c:v libx264 -preset ultrafast -pix_fmt yuvj420p";
    h264_with_colours_and_pixels_that_are_not_square: "a.mp4", SMALL,
        "-vf setsar=16/11 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -colorspace bt709 -color_primaries bt709 -color_trc bt709 -color_range tv";
    hevc_of_8_bits: "a.mp4", SMALL, "-c:v libx265 -preset ultrafast -x265-params log-level=none -pix_fmt yuv420p -tag:v hvc1";
    hevc_of_10_bits: "a.mkv", SMALL, "-c:v libx265 -preset ultrafast -x265-params log-level=none:bframes=4 -pix_fmt yuv420p10le";
    hevc_in_a_transport_stream: "a.ts", SMALL, "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=10 -pix_fmt yuv420p";
    vp8: "a.webm", SMALL, "-c:v libvpx -deadline realtime -cpu-used 8 -auto-alt-ref 1 -lag-in-frames 8 -b:v 300k -pix_fmt yuv420p";
    vp9: "a.webm", SMALL, "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -lag-in-frames 8 -auto-alt-ref 1 -b:v 300k -pix_fmt yuv420p";
    vp9_of_10_bits: "a.webm", SMALL, "-c:v libvpx-vp9 -profile:v 2 -deadline realtime -cpu-used 8 -b:v 300k -pix_fmt yuv420p10le";
    vp9_of_odd_size: "a.webm", SMALL, "-vf scale=203:151 -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 200k -pix_fmt yuv420p";
    av1: "a.mp4", SMALL, "-c:v libsvtav1 -preset 12 -svtav1-params keyint=12 -pix_fmt yuv420p";
    av1_of_10_bits: "a.mkv", SMALL, "-c:v libsvtav1 -preset 12 -pix_fmt yuv420p10le";
    mpeg1: "a.mpg", SMALL, "-c:v mpeg1video -bf 2 -q:v 4 -f mpeg";
    mpeg2: "a.ts", SMALL, "-c:v mpeg2video -bf 2 -g 12 -q:v 4";
    mpeg4_in_avi: "a.avi", SMALL, "-c:v mpeg4 -q:v 4 -g 12";
    mpeg4_with_b_frames: "a.mp4", SMALL, "-c:v mpeg4 -bf 2 -q:v 4 -g 12";
    mjpeg: "a.avi", SMALL, "-c:v mjpeg -q:v 4 -pix_fmt yuvj420p";
}

#[test]
fn interlaced_pictures_come_woven_and_marked() {
    on_device("streams::interlaced_pictures_come_woven_and_marked", &[], || {
        const FIELDS: &str = "size=176x144:rate=50:duration=1";
        for (name, arguments) in [
            (
                "a.mp4",
                "-vf tinterlace=interleave_top,setfield=tff -c:v libx264 -preset veryfast -flags +ildct+ilme -pix_fmt yuv420p",
            ),
            (
                "b.ts",
                "-vf tinterlace=interleave_top,setfield=tff -c:v mpeg2video -flags +ildct+ilme -top 1 -q:v 4",
            ),
        ] {
            let pictures = same_clip(name, FIELDS, arguments);
            assert!(pictures.iter().all(|picture| picture.fields == Some(true)), "{name}");
        }
    });
}

#[test]
fn another_size_in_the_middle_is_taken_up() {
    on_device("streams::another_size_in_the_middle_is_taken_up", &[], || {
        let room = tempfile::tempdir().expect("a temporary directory");
        let parts = [("size=176x144", 0), ("size=320x180", 2), ("size=160x96", 4)];
        let mut joined = Vec::new();
        for (size, offset_s) in parts {
            let arguments =
                format!("-c:v libx264 -preset veryfast -bf 2 -pix_fmt yuv420p -output_ts_offset {offset_s} -f mpegts");
            let part = clip(
                room.path(),
                "part.ts",
                &format!("{size}:rate=25:duration=1"),
                &arguments,
            );
            joined.extend(std::fs::read(part).expect("a part"));
        }
        let path = room.path().join("joined.ts");
        std::fs::write(&path, joined).expect("written");
        let sizes: Vec<_> = same(&path).iter().map(|picture| picture.size).collect();
        assert_eq!(sizes.len(), 75);
        assert_eq!((sizes[0], sizes[30], sizes[74]), ((176, 144), (320, 180), (160, 96)));
    });
}

#[test]
fn another_depth_in_the_middle_is_taken_up() {
    on_device("streams::another_depth_in_the_middle_is_taken_up", &[], || {
        let room = tempfile::tempdir().expect("a temporary directory");
        let mut joined = Vec::new();
        for (format, offset_s) in [("yuv420p", 0), ("yuv420p10le", 2)] {
            let arguments = format!(
                "-c:v libx265 -preset ultrafast -x265-params log-level=none -pix_fmt {format} \
                 -output_ts_offset {offset_s} -f mpegts"
            );
            joined.extend(std::fs::read(clip(room.path(), "part.ts", SMALL, &arguments)).expect("a part"));
        }
        let path = room.path().join("joined.ts");
        std::fs::write(&path, joined).expect("written");
        assert_eq!(same(&path).len(), 50);
    });
}

#[test]
fn what_an_edit_list_leaves_out_is_decoded_and_not_shown() {
    on_device(
        "streams::what_an_edit_list_leaves_out_is_decoded_and_not_shown",
        &[],
        || {
            let room = tempfile::tempdir().expect("a temporary directory");
            let whole = clip(
                room.path(),
                "whole.mp4",
                SMALL,
                "-c:v libx264 -preset veryfast -g 25 -pix_fmt yuv420p",
            );
            let cut = room.path().join("cut.mp4");
            ffmpeg(&format!("-ss 0.4 -i {} -c copy", whole.display()), &cut);
            let shown = same(&cut).len();
            assert!((10..=16).contains(&shown), "{shown} of 25");
        },
    );
}

#[test]
fn after_a_seek_decoding_begins_anew() {
    on_device("streams::after_a_seek_decoding_begins_anew", &[], || {
        let room = tempfile::tempdir().expect("a temporary directory");
        for (name, arguments) in [
            ("a.mp4", "-c:v libx264 -preset veryfast -g 10 -pix_fmt yuv420p"),
            (
                "a.webm",
                "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 10 -b:v 300k -pix_fmt yuv420p",
            ),
            ("a.avi", "-c:v mpeg4 -q:v 4 -g 10"),
        ] {
            let mut film = Film::open(&clip(room.path(), name, SMALL, arguments));
            let packets = film.packets();
            let software = in_software(&film, &packets);
            let mut decoder = device_decoder(&film);
            for packet in &packets[..15] {
                decoder.send(packet).expect("taken");
            }
            decoder.flush();
            assert_same(&decode_on_device(&mut decoder, &packets).expect("decoded"), &software);
            // After the end as well.
            decoder.flush();
            assert_same(&decode_on_device(&mut decoder, &packets).expect("decoded"), &software);
        }
    });
}

#[test]
fn key_frames_alone_come_out_alone() {
    on_device("streams::key_frames_alone_come_out_alone", &[], || {
        let room = tempfile::tempdir().expect("a temporary directory");
        let path = clip(
            room.path(),
            "a.mp4",
            SMALL,
            "-c:v libx264 -preset veryfast -g 5 -pix_fmt yuv420p",
        );
        let mut film = Film::open(&path);
        let packets = film.packets();
        let keys: Vec<_> = in_software(&film, &packets)
            .into_iter()
            .filter(|picture| picture.is_key)
            .collect();
        let mut decoder = device_decoder(&film);
        decoder.decode_only(Decode::Keys);
        let shown = decode_on_device(&mut decoder, &packets).expect("decoded");
        assert_same(&shown, &keys);
        assert!(shown.len() >= 5);
        // One by one, with the end after each, as single frames are looked up.
        for (key, packet) in keys.iter().zip(packets.iter().filter(|packet| packet.is_key())) {
            decoder.flush();
            decoder.send(packet).expect("taken");
            decoder.send_end().expect("ended");
            let mut alone = Vec::new();
            take(&mut decoder, &mut alone).expect("decoded");
            assert_same(&alone, std::slice::from_ref(key));
        }
    });
}

#[test]
fn a_recording_that_begins_between_key_frames_is_shown_from_the_first_one_on() {
    on_device(
        "streams::a_recording_that_begins_between_key_frames_is_shown_from_the_first_one_on",
        &[],
        || {
            let room = tempfile::tempdir().expect("a temporary directory");
            let path = clip(
                room.path(),
                "a.ts",
                SMALL,
                "-c:v libx264 -preset veryfast -g 8 -pix_fmt yuv420p",
            );
            let mut film = Film::open(&path);
            let packets = film.packets();
            let software = in_software(&film, &packets[3..]);
            let mut decoder = device_decoder(&film);
            let device = decode_on_device(&mut decoder, &packets[3..]).expect("decoded");
            assert_same(&device, &software);
            assert_eq!((device.len(), decoder.refused_packets()), (17, 0));
            // Not one key frame: the parser is left to find what it can.
            let rest: Vec<_> = packets.into_iter().filter(|packet| !packet.is_key()).collect();
            let mut decoder = device_decoder(&film);
            for packet in &rest {
                decoder.send(packet).expect("taken");
            }
            assert!(decoder.receive().expect("held back").is_none());
        },
    );
}
