//! What `check` says of a driver that is too old, of another version than the kernel's part, or closed to this user: each
//! with the remedy that heals it.

use crate::Host;
use crate::about_devices;
use crate::is_equipped;
use crate::stand_in;
use crate::with;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::fs::symlink;
use std::process::Command;

const REELMILL: &str = env!("CARGO_BIN_EXE_reelmill");
const LIBRARIES: [&str; 4] = ["libcuda.so.1", "libcuda.so", "libnvcuvid.so.1", "libnvidia-encode.so.1"];
/// Somebody who may do nothing.
const NOBODY: &str = "65534";
/// Gives the program that comes after it a kernel's part of version 550.54.14 and device nodes of root's.
const ELSEWHERE: &str = r#"
set -e
room=$1; mode=$2; binary=$3; shift 3
mkdir "$room/dev"
mount -t tmpfs -o mode=755 tmpfs "$room/dev"
for node in null zero full random urandom; do cp -a "/dev/$node" "$room/dev/"; done
ln -s /proc/self/fd "$room/dev/fd"
for node in nvidiactl nvidia-uvm nvidia0; do : >"$room/dev/$node"; chmod 666 "$room/dev/$node"; done
chmod "$mode" "$room/dev/nvidiactl" "$room/dev/nvidia0"
mount --move "$room/dev" /dev
mount -t tmpfs tmpfs /sys/module
mkdir /sys/module/nvidia
echo 550.54.14 >/sys/module/nvidia/version
: >"$room/reelmill"
mount --bind "$binary" "$room/reelmill"
exec setpriv --reuid "$NOBODY" --regid "$NOBODY" --clear-groups "$room/reelmill" "$@"
"#;

impl Host {
    /// With a driver whose libraries say this version by their file's name.
    fn with_driver(version: &str, faults: &[(&str, &str)]) -> Self {
        let host = Host::with_stand_in(faults);
        let folder = host.room.path().join("driver");
        std::fs::create_dir(&folder).expect("a fresh folder");
        let file = format!("libcuda.so.{version}");
        std::fs::copy(stand_in().join("libcuda.so.1"), folder.join(&file)).expect("copied");
        for name in LIBRARIES {
            symlink(&file, folder.join(name)).expect("a link");
        }
        Host {
            libraries: Some(folder),
            ..host
        }
    }

    /// What `check` says to nobody in particular on a host whose kernel has the driver's part; none where such a host
    /// cannot be made here.
    fn checked_by_nobody(&self, mode: &str) -> Option<Value> {
        let room = self.room.path();
        std::fs::set_permissions(room, PermissionsExt::from_mode(0o755)).expect("open to all");
        let violations = room.join("violations");
        std::fs::write(&violations, "").expect("written");
        std::fs::set_permissions(&violations, PermissionsExt::from_mode(0o666)).expect("open to all");
        let tried = Command::new("unshare")
            .args(["--mount", "sh", "-c", "mount -t tmpfs tmpfs /mnt && command -v setpriv"])
            .output();
        if !tried.is_ok_and(|output| output.status.success()) {
            assert!(
                std::env::var_os("REELMILL_REQUIRE_MOUNTS").is_none_or(|value| value != "1"),
                "REELMILL_REQUIRE_MOUNTS=1, but nothing can be mounted here"
            );
            println!("skipped: nothing can be mounted here");
            return None;
        }
        let output = Command::new("unshare")
            .args(["--mount", "sh", "-c", ELSEWHERE, "sh"])
            .arg(room)
            .args([mode, REELMILL, "check", "--json", "--config"])
            .arg(room.join("reelmill.toml"))
            .env("NOBODY", NOBODY)
            .env("STANDIN_VIOLATIONS", &violations)
            .env("LD_LIBRARY_PATH", self.libraries.as_ref().expect("a driver"))
            .env_remove("CUDA_VISIBLE_DEVICES")
            .envs(self.faults.iter().cloned())
            .output()
            .expect("unshare runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(std::fs::read_to_string(&violations).expect("read"), "", "{said}");
        Some(serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}")))
    }
}

#[test]
fn an_old_driver_is_told_what_it_lacks_and_what_serves() {
    if is_equipped() {
        return;
    }
    let old = [("CUDA_VERSION", "11.4"), ("NVENC_VERSION", "11.1")];
    let (code, checked) = Host::with_driver("470.57.02", &old).check();
    assert_eq!(code, 0, "an old driver stops nothing");
    let lines = about_devices(&checked);
    with(&lines, "NVIDIA driver 470.57.02, CUDA 11.4");
    for words in [
        "CUDA: the driver speaks CUDA 11.4, and 12.0 is needed",
        "NVENC: the driver is 470.57.02, and encoding needs 530.41.03 (NVENC API 12.1)",
    ] {
        let line = with(&lines, words);
        assert!(line.starts_with("note gpu"), "{line}");
        assert!(
            line.ends_with("Upgrade the driver: 535 or newer serves everything."),
            "{line}"
        );
    }
}

#[test]
fn a_library_of_another_version_than_the_kernels_part_asks_for_a_restart() {
    if is_equipped() {
        return;
    }
    let host = Host::with_driver("570.86.10", &[("INIT_ERROR", "803")]);
    let lines = about_devices(&host.check().1);
    let line = with(&lines, "as after an upgrade");
    assert!(
        line.contains("570.86.10") && line.contains("Restart the host"),
        "{line}"
    );
    let Some(checked) = host.checked_by_nobody("666") else {
        return;
    };
    let lines = about_devices(&checked);
    let line = with(
        &lines,
        "the kernel's part of the driver is 550.54.14 and its libraries are of 570.86.10, as after an upgrade",
    );
    assert!(line.contains("Restart the host"), "{line}");
    assert_eq!(checked["devices"]["driver_version"], "550.54.14");
}

#[test]
fn nodes_that_this_user_may_not_open_are_named_with_the_group_to_join() {
    if is_equipped() {
        return;
    }
    // What a driver answers who may not open its nodes.
    for code in ["100", "999"] {
        let host = Host::with_driver("550.54.14", &[("INIT_ERROR", code)]);
        let Some(checked) = host.checked_by_nobody("660") else {
            return;
        };
        let lines = about_devices(&checked);
        let line = with(&lines, "/dev/nvidiactl, /dev/nvidia0: this user may not open them");
        for words in ["note gpu", "ls -l /dev/nvidia*", "video or render", "DeviceAllow="] {
            assert!(line.contains(words), "{words}: {line}");
        }
        assert!(!lines.iter().any(|line| line.contains("nvidia-uvm:")), "{lines:#?}");
    }
}

#[test]
fn a_driver_that_does_not_begin_is_told_in_its_words_with_where_to_look() {
    if is_equipped() {
        return;
    }
    for (code, remedy) in [("802", "fabricmanager"), ("804", "cuda-compat"), ("34", "stubs")] {
        let (exit, checked) = Host::with_driver("550.54.14", &[("INIT_ERROR", code)]).check();
        assert_eq!(exit, 0);
        let lines = about_devices(&checked);
        let line = with(&lines, &format!("cuInit answered {code}"));
        assert!(line.contains(remedy), "{line}");
    }
}
