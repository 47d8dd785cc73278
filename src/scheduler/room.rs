//! How much of scratch an attempt may fill, estimated before it runs, and whether there is room for it. Pure.
//!
//! Guarantees: attempts that run never have been granted more together than the limit, but for one that is alone where
//! nobody set the limit by hand: an estimate refuses no work by itself. Deliberately absent: looking at the disk.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::media::facts::MediaFacts;
use crate::media::spec::MediaWork;
use crate::media::spec::VideoCodec;
use crate::media::spec::VideoSpec;
use crate::workflow::plan;

/// What every attempt may leave: logs, facts, pictures.
const LEAST_BYTES: u64 = 16 << 20;
/// Pictures, sheets and animations of one activity.
const PICTURES_BYTES: u64 = 64 << 20;
/// Sound of one output; most are half as large.
const SOUND_KBPS: f64 = 256.0;
/// Bits of a pixel where no bit rate is said: what x264 needs of natural pictures at crf 20.
const BITS_A_PIXEL: f64 = 0.12;
/// Packaging, indexes, and what an encoder does more than it was told.
const MARGIN: f64 = 1.15;
/// Length of a source that does not say it, seconds.
const USUAL_LENGTH_S: f64 = 60.0;
const USUAL_RATE: f64 = 25.0;

/// How much scratch there is for attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Bytes.
    pub bytes: u64,
    /// Set by hand: what needs more is refused.
    pub strict: bool,
}

/// Whether an attempt may begin.
#[derive(Debug, Clone, PartialEq)]
pub enum Room {
    /// It may.
    Granted,
    /// Not before others have ended.
    Later,
    /// Never, under this limit.
    Never(Box<Fault>),
}

/// Bytes that one attempt with these works may leave in scratch at once.
pub fn needed(works: &[&MediaWork], facts: Option<&MediaFacts>, source_bytes: u64) -> u64 {
    let length_s = facts.and_then(|facts| facts.duration_s).unwrap_or(USUAL_LENGTH_S);
    let mut bytes = LEAST_BYTES as f64;
    for work in works {
        bytes += match work {
            MediaWork::Analysis => 0.0,
            MediaWork::Transcode(spec) => {
                let made = plan::encodes(work, facts);
                let video_kbps: f64 = made.iter().map(|(spec, pixels)| kbps(spec, *pixels, facts)).sum();
                // Equal encodes are made once and packaged as often as they are asked for.
                let outputs: usize = spec.groups.iter().map(|group| group.outputs.len()).sum();
                let often = (outputs as f64 / made.len().max(1) as f64).max(1.0);
                let copies = spec.groups.iter().flat_map(|group| &group.outputs);
                let copies = copies
                    .filter(|output| output.video.as_ref().is_some_and(is_copy))
                    .count();
                let sound_kbps = SOUND_KBPS * outputs as f64;
                (video_kbps * often + sound_kbps) * length_s * 125.0 + copies as f64 * source_bytes as f64
            }
            MediaWork::Snapshot(_) | MediaWork::DynamicImage(_) | MediaWork::Qc(_) => PICTURES_BYTES as f64,
        };
    }
    (bytes * MARGIN) as u64
}

fn is_copy(video: &VideoSpec) -> bool {
    video.codec == VideoCodec::Copy
}

fn kbps(spec: &VideoSpec, pixels: f64, facts: Option<&MediaFacts>) -> f64 {
    if let Some(said) = spec.max_bitrate_kbps.or(spec.bitrate_kbps) {
        return f64::from(said);
    }
    let source = facts
        .and_then(MediaFacts::main_video)
        .and_then(|(_, video)| video.nominal_rate())
        .map_or(USUAL_RATE, |rate| rate.value());
    pixels * spec.fps.unwrap_or(source) * BITS_A_PIXEL / 1_000.0
}

/// Whether one that needs so much may begin beside those that were granted `held_bytes`.
pub fn decide(limit: Option<Limit>, held_bytes: u64, need_bytes: u64, subject: &str) -> Room {
    let Some(limit) = limit else { return Room::Granted };
    if need_bytes > limit.bytes && limit.strict {
        return Room::Never(Box::new(too_small(limit.bytes, need_bytes, subject)));
    }
    match held_bytes == 0 || held_bytes.saturating_add(need_bytes) <= limit.bytes {
        true => Room::Granted,
        false => Room::Later,
    }
}

fn too_small(limit_bytes: u64, need_bytes: u64, subject: &str) -> Fault {
    Fault::new(
        "ScratchTooSmall",
        Blame::Host,
        "run",
        subject,
        format!("it may fill {need_bytes} bytes of scratch, and capacity.scratch_bytes allows {limit_bytes}"),
        "Raise capacity.scratch_bytes, set it to auto, or ask for less at once; then retry the task.",
    )
    .retryable(false)
}

#[cfg(test)]
mod tests {
    use super::Limit;
    use super::Room;
    use super::decide;
    use super::needed;
    use crate::media::facts::MediaFacts;
    use crate::media::spec::MediaWork;

    fn transcode(videos: &[serde_json::Value]) -> MediaWork {
        let outputs: Vec<serde_json::Value> = videos
            .iter()
            .enumerate()
            .map(|(at, video)| serde_json::json!({ "name": format!("v{at}"), "video": video }))
            .collect();
        let spec = serde_json::json!({ "group": [{ "kind": "file", "output": outputs }] });
        serde_json::from_value(serde_json::json!({ "kind": "transcode", "spec": spec })).expect("a transcode")
    }

    #[test]
    fn a_need_follows_length_and_bit_rate() {
        let facts = |duration_s| MediaFacts {
            duration_s: Some(duration_s),
            ..MediaFacts::default()
        };
        let of = |kbps: u32, seconds| {
            let video = serde_json::json!({ "codec": "h264", "height": 1080, "rate": "vbr", "bitrate_kbps": kbps });
            needed(&[&transcode(&[video])], Some(&facts(seconds)), 0)
        };
        // 8 Mbit/s for 1,000 s are a gigabyte; sound and a margin come on top.
        assert!(
            (1_000_000_000..1_300_000_000).contains(&of(8_000, 1_000.0)),
            "{}",
            of(8_000, 1_000.0)
        );
        assert!(of(8_000, 2_000.0) > of(8_000, 1_000.0) && of(4_000, 1_000.0) < of(8_000, 1_000.0));
        let copy = transcode(&[serde_json::json!({ "codec": "copy" })]);
        assert!(needed(&[&copy], Some(&facts(1.0)), 5_000_000_000) > 5_000_000_000);
        assert!(needed(&[&MediaWork::Analysis], None, 5_000_000_000) < 100_000_000);
    }

    #[test]
    fn what_does_not_fit_waits_and_what_never_fits_is_refused_where_a_person_said_so() {
        let limit = |strict| Some(Limit { bytes: 100, strict });
        assert_eq!(decide(None, 1_000, 1_000, "t"), Room::Granted);
        assert_eq!(decide(limit(true), 0, 100, "t"), Room::Granted);
        assert_eq!(decide(limit(true), 60, 40, "t"), Room::Granted);
        assert_eq!(decide(limit(true), 60, 41, "t"), Room::Later);
        let Room::Never(fault) = decide(limit(true), 0, 101, "t") else {
            panic!("it never fits");
        };
        assert!(
            !fault.retryable && fault.to_string().contains("scratch_bytes"),
            "{fault}"
        );
        // Nobody set the limit: it is tried, alone.
        assert_eq!(decide(limit(false), 0, 101, "t"), Room::Granted);
        assert_eq!(decide(limit(false), 1, 101, "t"), Room::Later);
    }
}
