//! NVIDIA devices: what each can do, and what is missing for it.
//!
//! Guarantees: looked at in a process of its own, so that a driver that crashes or hangs is a finding; nothing found
//! here is fatal, since all of it can be done in software; a host without a card gets one line. Deliberately absent:
//! loading a driver into this process, and trying an encode.

use crate::base::fault::Fault;
use crate::cli::check::finding::Finding;
use crate::media::cuda::library;
use crate::media::device_report::DecodeAbility;
use crate::media::device_report::DeviceFacts;
use crate::media::device_report::DeviceReport;
use crate::media::device_report::EncodeAbility;
use crate::media::device_report::MissingPiece;
use crate::worker::device_look;
use crate::worker::device_look::DeviceLook;
use crate::worker::environment::DeviceEnvironment;

const GIB: f64 = (1_u64 << 30) as f64;

/// Looks at the devices. The report is none when the driver did not let itself be looked at.
pub fn look(findings: &mut Vec<Finding>) -> Option<DeviceReport> {
    match ask() {
        Ok(report) => {
            findings.extend(findings_of(&report));
            Some(report)
        }
        Err(fault) => {
            findings.push(Finding::note("gpu", fault.cause, fault.remedy));
            None
        }
    }
}

/// Looks at the devices in the environment of this command.
///
/// # Errors
/// The driver did not let itself be looked at.
pub fn ask() -> Result<DeviceReport, Fault> {
    device_look::ask(&DeviceLook::in_environment(DeviceEnvironment::of(std::env::vars_os())))
}

fn findings_of(report: &DeviceReport) -> Vec<Finding> {
    let has_card = report.cards > 0 || report.driver_version.is_some();
    if let ([only], false) = (&report.missing[..], has_card)
        && only.piece == library::CUDA
    {
        let detail = format!("{} ({}); work is done in software", only.cause, only.piece);
        return vec![Finding::good("gpu", detail)];
    }
    let mut findings = vec![headline(report)];
    findings.extend(report.missing.iter().map(|missing| note("gpu", missing)));
    for device in &report.devices {
        of_device(device, &mut findings);
    }
    findings
}

fn headline(report: &DeviceReport) -> Finding {
    let known = |version: &Option<String>| version.clone().unwrap_or_else(|| "of unknown version".to_owned());
    let devices = match report.devices.len() {
        1 => "1 device".to_owned(),
        count => format!("{count} devices"),
    };
    Finding::good(
        "gpu",
        format!(
            "NVIDIA driver {}, CUDA {}, {devices}",
            known(&report.driver_version),
            known(&report.cuda_version)
        ),
    )
}

fn note(subject: &str, missing: &MissingPiece) -> Finding {
    Finding::note(
        subject,
        format!("{}: {}", missing.piece, missing.cause),
        missing.remedy.as_str(),
    )
}

fn of_device(device: &DeviceFacts, findings: &mut Vec<Finding>) {
    let subject = format!("gpu {}", device.ordinal);
    let (major, minor) = device.compute_capability;
    findings.push(Finding::good(
        subject.as_str(),
        format!(
            "{}, {:.1} GiB of memory, {:.1} free, compute capability {major}.{minor}, {}",
            device.name,
            device.memory_bytes as f64 / GIB,
            device.memory_free_bytes as f64 / GIB,
            device.uuid
        ),
    ));
    if !device.decode.is_empty() {
        findings.push(Finding::good(subject.as_str(), decoding(&device.decode)));
    }
    if !device.encode.is_empty() {
        let each: Vec<String> = device.encode.iter().map(encoding).collect();
        let free = device.encoder_sessions_free.map_or(String::new(), |free| {
            let more = if free >= device_look::SESSIONS { " or more" } else { "" };
            format!("; sessions free now: {free}{more}")
        });
        findings.push(Finding::good(
            subject.as_str(),
            format!("NVENC encodes {}{free}", each.join("; ")),
        ));
    }
    findings.extend(device.missing.iter().map(|missing| note(&subject, missing)));
}

/// `NVDEC (5 engines) decodes h264 4:2:0 8; hevc 4:2:0 8/10/12, 4:4:4 8/10/12 up to 8192x8192 ...`.
fn decoding(abilities: &[DecodeAbility]) -> String {
    let engines = abilities.iter().map(|one| one.engines).max().unwrap_or_default();
    let engines = match engines {
        1 => "1 engine".to_owned(),
        count => format!("{count} engines"),
    };
    let codecs: Vec<String> = abilities
        .chunk_by(|one, next| one.codec == next.codec)
        .map(codec)
        .collect();
    format!("NVDEC ({engines}) decodes {}", codecs.join("; "))
}

/// What is taken of one codec.
fn codec(abilities: &[DecodeAbility]) -> String {
    let chromas: Vec<String> = abilities
        .chunk_by(|one, next| one.chroma == next.chroma)
        .map(|alike| {
            let depths: Vec<String> = alike.iter().map(|one| one.bit_depth.to_string()).collect();
            format!("{} {}", alike[0].chroma, depths.join("/"))
        })
        .collect();
    let (widest, highest) = abilities.iter().fold((0, 0), |(width, height), one| {
        (width.max(one.max_width), height.max(one.max_height))
    });
    format!(
        "{} {} bit to {widest}x{highest}",
        abilities[0].codec,
        chromas.join(", ")
    )
}

/// What one encoder can do.
fn encoding(ability: &EncodeAbility) -> String {
    let bframes = match (ability.max_bframes, ability.bframe_references) {
        (0, _) => "no B-frames".to_owned(),
        (most, false) => format!("{most} B-frames"),
        (most, true) => format!("{most} B-frames, also as references"),
    };
    let depth = if ability.ten_bit { "8/10 bit" } else { "8 bit" };
    let mut can = vec![
        format!("{depth} to {}x{}", ability.max_width, ability.max_height),
        bframes,
    ];
    for (is, word) in [(ability.lookahead, "lookahead"), (ability.temporal_aq, "temporal AQ")] {
        can.push(if is { word.to_owned() } else { format!("no {word}") });
    }
    format!("{} {}", ability.codec, can.join(", "))
}

#[cfg(test)]
mod tests {
    use super::findings_of;
    use crate::cli::check::finding::Level;
    use crate::media::device_report::DecodeAbility;
    use crate::media::device_report::DeviceFacts;
    use crate::media::device_report::DeviceReport;
    use crate::media::device_report::EncodeAbility;
    use crate::media::device_report::MissingPiece;

    fn missing(piece: &str) -> MissingPiece {
        MissingPiece {
            piece: piece.to_owned(),
            cause: "it is not there".to_owned(),
            remedy: "Put it there.".to_owned(),
        }
    }

    fn decodes(codec: &str, chroma: &str, bit_depth: u32) -> DecodeAbility {
        DecodeAbility {
            codec: codec.to_owned(),
            chroma: chroma.to_owned(),
            bit_depth,
            min_width: 48,
            min_height: 16,
            max_width: 4096,
            max_height: 4096,
            max_macroblocks: 65_536,
            engines: 2,
        }
    }

    #[test]
    fn a_host_without_a_card_gets_one_good_line() {
        let report = DeviceReport {
            missing: vec![missing("libcuda.so.1")],
            ..DeviceReport::default()
        };
        let findings = findings_of(&report);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].level, Level::Good);
        let report = DeviceReport { cards: 1, ..report };
        let levels: Vec<Level> = findings_of(&report).iter().map(|one| one.level).collect();
        assert_eq!(
            levels,
            [Level::Good, Level::Note],
            "a card without its driver is worth a note"
        );
    }

    #[test]
    fn abilities_are_told_by_codec_and_nothing_missing_is_fatal() {
        let device = DeviceFacts {
            ordinal: 1,
            name: "Card".to_owned(),
            decode: vec![
                decodes("h264", "4:2:0", 8),
                decodes("hevc", "4:2:0", 8),
                decodes("hevc", "4:2:0", 10),
                decodes("hevc", "4:4:4", 10),
            ],
            encode: vec![EncodeAbility {
                codec: "hevc".to_owned(),
                max_width: 8192,
                max_height: 8192,
                max_bframes: 5,
                ten_bit: true,
                lookahead: true,
                ..EncodeAbility::default()
            }],
            encoder_sessions_free: Some(3),
            missing: vec![missing("NVENC sessions")],
            ..DeviceFacts::default()
        };
        let findings = findings_of(&DeviceReport {
            devices: vec![device],
            ..DeviceReport::default()
        });
        let text: Vec<String> = findings
            .iter()
            .map(|one| format!("{}: {}", one.subject, one.detail))
            .collect();
        let text = text.join("\n");
        for words in [
            "1 device",
            "gpu 1: NVDEC (2 engines) decodes h264 4:2:0 8 bit to 4096x4096; hevc 4:2:0 8/10, 4:4:4 10 bit",
            "hevc 8/10 bit to 8192x8192, 5 B-frames, lookahead, no temporal AQ; sessions free now: 3",
            "NVENC sessions: it is not there",
        ] {
            assert!(text.contains(words), "{words} is not in\n{text}");
        }
        assert!(
            findings
                .iter()
                .all(|one| matches!(one.level, Level::Good | Level::Note))
        );
    }
}
