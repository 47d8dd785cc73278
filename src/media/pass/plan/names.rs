//! Names that a definition leaves open, or that would stand twice.

use crate::media::pass::plan::GroupPlan;
use crate::media::pass::plan::Want;
use crate::media::spec::GroupKind;

/// Sound that stands for a rung without pictures is not called `1080p`.
pub(super) fn name_sound(wants: &mut [Want]) {
    for index in 0..wants.len() {
        if wants[index].fell_back {
            let taken = |name: &str| wants.iter().any(|want| want.name == name);
            wants[index].name = unique("audio", &taken);
        }
    }
}

pub(super) fn set_name(name: &str, before: &[GroupPlan]) -> String {
    let wanted = if name.is_empty() { "hls" } else { name };
    unique(wanted, &|name| {
        before
            .iter()
            .any(|group| group.set_name == name && group.kind == GroupKind::Hls)
    })
}

pub(super) fn unique(name: &str, taken: &dyn Fn(&str) -> bool) -> String {
    if !taken(name) {
        return name.to_owned();
    }
    let mut number = 2;
    loop {
        let candidate = format!("{name}-{number}");
        if !taken(&candidate) {
            return candidate;
        }
        number += 1;
    }
}
