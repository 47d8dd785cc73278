//! One rendition in its own thread: scale, hand on to the smaller ones it feeds, encode, write.
//!
//! Guarantees: what is handed on does not wait for the encoder here; a failed encoder fails its outputs, and
//! pictures go on flowing to the smaller renditions.

use crate::base::fault::Fault;
use crate::media::av::AvError;
use crate::media::av::Frame;
use crate::media::av::Scaler;
use crate::media::error;
use crate::media::pass::gpu::transfer;
use crate::media::pass::gpu::transfer::Downloads;
use crate::media::pass::grade::Grade;
use crate::media::pass::lane::Shape;
use crate::media::pass::output::Health;
use crate::media::pass::output::Output;
use crate::media::pass::plan::VideoEncode;
use crate::media::pass::track::VideoTrack;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::SyncSender;

/// Memory of the pictures that wait in front of one rendition, where more than the fewest fit.
const WAITING_BYTES: u64 = 8 << 20;
/// Fewest and most of them: encoders work in bursts, and a thread that finds nothing waiting leaves a core idle.
const WAITING: (u64, u64) = (3, 6);

/// One picture on its way through the pass.
#[derive(Debug)]
pub struct Picture {
    /// Pixels.
    pub frame: Frame,
    /// When it is shown, in the pass's unit, from the pass's origin.
    pub pts: i64,
    /// For how long.
    pub duration: i64,
    /// What is still to be done to it before it has a rendition's colours and form; none: nothing.
    pub shape: Option<Shape>,
}

impl Picture {
    fn share(&self) -> Result<Picture, AvError> {
        Ok(Picture {
            frame: self.frame.share()?,
            ..*self
        })
    }
}

/// How many pictures of this size may wait in front of a rendition.
pub fn waiting(width: u32, height: u32) -> usize {
    let picture_bytes = u64::from(width.max(1)) * u64::from(height.max(1)) * 3 / 2;
    (WAITING_BYTES / picture_bytes.max(1)).clamp(WAITING.0, WAITING.1) as usize
}

/// Where pictures go from one place.
#[derive(Debug, Default)]
pub struct Fan(pub Vec<SyncSender<Picture>>);

impl Fan {
    /// Sends a picture to all; who does not listen any more is passed over.
    pub fn send(&self, picture: &Picture) -> Result<(), AvError> {
        for sender in &self.0 {
            let _ = sender.send(picture.share()?);
        }
        Ok(())
    }
}

/// The outputs an encoder writes to.
#[derive(Debug, Clone, Copy)]
pub struct Outputs<'a> {
    /// All of them.
    pub all: &'a [&'a Output],
    /// Whether anybody waits for them.
    pub health: &'a Health,
}

impl Outputs<'_> {
    /// Whether any is worth encoding for.
    pub fn are_wanted(&self) -> bool {
        self.all.iter().any(|output| output.is_wanted(self.health))
    }
    /// Fails all.
    pub fn fail(&self, fault: &Fault) {
        for output in self.all {
            output.fail(fault.clone(), self.health);
        }
    }
    /// Ends one track of all.
    pub fn end_track(&self) {
        for output in self.all {
            output.end_track(self.health);
        }
    }
}

/// Runs one rendition until the pictures end. `whole` tells at the end whether the pass ended well, so that
/// nothing is finished in vain.
pub fn run(
    encode: &VideoEncode,
    grade: Grade,
    mut track: Option<VideoTrack>,
    pictures: Receiver<Picture>,
    smaller: Fan,
    outputs: Outputs<'_>,
    whole: &(dyn Fn() -> bool + Sync),
) {
    let answer = scale_and_encode(encode, grade, &mut track, pictures, smaller, outputs, whole);
    match answer {
        Ok(()) if whole() => outputs.end_track(),
        Ok(()) => {}
        Err(refusal) => {
            let fault = error::output_refused("encode", &encode.name, &refusal);
            if let Some(track) = &track {
                track.tell(&fault);
            }
            outputs.fail(&fault);
        }
    }
}

fn scale_and_encode(
    encode: &VideoEncode,
    grade: Grade,
    track: &mut Option<VideoTrack>,
    pictures: Receiver<Picture>,
    smaller: Fan,
    outputs: Outputs<'_>,
    whole: &(dyn Fn() -> bool + Sync),
) -> Result<(), AvError> {
    let mut scaler = Scaler::new(
        grade.format,
        encode.width,
        encode.height,
        crate::media::av::scale::Filter::Bicubic,
    )?
    .in_range(grade.color.range);
    let is_wanted = |track: &Option<VideoTrack>| {
        let learns = track.as_ref().is_some_and(VideoTrack::is_first_reading);
        learns || track.is_some() && outputs.are_wanted()
    };
    let mut downloads = Downloads::default();
    for picture in pictures {
        let wanted = is_wanted(track);
        if !wanted && smaller.0.is_empty() {
            continue;
        }
        // What a device made has its size already; the scaler only gives it a form that devices do not make.
        let is_device = transfer::surface_of(&picture.frame).is_some();
        let scaled = Picture {
            frame: if !is_device {
                scaler.run(&picture.frame)?
            } else if track.as_ref().is_some_and(VideoTrack::takes_surfaces) {
                picture.frame.share()?
            } else {
                scaler.run(&downloads.take(&picture.frame)?)?
            },
            ..picture
        };
        smaller.send(&scaled)?;
        if let Some(encoding) = track.as_mut().filter(|_| wanted)
            && let Err(refusal) = encoding.encode(&scaled, &outputs)
        {
            let fault = error::output_refused("encode", &encode.name, &refusal);
            encoding.tell(&fault);
            outputs.fail(&fault);
            *track = None;
        }
    }
    // The smaller ones learn of the end now, so that all encoders empty themselves side by side.
    drop(smaller);
    let wanted = is_wanted(track);
    match track {
        Some(track) if wanted && whole() => track.finish(&outputs),
        _ => Ok(()),
    }
}
