//! Names that a definition leaves open, or that would stand twice.

use crate::media::pass::plan::Want;

/// Sound that stands for a rung without pictures is not called `1080p`.
pub(super) fn name_sound(wants: &mut [Want]) {
    for index in 0..wants.len() {
        if wants[index].fell_back {
            let taken = |name: &str| wants.iter().any(|want| want.name == name);
            wants[index].name = unique("audio", &taken);
        }
    }
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
