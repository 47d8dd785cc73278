//! Outputs of a set: a folder for the pictures of each variant, shared folders for what variants share.

use crate::media::pass::plan::Form;
use crate::media::pass::plan::GroupPlan;
use crate::media::pass::plan::OutputPlan;
use crate::media::pass::plan::Plan;
use crate::media::pass::plan::Variant;
use crate::media::pass::plan::Want;
use crate::media::pass::plan::names::unique;
use crate::media::spec::GroupSpec;

impl Plan {
    /// A variant's pictures have a folder of their own; its sound is shared with all that want the same.
    pub(super) fn add_variant(
        &mut self,
        at: (usize, usize),
        group: &GroupSpec,
        want: &Want,
        (video, sound): (Option<usize>, Option<usize>),
        wants: &[Want],
        planned: &mut GroupPlan,
    ) {
        let mut add = |plan: &mut Plan, folder: String, video, audio: Option<usize>| {
            plan.outputs.push(OutputPlan {
                job: at.0,
                group: at.1,
                name: folder.clone(),
                form: Form::Segments {
                    folder,
                    segment_s: group.segment_s,
                },
                video,
                audios: Option::into_iter(audio).collect(),
                texts: Vec::new(),
            });
            planned.outputs.push(plan.outputs.len() - 1);
            plan.outputs.len() - 1
        };
        let video_output = video.map(|video| add(self, want.name.clone(), Some(video), None));
        let audio_output = sound.map(|sound| {
            let shared = self.outputs.iter().position(|output| {
                (output.job, output.group) == at && output.video.is_none() && output.audios == [sound]
            });
            shared.unwrap_or_else(|| {
                let taken = |name: &str| {
                    wants.iter().any(|want| want.video.is_some() && want.name == name)
                        || self
                            .outputs
                            .iter()
                            .any(|output| (output.job, output.group) == at && output.name == name)
                };
                let folder = unique("audio", &taken);
                add(self, folder, None, Some(sound))
            })
        });
        planned.variants.push(Variant {
            name: want.name.clone(),
            video: video_output,
            audio: audio_output,
        });
    }
}
