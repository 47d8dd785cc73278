//! A decoder of the device: its surfaces, and the way of a picture out of them.
//!
//! Guarantees: what is mapped is unmapped, whatever happens in between; nothing is read from a picture before it is
//! mapped or asked for after it is unmapped: the copy is queued on the stream on which the decoder writes the next one.
//! Deliberately absent: which pictures, and when.

use crate::media::cuda::error::CudaError;
use crate::media::cuda::gpu::Gpu;
use crate::media::cuda::nvdec::api;
use crate::media::cuda::nvdec::api::Api;
use crate::media::cuda::nvdec::codec::Codec;
use crate::media::cuda::nvdec::sequence::Change;
use crate::media::cuda::nvdec::sequence::Sequence;
use crate::media::cuda::surface::Layout;
use crate::media::cuda::surface::Surface;
use nvidia_video_codec_sdk::sys::cuviddec as dec;
use nvidia_video_codec_sdk::sys::nvcuvid::CUVIDPARSERDISPINFO;
use std::ptr::addr_of;
use std::sync::Arc;

/// One mapped at a time; the second gives the driver room to write the next one.
const OUTPUT_SURFACES: u64 = 2;
const DAMAGED: u32 = 8;
const DAMAGED_CONCEALED: u32 = 9;

/// What the decoder says of a picture it is done with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    /// Good, or not said: only H.264, HEVC and JPEG are told.
    Good,
    /// Errors were found and concealed.
    Concealed,
    /// Errors were found and left.
    Lost,
}

/// A decoder.
#[derive(Debug)]
pub(super) struct Decoder {
    api: &'static Api,
    gpu: Arc<Gpu>,
    raw: dec::CUvideodecoder,
    made_for: Sequence,
    room: (u32, u32),
    surfaces: u32,
}

// SAFETY: the decoder belongs to this value alone and is not bound to a thread: whichever calls it has made the context
// current.
unsafe impl Send for Decoder {}

impl Decoder {
    /// One for a sequence.
    ///
    /// # Errors
    /// `Absent` when the device does not decode such, in one sentence.
    pub(super) fn create(gpu: &Arc<Gpu>, codec: Codec, sequence: &Sequence) -> Result<Self, CudaError> {
        let api = Api::get()?;
        look_up_abilities(api, gpu, codec, sequence)?;
        let surfaces = sequence.surfaces();
        let even = |edge: u32| edge.next_multiple_of(2);
        let room = (even(sequence.largest.0), even(sequence.largest.1));
        let (width, height) = sequence.target();
        let area = area_of(sequence);
        // SAFETY: zeros are values of all of its fields.
        let mut info: dec::CUVIDDECODECREATEINFO = unsafe { std::mem::zeroed() };
        info.ulWidth = u64::from(even(sequence.coded.0));
        info.ulHeight = u64::from(even(sequence.coded.1));
        info.ulMaxWidth = u64::from(room.0);
        info.ulMaxHeight = u64::from(room.1);
        info.ulNumDecodeSurfaces = u64::from(surfaces);
        info.CodecType = codec.number();
        info.ChromaFormat = dec::cudaVideoChromaFormat_enum::cudaVideoChromaFormat_420;
        info.ulCreationFlags = dec::cudaVideoCreateFlags_enum::cudaVideoCreate_PreferCUVID as u64;
        info.bitDepthMinus8 = u64::from(sequence.bit_depth - 8);
        info.display_area.left = area[0];
        info.display_area.top = area[1];
        info.display_area.right = area[2];
        info.display_area.bottom = area[3];
        info.OutputFormat = output_format(sequence.layout());
        info.DeinterlaceMode = dec::cudaVideoDeinterlaceMode_enum::cudaVideoDeinterlaceMode_Weave;
        info.ulTargetWidth = u64::from(width);
        info.ulTargetHeight = u64::from(height);
        info.ulNumOutputSurfaces = OUTPUT_SURFACES;
        let mut raw = std::ptr::null_mut();
        // SAFETY: the context is current, all of `info` is set, and the answer is ours to write to.
        let answer = unsafe { (api.create_decoder)(&mut raw, &mut info) };
        api::check(gpu, "cuvidCreateDecoder", answer)?;
        Ok(Decoder {
            api,
            gpu: Arc::clone(gpu),
            raw,
            made_for: sequence.clone(),
            room,
            surfaces,
        })
    }

    /// What a sequence asks of it.
    pub(super) fn change_to(&self, sequence: &Sequence) -> Change {
        sequence.change_from(&self.made_for, self.room, self.surfaces)
    }

    /// Takes pictures of another size from now on; to be called while the parser tells of the sequence.
    pub(super) fn resize(&mut self, sequence: &Sequence) -> Result<(), CudaError> {
        let (width, height) = sequence.target();
        let area = area_of(sequence);
        // SAFETY: zeros are values of all of its fields.
        let mut info: dec::CUVIDRECONFIGUREDECODERINFO = unsafe { std::mem::zeroed() };
        info.ulWidth = sequence.coded.0.next_multiple_of(2);
        info.ulHeight = sequence.coded.1.next_multiple_of(2);
        info.ulTargetWidth = width;
        info.ulTargetHeight = height;
        info.ulNumDecodeSurfaces = self.surfaces;
        info.display_area.left = area[0];
        info.display_area.top = area[1];
        info.display_area.right = area[2];
        info.display_area.bottom = area[3];
        // SAFETY: a live decoder, and a context that is current.
        let answer = unsafe { (self.api.reconfigure)(self.raw, &mut info) };
        api::check(&self.gpu, "cuvidReconfigureDecoder", answer)?;
        self.made_for = sequence.clone();
        Ok(())
    }

    /// Surfaces it decodes with.
    pub(super) fn surfaces(&self) -> u32 {
        self.surfaces
    }

    /// Begins to decode a picture.
    ///
    /// # Safety
    /// `picture` is what a decode callback was given, and the callback has not returned.
    pub(super) unsafe fn decode(&mut self, picture: *mut dec::CUVIDPICPARAMS) -> Result<(), CudaError> {
        // SAFETY: a live decoder, a context that is current, and the caller's word for the picture.
        let answer = unsafe { (self.api.decode)(self.raw, picture) };
        api::check(&self.gpu, "cuvidDecodePicture", answer)
    }

    /// Queues the copy of a decoded picture into a surface of the size and layout of the sequence.
    pub(super) fn copy(&mut self, shown: &CUVIDPARSERDISPINFO, to: &Surface) -> Result<Health, CudaError> {
        // SAFETY: zeros are values of all of its fields.
        let mut how: dec::CUVIDPROCPARAMS = unsafe { std::mem::zeroed() };
        how.progressive_frame = shown.progressive_frame;
        how.top_field_first = shown.top_field_first;
        how.unpaired_field = i32::from(shown.repeat_first_field < 0);
        how.output_stream = self.gpu.raw_stream().cast();
        let (mut address, mut pitch) = (0, 0);
        // SAFETY: a live decoder, a context that is current, and answers that are ours to write to.
        let answer = unsafe { (self.api.map)(self.raw, shown.picture_index, &mut address, &mut pitch, &mut how) };
        api::check(&self.gpu, "cuvidMapVideoFrame", answer)?;
        let health = self.health_of(shown.picture_index);
        let copied = self.copy_planes(address, pitch as usize, to);
        // SAFETY: mapped above, unmapped once.
        let answer = unsafe { (self.api.unmap)(self.raw, address) };
        copied?;
        api::check(&self.gpu, "cuvidUnmapVideoFrame", answer)?;
        Ok(health)
    }

    fn copy_planes(&self, address: u64, pitch_bytes: usize, to: &Surface) -> Result<(), CudaError> {
        let (_, rows) = self.made_for.target();
        let chroma = address + pitch_bytes as u64 * u64::from(rows);
        for (plane, from) in [address, chroma].into_iter().enumerate() {
            // SAFETY: a mapped picture of the target's size, which holds at least the rows and bytes of the surface's
            // planes; it stays mapped until the copies are queued, and what the decoder writes there next is queued
            // behind them.
            unsafe { to.copy_from(plane, from, pitch_bytes) }?;
        }
        Ok(())
    }

    fn health_of(&self, index: i32) -> Health {
        // SAFETY: zeros are values of all of its fields.
        let mut status: dec::CUVIDGETDECODESTATUS = unsafe { std::mem::zeroed() };
        // SAFETY: a live decoder, a mapped picture, and an answer that is ours to write to.
        let answer = unsafe { (self.api.status)(self.raw, index, &mut status) };
        if answer != 0 {
            // Not told of this codec.
            return Health::Good;
        }
        // SAFETY: read as a number, because newer drivers have values that our list has not.
        match unsafe { addr_of!(status.decodeStatus).cast::<u32>().read() } {
            DAMAGED => Health::Lost,
            DAMAGED_CONCEALED => Health::Concealed,
            _ => Health::Good,
        }
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // A lost context has no decoder to destroy either; the library still frees its own part.
        let _ = self.gpu.enter();
        // SAFETY: ours, destroyed once, while the context lives.
        let _ = unsafe { (self.api.destroy_decoder)(self.raw) };
    }
}

/// The part of the coded picture that is mapped, in whole pairs of pixels: left, top, right, bottom.
fn area_of(sequence: &Sequence) -> [i16; 4] {
    let (width, height) = sequence.target();
    let (left, top) = (sequence.area.left, sequence.area.top);
    // An odd picture at the very edge of an odd coded one: that is rounded up as well.
    let edge = |from: i32, length: u32| i16::try_from(from + length as i32).unwrap_or(i16::MAX);
    [edge(left, 0), edge(top, 0), edge(left, width), edge(top, height)]
}

fn output_format(layout: Layout) -> dec::cudaVideoSurfaceFormat_enum {
    match layout {
        Layout::P016 => dec::cudaVideoSurfaceFormat_enum::cudaVideoSurfaceFormat_P016,
        _ => dec::cudaVideoSurfaceFormat_enum::cudaVideoSurfaceFormat_NV12,
    }
}

/// Refuses what the device says that it does not decode.
fn look_up_abilities(api: &Api, gpu: &Gpu, codec: Codec, sequence: &Sequence) -> Result<(), CudaError> {
    const CALL: &str = "cuvidGetDecoderCaps";
    // SAFETY: zeros are values of all of its fields.
    let mut caps: dec::CUVIDDECODECAPS = unsafe { std::mem::zeroed() };
    caps.eCodecType = codec.number();
    caps.eChromaFormat = dec::cudaVideoChromaFormat_enum::cudaVideoChromaFormat_420;
    caps.nBitDepthMinus8 = sequence.bit_depth - 8;
    // SAFETY: the context is current, and what is asked is set.
    api::check(gpu, CALL, unsafe { (api.caps)(&mut caps) })?;
    let name = codec.name();
    let (width, height) = sequence.coded;
    if caps.bIsSupported == 0 {
        let depth = sequence.bit_depth;
        return Err(CudaError::absent(
            CALL,
            format!("it does not decode {name} of {depth} bits"),
        ));
    }
    let blocks = u64::from(width) * u64::from(height) / 256;
    if width > caps.nMaxWidth || height > caps.nMaxHeight || blocks > u64::from(caps.nMaxMBCount) {
        let (most, high) = (caps.nMaxWidth, caps.nMaxHeight);
        let why = format!("it decodes {name} up to {most}x{high}, not of {width}x{height}");
        return Err(CudaError::absent(CALL, why));
    }
    if width < u32::from(caps.nMinWidth) || height < u32::from(caps.nMinHeight) {
        let (least, low) = (caps.nMinWidth, caps.nMinHeight);
        let why = format!("it decodes {name} from {least}x{low} on, not of {width}x{height}");
        return Err(CudaError::absent(CALL, why));
    }
    if caps.nOutputFormatMask & (1 << output_format(sequence.layout()) as u32) == 0 {
        let why = format!("it cannot hand out pictures of {} bits of {name}", sequence.bit_depth);
        return Err(CudaError::absent(CALL, why));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::area_of;
    use crate::media::cuda::nvdec::sequence::tests::film;

    #[test]
    fn an_odd_crop_brings_its_neighbour_along_instead_of_being_scaled() {
        let mut film = film();
        film.area.left = 2;
        film.area.right = 855;
        assert_eq!(area_of(&film), [2, 0, 856, 1080]);
    }
}
