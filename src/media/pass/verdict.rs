//! What the source turned out to be once it was read: sound, damaged or truncated.
//!
//! Guarantees: damage over the limit and missing parts are faults of the whole attempt; the rest is told as warnings.

use crate::base::fault::Fault;
use crate::media::av::log::About;
use crate::media::error;
use crate::media::pass::attempt::Pass;
use crate::media::pass::fields::Fields;
use crate::media::pass::hole::Holes;
use crate::media::pass::partial::Lack;
use crate::media::pass::reader::Reading;
use crate::media::pass::sound::SoundSummary;
use crate::media::probe;
use crate::media::spec::VideoCodec;

/// So many packets of sound may be damaged whatever share they are.
const FEW_PACKETS: u64 = 16;
/// But not with so much of its bytes, per cent: what follows another codec in its place comes in a few large packets.
const LOST_PERCENT: f64 = 10.0;

/// No packet of sound is longer, seconds.
const LONGEST_PACKET_S: f64 = 0.12;

impl Pass<'_> {
    /// What looks for holes in the source while it is read: by its pictures, or by its sound if it has no more.
    /// `is_witnessed`: bytes that are passed over are none of any other stream.
    pub(super) fn holes(&self, is_witnessed: bool) -> Option<Holes> {
        if let Some((stream, _)) = self.facts.main_video() {
            return Some(Holes::new(
                self.facts,
                stream.index,
                1.0 / self.timing.rate.value(),
                is_witnessed,
            ));
        }
        let (stream, _) = self.facts.main_audio()?;
        Some(Holes::new(self.facts, stream.index, LONGEST_PACKET_S, is_witnessed))
    }

    /// Too many damaged pictures.
    pub(super) fn check_damage(&self, reading: &Reading) -> Result<(), Fault> {
        let total = reading.decoded.max(reading.damaged);
        // Where a file was cut, its last pictures are damaged.
        if self.is_cut || !is_too_damaged(reading.damaged, total, self.order.limits.max_damaged_percent) {
            return Ok(());
        }
        Err(error::source_damaged(
            "decode",
            &self.name,
            format!(
                "{} of {total} pictures are damaged ({:.1} %, allowed are {} %)",
                reading.damaged,
                reading.damaged as f64 * 100.0 / total.max(1) as f64,
                self.order.limits.max_damaged_percent
            ),
            About::Video,
        ))
    }

    /// Nothing came out, or too much of it was damaged.
    pub(super) fn check_source(&self, reading: &Reading, sound: &SoundSummary) -> Result<(), Fault> {
        self.check_damage(reading)?;
        let percent = sound.refused_packets as f64 * 100.0 / sound.packets.max(1) as f64;
        if !self.is_cut && sound.refused_percent > LOST_PERCENT.max(self.order.limits.max_damaged_percent) {
            return Err(error::source_damaged(
                "decode",
                &self.name,
                format!(
                    "{} packets of sound with {:.0} % of its bytes cannot be decoded; it may go on in another codec",
                    sound.refused_packets, sound.refused_percent
                ),
                About::Audio,
            ));
        }
        // A file that was cut out of a longer one begins with some packets that nobody can decode.
        if !self.is_cut && sound.refused_packets > FEW_PACKETS && percent > self.order.limits.max_damaged_percent {
            return Err(error::source_damaged(
                "decode",
                &self.name,
                format!(
                    "{} of {} packets of sound are damaged ({percent:.1} %, allowed are {} %)",
                    sound.refused_packets, sound.packets, self.order.limits.max_damaged_percent
                ),
                About::Audio,
            ));
        }
        let has_video = self.facts.main_video().is_some() && !self.plan.videos.is_empty();
        let copies = |is_copy: bool| {
            let mut videos = self.plan.videos.iter();
            videos.any(|video| (video.spec.codec == VideoCodec::Copy) == is_copy)
        };
        if has_video && copies(true) && reading.copied.packets == 0 && reading.copied.was_wanted {
            return Err(error::source_undecodable(
                "copy",
                &self.name,
                "there is not one key frame that a copy could begin at",
            ));
        }
        if has_video && copies(false) && reading.shown == 0 {
            return Err(error::source_undecodable(
                "decode",
                &self.name,
                "not one picture of it could be decoded",
            ));
        }
        if !has_video && !self.plan.audios.is_empty() && sound.frames == 0 {
            return Err(error::source_undecodable(
                "decode",
                &self.name,
                "no sound of it could be decoded",
            ));
        }
        Ok(())
    }

    /// What of the source is not there; known only after it was read.
    pub(super) fn lack(&self, demuxer: &crate::media::av::Demuxer, reading: &Reading) -> Option<Lack> {
        let end = self.truncation(demuxer, reading).map(Lack::End);
        end.or_else(|| self.hole(reading).map(Lack::Middle))
    }

    /// What its middle lacks, if that is more than may be damaged.
    fn hole(&self, reading: &Reading) -> Option<String> {
        let pictures = |seconds: f64| (seconds * self.timing.rate.value()).round() as u64;
        let (missing, total) = (pictures(reading.missing_s), pictures(reading.reached_s));
        is_too_damaged(missing, total, self.order.limits.max_damaged_percent).then(|| {
            format!(
                "about {:.1} s of {:.1} s are missing in its middle, where its data cannot be read ({:.1} %, allowed are {} %)",
                reading.missing_s,
                reading.reached_s,
                reading.missing_s * 100.0 / reading.reached_s,
                self.order.limits.max_damaged_percent
            )
        })
    }

    /// Why the source is shorter than it declares, if it is.
    fn truncation(&self, demuxer: &crate::media::av::Demuxer, reading: &Reading) -> Option<String> {
        if reading.past_end {
            return None;
        }
        if let Some(line) = demuxer.cut_short() {
            return Some(line);
        }
        if reading.lost_rest {
            return Some("the rest of the file could not be read".to_owned());
        }
        if let Some(missing) = probe::missing_samples(demuxer) {
            return Some(missing);
        }
        self.ends_early(demuxer, reading)
    }

    /// How much earlier than it declares its last picture was.
    pub(super) fn ends_early(&self, demuxer: &crate::media::av::Demuxer, reading: &Reading) -> Option<String> {
        let declares = [
            "mov,", "matroska", "mxf", "avi", "asf", "flv", "flac", "mp3", "wv", "ape", "tta",
        ];
        let expected_s = self.timing.expected_s.filter(|_| {
            !demuxer.duration_is_guess() && declares.iter().any(|name| self.facts.format_name.starts_with(name))
        })?;
        // A length that is the file's and not the pictures' may be that of whatever lasts longest.
        let main = self.facts.main_video();
        let own_s = main.and_then(|(stream, _)| stream.duration_s);
        // Where only the file has one, libav says the same of its streams.
        let has_own = ["mov,", "mxf", "avi"]
            .iter()
            .any(|name| self.facts.format_name.starts_with(name));
        let is_files = |own_s: &f64| {
            self.facts
                .duration_s
                .is_some_and(|file_s| (file_s - own_s).abs() < 0.01)
        };
        let reached_s = match own_s.filter(|own_s| has_own || !is_files(own_s)) {
            Some(_) => reading.reached_s,
            // A last slide stands as long as the sound under it goes on.
            None => reading.reached_s.max(reading.heard_s),
        };
        // Sound by itself has no last picture that is held.
        let at_least_s = if main.is_some() { 2.0 } else { 0.5 };
        let tolerance_s = (expected_s * 0.02).max(at_least_s);
        (reached_s + tolerance_s < expected_s)
            .then(|| format!("it declares {expected_s:.1} s and ends after {reached_s:.1} s"))
    }

    /// What deserves a look.
    pub(super) fn warnings(&self, reading: &Reading, sound: &SoundSummary) -> Vec<String> {
        let mut warnings = Vec::new();
        let assumed = self.facts.main_video().filter(|(_, video)| video.is_rate_assumed);
        if let Some(rate) = assumed.and_then(|(_, video)| video.nominal_rate()) {
            warnings.push(format!(
                "a bare stream that does not say how many pictures it shows a second: {} were assumed",
                rate.value()
            ));
        }
        if reading.damaged > 0 {
            warnings.push(format!(
                "{} of {} pictures are damaged",
                reading.damaged, reading.decoded
            ));
        }
        if reading.repeats > 0 {
            warnings.push(format!(
                "a film spread to fields was brought back to its own rate, {} repeats were left out",
                reading.repeats
            ));
        }
        if matches!(self.glance.fields, Fields::Interlaced(_)) {
            warnings.push(format!(
                "{} pictures are of two fields, though nothing in the file says so, and were deinterlaced",
                reading.deinterlaced
            ));
        }
        if reading.undecodable_at_start > 0 {
            warnings.push(format!(
                "{} packets before the first whole picture could not be decoded",
                reading.undecodable_at_start
            ));
        }
        if reading.rebuilds > 0 {
            warnings.push(format!(
                "pictures changed their size or format {} times",
                reading.rebuilds
            ));
        }
        if reading.jumps > 0 {
            warnings.push(format!("{} jumps of the time stamps were closed", reading.jumps));
        }
        if reading.seam_packets > 0 {
            warnings.push(format!(
                "{} packets at the end of a recording that another one follows came too late and were left out",
                reading.seam_packets
            ));
        }
        if reading.late_streams > 0 {
            warnings.push(format!(
                "{} streams that begin in the middle of the file were left out",
                reading.late_streams
            ));
        }
        if reading.resynchronised > 0 {
            warnings.push(format!(
                "the demuxer found its way again {} times",
                reading.resynchronised
            ));
        }
        if reading.missing_s > 0.0 && self.hole(reading).is_none() {
            warnings.push(format!(
                "about {:.1} s are missing in its middle, where its data cannot be read",
                reading.missing_s
            ));
        }
        if sound.refused_packets > 0 {
            warnings.push(format!(
                "{} packets of sound could not be decoded",
                sound.refused_packets
            ));
        }
        for stream in &sound.empty_streams {
            warnings.push(format!(
                "stream {stream} holds no sound that can be decoded; its track is silent"
            ));
        }
        if sound.moved_s > 0.1 {
            warnings.push(format!(
                "sound was moved by {:.2} s in all to follow its time stamps",
                sound.moved_s
            ));
        }
        warnings
    }
}

/// Few enough damaged pictures to be a scratch, however short the clip is.
const SCRATCHES: u64 = 2;
/// Unless they are a large part of it, per cent.
const SCRATCHED_PERCENT: f64 = 10.0;

fn is_too_damaged(damaged: u64, total: u64, limit_percent: f64) -> bool {
    let percent = damaged as f64 * 100.0 / total.max(1) as f64;
    let is_scratch = damaged <= SCRATCHES && percent <= SCRATCHED_PERCENT && limit_percent > 0.0;
    damaged > 0 && percent > limit_percent && !is_scratch
}

#[cfg(test)]
mod tests {
    use super::is_too_damaged;

    #[test]
    fn one_bad_picture_of_a_second_is_a_scratch_and_not_of_ten_pictures() {
        assert!(!is_too_damaged(1, 29, 1.0));
        assert!(!is_too_damaged(10, 1000, 1.0));
        assert!(is_too_damaged(11, 1000, 1.0));
        assert!(is_too_damaged(3, 60, 1.0));
        assert!(is_too_damaged(1, 5, 1.0));
        assert!(is_too_damaged(1, 29, 0.0), "none allowed means none");
        assert!(!is_too_damaged(0, 0, 0.0));
    }
}
