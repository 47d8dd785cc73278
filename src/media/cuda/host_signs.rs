//! What a host shows of NVIDIA hardware before any of the driver's libraries is opened: the kernel's side of the driver,
//! cards on the bus, and the device nodes with the right to open them.
//!
//! Guarantees: only reads small files and asks for rights; opens no device. Deliberately absent: what the signs mean,
//! which `remedy` says.

use rustix::fs::Access;
use std::path::Path;
use std::path::PathBuf;

/// Vendor number of NVIDIA on PCI.
const VENDOR: &str = "0x10de";
/// PCI class of display controllers, VGA and 3D alike.
const DISPLAY_CLASS: &str = "0x03";
/// Nodes that every use of a device needs, beside the device's own.
const SHARED_NODES: [&str; 2] = ["nvidiactl", "nvidia-uvm"];

/// The signs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HostSigns {
    /// Version of the kernel module that is loaded, `550.54.14`.
    pub kernel_driver: Option<String>,
    /// The kernel's drivers of the NVIDIA cards on the bus, one a card; empty: bound to none.
    pub cards: Vec<String>,
    /// Nodes that are not there, or that this user may not open.
    pub bad_nodes: Vec<BadNode>,
    /// Windows' kernel is beneath: the driver is that of Windows and there are no nodes.
    pub is_wsl: bool,
    /// This is a container.
    pub is_container: bool,
    /// What `CUDA_VISIBLE_DEVICES` says; none where it is not set.
    pub visible_devices: Option<String>,
}

/// A device node that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadNode {
    /// Its path, `/dev/nvidiactl`.
    pub path: String,
    /// It is there, and this user may not open it. Else it is not there.
    pub is_refused: bool,
}

impl HostSigns {
    /// Reads the signs beneath `root`, which is `/` but in tests.
    pub fn read(root: &Path, visible_devices: Option<&str>) -> Self {
        let is_there = |path: &str| root.join(path).exists();
        HostSigns {
            kernel_driver: kernel_driver(root),
            cards: cards(root),
            bad_nodes: bad_nodes(&root.join("dev")),
            is_wsl: is_there("dev/dxg"),
            is_container: is_there(".dockerenv") || is_there("run/.containerenv"),
            visible_devices: visible_devices.map(str::to_owned),
        }
    }
}

fn kernel_driver(root: &Path) -> Option<String> {
    let version = std::fs::read_to_string(root.join("proc/driver/nvidia/version"));
    let from_proc = version.ok().as_deref().and_then(version_in_banner);
    from_proc.or_else(|| {
        let text = std::fs::read_to_string(root.join("sys/module/nvidia/version")).ok()?;
        Some(text.trim().to_owned()).filter(|version| is_version(version))
    })
}

/// The version in `NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb ...`; the open module's line has
/// other words around it. The second line is the compiler's.
fn version_in_banner(text: &str) -> Option<String> {
    let first = text.lines().next()?;
    first
        .split_whitespace()
        .find(|word| is_version(word))
        .map(str::to_owned)
}

fn is_version(word: &str) -> bool {
    let parts: Vec<&str> = word.split('.').collect();
    (2..=3).contains(&parts.len())
        && parts
            .iter()
            .all(|part| !part.is_empty() && part.bytes().all(|one| one.is_ascii_digit()))
}

fn cards(root: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(root.join("sys/bus/pci/devices")) else {
        return Vec::new();
    };
    let says = |path: &Path, name: &str| std::fs::read_to_string(path.join(name)).unwrap_or_default();
    entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| says(path, "vendor").trim() == VENDOR && says(path, "class").starts_with(DISPLAY_CLASS))
        .map(|path| {
            let driver = std::fs::read_link(path.join("driver")).ok();
            let name = driver.as_deref().and_then(Path::file_name);
            name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
        })
        .collect()
}

fn bad_nodes(dev: &Path) -> Vec<BadNode> {
    let mut nodes: Vec<PathBuf> = SHARED_NODES.iter().map(|name| dev.join(name)).collect();
    let own = own_nodes(dev);
    if own.is_empty() {
        nodes.push(dev.join("nvidia0"));
    }
    nodes.extend(own);
    nodes
        .into_iter()
        .filter_map(|node| {
            let refused = rustix::fs::access(&node, Access::READ_OK | Access::WRITE_OK).err()?;
            Some(BadNode {
                // Its name on a host, wherever a test put it.
                path: format!("/dev/{}", node.file_name().unwrap_or_default().to_string_lossy()),
                is_refused: refused != rustix::io::Errno::NOENT,
            })
        })
        .collect()
}

/// `nvidia0`, `nvidia1` ..., in order.
fn own_nodes(dev: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(dev) else {
        return Vec::new();
    };
    let number = |path: &Path| {
        let name = path.file_name()?.to_str()?;
        name.strip_prefix("nvidia")?.parse::<u32>().ok()
    };
    let mut found: Vec<(u32, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| Some((number(&entry.path())?, entry.path())))
        .collect();
    found.sort();
    found.into_iter().map(|(_, path)| path).collect()
}

/// Version of a library of the driver that this process has opened, from the name of the file behind it:
/// `/usr/lib/x86_64-linux-gnu/libcuda.so.550.54.14`.
pub fn loaded_version(library: &str) -> Option<String> {
    std::fs::read_to_string("/proc/self/maps")
        .ok()
        .and_then(|maps| version_in_maps(&maps, library))
}

fn version_in_maps(maps: &str, library: &str) -> Option<String> {
    maps.lines()
        .filter_map(|line| line.rsplit('/').next()?.strip_prefix(library)?.strip_prefix(".so."))
        .find(|version| is_version(version))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::BadNode;
    use super::HostSigns;
    use super::version_in_banner;
    use super::version_in_maps;
    use std::path::Path;

    fn write(root: &Path, name: &str, text: &str) {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().expect("beneath the root")).expect("folders");
        std::fs::write(path, text).expect("written");
    }

    #[test]
    fn both_kernel_modules_tell_their_version() {
        let closed = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22 01:44:30 UTC 2024\n\
                      GCC version:  gcc version 12.2.0 (Debian 12.2.0-14)\n";
        let open = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86  Release Build  (dvs-builder)\n";
        assert_eq!(version_in_banner(closed).as_deref(), Some("550.54.14"));
        assert_eq!(version_in_banner(open).as_deref(), Some("570.86"));
        assert_eq!(version_in_banner("GCC version 12\n"), None);
    }

    #[test]
    fn the_version_of_an_open_library_is_read_off_its_file() {
        let maps = "7f00-7f01 r-xp 00000000 08:01 1 /usr/lib/libcudart.so.12.1\n\
                    7f02-7f03 r-xp 00000000 08:01 2 /usr/lib/x86_64-linux-gnu/libcuda.so.535.161.07\n";
        assert_eq!(version_in_maps(maps, "libcuda").as_deref(), Some("535.161.07"));
        assert_eq!(version_in_maps("7f02 r-xp 0 0 0 /x/libcuda.so.1\n", "libcuda"), None);
    }

    #[test]
    fn a_host_without_any_of_it_shows_nothing_but_missing_nodes() {
        let root = tempfile::tempdir().expect("a folder");
        let signs = HostSigns::read(root.path(), None);
        assert!(signs.cards.is_empty() && signs.kernel_driver.is_none() && !signs.is_container && !signs.is_wsl);
        let paths: Vec<&str> = signs.bad_nodes.iter().map(|node| node.path.as_str()).collect();
        assert_eq!(paths, ["/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia0"]);
        assert!(signs.bad_nodes.iter().all(|node| !node.is_refused));
    }

    #[test]
    fn cards_nodes_and_the_module_are_found() {
        let root = tempfile::tempdir().expect("a folder");
        let root = root.path();
        write(root, "sys/bus/pci/devices/0000:01:00.0/vendor", "0x10de\n");
        write(root, "sys/bus/pci/devices/0000:01:00.0/class", "0x030000\n");
        std::os::unix::fs::symlink(
            "/sys/bus/pci/drivers/nouveau",
            root.join("sys/bus/pci/devices/0000:01:00.0/driver"),
        )
        .expect("a link");
        // Its sound, and somebody else's graphics.
        write(root, "sys/bus/pci/devices/0000:01:00.1/vendor", "0x10de\n");
        write(root, "sys/bus/pci/devices/0000:01:00.1/class", "0x040300\n");
        write(root, "sys/bus/pci/devices/0000:00:02.0/vendor", "0x8086\n");
        write(root, "sys/bus/pci/devices/0000:00:02.0/class", "0x030000\n");
        write(root, "sys/module/nvidia/version", "550.54.14\n");
        for node in ["nvidiactl", "nvidia1", "nvidia-modeset"] {
            write(root, &format!("dev/{node}"), "");
        }
        let signs = HostSigns::read(root, Some("1"));
        assert_eq!(signs.cards, ["nouveau"]);
        assert_eq!(signs.kernel_driver.as_deref(), Some("550.54.14"));
        let absent = BadNode {
            path: "/dev/nvidia-uvm".to_owned(),
            is_refused: false,
        };
        assert_eq!(signs.bad_nodes, [absent]);
        assert_eq!(signs.visible_devices.as_deref(), Some("1"));
    }
}
