//! The search for a frame that is not black, after one that is.
//!
//! Guarantees: no further than the job says, by key frames where these do, in steps of a fraction of a second else.
//! Deliberately absent: what counts as black, which the job knows.

use crate::media::av::AvError;
use crate::media::av::Frame;
use crate::media::frame_seeker::FrameSeeker;
use crate::media::frame_seeker::ShownFrame;
use crate::media::picture_job::PictureJob;
use crate::media::picture_job::Render;
use std::sync::Arc;

/// Steps where exact frames are wanted.
const STEP_S: f64 = 0.2;

/// Looks for a frame that is not black after one that is, as long as the job asks for it.
pub fn go_on(
    job: &mut PictureJob<Arc<Frame>>,
    seeker: &mut FrameSeeker<'_>,
    mut key: Option<usize>,
    moment_s: f64,
    units: &dyn Fn(f64) -> f64,
    seconds: &dyn Fn(&ShownFrame) -> f64,
    paint: &mut Render<'_, Arc<Frame>>,
) -> Result<(), AvError> {
    let mut step = 0;
    while let Some(until_s) = job.search_until_s() {
        step += 1;
        let next = match &mut key {
            Some(key) => {
                *key += 1;
                let in_time = seeker
                    .keys()
                    .shown(*key)
                    .is_some_and(|shown| (shown as f64) < units(until_s));
                if in_time { seeker.key_frame(*key)? } else { None }
            }
            None => {
                let later_s = moment_s + f64::from(step) * STEP_S;
                if later_s < until_s {
                    seeker.frame_at(units(later_s))?
                } else {
                    None
                }
            }
        };
        match next {
            Some(shown) => job.offer(seconds(&shown), shown.frame, paint),
            None => job.end_search(),
        }
    }
    Ok(())
}
