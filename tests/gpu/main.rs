//! The GPU path of the real binary on the stand-in driver: every mode, everything that may go wrong in the middle, and
//! how like its outputs are to those of software. Nothing here ran on a GPU.

#[path = "../appliance/mod.rs"]
mod appliance;
mod desk;
mod painted;
mod works;

use desk::Desk;
use desk::Ended;
use desk::pictures;
use desk::psnr_db;
use std::path::Path;

/// Software's outputs and the device's are encoded by different settings of the same encoder.
const ALIKE_DB: f64 = 35.0;
const HEIGHTS: [u32; 3] = [216, 180, 144];

/// The same pictures at the same times, key frames at the same places, and alike.
fn are_alike(one: &Ended, other: &Ended, names: &[&str]) {
    assert_eq!(one.checks(), other.checks(), "the same is proved of both");
    for name in names {
        let (one, other) = (one.out.join(name), other.out.join(name));
        let (seen, wanted) = (pictures(&one), pictures(&other));
        assert!(!wanted.is_empty() && seen == wanted, "{name}: {seen:?} {wanted:?}");
        let psnr_db = psnr_db(&one, &other);
        assert!(psnr_db >= ALIKE_DB, "{name}: {psnr_db} dB");
    }
}

fn ladder_files() -> Vec<String> {
    HEIGHTS.iter().map(|height| format!("{height}p.mp4")).collect()
}

fn ladder_in(mode: &str, source: &Path, environment: &[(&str, &str)]) -> Ended {
    let desk = Desk::new();
    let workflow = works::ladder(&HEIGHTS);
    let device = desk.run(&workflow, source, "auto", environment).proved();
    let reason = device.reason().to_owned();
    assert_eq!(device.backend(), mode, "{reason}");
    let software = desk.run(&workflow, source, "software", &[]).proved();
    assert_eq!((software.backend(), software.reason()), ("software", ""));
    let files = ladder_files();
    let names: Vec<&str> = files.iter().map(String::as_str).collect();
    are_alike(&device, &software, &names);
    device
}

#[test]
fn the_binary_needs_nothing_of_nvidias() {
    let output = std::process::Command::new("readelf")
        .args(["-d", appliance::REELMILL])
        .output()
        .expect("readelf runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let needed: Vec<&str> = text.lines().filter(|line| line.contains("(NEEDED)")).collect();
    assert!(needed.iter().any(|line| line.contains("libc.so")), "{text}");
    let theirs = ["libcuda", "libnv", "libcudart"];
    assert!(
        !needed.iter().any(|line| theirs.iter().any(|name| line.contains(name))),
        "{needed:#?}"
    );
}

#[test]
fn a_ladder_is_made_on_the_device() {
    let ended = ladder_in("gpu", &works::plain(), &[]);
    assert_eq!(ended.reason(), "");
    assert_eq!(ended.warnings(), "[]");
}

#[test]
fn without_an_encoder_the_device_decodes_and_scales() {
    let ended = ladder_in("gpu-decode", &works::plain(), &[("STANDIN_NO_NVENC", "1")]);
    assert!(ended.reason().contains("NVENC"), "{}", ended.reason());
}

#[test]
fn what_the_device_cannot_decode_is_brought_to_its_encoders() {
    let ended = ladder_in("gpu-encode", &works::rich(), &[]);
    assert!(ended.reason().contains("4:2:0"), "{}", ended.reason());
}

#[test]
fn a_driver_without_decoder_still_encodes() {
    let ended = ladder_in("gpu-encode", &works::plain(), &[("STANDIN_NO_NVDEC", "1")]);
    assert!(!ended.reason().is_empty());
}

#[test]
fn more_renditions_than_sessions_share_the_work() {
    let (desk, source) = (Desk::new(), works::plain());
    let workflow = works::ladder(&[216, 180, 144, 136]);
    let mixed = desk
        .run(&workflow, &source, "auto", &[("STANDIN_SESSIONS", "2")])
        .proved();
    assert_eq!(mixed.backend(), "gpu");
    assert!(
        mixed.reason().contains("nvEncOpenEncodeSessionEx"),
        "{}",
        mixed.reason()
    );
    let busy = desk.run(&workflow, &source, "gpu", &[("STANDIN_SESSIONS", "2")]);
    assert_eq!((busy.code, busy.fault_codes()[0]), (1, "DeviceBusy"), "{}", busy.words);
}

#[test]
fn a_device_lost_in_the_middle_costs_a_reason_and_no_more() {
    let (desk, source) = (Desk::new(), works::plain());
    let workflow = works::ladder(&HEIGHTS);
    let lost = desk
        .run(&workflow, &source, "auto", &[("STANDIN_LOST_AT", "40")])
        .proved();
    assert_eq!(lost.backend(), "software");
    assert!(!lost.reason().is_empty() && lost.warnings().contains("once more in software"));
    let software = desk.run(&workflow, &source, "software", &[]).proved();
    let files = ladder_files();
    are_alike(&lost, &software, &files.iter().map(String::as_str).collect::<Vec<_>>());
    let failed = desk.run(&workflow, &source, "gpu", &[("STANDIN_LOST_AT", "40")]);
    assert_eq!(
        (failed.code, failed.fault_codes()[0]),
        (1, "DeviceFailed"),
        "{}",
        failed.words
    );
}

#[test]
fn a_worker_that_dies_on_the_device_is_followed_by_one_in_software() {
    let (desk, source) = (Desk::new(), works::plain());
    let workflow = works::ladder(&HEIGHTS);
    let crash = [("STANDIN_CRASH_AT", "40")];
    let died = desk.run(&workflow, &source, "auto", &crash).proved();
    assert_eq!(died.backend(), "software");
    assert!(died.reason().contains("SIGABRT"), "{}", died.reason());
    assert!(died.warnings().contains("once more in software"), "{}", died.warnings());
    let software = desk.run(&workflow, &source, "software", &[]).proved();
    let files = ladder_files();
    are_alike(&died, &software, &files.iter().map(String::as_str).collect::<Vec<_>>());
    let demanded = desk.run(&workflow, &source, "gpu", &crash);
    assert_eq!(
        (demanded.code, demanded.fault_codes()[0]),
        (1, "WorkerCrashed"),
        "{}",
        demanded.words
    );
}

#[test]
fn page_locked_memory_is_used_again_and_its_want_is_the_devices() {
    let (desk, source) = (Desk::new(), works::plain());
    // Every picture of every rendition comes down from the device: many times what may be had at once.
    let few = [("STANDIN_NO_NVENC", "1"), ("STANDIN_PAGE_LOCKED_MB", "4")];
    let ended = desk.run(&works::ladder(&HEIGHTS), &source, "auto", &few).proved();
    assert_eq!(ended.backend(), "gpu-decode", "{}", ended.reason());
    // And goes up again where something is drawn on it.
    let rich = [("STANDIN_PAGE_LOCKED_MB", "4")];
    let ended = desk
        .run(&works::ladder(&HEIGHTS), &works::rich(), "auto", &rich)
        .proved();
    assert_eq!(ended.backend(), "gpu-encode", "{}", ended.reason());
    let none = [("STANDIN_PAGE_LOCKED_MB", "0")];
    let ended = desk.run(&works::ladder(&HEIGHTS), &source, "auto", &none).proved();
    assert_eq!(ended.backend(), "software");
    assert!(ended.reason().contains("cuMemHostAlloc"), "{}", ended.reason());
}

#[test]
fn what_the_devices_decoder_loses_software_decodes() {
    let (desk, source) = (Desk::new(), works::plain());
    let software = desk.run(&works::one(144, ""), &source, "software", &[]).proved();
    let all: Vec<String> = (1..=60).map(|number| number.to_string()).collect();
    for environment in [
        ("STANDIN_PARSE_ERROR_AT", all.join(",")),
        ("STANDIN_PARSE_ERROR_AT", "5".to_owned()),
        ("STANDIN_DECODE_ERROR_AT", "7,8,9,10".to_owned()),
    ] {
        let (name, value) = (environment.0, environment.1.as_str());
        let ended = desk
            .run(&works::one(144, ""), &source, "auto", &[(name, value)])
            .proved();
        assert_eq!(ended.backend(), "software", "{value}: {}", ended.reason());
        assert!(ended.reason().contains("decode"), "{value}: {}", ended.reason());
        are_alike(&ended, &software, &["only.mp4"]);
    }
}

#[test]
fn one_picture_that_the_decoder_damages_is_told() {
    let desk = Desk::new();
    let ended = desk.run(
        &works::one(144, ""),
        &works::plain(),
        "auto",
        &[("STANDIN_DECODE_ERROR_AT", "7")],
    );
    let ended = ended.proved();
    assert_eq!(ended.backend(), "gpu");
    assert!(
        ended.warnings().contains("1 of 50 pictures are damaged"),
        "{}",
        ended.warnings()
    );
}

#[test]
fn a_device_without_memory_leaves_the_work_to_software() {
    let (desk, source) = (Desk::new(), works::plain());
    let ended = desk
        .run(&works::one(144, ""), &source, "auto", &[("STANDIN_MEMORY_MB", "1")])
        .proved();
    assert_eq!(ended.backend(), "software");
    assert!(ended.reason().contains("memory"), "{}", ended.reason());
    let demanded = desk.run(&works::one(144, ""), &source, "gpu", &[("STANDIN_MEMORY_MB", "1")]);
    assert_eq!(
        (demanded.code, demanded.fault_codes()[0]),
        (1, "DeviceBusy"),
        "{}",
        demanded.words
    );
}

#[test]
fn without_a_driver_demanding_one_is_a_fault_and_wanting_one_is_none() {
    let (desk, source) = (Desk::new(), works::plain());
    let workflow = works::one(144, "");
    let demanded = desk.run_without_driver(&workflow, &source, "gpu");
    assert_eq!(
        (demanded.code, demanded.fault_codes()[0]),
        (1, "BackendUnavailable"),
        "{}",
        demanded.words
    );
    assert!(demanded.words.contains("--backend auto"), "{}", demanded.words);
    let wanted = desk.run_without_driver(&workflow, &source, "auto").proved();
    assert_eq!((wanted.backend(), wanted.reason()), ("software", "no NVIDIA driver"));
    let software = desk.run_without_driver(&workflow, &source, "software").proved();
    assert_eq!((software.backend(), software.reason()), ("software", ""));
}

#[test]
fn a_demanded_device_must_make_every_rendition() {
    let (desk, source) = (Desk::new(), works::plain());
    let workflow = works::one(144, "").replace("h264", "vp9").replace("\"mp4\"", "\"mkv\"");
    let demanded = desk.run(&workflow, &source, "gpu", &[]);
    assert_eq!(
        (demanded.code, demanded.fault_codes()[0]),
        (1, "BackendUnavailable"),
        "{}",
        demanded.words
    );
    let wanted = desk.run(&workflow, &source, "auto", &[]).proved();
    assert_eq!(wanted.backend(), "gpu-decode");
    assert!(wanted.reason().contains("vp9"), "{}", wanted.reason());
}

/// One rendition of a source in both ways.
fn alike(source: &Path, workflow: &str, mode: &str) -> Ended {
    let desk = Desk::new();
    let device = desk.run(workflow, source, "auto", &[]).proved();
    assert_eq!(device.backend(), mode, "{}", device.reason());
    let software = desk.run(workflow, source, "software", &[]).proved();
    are_alike(&device, &software, &["only.mp4"]);
    device
}

#[test]
fn hdr_is_mapped_on_the_device() {
    alike(&works::hdr(), &works::one(144, ""), "gpu");
}

#[test]
fn hdr_is_kept_on_the_device() {
    let workflow = works::one(144, ", profile = \"main10\"").replace("h264", "hevc");
    alike(&works::hdr(), &workflow, "gpu");
}

#[test]
fn what_is_held_upright_is_turned_on_the_device() {
    let ended = alike(&works::rotated(), &works::one(216, ""), "gpu");
    let facts = &ended.result["outputs"][0]["facts"]["streams"][0];
    assert!(facts["height"].as_u64() > facts["width"].as_u64(), "{facts}");
}

#[test]
fn pictures_may_change_their_size_and_form_in_the_middle() {
    let workflow = works::one(216, "").replace("audio = { codec = \"aac\", bitrate_kbps = 64 }\n", "");
    let ended = alike(&works::changing(), &workflow, "gpu");
    assert!(
        ended.warnings().contains("changed their size or format 2 times"),
        "{}",
        ended.warnings()
    );
}

#[test]
fn pictures_alone_are_sought_in_software_unless_a_device_is_demanded() {
    let (desk, source) = (Desk::new(), works::plain());
    let workflow = "name = \"still\"\n[[activity]]\nid = \"poster\"\ntype = \"cover\"\n";
    let wanted = desk.run(workflow, &source, "auto", &[]).proved();
    assert_eq!((wanted.backend(), wanted.reason()), ("software", ""));
    let demanded = desk.run(workflow, &source, "gpu", &[]).proved();
    assert_eq!(demanded.backend(), "gpu-decode");
    assert!(
        demanded.reason().contains("put together in software"),
        "{}",
        demanded.reason()
    );
    // What the device does not decode, software does, and it says so.
    let unknown = desk
        .run(workflow, &source, "gpu", &[("STANDIN_CODECS", "vp9")])
        .proved();
    assert_eq!(unknown.backend(), "software");
    assert!(unknown.reason().contains("h264"), "{}", unknown.reason());
    let lost = desk.run(workflow, &source, "gpu", &[("STANDIN_LOST_AT", "1")]);
    assert_eq!(
        (lost.code, lost.fault_codes()[0]),
        (1, "DeviceFailed"),
        "{}",
        lost.words
    );
    let without = desk.run_without_driver(workflow, &source, "gpu");
    assert_eq!(
        (without.code, without.fault_codes()[0]),
        (1, "BackendUnavailable"),
        "{}",
        without.words
    );
}

#[test]
fn fields_are_woven_on_the_device() {
    let ended = alike(&works::interlaced(), &works::one(216, ""), "gpu");
    assert!(!ended.warnings().contains("failed"), "{}", ended.warnings());
}

#[test]
fn marks_and_boxes_are_drawn_onto_what_the_device_encodes() {
    let drawn = "[[activity.watermark]]\nkind = \"text\"\ntext = \"A MARK\"\ncorner = \"center\"\n\
                 [[activity.mosaic]]\nx = 20\ny = 20\nwidth = 60\nheight = 40\n";
    let workflow = works::one(216, "").replace("[[activity.group]]", &format!("{drawn}[[activity.group]]"));
    alike(&works::plain(), &workflow, "gpu");
}

#[test]
fn likeness_and_quality_control_see_the_devices_pictures() {
    let desk = Desk::new();
    let workflow = format!("{}[[activity]]\nid = \"qc\"\ntype = \"qc\"\n", works::one(216, ""));
    let workflow = workflow.replace("type = \"transcode\"\n", "type = \"transcode\"\nquality = {}\n");
    let ended = desk.run(&workflow, &works::plain(), "auto", &[]).proved();
    assert_eq!(ended.backend(), "gpu");
    let psnr_db = ended.result["outputs"][0]["quality"]["psnr_db"].as_f64();
    assert!(
        psnr_db.is_some_and(|psnr_db| psnr_db > 30.0),
        "{}",
        ended.result["outputs"][0]["quality"]
    );
    let software = desk.run(&workflow, &works::plain(), "software", &[]).proved();
    let (seen, wanted) = (&ended.result["qc"], &software.result["qc"]);
    assert_eq!(seen, wanted, "what is found does not depend on who decoded");
}
