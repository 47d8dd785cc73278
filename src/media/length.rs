//! The length of a source whose container does not say it: live recordings, bare streams, animations.
//!
//! Guarantees: what is found is what its packets say, all of them read once, none decoded. Deliberately absent:
//! containers that say their length, right or wrong; those are judged when they have been read.

use crate::media::av::AvError;
use crate::media::av::Demuxer;
use crate::media::av::Packet;
use crate::media::av::Source;
use crate::media::facts::MediaFacts;
use crate::media::limits::Limits;
use crate::media::wholeness::Wholeness;

/// Unreadable packets in a row after which the rest counts as lost; the pass will say so.
const MAX_BAD_READS: u32 = 200;

/// Whether the length has to be found: everything that is placed relative to it would be lost or wrong.
pub fn is_wanted(demuxer: &Demuxer, facts: &MediaFacts, wholeness: &Wholeness) -> bool {
    // An AVI file whose writer never came back has made-up numbers where its length should be.
    let is_unfinished = *wholeness == Wholeness::Unknown && facts.format_name == "avi";
    let is_unknown = facts.duration_s.is_none() || is_unfinished;
    // A guess from the bit rate is good enough for the progress of sound, not for the moments of pictures.
    facts.streams.iter().any(|stream| stream.decodable)
        && (is_unknown || demuxer.duration_is_guess() && facts.main_video().is_some())
}

/// Writes the lengths into the facts.
pub fn measure(source: Source, limits: &Limits, facts: &mut MediaFacts) -> Result<(), AvError> {
    let mut demuxer = Demuxer::open(source, limits)?;
    let units: Vec<f64> = demuxer.streams().map(|stream| stream.time_base().value()).collect();
    let mut spans: Vec<Option<(f64, f64)>> = vec![None; units.len()];
    let mut packet = Packet::new()?;
    let mut bad_reads = 0;
    loop {
        match demuxer.read(&mut packet) {
            Ok(true) => bad_reads = 0,
            Ok(false) => break,
            Err(refusal) if demuxer.watch().trouble().is_some() || refusal.is_no_memory() => return Err(refusal),
            Err(_) if bad_reads < MAX_BAD_READS => {
                bad_reads += 1;
                continue;
            }
            Err(_) => break,
        }
        let index = packet.stream_index();
        let (Some(span), Some(unit)) = (spans.get_mut(index), units.get(index)) else {
            continue;
        };
        // A packet without a time follows the one before.
        let said_s = packet.pts().or_else(|| packet.dts()).map(|ticks| ticks as f64 * unit);
        let from_s = said_s.or(span.map(|(_, end_s)| end_s)).unwrap_or(0.0);
        let until_s = from_s + packet.duration().max(0) as f64 * unit;
        *span = Some(span.map_or((from_s, until_s), |(first_s, end_s)| {
            (first_s.min(from_s), end_s.max(until_s))
        }));
    }
    let mut whole: Option<(f64, f64)> = None;
    for stream in &mut facts.streams {
        let Some((first_s, end_s)) = spans.get(stream.index).copied().flatten() else {
            continue;
        };
        let first_s = stream.start_time_s.unwrap_or(first_s);
        if end_s > first_s {
            stream.duration_s = Some(end_s - first_s);
            whole = Some(whole.map_or((first_s, end_s), |(from_s, until_s)| {
                (from_s.min(first_s), until_s.max(end_s))
            }));
        }
    }
    facts.duration_s = whole.map(|(first_s, end_s)| end_s - first_s).or(facts.duration_s);
    Ok(())
}
