//! What `reelmill check` and `reelmill bench` say of NVIDIA devices: through the real binary, without a driver and on the
//! stand-in driver (`tests/standin/`).

mod driver;

use serde_json::Value;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

const REELMILL: &str = env!("CARGO_BIN_EXE_reelmill");

/// The folder with the stand-in driver, built once.
fn stand_in() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("standin");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/standin/build.sh");
        let status = Command::new(script).arg(&folder).status().expect("the script runs");
        assert!(status.success(), "the stand-in driver is built");
        folder
    })
}

/// A host as the binary sees it: a configuration that is sound, and a driver or none.
struct Host {
    room: tempfile::TempDir,
    libraries: Option<PathBuf>,
    faults: Vec<(String, String)>,
}

impl Host {
    fn without_driver() -> Self {
        let room = tempfile::tempdir().expect("a temporary directory");
        for folder in ["state", "scratch", "workflows", "hooks"] {
            std::fs::create_dir(room.path().join(folder)).expect("a fresh folder");
        }
        let root = room.path().display();
        let config = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\nstate_dir = \"{root}/state\"\nscratch_dir = \"{root}/scratch\"\n\
             workflows_dir = \"{root}/workflows\"\nhooks_dir = \"{root}/hooks\"\n"
        );
        std::fs::write(room.path().join("reelmill.toml"), config).expect("written");
        Host {
            room,
            libraries: None,
            faults: Vec::new(),
        }
    }

    fn with_stand_in(faults: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| (format!("STANDIN_{name}"), (*value).to_owned());
        Host {
            libraries: Some(stand_in().to_owned()),
            faults: faults.iter().map(owned).collect(),
            ..Host::without_driver()
        }
    }

    /// With these libraries instead: of each its name and the file it is.
    fn with_libraries(libraries: &[(&str, &Path)]) -> Self {
        let host = Host::without_driver();
        let folder = host.room.path().join("driver");
        std::fs::create_dir(&folder).expect("a fresh folder");
        for (name, file) in libraries {
            std::fs::copy(file, folder.join(name)).expect("copied");
        }
        Host {
            libraries: Some(folder),
            ..host
        }
    }

    /// Exit code, standard output as JSON, and what is for people.
    fn run(&self, words: &[&str]) -> (i32, Value, String) {
        let violations = self.room.path().join("violations");
        let mut command = Command::new(REELMILL);
        command
            .args(words)
            .args(["--json", "--config"])
            .arg(self.room.path().join("reelmill.toml"))
            .env_remove("LD_LIBRARY_PATH")
            .env_remove("CUDA_VISIBLE_DEVICES")
            .env("STANDIN_VIOLATIONS", &violations)
            .envs(self.faults.iter().cloned());
        if let Some(libraries) = &self.libraries {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        let output = command.output().expect("the binary runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let broken = std::fs::read_to_string(&violations).unwrap_or_default();
        assert_eq!(broken, "", "the contract of the driver was violated");
        let json = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
        (output.status.code().expect("an exit code"), json, said)
    }

    fn check(&self) -> (i32, Value) {
        let (code, json, _) = self.run(&["check"]);
        (code, json)
    }
}

/// `level subject: detail -> remedy` of what was found about devices.
fn about_devices(checked: &Value) -> Vec<String> {
    let findings = checked["findings"].as_array().expect("a list");
    findings
        .iter()
        .filter(|one| {
            one["subject"]
                .as_str()
                .is_some_and(|subject| subject.starts_with("gpu"))
        })
        .map(|one| {
            let word = |key: &str| one[key].as_str().unwrap_or_default();
            format!(
                "{} {}: {} -> {}",
                word("level"),
                word("subject"),
                word("detail"),
                word("remedy")
            )
        })
        .collect()
}

fn with<'a>(lines: &'a [String], words: &str) -> &'a str {
    let found = lines.iter().find(|line| line.contains(words));
    found.unwrap_or_else(|| panic!("`{words}` is not in {lines:#?}"))
}

/// Whether this machine has something of NVIDIA itself, which the tests of its absence cannot do without noticing.
fn is_equipped() -> bool {
    let (_, checked) = Host::without_driver().check();
    let report = &checked["devices"];
    let equipped =
        report["cards"] != 0 || !report["driver_version"].is_null() || report["devices"] != serde_json::json!([]);
    if equipped {
        eprintln!("skipped: this machine has NVIDIA hardware or its driver");
    }
    equipped
}

#[test]
fn a_host_without_a_driver_gets_one_good_line() {
    if is_equipped() {
        return;
    }
    let (code, checked) = Host::without_driver().check();
    let lines = about_devices(&checked);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(
        lines[0].starts_with("good gpu: ") && lines[0].contains("software"),
        "{lines:#?}"
    );
    assert_eq!(code, 0, "{checked:#}");
    assert_eq!(checked["devices"]["missing"][0]["piece"], "libcuda.so.1");
}

#[test]
fn a_start_does_not_look_at_devices() {
    let (code, checked, _) = Host::with_stand_in(&[]).run(&["check", "--start"]);
    assert_eq!(about_devices(&checked), Vec::<String>::new());
    assert!(checked["devices"].is_null());
    assert_eq!(code, 0, "{checked:#}");
}

#[test]
fn a_device_with_an_encoder_is_described() {
    let (code, checked) = Host::with_stand_in(&[("SESSIONS", "3")]).check();
    assert_eq!(code, 0, "{checked:#}");
    let lines = about_devices(&checked);
    assert!(with(&lines, "1 device").starts_with("good gpu: NVIDIA driver"));
    with(&lines, "good gpu 0: Stand-in (no GPU), 8.0 GiB of memory");
    let decodes = with(&lines, "NVDEC");
    for words in ["h264 4:2:0 8 bit", "hevc 4:2:0 8/10", "mjpeg", "vp9"] {
        assert!(decodes.contains(words), "{decodes}");
    }
    let encodes = with(&lines, "NVENC encodes");
    for words in [
        "h264 8 bit to 4096x4096",
        "hevc 8/10 bit",
        "lookahead",
        "sessions free now: 3 ->",
    ] {
        assert!(encodes.contains(words), "{encodes}");
    }
    assert!(lines.iter().all(|line| line.starts_with("good")), "{lines:#?}");
    let device = &checked["devices"]["devices"][0];
    assert_eq!(
        (&device["ordinal"], &device["encoder_sessions_free"]),
        (&0.into(), &3.into())
    );
    assert!(
        device["uuid"]
            .as_str()
            .is_some_and(|uuid| uuid.starts_with("GPU-") && uuid.len() == 40)
    );
}

#[test]
fn a_card_without_an_encoder_has_nothing_to_repair() {
    let (code, checked) = Host::with_stand_in(&[("NO_NVENC", "1")]).check();
    assert_eq!(code, 0);
    let lines = about_devices(&checked);
    let line = with(&lines, "NVENC");
    assert!(
        line.starts_with("note gpu 0") && line.contains("Nothing to repair"),
        "{line}"
    );
    assert_eq!(checked["devices"]["devices"][0]["encode"], serde_json::json!([]));
    assert!(with(&lines, "NVDEC").starts_with("good"));
}

#[test]
fn a_card_without_a_decoder_still_encodes() {
    let (code, checked) = Host::with_stand_in(&[("NO_NVDEC", "1")]).check();
    assert_eq!(code, 0);
    let lines = about_devices(&checked);
    assert!(with(&lines, "NVDEC: ").starts_with("note gpu 0"));
    with(&lines, "NVENC encodes");
}

#[test]
fn several_devices_are_told_apart_and_a_broken_one_is_named() {
    let room = tempfile::tempdir().expect("a temporary directory");
    let broken = room.path().join("broken");
    std::fs::write(&broken, "1").expect("written");
    let path = broken.display().to_string();
    let (code, checked) = Host::with_stand_in(&[("DEVICES", "3"), ("BROKEN_WHILE", &path)]).check();
    assert_eq!(code, 0, "a broken device stops nothing");
    let devices = checked["devices"]["devices"].as_array().expect("a list");
    let uuids: std::collections::BTreeSet<&str> = devices.iter().filter_map(|one| one["uuid"].as_str()).collect();
    assert_eq!((devices.len(), uuids.len()), (3, 3));
    let lines = about_devices(&checked);
    let line = with(&lines, "note gpu 1: device");
    assert!(line.contains("dmesg") || line.contains("nvidia-smi"), "{line}");
    with(&lines, "gpu 2: NVDEC");
    assert_eq!(devices[1]["decode"], serde_json::json!([]));
}

#[test]
fn libraries_that_are_packaged_apart_are_named_with_their_packages() {
    if is_equipped() {
        return;
    }
    let driver = stand_in().join("libcuda.so.1");
    let host = Host::with_libraries(&[("libcuda.so.1", &driver), ("libcuda.so", &driver)]);
    let (code, checked) = host.check();
    assert_eq!(code, 0);
    let lines = about_devices(&checked);
    assert!(with(&lines, "libnvcuvid.so.1").contains("libnvcuvid1"));
    assert!(with(&lines, "libnvidia-encode.so.1").contains("libnvidia-encode1"));
    with(&lines, "gpu 0: Stand-in");
}

#[test]
fn a_driver_that_cannot_be_loaded_is_told_in_the_linkers_words() {
    if is_equipped() {
        return;
    }
    let room = tempfile::tempdir().expect("a temporary directory");
    let garbage = room.path().join("garbage");
    std::fs::write(&garbage, vec![b'x'; 4096]).expect("written");
    let (code, checked) = Host::with_libraries(&[("libcuda.so.1", &garbage), ("libcuda.so", &garbage)]).check();
    assert_eq!(code, 0);
    let lines = about_devices(&checked);
    assert!(with(&lines, "libcuda.so.1").contains("ELF"), "{lines:#?}");
}

/// Lines of a trial of the stand-in device: name, verdict, words.
fn tried(words: &[&str]) -> Vec<(String, String, String)> {
    let host = Host::with_stand_in(&[]);
    let scratch = host.room.path().join("scratch");
    let violations = host.room.path().join("violations");
    let output = Command::new(REELMILL)
        .args(["worker", "--device-trial"])
        .args(words)
        .arg("--scratch")
        .arg(&scratch)
        .env("LD_LIBRARY_PATH", stand_in())
        .env("STANDIN_VIOLATIONS", &violations)
        .output()
        .expect("the binary runs");
    let said = String::from_utf8_lossy(&output.stderr);
    let broken = std::fs::read_to_string(&violations).unwrap_or_default();
    assert_eq!(broken, "", "the contract of the driver was violated");
    assert_eq!(
        std::fs::read_dir(&scratch).expect("a folder").count(),
        0,
        "clips are left behind"
    );
    let lines: Vec<(String, String, String)> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).expect("a line of JSON");
            let word = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
            (word("name"), word("verdict"), word("said"))
        })
        .collect();
    assert!(!lines.is_empty(), "{said}");
    let failed: Vec<_> = lines.iter().filter(|(_, verdict, _)| verdict == "failed").collect();
    assert_eq!(
        (failed.len(), output.status.code()),
        (0, Some(0)),
        "{failed:#?}\n{said}"
    );
    lines
}

#[test]
fn every_codec_that_can_be_made_here_is_decoded_alike() {
    let lines = tried(&["decoders"]);
    for name in [
        "h264 8 bit",
        "hevc 8 bit",
        "mpeg2video 8 bit",
        "mpeg4 8 bit",
        "mjpeg 8 bit",
    ] {
        assert!(
            lines
                .iter()
                .any(|(found, verdict, _)| found == name && verdict == "passed"),
            "{lines:#?}"
        );
    }
    assert!(
        lines
            .iter()
            .any(|(name, verdict, _)| name == "vc1" && verdict == "left_out"),
        "{lines:#?}"
    );
}

#[test]
fn rates_are_of_decoder_and_kernels_together() {
    let lines = tried(&["rates", "--seconds", "1", "--picture", "192x128"]);
    for name in ["copy", "decode", "decode and scale", "decode and sprite"] {
        assert!(
            lines
                .iter()
                .any(|(found, verdict, _)| found == name && verdict == "passed"),
            "{lines:#?}"
        );
    }
}

#[test]
fn a_bench_measures_both_and_suggests_what_it_measured() {
    let host = Host::with_stand_in(&[]);
    let scratch = host.room.path().join("scratch").display().to_string();
    let words = [
        "bench",
        "--seconds",
        "1",
        "--size",
        "320x180",
        "--threads",
        "2",
        "--scratch",
        &scratch,
    ];
    let (code, figures, said) = host.run(&words);
    assert_eq!(code, 0, "{said}");
    let measured = figures["measured"].as_array().expect("a list");
    let of = |case: &str, is_device: bool| {
        measured
            .iter()
            .filter(|one| one["case"] == case && (one["backend"] != "software") == is_device)
            .count()
    };
    assert!(
        of("decode", false) == 1 && of("sprite", false) == 1 && of("ladder", false) >= 1,
        "{figures:#}"
    );
    assert!(of("decode", true) == 1 && of("ladder", true) >= 1, "{figures:#}");
    let figures_are_whole = measured
        .iter()
        .all(|one| one["fps"].as_f64().is_some_and(|fps| fps > 0.0) && one["peak_memory_bytes"] != 0);
    assert!(figures_are_whole, "{figures:#}");
    let suggested = &figures["suggested"];
    assert!(
        suggested["attempts"].as_u64().is_some_and(|number| number >= 1),
        "{figures:#}"
    );
    assert!(
        suggested["gpu_attempts"].as_u64().is_some_and(|number| number >= 1),
        "{figures:#}"
    );
    let left = std::fs::read_dir(host.room.path().join("scratch"))
        .expect("a folder")
        .count();
    assert_eq!(left, 0, "nothing is left behind");
}
