//! The order of an attempt over a media, before it has jobs.
//!
//! Guarantees: what the source was when it arrived goes along, so that another content is never taken for it.
//! Deliberately absent: what shall be made, and with which hardware.

use crate::base::ids::AttemptId;
use crate::base::ids::TaskId;
use crate::executor::AttemptOrder;
use crate::executor::Identity;
use crate::media::spec::Backend;
use crate::media::spec::MediaWork;
use crate::media::spec::SubtitleSpec;
use crate::objects::uri::ObjectUri;
use crate::scheduler::context::Context;
use crate::store::media::MediaRow;
use crate::store::media::Source;

/// An order over `media` that asks for nothing yet.
pub(super) fn over(context: &Context, attempt: AttemptId, task: TaskId, media: &MediaRow) -> AttemptOrder {
    AttemptOrder {
        attempt,
        task,
        jobs: Vec::new(),
        source: media.source.object.clone(),
        identity: identity(&media.source),
        parts: media.parts.clone(),
        threads: 0,
        backend: Backend::Auto,
        device: None,
        limits: context.options.limits.clone(),
    }
}

/// What a job makes of a media, the subtitles beside it among its tracks.
pub(super) fn work_over(work: &MediaWork, media: &MediaRow) -> MediaWork {
    let mut work = work.clone();
    let beside = media.parts.iter().flat_map(|parts| &parts.subtitles);
    if let MediaWork::Transcode(spec) = &mut work {
        for text in beside {
            let source = ObjectUri::new(&media.source.object.storage, &text.key).to_string();
            if !spec.subtitles.iter().any(|known| known.source == source) {
                spec.subtitles.push(SubtitleSpec {
                    source,
                    language: (!text.language.is_empty()).then(|| text.language.clone()),
                });
            }
        }
    }
    work
}

/// What tells the content of a source from another.
pub(super) fn identity(source: &Source) -> Identity {
    Identity {
        size_bytes: source.size_bytes,
        mtime_ns: source.mtime_ns,
        etag: source.etag.clone(),
    }
}
