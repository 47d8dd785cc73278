//! A decoded picture on the device, with all that the stream said of it.

use crate::media::cuda::pool::PooledSurface;
use crate::media::facts::Ratio;

/// What a stream's header says of the numbers of its pictures, in the code points of H.273. Not said and 2 are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signal {
    /// Primaries.
    pub primaries: u8,
    /// Transfer characteristics.
    pub transfer: u8,
    /// Matrix.
    pub matrix: u8,
    /// 0..255 rather than 16..235.
    pub is_full_range: bool,
}

/// One picture, in display order.
#[derive(Debug)]
pub struct DecodedPicture {
    /// Its pixels: NV12 for 8 bits, P016 for more. Interlaced ones are woven.
    pub surface: PooledSurface,
    /// Time stamp of the packet it began in, in the unit of the setup; none when that one had none.
    pub pts: Option<i64>,
    /// Number of that packet, as [`crate::media::cuda::nvdec::Nvdec::send`] counted it; none when no time stamp tells.
    pub packet: Option<u64>,
    /// Two fields of different moments.
    pub is_interlaced: bool,
    /// The upper field is the earlier one.
    pub is_top_first: bool,
    /// Times a field of it is shown beyond the usual two.
    pub repeated_fields: u32,
    /// The decoder found errors in it, whether it concealed them or not.
    pub is_damaged: bool,
    /// No other picture was needed for it.
    pub is_intra: bool,
    /// Or none for its first field: decoding can begin with it.
    pub stands_alone: bool,
    /// Width of a pixel over its height; none when square or not said.
    pub aspect: Option<Ratio>,
    /// What its numbers mean.
    pub signal: Signal,
    /// Which sequence of the stream it is of, from 0: another number, and size, depth or colours may be others.
    pub sequence: u64,
}
