//! Fusion: which ready jobs of a task share one attempt, that is one decode of the source.
//!
//! Jobs are fused when they take the same part of the source on the same hardware, fit the memory, and none would
//! take over [`SLOWEST_RATIO`] times as long alone as another (so that a very slow encode does not hold a proxy
//! back). Stills, sheets, previews and facts ride any pass. Guarantees: pure, deterministic; every job is in exactly
//! one group; a job marked apart is alone. Deliberately absent: capacity at this moment, which the scheduler knows.

use crate::media::facts::MediaFacts;
use crate::media::spec::Backend;
use crate::media::spec::Clip;
use crate::media::spec::MediaWork;
use crate::media::spec::TranscodeSpec;
use crate::media::spec::VideoCodec;
use crate::media::spec::VideoSpec;

/// How much longer than the quickest the slowest job of a pass may be estimated to take.
pub const SLOWEST_RATIO: f64 = 4.0;

/// A ready job.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// What it makes.
    pub work: &'a MediaWork,
    /// Which hardware it may use.
    pub backend: Backend,
    /// A fused attempt died with it.
    pub apart: bool,
}

/// What one attempt may use.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Memory of one worker, bytes.
    pub memory_bytes: u64,
}

/// Groups of `candidates` by position, quickest first. `facts` of the source make the estimates better.
pub fn fuse(candidates: &[Candidate<'_>], facts: Option<&MediaFacts>, budget: Budget) -> Vec<Vec<usize>> {
    let mut groups: Vec<Group> = Vec::new();
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    // Encodes first, quickest first: riders then find the pass they ride.
    order.sort_by(|&a, &b| {
        let key = |at: usize| match candidates[at].work {
            MediaWork::Transcode(spec) => (0, time_alone(spec, facts)),
            _ => (1, 0.0),
        };
        let ((kind_a, time_a), (kind_b, time_b)) = (key(a), key(b));
        kind_a.cmp(&kind_b).then(time_a.total_cmp(&time_b)).then(a.cmp(&b))
    });
    for at in order {
        let candidate = &candidates[at];
        let load = Load::of(candidate.work, facts);
        let room = groups
            .iter_mut()
            .find(|group| group.takes(candidate, &load, budget.memory_bytes));
        match room {
            Some(group) => group.add(at, &load),
            None => groups.push(Group::new(at, candidate, &load)),
        }
    }
    groups
        .into_iter()
        .map(|mut group| {
            group.members.sort_unstable();
            group.members
        })
        .collect()
}

/// Whether the work decodes the whole source: what does not is light and needs one thread only.
pub fn is_heavy(work: &MediaWork) -> bool {
    matches!(work, MediaWork::Transcode(_) | MediaWork::Qc(_))
}

/// What a job asks of a pass.
struct Load {
    /// Time alone, relative; none: it rides.
    time: Option<f64>,
    memory_bytes: u64,
}

impl Load {
    fn of(work: &MediaWork, facts: Option<&MediaFacts>) -> Self {
        match work {
            MediaWork::Transcode(spec) => Load {
                time: Some(time_alone(spec, facts)),
                memory_bytes: memory_bytes(spec, facts),
            },
            // Pictures are held one at a time; a sheet is small beside an encoder.
            _ => Load {
                time: None,
                memory_bytes: 64 << 20,
            },
        }
    }
}

/// Jobs of one pass to be.
struct Group {
    members: Vec<usize>,
    backend: Backend,
    clip: Option<Clip>,
    apart: bool,
    quickest: Option<f64>,
    memory_bytes: u64,
}

impl Group {
    fn new(at: usize, candidate: &Candidate<'_>, load: &Load) -> Self {
        Group {
            members: vec![at],
            backend: candidate.backend,
            clip: clip(candidate.work),
            apart: candidate.apart,
            quickest: load.time,
            memory_bytes: load.memory_bytes,
        }
    }

    fn takes(&self, candidate: &Candidate<'_>, load: &Load, memory_bytes: u64) -> bool {
        let in_time = match (self.quickest, load.time) {
            (Some(quickest), Some(time)) => time <= quickest * SLOWEST_RATIO,
            _ => true,
        };
        !self.apart
            && !candidate.apart
            && self.backend == candidate.backend
            && self.clip == clip(candidate.work)
            && in_time
            && self.memory_bytes.saturating_add(load.memory_bytes) <= memory_bytes
    }

    fn add(&mut self, at: usize, load: &Load) {
        self.members.push(at);
        self.quickest = self.quickest.or(load.time);
        self.memory_bytes = self.memory_bytes.saturating_add(load.memory_bytes);
    }
}

/// The part of the source a work takes; none: all of it.
fn clip(work: &MediaWork) -> Option<Clip> {
    match work {
        MediaWork::Transcode(spec) => spec.clip,
        MediaWork::Analysis | MediaWork::Snapshot(_) | MediaWork::DynamicImage(_) | MediaWork::Qc(_) => None,
    }
}

/// Time of a transcode alone, in units of "decode one 1080p source": its decode and all its encodes.
fn time_alone(spec: &TranscodeSpec, facts: Option<&MediaFacts>) -> f64 {
    let source = source_pixels(facts);
    let encodes: f64 = video_specs(spec, source)
        .iter()
        .map(|video| {
            let readings = if video.two_pass { 2.0 } else { 1.0 };
            pixels(video, source) / FULL_HD * preset_factor(&video.preset) * codec_factor(video.codec) * readings
        })
        .sum();
    let readings = if video_specs(spec, source).iter().any(|video| video.two_pass) {
        2.0
    } else {
        1.0
    };
    // Trial encodes of a ladder left to the source take as long as some seconds of it, whatever its length.
    source / FULL_HD * readings + encodes
}

/// What the encoders of a transcode hold: reference, look-ahead and queued frames of each distinct encode.
fn memory_bytes(spec: &TranscodeSpec, facts: Option<&MediaFacts>) -> u64 {
    const FRAMES: f64 = 72.0;
    const BYTES_A_PIXEL: f64 = 1.5;
    let source = source_pixels(facts);
    let wide = |video: &VideoSpec| if video.bits() > 8 { 2.0 } else { 1.0 };
    let specs = video_specs(spec, source);
    let made = specs.iter().filter(|video| video.codec != VideoCodec::Copy);
    let pixels: f64 = source + made.map(|video| pixels(video, source) * wide(video)).sum::<f64>();
    (pixels * BYTES_A_PIXEL * FRAMES) as u64
}

/// The distinct encodes of a work, each with the pixels of one of its pictures; none of a copy.
pub fn encodes(work: &MediaWork, facts: Option<&MediaFacts>) -> Vec<(VideoSpec, f64)> {
    let MediaWork::Transcode(spec) = work else {
        return Vec::new();
    };
    let source = source_pixels(facts);
    let specs = video_specs(spec, source).into_iter();
    specs
        .filter(|video| video.codec != VideoCodec::Copy)
        .map(|video| {
            let pixels = pixels(&video, source);
            (video, pixels)
        })
        .collect()
}

const FULL_HD: f64 = 1920.0 * 1080.0;

/// The distinct encodes: equal ones are made once. A ladder left to the source counts as a usual one.
fn video_specs(spec: &TranscodeSpec, source: f64) -> Vec<VideoSpec> {
    let short_edge = (source * 9.0 / 16.0).sqrt() as u32;
    let mut distinct: Vec<VideoSpec> = Vec::new();
    for group in &spec.groups {
        for video in group.outputs.iter().filter_map(|output| output.video.as_ref()) {
            let made = match &group.ladder {
                Some(ladder) => ladder.usual(video, short_edge),
                None => vec![video.clone()],
            };
            for video in made {
                if !distinct.contains(&video) {
                    distinct.push(video);
                }
            }
        }
    }
    distinct
}

/// Pixels of one picture of the source; a usual one where it is not known yet.
pub fn source_pixels(facts: Option<&MediaFacts>) -> f64 {
    facts
        .and_then(MediaFacts::main_video)
        .map(|(_, video)| f64::from(video.width) * f64::from(video.height))
        .filter(|pixels| *pixels > 0.0)
        .unwrap_or(FULL_HD)
}

fn pixels(video: &VideoSpec, source: f64) -> f64 {
    let asked = match (video.width, video.height) {
        (Some(width), Some(height)) => f64::from(width) * f64::from(height),
        // One edge alone: the common shape is near enough for an estimate.
        (None, Some(height)) => f64::from(height) * f64::from(height) * 16.0 / 9.0,
        (Some(width), None) => f64::from(width) * f64::from(width) * 9.0 / 16.0,
        (None, None) => source,
    };
    if video.upscale { asked } else { asked.min(source) }
}

/// Work of a codec beside H.264 at the same preset, as measured over 720p clips of little detail.
fn codec_factor(codec: VideoCodec) -> f64 {
    match codec {
        VideoCodec::H264 | VideoCodec::Dnxhr => 1.0,
        VideoCodec::Hevc => 4.0,
        VideoCodec::Av1 => 2.5,
        VideoCodec::Vp9 => 1.5,
        VideoCodec::Prores => 6.0,
        VideoCodec::Mpeg2 => 0.5,
        VideoCodec::Copy => 0.0,
    }
}

/// Work of an x264 preset beside `veryfast`, as measured over natural 1080p clips.
fn preset_factor(preset: &str) -> f64 {
    match preset {
        "ultrafast" => 0.35,
        "superfast" => 0.6,
        "faster" => 1.5,
        "fast" => 1.9,
        "medium" => 2.3,
        "slow" => 3.8,
        "slower" => 7.0,
        "veryslow" => 12.0,
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::Budget;
    use super::Candidate;
    use super::fuse;
    use crate::media::spec::Backend;
    use crate::media::spec::MediaWork;

    const ROOM: Budget = Budget { memory_bytes: 8 << 30 };

    fn transcode(heights: &[u32], preset: &str, clip: Option<f64>) -> MediaWork {
        let outputs: Vec<serde_json::Value> = heights
            .iter()
            .map(|height| {
                serde_json::json!({
                    "name": format!("{height}p"),
                    "video": { "codec": "h264", "height": height, "preset": preset },
                })
            })
            .collect();
        let mut spec = serde_json::json!({ "group": [{ "kind": "file", "output": outputs }] });
        if let Some(end_s) = clip {
            spec["clip"] = serde_json::json!({ "start_s": 0.0, "end_s": end_s });
        }
        serde_json::from_value(serde_json::json!({ "kind": "transcode", "spec": spec })).expect("a transcode")
    }

    fn sprite() -> MediaWork {
        serde_json::from_value(serde_json::json!({ "kind": "snapshot", "spec": { "mode": "sprite" } }))
            .expect("a sprite")
    }

    fn groups(works: &[(&MediaWork, Backend, bool)], budget: Budget) -> Vec<Vec<usize>> {
        let candidates: Vec<Candidate<'_>> = works
            .iter()
            .map(|&(work, backend, apart)| Candidate { work, backend, apart })
            .collect();
        fuse(&candidates, None, budget)
    }

    #[test]
    fn a_ladder_its_hls_twin_a_sprite_and_facts_share_one_pass() {
        let ladder = transcode(&[1080, 720, 480, 360], "veryfast", None);
        let proxy = transcode(&[540], "veryfast", None);
        let works = [
            (&MediaWork::Analysis, Backend::Auto, false),
            (&ladder, Backend::Auto, false),
            (&ladder, Backend::Auto, false),
            (&sprite(), Backend::Auto, false),
            (&proxy, Backend::Auto, false),
        ];
        assert_eq!(groups(&works, ROOM), [vec![0, 1, 2, 3, 4]]);
    }

    #[test]
    fn a_very_slow_encode_does_not_hold_a_proxy_back() {
        let slow = transcode(&[1080], "veryslow", None);
        let proxy = transcode(&[540], "veryfast", None);
        let works = [
            (&slow, Backend::Auto, false),
            (&proxy, Backend::Auto, false),
            (&sprite(), Backend::Auto, false),
        ];
        assert_eq!(
            groups(&works, ROOM),
            [vec![1, 2], vec![0]],
            "stills ride the quick pass"
        );
    }

    #[test]
    fn other_hardware_other_clip_and_apart_mean_another_pass() {
        let ladder = transcode(&[1080], "veryfast", None);
        let trailer = transcode(&[1080], "veryfast", Some(30.0));
        let works = [
            (&ladder, Backend::Auto, false),
            (&ladder, Backend::Software, false),
            (&trailer, Backend::Auto, false),
            (&ladder, Backend::Auto, true),
            (&sprite(), Backend::Auto, true),
        ];
        let mut found = groups(&works, ROOM);
        found.sort();
        assert_eq!(found, [vec![0], vec![1], vec![2], vec![3], vec![4]]);
    }

    #[test]
    fn memory_bounds_a_pass_but_never_refuses_a_job() {
        let a = transcode(&[1080], "veryfast", None);
        let b = transcode(&[1080, 720], "veryfast", None);
        let tight = Budget {
            memory_bytes: 600 << 20,
        };
        let works = [(&a, Backend::Auto, false), (&b, Backend::Auto, false)];
        assert_eq!(groups(&works, tight), [vec![0], vec![1]]);
        assert_eq!(groups(&works, ROOM), [vec![0, 1]]);
    }
}
