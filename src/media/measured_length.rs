//! How long the video of a source is that does not say so: live recordings, streams written to a pipe.
//!
//! Guarantees: packets are read, nothing is decoded. Deliberately absent: headers that say something wrong, which
//! only decoding shows.

use crate::base::fault::Fault;
use crate::media::av::AvError;
use crate::media::av::Demuxer;
use crate::media::av::Packet;
use crate::media::error;
use crate::media::probe::Opened;
use crate::media::timeline::Timeline;
use crate::media::workbench::OnProgress;

/// Reads through a file that does not say how long its video is, unless it is a single picture; the facts then say
/// it, and reading begins anew.
///
/// Errors: the source cannot be read, or `on_progress` asked to stop.
pub fn measure(opened: &mut Opened, operation: &str, on_progress: &mut OnProgress<'_>) -> Result<(), Fault> {
    let Some((stream, video)) = opened.facts.main_video() else {
        return Ok(());
    };
    let span = Timeline::of(&opened.facts).span;
    if span.duration_s.is_some() || span.is_one_frame {
        return Ok(());
    }
    let (index, rate) = (stream.index, video.nominal_rate());
    let frame_s = rate.map_or(0.0, |rate| 1.0 / rate.value().max(0.001));
    let unit_s = stream.time_base.value();
    let demuxer = &mut opened.demuxer;
    let refusal = |demuxer: &Demuxer, cause: &AvError| match demuxer.watch().trouble() {
        Some(trouble) => error::source_unreadable(operation, demuxer.name(), trouble),
        None => error::source_refused(operation, demuxer.name(), cause),
    };
    let mut packet = Packet::new().map_err(|cause| refusal(demuxer, &cause))?;
    let (mut first, mut last) = (None, None);
    demuxer.keep_only(&[index]);
    while demuxer.read(&mut packet).map_err(|cause| refusal(demuxer, &cause))? {
        if let Some(pts) = packet.pts().or(packet.dts()).filter(|_| packet.stream_index() == index) {
            first = Some(first.map_or(pts, |first: i64| first.min(pts)));
            last = Some(last.map_or(pts, |last: i64| last.max(pts)));
        }
        if !on_progress(0.0, 0) {
            return Err(error::stopped(operation, demuxer.name()));
        }
    }
    demuxer
        .seek(index, first.unwrap_or(0))
        .or_else(|_| demuxer.seek_byte(0))
        .map_err(|cause| refusal(demuxer, &cause))?;
    let length_s = first
        .zip(last)
        .map(|(first, last)| (last - first) as f64 * unit_s + frame_s);
    if let Some(stream) = opened.facts.streams.get_mut(index) {
        stream.duration_s = length_s;
    }
    Ok(())
}
