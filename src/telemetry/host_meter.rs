//! What this host does, every few seconds: for live pictures of the last minutes.
//!
//! Guarantees: bounded memory; cheap; what cannot be read is none. Deliberately absent: what is kept on disk, which is one
//! value a minute (`store::gauges`).

use crate::telemetry::cpu_ticks::CpuTicks;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

/// Between two samples.
pub const SAMPLE_EVERY: Duration = Duration::from_secs(5);
/// Samples kept: ten minutes.
pub const SAMPLES: usize = 120;

/// One look at the host.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HostSample {
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// How busy all processors were since the sample before, per cent.
    pub cpu_percent: Option<f64>,
    /// Processes that ran or waited for the disk, mean of the last minute, of five and of fifteen.
    pub load: Option<[f64; 3]>,
    /// Memory, bytes.
    pub memory_bytes: Option<u64>,
    /// Memory that programs could still have, bytes.
    pub memory_available_bytes: Option<u64>,
    /// Bytes that came in over the network each second, loopback not counted.
    pub received_bytes_per_s: Option<f64>,
    /// Bytes that went out.
    pub sent_bytes_per_s: Option<f64>,
    /// NVIDIA devices.
    pub devices: Vec<DeviceSample>,
}

/// One device in a sample, per cent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeviceSample {
    /// `GPU-` and hex digits.
    pub uuid: String,
    /// How busy its processors are.
    pub busy_percent: Option<u32>,
    /// Its encoders.
    pub encoder_percent: Option<u32>,
    /// Its decoders.
    pub decoder_percent: Option<u32>,
    /// Memory in use, bytes.
    pub memory_used_bytes: Option<u64>,
    /// Memory, bytes.
    pub memory_bytes: Option<u64>,
}

/// How full a place is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// state, scratch or storage.
    pub kind: &'static str,
    /// Of a storage its name, else the same as the kind.
    pub name: String,
    /// Bytes that could still be written.
    pub free_bytes: u64,
    /// Bytes of the file system.
    pub size_bytes: u64,
}

/// The last samples and the last known room; clones share them.
#[derive(Debug, Clone, Default)]
pub struct HostBoard(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    samples: VecDeque<HostSample>,
    rooms: Vec<Room>,
}

impl HostBoard {
    /// Keeps a sample; the oldest goes.
    pub fn keep(&self, sample: HostSample) {
        let mut kept = self.lock();
        while kept.samples.len() >= SAMPLES {
            kept.samples.pop_front();
        }
        kept.samples.push_back(sample);
    }

    /// Keeps how full places are.
    pub fn keep_rooms(&self, rooms: Vec<Room>) {
        self.lock().rooms = rooms;
    }

    /// The newest sample.
    pub fn newest(&self) -> Option<HostSample> {
        self.lock().samples.back().cloned()
    }

    /// All samples, oldest first.
    pub fn samples(&self) -> Vec<HostSample> {
        self.lock().samples.iter().cloned().collect()
    }

    /// How full places are.
    pub fn rooms(&self) -> Vec<Room> {
        self.lock().rooms.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What only counts up.
#[derive(Debug)]
struct Counted {
    at: Instant,
    cpu: Option<CpuTicks>,
    network: Option<(u64, u64)>,
}

impl Counted {
    fn now() -> Self {
        let read = |file| std::fs::read_to_string(file).ok();
        Counted {
            at: Instant::now(),
            cpu: CpuTicks::now(),
            network: read("/proc/net/dev").as_deref().and_then(network_of),
        }
    }
}

/// Looks at the host; keeps what the look before counted.
#[derive(Debug)]
pub struct HostMeter(Counted);

impl Default for HostMeter {
    fn default() -> Self {
        HostMeter(Counted::now())
    }
}

impl HostMeter {
    /// Looks, at `at_ms`; devices are the caller's to add.
    pub fn read(&mut self, at_ms: i64) -> HostSample {
        let before = std::mem::replace(&mut self.0, Counted::now());
        let now = &self.0;
        let wall_s = now.at.duration_since(before.at).as_secs_f64();
        let cpu_percent = before.cpu.zip(now.cpu).and_then(|(before, now)| now.busy_since(before));
        // An interface that went away takes its count with it.
        let rate = |before: u64, now: u64| (wall_s > 0.0).then(|| now.saturating_sub(before) as f64 / wall_s);
        let network = before.network.zip(now.network);
        let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        HostSample {
            at_ms,
            cpu_percent,
            load: std::fs::read_to_string("/proc/loadavg")
                .ok()
                .as_deref()
                .and_then(load_of),
            memory_bytes: memory_of(&memory, "MemTotal:"),
            memory_available_bytes: memory_of(&memory, "MemAvailable:"),
            received_bytes_per_s: network.and_then(|(before, now)| rate(before.0, now.0)),
            sent_bytes_per_s: network.and_then(|(before, now)| rate(before.1, now.1)),
            devices: Vec::new(),
        }
    }
}

/// Bytes received and sent by all interfaces but loopback.
fn network_of(text: &str) -> Option<(u64, u64)> {
    let mut sum = (0_u64, 0_u64);
    for line in text.lines().skip(2) {
        let (name, counts) = line.split_once(':')?;
        if name.trim() == "lo" {
            continue;
        }
        let counts: Vec<u64> = counts
            .split_whitespace()
            .filter_map(|field| field.parse().ok())
            .collect();
        sum.0 = sum.0.saturating_add(*counts.first()?);
        sum.1 = sum.1.saturating_add(*counts.get(8)?);
    }
    Some(sum)
}

fn load_of(text: &str) -> Option<[f64; 3]> {
    let mut fields = text.split_whitespace().map(|field| field.parse::<f64>().ok());
    Some([fields.next()??, fields.next()??, fields.next()??])
}

/// A line `NAME NUMBER kB`, in bytes.
pub(super) fn memory_of(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let number: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(number.saturating_mul(1_024))
}

#[cfg(test)]
mod tests {
    use super::HostBoard;
    use super::HostMeter;
    use super::HostSample;
    use super::SAMPLES;
    use super::load_of;
    use super::network_of;

    #[test]
    fn what_the_kernel_writes_is_read() {
        assert_eq!(load_of("0.50 1.25 2.00 1/200 1\n"), Some([0.5, 1.25, 2.0]));
        let interfaces = "Inter-|   Receive |  Transmit\n face |bytes packets|bytes\n\
            lo: 900 1 0 0 0 0 0 0 900 1 0 0 0 0 0 0\n  eth0: 100 1 0 0 0 0 0 0 30 1 0 0 0 0 0 0\n\
            eth1:5 1 0 0 0 0 0 0 6 1 0 0 0 0 0 0\n";
        assert_eq!(network_of(interfaces), Some((105, 36)));
        assert_eq!(network_of("a\nb\nno colon"), None);
    }

    #[test]
    fn samples_are_of_this_host_and_bounded() {
        let (mut meter, board) = (HostMeter::default(), HostBoard::default());
        for at_ms in 0..300 {
            board.keep(HostSample {
                at_ms,
                ..HostSample::default()
            });
        }
        board.keep(meter.read(300));
        let samples = board.samples();
        assert_eq!((samples.len(), samples[0].at_ms), (SAMPLES, 181));
        let newest = board.newest().expect("a sample");
        assert_eq!(newest.at_ms, 300);
        assert!(newest.memory_bytes > newest.memory_available_bytes, "{newest:?}");
        assert!(newest.load.is_some());
    }
}
