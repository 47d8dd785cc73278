//! What goes wrong on the way: damaged data, refusals of the driver, devices that are lost or cannot.

use crate::clips::clip;
use crate::decoding::Film;
use crate::decoding::assert_same;
use crate::decoding::device_decoder;
use crate::decoding::gpu;
use crate::decoding::in_software;
use crate::decoding::on_device as decode_on_device;
use crate::driver::on_device;
use reelmill::media::av::DeviceTrouble;
use reelmill::media::av::Packet;
use reelmill::media::cuda::capabilities;
use reelmill::media::limits::Limits;
use reelmill::media::pass::gpu::decoder::GpuDecoder;

const SMALL: &str = "size=176x144:rate=25:duration=2";
const H264: &str = "-c:v libx264 -preset veryfast -bf 2 -g 10 -pix_fmt yuv420p";

fn film(arguments: &str) -> (tempfile::TempDir, Film, Vec<Packet>) {
    let room = tempfile::tempdir().expect("a temporary directory");
    let path = clip(room.path(), "a.mkv", SMALL, arguments);
    let mut film = Film::open(&path);
    let packets = film.packets();
    (room, film, packets)
}

#[test]
fn a_damaged_picture_is_counted_and_marked() {
    on_device(
        "faults::a_damaged_picture_is_counted_and_marked",
        &[("DECODE_ERROR_AT", "7,12")],
        || {
            let (_room, film, packets) = film(H264);
            let mut decoder = device_decoder(&film);
            let pictures = decode_on_device(&mut decoder, &packets).expect("decoded");
            assert_eq!(pictures.iter().filter(|picture| picture.is_damaged).count(), 2);
            assert_eq!(
                (pictures.len(), decoder.damaged_frames(), decoder.rebuilds()),
                (50, 2, 0)
            );
        },
    );
}

#[test]
fn a_parser_that_fails_is_rebuilt_at_the_next_key_frame() {
    on_device(
        "faults::a_parser_that_fails_is_rebuilt_at_the_next_key_frame",
        &[("PARSE_ERROR_AT", "14")],
        || {
            let (_room, film, packets) = film(H264);
            let software = in_software(&film, &packets);
            let mut decoder = device_decoder(&film);
            let pictures = decode_on_device(&mut decoder, &packets).expect("decoded");
            assert_eq!(decoder.rebuilds(), 1);
            assert!(
                (1..=12).contains(&decoder.refused_packets()),
                "{}",
                decoder.refused_packets()
            );
            assert!((36..50).contains(&pictures.len()), "{}", pictures.len());
            // From the key frame on all is as it should be.
            let tail = &pictures[pictures.len() - 30..];
            assert_same(tail, &software[20..]);
            let times: Vec<_> = pictures.iter().map(|picture| picture.pts).collect();
            assert!(times.is_sorted(), "{times:?}");
        },
    );
}

#[test]
fn a_parser_that_fails_again_and_again_leaves_it_to_others() {
    let all: Vec<String> = (1..=60).map(|number| number.to_string()).collect();
    on_device(
        "faults::a_parser_that_fails_again_and_again_leaves_it_to_others",
        &[("PARSE_ERROR_AT", &all.join(","))],
        || {
            let (_room, film, packets) = film("-c:v libx264 -preset veryfast -g 2 -pix_fmt yuv420p");
            let mut decoder = device_decoder(&film);
            let refusal = decode_on_device(&mut decoder, &packets).expect_err("given up");
            assert_eq!(refusal.device_trouble(), Some(DeviceTrouble::Refused), "{refusal}");
        },
    );
}

#[test]
fn a_lost_device_is_said_at_once() {
    on_device("faults::a_lost_device_is_said_at_once", &[("LOST_AT", "9")], || {
        let (_room, film, packets) = film(H264);
        let mut decoder = device_decoder(&film);
        let refusal = decode_on_device(&mut decoder, &packets).expect_err("lost");
        assert_eq!(refusal.device_trouble(), Some(DeviceTrouble::Lost), "{refusal}");
    });
}

#[test]
fn what_the_device_does_not_decode_is_said_before_and_when_it_comes() {
    on_device(
        "faults::what_the_device_does_not_decode_is_said_before_and_when_it_comes",
        &[("CODECS", "h264")],
        || {
            let (_room, hevc, packets) = film("-c:v libx265 -preset ultrafast -x265-params log-level=none");
            let device = capabilities::of(&gpu());
            let why = GpuDecoder::supports(&hevc.parameters, false, false, &device).expect_err("not decoded");
            assert!(why.contains("hevc"), "{why}");
            let opened = GpuDecoder::open(&gpu(), &hevc.parameters, hevc.unit, &Limits::default());
            let refusal = opened.and_then(|mut decoder| decode_on_device(&mut decoder, &packets));
            let trouble = refusal.expect_err("not decoded").device_trouble();
            assert_eq!(trouble, Some(DeviceTrouble::Absent));
            let (_room, h264, _) = film(H264);
            assert_eq!(GpuDecoder::supports(&h264.parameters, false, false, &device), Ok(()));
            assert!(GpuDecoder::supports(&h264.parameters, true, false, &device).is_err());
        },
    );
}

#[test]
fn pictures_that_no_surface_holds_are_refused_when_they_come() {
    on_device(
        "faults::pictures_that_no_surface_holds_are_refused_when_they_come",
        &[],
        || {
            let (_room, film, packets) = film("-c:v libx264 -preset ultrafast -pix_fmt yuv422p");
            let mut decoder = device_decoder(&film);
            let refusal = decode_on_device(&mut decoder, &packets).expect_err("4:2:2");
            assert_eq!(refusal.device_trouble(), Some(DeviceTrouble::Absent), "{refusal}");
            assert!(refusal.to_string().contains("4:2:0"), "{refusal}");
        },
    );
}

#[test]
fn broken_packets_cost_no_more_than_their_gop() {
    on_device("faults::broken_packets_cost_no_more_than_their_gop", &[], || {
        for arguments in [
            H264,
            "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=10:min-keyint=10:open-gop=0 -pix_fmt yuv420p",
            "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 10 -b:v 300k -pix_fmt yuv420p",
            "-c:v mpeg2video -g 10 -q:v 4",
        ] {
            let (_room, film, packets) = film(arguments);
            let software = in_software(&film, &packets);
            let mut broken = Vec::new();
            for (number, packet) in packets.iter().enumerate() {
                broken.push(if (14..17).contains(&number) {
                    mangled(packet)
                } else {
                    packet.share().expect("shared")
                });
            }
            let mut decoder = device_decoder(&film);
            let pictures = decode_on_device(&mut decoder, &broken).expect("decoded");
            assert!(pictures.len() >= 35, "{arguments}: {} pictures", pictures.len());
            let tail = &pictures[pictures.len() - 20..];
            assert_same(tail, &software[software.len() - 20..]);
        }
    });
}

/// The same packet with noise in place of most of its data.
fn mangled(packet: &Packet) -> Packet {
    let mut bytes = packet.data().to_vec();
    let mut noise = 0x2545_f491_u32;
    for byte in bytes.iter_mut().skip(9) {
        noise ^= noise << 13;
        noise ^= noise >> 17;
        noise ^= noise << 5;
        *byte = noise as u8;
    }
    let mut broken = Packet::of_bytes(&bytes).expect("a packet");
    broken.set_times(packet.pts(), packet.dts(), packet.duration());
    broken
}

#[test]
fn a_stream_of_noise_ends_as_a_refusal_and_not_as_an_empty_film() {
    on_device(
        "faults::a_stream_of_noise_ends_as_a_refusal_and_not_as_an_empty_film",
        &[],
        || {
            let (_room, film, packets) = film("-c:v mpeg2video -g 10 -q:v 4");
            let noise: Vec<Packet> = packets
                .iter()
                .map(|packet| Packet::of_bytes(&vec![0x55; packet.size_bytes()]).expect("a packet"))
                .collect();
            let mut decoder = device_decoder(&film);
            let ended = decode_on_device(&mut decoder, &noise);
            assert!(ended.is_err_and(|refusal| refusal.is_device()));
        },
    );
}
