//! Streams that are right: what ffmpeg reads of them.

use crate::driver::run;
use crate::encoder::AV1;
use crate::encoder::Encoder;
use crate::encoder::H264;
use crate::encoder::HEVC;
use crate::encoder::Packet;
use crate::encoder::Plan;
use crate::encoder::luma;
use nvidia_video_codec_sdk::sys::nvEncodeAPI as sys;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_PIC_TYPE::*;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_SEI_PAYLOAD;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NVENCSTATUS;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

pub const FORCE_IDR: u32 = sys::NV_ENC_PIC_FLAGS::NV_ENC_PIC_FLAG_FORCEIDR as u32;
pub const OUTPUT_HEADERS: u32 = sys::NV_ENC_PIC_FLAGS::NV_ENC_PIC_FLAG_OUTPUT_SPSPPS as u32;

/// Encodes pictures, IDRs forced where said.
fn encode(encoder: &mut Encoder<'_>, pictures: u64, forced: &[u64]) -> Vec<Packet> {
    let mut packets = Vec::new();
    for number in 0..pictures {
        let flags = if forced.contains(&number) {
            FORCE_IDR | OUTPUT_HEADERS
        } else {
            0
        };
        packets.extend(encoder.encode(flags, &mut []));
    }
    packets.extend(encoder.flush());
    packets
}

fn write(plan: Plan, packets: &[Packet]) -> PathBuf {
    let name = match plan.codec {
        H264 => "coded.h264",
        HEVC => "coded.h265",
        _ => "coded.obu",
    };
    let path = std::env::temp_dir().join(name);
    let bytes: Vec<u8> = packets.iter().flat_map(|packet| packet.bytes.clone()).collect();
    std::fs::write(&path, bytes).expect("written");
    path
}

fn probe(path: &Path, what: &str) -> String {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-of", "csv=p=0", "-show_entries", what])
        .arg(path)
        .output()
        .expect("ffprobe");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

/// Decodes a stream; each picture's luma must be that of the number it is shown as.
fn check_pictures(plan: Plan, path: &Path, pictures: u64) {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args(["-f", "rawvideo", "-pix_fmt", "gray", "-fps_mode", "passthrough", "-"])
        .output()
        .expect("ffmpeg");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "",
        "decoders complain of nothing"
    );
    let (width, size) = (plan.width as usize, (plan.width * plan.height) as usize);
    assert_eq!(output.stdout.len(), size * pictures as usize);
    for (number, picture) in output.stdout.chunks_exact(size).enumerate() {
        let error: f64 = picture
            .iter()
            .enumerate()
            .map(|(at, value)| {
                let wanted = f64::from(luma(number as u64, at % width));
                // Gray of ffmpeg is of full range.
                let wanted = (wanted - 16.0) * 255.0 / 219.0;
                (f64::from(*value) - wanted).abs()
            })
            .sum::<f64>()
            / size as f64;
        assert!(error < 3.0, "picture {number} is off by {error:.2} a sample");
    }
}

fn kinds(packets: &[Packet]) -> String {
    packets
        .iter()
        .map(|packet| match packet.kind {
            NV_ENC_PIC_TYPE_IDR => 'I',
            NV_ENC_PIC_TYPE_P => 'P',
            NV_ENC_PIC_TYPE_B => 'B',
            _ => '?',
        })
        .collect()
}

fn numbers(packets: &[Packet]) -> Vec<u64> {
    assert!(packets.iter().all(|packet| packet.duration == 40));
    let indices: Vec<_> = packets.iter().map(|packet| packet.coding_index).collect();
    assert_eq!(indices, (0..packets.len() as u32).collect::<Vec<_>>());
    packets.iter().map(|packet| packet.timestamp / 40).collect()
}

#[test]
fn h264_without_b_frames() {
    one_after_another("coded::h264_without_b_frames", Plan::new(H264));
}

#[test]
fn hevc_without_b_frames() {
    one_after_another("coded::hevc_without_b_frames", Plan::new(HEVC));
}

#[test]
fn hevc_of_10_bits() {
    one_after_another(
        "coded::hevc_of_10_bits",
        Plan {
            ten_bit: true,
            ..Plan::new(HEVC)
        },
    );
}

#[test]
fn av1_of_8_bits() {
    one_after_another("coded::av1_of_8_bits", Plan::new(AV1));
}

#[test]
fn av1_of_10_bits() {
    one_after_another(
        "coded::av1_of_10_bits",
        Plan {
            ten_bit: true,
            ..Plan::new(AV1)
        },
    );
}

/// Each picture is there at once; IDRs come where they are forced and where the GOP ends.
fn one_after_another(test: &str, plan: Plan) {
    let plan = Plan { gop: 10, ..plan };
    let broken = run(test, &[], |driver| {
        let mut encoder = Encoder::open(driver, plan);
        let packets = encode(&mut encoder, 18, &[5]);
        encoder.close();
        assert_eq!(numbers(&packets), (0..18).collect::<Vec<_>>());
        assert_eq!(kinds(&packets), "IPPPPIPPPPPPPPPIPP");
        let path = write(plan, &packets);
        check_pictures(plan, &path, 18);
        let read = probe(
            &path,
            "stream=pix_fmt,color_range,color_space,color_transfer,color_primaries",
        );
        let format = if plan.ten_bit { "yuv420p10le" } else { "yuv420p" };
        assert_eq!(read, format!("{format},tv,bt709,bt709,bt709"));
    });
    crate::nothing_broken(broken);
}

#[test]
fn h264_with_b_frames() {
    reordered(
        "coded::h264_with_b_frames",
        Plan {
            bframes: 2,
            ..Plan::new(H264)
        },
    );
}

#[test]
fn hevc_with_b_frames() {
    reordered(
        "coded::hevc_with_b_frames",
        Plan {
            bframes: 2,
            ..Plan::new(HEVC)
        },
    );
}

/// Groups of a P and its B come at once when the P is there; none reaches over a forced IDR.
fn reordered(test: &str, plan: Plan) {
    let broken = run(test, &[], |driver| {
        let mut encoder = Encoder::open(driver, plan);
        let packets = encode(&mut encoder, 12, &[8]);
        encoder.close();
        assert_eq!(numbers(&packets), [0, 3, 1, 2, 6, 4, 5, 7, 8, 11, 9, 10]);
        assert_eq!(kinds(&packets), "IPBBPBBPIPBB");
        let path = write(plan, &packets);
        check_pictures(plan, &path, 12);
        assert_eq!(probe(&path, "stream=has_b_frames"), "1");
    });
    crate::nothing_broken(broken);
}

#[test]
fn long_groups_of_b_frames_do_not_drift() {
    let broken = run("coded::long_groups_of_b_frames_do_not_drift", &[], |driver| {
        for codec in [H264, HEVC] {
            let plan = Plan {
                bframes: 4,
                gop: 23,
                ..Plan::new(codec)
            };
            let mut encoder = Encoder::open(driver, plan);
            let packets = encode(&mut encoder, 60, &[31, 32]);
            encoder.close();
            check_pictures(plan, &write(plan, &packets), 60);
            let keys: Vec<_> = packets
                .iter()
                .filter(|packet| packet.kind == NV_ENC_PIC_TYPE_IDR)
                .map(|packet| packet.timestamp / 40)
                .collect();
            assert_eq!(keys, [0, 23, 31, 32, 55]);
        }
    });
    crate::nothing_broken(broken);
}

#[test]
fn sizes_need_not_be_whole_blocks() {
    let broken = run("coded::sizes_need_not_be_whole_blocks", &[], |driver| {
        for (codec, bframes) in [(H264, 1), (HEVC, 2), (AV1, 0)] {
            let plan = Plan {
                width: 426,
                height: 242,
                bframes,
                ..Plan::new(codec)
            };
            let mut encoder = Encoder::open(driver, plan);
            let packets = encode(&mut encoder, 5, &[3]);
            encoder.close();
            let path = write(plan, &packets);
            check_pictures(plan, &path, 5);
            assert_eq!(probe(&path, "stream=width,height"), "426,242");
        }
    });
    crate::nothing_broken(broken);
}

#[test]
fn av1_with_b_frames() {
    let plan = Plan {
        bframes: 2,
        ..Plan::new(AV1)
    };
    let broken = run("coded::av1_with_b_frames", &[], |driver| {
        let mut encoder = Encoder::open(driver, plan);
        let packets = encode(&mut encoder, 8, &[5]);
        encoder.close();
        assert_eq!(numbers(&packets), (0..8).collect::<Vec<_>>());
        assert_eq!(kinds(&packets), "IBBPPIBP");
        check_pictures(plan, &write(plan, &packets), 8);
    });
    crate::nothing_broken(broken);
}

#[test]
fn lookahead_holds_pictures_back() {
    let plan = Plan {
        bframes: 1,
        lookahead: 4,
        ..Plan::new(H264)
    };
    let broken = run("coded::lookahead_holds_pictures_back", &[], |driver| {
        let mut encoder = Encoder::open(driver, plan);
        let (mut statuses, mut packets) = (Vec::new(), Vec::new());
        for _ in 0..9 {
            let (status, some) = encoder.try_encode(0, &mut []);
            statuses.push(status as u32);
            packets.extend(some);
        }
        assert_eq!(statuses, [17, 17, 17, 17, 0, 17, 0, 17, 0]);
        assert_eq!(numbers(&packets), [0, 2, 1, 4, 3]);
        packets.extend(encoder.flush());
        encoder.close();
        assert_eq!(numbers(&packets), [0, 2, 1, 4, 3, 6, 5, 8, 7]);
        check_pictures(plan, &write(plan, &packets), 9);
    });
    crate::nothing_broken(broken);
}

#[test]
fn the_end_of_a_stream_may_be_followed_by_more() {
    let plan = Plan {
        bframes: 3,
        ..Plan::new(HEVC)
    };
    let broken = run("coded::the_end_of_a_stream_may_be_followed_by_more", &[], |driver| {
        let mut encoder = Encoder::open(driver, plan);
        let mut packets = Vec::new();
        for _ in 0..6 {
            packets.extend(encoder.encode(0, &mut []));
        }
        packets.extend(encoder.flush());
        assert_eq!(packets.len(), 6);
        packets.extend(encoder.encode(FORCE_IDR, &mut []));
        assert_eq!(packets.len(), 7);
        packets.extend(encoder.encode(0, &mut []));
        packets.extend(encoder.flush());
        encoder.close();
        assert_eq!(numbers(&packets), [0, 4, 1, 2, 3, 5, 6, 7]);
        assert_eq!(kinds(&packets), "IPBBBPIP");
        check_pictures(plan, &write(plan, &packets), 8);
    });
    crate::nothing_broken(broken);
}

#[test]
fn messages_and_headers_stand_before_their_pictures() {
    let broken = run(
        "coded::messages_and_headers_stand_before_their_pictures",
        &[],
        |driver| {
            for (codec, kind, header) in [(H264, 5, 7), (HEVC, 5, 33), (AV1, 4, 1)] {
                let plan = Plan::new(codec);
                let mut encoder = Encoder::open_with(driver, plan, |_, config| {
                    // SAFETY: plain numbers.
                    unsafe {
                        if codec == H264 {
                            config.encodeCodecConfig.h264Config.set_repeatSPSPPS(0);
                        }
                    }
                });
                let headers = encoder.headers();
                let mut bytes = *b"0123456789abcdef reelmill \0\0\0\x01 reelmill";
                let mut payloads = [NV_ENC_SEI_PAYLOAD {
                    payloadSize: bytes.len() as u32,
                    payloadType: kind,
                    payload: bytes.as_mut_ptr(),
                }];
                let with = encoder.encode(FORCE_IDR | OUTPUT_HEADERS, &mut payloads);
                let without = encoder.encode(0, &mut []);
                encoder.flush();
                encoder.close();
                let found = |packet: &Packet| kinds_of_units(codec, &packet.bytes).contains(&header);
                assert!(found(&with[0]) && !found(&without[0]));
                assert!(with[0].bytes.windows(headers.len()).any(|some| some == headers));
                assert!(with[0].bytes.windows(9).any(|some| some == b"reelmill "));
                let path = write(plan, &with);
                assert_eq!(probe(&path, "stream=width,height"), "192,128");
            }
        },
    );
    crate::nothing_broken(broken);
}

#[test]
fn headers_can_be_left_out_and_units_delimited() {
    let broken = run("coded::headers_can_be_left_out_and_units_delimited", &[], |driver| {
        for (codec, header, delimiter) in [(H264, 7, 9), (HEVC, 33, 35)] {
            let mut encoder = Encoder::open_with(driver, Plan::new(codec), |_, config| {
                let own = &mut config.encodeCodecConfig;
                // SAFETY: plain numbers, whichever codec's they are.
                unsafe {
                    if codec == H264 {
                        own.h264Config.set_repeatSPSPPS(0);
                        own.h264Config.set_disableSPSPPS(1);
                        own.h264Config.set_outputAUD(1);
                    } else {
                        own.hevcConfig.set_repeatSPSPPS(0);
                        own.hevcConfig.set_disableSPSPPS(1);
                        own.hevcConfig.set_outputAUD(1);
                    }
                }
            });
            assert!(kinds_of_units(codec, &encoder.headers()).contains(&header));
            let bare = encoder.encode(FORCE_IDR, &mut []);
            let asked = encoder.encode(FORCE_IDR | OUTPUT_HEADERS, &mut []);
            encoder.flush();
            encoder.close();
            let (bare, asked) = (&bare[0].bytes, &asked[0].bytes);
            assert_eq!(kinds_of_units(codec, bare)[0], delimiter);
            assert!(!kinds_of_units(codec, bare).contains(&header));
            assert!(kinds_of_units(codec, asked).contains(&header));
        }
    });
    crate::nothing_broken(broken);
}

fn kinds_of_units(codec: sys::GUID, bytes: &[u8]) -> Vec<u8> {
    if codec == AV1 {
        return av1_kinds(bytes);
    }
    let starts = (0..bytes.len().saturating_sub(3)).filter(|at| bytes[*at..at + 3] == [0, 0, 1]);
    starts
        .map(|at| {
            if codec == H264 {
                bytes[at + 3] & 31
            } else {
                bytes[at + 3] >> 1 & 63
            }
        })
        .collect()
}

fn av1_kinds(bytes: &[u8]) -> Vec<u8> {
    let (mut at, mut kinds) = (0, Vec::new());
    while at < bytes.len() {
        kinds.push(bytes[at] >> 3 & 15);
        assert_eq!(bytes[at] & 6, 2, "a size and no extension");
        let (mut size, mut shift) = (0, 0);
        loop {
            at += 1;
            size |= usize::from(bytes[at] & 127) << shift;
            shift += 7;
            if bytes[at] & 128 == 0 {
                break;
            }
        }
        at += 1 + size;
    }
    assert_eq!(at, bytes.len());
    kinds
}

#[test]
fn av1_units_begin_with_a_delimiter() {
    let broken = run("coded::av1_units_begin_with_a_delimiter", &[], |driver| {
        let mut encoder = Encoder::open(driver, Plan::new(AV1));
        let packets = encode(&mut encoder, 3, &[]);
        encoder.close();
        let kinds: Vec<_> = packets.iter().map(|packet| av1_kinds(&packet.bytes)).collect();
        assert_eq!(kinds[0][..2], [2, 1]);
        assert!(kinds[1..].iter().all(|kinds| kinds[0] == 2 && !kinds.contains(&1)));
    });
    crate::nothing_broken(broken);
}

#[test]
fn a_session_can_be_reconfigured() {
    let broken = run("coded::a_session_can_be_reconfigured", &[], |driver| {
        let plan = Plan::new(H264);
        let mut encoder = Encoder::open_with(driver, plan, |params, _| {
            (params.maxEncodeWidth, params.maxEncodeHeight) = (192, 128);
        });
        let mut packets = encoder.encode(0, &mut []);
        let mut config = sys::NV_ENC_CONFIG::default();
        let mut params = plan.params(encoder.driver, encoder.session, &mut config);
        config.rcParams.averageBitRate = 300_000;
        params.encodeConfig = &mut config;
        (params.maxEncodeWidth, params.maxEncodeHeight) = (192, 128);
        let mut reconfigure = sys::NV_ENC_RECONFIGURE_PARAMS {
            version: sys::NV_ENC_RECONFIGURE_PARAMS_VER,
            reInitEncodeParams: params,
            ..Default::default()
        };
        reconfigure.set_forceIDR(1);
        let status = crate::call!(
            encoder.driver,
            nvEncReconfigureEncoder,
            encoder.session,
            &mut reconfigure
        );
        assert_eq!(status, NVENCSTATUS::NV_ENC_SUCCESS);
        packets.extend(encoder.encode(0, &mut []));
        packets.extend(encoder.flush());
        encoder.close();
        assert_eq!(kinds(&packets), "II");
        check_pictures(plan, &write(plan, &packets), 2);
    });
    crate::nothing_broken(broken);
}
