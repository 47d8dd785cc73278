//! The device's part in one pass.
//!
//! Guarantees: nothing is opened on the device where nothing of a pass is for it. Deliberately absent: threads.

use crate::base::fault::Fault;
use crate::media::av::Parameters;
use crate::media::av::PixelFormat;
use crate::media::encoding::nvenc;
use crate::media::error;
use crate::media::facts::MediaFacts;
use crate::media::grading;
use crate::media::grading::Between;
use crate::media::pass::glance::Glance;
use crate::media::pass::gpu::decoder::GpuDecoder;
use crate::media::pass::gpu::hardware::Device;
use crate::media::pass::gpu::hardware::Hardware;
use crate::media::pass::gpu::mode;
use crate::media::pass::gpu::mode::Choice;
use crate::media::pass::gpu::mode::Mode;
use crate::media::pass::grade::Grade;
use crate::media::pass::plan::Plan;
use crate::media::pass::plan::VideoEncode;
use crate::media::spec::Backend;
use crate::media::spec::VideoCodec;
use std::sync::Arc;

const OPERATION: &str = "open the encoder";

/// What decides the device's part.
pub struct Question<'a> {
    /// What is made.
    pub plan: &'a Plan,
    /// By video encode.
    pub grades: &'a [Grade],
    /// Of the source.
    pub facts: &'a MediaFacts,
    /// Of its pictures, as the container and the first packets say them.
    pub parameters: Option<&'a Parameters>,
    /// At its first pictures.
    pub glance: &'a Glance,
    /// Others are joined to it.
    pub is_joined: bool,
    /// Captions inside its pictures are wanted as text.
    pub reads_captions: bool,
    /// Pictures are wanted for other things than encodes.
    pub has_taps: bool,
    /// The source, for messages.
    pub name: &'a str,
}

/// Where a pass works.
#[derive(Debug, Clone)]
pub struct Work {
    choice: Choice,
    device: Option<Arc<Device>>,
    policy: Backend,
}

impl Work {
    /// Decides it. The fault is for a policy that demands the device.
    pub fn choose(hardware: &Hardware, question: &Question<'_>) -> Result<Self, Fault> {
        let policy = hardware.policy();
        let software = |reason: Option<String>| Work {
            choice: Choice::software(reason),
            device: None,
            policy,
        };
        let is_made = |video: &VideoEncode| video.spec.codec != VideoCodec::Copy;
        let is_wanted = question.has_taps || question.plan.videos.iter().any(is_made);
        if question.facts.main_video().is_none() || !is_wanted {
            return Ok(software(None));
        }
        let device = match hardware.device(question.name)? {
            Ok(device) => device,
            Err(reason) => return Ok(software(reason)),
        };
        let decodes = match question.parameters {
            Some(parameters) => GpuDecoder::supports(parameters, question.is_joined, false, &device.facts),
            None => Err("its pictures are not described".to_owned()),
        };
        let is_launchable = is_launchable(question.glance, question.grades);
        let decodes = match question.reads_captions {
            true => Err("closed captions are read in software".to_owned()),
            false => decodes,
        };
        let decodes = mode::fits(decodes, question.glance.fields, is_launchable);
        let encoders = question.plan.videos.iter().map(|video| {
            is_made(video).then(|| nvenc::supports(&video.spec, (video.width, video.height), &device.facts))
        });
        let choice = Choice::make(decodes, encoders.collect());
        let device = (choice.mode != Mode::Software).then_some(device);
        Ok(Work { choice, device, policy })
    }

    /// Nothing on the device, without a reason.
    pub fn software() -> Self {
        Work {
            choice: Choice::software(None),
            device: None,
            policy: Backend::Software,
        }
    }

    /// The same for some of the video encodes, by their numbers.
    pub fn of(&self, chosen: &[usize]) -> Self {
        Work {
            choice: self.choice.of(chosen),
            ..self.clone()
        }
    }

    /// The device, where any stage is on it.
    pub fn device(&self) -> Option<&Arc<Device>> {
        self.device.as_ref().filter(|_| self.choice.mode != Mode::Software)
    }

    /// The device that decodes.
    pub fn decoding_device(&self) -> Option<&Arc<Device>> {
        self.device().filter(|_| self.choice.decodes())
    }

    /// The device that makes a video encode; the fault is for one that it cannot make though it is demanded.
    pub fn encoding_device(&self, index: usize, name: &str) -> Result<Option<&Arc<Device>>, Fault> {
        match self.choice.why_not(index) {
            Some(why) if self.policy == Backend::Gpu => Err(error::backend_unavailable(
                OPERATION,
                name,
                format!("the GPU was demanded and does not make this rendition: {why}"),
                "Use `backend = \"auto\"` (`--backend auto`), a codec that `reelmill check` lists for the \
                 device, or a device with NVENC.",
            )),
            _ => Ok(self.device().filter(|_| self.choice.encodes(index))),
        }
    }

    /// Whether the device's encoder makes a video encode.
    pub fn encodes(&self, index: usize) -> bool {
        self.choice.encodes(index)
    }

    /// The device refused a session; whether the encode may be made in software. It is from here on.
    pub fn settle(&mut self, index: usize, fault: &Fault) -> bool {
        if self.policy != Backend::Auto || !error::is_of_device(fault) {
            return false;
        }
        tracing::debug!(index, cause = fault.cause, "the rendition is encoded in software");
        self.choice.settle(index, &fault.cause);
        true
    }

    /// How it is carried out.
    pub fn mode(&self) -> Mode {
        self.choice.mode
    }

    /// Why not all of it is on the device.
    pub fn reason(&self) -> Option<String> {
        self.choice.reason.clone()
    }
}

/// Whether launches bring pictures of a source to all grades of a plan, and to those of picture jobs.
pub fn is_launchable(glance: &Glance, grades: &[Grade]) -> bool {
    let (width, height) = glance.display;
    let mut aims = vec![grading::sdr_of(glance.color, width, height)];
    if grades.iter().any(|grade| grade.is_hdr) {
        aims.push(grading::hdr_of(glance.color));
    }
    let format = glance.format.without_range().0;
    aims.into_iter()
        .all(|aim| grading::between(glance.color, format, aim) != Between::Other)
        && format != PixelFormat::NONE
}
