//! Output rows as facts tell them.
//!
//! Guarantees: an output, the group it belongs to and the job it comes from are told with the same ids whoever tells
//! them; what is missing is told as missing. Deliberately absent: events (`telling`).

use super::error::StoreError;
use super::jobs::JobRow;
use super::outputs::OutputRow;
use crate::base::ids::OutputId;
use crate::events::CoverCandidate;
use crate::events::Detail;
use crate::events::made::FileBrief;
use crate::events::made::MadeOutput;
use crate::events::made::MadeRendition;
use crate::media::product::ProductKind;
use crate::media::spec::GroupKind;
use crate::media::spec::MediaWork;
use crate::media::spec::SnapshotMode;
use crate::objects::uri::ObjectUri;
use crate::workflow::resolved::Activity;
use rusqlite::Connection;

/// What a transcode made and what is missing of it, in the order of the definition as far as it was made.
pub(super) fn of_transcode(activity: &Activity, job: &JobRow, outputs: &[OutputRow]) -> Vec<MadeOutput> {
    let mut made: Vec<MadeOutput> = outputs.iter().map(published).collect();
    if let Some(MediaWork::Transcode(spec)) = &activity.work
        && outputs.is_empty()
    {
        for group in &spec.groups {
            let name = group.kind.event_name(&group.name);
            made.extend(
                group
                    .outputs
                    .iter()
                    .map(|output| missing(&output.name, &name, kind_of(group.kind))),
            );
        }
    } else if let Some(result) = &job.result {
        // An activity that takes what it gets: what it did not get is told, too.
        made.extend(result.failed_outputs.iter().map(|failed| MadeOutput {
            fault: Some(failed.fault.clone()),
            ..missing(&failed.name, &group_of(activity, &failed.group), ProductKind::File)
        }));
    }
    made
}

/// Outputs, then their groups, then the transcode.
pub(super) fn transcode_details(outputs: &[OutputRow], made: Vec<MadeOutput>) -> Vec<Detail> {
    let mut details = Vec::new();
    let mut groups: Vec<(OutputId, String, bool)> = Vec::new();
    for (at, output) in made.iter().enumerate() {
        let row = outputs.get(at).filter(|row| row.id == output.id);
        match row {
            Some(row) => details.extend(output_details(row)),
            None => details.push(Detail::OutputEnded {
                output: output.id.clone(),
                name: output.name.clone(),
                group: output.group.clone(),
                object: None,
                size_bytes: 0,
                md5: None,
                facts: None,
                fault: output.fault.clone(),
            }),
        }
        match groups.iter_mut().find(|(_, name, _)| *name == output.group) {
            Some((_, _, ok)) => *ok |= row.is_some(),
            None => {
                let id = row.and_then(|row| row.group.clone()).unwrap_or_else(OutputId::fresh);
                groups.push((id, output.group.clone(), row.is_some()));
            }
        }
    }
    details.extend(
        groups
            .into_iter()
            .map(|(group, name, ok)| Detail::OutputGroupEnded { group, name, ok }),
    );
    details.push(Detail::TranscodeEnded { outputs: made });
    details
}

/// A file is one output; a set is one for each of its renditions.
fn output_details(output: &OutputRow) -> Vec<Detail> {
    if output.detail.renditions.is_empty() {
        return vec![Detail::OutputEnded {
            output: output.id.clone(),
            name: output.name.clone(),
            group: output.group_name.clone(),
            object: Some(output.main.clone()),
            size_bytes: output.size_bytes,
            md5: output.md5.clone(),
            facts: output.detail.facts.clone().map(Box::new),
            fault: None,
        }];
    }
    let renditions = output.detail.renditions.iter();
    renditions
        .map(|rendition| Detail::OutputEnded {
            output: rendition.id.clone(),
            name: rendition.name.clone(),
            group: output.group_name.clone(),
            object: Some(ObjectUri::new(output.main.storage.clone(), rendition.key.clone())),
            size_bytes: rendition.size_bytes,
            md5: None,
            facts: Some(Box::new(rendition.facts.clone())),
            fault: None,
        })
        .collect()
}

fn published(output: &OutputRow) -> MadeOutput {
    MadeOutput {
        id: output.id.clone(),
        name: output.name.clone(),
        group: output.group_name.clone(),
        kind: output.kind,
        object: Some(output.main.clone()),
        size_bytes: output.size_bytes,
        md5: output.md5.clone(),
        file: output
            .detail
            .facts
            .as_ref()
            .filter(|_| output.detail.renditions.is_empty())
            .map(|facts| Box::new(FileBrief::from(facts))),
        renditions: output
            .detail
            .renditions
            .iter()
            .map(|rendition| MadeRendition {
                id: rendition.id.clone(),
                name: rendition.name.clone(),
                object: ObjectUri::new(output.main.storage.clone(), rendition.key.clone()),
                size_bytes: rendition.size_bytes,
                file: Box::new(FileBrief::from(&rendition.facts)),
            })
            .collect(),
        fault: None,
    }
}

fn missing(name: &str, group: &str, kind: ProductKind) -> MadeOutput {
    MadeOutput {
        id: OutputId::fresh(),
        name: name.to_owned(),
        group: group.to_owned(),
        kind,
        object: None,
        size_bytes: 0,
        md5: None,
        file: None,
        renditions: Vec::new(),
        fault: None,
    }
}

/// Name of a group in events; `written` is its name in the definition.
fn group_of(activity: &Activity, written: &str) -> String {
    match &activity.work {
        Some(MediaWork::Transcode(spec)) => spec
            .groups
            .iter()
            .find(|group| group.name == written)
            .map_or_else(|| written.to_owned(), |group| group.kind.event_name(&group.name)),
        _ => written.to_owned(),
    }
}

fn kind_of(kind: GroupKind) -> ProductKind {
    match kind {
        GroupKind::File => ProductKind::File,
        GroupKind::Hls => ProductKind::Hls,
        GroupKind::Dash => ProductKind::Dash,
        GroupKind::Cmaf => ProductKind::Cmaf,
    }
}

/// Stills or a sprite.
pub(super) fn snapshot(
    connection: &Connection,
    activity: &Activity,
    job: &JobRow,
    outputs: &[OutputRow],
) -> Result<Detail, StoreError> {
    let sprite = matches!(&activity.work, Some(MediaWork::Snapshot(spec)) if spec.mode == SnapshotMode::Sprite);
    let main = outputs
        .iter()
        .find(|output| matches!(output.kind, ProductKind::Stills | ProductKind::Sprite));
    let in_storage = |key: &Option<String>| {
        let output = main?;
        key.clone().map(|key| ObjectUri::new(output.main.storage.clone(), key))
    };
    Ok(Detail::SnapshotEnded {
        snapshot_type: if sprite { "Sprite" } else { "Normal" }.to_owned(),
        count: main.and_then(|output| output.detail.picture_count).unwrap_or(0),
        object: main.and_then(|output| in_storage(&output.detail.pattern).or_else(|| Some(output.main.clone()))),
        webvtt: main.and_then(|output| in_storage(&output.detail.webvtt)),
        file_count: match main {
            Some(output) => u32::try_from(numbered_keys(connection, output)?.len()).unwrap_or(u32::MAX),
            None => 0,
        },
        times_s: job.result.as_ref().map_or_else(Vec::new, |result| {
            result.stills.iter().map(|still| still.time_s).collect()
        }),
    })
}

/// The stills of a cover, best first.
pub(super) fn covers(
    connection: &Connection,
    job: &JobRow,
    outputs: &[OutputRow],
) -> Result<Vec<CoverCandidate>, StoreError> {
    let Some(output) = outputs.iter().find(|output| output.kind == ProductKind::Stills) else {
        return Ok(Vec::new());
    };
    let mut keys = numbered_keys(connection, output)?;
    if keys.is_empty() {
        keys.push(output.main.key.clone());
    }
    let marks = job.result.as_ref().map_or(&[][..], |result| result.stills.as_slice());
    let mut candidates: Vec<CoverCandidate> = keys
        .into_iter()
        .enumerate()
        .map(|(at, key)| {
            let mark = marks.get(at);
            CoverCandidate {
                score: mark.and_then(|mark| mark.score).unwrap_or(0.0),
                time_ms: mark.map_or(0.0, |mark| mark.time_s * 1000.0),
                object: ObjectUri::new(output.main.storage.clone(), key),
            }
        })
        .collect();
    candidates.sort_by(|left, right| right.score.total_cmp(&left.score));
    Ok(candidates)
}

/// Keys of an output's numbered files, in their order; none: it has no numbers.
pub(super) fn numbered_keys(connection: &Connection, output: &OutputRow) -> Result<Vec<String>, StoreError> {
    const SQL: &str = "select key from output_files where output_id = ?1 order by ordinal";
    let Some((before, after)) = output
        .detail
        .pattern
        .as_deref()
        .and_then(|pattern| pattern.split_once("{Count}"))
    else {
        return Ok(Vec::new());
    };
    // A pattern may place its number twice; the first place tells.
    let after = after.rsplit("{Count}").next().unwrap_or(after);
    let mut statement = connection.prepare_cached(SQL)?;
    let keys = statement.query_map([output.id.as_str()], |row| row.get::<_, String>(0))?;
    let mut numbered = Vec::new();
    for key in keys {
        let key = key?;
        let rest = key.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
        if rest.is_some_and(|rest| {
            rest.get(..5)
                .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
        }) {
            numbered.push(key);
        }
    }
    Ok(numbered)
}
