//! What is missing for the driver to be used, in words: the piece, why it cannot be used, what to do.
//!
//! Guarantees: every refusal of the driver that its documents name gets the remedy that heals it, every other one at
//! least the driver's own words and where to look; what is no fault is said to be none. Deliberately absent: looking,
//! which `host_signs`, `driver` and `capabilities` do, and what concerns one device, which `device_remedy` says.

use crate::media::cuda::error::CudaError;
use crate::media::cuda::host_signs::HostSigns;
use crate::media::cuda::library;
use crate::media::device_report::MissingPiece;

/// Oldest driver whose encoder speaks API 12.1.
pub(super) const ENCODER_SINCE: &str = "530.41.03";
/// Oldest CUDA version that the kernels and the bindings are written for.
const CUDA_SINCE: (u32, u32) = (12, 0);

/// Numbers of CUDA's with a remedy of their own (CUresult of the driver API).
pub(super) mod code {
    pub const NO_MEMORY: i32 = 2;
    pub const STUB: i32 = 34;
    pub const UNAVAILABLE: i32 = 46;
    pub const NO_DEVICE: i32 = 100;
    pub const NOT_LICENSED: i32 = 102;
    pub const OPERATING_SYSTEM: i32 = 304;
    pub const NOT_READY: i32 = 802;
    pub const MISMATCH: i32 = 803;
    pub const COMPATIBILITY: i32 = 804;
    pub const UNKNOWN: i32 = 999;
}

pub(super) fn piece(piece: impl Into<String>, cause: impl Into<String>, remedy: impl Into<String>) -> MissingPiece {
    MissingPiece {
        piece: piece.into(),
        cause: cause.into(),
        remedy: remedy.into(),
    }
}

/// What the driver said, and of which call. A code of 0 is an error of ours.
pub(super) fn words(error: &CudaError) -> String {
    match error.code {
        0 => format!("{} ({})", error.text, error.call),
        code => format!("{} ({} answered {code})", error.text, error.call),
    }
}

/// The driver's own library cannot be opened.
pub fn no_driver(error: &CudaError, signs: &HostSigns) -> MissingPiece {
    let library = library::CUDA;
    if !library::is_not_installed(library, error) {
        return piece(
            library,
            error.text.as_str(),
            "Reinstall the driver's packages; its libraries must be those of this machine's architecture.",
        );
    }
    if let Some(version) = &signs.kernel_driver {
        let remedy = if signs.is_container {
            "Start the container with NVIDIA's container toolkit (--gpus all, or a device of CDI), which lends it the host's libraries."
                .to_owned()
        } else {
            format!(
                "Install the libraries of driver {version} (Debian: libcuda1; Ubuntu: libnvidia-compute-{}).",
                major(version)
            )
        };
        return piece(
            library,
            format!("the kernel has driver {version}, and its library is not installed"),
            remedy,
        );
    }
    let Some(bound_to) = signs.cards.first() else {
        return piece(
            library,
            "no NVIDIA card and no NVIDIA driver on this host",
            "Nothing to do: the work is done in software.",
        );
    };
    let cause = match bound_to.as_str() {
        "nouveau" | "nova" => format!("an NVIDIA card is there, driven by {bound_to}, which offers no CUDA"),
        "vfio-pci" => "an NVIDIA card is there and set aside for a virtual machine (vfio-pci)".to_owned(),
        _ => "an NVIDIA card is there, without NVIDIA's driver".to_owned(),
    };
    piece(
        library,
        cause,
        format!(
            "Install NVIDIA's driver, {ENCODER_SINCE} or newer (Debian: nvidia-driver with libnvcuvid1 and libnvidia-encode1), and restart the host; until then the work is done in software."
        ),
    )
}

/// The driver is there and does not work on this host, or sees no device.
pub fn not_working(error: &CudaError, signs: &HostSigns, library_version: Option<&str>) -> Vec<MissingPiece> {
    let words = words(error);
    if error.code == code::NO_DEVICE
        && let Some(missing) = hidden(signs)
    {
        return vec![missing];
    }
    let kernel = signs.kernel_driver.as_deref();
    let differ = matches!((kernel, library_version), (Some(kernel), Some(library)) if kernel != library);
    match error.code {
        code::MISMATCH => vec![mismatch(kernel, library_version)],
        _ if differ && error.code != code::COMPATIBILITY => vec![mismatch(kernel, library_version)],
        code::COMPATIBILITY => vec![piece(
            "driver",
            words,
            "Remove the forward-compatibility libraries (cuda-compat), which only data-centre cards take, or upgrade the host's driver.",
        )],
        code::NOT_READY => vec![piece(
            "driver",
            words,
            "Start NVIDIA's fabric manager of exactly the driver's version (systemctl start nvidia-fabricmanager): hosts whose cards are joined by NVSwitch need it.",
        )],
        code::STUB => vec![piece(
            library::CUDA,
            words,
            "Take the toolkit's stubs folder out of LD_LIBRARY_PATH and /etc/ld.so.conf.d: it holds a library to link against, not a driver.",
        )],
        code::NOT_LICENSED => vec![piece(
            "driver",
            words,
            "Give the virtual GPU its licence (systemctl status nvidia-gridd).",
        )],
        _ if !signs.is_wsl && !signs.bad_nodes.is_empty() => nodes(signs),
        code::NO_DEVICE if signs.cards.is_empty() && kernel.is_none() => vec![piece(
            "device",
            "NVIDIA's driver is installed, and there is no NVIDIA card",
            "Nothing to do: the work is done in software. With a card: see whether lspci shows it.",
        )],
        code::NO_DEVICE | code::UNKNOWN | code::OPERATING_SYSTEM | code::UNAVAILABLE => vec![piece(
            "driver",
            words,
            "See what the kernel says (dmesg | grep -e NVRM -e Xid) and whether nvidia-smi answers; after an upgrade or an Xid, restart the host. Where nvidia-smi works, load nvidia_uvm (nvidia-modprobe -u -c=0).",
        )],
        _ => vec![piece(
            "driver",
            words,
            "See what the kernel says (dmesg | grep -e NVRM -e Xid) and whether nvidia-smi answers.",
        )],
    }
}

/// The devices are hidden from this process on purpose.
fn hidden(signs: &HostSigns) -> Option<MissingPiece> {
    let visible = signs.visible_devices.as_deref()?;
    Some(piece(
        "CUDA_VISIBLE_DEVICES",
        format!("it is set to `{visible}`, which leaves no device to this program"),
        "Unset it, or name devices in it (0, or a UUID of nvidia-smi -L).",
    ))
}

/// Library and kernel module are of different versions: an upgrade without a restart.
fn mismatch(kernel: Option<&str>, library: Option<&str>) -> MissingPiece {
    let which = |version: Option<&str>| version.unwrap_or("another version").to_owned();
    piece(
        "driver",
        format!(
            "the kernel's part of the driver is {} and its libraries are of {}, as after an upgrade",
            which(kernel),
            which(library)
        ),
        "Restart the host, or stop what uses the devices and reload the kernel's part (rmmod nvidia_uvm nvidia_drm nvidia_modeset nvidia; modprobe nvidia_uvm).",
    )
}

/// One piece for the nodes that are not there, one for those that this user may not open.
fn nodes(signs: &HostSigns) -> Vec<MissingPiece> {
    let names = |is_refused: bool| {
        let bad = signs.bad_nodes.iter().filter(|node| node.is_refused == is_refused);
        bad.map(|node| node.path.as_str()).collect::<Vec<_>>().join(", ")
    };
    let (absent, refused) = (names(false), names(true));
    let mut missing = Vec::new();
    if !absent.is_empty() {
        let remedy = if signs.is_container {
            "Start the container with NVIDIA's container toolkit (--gpus all, or a device of CDI), which lends it the host's devices."
        } else {
            "Make them: load the module (modprobe nvidia), then nvidia-modprobe -c=0 -u as root; for each start, enable nvidia-persistenced. Under systemd, PrivateDevices= must be off."
        };
        missing.push(piece(absent, "device nodes are not there", remedy));
    }
    if !refused.is_empty() {
        missing.push(piece(
            refused,
            "this user may not open them",
            "Let the daemon's user read and write them: add it to the group that owns them (ls -l /dev/nvidia*; usually video or render), or take NVreg_DeviceFileMode out of /etc/modprobe.d. Under systemd, DeviceAllow= must name them.",
        ));
    }
    missing
}

/// Some of the host's cards are not among the devices, and nothing hides them on purpose.
pub fn fewer_than_cards(devices: u32, signs: &HostSigns) -> Option<MissingPiece> {
    let driven = signs.cards.iter().filter(|driver| *driver == "nvidia").count();
    let is_meant = signs.visible_devices.is_some() || signs.is_container;
    let refused = signs.bad_nodes.iter().any(|node| node.is_refused);
    (!is_meant && refused && (devices as usize) < driven)
        .then(|| nodes(signs).pop())
        .flatten()
}

/// The driver is older than what parts of this program need.
pub fn too_old(driver: Option<&str>, cuda: Option<(u32, u32)>) -> Vec<MissingPiece> {
    let mut missing = Vec::new();
    let upgrade = "Upgrade the driver: 535 or newer serves everything.";
    if let Some(cuda) = cuda.filter(|cuda| *cuda < CUDA_SINCE) {
        missing.push(piece(
            "CUDA",
            format!(
                "the driver speaks CUDA {}.{}, and {}.{} is needed",
                cuda.0, cuda.1, CUDA_SINCE.0, CUDA_SINCE.1
            ),
            upgrade,
        ));
    }
    if let Some(driver) = driver.filter(|driver| is_older(driver, ENCODER_SINCE)) {
        missing.push(piece(
            "NVENC",
            format!("the driver is {driver}, and encoding needs {ENCODER_SINCE} (NVENC API 12.1)"),
            upgrade,
        ));
    }
    missing
}

fn is_older(version: &str, than: &str) -> bool {
    let numbers = |text: &str| {
        text.split('.')
            .map(|part| part.parse::<u32>().unwrap_or(0))
            .collect::<Vec<_>>()
    };
    numbers(version) < numbers(than)
}

fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or(version)
}

/// A library of the driver that is packaged apart from it.
pub fn no_library(name: &str, error: &CudaError, signs: &HostSigns, driver: Option<&str>) -> MissingPiece {
    let (what, debian, ubuntu) = if name == library::CUVID {
        ("decoded", "libnvcuvid1", "libnvidia-decode")
    } else {
        ("encoded", "libnvidia-encode1", "libnvidia-encode")
    };
    let remedy = if signs.is_container {
        format!(
            "Start the container with NVIDIA_DRIVER_CAPABILITIES=compute,video,utility (or all): without `video` the toolkit leaves it out. The host must have it, too (Debian: {debian})."
        )
    } else {
        let ubuntu = driver.map_or(ubuntu.to_owned(), |version| format!("{ubuntu}-{}", major(version)));
        format!(
            "Install it in the driver's version (Debian: {debian}; Ubuntu: {ubuntu}; RPM Fusion: xorg-x11-drv-nvidia-cuda-libs)."
        )
    };
    let cause = if library::is_not_installed(name, error) {
        format!("it is not installed, so nothing is {what} by a device")
    } else {
        error.text.clone()
    };
    piece(name, cause, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::cuda::host_signs::BadNode;

    const NOT_FOUND: &str = "libcuda.so.1: cannot open shared object file: No such file or directory";

    fn signs() -> HostSigns {
        HostSigns {
            kernel_driver: Some("550.54.14".to_owned()),
            cards: vec!["nvidia".to_owned()],
            ..HostSigns::default()
        }
    }

    fn with_nodes(absent: &[&str], refused: &[&str]) -> HostSigns {
        let node = |is_refused| {
            move |path: &&str| BadNode {
                path: (*path).to_owned(),
                is_refused,
            }
        };
        HostSigns {
            bad_nodes: absent
                .iter()
                .map(node(false))
                .chain(refused.iter().map(node(true)))
                .collect(),
            ..signs()
        }
    }

    fn refused_init(code: i32) -> CudaError {
        CudaError::cuda("cuInit", code, "words of the driver")
    }

    /// What is said of a driver that does not start: (piece, cause, remedy) of the only finding.
    fn said(code: i32, signs: &HostSigns, library: Option<&str>) -> (String, String, String) {
        let mut missing = not_working(&refused_init(code), signs, library);
        assert_eq!(missing.len(), 1, "{missing:?}");
        let one = missing.remove(0);
        (one.piece, one.cause, one.remedy)
    }

    #[test]
    fn a_host_without_a_card_has_nothing_to_repair() {
        let error = CudaError::absent("dlopen", NOT_FOUND);
        let missing = no_driver(&error, &HostSigns::default());
        assert!(missing.remedy.starts_with("Nothing to do"), "{missing:?}");
        let mut nouveau = HostSigns::default();
        nouveau.cards.push("nouveau".to_owned());
        let missing = no_driver(&error, &nouveau);
        assert!(missing.cause.contains("nouveau") && missing.remedy.contains("libnvidia-encode1"));
        let missing = no_driver(&error, &signs());
        assert!(missing.cause.contains("550.54.14") && missing.remedy.contains("libnvidia-compute-550"));
        let container = HostSigns {
            is_container: true,
            ..signs()
        };
        assert!(no_driver(&error, &container).remedy.contains("--gpus all"));
        let broken = CudaError::absent("dlopen", "libcuda.so.1: wrong ELF class: ELFCLASS32");
        assert!(no_driver(&broken, &signs()).cause.contains("ELFCLASS32"));
    }

    #[test]
    fn an_upgrade_without_a_restart_names_both_versions() {
        for code in [803, 999, 100] {
            let (_, cause, remedy) = said(code, &signs(), Some("570.86.10"));
            assert!(
                cause.contains("550.54.14") && cause.contains("570.86.10"),
                "{code}: {cause}"
            );
            assert!(remedy.contains("Restart the host"), "{code}: {remedy}");
        }
    }

    #[test]
    fn nodes_that_are_missing_or_closed_are_named() {
        let (piece, _, remedy) = said(100, &with_nodes(&["/dev/nvidiactl"], &[]), None);
        assert_eq!(piece, "/dev/nvidiactl");
        assert!(remedy.contains("nvidia-modprobe"));
        let (piece, _, remedy) = said(
            999,
            &with_nodes(&[], &["/dev/nvidia0", "/dev/nvidia-uvm"]),
            Some("550.54.14"),
        );
        assert_eq!(piece, "/dev/nvidia0, /dev/nvidia-uvm");
        assert!(remedy.contains("group") && remedy.contains("render"));
        let both = not_working(
            &refused_init(100),
            &with_nodes(&["/dev/nvidia-uvm"], &["/dev/nvidia0"]),
            None,
        );
        assert_eq!(both.len(), 2);
        let wsl = HostSigns {
            is_wsl: true,
            ..with_nodes(&["/dev/nvidiactl"], &[])
        };
        assert_eq!(said(100, &wsl, None).0, "driver", "there are no nodes under Windows");
    }

    #[test]
    fn what_hides_the_devices_on_purpose_is_named() {
        let mut signs = with_nodes(&["/dev/nvidiactl"], &[]);
        signs.visible_devices = Some(String::new());
        assert_eq!(said(100, &signs, None).0, "CUDA_VISIBLE_DEVICES");
        assert_ne!(
            said(999, &signs, None).0,
            "CUDA_VISIBLE_DEVICES",
            "it does not stop the driver"
        );
    }

    #[test]
    fn numbers_with_a_remedy_of_their_own_get_it() {
        for (code, word) in [
            (802, "fabric manager"),
            (804, "cuda-compat"),
            (34, "stubs"),
            (102, "licence"),
        ] {
            let (_, cause, remedy) = said(code, &signs(), Some("550.54.14"));
            assert!(remedy.contains(word), "{code}: {remedy}");
            assert!(cause.contains(&code.to_string()) && cause.contains("words of the driver"));
        }
        assert!(said(4242, &signs(), None).1.contains("4242"), "a number nobody knows");
    }

    #[test]
    fn old_drivers_are_told_by_number_not_by_letters() {
        assert!(too_old(Some("530.41.03"), Some((12, 1))).is_empty());
        assert!(too_old(Some("1000.1"), Some((20, 0))).is_empty());
        let old = too_old(Some("525.147.05"), Some((12, 0)));
        assert_eq!(old.len(), 1);
        assert!(old[0].piece == "NVENC" && old[0].cause.contains("530.41.03"));
        let pieces: Vec<String> = too_old(Some("470.57.02"), Some((11, 4)))
            .into_iter()
            .map(|one| one.piece)
            .collect();
        assert_eq!(pieces, ["CUDA", "NVENC"]);
        assert!(too_old(None, None).is_empty(), "what is not known is not old");
    }

    #[test]
    fn libraries_come_with_the_packages_that_hold_them() {
        let error = CudaError::absent("dlopen", NOT_FOUND.replace("libcuda", "libnvidia-encode"));
        let encode = no_library("libnvidia-encode.so.1", &error, &signs(), Some("550.54.14"));
        assert!(encode.remedy.contains("libnvidia-encode1") && encode.remedy.contains("libnvidia-encode-550"));
        let container = HostSigns {
            is_container: true,
            ..signs()
        };
        let decode = no_library("libnvcuvid.so.1", &error, &container, None);
        assert!(decode.remedy.contains("NVIDIA_DRIVER_CAPABILITIES"));
        assert!(encode.cause.contains("not installed"), "{}", encode.cause);
        assert_eq!(
            decode.cause, error.text,
            "it was found, and something that it needs was not"
        );
    }

    #[test]
    fn every_cause_has_no_full_stop_and_every_remedy_has_one() {
        let mut all = vec![no_driver(&CudaError::absent("dlopen", NOT_FOUND), &signs())];
        for code in [2, 34, 46, 100, 101, 102, 304, 802, 803, 804, 999] {
            let nodes = with_nodes(&["/dev/nvidia-uvm"], &["/dev/nvidia0"]);
            all.extend(not_working(&refused_init(code), &nodes, None));
            all.extend(not_working(&refused_init(code), &signs(), None));
        }
        for one in all {
            assert!(!one.cause.ends_with('.') && one.remedy.ends_with('.'), "{one:?}");
        }
    }
}
