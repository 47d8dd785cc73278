//! `cuvidGetDecoderCaps`.

use crate::cuda::code::Code;
use crate::cuda::code::INVALID_VALUE;
use crate::cuda::code::answer;
use crate::cuda::code::refuse;
use crate::cuda::context;
use crate::cuvid::codec::Codec;
use nvidia_video_codec_sdk::sys::cuviddec::CUVIDDECODECAPS;

/// `cudaVideoChromaFormat_420`.
pub const CHROMA_420: u32 = 1;
/// Surfaces of 8 bits, and of 16.
const NV12: u16 = 1;
const P016: u16 = 2;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuvidGetDecoderCaps(caps: *mut CUVIDDECODECAPS) -> Code {
    let call = "cuvidGetDecoderCaps";
    answer(context::current(call).and_then(|_| {
        if caps.is_null() {
            return refuse(call, INVALID_VALUE, "a null pointer");
        }
        // SAFETY: as this function's. Its enumerations are read as numbers: a caller may have put anything there.
        let (number, chroma, depth, reserved) = unsafe {
            (
                (&raw const (*caps).eCodecType).cast::<u32>().read(),
                (&raw const (*caps).eChromaFormat).cast::<u32>().read(),
                (*caps).nBitDepthMinus8.saturating_add(8),
                (*caps).reserved1,
            )
        };
        if reserved != [0; 3] {
            return refuse(call, INVALID_VALUE, "reserved fields are not 0");
        }
        let codec = Codec::numbered(number).filter(|codec| chroma == CHROMA_420 && codec.is_taken(depth));
        // SAFETY: as this function's.
        let caps = unsafe { &mut *caps };
        caps.bIsSupported = u8::from(codec.is_some());
        caps.nNumNVDECs = u8::from(codec.is_some());
        caps.nOutputFormatMask = match codec {
            None => 0,
            Some(_) if depth == 8 => NV12,
            Some(_) => NV12 | P016,
        };
        let [least, most] = codec.map_or([(0, 0); 2], |codec| codec.sizes);
        (caps.nMinWidth, caps.nMinHeight) = (least.0 as u16, least.1 as u16);
        (caps.nMaxWidth, caps.nMaxHeight) = most;
        caps.nMaxMBCount = codec.map_or(0, |codec| codec.max_blocks);
        (
            caps.bIsHistogramSupported,
            caps.nCounterBitDepth,
            caps.nMaxHistogramBins,
        ) = (0, 0, 0);
        Ok(())
    }))
}
