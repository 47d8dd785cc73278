//! Going to the key frame that a moment is decoded from, also where a container has no index of them.
//!
//! libav goes to a time in transport and program streams by their clocks alone: what is read next begins within a group of
//! pictures, and all up to the next key frame would be missing from a clip.
//!
//! Guarantees: where a key frame at or before the moment is near enough, the demuxer stands at it; else it stands where
//! libav put it. What was read is given back. Deliberately absent: refusals; what cannot be sought is read from its beginning.

use crate::media::av::AvError;
use crate::media::av::Demuxer;
use crate::media::av::Packet;

/// How much earlier it is looked for, one after the other, seconds.
const EARLIER_S: [f64; 6] = [0.0, 1.0, 3.0, 8.0, 20.0, 45.0];
/// A time so much before the first one is sought at the first byte, whatever the packets are stamped with, seconds.
const BEFORE_S: f64 = 2.0;
/// Packets read without finding a key frame.
const MAX_PACKETS: usize = 20_000;
/// Bytes of them kept.
const MAX_KEPT_BYTES: usize = 64 << 20;

/// Goes to the key frame at or before a time of a stream (its units).
pub fn seek(demuxer: &mut Demuxer, stream: usize, at: i64) -> Result<(), AvError> {
    let is_sought = demuxer.may_jump() && demuxer.stream(stream).is_some_and(|stream| !stream.is_left_out());
    let times = demuxer
        .stream(stream)
        .map(|stream| (stream.time_base(), stream.start_time()));
    let Some((unit, start)) = times.filter(|_| is_sought) else {
        return demuxer.seek(stream, at);
    };
    for earlier_s in EARLIER_S {
        let to = at.saturating_sub((earlier_s / unit.value()) as i64);
        demuxer.seek(stream, to)?;
        let (kept, key) = next_key(demuxer, stream)?;
        // From long before the beginning on, what was found is the first that there is.
        let is_first = start.is_some_and(|start| to.saturating_add((BEFORE_S / unit.value()) as i64) < start);
        match key {
            Some(key) if key <= at || is_first => {
                demuxer.give_back(kept);
                return Ok(());
            }
            // None in sight: there may be none at all.
            None => break,
            Some(_) => {}
        }
    }
    demuxer.seek(stream, at)
}

/// What stands from the next key frame of a stream on, with what other streams have before it, and when that is shown.
fn next_key(demuxer: &mut Demuxer, stream: usize) -> Result<(Vec<Packet>, Option<i64>), AvError> {
    let (mut kept, mut kept_bytes) = (Vec::new(), 0);
    while kept.len() < MAX_PACKETS && kept_bytes < MAX_KEPT_BYTES {
        let mut packet = Packet::new()?;
        // What cannot be read is met again by whoever reads on.
        if !matches!(demuxer.read(&mut packet), Ok(true)) {
            break;
        }
        let is_mine = packet.stream_index() == stream;
        if is_mine && !packet.is_key() {
            continue;
        }
        let key = packet.pts().or_else(|| packet.dts()).filter(|_| is_mine);
        kept_bytes += packet.size_bytes();
        kept.push(packet);
        if key.is_some() {
            return Ok((kept, key));
        }
    }
    Ok((kept, None))
}
