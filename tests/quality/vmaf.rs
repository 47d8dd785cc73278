//! VMAF: through the real binary on a stand-in library, on a host without one, and on one that is too old; where there is
//! a real libvmaf, against its own program.

use crate::clips;
use reelmill::media::av::Frame;
use reelmill::media::vmaf::Library;
use reelmill::media::vmaf::Meter;
use serde_json::Value;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

/// Compiles the stand-in into a folder of its own.
fn standin(directory: &Path, more: &[&str]) -> PathBuf {
    let folder = directory.join("lib");
    std::fs::create_dir_all(&folder).expect("a folder");
    let output = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-Wl,-soname,libvmaf.so.3", "-o"])
        .arg(folder.join("libvmaf.so.3"))
        .args(more)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/quality/vmaf_standin.c"))
        .output()
        .expect("a C compiler is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder
}

/// Carries out two renditions, good and poor, on a host whose libraries lie in `libraries` too. `quality`: keys of that table.
fn run(root: &Path, libraries: &Path, quality: &str) -> (i32, Value, String) {
    let clip = crate::likeness::source(root);
    let rendition = |name: &str, crf: u32, bits: u32| {
        format!(
            "[[activity.group.output]]\nname = \"{name}\"\n\
             video = {{ codec = \"hevc\", preset = \"ultrafast\", crf = {crf}, bit_depth = {bits} }}\n"
        )
    };
    let workflow = format!(
        "name = \"w\"\n[[activity]]\nid = \"t\"\ntype = \"transcode\"\nbackend = \"software\"\n\
         quality = {{ every_s = 0.2, {quality} }}\n[[activity.group]]\nkind = \"file\"\n{}{}",
        rendition("good", 10, 10),
        rendition("poor", 44, 8)
    );
    let file = root.join("w.toml");
    std::fs::write(&file, workflow).expect("written");
    std::fs::create_dir_all(root.join("scratch")).expect("scratch");
    let output = Command::new(env!("CARGO_BIN_EXE_reelmill"))
        .env("LD_LIBRARY_PATH", libraries)
        .arg("run")
        .args([&file, &clip])
        .args(["--json", "--overwrite", "--threads", "2", "--output"])
        .arg(root.join("out"))
        .arg("--scratch")
        .arg(root.join("scratch"))
        .output()
        .expect("the binary runs");
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|wrong| panic!("{wrong}: {words}"));
    (output.status.code().unwrap_or(-1), report, words)
}

fn quality<'a>(report: &'a Value, name: &str) -> &'a Value {
    let outputs = report["outputs"].as_array().expect("outputs");
    let found = outputs.iter().find(|output| output["name"] == name);
    &found.unwrap_or_else(|| panic!("no output {name}: {report:#}"))["quality"]
}

#[test]
fn renditions_have_their_vmaf_where_the_host_has_the_library() {
    let root = tempfile::tempdir().expect("a directory");
    let library = standin(root.path(), &[]);
    let (code, report, words) = run(root.path(), &library, "metrics = [\"psnr\", \"vmaf\"], min_vmaf = 60.0");
    assert_eq!(code, 0, "{words}");
    let (good, poor) = (quality(&report, "good"), quality(&report, "poor"));
    for quality in [good, poor] {
        assert!(quality["frames"].as_u64() >= Some(10), "{quality}");
        assert_eq!(quality["vmaf_model"], "vmaf_v0.6.1");
        assert_eq!(quality["vmaf_missing"], Value::Null);
        assert_eq!(quality["ssim"], Value::Null, "not asked for");
        assert!(quality["vmaf_min"].as_f64() <= quality["vmaf"].as_f64(), "{quality}");
    }
    // The stand-in takes the mean difference of luma off 100, and 1 of the first picture of all at most.
    let score = |quality: &Value| quality["vmaf"].as_f64().expect("measured");
    assert!(score(good) > 98.0 && score(good) <= 100.0, "{good}");
    assert!(score(poor) < score(good) - 1.0 && score(poor) > 60.0, "{poor}");

    let (code, report, words) = run(root.path(), &library, "min_vmaf = 99.9");
    assert_ne!(code, 0);
    assert_eq!(report["errors"][0]["code"], "OutputTooPoor", "{words}");
    assert!(words.contains("poor: vmaf of"), "{words}");
}

#[test]
fn without_the_library_the_result_says_why_there_is_no_vmaf() {
    let root = tempfile::tempdir().expect("a directory");
    if Library::of_host().is_ok() {
        println!("skipped: this host has a libvmaf");
        return;
    }
    let asked = "metrics = [\"psnr\", \"vmaf\"]";
    let (code, report, words) = run(root.path(), root.path(), asked);
    assert_eq!(code, 0, "{words}");
    let good = quality(&report, "good");
    assert_eq!((&good["vmaf"], &good["vmaf_model"]), (&Value::Null, &Value::Null));
    assert!(good["psnr_db"].as_f64() > Some(30.0), "the rest is measured: {good}");
    let why = good["vmaf_missing"].as_str().expect("a reason");
    assert!(why.contains("libvmaf.so.3") && why.contains("libvmaf.so.1"), "{why}");
    assert!(words.contains("good: its VMAF is not known"), "{words}");

    let (code, report, words) = run(root.path(), root.path(), &format!("{asked}, min_vmaf = 80.0"));
    assert_ne!(code, 0);
    let fault = &report["errors"][0];
    assert_eq!(fault["code"], "MeterMissing", "{words}");
    assert!(
        report["outputs"].as_array().is_none_or(Vec::is_empty),
        "nothing was begun"
    );

    let old = standin(root.path(), &["-DOLD"]);
    let (code, report, words) = run(root.path(), &old, asked);
    assert_eq!(code, 0, "{words}");
    let why = quality(&report, "poor")["vmaf_missing"].as_str().expect("a reason");
    assert!(why.contains("vmaf_model_load") && why.contains("older"), "{why}");
}

#[test]
fn a_least_vmaf_is_a_number_of_its_scale() {
    let root = tempfile::tempdir().expect("a directory");
    let (code, _, words) = run_unread(root.path(), "metrics = [\"vmaf\"], min_vmaf = 101.0");
    assert_ne!(code, 0);
    assert!(words.contains("min_vmaf") && words.contains("100"), "{words}");
}

/// As `run`, of a definition that is refused before anything is read.
fn run_unread(root: &Path, quality: &str) -> (i32, String, String) {
    let file = root.join("w.toml");
    let workflow = format!(
        "name = \"w\"\n[[activity]]\nid = \"t\"\ntype = \"transcode\"\nquality = {{ {quality} }}\n\
         [[activity.group]]\nkind = \"file\"\n[[activity.group.output]]\nname = \"a\"\nvideo = {{ codec = \"h264\" }}\n"
    );
    std::fs::write(&file, workflow).expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_reelmill"))
        .arg("run")
        .args([&file, &file])
        .arg("--output")
        .arg(root.join("out"))
        .output()
        .expect("the binary runs");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().unwrap_or(-1),
        said(&output.stdout),
        said(&output.stderr),
    )
}

/// Luma and chroma of a picture, rows without padding.
fn raw(frame: &Frame) -> Vec<u8> {
    let rows =
        (0..3).flat_map(|plane| (0..).map_while(move |y| Some((plane, y)).filter(|_| frame.row(plane, y).is_some())));
    rows.filter_map(|(plane, y)| frame.row(plane, y))
        .flatten()
        .copied()
        .collect()
}

#[test]
fn scores_are_those_of_the_librarys_own_program() {
    let has_program = Command::new("vmaf").arg("--version").output().is_ok();
    if !has_program || Library::of_host().is_err() {
        println!("skipped: this host has no libvmaf with its program `vmaf`");
        return;
    }
    let root = tempfile::tempdir().expect("a directory");
    for (format, bits, chroma) in [("yuv420p", "8", "420"), ("yuv422p10le", "10", "422")] {
        let source = root.path().join(format!("{format}.mkv"));
        let made = root.path().join(format!("{format}-made.mkv"));
        let pictures = format!("testsrc2=s=320x180:r=25:d=0.4,noise=alls=8:allf=t,format={format}");
        clips::ffmpeg(&["-f", "lavfi", "-i", &pictures, "-c:v", "ffv1"], &source);
        let path = source.to_string_lossy();
        clips::ffmpeg(
            &["-i", &path, "-c:v", "libx264", "-pix_fmt", format, "-crf", "36"],
            &made,
        );
        let (meant, made) = (super::likeness::pictures(&source), super::likeness::pictures(&made));
        assert_eq!((meant.len(), made.len()), (10, 10));
        let meter = Meter::open(180).expect("a library");
        for at in [1, 5, 9] {
            let ours = meter
                .score(Some(&meant[at - 1]), &meant[at], &made[at])
                .expect("a score");
            let (one, other) = (root.path().join("one.yuv"), root.path().join("other.yuv"));
            let two = |frames: &[Frame]| frames[at - 1..=at].iter().flat_map(raw).collect::<Vec<u8>>();
            std::fs::write(&one, two(&meant)).expect("written");
            std::fs::write(&other, two(&made)).expect("written");
            let said = root.path().join("said.json");
            let output = Command::new("vmaf")
                .args([
                    "-w",
                    "320",
                    "-h",
                    "180",
                    "-b",
                    bits,
                    "-p",
                    chroma,
                    "--json",
                    "-m",
                    "version=vmaf_v0.6.1",
                ])
                .arg("-r")
                .arg(&one)
                .arg("-d")
                .arg(&other)
                .arg("-o")
                .arg(&said)
                .output()
                .expect("it runs");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let said: Value = serde_json::from_slice(&std::fs::read(&said).expect("a report")).expect("JSON");
            let theirs = said["frames"][1]["metrics"]["vmaf"].as_f64().expect("a score");
            assert!(
                (ours - theirs).abs() < 0.001,
                "{format} at {at}: {ours}, they say {theirs}"
            );
            assert!(ours > 5.0 && ours < 99.5, "{format} at {at}: {ours} says nothing");
        }
    }
}
