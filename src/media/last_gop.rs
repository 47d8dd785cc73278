//! The pictures of an output from its last key frame on, decoded: what a viewer sees at the very end, where cut and
//! half-written files go wrong.
//!
//! Guarantees: holds the packets of one group of pictures at most, and no more than [`MOST_BYTES`] of them. Deliberately
//! absent: comparing pictures, which need not even be deblocked.

use crate::media::av::AvError;
use crate::media::av::Decoder;
use crate::media::av::Packet;
use crate::media::av::Parameters;
use crate::media::facts::Ratio;
use crate::media::limits::Limits;

/// Packets that wait to turn out as the last ones. A longer group is decoded as it comes.
const MOST_BYTES: usize = 32 << 20;

/// What came of decoding the last group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LastPictures {
    /// Pictures shown at or after the last key frame.
    pub expected: u64,
    /// Those that came out whole.
    pub whole: u64,
}

/// Follows the packets of one track.
#[derive(Debug)]
pub struct LastGop {
    parameters: Parameters,
    unit: Ratio,
    waiting: Vec<Packet>,
    waiting_bytes: usize,
    running: Option<Decoder>,
    key_pts: i64,
    expected: u64,
    shown: u64,
}

impl LastGop {
    /// For a track whose packets count in `unit`.
    pub fn new(parameters: Parameters, unit: Ratio) -> Self {
        LastGop {
            parameters,
            unit,
            waiting: Vec::new(),
            waiting_bytes: 0,
            running: None,
            key_pts: i64::MIN,
            expected: 0,
            shown: 0,
        }
    }

    /// Takes the next packet of the track.
    pub fn take(&mut self, packet: &Packet) -> Result<(), AvError> {
        let pts = packet.pts().or_else(|| packet.dts());
        if packet.is_key() {
            self.waiting.clear();
            self.waiting_bytes = 0;
            self.running = None;
            self.key_pts = pts.unwrap_or(i64::MIN);
            (self.expected, self.shown) = (0, 0);
        }
        // Pictures before the key frame in time belong to the group before it.
        if !packet.is_discard() && pts.is_none_or(|pts| pts >= self.key_pts) {
            self.expected += 1;
        }
        self.waiting_bytes += packet.size_bytes();
        self.waiting.push(packet.share()?);
        if self.waiting_bytes > MOST_BYTES {
            self.decode()?;
        }
        Ok(())
    }

    fn decode(&mut self) -> Result<(), AvError> {
        let mut decoder = match self.running.take() {
            Some(decoder) => decoder,
            None => Decoder::open(&self.parameters, self.unit, 1, &Limits::default())?.without_loop_filter(),
        };
        for packet in self.waiting.drain(..) {
            decoder.send(&packet)?;
            self.shown += pictures(&mut decoder, self.key_pts)?;
        }
        self.waiting_bytes = 0;
        self.running = Some(decoder);
        Ok(())
    }

    /// Decodes what waits; what came of it.
    pub fn finish(mut self) -> Result<LastPictures, AvError> {
        self.decode()?;
        let Some(mut decoder) = self.running else {
            return Ok(LastPictures::default());
        };
        decoder.send_end()?;
        self.shown += pictures(&mut decoder, self.key_pts)?;
        Ok(LastPictures {
            expected: self.expected,
            whole: self.shown.saturating_sub(decoder.damaged_frames()),
        })
    }
}

fn pictures(decoder: &mut Decoder, from_pts: i64) -> Result<u64, AvError> {
    let mut count = 0;
    while let Some(frame) = decoder.receive()? {
        if frame.best_pts().is_none_or(|pts| pts >= from_pts) {
            count += 1;
        }
    }
    Ok(count)
}
