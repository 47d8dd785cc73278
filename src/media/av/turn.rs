//! One of several joined sources, as its packets tell a decoder: how they are coded, and how their pictures have to
//! be turned to stand like those of the others.
//!
//! Deliberately absent: the order of the sources, and their time.

use crate::media::av::error::AvError;
use crate::media::av::filter::Graph;
use crate::media::av::filter::GraphInput;
use crate::media::av::frame::Frame;
use crate::media::av::parameters::Parameters;
use crate::media::facts::Ratio;

/// What is the same for all packets of one stream of one joined source.
#[derive(Debug)]
pub struct Turn {
    /// Its codec.
    pub parameters: Parameters,
    /// Unit of its packets' times.
    pub unit: Ratio,
    /// Frames before this time are not shown, in that unit.
    pub from: i64,
    /// Frames from this time on are not shown.
    pub until: i64,
    /// Shape of a pixel, where the container alone says it.
    pub aspect: Option<Ratio>,
    /// Filters that make its pictures stand as a player shows them, and then as those of the main source are stored.
    pub upright: Option<String>,
}

/// Turns the pictures of one source.
#[derive(Debug, Default)]
pub(super) struct Turner(Option<(GraphInput, Graph)>);

impl Turner {
    /// The picture as it has to stand.
    pub(super) fn run(&mut self, frame: Frame, turn: &Turn) -> Result<Option<Frame>, AvError> {
        let Some(chain) = &turn.upright else {
            return Ok(Some(frame));
        };
        let (pts, color) = (frame.best_pts(), frame.color());
        let input = GraphInput {
            width: frame.width(),
            height: frame.height(),
            format: frame.pixel_format(),
            time_base: turn.unit,
            sample_aspect_ratio: frame.sample_aspect_ratio().unwrap_or(Ratio { num: 1, den: 1 }),
        };
        if self.0.as_ref().is_none_or(|(known, _)| *known != input) {
            self.0 = Some((input, Graph::open(&input, chain, 1)?));
        }
        let Some((_, graph)) = &mut self.0 else {
            return Ok(None);
        };
        graph.push(Some(&frame))?;
        let turned = graph.pull()?;
        Ok(turned.map(|mut turned| {
            if let Some(pts) = pts {
                turned.set_best_pts(pts);
            }
            turned.set_color(color);
            // Newer decoders hand the container's word on, which has been followed now.
            turned.forget_turn();
            turned
        }))
    }
}
