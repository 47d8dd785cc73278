//! Streams of each codec, as a player finds them.

use crate::bench;
use crate::bench::STEP;
use crate::bench::Timed;
use crate::driver::on_device;
use crate::player;
use reelmill::media::cuda::nvenc::BFrames;
use reelmill::media::cuda::nvenc::Codec;
use reelmill::media::cuda::nvenc::EncodeSetup;
use reelmill::media::cuda::nvenc::Message;
use reelmill::media::cuda::nvenc::Rate;
use reelmill::media::cuda::nvenc::Signal;

/// Encoded, put into MP4, decoded: as many pictures, at the same times, each the one that went in.
fn plays(setup: &EncodeSetup, times: &[Timed]) {
    let room = tempfile::tempdir().expect("a room");
    let path = room.path().join("film.mp4");
    let (header, coded) = bench::encode(setup, times);
    bench::is_whole(&coded, times);
    player::mux(&path, setup, &header, &coded);
    let first: i64 = times[0].0;
    let shown: Vec<i64> = player::of_frames(&path, "pts")
        .iter()
        .map(|pts| pts.parse().expect("a number"))
        .collect();
    let begin = shown[0];
    let wanted: Vec<i64> = times.iter().map(|(pts, ..)| pts - first).collect();
    let found: Vec<i64> = shown.iter().map(|pts| pts - begin).collect();
    assert_eq!(found, wanted, "times of the pictures");
    // The slope of picture n is 6 brighter than that of the one before, until it wraps.
    let levels = player::brightness(&path);
    assert_eq!(levels.len(), times.len());
    let scale = if setup.is_ten_bit { 4.0 } else { 1.0 };
    for (number, level) in levels.iter().enumerate() {
        let wanted = mean_of(number) * scale;
        assert!(
            (level - wanted).abs() < 3.0 * scale,
            "picture {number}: {level}, not {wanted}"
        );
    }
}

/// Mean of the luma of a picture of `bench::Pictures`.
fn mean_of(number: usize) -> f64 {
    let (width, height) = (bench::WIDTH as usize, bench::HEIGHT as usize);
    let sum: usize = (0..height)
        .flat_map(|y| (0..width).map(move |x| 40 + (number * 6 + x / 4 + y / 8) % 160))
        .sum();
    sum as f64 / (width * height) as f64
}

#[test]
fn h264_without_and_with_b_frames() {
    on_device("streams::h264_without_and_with_b_frames", &[], || {
        for bframes in [0, 1, 3] {
            plays(&bench::setup(Codec::H264, false, bframes), &bench::steady(17, 8));
        }
    });
}

#[test]
fn hevc_of_8_and_10_bits() {
    on_device("streams::hevc_of_8_and_10_bits", &[], || {
        plays(&bench::setup(Codec::Hevc, false, 3), &bench::steady(13, 6));
        plays(&bench::setup(Codec::Hevc, true, 2), &bench::steady(13, 6));
    });
}

#[test]
fn av1_of_8_and_10_bits() {
    on_device("streams::av1_of_8_and_10_bits", &[], || {
        for is_ten_bit in [false, true] {
            let mut setup = bench::setup(Codec::Av1, is_ten_bit, 0);
            setup.bframes = BFrames::OfPreset;
            plays(&setup, &bench::steady(11, 5));
        }
    });
}

#[test]
fn pictures_of_any_length_keep_their_times() {
    on_device("streams::pictures_of_any_length_keep_their_times", &[], || {
        let lengths = [512, 100, 1, 2000, 33, 512, 512, 7, 1024, 3, 512, 90];
        let mut pts = 1024;
        let mut times = Vec::new();
        for (number, length) in lengths.into_iter().enumerate() {
            times.push((pts, length, number == 0 || number == 7));
            pts += length;
        }
        plays(&bench::setup(Codec::H264, false, 3), &times);
        plays(&bench::setup(Codec::Hevc, false, 3), &times);
    });
}

#[test]
fn careful_encoders_look_ahead_and_give_everything_out() {
    on_device(
        "streams::careful_encoders_look_ahead_and_give_everything_out",
        &[],
        || {
            let mut setup = bench::setup(Codec::Hevc, false, 3);
            setup.is_careful = true;
            setup.is_analysed_twice = true;
            setup.rate = Rate::Average {
                bitrate: 400_000,
                cap: Some(600_000),
                buffer: Some(1_200_000),
            };
            // More than the lookahead is deep, and fewer.
            plays(&setup, &bench::steady(37, 12));
            plays(&setup, &bench::steady(5, 12));
            let mut constant = bench::setup(Codec::H264, false, 2);
            constant.rate = Rate::Constant {
                bitrate: 300_000,
                buffer: 300_000,
            };
            plays(&constant, &bench::steady(12, 6));
        },
    );
}

#[test]
fn colours_and_light_are_in_the_stream() {
    on_device("streams::colours_and_light_are_in_the_stream", &[], || {
        let point = |value: f64| ((value * 50_000.0) as u16).to_be_bytes();
        let mut mastering: Vec<u8> = [0.265, 0.69, 0.15, 0.06, 0.68, 0.32, 0.3127, 0.329]
            .into_iter()
            .flat_map(point)
            .collect();
        mastering.extend(10_000_000_u32.to_be_bytes());
        mastering.extend(50_u32.to_be_bytes());
        let light = vec![3, 232, 1, 144];
        let message = |kind, payload: &[u8]| Message {
            kind,
            payload: payload.to_vec(),
        };
        let signal = Signal {
            primaries: 9,
            transfer: 16,
            matrix: 9,
            is_full_range: false,
        };
        let hevc = EncodeSetup {
            signal,
            messages: vec![message(137, &mastering), message(144, &light)],
            ..bench::setup(Codec::Hevc, true, 0)
        };
        let av1_points = [0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.3127, 0.329];
        let mut av1_mastering: Vec<u8> = av1_points
            .into_iter()
            .flat_map(|value: f64| ((value * 65_536.0) as u16).to_be_bytes())
            .collect();
        av1_mastering.extend(256_000_u32.to_be_bytes());
        av1_mastering.extend(82_u32.to_be_bytes());
        let av1 = EncodeSetup {
            signal,
            messages: vec![message(2, &av1_mastering), message(1, &light)],
            ..bench::setup(Codec::Av1, true, 0)
        };
        for setup in [hevc, av1] {
            let room = tempfile::tempdir().expect("a room");
            let path = room.path().join("film.mp4");
            let (header, coded) = bench::encode(&setup, &bench::steady(3, 2));
            player::mux(&path, &setup, &header, &coded);
            let said = player::described(&path);
            for wanted in [
                "color_space=bt2020nc",
                "color_transfer=smpte2084",
                "color_primaries=bt2020",
                "color_range=tv",
                "max_content=1000",
                "max_average=400",
                "Mastering display metadata",
            ] {
                assert!(said.contains(wanted), "{wanted} of {:?} in {said}", setup.codec);
            }
        }
    });
}

#[test]
fn an_encoder_goes_on_after_its_end() {
    on_device("streams::an_encoder_goes_on_after_its_end", &[], || {
        let setup = bench::setup(Codec::H264, false, 3);
        let gpu = bench::gpu();
        let mut session = reelmill::media::cuda::nvenc::NvencSession::open(&gpu, &setup).expect("a session");
        let pictures = bench::Pictures::of(&gpu, &setup);
        let mut coded = Vec::new();
        let mut all = Vec::new();
        let mut pts = 0;
        for frames in [2, 9, 1, 6] {
            // None asks for a key frame: the first after an end is one all the same.
            let times: Vec<Timed> = (0..frames).map(|n| (pts + n * STEP, STEP, false)).collect();
            pts += frames * STEP;
            coded.extend(bench::feed(&mut session, &pictures, &times).expect("encoded"));
            coded.extend(bench::flush(&mut session).expect("flushed"));
            coded.extend(bench::flush(&mut session).expect("an end after an end is nothing"));
            all.extend(
                times
                    .iter()
                    .enumerate()
                    .map(|(n, (pts, step, _))| (*pts, *step, n == 0)),
            );
            assert_eq!(coded.len(), all.len(), "all of it is out");
        }
        bench::is_whole(&coded, &all);
        session
            .set_rate(&Rate::Quality {
                level: 40.0,
                cap: Some(200_000),
                buffer: Some(200_000),
            })
            .expect("another rate");
        let times: Vec<Timed> = vec![(pts, STEP, true), (pts + STEP, STEP, false)];
        coded.extend(bench::feed(&mut session, &pictures, &times).expect("encoded"));
        coded.extend(bench::flush(&mut session).expect("flushed"));
        all.extend(times);
        bench::is_whole(&coded, &all);
    });
}
