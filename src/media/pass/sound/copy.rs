//! Sound that is taken over packet by packet.
//!
//! Guarantees: time stamps are the source's, counted from the pass's origin, and go forward. Deliberately absent:
//! cutting inside a packet.

use crate::media::av::AvError;
use crate::media::av::Packet;
use crate::media::facts::Ratio;
use crate::media::pass::clock::Origin;
use crate::media::pass::output::TrackId;
use crate::media::pass::rung::Outputs;

/// One copied track.
pub struct CopyTrack<'a> {
    /// Of the encode in the plan.
    pub number: usize,
    /// The source's stream.
    pub stream: usize,
    unit: Ratio,
    origin: Origin,
    end: Option<i64>,
    /// For each output, how long before the origin packets are kept.
    lead_ins: Vec<i64>,
    outputs: Outputs<'a>,
    last: Option<i64>,
    first: Option<i64>,
    until: i64,
}

impl<'a> CopyTrack<'a> {
    /// Encode `number` of the plan: a stream with time stamps in `unit`, up to `end_s`. For each output, packets of so
    /// many seconds before the origin are kept for the decoder, where the container hides them.
    pub fn new(
        (number, stream): (usize, usize),
        unit: Ratio,
        (origin, end_s): (Origin, Option<f64>),
        lead_ins_s: &[f64],
        outputs: Outputs<'a>,
    ) -> Self {
        let ticks = |seconds: f64| (seconds / unit.value()).round() as i64;
        CopyTrack {
            number,
            stream,
            unit,
            origin,
            end: end_s.map(ticks),
            lead_ins: lead_ins_s.iter().map(|seconds| ticks(*seconds)).collect(),
            outputs,
            last: None,
            first: None,
            until: 0,
        }
    }

    /// Takes a packet of its stream.
    pub fn take(&mut self, packet: &Packet) -> Result<(), AvError> {
        let said = packet.pts().or_else(|| packet.dts());
        // Files that leave time stamps out mean that a packet follows the one before.
        let pts = said.map_or(self.until, |pts| self.origin.since(pts, self.unit, self.unit));
        let end = pts + packet.duration().max(0);
        let is_over = self.end.is_some_and(|limit| pts >= limit);
        let is_late = self.last.is_some_and(|last| pts <= last);
        if is_over || is_late || !self.outputs.are_wanted() {
            return Ok(());
        }
        self.last = Some(pts);
        if end > 0 {
            self.first.get_or_insert(pts.max(0));
        }
        self.until = self.until.max(end);
        for (output, lead_in) in self.outputs.all.iter().zip(&self.lead_ins) {
            if end <= -lead_in || (*lead_in == 0 && pts < 0) {
                continue;
            }
            let mut packet = packet.share()?;
            let duration = packet.duration();
            packet.set_times(Some(pts), Some(pts), duration);
            output.write(TrackId::Audio(self.number), packet, self.outputs.health);
        }
        Ok(())
    }

    /// Ends it; where it began and ended, seconds.
    pub fn finish(&self, whole: bool) -> (f64, f64) {
        if whole {
            self.outputs.end_track();
        }
        let unit = self.unit.value();
        (self.first.unwrap_or(0) as f64 * unit, self.until as f64 * unit)
    }
}
