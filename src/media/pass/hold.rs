//! How long the last picture is shown: no next one tells, so its own packet is asked, as slide shows and screen recordings
//! end with a picture that stays on for seconds.
//!
//! Guarantees: never shorter than usual, never longer than the whole stream is said to be. Deliberately absent: pictures
//! before the last, which last until the next one.

use crate::media::av::Packet;

/// The packet that is shown last so far.
#[derive(Debug, Clone, Copy)]
pub struct Hold {
    /// What its stream lasts, in its own unit; none: nobody says, and nothing is believed.
    longest: Option<i64>,
    last: Option<(i64, i64)>,
}

impl Hold {
    /// For a stream that lasts as long as this, in its own unit.
    pub fn within(longest: Option<i64>) -> Self {
        Hold { longest, last: None }
    }

    /// Takes note of a packet of the stream.
    pub fn see(&mut self, packet: &Packet) {
        if let Some(pts) = packet.pts()
            && self.last.is_none_or(|(last, _)| pts >= last)
        {
            self.last = Some((pts, packet.duration()));
        }
    }

    /// How long the last picture stays on, in units of its stream; none: its packet says nothing to be believed.
    pub fn ticks(&self) -> Option<i64> {
        let (_, duration) = self.last?;
        (duration > 0 && duration <= self.longest?).then_some(duration)
    }
}
