//! What the parser calls back for: the decoder that a sequence needs, pictures decoded and shown.
//!
//! Guarantees: a callback that fails says so to the parser, and why to whoever called the parser. Deliberately absent:
//! the C side of the callbacks, and what comes after a failure.

use crate::media::cuda::error::CudaError;
use crate::media::cuda::gpu::Gpu;
use crate::media::cuda::nvdec::codec::Codec;
use crate::media::cuda::nvdec::decoder::Decoder;
use crate::media::cuda::nvdec::decoder::Health;
use crate::media::cuda::nvdec::picture::DecodedPicture;
use crate::media::cuda::nvdec::sequence::Change;
use crate::media::cuda::nvdec::sequence::Sequence;
use crate::media::cuda::pool::SurfacePool;
use nvidia_video_codec_sdk::sys::cuviddec::CUVIDPICPARAMS;
use nvidia_video_codec_sdk::sys::nvcuvid::CUVIDPARSERDISPINFO;
use std::sync::Arc;

/// What the decode callback learned of a picture.
#[derive(Debug, Clone, Copy, Default)]
struct Kind {
    /// Coded field by field, or block by block as fields.
    has_fields: bool,
    is_intra: bool,
    /// Of its first field, where it has two.
    begins_intra: bool,
}

/// A picture that was shown, with the time that the parser says.
#[derive(Debug)]
pub(super) struct Shown {
    /// Ticks of the parser's clock.
    pub(super) ticks: i64,
    /// The decoder could make nothing of it.
    pub(super) is_lost: bool,
    pub(super) picture: DecodedPicture,
}

/// What stands behind the callbacks of a parser.
#[derive(Debug)]
pub(super) struct Engine {
    gpu: Arc<Gpu>,
    codec: Codec,
    max_pixels: u64,
    idle_surfaces: usize,
    decoder: Option<Decoder>,
    sequence: Option<Sequence>,
    sequences: u64,
    pool: Option<SurfacePool>,
    kinds: Vec<Kind>,
    shown: Vec<Shown>,
    trouble: Option<CudaError>,
}

impl Engine {
    pub(super) fn new(gpu: &Arc<Gpu>, codec: Codec, max_pixels: u64, idle_surfaces: usize) -> Self {
        Engine {
            gpu: Arc::clone(gpu),
            codec,
            max_pixels,
            idle_surfaces,
            decoder: None,
            sequence: None,
            sequences: 0,
            pool: None,
            kinds: Vec::new(),
            shown: Vec::new(),
            trouble: None,
        }
    }

    /// Lets the decoder go; the next sequence makes another one.
    pub(super) fn forget_decoder(&mut self) {
        self.decoder = None;
    }

    /// What was shown since it was last asked, in order.
    pub(super) fn take_shown(&mut self) -> Vec<Shown> {
        std::mem::take(&mut self.shown)
    }

    /// The first thing that went wrong since it was last asked.
    pub(super) fn take_trouble(&mut self) -> Option<CudaError> {
        self.trouble.take()
    }

    /// Remembers what went wrong; the first is the cause of what follows.
    pub(super) fn fail(&mut self, error: CudaError) {
        self.trouble.get_or_insert(error);
    }

    /// A sequence begins. Answers the surfaces that the parser may use.
    pub(super) fn begin(&mut self, sequence: Sequence) -> Result<u32, CudaError> {
        if let Some(why) = sequence.refusal(self.max_pixels) {
            return Err(CudaError::absent("cuvidCreateDecoder", why));
        }
        let change = self
            .decoder
            .as_ref()
            .map_or(Change::All, |decoder| decoder.change_to(&sequence));
        match (change, &mut self.decoder) {
            (Change::None, Some(_)) => {}
            (Change::Size, Some(decoder)) => decoder.resize(&sequence)?,
            _ => {
                // The old one's surfaces are given back before the new one's are taken.
                self.decoder = None;
                self.decoder = Some(Decoder::create(&self.gpu, self.codec, &sequence)?);
            }
        }
        let (width, height) = sequence.shown();
        let layout = sequence.layout();
        let fits = |pool: &SurfacePool| pool.layout() == layout && pool.size() == (width, height);
        if !self.pool.as_ref().is_some_and(fits) {
            let pool = SurfacePool::new(&self.gpu, layout, width, height, self.idle_surfaces);
            self.pool = Some(pool);
        }
        if self.sequence.as_ref().is_some_and(|before| *before != sequence) {
            self.sequences += 1;
        }
        self.sequence = Some(sequence);
        let surfaces = self.decoder.as_ref().map_or(0, Decoder::surfaces);
        self.kinds.resize(surfaces as usize, Kind::default());
        Ok(surfaces)
    }

    /// A picture is to be decoded.
    ///
    /// # Safety
    /// `picture` is what a decode callback was given, and the callback has not returned.
    pub(super) unsafe fn decode(&mut self, picture: *mut CUVIDPICPARAMS) -> Result<(), CudaError> {
        const CALL: &str = "cuvidDecodePicture";
        let decoder = self
            .decoder
            .as_mut()
            .ok_or_else(|| CudaError::refused(CALL, "a picture comes before its sequence"))?;
        // SAFETY: by the contract above; of the codecs' own parts only that of the sequence's codec is read.
        let (index, kind, is_second) = unsafe {
            let is_mbaff = self.codec == Codec::H264 && (*picture).CodecSpecific.h264.MbaffFrameFlag != 0;
            let kind = Kind {
                has_fields: (*picture).field_pic_flag != 0 || is_mbaff,
                is_intra: (*picture).intra_pic_flag != 0,
                begins_intra: (*picture).intra_pic_flag != 0,
            };
            ((*picture).CurrPicIdx, kind, (*picture).second_field != 0)
        };
        let place = usize::try_from(index).ok().and_then(|index| self.kinds.get_mut(index));
        let place = place.ok_or_else(|| CudaError::refused(CALL, format!("there is no surface {index}")))?;
        *place = match is_second {
            false => kind,
            true => Kind {
                is_intra: kind.is_intra && place.is_intra,
                begins_intra: place.begins_intra,
                ..kind
            },
        };
        // SAFETY: the caller's word.
        unsafe { decoder.decode(picture) }
    }

    /// A picture is to be shown.
    pub(super) fn show(&mut self, info: &CUVIDPARSERDISPINFO) -> Result<(), CudaError> {
        const CALL: &str = "cuvidMapVideoFrame";
        let (Some(decoder), Some(sequence), Some(pool)) = (&mut self.decoder, &self.sequence, &self.pool) else {
            return Err(CudaError::refused(CALL, "a picture is shown before its sequence"));
        };
        let index = info.picture_index;
        let kind = usize::try_from(index)
            .ok()
            .and_then(|index| self.kinds.get(index).copied());
        let kind = kind.ok_or_else(|| CudaError::refused(CALL, format!("there is no surface {index}")))?;
        let surface = pool.take()?;
        let health = decoder.copy(info, &surface)?;
        self.shown.push(Shown {
            ticks: info.timestamp,
            is_lost: health == Health::Lost,
            picture: DecodedPicture {
                surface,
                pts: None,
                packet: None,
                // Parsers have been seen to call pictures progressive that are coded as fields.
                is_interlaced: !sequence.is_progressive && (kind.has_fields || info.progressive_frame == 0),
                is_top_first: info.top_field_first != 0,
                repeated_fields: u32::try_from(info.repeat_first_field).unwrap_or(0),
                is_damaged: health != Health::Good,
                is_intra: kind.is_intra,
                stands_alone: kind.begins_intra,
                aspect: sequence.aspect(),
                signal: sequence.signal,
                sequence: self.sequences,
            },
        });
        Ok(())
    }
}
