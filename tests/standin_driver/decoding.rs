//! Parsers and decoders.

use crate::alone;
use crate::api::*;
use crate::assert_noticed;
use crate::call;
use crate::stream::Client;
use crate::stream::Habit;
use nvidia_video_codec_sdk::sys::cuviddec as dec;
use nvidia_video_codec_sdk::sys::cuviddec::cudaVideoCodec_enum as Codec;
use std::process::Command;
use std::process::Stdio;

fn ffmpeg(arguments: &str, output: &str) -> Vec<u8> {
    let made = Command::new("ffmpeg")
        .args(["-hide_banner", "-loglevel", "error", "-nostdin"])
        .args(arguments.split_whitespace())
        .args(output.split_whitespace())
        .stdin(Stdio::null())
        .output()
        .expect("ffmpeg runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    made.stdout
}

/// A clip of that size and seconds, coded so.
fn clip(size: &str, seconds: &str, coding: &str) -> Vec<u8> {
    let source = format!("-f lavfi -i testsrc2=size={size}:rate=25:duration={seconds}");
    ffmpeg(&source, &format!("{coding} -"))
}

/// Its frames, as another decoder has them.
fn frames(stream: &[u8], format: &str, pixels: &str, size: (usize, usize), sample: usize) -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("stream");
    std::fs::write(&file, stream).expect("a file");
    let input = format!("-f {format} -i {}", file.display());
    let raw = ffmpeg(&input, &format!("-vsync passthrough -f rawvideo -pix_fmt {pixels} -"));
    raw.chunks(size.0 * size.1 * 3 / 2 * sample)
        .map(<[u8]>::to_vec)
        .collect()
}

const H264: &str = "-c:v libx264 -preset ultrafast -bf 3 -b-pyramid normal -g 12 -pix_fmt yuv420p -f h264";

#[test]
fn h264_comes_out_as_another_decoder_has_it() {
    let lines = alone("decoding::h264_comes_out_as_another_decoder_has_it", &[], || {
        begin(0);
        // Cropped, with B frames that others are made of, in pieces that are no pictures.
        let stream = clip("198x118", "2", H264);
        let mut client = Client::new(Codec::cudaVideoCodec_H264, Habit::Good, 2);
        assert_eq!(client.play(&stream), SUCCESS);
        assert_eq!(client.formats, [(208, 128, [0, 0, 198, 118], 1)]);
        let expected = frames(&stream, "h264", "nv12", (198, 118), 1);
        assert_eq!(expected.len(), 50);
        assert_eq!(client.shown.len(), 50);
        for (shown, expected) in client.shown.iter().zip(&expected) {
            assert!(shown.bytes == *expected, "the picture at {}", shown.timestamp);
            assert_eq!(shown.status, 2);
            assert!(shown.is_progressive);
        }
        assert_eq!(client.events.last().map(String::as_str), Some("end"));
        assert!(
            client.events[..2] == ["sequence", "decode into 0"],
            "{:?}",
            client.events
        );
        assert_eq!(client.end(), (SUCCESS, SUCCESS));
    });
    assert_noticed(lines, &[]);
}

#[test]
fn other_codecs_come_out_as_another_decoder_has_them() {
    let lines = alone(
        "decoding::other_codecs_come_out_as_another_decoder_has_them",
        &[],
        || {
            begin(0);
            let of = [
                (
                    Codec::cudaVideoCodec_HEVC,
                    "-c:v libx265 -preset ultrafast -x265-params log-level=error -pix_fmt yuv420p10 -f hevc",
                    "hevc",
                    2,
                ),
                (
                    Codec::cudaVideoCodec_MPEG2,
                    "-c:v mpeg2video -bf 2 -pix_fmt yuv420p -f mpeg2video",
                    "mpegvideo",
                    1,
                ),
                (
                    Codec::cudaVideoCodec_MPEG4,
                    "-c:v mpeg4 -bf 2 -pix_fmt yuv420p -f m4v",
                    "m4v",
                    1,
                ),
                (
                    Codec::cudaVideoCodec_JPEG,
                    "-c:v mjpeg -pix_fmt yuvj420p -f mjpeg",
                    "mjpeg",
                    1,
                ),
            ];
            for (codec, coding, format, sample) in of {
                let stream = clip("192x160", "1", coding);
                let mut client = Client::new(codec, Habit::Good, 1);
                assert_eq!(client.play(&stream), SUCCESS, "{format}");
                let pixels = if sample == 2 { "p016le" } else { "nv12" };
                // A full range stays one.
                let pixels = if format == "mjpeg" {
                    "nv12 -color_range pc -vf scale=in_range=pc:out_range=pc"
                } else {
                    pixels
                };
                let expected = frames(&stream, format, pixels, (192, 160), sample);
                assert_eq!((client.shown.len(), expected.len()), (25, 25), "{format}");
                for (at, (shown, expected)) in client.shown.iter().zip(&expected).enumerate() {
                    let same = match sample {
                        1 => shown.bytes == *expected,
                        // ffmpeg repeats the high bits in the low ones, the driver leaves them 0.
                        _ => shown.bytes.chunks(2).zip(expected.chunks(2)).all(|(ours, theirs)| {
                            ours[0] & 0x3F == 0 && (ours[0], ours[1]) == (theirs[0] & 0xC0, theirs[1])
                        }),
                    };
                    assert!(same, "{format}: picture {at}");
                }
                assert_eq!(client.end(), (SUCCESS, SUCCESS), "{format}");
            }
        },
    );
    assert_noticed(lines, &[]);
}

#[test]
fn pictures_are_shown_in_order_with_the_stamps_of_their_packets() {
    let lines = alone(
        "decoding::pictures_are_shown_in_order_with_the_stamps_of_their_packets",
        &[],
        || {
            begin(0);
            let stream = clip("96x64", "1", "-c:v mpeg2video -bf 0 -pix_fmt yuv420p -f mpeg2video");
            // Cut before every picture's header, with the sequence's before the first.
            let mut cuts: Vec<_> = (4..stream.len())
                .filter(|at| stream[at - 4..*at] == [0, 0, 1, 0])
                .map(|at| at - 4)
                .collect();
            cuts[0] = 0;
            cuts.push(stream.len());
            let mut client = Client::new(Codec::cudaVideoCodec_MPEG2, Habit::Good, 0);
            for (at, cut) in cuts.windows(2).enumerate() {
                assert_eq!(client.feed(&stream[cut[0]..cut[1]], Some(40 * at as i64), 0), SUCCESS);
            }
            assert_eq!(client.feed(&[], None, 1), SUCCESS);
            let stamps: Vec<_> = client.shown.iter().map(|shown| shown.timestamp).collect();
            assert_eq!(stamps, (0..25).map(|at| 40 * at).collect::<Vec<_>>());
            client.end();
        },
    );
    assert_noticed(lines, &[]);
}

#[test]
fn one_picture_alone_keeps_its_stamp() {
    let lines = alone("decoding::one_picture_alone_keeps_its_stamp", &[], || {
        begin(0);
        for (codec, coding) in [
            (Codec::cudaVideoCodec_H264, H264),
            (
                Codec::cudaVideoCodec_HEVC,
                "-c:v libx265 -x265-params log-level=error -f hevc",
            ),
        ] {
            let stream = clip("192x160", "0.04", coding);
            let mut client = Client::new(codec, Habit::Good, 4);
            for stamp in [-5120, 0, 7000] {
                assert_eq!(client.feed(&stream, Some(stamp), 0), SUCCESS);
                assert_eq!(client.feed(&[], None, 1), SUCCESS);
                assert_eq!(client.shown.last().map(|shown| shown.timestamp), Some(stamp));
            }
            client.end();
        }
    });
    assert_noticed(lines, &[]);
}

#[test]
fn a_change_of_size_shows_all_of_the_old_first() {
    for (habit, name) in [(Habit::Good, "good"), (Habit::Reconfigures, "reconfigures")] {
        let lines = alone("decoding::a_change_of_size_shows_all_of_the_old_first", &[], || {
            begin(0);
            let mut stream = clip("192x128", "1", H264);
            stream.extend(clip("160x96", "1", H264));
            let mut client = Client::new(Codec::cudaVideoCodec_H264, habit, 4);
            assert_eq!(client.play(&stream), SUCCESS);
            let sizes: Vec<_> = client.shown.iter().map(|shown| shown.size).collect();
            assert_eq!(sizes, [[(192, 128); 25], [(160, 96); 25]].concat(), "{name}");
            let second = client
                .events
                .iter()
                .rposition(|event| event == "sequence")
                .expect("two sequences");
            let before = client.events[..second]
                .iter()
                .filter(|event| event.starts_with("show"))
                .count();
            assert_eq!(before, 25, "{name}");
            assert!(client.answers.iter().all(|answer| *answer == SUCCESS), "{name}");
            client.end();
        });
        assert_noticed(lines, &[]);
    }
}

#[test]
fn fields_are_told_and_doubled() {
    let lines = alone("decoding::fields_are_told_and_doubled", &[], || {
        begin(0);
        let stream = ffmpeg(
            "-f lavfi -i testsrc2=size=192x128:rate=50:duration=1",
            "-vf tinterlace=interleave_top -c:v libx264 -preset ultrafast -flags +ildct+ilme -f h264 -",
        );
        let mut client = Client::new(Codec::cudaVideoCodec_H264, Habit::Good, 1).deinterlacing();
        assert_eq!(client.play(&stream), SUCCESS);
        assert_eq!(client.formats[0].3, 0);
        assert_eq!(client.shown.len(), 25);
        for shown in &client.shown {
            assert!(!shown.is_progressive);
            let lines: Vec<_> = shown.bytes.chunks(192).take(128).collect();
            assert!(lines.chunks(2).all(|pair| pair[0] == pair[1]));
        }
        client.end();
    });
    assert_noticed(lines, &[]);
}

#[test]
fn parts_with_lengths_before_them_are_no_stream() {
    let lines = alone("decoding::parts_with_lengths_before_them_are_no_stream", &[], || {
        begin(0);
        let folder = tempfile::tempdir().expect("a temporary directory");
        let file = folder.path().join("clip.mp4");
        let coding = format!("-c:v libx264 -preset ultrafast -f mp4 -y {}", file.display());
        ffmpeg("-f lavfi -i testsrc2=size=96x64:rate=25:duration=1", &coding);
        let bytes = std::fs::read(&file).expect("a clip");
        let at = bytes.windows(4).position(|four| four == b"mdat").expect("media") + 4;
        let mut client = Client::new(Codec::cudaVideoCodec_H264, Habit::Good, 0);
        assert_eq!(client.play(&bytes[at..]), SUCCESS);
        assert_eq!(client.events, ["end"]);
        client.end();
    });
    assert_noticed(lines, &[]);
}

#[test]
fn abilities_are_those_of_the_settings() {
    let settings = [("STANDIN_CODECS", "h264,hevc10")];
    let lines = alone("decoding::abilities_are_those_of_the_settings", &settings, || {
        begin(0);
        let ask = |codec, depth| {
            // SAFETY: zeros are values of all of its fields.
            let mut caps: dec::CUVIDDECODECAPS = unsafe { std::mem::zeroed() };
            caps.eCodecType = codec;
            caps.eChromaFormat = dec::cudaVideoChromaFormat_enum::cudaVideoChromaFormat_420;
            caps.nBitDepthMinus8 = depth - 8_u32;
            assert_eq!(call!(cuvidGetDecoderCaps(&raw mut caps)), SUCCESS);
            (caps.bIsSupported, caps.nOutputFormatMask, caps.nMinWidth)
        };
        assert_eq!(ask(Codec::cudaVideoCodec_H264, 8), (1, 1, 48));
        assert_eq!(ask(Codec::cudaVideoCodec_H264, 10), (0, 0, 0));
        assert_eq!(ask(Codec::cudaVideoCodec_HEVC, 8), (0, 0, 0));
        assert_eq!(ask(Codec::cudaVideoCodec_HEVC, 10), (1, 3, 144));
        let stream = clip("96x64", "1", "-c:v mpeg2video -pix_fmt yuv420p -f mpeg2video");
        let mut client = Client::new(Codec::cudaVideoCodec_MPEG2, Habit::Good, 0);
        assert_eq!(client.play(&stream), UNKNOWN);
        assert_eq!(client.answers, [NOT_SUPPORTED]);
        client.end();
    });
    assert_noticed(lines, &[]);
}

fn misbehave(test: &str, habit: Habit, check: impl FnOnce(&Client)) -> Option<Vec<String>> {
    alone(test, &[], || {
        begin(0);
        let mut stream = clip("192x128", "1", H264);
        if habit == Habit::Stubborn {
            stream.extend(clip("160x96", "1", H264));
        }
        let mut client = Client::new(Codec::cudaVideoCodec_H264, habit, 1);
        client.play(&stream);
        check(&client);
        client.end();
    })
}

#[test]
fn frames_that_are_kept_run_out() {
    let lines = misbehave("decoding::frames_that_are_kept_run_out", Habit::Keeps, |client| {
        assert_eq!(client.shown.len(), 2);
        assert!(client.answers.contains(&MAP_FAILED));
    });
    let Some(lines) = lines else { return };
    assert!(lines[0].contains("all 2 frames are mapped"), "{lines:#?}");
    assert!(
        lines
            .last()
            .is_some_and(|line| line == "cuvidDestroyDecoder: 2 frames are mapped"),
        "{lines:#?}"
    );
    assert!(lines.iter().any(|line| line.contains("is mapped")), "{lines:#?}");
}

#[test]
fn too_few_surfaces_are_noticed() {
    let lines = misbehave("decoding::too_few_surfaces_are_noticed", Habit::Stingy, |_| {});
    let Some(lines) = lines else { return };
    assert!(lines[0].contains("2 surfaces for a sequence that needs"), "{lines:#?}");
}

#[test]
fn a_decoder_of_another_size_is_noticed() {
    let lines = misbehave(
        "decoding::a_decoder_of_another_size_is_noticed",
        Habit::Stubborn,
        |client| {
            assert_eq!(client.shown.len(), 25);
        },
    );
    assert_noticed(lines, &["a picture of (10, 6) blocks to a decoder made for (12, 8)"]);
}

#[test]
fn what_is_mapped_a_little_late_is_there() {
    let test = "decoding::what_is_mapped_a_little_late_is_there";
    let lines = misbehave(test, Habit::MapsLate(1), |client| assert_eq!(client.shown.len(), 24));
    assert_noticed(lines, &[]);
}

#[test]
fn a_surface_that_was_given_away_long_ago_is_noticed() {
    let test = "decoding::a_surface_that_was_given_away_long_ago_is_noticed";
    let lines = misbehave(test, Habit::MapsLate(5), |_| {});
    let Some(lines) = lines else { return };
    assert!(!lines.is_empty());
    for line in lines {
        assert!(line.contains("was it given to another one?"), "{line}");
    }
}

#[test]
fn misuse_of_a_decoder_is_noticed() {
    let lines = alone("decoding::misuse_of_a_decoder_is_noticed", &[], || {
        let context = begin(0);
        let stream = clip("96x64", "1", H264);
        let mut client = Client::new(Codec::cudaVideoCodec_H264, Habit::Good, 0);
        assert_eq!(client.play(&stream), SUCCESS);
        assert_eq!(client.unmap(0x1234), INVALID_VALUE);
        assert_eq!(client.map(17), INVALID_VALUE);
        assert_eq!(call!(cuCtxSetCurrent(NULL)), SUCCESS);
        assert_eq!(client.map(0), INVALID_CONTEXT);
        assert_eq!(call!(cuCtxSetCurrent(context)), SUCCESS);
        assert_eq!(client.reconfigure_now(), INVALID_VALUE);
        assert_eq!(client.end(), (SUCCESS, SUCCESS));
        assert_eq!(client.map(0), INVALID_HANDLE);
        assert_eq!(client.feed(&[], None, 1), INVALID_HANDLE);
    });
    assert_noticed(
        lines,
        &[
            "cuvidUnmapVideoFrame64: 0x1234 is not mapped",
            "nothing was decoded into surface 17",
            "no context is current",
            "called outside of a sequence callback",
            "no such decoder",
            "no such parser",
        ],
    );
}

#[test]
fn work_on_another_stream_is_waited_for_before_a_frame_goes() {
    let lines = alone(
        "decoding::work_on_another_stream_is_waited_for_before_a_frame_goes",
        &[],
        || {
            begin(0);
            let stream = clip("96x64", "1", H264);
            let mut client = Client::new(Codec::cudaVideoCodec_H264, Habit::Good, 0);
            assert_eq!(client.play(&stream), SUCCESS);
            let (mut other, mut event) = (NULL, NULL);
            assert_eq!(call!(cuStreamCreate(&raw mut other, 1_u32)), SUCCESS);
            assert_eq!(call!(cuEventCreate(&raw mut event, 2_u32)), SUCCESS);
            let to = take(16);
            for waits in [true, false] {
                let address = client.mapped(client.last_index());
                assert_eq!(call!(cuMemcpyDtoDAsync_v2(to, address, 16_usize, other)), SUCCESS);
                if waits {
                    assert_eq!(call!(cuEventRecord(event, other)), SUCCESS);
                    assert_eq!(call!(cuStreamWaitEvent(NULL, event, 0_u32)), SUCCESS);
                }
                assert_eq!(client.unmap(address), if waits { SUCCESS } else { INVALID_VALUE });
                // And what is given back is not read.
                if !waits {
                    assert_eq!(call!(cuMemcpyDtoD_v2(to, address, 16_usize)), ILLEGAL_ADDRESS);
                }
            }
            client.end();
        },
    );
    assert_noticed(lines, &["was not waited for", "is freed, unmapped or was never taken"]);
}
