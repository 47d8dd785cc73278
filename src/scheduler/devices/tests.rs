//! Which device, when to wait, and when devices are looked at.

use super::Allowed;
use super::Choice;
use super::DeviceRules;
use super::Devices;
use super::News;
use super::Went;
use super::WhenBusy;
use crate::base::clock::UtcMs;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::ids::AttemptId;
use crate::base::ids::TaskId;
use crate::media::device_report::DeviceFacts;
use crate::media::device_report::DeviceReport;
use crate::media::device_report::MissingPiece;
use crate::media::spec::Backend;
use crate::scheduler::device::tests::card;
use crate::scheduler::device::tests::need;

const NOW: UtcMs = UtcMs(1_000_000);

fn report(devices: Vec<DeviceFacts>) -> DeviceReport {
    DeviceReport {
        driver_version: Some("550.54.14".to_owned()),
        devices,
        ..DeviceReport::default()
    }
}

fn with(rules: DeviceRules, cards: Vec<DeviceFacts>) -> Devices {
    let mut devices = Devices::new(rules);
    assert!(devices.begin_look(UtcMs(0)));
    devices.looked(Ok(report(cards)), UtcMs(0));
    devices
}

fn two() -> Devices {
    with(DeviceRules::default(), vec![card(0, Some(4)), card(1, Some(4))])
}

/// Where a heavy attempt of two encodes goes: an ordinal, or a word.
fn goes(devices: &Devices, policy: Backend) -> String {
    match devices.choose(policy, &need(2, 1), true, NOW, |_| false) {
        Choice::Device { ordinal, .. } => ordinal.to_string(),
        Choice::Software(None) => "software".to_owned(),
        Choice::Software(Some(fallback)) => fallback.word.to_owned(),
        Choice::Wait => "wait".to_owned(),
        Choice::Refuse(fault) => fault.code,
    }
}

fn fill(devices: &mut Devices, uuid: &str) -> AttemptId {
    let attempt = AttemptId::fresh();
    devices.enter(uuid, &attempt, &need(2, 1));
    attempt
}

fn fail(devices: &mut Devices, uuid: &str) {
    for _ in 0..3 {
        devices.went(uuid, &TaskId::fresh(), &Went::Badly("lost".to_owned()), NOW);
    }
}

#[test]
fn devices_are_filled_by_load() {
    let mut devices = two();
    assert_eq!(goes(&devices, Backend::Auto), "0");
    let first = fill(&mut devices, "GPU-0");
    assert_eq!(goes(&devices, Backend::Auto), "1");
    fill(&mut devices, "GPU-1");
    fill(&mut devices, "GPU-0");
    assert_eq!(goes(&devices, Backend::Gpu), "1");
    fill(&mut devices, "GPU-1");
    assert_eq!(goes(&devices, Backend::Gpu), "wait");
    assert_eq!(goes(&devices, Backend::Auto), "busy");
    devices.leave("GPU-0", &first);
    assert_eq!(goes(&devices, Backend::Gpu), "0");
}

#[test]
fn a_device_that_does_more_of_the_work_comes_first() {
    let datacentre = DeviceFacts {
        encode: Vec::new(),
        ..card(0, None)
    };
    let mut devices = with(DeviceRules::default(), vec![datacentre, card(1, None)]);
    assert_eq!(goes(&devices, Backend::Auto), "1");
    fill(&mut devices, "GPU-1");
    assert_eq!(goes(&devices, Backend::Auto), "1", "though the other is empty");
    fill(&mut devices, "GPU-1");
    assert_eq!(goes(&devices, Backend::Auto), "0");
}

#[test]
fn software_never_takes_a_device_and_stills_only_when_they_must() {
    let devices = two();
    assert_eq!(goes(&devices, Backend::Software), "software");
    let light = |policy| devices.choose(policy, &need(0, 1), false, NOW, |_| false);
    assert_eq!(light(Backend::Auto), Choice::Software(None));
    assert!(matches!(light(Backend::Gpu), Choice::Device { ordinal: 0, .. }));
}

#[test]
fn the_configuration_and_what_was_learned_say_whether_to_wait() {
    let full = |when_busy| {
        let rules = DeviceRules {
            when_busy,
            ..DeviceRules::default()
        };
        let mut devices = with(rules, vec![card(0, Some(2))]);
        let holder = fill(&mut devices, "GPU-0");
        (devices, holder)
    };
    assert_eq!(goes(&full(WhenBusy::Wait).0, Backend::Auto), "wait");
    assert_eq!(goes(&full(WhenBusy::Software).0, Backend::Auto), "busy");
    let (devices, holder) = full(WhenBusy::Quicker);
    assert_eq!(goes(&devices, Backend::Auto), "busy");
    let asked = devices.choose(Backend::Auto, &need(2, 1), true, NOW, |holders| holders == [&holder]);
    assert_eq!(asked, Choice::Wait);
}

#[test]
fn only_devices_that_may_be_used_are() {
    let only = |name: &str| DeviceRules {
        allowed: Allowed::Only(vec![name.to_owned()]),
        ..DeviceRules::default()
    };
    for name in ["GPU-1", "1"] {
        let devices = with(only(name), vec![card(0, None), card(1, None)]);
        assert_eq!(goes(&devices, Backend::Gpu), "1", "{name}");
    }
    let devices = with(only("GPU-7"), vec![card(0, None)]);
    assert_eq!(goes(&devices, Backend::Gpu), "BackendUnavailable");
    let mut none = Devices::new(DeviceRules {
        allowed: Allowed::Nothing,
        ..DeviceRules::default()
    });
    assert!(!none.begin_look(NOW) && !none.ask_by_hand());
    assert_eq!(goes(&none, Backend::Gpu), "BackendUnavailable");
    assert_eq!(goes(&none, Backend::Auto), "software", "the operator wanted it so");
}

#[test]
fn where_nothing_is_known_yet_everything_waits_and_then_everybody_is_told_why_not() {
    let mut devices = Devices::new(DeviceRules::default());
    assert_eq!(goes(&devices, Backend::Auto), "wait");
    assert!(devices.begin_look(UtcMs(0)));
    assert!(!devices.begin_look(UtcMs(0)), "one at a time");
    let nothing = DeviceReport {
        missing: vec![MissingPiece {
            piece: "libcuda.so.1".to_owned(),
            cause: "it is not there".to_owned(),
            remedy: "Install the driver.".to_owned(),
        }],
        ..DeviceReport::default()
    };
    devices.looked(Ok(nothing), NOW);
    let Choice::Software(Some(fallback)) = devices.choose(Backend::Auto, &need(2, 1), true, NOW, |_| false) else {
        panic!("a host without a driver works in software");
    };
    assert_eq!((fallback.word, fallback.why.as_str()), ("", "no NVIDIA driver"));
    let Choice::Refuse(fault) = devices.choose(Backend::Gpu, &need(2, 1), true, NOW, |_| false) else {
        panic!("what must have a device is refused");
    };
    assert_eq!((fault.remedy.as_str(), fault.retryable), ("Install the driver.", false));
    assert_eq!(devices.next_look(), None, "nothing changes by itself");

    let hung = Fault::new(
        "DevicesUnreadable",
        Blame::Host,
        "look",
        "driver",
        "it hung",
        "Restart.",
    );
    devices.ask_by_hand();
    assert!(devices.begin_look(NOW));
    devices.looked(Err(hung), NOW);
    assert_eq!(goes(&devices, Backend::Auto), "unreadable");
    assert!(
        devices.next_look().is_some(),
        "a driver that did not answer may answer later"
    );
}

#[test]
fn a_device_that_is_set_aside_gets_nothing_until_a_look_finds_it_well() {
    let mut devices = with(DeviceRules::default(), vec![card(0, None)]);
    fail(&mut devices, "GPU-0");
    assert_eq!(goes(&devices, Backend::Auto), "set_aside");
    assert_eq!(goes(&devices, Backend::Gpu), "wait");
    let due = devices.next_look().expect("it is looked at again");
    assert!(due <= NOW, "the driver is asked at once after its errors");
    assert!(devices.begin_look(NOW));
    assert_eq!(
        devices.looked(Ok(report(vec![card(0, None)])), NOW),
        [],
        "but not trusted at once"
    );
    let due = devices.next_look().expect("again");
    assert!(due > NOW);
    assert!(devices.begin_look(due));
    let back = devices.looked(Ok(report(vec![card(0, None)])), due);
    assert_eq!(back, [News::Back("GPU-0".to_owned())]);
    assert_eq!(goes(&devices, Backend::Gpu), "0");
}

#[test]
fn what_must_have_a_device_that_stays_broken_is_tried_there_in_the_end() {
    let mut devices = with(DeviceRules::default(), vec![card(0, None)]);
    fail(&mut devices, "GPU-0");
    let later = |ms| devices.choose(Backend::Gpu, &need(2, 1), true, NOW.plus_ms(ms), |_| false);
    assert_eq!(later(3_599_999), Choice::Wait);
    assert!(
        matches!(later(3_600_000), Choice::Device { ordinal: 0, .. }),
        "so that its fault is told"
    );
}

#[test]
fn a_device_that_vanished_is_set_aside_and_ordinals_may_move() {
    let mut devices = two();
    devices.ask_by_hand();
    assert!(devices.begin_look(NOW));
    let mut moved = card(1, Some(4));
    moved.ordinal = 0;
    let news = devices.looked(Ok(report(vec![moved])), NOW);
    assert_eq!(news, [News::Aside("GPU-0".to_owned())]);
    let choice = devices.choose(Backend::Gpu, &need(2, 1), true, NOW, |_| false);
    assert!(
        matches!(&choice, Choice::Device { ordinal: 0, uuid, .. } if uuid == "GPU-1"),
        "{choice:?}"
    );
}

#[test]
fn what_no_device_can_do_is_told_so() {
    let blind = DeviceFacts {
        encode: Vec::new(),
        decode: card(0, None)
            .decode
            .into_iter()
            .map(|mut one| {
                one.codec = "vc1".to_owned();
                one
            })
            .collect(),
        ..card(0, None)
    };
    let devices = with(DeviceRules::default(), vec![blind]);
    let mut prores = need(1, 1);
    prores.decode = Some(crate::scheduler::need::DecodeNeed {
        codec: "prores".to_owned(),
        chroma: "4:2:2",
        bit_depth: 10,
        size: (1920, 1080),
    });
    let choice = devices.choose(Backend::Auto, &prores, true, NOW, |_| false);
    assert!(matches!(choice, Choice::Software(Some(fallback)) if fallback.word == "unable"));
    let must = devices.choose(Backend::Gpu, &prores, true, NOW, |_| false);
    assert!(matches!(must, Choice::Device { .. }), "the worker knows best why not");
}
