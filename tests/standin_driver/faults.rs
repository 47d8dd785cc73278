//! What goes wrong on purpose.

use crate::alone;
use crate::api::*;
use crate::assert_noticed;
use crate::call;
use crate::stream::Client;
use crate::stream::Habit;
use nvidia_video_codec_sdk::sys::cuviddec::cudaVideoCodec_enum as Codec;
use std::process::Command;
use std::process::Stdio;

fn stream() -> Vec<u8> {
    let made = Command::new("ffmpeg")
        .args("-loglevel error -f lavfi -i testsrc2=size=96x64:rate=25:duration=1".split(' '))
        .args("-c:v libx264 -preset ultrafast -bf 0 -g 12 -pix_fmt yuv420p -f h264 -".split(' '))
        .stdin(Stdio::null())
        .output()
        .expect("ffmpeg runs");
    made.stdout
}

#[test]
fn a_picture_fails_where_it_is_told_to() {
    let settings = [("STANDIN_DECODE_ERROR_AT", "3,7")];
    let lines = alone("faults::a_picture_fails_where_it_is_told_to", &settings, || {
        begin(0);
        let mut client = Client::new(Codec::cudaVideoCodec_H264, Habit::Good, 0);
        assert_eq!(client.play(&stream()), SUCCESS);
        let failed: Vec<_> = (1..)
            .zip(&client.shown)
            .filter(|(_, shown)| shown.status == 8)
            .map(|(at, _)| at)
            .collect();
        assert_eq!((failed, client.shown.len()), (vec![3, 7], 25));
        assert!(client.shown[2].bytes.iter().all(|byte| *byte == 0x80));
        client.end();
    });
    assert_noticed(lines, &[]);
}

#[test]
fn a_parser_fails_where_it_is_told_to() {
    let lines = alone(
        "faults::a_parser_fails_where_it_is_told_to",
        &[("STANDIN_PARSE_ERROR_AT", "5")],
        || {
            begin(0);
            let mut client = Client::new(Codec::cudaVideoCodec_H264, Habit::Good, 0);
            assert_eq!(client.play(&stream()), UNKNOWN);
            assert_eq!(client.shown.len(), 4);
            client.end();
        },
    );
    assert_noticed(lines, &[]);
}

#[test]
fn a_device_is_lost_and_stays_so() {
    let lines = alone(
        "faults::a_device_is_lost_and_stays_so",
        &[("STANDIN_LOST_AT", "5")],
        || {
            begin(0);
            let mut client = Client::new(Codec::cudaVideoCodec_H264, Habit::Good, 0);
            client.play(&stream());
            assert_eq!(client.shown.len(), 4);
            assert_eq!(client.answers.last(), Some(&ILLEGAL_ADDRESS));
            let mut address = 0_u64;
            assert_eq!(call!(cuMemAlloc_v2(&raw mut address, 16_usize)), ILLEGAL_ADDRESS);
            assert_eq!(client.end(), (SUCCESS, ILLEGAL_ADDRESS));
        },
    );
    assert_noticed(lines, &[]);
}

#[test]
fn a_broken_device_gives_no_context_until_it_is_whole() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("broken");
    std::fs::write(&file, "1").expect("a file");
    let path = file.display().to_string();
    let settings = [("STANDIN_DEVICES", "2"), ("STANDIN_BROKEN_WHILE", path.as_str())];
    let lines = alone(
        "faults::a_broken_device_gives_no_context_until_it_is_whole",
        &settings,
        || {
            begin(0);
            let mut context = NULL;
            assert_eq!(call!(cuDevicePrimaryCtxRetain(&raw mut context, 1)), 46);
            let named = std::env::var_os("STANDIN_BROKEN_WHILE").expect("the setting");
            std::fs::remove_file(named).expect("repaired");
            begin(1);
        },
    );
    assert_noticed(lines, &[]);
}

#[test]
fn no_decoder_is_none() {
    let lines = alone("faults::no_decoder_is_none", &[("STANDIN_NO_NVDEC", "1")], || {
        begin(0);
        let mut client = Client::new(Codec::cudaVideoCodec_H264, Habit::Good, 0);
        assert_eq!(client.play(&stream()), UNKNOWN);
        assert_eq!(client.answers, [NOT_SUPPORTED]);
        client.end();
    });
    assert_noticed(lines, &[]);
}
