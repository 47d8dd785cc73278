//! What the decoders of a device take: codec, chroma and depth, each asked of the driver.
//!
//! Guarantees: nothing is listed that the driver did not say yes to, and that it cannot write as a surface of this
//! program's where there is one for it (4:2:0 of 8 bits as NV12, of more as P016). Deliberately absent: decoding.

use crate::media::cuda::error::CudaError;
use crate::media::cuda::gpu::Gpu;
use crate::media::cuda::library;
use crate::media::device_report::DecodeAbility;
use nvidia_video_codec_sdk::sys::cuviddec::CUVIDDECODECAPS;
use nvidia_video_codec_sdk::sys::cuviddec::cudaVideoChromaFormat;
use nvidia_video_codec_sdk::sys::cuviddec::cudaVideoCodec;
use nvidia_video_codec_sdk::sys::cuviddec::cudaVideoSurfaceFormat;
use std::ffi::c_int;

/// The codecs, each with a probe's name, and whether there are streams of more than 8 bits.
const CODECS: [(cudaVideoCodec, &str, bool); 10] = [
    (cudaVideoCodec::cudaVideoCodec_H264, "h264", true),
    (cudaVideoCodec::cudaVideoCodec_HEVC, "hevc", true),
    (cudaVideoCodec::cudaVideoCodec_AV1, "av1", true),
    (cudaVideoCodec::cudaVideoCodec_VP9, "vp9", true),
    (cudaVideoCodec::cudaVideoCodec_VP8, "vp8", false),
    (cudaVideoCodec::cudaVideoCodec_MPEG2, "mpeg2video", false),
    (cudaVideoCodec::cudaVideoCodec_MPEG1, "mpeg1video", false),
    (cudaVideoCodec::cudaVideoCodec_MPEG4, "mpeg4", false),
    (cudaVideoCodec::cudaVideoCodec_VC1, "vc1", false),
    (cudaVideoCodec::cudaVideoCodec_JPEG, "mjpeg", false),
];
const CHROMAS: [(cudaVideoChromaFormat, &str); 4] = [
    (cudaVideoChromaFormat::cudaVideoChromaFormat_420, "4:2:0"),
    (cudaVideoChromaFormat::cudaVideoChromaFormat_422, "4:2:2"),
    (cudaVideoChromaFormat::cudaVideoChromaFormat_444, "4:4:4"),
    (cudaVideoChromaFormat::cudaVideoChromaFormat_Monochrome, "4:0:0"),
];
const DEPTHS: [u32; 3] = [8, 10, 12];
/// What drivers answer to a combination that they have never heard of: invalid value, not supported.
const NEVER_HEARD: [c_int; 2] = [1, 801];

type GetDecoderCaps = unsafe extern "C" fn(*mut CUVIDDECODECAPS) -> c_int;

/// All that the decoders of the device take.
///
/// # Errors
/// The decoder's library is not there, or the device does not answer.
pub fn abilities(gpu: &Gpu) -> Result<Vec<DecodeAbility>, CudaError> {
    let library = library::cuvid()?;
    // SAFETY: the type is that of the decoder API; the library is never closed.
    let ask = *unsafe { library.get::<GetDecoderCaps>(b"cuvidGetDecoderCaps") }.map_err(|_| {
        CudaError::absent(
            "cuvidGetDecoderCaps",
            "the installed driver does not have this function",
        )
    })?;
    gpu.enter()?;
    let mut found = Vec::new();
    for (codec, name, is_deep) in CODECS {
        for (chroma, chroma_name) in CHROMAS {
            for bit_depth in DEPTHS.into_iter().filter(|depth| is_deep || *depth == 8) {
                let mut caps = question(codec, chroma, bit_depth);
                // SAFETY: the context is current, and the structure is whole and ours.
                match unsafe { ask(&mut caps) } {
                    0 => found.extend(ability(&caps, name, chroma_name, bit_depth)),
                    code if NEVER_HEARD.contains(&code) => {}
                    code => {
                        return Err(CudaError::cuda(
                            "cuvidGetDecoderCaps",
                            code,
                            "the decoder does not answer",
                        ));
                    }
                }
            }
        }
    }
    Ok(found)
}

fn question(codec: cudaVideoCodec, chroma: cudaVideoChromaFormat, bit_depth: u32) -> CUVIDDECODECAPS {
    CUVIDDECODECAPS {
        eCodecType: codec,
        eChromaFormat: chroma,
        nBitDepthMinus8: bit_depth - 8,
        reserved1: [0; 3],
        bIsSupported: 0,
        nNumNVDECs: 0,
        nOutputFormatMask: 0,
        nMaxWidth: 0,
        nMaxHeight: 0,
        nMaxMBCount: 0,
        nMinWidth: 0,
        nMinHeight: 0,
        bIsHistogramSupported: 0,
        nCounterBitDepth: 0,
        nMaxHistogramBins: 0,
        reserved3: [0; 10],
    }
}

fn ability(caps: &CUVIDDECODECAPS, codec: &str, chroma: &str, bit_depth: u32) -> Option<DecodeAbility> {
    let wanted = match bit_depth {
        8 => cudaVideoSurfaceFormat::cudaVideoSurfaceFormat_NV12,
        _ => cudaVideoSurfaceFormat::cudaVideoSurfaceFormat_P016,
    };
    // Drivers before 9.0 of the API leave the mask empty.
    let mask = u32::from(caps.nOutputFormatMask);
    let is_written = chroma != "4:2:0" || mask == 0 || mask & (1 << wanted as u32) != 0;
    (caps.bIsSupported != 0 && is_written).then(|| DecodeAbility {
        codec: codec.to_owned(),
        chroma: chroma.to_owned(),
        bit_depth,
        min_width: u32::from(caps.nMinWidth),
        min_height: u32::from(caps.nMinHeight),
        max_width: caps.nMaxWidth,
        max_height: caps.nMaxHeight,
        max_macroblocks: caps.nMaxMBCount,
        // Older drivers do not count.
        engines: u32::from(caps.nNumNVDECs).max(1),
    })
}

#[cfg(test)]
mod tests {
    use super::ability;
    use super::question;
    use nvidia_video_codec_sdk::sys::cuviddec::cudaVideoChromaFormat;
    use nvidia_video_codec_sdk::sys::cuviddec::cudaVideoCodec;

    #[test]
    fn only_what_can_be_written_to_a_surface_is_listed() {
        let mut caps = question(
            cudaVideoCodec::cudaVideoCodec_HEVC,
            cudaVideoChromaFormat::cudaVideoChromaFormat_420,
            10,
        );
        assert_eq!(caps.nBitDepthMinus8, 2);
        assert_eq!(ability(&caps, "hevc", "4:2:0", 10), None, "not supported");
        caps.bIsSupported = 1;
        caps.nOutputFormatMask = 0b01;
        assert_eq!(ability(&caps, "hevc", "4:2:0", 10), None, "as 8 bits only");
        caps.nOutputFormatMask = 0b11;
        (caps.nMaxWidth, caps.nMaxHeight, caps.nMaxMBCount) = (8192, 8192, 262_144);
        let found = ability(&caps, "hevc", "4:2:0", 10).expect("supported");
        assert_eq!(
            (found.max_width, found.max_macroblocks, found.engines),
            (8192, 262_144, 1)
        );
    }
}
