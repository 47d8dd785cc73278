//! libav: its version, and the codecs and filters the work needs; libvmaf, which nothing needs.
//!
//! Guarantees: a missing codec is told with the work that needs it. Deliberately absent: trying them.

use crate::cli::check::finding::Finding;
use crate::media::av::inventory;
use crate::media::vmaf::Library;

/// Encoders, with what needs them.
const ENCODERS: [(&str, &str); 4] = [
    ("libx264", "H.264 renditions"),
    ("aac", "AAC sound"),
    ("gif", "GIF previews"),
    ("libwebp_anim", "animated WebP previews"),
];

/// Encoders that only some definitions ask for, any of each line, with the codec as definitions write it.
const CHOSEN_ENCODERS: [(&[&str], &str); 6] = [
    (&["libx265"], "hevc"),
    (&["libsvtav1", "libaom-av1"], "av1"),
    (&["libvpx-vp9"], "vp9"),
    (&["prores_ks"], "prores"),
    (&["dnxhd"], "dnxhr"),
    (&["mpeg2video"], "mpeg2"),
];

/// Decoders of what studios deliver.
const DECODERS: [&str; 8] = [
    "h264",
    "hevc",
    "prores",
    "dnxhd",
    "mpeg2video",
    "vp9",
    "aac",
    "pcm_s24le",
];

/// Filters of the pass.
const FILTERS: [&str; 3] = ["scale", "bwdif", "aresample"];

/// Looks at the libraries.
pub fn look(findings: &mut Vec<Finding>) {
    let versions = inventory::versions().join(", ");
    let mut missing: Vec<String> = Vec::new();
    for (name, work) in ENCODERS {
        if !inventory::has_encoder(name) {
            missing.push(format!("encoder {name} ({work})"));
        }
    }
    missing.extend(
        DECODERS
            .iter()
            .filter(|name| !inventory::has_decoder(name))
            .map(|name| format!("decoder {name}")),
    );
    missing.extend(
        FILTERS
            .iter()
            .filter(|name| !inventory::has_filter(name))
            .map(|name| format!("filter {name}")),
    );
    let unwritten: Vec<&str> = CHOSEN_ENCODERS
        .iter()
        .filter(|(names, _)| !names.iter().any(|name| inventory::has_encoder(name)))
        .map(|(_, codec)| *codec)
        .collect();
    if !unwritten.is_empty() {
        findings.push(Finding::note(
            "libav",
            format!(
                "no encoder for codec = {}; outputs that ask for it fail",
                unwritten.join(", ")
            ),
            "Install the distribution's whole libavcodec (Debian: libavcodec-extra) if a workflow is to write it.",
        ));
    }
    findings.push(match Library::of_host() {
        Ok(library) => Finding::good("libvmaf", library.words()),
        Err(why) => Finding::good(
            "libvmaf",
            format!("none, so VMAF is not measured where it is asked for ({why})"),
        ),
    });
    findings.push(if missing.is_empty() {
        Finding::good("libav", versions)
    } else {
        Finding::broken(
            "libav",
            format!("{versions}; missing: {}", missing.join(", ")),
            "Install the distribution's whole libavcodec (Debian: libavcodec-extra), or a release package of reelmill, which brings its own.",
        )
    });
}
