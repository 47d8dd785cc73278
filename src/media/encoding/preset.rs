//! x264's preset names in the terms of other encoders.
//!
//! Guarantees: pure; slower names never come to faster settings. Deliberately absent: which names there are, which
//! `spec_check` holds.

/// Place of a name between the fastest (0) and the slowest (8); unknown ones are taken for `medium`.
fn step(name: &str) -> usize {
    match name {
        "ultrafast" => 0,
        "superfast" => 1,
        "veryfast" => 2,
        "faster" => 3,
        "fast" => 4,
        "slow" => 6,
        "slower" => 7,
        "veryslow" => 8,
        _ => 5,
    }
}

/// SVT-AV1's preset number.
pub fn svt_av1(name: &str) -> u32 {
    [12, 11, 10, 9, 8, 6, 5, 4, 3][step(name)]
}

/// libaom's `cpu-used`.
pub fn aom(name: &str) -> u32 {
    [8, 8, 7, 6, 6, 5, 4, 3, 2][step(name)]
}

/// libvpx's `deadline` and `cpu-used` for VP9. The two fastest are of its realtime kind.
pub fn vpx(name: &str) -> (&'static str, u32) {
    [
        ("realtime", 8),
        ("realtime", 6),
        ("good", 5),
        ("good", 4),
        ("good", 3),
        ("good", 2),
        ("good", 1),
        ("good", 0),
        ("good", 0),
    ][step(name)]
}

/// NVENC's preset number, of P1 (fastest) to P7.
pub fn nvenc(name: &str) -> u32 {
    [1, 1, 2, 3, 3, 4, 5, 6, 7][step(name)]
}

/// Whether a name is worth what costs NVENC time beyond its preset: looking ahead, and spreading bits within pictures.
pub fn is_careful(name: &str) -> bool {
    step(name) >= step("slow")
}

#[cfg(test)]
mod tests {
    use super::aom;
    use super::is_careful;
    use super::nvenc;
    use super::svt_av1;
    use crate::media::spec_check::PRESETS;

    #[test]
    fn slower_names_are_never_faster() {
        let svt: Vec<u32> = PRESETS.iter().map(|name| svt_av1(name)).collect();
        let aom: Vec<u32> = PRESETS.iter().map(|name| aom(name)).collect();
        assert!(svt.is_sorted_by(|one, other| one > other), "{svt:?}");
        assert!(aom.is_sorted_by(|one, other| one >= other), "{aom:?}");
        let nvenc: Vec<u32> = PRESETS.iter().map(|name| nvenc(name)).collect();
        assert!(
            nvenc.is_sorted() && nvenc.iter().all(|number| (1..=7).contains(number)),
            "{nvenc:?}"
        );
        let careful = PRESETS.iter().filter(|name| is_careful(name)).count();
        assert_eq!(careful, 3, "slow, slower, veryslow");
    }
}
