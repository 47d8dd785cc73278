//! The names of everything that the activities of a workflow will make, before anything is made.
//!
//! Guarantees: spells groups and containers as the engine does when a definition leaves them open. Deliberately
//! absent: numbers and versions, which never make two different outputs equal.

use crate::base::clock::UtcMs;
use crate::media::product::Place;
use crate::media::spec::Container;
use crate::media::spec::GroupKind;
use crate::media::spec::MediaWork;
use crate::media::spec::set_names;
use crate::workflow::naming::NameFacts;
use crate::workflow::naming::PathTemplate;
use crate::workflow::resolved::Activity;
use std::collections::BTreeMap;

/// Two outputs of one task that a path cannot tell apart, in words.
pub fn same_key(path: &PathTemplate, activities: &[Activity]) -> Option<(String, String)> {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for activity in activities {
        for (group, name, extension) in outputs_of(activity) {
            let facts = NameFacts {
                source_key: "folder/source.mov",
                prefix: None,
                name: &name,
                extension,
                group: &group,
                activity: &activity.id,
                template: activity.template.as_deref(),
                media: "media",
                task: "task",
                // Every activity is a job of its own.
                job: &activity.id,
                task_created_at: UtcMs(0),
            };
            let key = path.names(&facts).ok()?.key(&Place::Main);
            let words = format!("{name}{extension} of activity {:?}", activity.id);
            if let Some(other) = seen.insert(key, words.clone()) {
                return Some((other, words));
            }
        }
    }
    None
}

/// Group, name and extension of everything an activity makes.
fn outputs_of(activity: &Activity) -> Vec<(String, String, &'static str)> {
    let one = |extension| vec![(String::new(), activity.id.clone(), extension)];
    match &activity.work {
        None | Some(MediaWork::Analysis) => Vec::new(),
        Some(MediaWork::Snapshot(spec)) => one(spec.format.extension()),
        Some(MediaWork::DynamicImage(spec)) => one(spec.format.extension()),
        Some(MediaWork::Qc(_)) => one(".json"),
        Some(MediaWork::Transcode(spec)) => {
            let mut all = Vec::new();
            for (group, set_name) in spec.groups.iter().zip(set_names(&spec.groups)) {
                match group.kind {
                    GroupKind::Hls | GroupKind::Dash | GroupKind::Cmaf => {
                        all.push((group.name.clone(), set_name, group.kind.extension()));
                    }
                    GroupKind::File => all.extend(group.outputs.iter().map(|output| {
                        let sound = output.audio.as_ref().map(|audio| audio.codec);
                        let usual = Container::usual(output.video.is_some(), sound);
                        let container = group.container.unwrap_or(usual);
                        (group.name.clone(), output.name.clone(), container.extension())
                    })),
                }
            }
            all
        }
    }
}
