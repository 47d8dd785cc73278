//! What is read in place of a file alone: several files that a demuxer hands on as if they were its own.
//!
//! Deliberately absent: which files, and how they follow one another (`media::pass`).

use crate::media::av::demux::Demuxer;
use crate::media::av::error::AvError;
use crate::media::av::packet::Packet;
use crate::media::av::stream::IndexEntry;
use crate::media::facts::Ratio;

/// Packets of several joined sources under the streams of the main one.
pub trait Feed: Send {
    /// The next packet; `main` reads the main source.
    fn read(&mut self, main: &mut Demuxer, packet: &mut Packet) -> Result<bool, AvError>;
    /// The unit of the times of a stream; none: the main source's own.
    fn unit(&self, stream: usize) -> Option<Ratio>;
    /// Goes to a time of a stream; false: that is the main source's affair.
    fn seek(&mut self, _main: &mut Demuxer, _stream: usize, _time: i64) -> Result<bool, AvError> {
        Ok(false)
    }
    /// How often those that it reads beside the main source had to look for where they can go on.
    fn lost_way(&self) -> u64 {
        0
    }
    /// The index of a stream in the feed's own times; none: there is none.
    fn index(&self, _main: &Demuxer, _stream: usize) -> Option<Vec<IndexEntry>> {
        None
    }
}
