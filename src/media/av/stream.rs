//! One stream of an opened file, as its demuxer describes it.

use crate::media::av::dict;
use crate::media::av::error::AvError;
use crate::media::av::frame::matrix_of;
use crate::media::av::mastering;
use crate::media::av::packet::Packet;
use crate::media::av::packet::ratio;
use crate::media::av::packet::stamp;
use crate::media::av::parameters::Parameters;
use crate::media::encoding::hdr::HdrMetadata;
use crate::media::facts::Ratio;
use ffmpeg_the_third::ffi;
use std::collections::BTreeMap;
use std::marker::PhantomData;

/// Marks of a stream that are carried from source to output.
pub(super) const DISPOSITIONS: [(i32, &str); 11] = [
    (ffi::AV_DISPOSITION_COMMENT as i32, "comment"),
    (ffi::AV_DISPOSITION_DUB as i32, "dub"),
    (ffi::AV_DISPOSITION_ORIGINAL as i32, "original"),
    (ffi::AV_DISPOSITION_FORCED as i32, "forced"),
    (ffi::AV_DISPOSITION_HEARING_IMPAIRED as i32, "hearing_impaired"),
    (ffi::AV_DISPOSITION_VISUAL_IMPAIRED as i32, "visual_impaired"),
    (ffi::AV_DISPOSITION_LYRICS as i32, "lyrics"),
    (ffi::AV_DISPOSITION_KARAOKE as i32, "karaoke"),
    (ffi::AV_DISPOSITION_CLEAN_EFFECTS as i32, "clean_effects"),
    (ffi::AV_DISPOSITION_CAPTIONS as i32, "captions"),
    (ffi::AV_DISPOSITION_DESCRIPTIONS as i32, "descriptions"),
];

/// A stream, borrowed from its demuxer.
#[derive(Debug, Clone, Copy)]
pub struct Stream<'a> {
    raw: *const ffi::AVStream,
    index: usize,
    /// In place of its own, where sources of different units are joined.
    unit: Option<Ratio>,
    owner: PhantomData<&'a ()>,
}

/// A sample of the demuxer's index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexEntry {
    /// First byte.
    pub position: u64,
    /// Bytes.
    pub size_bytes: u32,
    /// Time stamp (of decoding in ISO files), stream units.
    pub time: i64,
    /// Decoding can begin here.
    pub is_key: bool,
}

/// What a Dolby Vision configuration says of the pictures below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DolbyVision {
    /// 5, 7, 8, 10 ...
    pub profile: u8,
    /// What the base layer is by itself: 0 nothing, 1 and 6 HDR10, 2 SDR, 4 HLG.
    pub compatibility: u8,
}

impl DolbyVision {
    /// Without Dolby's own decoder the pictures have wrong colours.
    pub fn needs_dolby(self) -> bool {
        match self.profile {
            5 => true,
            8..=20 => self.compatibility == 0,
            _ => false,
        }
    }
}

impl<'a> Stream<'a> {
    /// `raw` must live for 'a; `index` is its place among all that is read.
    pub(super) fn new(raw: *const ffi::AVStream, index: usize, unit: Option<Ratio>) -> Self {
        Stream {
            raw,
            index,
            unit,
            owner: PhantomData,
        }
    }

    fn get(&self) -> &'a ffi::AVStream {
        // SAFETY: the demuxer whose borrow 'a is owns the stream.
        unsafe { &*self.raw }
    }

    /// Position in the file, and among those of all files that are read together.
    pub fn index(&self) -> usize {
        self.index
    }
    /// Unit of its time stamps.
    pub fn time_base(&self) -> Ratio {
        self.unit.unwrap_or_else(|| ratio(self.get().time_base))
    }
    /// First time stamp, in its units.
    pub fn start_time(&self) -> Option<i64> {
        stamp(self.get().start_time)
    }
    /// Length in its units.
    pub fn duration(&self) -> Option<i64> {
        stamp(self.get().duration).filter(|duration| *duration > 0 && !self.is_duration_unset())
    }
    /// All 32 bits set stand for a length that was not known when the header was written.
    pub(super) fn is_duration_unset(&self) -> bool {
        self.get().duration == i64::from(u32::MAX)
    }
    /// Frames as the container counts them.
    pub fn frame_count(&self) -> Option<u64> {
        u64::try_from(self.get().nb_frames).ok().filter(|count| *count > 0)
    }
    /// Frames over time.
    pub fn average_frame_rate(&self) -> Option<Ratio> {
        positive(self.get().avg_frame_rate)
    }
    /// Lowest rate with which all time stamps can be written.
    pub fn real_frame_rate(&self) -> Option<Ratio> {
        positive(self.get().r_frame_rate)
    }
    /// Shape of a pixel by the container; none when unknown or square.
    pub fn sample_aspect_ratio(&self) -> Option<Ratio> {
        positive(self.get().sample_aspect_ratio).filter(|sar| sar.num != sar.den)
    }
    /// Tags.
    pub fn tags(&self) -> BTreeMap<String, String> {
        dict::read(self.get().metadata)
    }
    /// Marked as default.
    pub fn is_default(&self) -> bool {
        self.get().disposition & ffi::AV_DISPOSITION_DEFAULT as i32 != 0
    }
    /// The data of a cover picture.
    pub fn attached_picture(&self) -> Option<Packet> {
        if !self.is_attached_picture() || self.get().attached_pic.size <= 0 {
            return None;
        }
        // SAFETY: the packet of a live stream, which the clone only counts a reference of.
        Packet::clone_of(unsafe { &*self.raw }.attached_pic).ok()
    }
    /// What it is marked as beside `default`, in libav's words.
    pub fn dispositions(&self) -> Vec<String> {
        let set = self.get().disposition;
        DISPOSITIONS
            .iter()
            .filter(|(bit, _)| set & bit != 0)
            .map(|(_, word)| (*word).to_owned())
            .collect()
    }
    /// A cover picture.
    pub fn is_attached_picture(&self) -> bool {
        self.get().disposition & ffi::AV_DISPOSITION_ATTACHED_PIC as i32 != 0
    }
    /// Codec parameters, copied.
    pub fn parameters(&self) -> Result<Parameters, AvError> {
        Parameters::copy_of(self.get().codecpar)
    }
    /// The nine numbers of a display matrix, 16.16 and 2.30 fixed point, row by row.
    pub fn display_matrix(&self) -> Option<[i32; 9]> {
        matrix_of(self.side_data(ffi::AVPacketSideDataType::DISPLAYMATRIX)?)
    }
    /// Its packets are left out, see [`Demuxer::keep_only`](crate::media::av::Demuxer::keep_only).
    pub fn is_left_out(&self) -> bool {
        self.get().discard == ffi::AVDiscard::ALL
    }
    /// Has the header of an encryption scheme, or the key's number that Matroska's demuxer makes a tag of.
    pub fn is_encrypted(&self) -> bool {
        let header = self.side_data(ffi::AVPacketSideDataType::ENCRYPTION_INIT_INFO);
        header.is_some() || self.tags().contains_key("enc_key_id")
    }
    /// The mastering display and content light that the container declares.
    pub fn hdr_metadata(&self) -> HdrMetadata {
        mastering::of_bytes(
            self.side_data(ffi::AVPacketSideDataType::MASTERING_DISPLAY_METADATA),
            self.side_data(ffi::AVPacketSideDataType::CONTENT_LIGHT_LEVEL),
        )
    }
    /// Has a Dolby Vision configuration.
    pub fn dolby_vision(&self) -> Option<DolbyVision> {
        let bytes = self.side_data(ffi::AVPacketSideDataType::DOVI_CONF)?;
        // Version (major, minor), profile, level, RPU, enhancement layer, base layer, compatibility; a byte each.
        Some(DolbyVision {
            profile: *bytes.get(2)?,
            compatibility: *bytes.get(7)?,
        })
    }
    /// Entries of the demuxer's index; most containers have all samples in it only once they were read.
    pub fn index_len(&self) -> usize {
        // SAFETY: a live stream; the call only reads.
        unsafe { ffi::avformat_index_get_entries_count(self.raw) }.max(0) as usize
    }
    /// One entry of the index.
    pub fn index_entry(&self, number: usize) -> Option<IndexEntry> {
        let number = i32::try_from(number).ok()?;
        // SAFETY: a live stream; the call answers null beyond the end, and the entry is copied at once.
        unsafe {
            let entry = ffi::avformat_index_get_entry(self.raw.cast_mut(), number).as_ref()?;
            Some(IndexEntry {
                position: u64::try_from(entry.pos).ok()?,
                size_bytes: entry.size().max(0) as u32,
                time: entry.timestamp,
                is_key: entry.flags() & ffi::AVINDEX_KEYFRAME as i32 != 0,
            })
        }
    }

    pub(super) fn side_data(&self, kind: ffi::AVPacketSideDataType) -> Option<&'a [u8]> {
        let mut size = 0;
        // SAFETY: a live stream; the answer is null or `size` bytes owned by it.
        #[allow(deprecated)]
        unsafe {
            let data = ffi::av_stream_get_side_data(self.raw, kind, &mut size);
            (!data.is_null()).then(|| std::slice::from_raw_parts(data, size as usize))
        }
    }
}

fn positive(raw: ffi::AVRational) -> Option<Ratio> {
    (raw.num > 0 && raw.den > 0).then(|| ratio(raw))
}
