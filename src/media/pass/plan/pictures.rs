//! Video encodes: their sizes, and their order in the scaling cascade.

use crate::media::ladder;
use crate::media::ladder::Rung;
use crate::media::pass::plan::Plan;
use crate::media::pass::plan::VideoEncode;
use crate::media::pass::plan::Want;
use crate::media::spec::GroupSpec;
use crate::media::spec::OutputSpec;
use crate::media::spec::VideoCodec;
use crate::media::spec::VideoSpec;

impl Plan {
    pub(super) fn video_of(&mut self, encode: VideoEncode) -> usize {
        let same = |known: &VideoEncode| {
            known.spec == encode.spec && (known.width, known.height) == (encode.width, encode.height)
        };
        self.videos.iter().position(same).unwrap_or_else(|| {
            self.videos.push(encode);
            self.videos.len() - 1
        })
    }

    pub(super) fn order_cascade(&mut self) {
        let mut order: Vec<usize> = (0..self.videos.len()).collect();
        order.sort_by_key(|index| {
            let video = &self.videos[*index];
            // Copies stand behind all that are scaled.
            let is_copy = video.spec.codec == VideoCodec::Copy;
            (
                is_copy,
                std::cmp::Reverse(u64::from(video.width) * u64::from(video.height)),
            )
        });
        let videos: Vec<VideoEncode> = order.iter().map(|index| self.videos[*index].clone()).collect();
        self.videos = videos;
        for output in &mut self.outputs {
            output.video = output
                .video
                .and_then(|old| order.iter().position(|index| *index == old));
        }
    }
}

pub(super) fn with_sizes(group: &GroupSpec, display: (u32, u32), dropped: &mut Vec<String>) -> Vec<Want> {
    let with_video: Vec<(&OutputSpec, &VideoSpec)> = group
        .outputs
        .iter()
        .filter_map(|output| output.video.as_ref().map(|video| (output, video)))
        .collect();
    let is_copy = |video: &VideoSpec| video.codec == VideoCodec::Copy;
    let rungs: Vec<(&str, &VideoSpec)> = with_video
        .iter()
        .filter(|(_, video)| !is_copy(video))
        .map(|(output, video)| (output.name.as_str(), *video))
        .collect();
    let mut wants = Vec::new();
    let mut sizes = ladder::resolve(display, &rungs).into_iter();
    for (output, video) in &with_video {
        // A copy has the source's coded size, which is filled in when all is planned.
        let copied = Rung::Made { width: 0, height: 0 };
        let rung = if is_copy(video) { Some(copied) } else { sizes.next() };
        let Some(rung) = rung else { continue };
        match rung {
            Rung::Made { width, height } => wants.push(Want {
                name: output.name.clone(),
                video: Some((
                    VideoSpec {
                        width: None,
                        height: None,
                        long_short: true,
                        upscale: false,
                        ..(*video).clone()
                    },
                    width,
                    height,
                )),
                audio: output.audio.clone(),
                rendition: output.rendition.clone().unwrap_or_default(),
                fell_back: false,
            }),
            Rung::Dropped { reason } => dropped.push(reason),
        }
    }
    wants
}
