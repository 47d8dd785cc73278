//! What samples are: rate, channels and their places, sample format.

use crate::media::av::error::AvError;
use crate::media::av::error::check;
use ffmpeg_the_third::ffi;
use std::ffi::CStr;
use std::ffi::CString;
use std::mem;

/// How one sample is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleFormat(pub(super) i32);

impl SampleFormat {
    /// 32-bit floats, a plane for each channel.
    pub const FLOAT_PLANAR: Self = SampleFormat(ffi::AVSampleFormat::FLTP.0);
    /// 64-bit floats, a plane for each channel.
    pub const DOUBLE_PLANAR: Self = SampleFormat(ffi::AVSampleFormat::DBLP.0);
    /// 16-bit integers, channels in turn.
    pub const S16: Self = SampleFormat(ffi::AVSampleFormat::S16.0);
    /// 32-bit integers, channels in turn.
    pub const S32: Self = SampleFormat(ffi::AVSampleFormat::S32.0);
    /// 32-bit floats, channels in turn.
    pub const FLOAT: Self = SampleFormat(ffi::AVSampleFormat::FLT.0);
}

/// Where a channel is heard, as far as mixing cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In front, left.
    Left,
    /// In front, right.
    Right,
    /// In front, middle.
    Centre,
    /// Low-frequency effects.
    Lfe,
    /// At the left side.
    SideLeft,
    /// At the right side.
    SideRight,
    /// Behind, left.
    BackLeft,
    /// Behind, right.
    BackRight,
    /// Behind, middle.
    BackCentre,
    /// Between left and middle.
    LeftOfCentre,
    /// Between middle and right.
    RightOfCentre,
    /// A stereo mix beside the others, or what nobody knows.
    Other,
}

impl Place {
    fn of(channel: ffi::AVChannel) -> Self {
        match channel {
            ffi::AVChannel::FRONT_LEFT | ffi::AVChannel::WIDE_LEFT | ffi::AVChannel::TOP_FRONT_LEFT => Place::Left,
            ffi::AVChannel::FRONT_RIGHT | ffi::AVChannel::WIDE_RIGHT | ffi::AVChannel::TOP_FRONT_RIGHT => Place::Right,
            ffi::AVChannel::FRONT_CENTER | ffi::AVChannel::TOP_CENTER | ffi::AVChannel::TOP_FRONT_CENTER => {
                Place::Centre
            }
            ffi::AVChannel::LOW_FREQUENCY | ffi::AVChannel::LOW_FREQUENCY_2 => Place::Lfe,
            ffi::AVChannel::SIDE_LEFT | ffi::AVChannel::SURROUND_DIRECT_LEFT => Place::SideLeft,
            ffi::AVChannel::SIDE_RIGHT | ffi::AVChannel::SURROUND_DIRECT_RIGHT => Place::SideRight,
            ffi::AVChannel::BACK_LEFT | ffi::AVChannel::TOP_BACK_LEFT => Place::BackLeft,
            ffi::AVChannel::BACK_RIGHT | ffi::AVChannel::TOP_BACK_RIGHT => Place::BackRight,
            ffi::AVChannel::BACK_CENTER | ffi::AVChannel::TOP_BACK_CENTER => Place::BackCentre,
            ffi::AVChannel::FRONT_LEFT_OF_CENTER => Place::LeftOfCentre,
            ffi::AVChannel::FRONT_RIGHT_OF_CENTER => Place::RightOfCentre,
            ffi::AVChannel::STEREO_LEFT => Place::Left,
            ffi::AVChannel::STEREO_RIGHT => Place::Right,
            _ => Place::Other,
        }
    }
}

/// Rate, layout, sample format.
pub struct Sound {
    /// Hz.
    pub rate_hz: u32,
    layout: ffi::AVChannelLayout,
    pub(super) format: i32,
}

// SAFETY: the layout is plain memory with one owner.
unsafe impl Send for Sound {}

impl std::fmt::Debug for Sound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} Hz {} {}", self.rate_hz, self.layout_name(), self.format)
    }
}

impl Sound {
    /// Planar 32-bit floats in the usual layout of so many channels.
    pub fn float_planar(rate_hz: u32, channels: u32) -> Self {
        Self::usual(rate_hz, channels, SampleFormat::FLOAT_PLANAR)
    }

    /// Samples of a format in the usual layout of so many channels.
    pub fn usual(rate_hz: u32, channels: u32, format: SampleFormat) -> Self {
        // SAFETY: an all-zero layout is libav's "none"; default() fills it.
        let layout = unsafe {
            let mut layout: ffi::AVChannelLayout = mem::zeroed();
            ffi::av_channel_layout_default(&mut layout, channels as i32);
            layout
        };
        Sound {
            rate_hz,
            layout,
            format: format.0,
        }
    }

    /// Samples in the layout of a name, `5.1(side)`; none where it names no places.
    pub fn named(rate_hz: u32, layout: &str, format: SampleFormat) -> Option<Self> {
        let name = CString::new(layout).ok().filter(|name| !name.is_empty())?;
        // SAFETY: an all-zero layout is libav's "none"; a refused name leaves it so.
        let (answer, layout) = unsafe {
            let mut layout: ffi::AVChannelLayout = mem::zeroed();
            (ffi::av_channel_layout_from_string(&mut layout, name.as_ptr()), layout)
        };
        let sound = Sound {
            rate_hz,
            layout,
            format: format.0,
        };
        (answer >= 0 && sound.layout.order == ffi::AVChannelOrder::NATIVE).then_some(sound)
    }

    /// The same layout, of another rate and format.
    pub fn converted(&self, rate_hz: u32, format: SampleFormat) -> Result<Self, AvError> {
        Self::from_raw(rate_hz as i32, &self.layout, format.0)
    }

    pub(super) fn from_raw(rate: i32, layout: &ffi::AVChannelLayout, format: i32) -> Result<Self, AvError> {
        let mut sound = Sound {
            rate_hz: rate.max(0) as u32,
            // SAFETY: an all-zero layout is libav's "none".
            layout: unsafe { mem::zeroed() },
            format,
        };
        // SAFETY: both layouts are live.
        check("av_channel_layout_copy", unsafe {
            ffi::av_channel_layout_copy(&mut sound.layout, layout)
        })?;
        if sound.layout.order == ffi::AVChannelOrder::UNSPEC {
            let channels = sound.layout.nb_channels;
            // SAFETY: replaces an unspecified layout, which holds no memory.
            unsafe { ffi::av_channel_layout_default(&mut sound.layout, channels) };
        }
        Ok(sound)
    }

    /// Where its channels are heard.
    pub fn places(&self) -> Vec<Place> {
        (0..self.channels())
            // SAFETY: a live layout; an index beyond its channels answers "none".
            .map(|index| Place::of(unsafe { ffi::av_channel_layout_channel_from_index(&self.layout, index) }))
            .collect()
    }

    /// Channels.
    pub fn channels(&self) -> u32 {
        self.layout.nb_channels.max(0) as u32
    }

    /// `stereo`, `5.1(side)`.
    pub fn layout_name(&self) -> String {
        describe(&self.layout)
    }

    /// Same rate, layout and format.
    pub fn same_as(&self, other: &Sound) -> bool {
        // SAFETY: both layouts are live.
        let same_layout = unsafe { ffi::av_channel_layout_compare(&self.layout, &other.layout) } == 0;
        same_layout && self.rate_hz == other.rate_hz && self.format == other.format
    }

    pub(super) fn layout(&self) -> &ffi::AVChannelLayout {
        &self.layout
    }

    pub(super) fn copy_layout(&self, to: &mut ffi::AVChannelLayout) -> Result<(), AvError> {
        // SAFETY: both layouts are live; the call frees what `to` held.
        check("av_channel_layout_copy", unsafe {
            ffi::av_channel_layout_copy(to, &self.layout)
        })?;
        Ok(())
    }
}

impl Drop for Sound {
    fn drop(&mut self) {
        // SAFETY: frees the map of a custom layout, once.
        unsafe { ffi::av_channel_layout_uninit(&mut self.layout) }
    }
}

/// libav's words for a layout.
pub(super) fn describe(layout: &ffi::AVChannelLayout) -> String {
    let mut buffer = [0; 128];
    // SAFETY: the buffer is writable for its length, and terminated by the call.
    unsafe {
        if ffi::av_channel_layout_describe(layout, buffer.as_mut_ptr(), buffer.len()) < 0 {
            return format!("{} channels", layout.nb_channels);
        }
        CStr::from_ptr(buffer.as_ptr()).to_string_lossy().into_owned()
    }
}

/// libav's name of a sample format.
pub(super) fn format_name(format: i32) -> Option<String> {
    // SAFETY: null or a constant string.
    let raw = unsafe { ffi::av_get_sample_fmt_name(ffi::AVSampleFormat(format)) };
    // SAFETY: checked for null.
    (!raw.is_null()).then(|| unsafe { CStr::from_ptr(raw) }.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::Place;
    use super::SampleFormat;
    use super::Sound;

    #[test]
    fn channels_of_usual_layouts_have_their_places() {
        let places = |channels| Sound::usual(48_000, channels, SampleFormat::FLOAT).places();
        assert_eq!(places(1), [Place::Centre]);
        assert_eq!(places(2), [Place::Left, Place::Right]);
        let surround = places(6);
        assert_eq!(surround[..4], [Place::Left, Place::Right, Place::Centre, Place::Lfe]);
        let seven = places(8);
        assert_eq!(seven[6..], [Place::SideLeft, Place::SideRight]);
        assert_eq!(seven[4..6], [Place::BackLeft, Place::BackRight]);
    }
}
