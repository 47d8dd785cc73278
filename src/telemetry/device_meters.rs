//! How busy, full and warm NVIDIA devices are, as NVML tells it: the one part of the driver that the daemon itself opens.
//!
//! Guarantees: the library is opened at run time, and a host without it has no meters and no complaint; the driver is
//! asked every few seconds at most, however many want to know, and one that hangs holds up one thread and nobody else;
//! trouble is logged once, with a remedy. Deliberately absent: CUDA, and every decision.

use nvml_wrapper::Nvml;
use nvml_wrapper::enum_wrappers::device::TemperatureSensor;
use nvml_wrapper::error::NvmlError;
use std::ffi::OsString;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

/// The library of the installed driver.
const LIBRARY: &str = "libnvidia-ml.so.1";
/// Shortest time between two readings.
const EVERY: Duration = Duration::from_secs(3);
/// The same while there is nothing to read.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// What the meters say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Answer {
    /// There is no driver here.
    #[default]
    NoDriver,
    /// There is one, and it cannot be asked.
    Broken(Trouble),
    /// The devices, in the driver's order.
    Devices(Vec<DeviceMeter>),
}

/// Why a driver cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Without a closing full stop.
    pub cause: String,
    /// A sentence with its full stop.
    pub remedy: String,
}

/// One device now; what it cannot say is none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeviceMeter {
    /// `GPU-` and hex digits.
    pub uuid: String,
    /// How busy its processors are, per cent.
    pub busy_percent: Option<u32>,
    /// How busy its encoders are, per cent.
    pub encoder_percent: Option<u32>,
    /// How busy its decoders are, per cent.
    pub decoder_percent: Option<u32>,
    /// Memory in use by anybody, bytes.
    pub memory_used_bytes: Option<u64>,
    /// Memory, bytes.
    pub memory_bytes: Option<u64>,
    /// Degrees Celsius.
    pub temperature_c: Option<u32>,
}

/// The meters; clones share them.
#[derive(Clone)]
pub struct DeviceMeters(Arc<Shared>);

struct Shared {
    library: OsString,
    reader: Mutex<Reader>,
    latest: Mutex<Answer>,
}

#[derive(Default)]
struct Reader {
    nvml: Option<Nvml>,
    next: Option<Instant>,
}

impl Default for DeviceMeters {
    fn default() -> Self {
        DeviceMeters::of_library(LIBRARY)
    }
}

impl DeviceMeters {
    fn of_library(library: impl Into<OsString>) -> Self {
        DeviceMeters(Arc::new(Shared {
            library: library.into(),
            reader: Mutex::default(),
            latest: Mutex::default(),
        }))
    }

    /// The last reading, or a new one when that is old and nobody else makes one. May take as long as the driver does: not
    /// for threads that others wait for.
    pub fn read(&self) -> Answer {
        // While another thread reads, the last reading is good enough.
        if let Ok(mut reader) = self.0.reader.try_lock() {
            let now = Instant::now();
            if reader.next.is_none_or(|next| now >= next) {
                let answer = reader.read(&self.0.library);
                let pause = match &answer {
                    Answer::Devices(_) => EVERY,
                    Answer::NoDriver | Answer::Broken(_) => LOOK_AGAIN,
                };
                reader.next = Some(now + pause);
                self.keep(answer);
            }
        }
        self.latest()
    }

    /// The last reading.
    pub fn latest(&self) -> Answer {
        self.lock().clone()
    }

    fn keep(&self, answer: Answer) {
        let mut latest = self.lock();
        if *latest != answer
            && let Answer::Broken(trouble) = &answer
        {
            tracing::warn!(
                cause = trouble.cause,
                remedy = trouble.remedy,
                "devices cannot be measured"
            );
        }
        *latest = answer;
    }

    fn lock(&self) -> MutexGuard<'_, Answer> {
        self.0.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader {
    fn read(&mut self, library: &OsString) -> Answer {
        let answer = self.devices(library);
        match answer {
            Ok(meters) => Answer::Devices(meters),
            Err(error) => {
                // Opened anew the next time: a driver may be upgraded or reset while the daemon runs.
                self.nvml = None;
                answer_to(&error)
            }
        }
    }

    fn devices(&mut self, library: &OsString) -> Result<Vec<DeviceMeter>, NvmlError> {
        let nvml = match self.nvml.take() {
            Some(nvml) => nvml,
            None => Nvml::builder().lib_path(library).init()?,
        };
        let nvml = self.nvml.insert(nvml);
        let mut meters = Vec::new();
        let mut refused = None;
        for index in 0..nvml.device_count()? {
            match nvml.device_by_index(index).and_then(|device| meter(&device)) {
                Ok(meter) => meters.push(meter),
                // One that fell off the bus does not hide the others.
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        match refused {
            // Trouble of all of them is trouble of the driver or of this user's, and worth a word.
            Some(error) if meters.is_empty() => Err(error),
            _ => Ok(meters),
        }
    }
}

fn meter(device: &nvml_wrapper::Device<'_>) -> Result<DeviceMeter, NvmlError> {
    let uuid = device.uuid()?;
    let memory = device.memory_info().ok();
    Ok(DeviceMeter {
        uuid,
        busy_percent: device.utilization_rates().ok().map(|rates| rates.gpu),
        encoder_percent: device.encoder_utilization().ok().map(|info| info.utilization),
        decoder_percent: device.decoder_utilization().ok().map(|info| info.utilization),
        memory_used_bytes: memory.as_ref().map(|memory| memory.used),
        memory_bytes: memory.as_ref().map(|memory| memory.total),
        temperature_c: device.temperature(TemperatureSensor::Gpu).ok(),
    })
}

/// What an error of NVML's means.
fn answer_to(error: &NvmlError) -> Answer {
    let remedy = match error {
        NvmlError::LibloadingError(cause) if is_not_there(&cause.to_string()) => return Answer::NoDriver,
        NvmlError::LibRmVersionMismatch => {
            "The driver's libraries were upgraded under the running kernel module: restart the host, or unload and load the nvidia modules."
        }
        NvmlError::DriverNotLoaded => "Load the kernel module (`modprobe nvidia`), or restart the host.",
        NvmlError::NoPermission => {
            "Give the user that reelmill runs as access to /dev/nvidiactl and /dev/nvidia*: membership of their group, or DeviceAllow= of the service."
        }
        NvmlError::GpuLost | NvmlError::ResetRequired => {
            "Look at the kernel's log for Xid lines; the device has to be reset or the host restarted."
        }
        _ => "Run `nvidia-smi`; when it fails too, install the driver anew or restart the host.",
    };
    Answer::Broken(Trouble {
        cause: error.to_string(),
        remedy: remedy.to_owned(),
    })
}

/// The dynamic linker found no such file, as opposed to one it could not use.
fn is_not_there(cause: &str) -> bool {
    cause.contains("No such file")
}

#[cfg(test)]
mod tests {
    use super::Answer;
    use super::DeviceMeters;
    use super::answer_to;
    use nvml_wrapper::error::NvmlError;

    #[test]
    fn a_host_without_a_driver_has_no_meters_and_no_complaint() {
        let meters = DeviceMeters::of_library("libnvidia-ml-that-is-not-there.so.1");
        assert_eq!(meters.read(), Answer::NoDriver);
        assert_eq!(meters.read(), Answer::NoDriver);
    }

    #[test]
    fn a_library_that_cannot_be_used_is_told_with_a_remedy() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("libnvidia-ml.so.1");
        std::fs::write(&file, b"no library at all").expect("a file");
        let Answer::Broken(trouble) = DeviceMeters::of_library(&file).read() else {
            panic!("half a driver is worth a word");
        };
        assert!(trouble.remedy.ends_with('.'), "{trouble:?}");
    }

    #[test]
    fn an_upgrade_under_a_running_module_is_told_from_other_troubles() {
        let remedy = |error: NvmlError| match answer_to(&error) {
            Answer::Broken(trouble) => trouble.remedy,
            other => panic!("{other:?}"),
        };
        assert!(remedy(NvmlError::LibRmVersionMismatch).contains("upgraded under"));
        assert!(remedy(NvmlError::NoPermission).contains("/dev/nvidiactl"));
        assert_ne!(remedy(NvmlError::Unknown), remedy(NvmlError::DriverNotLoaded));
    }
}
