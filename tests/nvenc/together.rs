//! Several sessions at once, and how many there are.

use crate::bench;
use crate::bench::Pictures;
use crate::bench::Timed;
use crate::driver::on_device;
use reelmill::media::cuda::error::Trouble;
use reelmill::media::cuda::nvenc;
use reelmill::media::cuda::nvenc::Codec;
use reelmill::media::cuda::nvenc::NvencSession;
use std::sync::Arc;

#[test]
fn key_frames_stand_at_the_same_times_in_all_renditions() {
    on_device(
        "together::key_frames_stand_at_the_same_times_in_all_renditions",
        &[],
        || {
            let gpu = bench::gpu();
            let mut ladder = Vec::new();
            for (codec, width, height, bframes) in [
                (Codec::H264, 320, 180, 3),
                (Codec::H264, 256, 144, 0),
                (Codec::Hevc, 256, 144, 2),
                (Codec::Av1, 256, 144, 0),
            ] {
                let mut setup = bench::setup(codec, false, bframes);
                (setup.width, setup.height) = (width, height);
                let session = NvencSession::open(&gpu, &setup).expect("a session");
                ladder.push((session, Pictures::of(&gpu, &setup), Vec::new()));
            }
            // Far apart and next to each other.
            let keys = [0, 7, 8, 13];
            let times: Vec<Timed> = bench::steady(16, 100)
                .into_iter()
                .enumerate()
                .map(|(n, (pts, step, _))| (pts, step, keys.contains(&n)))
                .collect();
            for one in &times {
                for (session, pictures, coded) in &mut ladder {
                    coded.extend(bench::feed(session, pictures, std::slice::from_ref(one)).expect("encoded"));
                }
            }
            for (mut session, _, mut coded) in ladder {
                coded.extend(bench::flush(&mut session).expect("flushed"));
                bench::is_whole(&coded, &times);
            }
        },
    );
}

#[test]
fn one_picture_goes_into_several_sessions_and_twice_into_one() {
    on_device(
        "together::one_picture_goes_into_several_sessions_and_twice_into_one",
        &[],
        || {
            let gpu = bench::gpu();
            let setups = [bench::setup(Codec::H264, false, 2), bench::setup(Codec::Hevc, false, 0)];
            let pictures = Pictures::of(&gpu, &setups[0]);
            let mut sessions: Vec<NvencSession> = setups
                .iter()
                .map(|setup| NvencSession::open(&gpu, setup).expect("a session"))
                .collect();
            let mut coded = [Vec::new(), Vec::new()];
            for number in 0..6 {
                let picture = pictures.picture(number / 2);
                for (session, coded) in sessions.iter_mut().zip(&mut coded) {
                    for half in 0..2 {
                        let pts = i64::from(number) * 20 + half * 10;
                        session.send(Arc::clone(&picture), pts, 10, pts == 0).expect("sent");
                        coded.extend(session.receive().expect("received"));
                    }
                }
            }
            let times: Vec<Timed> = (0..12).map(|n| (n * 10, 10, n == 0)).collect();
            for (session, mut coded) in sessions.iter_mut().zip(coded) {
                coded.extend(bench::flush(session).expect("flushed"));
                bench::is_whole(&coded, &times);
            }
        },
    );
}

#[test]
fn a_full_device_is_busy_until_a_session_ends() {
    for number in ["10", "21"] {
        let faults = [("SESSIONS", "2"), ("SESSION_ERROR", number)];
        on_device("together::a_full_device_is_busy_until_a_session_ends", &faults, || {
            let gpu = bench::gpu();
            let setup = bench::setup(Codec::H264, false, 0);
            assert_eq!(nvenc::sessions_free(&gpu, 8).expect("counted"), 2);
            let first = NvencSession::open(&gpu, &setup).expect("a session");
            assert_eq!(nvenc::sessions_free(&gpu, 8).expect("counted"), 1);
            let second = NvencSession::open(&gpu, &setup).expect("another");
            assert_eq!(nvenc::sessions_free(&gpu, 8).expect("counted"), 0);
            let full = NvencSession::open(&gpu, &setup).expect_err("a third");
            assert_eq!(full.kind, Trouble::Busy, "{full}");
            assert_eq!(nvenc::abilities(&gpu).expect_err("a third").kind, Trouble::Busy);
            drop(first);
            NvencSession::open(&gpu, &setup).expect("one is free again");
            drop(second);
        });
    }
}

#[test]
fn abilities_are_what_the_driver_says() {
    let test = "together::abilities_are_what_the_driver_says";
    let faults = [("MAX_BFRAMES", "2"), ("ENCODERS", "h264,hevc"), ("NO_LOOKAHEAD", "1")];
    on_device(test, &faults, || {
        let gpu = bench::gpu();
        let found = nvenc::abilities(&gpu).expect("abilities");
        let names: Vec<&str> = found.iter().map(|one| one.codec.as_str()).collect();
        assert_eq!(names, ["h264", "hevc"]);
        let hevc = &found[1];
        assert_eq!((hevc.max_bframes, hevc.lookahead, hevc.ten_bit), (2, false, true));
        assert!(
            (hevc.min_width..=hevc.max_width).contains(&1920) && hevc.engines > 0,
            "{hevc:?}"
        );
        assert!(!found[0].ten_bit);
        // Fewer B-frames than were asked for are told.
        let session = NvencSession::open(&gpu, &bench::setup(Codec::H264, false, 3)).expect("a session");
        assert_eq!(session.bframes(), 2);
        assert!(session.notes()[0].contains("at most 2"), "{:?}", session.notes());
        let missing = NvencSession::open(&gpu, &bench::setup(Codec::Av1, false, 0)).expect_err("no AV1");
        assert_eq!(missing.kind, Trouble::Absent);
    });
}
