//! Files beside a file, whose streams are read as if they were all of one: pictures and sounds of a camera that writes
//! each into a file of its own.
//!
//! Guarantees: packets come out in the order of their times; what nobody wants is not read; a seek takes all of them to
//! the same moment. Deliberately absent: recordings one after the other (`media::pass::join`).

use crate::media::av::demux::Demuxer;
use crate::media::av::error::AvError;
use crate::media::av::packet::Packet;

/// One file beside the first.
pub(super) struct Strand {
    demuxer: Demuxer,
    /// Which stream of all its first one is.
    first: usize,
    ahead: Ahead,
    is_wanted: bool,
}

/// What was read of a file and not yet given out.
#[derive(Default)]
pub(super) enum Ahead {
    #[default]
    Unknown,
    Packet(Packet),
    End,
}

impl Ahead {
    /// When it is due, seconds; none: there is nothing more. What has no time is due at once.
    fn due_s(&self, demuxer: &Demuxer) -> Option<f64> {
        let Ahead::Packet(packet) = self else { return None };
        let unit = demuxer
            .stream(packet.stream_index())
            .map(|stream| stream.time_base().value());
        let at = packet.dts().or_else(|| packet.pts()).zip(unit);
        Some(at.map_or(f64::NEG_INFINITY, |(at, unit)| at as f64 * unit))
    }
}

impl Strand {
    pub(super) fn new(demuxer: Demuxer, first: usize) -> Self {
        Strand {
            demuxer,
            first,
            ahead: Ahead::Unknown,
            is_wanted: true,
        }
    }

    /// Its demuxer, and the number there of a stream of all; none: the stream is not its own.
    pub(super) fn own(&self, stream: usize) -> Option<(&Demuxer, usize)> {
        let own = stream.checked_sub(self.first)?;
        (own < self.demuxer.stream_count()).then_some((&self.demuxer, own))
    }

    pub(super) fn stream_count(&self) -> usize {
        self.demuxer.stream_count()
    }

    pub(super) fn keep_only(&mut self, wanted: &[usize]) {
        let own: Vec<usize> = wanted.iter().filter_map(|stream| Some(self.own(*stream)?.1)).collect();
        self.is_wanted = !own.is_empty();
        self.ahead = match std::mem::take(&mut self.ahead) {
            Ahead::Packet(packet) if !own.contains(&packet.stream_index()) => Ahead::Unknown,
            ahead => ahead,
        };
        self.demuxer.keep_only(&own);
    }

    /// Goes to a moment, seconds of its own times.
    pub(super) fn seek(&mut self, at_s: f64) -> Result<(), AvError> {
        self.ahead = Ahead::Unknown;
        let Some(unit) = self.demuxer.stream(0).map(|stream| stream.time_base().value()) else {
            return Ok(());
        };
        self.demuxer.seek(0, (at_s / unit).floor() as i64)
    }

    fn look(&mut self) -> Result<(), AvError> {
        if matches!(self.ahead, Ahead::Unknown) {
            let mut packet = Packet::new()?;
            let more = self.is_wanted && self.demuxer.read(&mut packet)?;
            self.ahead = if more { Ahead::Packet(packet) } else { Ahead::End };
        }
        Ok(())
    }
}

/// The next packet of all; false at the end. `own` is what was read of the first file; `read` reads it.
pub(super) fn next(
    first: &mut Demuxer,
    packet: &mut Packet,
    read: fn(&mut Demuxer, &mut Packet) -> Result<bool, AvError>,
) -> Result<bool, AvError> {
    if matches!(first.ahead, Ahead::Unknown) {
        let mut next = Packet::new()?;
        let more = first.is_wanted && read(first, &mut next)?;
        first.ahead = if more { Ahead::Packet(next) } else { Ahead::End };
    }
    for strand in &mut first.beside {
        strand.look()?;
    }
    let own = first.ahead.due_s(first).map(|due_s| (due_s, None));
    let others = first.beside.iter().enumerate();
    let others = others.filter_map(|(at, strand)| Some((strand.ahead.due_s(&strand.demuxer)?, Some(at))));
    // The first of those that are due at once: pictures before their sound.
    let Some((_, at)) = own
        .into_iter()
        .chain(others)
        .min_by(|one, other| one.0.total_cmp(&other.0))
    else {
        return Ok(false);
    };
    let taken = match at {
        None => std::mem::take(&mut first.ahead),
        Some(at) => match std::mem::take(&mut first.beside[at].ahead) {
            Ahead::Packet(mut packet) => {
                packet.set_stream_index(packet.stream_index() + first.beside[at].first);
                Ahead::Packet(packet)
            }
            other => other,
        },
    };
    if let Ahead::Packet(taken) = taken {
        *packet = taken;
    }
    Ok(true)
}
