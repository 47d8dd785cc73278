//! Files from the wild: every one that is supported decodes to what libavcodec makes of it.

use crate::collection::media;
use crate::decoding::Film;
use crate::decoding::Picture;
use crate::decoding::device_decoder;
use crate::decoding::gpu;
use crate::decoding::in_software;
use crate::decoding::on_device as decode_on_device;
use crate::driver::on_device;
use reelmill::media::av::Packet;
use reelmill::media::cuda::capabilities;
use reelmill::media::pass::gpu::decoder::GpuDecoder;

/// Packets of the longer ones.
const MOST: usize = 30;

fn both(name: &str) -> Option<(Vec<Picture>, Vec<Picture>)> {
    let mut film = Film::open(&media(name)?);
    let packets: Vec<Packet> = std::iter::from_fn(|| film.next()).take(MOST).collect();
    let device = capabilities::of(&gpu());
    assert_eq!(
        GpuDecoder::supports(&film.parameters, false, false, &device),
        Ok(()),
        "{name}"
    );
    let software = in_software(&film, &packets);
    let pictures = decode_on_device(&mut device_decoder(&film), &packets).expect("decoded");
    Some((pictures, software))
}

#[test]
fn good_files_are_the_same_picture_by_picture() {
    on_device("real_files::good_files_are_the_same_picture_by_picture", &[], || {
        for name in [
            "ax_hdr10-av1.mp4",
            "ax_hlg10-color-test.mp4",
            "ax_sample.avi",
            "ax_sample_fragmented.mp4",
            "ax_sample_h265.ts",
            "ax_sample_shorter_audio.mp4",
            "ax_sample_with_srt.mkv",
            "bbb_480p_30s.mp4",
            "fate_hdr10tags-both.mkv",
            "tc_av1_video.mkv",
            "tc_bt709_full_range.mp4",
            "tc_h265_10bits.mp4",
            "tc_nasa_13013.mp4",
        ] {
            let Some((device, software)) = both(name) else { continue };
            assert_eq!(device.len(), software.len(), "{name}");
            for (number, (device, software)) in device.iter().zip(&software).enumerate() {
                assert_eq!(device, software, "{name}, picture {number}");
            }
        }
    });
}

#[test]
fn odd_files_show_as_many_pictures_at_the_same_times() {
    on_device(
        "real_files::odd_files_show_as_many_pictures_at_the_same_times",
        &[],
        || {
            for name in [
                "ax_bbb_2500ms.ts",
                "ax_sample_with_invalid_nalu.mp4",
                "fate_direct-bff.mkv",
                // Fields and frames by turns, which the stand-in gives to libavcodec field by field.
                "fate_interlaced_crop.mp4",
                "fate_displaymatrix.mp4",
                "fate_frame_size_change.mp4",
                "fate_mpeg2_field_encoding.mp4",
                "fate_vc1-wmapro.mp4",
                "moz_no_timescale.mp4",
            ] {
                let Some((device, software)) = both(name) else { continue };
                let times =
                    |pictures: &[Picture]| pictures.iter().filter_map(|picture| picture.pts).collect::<Vec<_>>();
                let (device, software) = (times(&device), times(&software));
                let missing = software.iter().filter(|time| !device.contains(time)).count();
                assert!(
                    missing * 20 <= software.len(),
                    "{name}: {missing} of {} are missing",
                    software.len()
                );
                assert!(device.is_sorted() || !software.is_sorted(), "{name}: {device:?}");
            }
        },
    );
}
