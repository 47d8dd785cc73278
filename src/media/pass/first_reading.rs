//! The first of two readings of a source, for the encodes that learn from it where their bits are needed.
//!
//! Guarantees: both readings show an encoder the same pictures at the same times, since both are the same pass over the
//! same clip; what was learned lies in one folder of the scratch directory and is gone afterwards. An encoder that
//! fails here fails its outputs in the second reading, with its own reason. Deliberately absent: sound and outputs.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::media::error;
use crate::media::pass::attempt::Pass;
use crate::media::pass::gpu::work::Work;
use crate::media::pass::inspect;
use crate::media::pass::opening::VideoMaker;
use crate::media::pass::output::Health;
use crate::media::pass::packaging::seal::Seals;
use crate::media::pass::plan::Plan;
use crate::media::pass::rating::Ratings;
use crate::media::pass::track::Turn;
use crate::media::probe::Opened;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

/// How much of the work of both readings the first one is.
const SHARE: f64 = 0.4;
const FOLDER: &str = "first-reading";

/// Whether anything of a plan is read for twice. A device's encoder looks at each picture twice instead.
pub fn is_needed(plan: &Plan, work: &Work) -> bool {
    (0..plan.videos.len()).any(|index| reads_twice(plan, work, index))
}

fn reads_twice(plan: &Plan, work: &Work, index: usize) -> bool {
    plan.videos[index].spec.two_pass && !work.encodes(index)
}

/// Reads the source for the encodes of a pass that want it twice. Answers the turn of each encode in the pass itself,
/// whose share of the progress is what is left.
pub fn run(pass: &mut Pass<'_>, opened: Opened) -> Result<(), Fault> {
    let Opened { mut demuxer, .. } = opened;
    let chosen: Vec<usize> = (0..pass.plan.videos.len())
        .filter(|index| reads_twice(pass.plan, &pass.work, *index))
        .collect();
    let folder = folder(pass);
    std::fs::create_dir_all(&folder).map_err(|cause| error::output_io("create the folder", &folder, &cause))?;
    let of_file = |index: &usize| folder.join(format!("{index}.stats"));
    let slots: Vec<Arc<Mutex<Option<Fault>>>> = chosen.iter().map(|_| Arc::default()).collect();
    let plan = Plan {
        videos: chosen.iter().map(|index| pass.plan.videos[*index].clone()).collect(),
        ..Plan::default()
    };
    let (from, width) = pass.share;
    let mut first = Pass {
        order: pass.order,
        plan: &plan,
        facts: pass.facts,
        glance: pass.glance,
        grades: chosen.iter().map(|index| pass.grades[*index]).collect(),
        work: pass.work.of(&chosen),
        hardware: pass.hardware,
        timing: pass.timing,
        watch: pass.watch,
        share: (from, width * SHARE),
        name: pass.name.clone(),
        is_cut: pass.is_cut,
        outside: pass.outside,
        ratings: Ratings::default(),
        // Nothing is packaged.
        seals: Seals::default(),
        inspections: inspect::open(&[], pass.facts, pass.timing.rate),
        turns: chosen
            .iter()
            .zip(&slots)
            .map(|(index, slot)| Ok(Turn::First(of_file(index), Arc::clone(slot))))
            .collect(),
        notes: Vec::new(),
        drawn_notes: Mutex::default(),
        reopen: pass.reopen,
        attached_fonts: pass.attached_fonts.clone(),
        cover: None,
    };
    let encoders = first.open_encoders(&demuxer);
    let refused: Vec<Option<Fault>> = encoders
        .videos
        .iter()
        .map(|video| video.as_ref().err().cloned())
        .collect();
    if encoders
        .videos
        .iter()
        .any(|video| matches!(video, Ok(VideoMaker::Encoder(_))))
    {
        if first.timing.is_clip {
            first.seek_to_start(&mut demuxer);
        }
        // It stays worth doing as long as nobody asks to stop.
        let health = Health::new(1);
        let (reading, sound, ..) = first.read(&mut demuxer, (encoders, Vec::new()), &[], &[], &health, Vec::new())?;
        first.doubt_device(&reading, false)?;
        first.check_source(&reading, &sound)?;
        if first.watch.stop_asked() {
            return Err(error::stopped("decode", &first.name));
        }
    }
    for ((index, slot), refused) in chosen.iter().zip(&slots).zip(refused) {
        let failed = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        let path = of_file(index);
        let is_there = path.metadata().is_ok_and(|data| data.len() > 0);
        pass.turns[*index] = match refused.or(failed) {
            Some(fault) => Err(fault),
            None if is_there => Ok(Turn::Second(path)),
            None => Err(Fault::new(
                "OutputFailed",
                Blame::Host,
                "read the first time",
                &pass.plan.videos[*index].name,
                "the encoder left nothing of what it learned in the first of two readings",
                "Check that the scratch directory has space, or leave `two_pass` out.",
            )),
        };
    }
    pass.share = (from + width * SHARE, width * (1.0 - SHARE));
    Ok(())
}

/// Removes what was learned.
pub fn forget(pass: &Pass<'_>) {
    let folder = folder(pass);
    if is_needed(pass.plan, &pass.work)
        && let Err(cause) = std::fs::remove_dir_all(&folder)
    {
        // Scratch directories are removed whole; this only frees the space earlier.
        tracing::debug!(folder = %folder.display(), %cause, "what a first reading learned was not removed");
    }
}

fn folder(pass: &Pass<'_>) -> PathBuf {
    pass.order.scratch.join(FOLDER)
}
