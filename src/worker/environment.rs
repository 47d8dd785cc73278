//! What of the daemon's environment a worker gets: where libraries lie and, if it may use a device, how CUDA is to
//! behave.
//!
//! Guarantees: a chosen list, never the whole environment; the probe of the devices and the workers get the same, so
//! that both count devices alike. Deliberately absent: reading the environment, which whoever starts the program does.

use std::ffi::OsStr;
use std::ffi::OsString;
use std::path::Path;
use std::path::PathBuf;

/// Passed on where they are set.
const NAMES: [&str; 6] = [
    LIBRARIES,
    "CUDA_VISIBLE_DEVICES",
    ORDER,
    CACHE,
    "CUDA_CACHE_DISABLE",
    "CUDA_CACHE_MAXSIZE",
];
/// What says how the stand-in driver of the tests behaves. No real driver reads these.
const STAND_IN: &str = "STANDIN_";
const LIBRARIES: &str = "LD_LIBRARY_PATH";
const CACHE: &str = "CUDA_CACHE_PATH";
/// By place on the bus, ordinals stay what they are when a card is swapped for a faster one, and are those that
/// `nvidia-smi` shows.
const ORDER: &str = "CUDA_DEVICE_ORDER";
const BY_BUS: &str = "PCI_BUS_ID";

/// Variables for whoever may use a device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeviceEnvironment(Vec<(OsString, OsString)>);

impl DeviceEnvironment {
    /// Those of `variables` that are passed on.
    pub fn of(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let passed_on = |name: &OsStr| {
            name.to_str()
                .is_some_and(|name| NAMES.contains(&name) || name.starts_with(STAND_IN))
        };
        let chosen = variables.into_iter().filter(|(name, _)| passed_on(name)).collect();
        let mut environment = DeviceEnvironment(chosen);
        if environment.value(ORDER).is_none() {
            environment.set(ORDER, BY_BUS);
        }
        environment
    }

    /// The same with compiled kernels kept in `folder`, unless the environment says where already.
    pub fn with_kernel_cache(mut self, folder: &Path) -> Self {
        if self.value(CACHE).is_none() {
            self.set(CACHE, folder);
        }
        self
    }

    /// Folders in which libraries are looked for before the system's.
    pub fn library_folders(&self) -> Vec<PathBuf> {
        let folders = self.value(LIBRARIES).unwrap_or_default();
        std::env::split_paths(folders)
            .filter(|folder| folder.is_absolute())
            .collect()
    }

    /// Where compiled kernels are kept; none: where CUDA likes.
    pub fn kernel_cache(&self) -> Option<&Path> {
        self.value(CACHE).map(Path::new).filter(|folder| folder.is_absolute())
    }

    /// Those of a worker; without a device, where libraries lie (libav, libvmaf) and nothing else.
    pub fn of_worker(&self, may_use_device: bool) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.iter()
            .filter(move |(name, _)| may_use_device || *name == LIBRARIES)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.0.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }

    fn value(&self, name: &str) -> Option<&OsStr> {
        self.iter().find(|(one, _)| *one == name).map(|(_, value)| value)
    }

    fn set(&mut self, name: &str, value: impl AsRef<OsStr>) {
        self.0.push((name.into(), value.as_ref().to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::DeviceEnvironment;
    use std::ffi::OsString;
    use std::path::Path;

    fn of(variables: &[(&str, &str)]) -> DeviceEnvironment {
        let owned = |text: &str| OsString::from(text);
        DeviceEnvironment::of(variables.iter().map(|(name, value)| (owned(name), owned(value))))
    }

    #[test]
    fn a_chosen_list_passes_and_nothing_else() {
        let environment = of(&[
            ("HOME", "/root"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("LD_PRELOAD", "/tmp/evil.so"),
            ("LD_LIBRARY_PATH", "/opt/driver:relative:/opt/other"),
            ("STANDIN_SESSIONS", "2"),
        ]);
        let names: Vec<_> = environment.iter().map(|(name, _)| name.to_string_lossy()).collect();
        assert_eq!(names, ["LD_LIBRARY_PATH", "STANDIN_SESSIONS", "CUDA_DEVICE_ORDER"]);
        let names: Vec<_> = environment
            .of_worker(false)
            .map(|(name, _)| name.to_string_lossy())
            .collect();
        assert_eq!(names, ["LD_LIBRARY_PATH"], "without a device");
        assert_eq!(
            environment.library_folders(),
            [Path::new("/opt/driver"), Path::new("/opt/other")]
        );
    }

    #[test]
    fn what_an_operator_set_stays() {
        let set = of(&[
            ("CUDA_CACHE_PATH", "/srv/kernels"),
            ("CUDA_DEVICE_ORDER", "FASTEST_FIRST"),
        ]);
        let set = set.with_kernel_cache(Path::new("/var/cache/reelmill/kernels"));
        assert_eq!(set.kernel_cache(), Some(Path::new("/srv/kernels")));
        assert_eq!(set.iter().count(), 2);
        let own = of(&[]).with_kernel_cache(Path::new("/var/cache/reelmill/kernels"));
        assert_eq!(own.kernel_cache(), Some(Path::new("/var/cache/reelmill/kernels")));
    }
}
