//! How busy, full and warm devices are, as the stand-in's NVML gives it out, where a person and a monitor read it.

use crate::rack::Rack;
use serde_json::Value;
use serde_json::json;
use std::path::Path;

/// The names of all numbers that meters make.
const NUMBERS: [&str; 6] = [
    "reelmill_gpu_utilization_ratio",
    "reelmill_gpu_encoder_utilization_ratio",
    "reelmill_gpu_decoder_utilization_ratio",
    "reelmill_gpu_memory_used_bytes",
    "reelmill_gpu_memory_bytes",
    "reelmill_gpu_temperature_celsius",
];
const MIB: u64 = 1 << 20;

/// The numbers of that device in `/metrics`, in the order of [`NUMBERS`].
fn numbers(rack: &Rack, uuid: &Value) -> [Option<f64>; 6] {
    let metrics = rack.metrics();
    let uuid = uuid.as_str().expect("a device has a UUID");
    NUMBERS.map(|name| {
        let begin = format!("{name}{{device=\"{uuid}\"}} ");
        let line = metrics.lines().find_map(|line| line.strip_prefix(&begin))?;
        Some(line.parse().unwrap_or_else(|error| panic!("{name}: {line:?}: {error}")))
    })
}

/// Waits until the devices are measured, or are not, in their order.
fn until_measured<const N: usize>(rack: &Rack, measured: [bool; N]) -> Value {
    rack.appliance
        .until(&format!("meters of the devices: {measured:?}"), || {
            let gpu = rack.system();
            let devices = gpu["devices"].as_array().expect("a list");
            let now: Vec<bool> = devices.iter().map(|device| device["meters"].is_object()).collect();
            (now == measured).then_some(gpu)
        })
}

/// What is said to be missing of NVML.
fn missing(gpu: &Value) -> Vec<&Value> {
    let list = gpu["missing"].as_array().expect("a list");
    list.iter().filter(|one| one["piece"] == "NVML").collect()
}

#[test]
fn each_device_is_told_its_own_readings_though_nvml_counts_them_the_other_way() {
    let mut rack = Rack::new(
        "",
        &[
            ("STANDIN_DEVICES", "2"),
            ("STANDIN_MEMORY_MB", "6144"),
            ("STANDIN_NVML_REVERSED", "1"),
            ("STANDIN_NVML_BUSY", "37,100"),
            ("STANDIN_NVML_ENCODER", "61,0"),
            // Not supported.
            ("STANDIN_NVML_DECODER", "12,-3"),
            ("STANDIN_NVML_MEMORY_USED_MB", "700,5"),
            ("STANDIN_NVML_TEMPERATURE", "-3,83"),
        ],
    );
    rack.start();
    let gpu = until_measured(&rack, [true, true]);
    let devices = &gpu["devices"];
    assert_eq!((&devices[0]["ordinal"], &devices[1]["ordinal"]), (&json!(0), &json!(1)));
    assert_eq!(
        devices[0]["meters"],
        json!({"busy_percent": 37, "encoder_percent": 61, "decoder_percent": 12,
            "memory_used_bytes": 700 * MIB, "temperature_c": null})
    );
    assert_eq!(
        devices[1]["meters"],
        json!({"busy_percent": 100, "encoder_percent": 0, "decoder_percent": null,
            "memory_used_bytes": 5 * MIB, "temperature_c": 83})
    );
    assert_eq!(missing(&gpu), Vec::<&Value>::new());
    let memory = (6144 * MIB) as f64;
    let bytes = |mib: u64| Some((mib * MIB) as f64);
    assert_eq!(
        numbers(&rack, &devices[0]["uuid"]),
        [Some(0.37), Some(0.61), Some(0.12), bytes(700), Some(memory), None]
    );
    assert_eq!(
        numbers(&rack, &devices[1]["uuid"]),
        [Some(1.0), Some(0.0), None, bytes(5), Some(memory), Some(83.0)]
    );
    assert_eq!(rack.violations(), "");
}

#[test]
fn a_lost_device_has_no_readings_and_hides_no_other_and_when_all_are_lost_it_is_said() {
    let mut rack = Rack::new("", &[("STANDIN_DEVICES", "2"), ("STANDIN_NVML_BUSY", "10,20")]);
    let lost = rack.appliance.path("lost");
    rack.appliance
        .set_variable("STANDIN_NVML_LOST_WHILE", &lost.display().to_string());
    rack.start();
    until_measured(&rack, [true, true]);
    write(&lost, "0");
    let gpu = until_measured(&rack, [false, true]);
    assert_eq!(gpu["devices"][1]["meters"]["busy_percent"], 20);
    assert_eq!(numbers(&rack, &gpu["devices"][0]["uuid"]), [None; 6]);
    assert_eq!(numbers(&rack, &gpu["devices"][1]["uuid"])[0], Some(0.2));
    assert_eq!(missing(&gpu), Vec::<&Value>::new(), "the others are measured");
    std::fs::remove_file(&lost).expect("it is there");
    until_measured(&rack, [true, true]);

    write(&lost, "0 1");
    let gpu = until_measured(&rack, [false, false]);
    let missing = missing(&gpu);
    assert_eq!(missing.len(), 1, "{gpu:#}");
    assert!(
        missing[0]["remedy"]
            .as_str()
            .is_some_and(|remedy| remedy.contains("Xid")),
        "{gpu:#}"
    );
    let metrics = rack.metrics();
    assert!(NUMBERS.iter().all(|name| !metrics.contains(name)), "{metrics}");
    assert_eq!(rack.appliance.log().matches("devices cannot be measured").count(), 1);
    assert_eq!(rack.violations(), "");
}

#[test]
fn a_driver_upgraded_under_its_module_is_told_once_and_devices_stay() {
    let mut rack = Rack::new("", &[("STANDIN_NVML_INIT_ERROR", "18")]);
    rack.start();
    let gpu = rack.appliance.until("a word of NVML", || {
        let gpu = rack.system();
        (!missing(&gpu).is_empty()).then_some(gpu)
    });
    let told = missing(&gpu);
    assert!(
        told[0]["remedy"]
            .as_str()
            .is_some_and(|remedy| remedy.contains("upgraded under")),
        "{gpu:#}"
    );
    assert_eq!(gpu["devices"].as_array().map(Vec::len), Some(1), "{gpu:#}");
    assert_eq!(gpu["devices"][0]["meters"], Value::Null);
    assert_eq!(rack.appliance.log().matches("devices cannot be measured").count(), 1);
    assert_eq!(rack.violations(), "");
}

#[test]
fn without_nvml_devices_work_and_nothing_is_said_of_meters() {
    let mut rack = Rack::without_nvml();
    rack.workflow("gpu");
    rack.start();
    rack.deliver("one.mp4");
    let task = rack.appliance.ended_tasks(1).remove(0);
    assert_eq!(Rack::made(&task), ("gpu".to_owned(), None), "{task:#}");
    let gpu = rack.system();
    assert_eq!(gpu["devices"][0]["meters"], Value::Null);
    assert_eq!(missing(&gpu), Vec::<&Value>::new(), "{gpu:#}");
    let metrics = rack.metrics();
    assert!(NUMBERS.iter().all(|name| !metrics.contains(name)), "{metrics}");
    assert!(
        metrics.contains("reelmill_gpu_attempts"),
        "what needs no meter stays: {metrics}"
    );
    assert!(!rack.appliance.log().contains("devices cannot be measured"));
    assert_eq!(rack.violations(), "");
}

fn write(file: &Path, text: &str) {
    // Whole or not at all: it is read at any moment.
    let beside = file.with_extension("new");
    std::fs::write(&beside, text).expect("written");
    std::fs::rename(&beside, file).expect("moved");
}
