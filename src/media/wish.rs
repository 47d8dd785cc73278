//! What a picture spec comes to for one source: its moments, and what takes its pictures.
//!
//! Guarantees: sizes, colours and amounts that cannot be are refused here, before anything is decoded. Deliberately
//! absent: frames.

use crate::base::fault::Fault;
use crate::media::animate;
use crate::media::animate::Animation;
use crate::media::gather::Fit;
use crate::media::gather::Gather;
use crate::media::moments;
use crate::media::moments::Moments;
use crate::media::picture::Color;
use crate::media::scratch_file::JobScratch;
use crate::media::snapshot::Stills;
use crate::media::spec::AnimationSpec;
use crate::media::spec::FrameType;
use crate::media::spec::SnapshotMode;
use crate::media::spec::SnapshotSpec;
use crate::media::sprite::DEFAULT_CELL_WIDTH;
use crate::media::sprite::Sprite;
use crate::media::timeline::Timeline;

/// What a spec comes to for this source.
pub struct Wish {
    /// The moments.
    pub moments: Moments,
    /// What takes its pictures.
    pub gather: Box<dyn Gather>,
    /// Key frames will do.
    pub intra: bool,
    /// Per cent of black pixels from which on a frame is passed over.
    pub black_level: Option<u8>,
}

impl Wish {
    /// Of stills or a sprite, for a source shown at `display` pixels.
    pub fn snapshot(
        spec: &SnapshotSpec,
        display: (u32, u32),
        timeline: Timeline,
        scratch: JobScratch,
    ) -> Result<Self, Fault> {
        // A sheet's layout is the one that complains about a wrong colour.
        let ground = Color::parse(&spec.color).unwrap_or(Color([0; 3]));
        let gather: Box<dyn Gather> = match spec.mode {
            SnapshotMode::Normal => {
                let fit = Fit::new(spec.width, spec.height, display, u32::MAX, ground);
                Box::new(Stills::new(spec, fit, scratch))
            }
            SnapshotMode::Sprite => {
                let width = spec
                    .cell_width
                    .or(spec.cell_height.is_none().then_some(DEFAULT_CELL_WIDTH));
                let fit = Fit::new(width, spec.cell_height, display, DEFAULT_CELL_WIDTH, ground);
                Box::new(Sprite::new(spec, fit, scratch)?)
            }
        };
        Ok(Wish {
            moments: moments::wanted(spec, timeline.span)?,
            gather,
            intra: spec.frame_type == FrameType::Intra,
            black_level: spec.black_level,
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
        let fit = Fit::new(spec.width, spec.height, display, animate::WIDEST, Color([0; 3]));
        let gather = Box::new(Animation::new(spec, fit, moments.at_s.len(), scratch)?);
        Ok(Wish {
            moments,
            gather,
            intra: false,
            black_level: None,
        })
    }
}
