//! Sheets and stills whose pictures the device made red, green and blue, beside those of software.

use crate::desk::Desk;
use crate::desk::Ended;
use crate::works;
use reelmill::media::picture::Picture;
use reelmill::media::spec::PictureFormat;
use std::collections::BTreeMap;
use std::path::Path;

/// All pictures of a run, by name.
fn images(ended: &Ended) -> BTreeMap<String, Picture> {
    let outputs = ended.result["outputs"].as_array().expect("outputs are listed");
    let files = outputs
        .iter()
        .flat_map(|output| output["files"].as_array().expect("with their files"));
    let paths = files.filter_map(|file| file["path"].as_str().filter(|path| path.ends_with(".png")));
    let read = |path: &str| {
        let name = Path::new(path)
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let bytes = std::fs::read(ended.out.join(&name)).expect("it is there");
        (name, Picture::decode(&bytes, PictureFormat::Png).expect("a picture"))
    };
    paths.map(read).collect()
}

/// Largest and mean difference of all samples.
fn differences(one: &BTreeMap<String, Picture>, other: &BTreeMap<String, Picture>) -> (u8, f64) {
    assert_eq!(
        one.keys().collect::<Vec<_>>(),
        other.keys().collect::<Vec<_>>(),
        "the same pictures"
    );
    let (mut largest, mut sum, mut count) = (0, 0_u64, 0_u64);
    for (name, picture) in one {
        let wanted = &other[name];
        let size = |picture: &Picture| (picture.width(), picture.height());
        assert_eq!(size(picture), size(wanted), "{name}");
        for (seen, wanted) in picture.rgb().iter().zip(wanted.rgb()) {
            let apart = seen.abs_diff(*wanted);
            largest = largest.max(apart);
            sum += u64::from(apart);
            count += 1;
        }
    }
    assert!(count > 0);
    (largest, sum as f64 / count as f64)
}

/// The same work on the device and in software: where it was done there, and how far the pictures are apart.
fn compared(source: &Path, with_rendition: bool, backend: &str, settings: &[(&str, &str)]) -> (String, (u8, f64)) {
    let desk = Desk::new();
    let workflow = works::pictures(with_rendition);
    let device = desk.run(&workflow, source, backend, settings).proved();
    let software = desk.run(&workflow, source, "software", &[]).proved();
    let (seen, wanted) = (images(&device), images(&software));
    assert!(wanted.len() >= 3, "sheets and two stills: {:?}", wanted.keys());
    (device.backend().to_owned(), differences(&seen, &wanted))
}

#[test]
fn pictures_of_a_pass_are_softwares_within_one_step() {
    for (mode, settings) in [
        ("gpu", None),
        ("gpu-decode", Some(("STANDIN_NO_NVENC", "1"))),
        ("gpu-encode", Some(("STANDIN_NO_NVDEC", "1"))),
    ] {
        let settings: Vec<_> = settings.into_iter().collect();
        let (backend, (largest, mean)) = compared(&works::smooth(), true, "auto", &settings);
        assert_eq!(backend, mode);
        assert!(largest <= 1, "{mode}: {largest}, {mean}");
    }
}

#[test]
fn pictures_that_are_sought_are_softwares_within_one_step() {
    let (backend, (largest, mean)) = compared(&works::smooth(), false, "gpu", &[]);
    assert_eq!(backend, "gpu-decode");
    assert!(largest <= 1, "{largest}, {mean}");
}

#[test]
fn edges_turns_and_hdr_come_out_alike() {
    for (name, source, most) in [
        ("edges", works::plain(), 1.0),
        ("turned", works::rotated(), 1.0),
        ("HDR", works::hdr(), 3.0),
        ("fields", works::interlaced(), 3.0),
        ("changing", works::changing(), 2.0),
    ] {
        for (with_rendition, backend) in [(true, "auto"), (false, "gpu")] {
            let (_, (largest, mean)) = compared(&source, with_rendition, backend, &[]);
            println!("{name}, {backend}: largest difference {largest}, mean {mean:.3}");
            assert!(mean <= most, "{name}, {backend}: {largest}, {mean}");
        }
    }
}

#[test]
fn one_kernel_paints_what_is_wanted_and_none_scales_for_it() {
    let (desk, source) = (Desk::new(), works::plain());
    let refusing = |kernel| [("STANDIN_REFUSED_KERNEL", kernel)];
    // Nothing is scaled for pictures alone.
    let alone = works::pictures(false);
    desk.run(&alone, &source, "gpu", &refusing("scale")).proved();
    let refused = desk.run(&alone, &source, "gpu", &refusing("to_rgb"));
    assert_eq!(
        (refused.code, refused.fault_codes()[0]),
        (1, "DeviceFailed"),
        "{}",
        refused.words
    );
    // In a pass the device's failure is the whole pass's, which software makes once more.
    let pass = works::pictures(true);
    let refused = desk.run(&pass, &source, "auto", &refusing("to_rgb")).proved();
    assert_eq!(refused.backend(), "software");
    assert!(refused.reason().contains("cuLaunchKernel"), "{}", refused.reason());
}
