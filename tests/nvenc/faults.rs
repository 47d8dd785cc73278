//! What is missing, refused or dropped.

use crate::bench;
use crate::bench::Pictures;
use crate::driver::on_device;
use reelmill::media::cuda::error::Trouble;
use reelmill::media::cuda::nvenc;
use reelmill::media::cuda::nvenc::Codec;
use reelmill::media::cuda::nvenc::NvencSession;

#[test]
fn a_device_without_encoders_is_told_as_that() {
    on_device(
        "faults::a_device_without_encoders_is_told_as_that",
        &[("NO_NVENC", "1")],
        || {
            let refusal = nvenc::abilities(&bench::gpu()).expect_err("there is none");
            assert_eq!(refusal.kind, Trouble::Absent, "{refusal}");
        },
    );
}

#[test]
fn a_driver_that_is_too_old_says_which_is_needed() {
    let test = "faults::a_driver_that_is_too_old_says_which_is_needed";
    on_device(test, &[("NVENC_VERSION", "11.1")], || {
        let refusal = nvenc::abilities(&bench::gpu()).expect_err("too old");
        assert_eq!(refusal.kind, Trouble::Absent);
        assert!(
            refusal.text.contains("11.1") && refusal.text.contains("530.41.03"),
            "{refusal}"
        );
    });
}

#[test]
fn a_session_dropped_in_the_middle_takes_everything_back() {
    on_device(
        "faults::a_session_dropped_in_the_middle_takes_everything_back",
        &[("SESSIONS", "1")],
        || {
            let gpu = bench::gpu();
            for sent in [0, 1, 3, 9] {
                let mut setup = bench::setup(Codec::H264, false, 3);
                setup.is_careful = sent == 9;
                let mut session = NvencSession::open(&gpu, &setup).expect("the one before is closed");
                let pictures = Pictures::of(&gpu, &setup);
                for (number, (pts, duration, is_key)) in (0..).zip(bench::steady(sent, 4)) {
                    session
                        .send(pictures.picture(number), pts, duration, is_key)
                        .expect("sent");
                }
                // Its pictures may go before it does.
                drop(pictures);
                drop(session);
            }
        },
    );
}

#[test]
fn an_error_of_the_driver_comes_out_and_nothing_is_kept() {
    let test = "faults::an_error_of_the_driver_comes_out_and_nothing_is_kept";
    on_device(test, &[("ENCODE_ERROR_AT", "6"), ("SESSIONS", "1")], || {
        let gpu = bench::gpu();
        let setup = bench::setup(Codec::Hevc, false, 2);
        let mut session = NvencSession::open(&gpu, &setup).expect("a session");
        let pictures = Pictures::of(&gpu, &setup);
        let refusal = bench::feed(&mut session, &pictures, &bench::steady(9, 4)).expect_err("the sixth fails");
        assert_eq!(
            (refusal.kind, refusal.call),
            (Trouble::Lost, "nvEncEncodePicture"),
            "{refusal}"
        );
        drop(session);
        let again = NvencSession::open(&gpu, &setup).expect("its place is free");
        drop(again);
    });
}

#[test]
fn pictures_of_another_kind_are_refused() {
    on_device("faults::pictures_of_another_kind_are_refused", &[], || {
        let gpu = bench::gpu();
        let setup = bench::setup(Codec::Hevc, false, 0);
        let mut session = NvencSession::open(&gpu, &setup).expect("a session");
        let mut deep = bench::setup(Codec::Hevc, true, 0);
        let other = Pictures::of(&gpu, &deep).picture(0);
        let refusal = session.send(other, 0, 1, true).expect_err("10 bits into 8");
        assert_eq!(refusal.kind, Trouble::Refused);
        deep.is_ten_bit = false;
        deep.width = 320;
        let other = Pictures::of(&gpu, &deep).picture(0);
        session.send(other, 0, 1, true).expect_err("another size");
        let pictures = Pictures::of(&gpu, &setup);
        session.send(pictures.picture(0), 0, 1, true).expect("its own");
        assert_eq!(bench::flush(&mut session).expect("flushed").len(), 1);
    });
}
