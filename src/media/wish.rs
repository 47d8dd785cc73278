//! What a picture spec comes to for one source: its moments, and what takes its pictures.
//!
//! Guarantees: sizes, colours and amounts that cannot be are refused here, before anything is decoded. Deliberately
//! absent: frames.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::media::animate;
use crate::media::animate::Animation;
use crate::media::color_name;
use crate::media::cover::Covers;
use crate::media::gather::Fit;
use crate::media::gather::Gather;
use crate::media::moments;
use crate::media::moments::Moments;
use crate::media::picture::BLACK_LUMA;
use crate::media::scratch_file::JobScratch;
use crate::media::snapshot::Stills;
use crate::media::spec::AnimationSpec;
use crate::media::spec::FrameType;
use crate::media::spec::SnapshotMode;
use crate::media::spec::SnapshotSpec;
use crate::media::sprite::DEFAULT_CELL_WIDTH;
use crate::media::sprite::Sprite;
use crate::media::timeline::Timeline;

/// Sources up to this long are decoded whole for their covers where key frames are too few to choose among.
const SHORT_S: f64 = 60.0;

/// What a spec comes to for this source.
pub struct Wish {
    /// The moments.
    pub moments: Moments,
    /// What takes its pictures.
    pub gather: Box<dyn Gather>,
    /// Key frames will do.
    pub intra: bool,
    /// But only those that are no other moment's as well.
    pub own_frames: bool,
    /// No key frame before this stands for a moment, seconds on the source's clock.
    pub begins_s: f64,
    /// Pictures are candidates to choose among: one less is nothing to tell.
    pub candidates: bool,
    /// Which frames are passed over as black.
    pub black: Option<Blackness>,
}

/// What makes a frame a black one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Blackness {
    /// Per cent of its pixels that must be black.
    pub percent: f64,
    /// Luma below which a pixel is.
    pub luma: u8,
}

impl Wish {
    /// Of stills or a sprite, for a source shown at `display` pixels; `seed` is what a random colour is drawn from.
    pub fn snapshot(
        spec: &SnapshotSpec,
        display: (u32, u32),
        timeline: Timeline,
        seed: &[u8],
        scratch: JobScratch,
    ) -> Result<Self, Fault> {
        let ground = color_name::color(&spec.color, seed).ok_or_else(|| {
            Fault::new(
                "InvalidColor",
                Blame::Request,
                "snapshot",
                format!("color {:?}", spec.color),
                "it is not a colour",
                "Write it as #rrggbb, as a name of CSS, or as random.",
            )
        })?;
        let moments = moments::wanted(spec, timeline.span)?;
        let gather: Box<dyn Gather> = match spec.mode {
            SnapshotMode::Normal => {
                let fit = Fit::new((spec.width, spec.height), display, u32::MAX, ground, spec.fill);
                match spec.best {
                    Some(keep) => Box::new(Covers::new(spec, keep, fit, scratch)),
                    None => Box::new(Stills::new(spec, fit, scratch)),
                }
            }
            SnapshotMode::Sprite => {
                let width = spec
                    .cell_width
                    .or(spec.cell_height.is_none().then_some(DEFAULT_CELL_WIDTH));
                let fit = Fit::new(
                    (width, spec.cell_height),
                    display,
                    DEFAULT_CELL_WIDTH,
                    ground,
                    spec.fill,
                );
                let step_s = match moments.at_s[..] {
                    [first_s, second_s, ..] => second_s - first_s,
                    _ => timeline.end_s.max(timeline.span.frame_s),
                };
                Box::new(Sprite::new(spec, fit, ground, step_s, scratch)?)
            }
        };
        let is_auto = spec.frame_type == FrameType::Auto;
        Ok(Wish {
            // Who names a moment, or tiles of equal length, means the frame of that moment.
            intra: match spec.frame_type {
                FrameType::Auto => spec.times.is_empty() && !spec.image_playlist,
                FrameType::Intra => true,
                FrameType::Normal => false,
            },
            // Among candidates a key frame less is no loss, unless the source has but few.
            own_frames: match spec.best {
                Some(_) => is_auto && timeline.end_s <= SHORT_S,
                None => is_auto,
            },
            // Who asks for key frames gets that at or before each moment, who leaves it open nothing that is cut away.
            begins_s: if is_auto { spec.start_s } else { 0.0 },
            candidates: spec.best.is_some(),
            moments,
            gather,
            black: spec.black_level.map(|percent| Blackness {
                percent: f64::from(percent),
                luma: spec.pixel_black_threshold.unwrap_or(BLACK_LUMA),
            }),
        })
    }

    /// Of an animated picture.
    pub fn animation(
        spec: &AnimationSpec,
        display: (u32, u32),
        timeline: Timeline,
        scratch: JobScratch,
    ) -> Result<Self, Fault> {
        let moments = animate::wanted(spec, timeline.span);
        let fit = animate::fit(spec, display);
        let gather = Box::new(Animation::new(spec, fit, moments.at_s.len(), scratch)?);
        Ok(Wish {
            moments,
            gather,
            intra: false,
            own_frames: false,
            begins_s: 0.0,
            candidates: false,
            black: None,
        })
    }
}
