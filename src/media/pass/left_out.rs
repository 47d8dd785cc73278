//! What of a source the outputs of a job do not carry, in words.
//!
//! Guarantees: complete: streams, chapters, timecode, cover, tags. Deliberately absent: captions inside pictures, which
//! are known only once pictures were decoded.

use crate::media::av::PixelFormat;
use crate::media::facts::MediaFacts;
use crate::media::facts::StreamFacts;
use crate::media::facts::StreamKind;
use crate::media::pass::kept;
use crate::media::pass::plan::Form;
use crate::media::pass::plan::OutputPlan;
use crate::media::pass::plan::Plan;
use crate::media::spec::Container;
use crate::media::spec::MetadataRule;
use crate::media::spec::VideoCodec;
use std::collections::BTreeSet;

/// What the outputs of job number `job` leave out. `used`: the streams they are made of.
pub fn of(plan: &Plan, job: usize, facts: &MediaFacts, used: &BTreeSet<usize>) -> Vec<String> {
    let rule = plan.jobs[job].metadata;
    let outputs: Vec<&OutputPlan> = plan.outputs.iter().filter(|output| output.job == job).collect();
    let mut words: Vec<String> = facts
        .streams
        .iter()
        .filter(|stream| !is_taken(&outputs, facts, used, stream, rule))
        .map(|stream| stream_words(facts, stream))
        .collect();
    let without = |holds: fn(Container) -> bool| -> Vec<&str> {
        let lacking = outputs.iter().filter(|output| match &output.form {
            Form::File(container) => !holds(*container),
            Form::Segments(_) => output.video.is_some(),
            Form::Captions(_) => false,
        });
        lacking.map(|output| output.name.as_str()).collect()
    };
    let mut missing = |what: &str, outputs: Vec<&str>| {
        if !outputs.is_empty() {
            words.push(format!("{what}: {} without a place for it", outputs.join(", ")));
        }
    };
    if !facts.chapters.is_empty() && rule != MetadataRule::None {
        missing("chapters", without(kept::holds_chapters));
    }
    let lacks_cover = |output: &&&OutputPlan| {
        output.video.is_none() && matches!(&output.form, Form::File(container) if !kept::holds_cover(*container))
    };
    let covers: Vec<&StreamFacts> = facts.streams.iter().filter(|stream| is_cover(stream)).collect();
    if covers.iter().any(|cover| is_taken(&outputs, facts, used, cover, rule)) {
        let lacking = outputs.iter().filter(lacks_cover);
        missing("cover picture", lacking.map(|output| output.name.as_str()).collect());
    }
    if facts.timecode.is_some() && outputs.iter().any(|output| output.video.is_some()) {
        missing("timecode", without(kept::holds_timecode));
    }
    let encoded = outputs.iter().filter(|output| {
        let codec = output.video.map(|index| plan.videos[index].spec.codec);
        codec.is_some_and(|codec| codec != VideoCodec::Copy)
    });
    let encoded: Vec<&str> = encoded.map(|output| output.name.as_str()).collect();
    if !encoded.is_empty() {
        if let Some((words_of_it, shown)) = transparency(facts) {
            words.push(format!(
                "transparency ({words_of_it}): {} shown {shown}",
                encoded.join(", ")
            ));
        }
        if facts.main_video().is_some_and(|(_, video)| video.hdr == "dovi") {
            words.push(format!("Dolby Vision: {} made of its base layer", encoded.join(", ")));
        }
        let dynamic = facts.main_video().and_then(|(_, video)| video.dynamic_hdr.as_deref());
        if let Some(name) = dynamic {
            words.push(format!(
                "{name}: {} without what it says of each picture",
                encoded.join(", ")
            ));
        }
    }
    if rule == MetadataRule::None && !facts.chapters.is_empty() {
        words.push("chapters, because metadata = \"none\"".to_owned());
    }
    let (_, tags) = kept::tags(facts, rule);
    if !tags.is_empty() {
        words.push(format!("tags: {}", tags.join(", ")));
    }
    words
}

/// The pixel format of pictures that can be seen through, and what is shown; of GIF none, whose pictures always could.
fn transparency(facts: &MediaFacts) -> Option<(String, &'static str)> {
    let (stream, video) = facts.main_video()?;
    if video.alpha_beside {
        return Some((format!("beside the {}", stream.codec_name), "with what lies under it"));
    }
    let may_show = stream.codec_name != "gif" && !video.is_opaque;
    let format = video.pixel_format.clone().filter(|_| may_show)?;
    PixelFormat::named(&format)
        .filter(|format| format.has_alpha())
        .map(|_| ())?;
    Some((format, "before black"))
}

fn is_cover(stream: &StreamFacts) -> bool {
    matches!(&stream.kind, StreamKind::Video(video) if video.attached_picture)
}

fn is_taken(
    outputs: &[&OutputPlan],
    facts: &MediaFacts,
    used: &BTreeSet<usize>,
    stream: &StreamFacts,
    rule: MetadataRule,
) -> bool {
    match &stream.kind {
        StreamKind::Video(video) if video.attached_picture => {
            let holds = |output: &&OutputPlan| {
                output.video.is_none() && matches!(&output.form, Form::File(container) if kept::holds_cover(*container))
            };
            rule != MetadataRule::None && outputs.iter().any(holds)
        }
        // The track of the timecode itself; the timecode is told of below.
        StreamKind::Data if stream.codec_tag_string == "tmcd" => facts.timecode.is_some(),
        // The track of the chapters' names; chapters are told of above.
        StreamKind::Data => stream.codec_tag_string == "text" && !facts.chapters.is_empty(),
        StreamKind::Video(_) | StreamKind::Audio(_) | StreamKind::Subtitle => used.contains(&stream.index),
    }
}

fn stream_words(facts: &MediaFacts, stream: &StreamFacts) -> String {
    let kind = match &stream.kind {
        StreamKind::Video(video) if video.attached_picture => "cover picture",
        StreamKind::Video(_) => "video",
        StreamKind::Audio(_) => "audio",
        StreamKind::Subtitle => "subtitle",
        StreamKind::Data if matches!(stream.codec_name.as_str(), "ttf" | "otf") => "attached font",
        StreamKind::Data => "data",
    };
    let language = stream.language.as_deref().map(|l| format!(", {l}")).unwrap_or_default();
    let why = if !facts.is_of_main_program(stream) {
        ", of another programme"
    } else if stream.decodable || matches!(stream.kind, StreamKind::Subtitle | StreamKind::Data) {
        ""
    } else {
        ", not decodable"
    };
    format!("stream {}: {kind} ({}{language}{why})", stream.index, stream.codec_name)
}
