//! What a worker must be able to open beside its scratch to use an NVIDIA device: nodes, the driver's libraries, what
//! the kernel says of the device, and the cache of compiled kernels.
//!
//! Guarantees: nothing at all where there is no driver, so that the cage of a host without one is the narrow one; only
//! the nodes can be written. Where the libraries lie is what the dynamic linker would say: `LD_LIBRARY_PATH`, then its
//! cache, then its default folders. Deliberately absent: making nodes (a worker may not; the service's start and the probe
//! of the devices see to it), and the calls the driver makes (`syscalls`).
//!
//! The list of files was put together from what the driver's own programs open and from its documentation. It has not
//! been traced on a device yet.

use crate::worker::environment::DeviceEnvironment;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::path::PathBuf;

/// The library without which there is no device.
const DRIVER: &str = "libcuda.so.1";
/// What the names of the driver's libraries begin with: it opens more of them as it needs them (the compiler of PTX,
/// decoder, encoder).
const LIBRARIES: [&str; 3] = ["libcuda.so", "libnvcuvid.so", "libnvidia-"];
/// The dynamic linker's list of libraries.
const LINKER_CACHE: &str = "/etc/ld.so.cache";
/// Where the dynamic linker looks without being told.
const LINKER_FOLDERS: [&str; 6] = [
    "/lib64",
    "/usr/lib64",
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/lib/aarch64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
];
/// Read by the driver's libraries: what the kernel tells of devices, processors and memory nodes, this very process,
/// and profiles of applications.
const READ: [&str; 14] = [
    LINKER_CACHE,
    "/proc/driver/nvidia",
    "/proc/driver/nvidia-uvm",
    "/proc/self",
    "/proc/devices",
    "/proc/modules",
    "/proc/stat",
    "/proc/sys/vm",
    "/sys/devices",
    "/sys/bus/pci",
    "/sys/module/nvidia",
    "/sys/module/nvidia_uvm",
    "/etc/nvidia",
    "/usr/share/nvidia",
];

/// Files and folders that a worker with a device may open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceAccess {
    /// May be opened for reading and writing and take `ioctl`s: the device's nodes.
    pub nodes: Vec<PathBuf>,
    /// May be read, and listed where they are folders.
    pub readable: Vec<PathBuf>,
}

impl DeviceAccess {
    /// What this host needs for it; none: there is no driver here.
    pub fn of_host(environment: &DeviceEnvironment) -> Option<Self> {
        let cache = std::fs::read(LINKER_CACHE).unwrap_or_default();
        let mut folders = library_folders(environment, &cache, |path| path.exists())?;
        folders.extend(
            folders
                .iter()
                .flat_map(|folder| linked_folders(folder))
                .collect::<Vec<_>>(),
        );
        let own = READ.iter().map(PathBuf::from);
        let kernels = environment.kernel_cache().map(Path::to_owned);
        Some(DeviceAccess {
            nodes: nodes(Path::new("/dev")),
            readable: own.chain(folders).chain(kernels).collect(),
        })
    }
}

/// Folders the driver's libraries lie in; none: there is no driver.
fn library_folders(
    environment: &DeviceEnvironment,
    cache: &[u8],
    exists: impl Fn(&Path) -> bool,
) -> Option<BTreeSet<PathBuf>> {
    let told = environment.library_folders();
    let listed = listed_folders(cache);
    let usual: Vec<PathBuf> = LINKER_FOLDERS.iter().map(PathBuf::from).collect();
    let driver = told
        .iter()
        .chain(&listed)
        .chain(&usual)
        .any(|folder| exists(&folder.join(DRIVER)));
    // Wherever the driver itself lies, what it needs of the host's own libraries (libdl, librt, libpthread, none of which
    // this program has opened by itself) lies in the usual folders.
    let usual = usual.into_iter().filter(|folder| exists(folder));
    driver.then(|| told.into_iter().chain(listed).chain(usual).collect())
}

/// Folders of the driver's libraries in the linker's cache. Its strings end with a zero byte in every form it has had,
/// and full paths are among them; the tables before them are of no interest here.
fn listed_folders(cache: &[u8]) -> Vec<PathBuf> {
    let paths = cache
        .split(|byte| *byte == 0)
        .filter(|text| text.starts_with(b"/"))
        .map(|text| Path::new(OsStr::from_bytes(text)));
    let of_driver = paths.filter(|path| {
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        LIBRARIES.iter().any(|begin| name.starts_with(begin))
    });
    let folders: BTreeSet<PathBuf> = of_driver.filter_map(|path| path.parent().map(Path::to_owned)).collect();
    folders.into_iter().collect()
}

/// Folders that links of the driver's libraries in `folder` lead to, where some have a tree of their own.
fn linked_folders(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let links = entries.filter(|entry| {
        let name = entry.file_name();
        let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
        is_link
            && LIBRARIES
                .iter()
                .any(|begin| name.as_bytes().starts_with(begin.as_bytes()))
    });
    let files = links.filter_map(|link| link.path().canonicalize().ok());
    files.filter_map(|file| file.parent().map(Path::to_owned)).collect()
}

/// The nodes of NVIDIA devices in `folder`: `nvidia0`, `nvidiactl`, `nvidia-uvm`, `nvidia-caps/...`.
fn nodes(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut nodes: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| entry.file_name().as_bytes().starts_with(b"nvidia"))
        .map(|entry| entry.path())
        .collect();
    nodes.sort();
    nodes
}

#[cfg(test)]
mod tests {
    use super::library_folders;
    use super::linked_folders;
    use super::listed_folders;
    use super::nodes;
    use crate::worker::environment::DeviceEnvironment;
    use std::path::Path;
    use std::path::PathBuf;

    const CACHE: &[u8] =
        b"glibc-ld.so.cache1.1\x02\0\0\0\x07\x01libcuda.so.1\0/usr/lib/x86_64-linux-gnu/libcuda.so.1\0\
        libc.so.6\0/lib/x86_64-linux-gnu/libc.so.6\0libnvidia-encode.so.1\0/opt/nvidia/lib/libnvidia-encode.so.1\0";

    #[test]
    fn the_linkers_cache_says_where_the_driver_lies() {
        assert_eq!(
            listed_folders(CACHE),
            [Path::new("/opt/nvidia/lib"), Path::new("/usr/lib/x86_64-linux-gnu")]
        );
        assert_eq!(listed_folders(b"nothing of it"), Vec::<PathBuf>::new());
    }

    #[test]
    fn where_there_is_no_driver_nothing_is_opened() {
        let told = DeviceEnvironment::of([("LD_LIBRARY_PATH".into(), "/opt/stand-in".into())]);
        assert_eq!(library_folders(&told, b"", |_| false), None);
        assert_eq!(library_folders(&DeviceEnvironment::default(), b"", |_| false), None);
        let found = library_folders(&told, b"", |path| {
            [Path::new("/opt/stand-in/libcuda.so.1"), Path::new("/lib64")].contains(&path)
        });
        let wanted = ["/opt/stand-in", "/lib64"].map(PathBuf::from);
        assert_eq!(
            found,
            Some(wanted.into()),
            "the driver's own folder, and where its needs lie"
        );
    }

    #[test]
    fn links_of_the_driver_are_followed() {
        let root = tempfile::tempdir().expect("a folder");
        let root = root.path().canonicalize().expect("there");
        let (folder, tree) = (root.join("lib"), root.join("driver-550/lib"));
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::create_dir_all(&tree).expect("a folder");
        for name in ["libcuda.so.1", "libz.so.1"] {
            std::fs::write(tree.join(name), b"").expect("a library");
            std::os::unix::fs::symlink(tree.join(name), folder.join(name)).expect("a link");
        }
        assert_eq!(linked_folders(&folder), [tree.clone()].into());
        std::fs::remove_file(folder.join("libcuda.so.1")).expect("removed");
        assert!(linked_folders(&folder).is_empty(), "only the driver's libraries count");
        assert!(
            linked_folders(&tree).is_empty(),
            "a file lies where its folder is read already"
        );
    }

    #[test]
    fn nodes_are_the_devices_own() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["nvidia0", "nvidiactl", "nvidia-uvm", "sda", "null"] {
            std::fs::write(folder.path().join(name), b"").expect("a node");
        }
        std::fs::create_dir(folder.path().join("nvidia-caps")).expect("a folder of nodes");
        let names: Vec<_> = nodes(folder.path())
            .iter()
            .filter_map(|path| path.file_name()?.to_str().map(str::to_owned))
            .collect();
        assert_eq!(names, ["nvidia-caps", "nvidia-uvm", "nvidia0", "nvidiactl"]);
    }
}
