//! The names of everything that the activities of a workflow will make, before anything is made.
//!
//! Guarantees: spells groups and containers as the engine does when a definition leaves them open. Deliberately
//! absent: numbers and versions, which never make two different outputs equal.

use crate::base::clock::UtcMs;
use crate::media::product::Place;
use crate::media::spec::Container;
use crate::media::spec::GroupKind;
use crate::media::spec::MediaWork;
use crate::media::spec::RUNG_HEIGHTS;
use crate::media::spec::SnapshotMode;
use crate::media::spec::set_names;
use crate::workflow::naming::NameFacts;
use crate::workflow::naming::PathTemplate;
use crate::workflow::resolved::Activity;
use std::collections::BTreeMap;

/// Two outputs of one task that a path cannot tell apart, in words.
pub fn same_key(path: &PathTemplate, activities: &[Activity]) -> Option<(String, String)> {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for activity in activities {
        for output in outputs_of(activity, None) {
            let facts = NameFacts {
                source_key: "folder/source.mov",
                prefix: None,
                name: &output.name,
                extension: output.extension,
                group: &output.group,
                activity: &activity.id,
                template: activity.template.as_deref(),
                media: "media",
                task: "task",
                // Every activity is a job of its own.
                job: &activity.id,
                task_created_at: UtcMs(0),
            };
            let key = path.names(&facts).ok()?.key(&Place::Main);
            let words = format!("{}{} of activity {:?}", output.name, output.extension, activity.id);
            if let Some(other) = seen.insert(key, words.clone()) {
                return Some((other, words));
            }
        }
    }
    None
}

/// What one output will be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputToBe {
    /// Its output group; may be empty.
    pub group: String,
    /// Name of the product.
    pub name: String,
    /// Extension of its main object, with its dot.
    pub extension: &'static str,
    /// It is several numbered files.
    pub numbered: bool,
    /// Whether there will be one is left to the source.
    pub perhaps: bool,
}

/// Everything an activity may make. `short_edge`: of the source's pictures, where it is known.
pub fn outputs_of(activity: &Activity, short_edge: Option<u32>) -> Vec<OutputToBe> {
    let one = |extension, numbered| {
        vec![OutputToBe {
            group: String::new(),
            name: activity.id.clone(),
            extension,
            numbered,
            perhaps: false,
        }]
    };
    match &activity.work {
        None | Some(MediaWork::Analysis) => Vec::new(),
        Some(MediaWork::Snapshot(spec)) => {
            let numbered = spec.mode == SnapshotMode::Sprite || !spec.is_lone();
            one(spec.format.extension(), numbered)
        }
        Some(MediaWork::DynamicImage(spec)) => one(spec.format.extension(), false),
        Some(MediaWork::Qc(_)) => one(".json", false),
        Some(MediaWork::Transcode(spec)) => {
            let mut all = Vec::new();
            for (group, set_name) in spec.groups.iter().zip(set_names(&spec.groups)) {
                let of_group = |name, extension, perhaps| OutputToBe {
                    group: group.name.clone(),
                    name,
                    extension,
                    numbered: false,
                    perhaps,
                };
                match group.kind {
                    GroupKind::Hls | GroupKind::Dash | GroupKind::Cmaf => {
                        all.push(of_group(set_name, group.kind.extension(), false));
                    }
                    GroupKind::File => all.extend(group.outputs.iter().flat_map(|output| {
                        let sound = output.audio.as_ref().map(|audio| audio.codec);
                        let usual = Container::usual(output.video.is_some(), sound);
                        let extension = group.container.unwrap_or(usual).extension();
                        // Rungs that the source decides are named by their size.
                        match (&group.ladder, &output.video) {
                            (Some(ladder), Some(_)) => rungs(ladder.max_height, short_edge)
                                .into_iter()
                                .map(|height| of_group(format!("{height}p"), extension, true))
                                .collect(),
                            _ => vec![of_group(output.name.clone(), extension, false)],
                        }
                    })),
                }
            }
            all
        }
    }
}

/// Short edges that rungs of a ladder left to the source may have, largest first.
fn rungs(max_height: Option<u32>, short_edge: Option<u32>) -> Vec<u32> {
    let Some(source) = short_edge else {
        return RUNG_HEIGHTS.to_vec();
    };
    let most = max_height.unwrap_or(source).min(source) & !1;
    std::iter::once(most)
        .chain(RUNG_HEIGHTS.into_iter().filter(|height| *height < most))
        .collect()
}
