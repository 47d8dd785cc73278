//! Counters and gauges, and their Prometheus text.
//!
//! Guarantees: every name the program ever shows stands in [`Metric`]; adding is cheap enough for every job and
//! request. Deliberately absent: histograms of anything per frame, and numbers the store already knows, which
//! are read from it when somebody asks.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

/// Every number the program shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// 1, labelled with the version.
    Info,
    /// When the daemon became ready.
    StartTime,
    /// Tasks by status, now.
    Tasks,
    /// Jobs by status, now.
    Jobs,
    /// Tasks that ended since the start, by status.
    TasksEnded,
    /// Jobs that ended since the start, by status.
    JobsEnded,
    /// Attempts that ended since the start: `done`, `failed`, `crashed`, `stopped`.
    AttemptsEnded,
    /// Attempts running now.
    AttemptsRunning,
    /// Processor time of workers.
    WorkerCpuSeconds,
    /// Wall time of workers.
    WorkerWallSeconds,
    /// Jobs that went to software though a device was wanted, by reason.
    GpuFallbacks,
    /// 1 for a device that gets no work, by device.
    GpuSetAside,
    /// Attempts that run on a device.
    GpuAttempts,
    /// How busy a device is, 0 to 1.
    GpuUtilization,
    /// How busy its encoders are, 0 to 1.
    GpuEncoderUtilization,
    /// How busy its decoders are, 0 to 1.
    GpuDecoderUtilization,
    /// Memory of a device in use, whoever uses it.
    GpuMemoryUsed,
    /// Memory of a device.
    GpuMemory,
    /// Temperature of a device.
    GpuTemperature,
    /// Bytes workers read of sources.
    SourceBytesRead,
    /// Bytes published.
    PublishedBytes,
    /// Objects that settled since the start, by storage.
    Arrivals,
    /// Storages that are frozen or not reachable now, by storage.
    StorageUnavailable,
    /// Deliveries by status, now.
    Deliveries,
    /// Tries of deliveries since the start: `delivered`, `failed`.
    DeliveryTries,
    /// Requests answered since the start, by class of status (`2xx`, ...).
    HttpRequests,
    /// Seconds spent answering requests.
    HttpSeconds,
    /// 1 while no new attempts are started.
    Draining,
}

/// How a number moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Counter,
    Gauge,
}

impl Metric {
    /// Name, help, label (empty: none), shape.
    fn about(self) -> (&'static str, &'static str, &'static str, Shape) {
        match self {
            Metric::Info => ("reelmill_info", "Version of the program.", "version", Shape::Gauge),
            Metric::StartTime => (
                "reelmill_start_time_seconds",
                "When the daemon became ready, seconds since 1970.",
                "",
                Shape::Gauge,
            ),
            Metric::Tasks => ("reelmill_tasks", "Tasks by status.", "status", Shape::Gauge),
            Metric::Jobs => ("reelmill_jobs", "Jobs by status.", "status", Shape::Gauge),
            Metric::TasksEnded => (
                "reelmill_tasks_ended_total",
                "Tasks that ended, by status.",
                "status",
                Shape::Counter,
            ),
            Metric::JobsEnded => (
                "reelmill_jobs_ended_total",
                "Jobs that ended, by status.",
                "status",
                Shape::Counter,
            ),
            Metric::AttemptsEnded => (
                "reelmill_attempts_ended_total",
                "Attempts that ended, by result.",
                "result",
                Shape::Counter,
            ),
            Metric::AttemptsRunning => ("reelmill_attempts_running", "Attempts running now.", "", Shape::Gauge),
            Metric::WorkerCpuSeconds => (
                "reelmill_worker_cpu_seconds_total",
                "Processor time of workers.",
                "",
                Shape::Counter,
            ),
            Metric::WorkerWallSeconds => (
                "reelmill_worker_wall_seconds_total",
                "Wall time of workers.",
                "",
                Shape::Counter,
            ),
            Metric::GpuFallbacks => (
                "reelmill_gpu_fallbacks_total",
                "Jobs done in software though a device was wanted, by reason.",
                "reason",
                Shape::Counter,
            ),
            Metric::GpuSetAside => (
                "reelmill_gpu_set_aside",
                "1 for a device that failed and gets no work until it is found well.",
                "device",
                Shape::Gauge,
            ),
            Metric::GpuAttempts => ("reelmill_gpu_attempts", "Attempts on a device.", "device", Shape::Gauge),
            Metric::GpuUtilization => (
                "reelmill_gpu_utilization_ratio",
                "How busy a device's processors are, 0 to 1.",
                "device",
                Shape::Gauge,
            ),
            Metric::GpuEncoderUtilization => (
                "reelmill_gpu_encoder_utilization_ratio",
                "How busy a device's encoders are, 0 to 1.",
                "device",
                Shape::Gauge,
            ),
            Metric::GpuDecoderUtilization => (
                "reelmill_gpu_decoder_utilization_ratio",
                "How busy a device's decoders are, 0 to 1.",
                "device",
                Shape::Gauge,
            ),
            Metric::GpuMemoryUsed => (
                "reelmill_gpu_memory_used_bytes",
                "Memory of a device in use, whoever uses it.",
                "device",
                Shape::Gauge,
            ),
            Metric::GpuMemory => (
                "reelmill_gpu_memory_bytes",
                "Memory of a device.",
                "device",
                Shape::Gauge,
            ),
            Metric::GpuTemperature => (
                "reelmill_gpu_temperature_celsius",
                "Temperature of a device.",
                "device",
                Shape::Gauge,
            ),
            Metric::SourceBytesRead => (
                "reelmill_source_read_bytes_total",
                "Bytes workers read of sources.",
                "",
                Shape::Counter,
            ),
            Metric::PublishedBytes => (
                "reelmill_published_bytes_total",
                "Bytes put under their final names.",
                "",
                Shape::Counter,
            ),
            Metric::Arrivals => (
                "reelmill_arrivals_total",
                "Objects that settled, by storage.",
                "storage",
                Shape::Counter,
            ),
            Metric::StorageUnavailable => (
                "reelmill_storage_unavailable",
                "1 for a storage that is frozen or not reachable.",
                "storage",
                Shape::Gauge,
            ),
            Metric::Deliveries => ("reelmill_deliveries", "Deliveries by status.", "status", Shape::Gauge),
            Metric::DeliveryTries => (
                "reelmill_delivery_tries_total",
                "Tries of deliveries, by result.",
                "result",
                Shape::Counter,
            ),
            Metric::HttpRequests => (
                "reelmill_http_requests_total",
                "Requests answered, by class of status.",
                "class",
                Shape::Counter,
            ),
            Metric::HttpSeconds => (
                "reelmill_http_request_seconds_total",
                "Seconds spent answering requests, until the head of the answer.",
                "",
                Shape::Counter,
            ),
            Metric::Draining => (
                "reelmill_draining",
                "1 while no new attempts are started.",
                "",
                Shape::Gauge,
            ),
        }
    }
}

/// The numbers of one process; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Metrics(Arc<Mutex<BTreeMap<(Metric, String), f64>>>);

impl Metrics {
    /// Adds to a number that has no label.
    pub fn add(&self, metric: Metric, amount: f64) {
        self.add_labelled(metric, "", amount);
    }

    /// Adds to a number with its label's value.
    pub fn add_labelled(&self, metric: Metric, label: &str, amount: f64) {
        *self.lock().entry((metric, label.to_owned())).or_default() += amount;
    }

    /// Sets a number that has no label.
    pub fn set(&self, metric: Metric, value: f64) {
        self.set_labelled(metric, "", value);
    }

    /// Sets a number with its label's value.
    pub fn set_labelled(&self, metric: Metric, label: &str, value: f64) {
        self.lock().insert((metric, label.to_owned()), value);
    }

    /// Takes a number away under all its labels: what it told of may be gone.
    pub fn clear(&self, metric: Metric) {
        self.lock().retain(|(one, _), _| *one != metric);
    }

    /// A number under one label's value; 0: nothing was counted yet.
    pub fn of(&self, metric: Metric, label: &str) -> f64 {
        self.lock().get(&(metric, label.to_owned())).copied().unwrap_or(0.0)
    }

    /// A number under all its labels together.
    pub fn total(&self, metric: Metric) -> f64 {
        let numbers = self.lock();
        let own = numbers.iter().filter(|((one, _), _)| *one == metric);
        own.map(|(_, value)| *value).sum()
    }

    /// Everything in Prometheus' text format 0.0.4.
    pub fn prometheus(&self) -> String {
        let numbers = self.lock();
        let mut text = String::with_capacity(numbers.len() * 96);
        let mut last = None;
        for ((metric, label_value), value) in numbers.iter() {
            let (name, help, label, shape) = metric.about();
            if last != Some(*metric) {
                let shape = match shape {
                    Shape::Counter => "counter",
                    Shape::Gauge => "gauge",
                };
                let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {shape}");
                last = Some(*metric);
            }
            let _ = if label.is_empty() {
                writeln!(text, "{name} {value}")
            } else {
                writeln!(text, "{name}{{{label}=\"{}\"}} {value}", escaped(label_value))
            };
        }
        text
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<(Metric, String), f64>> {
        // A panic elsewhere leaves plain numbers behind, still good to read.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A label's value between its quotes.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::Metric;
    use super::Metrics;

    #[test]
    fn numbers_add_up_and_labels_are_escaped() {
        let metrics = Metrics::default();
        metrics.add_labelled(Metric::TasksEnded, "Succeed", 1.0);
        metrics.clone().add_labelled(Metric::TasksEnded, "Succeed", 2.0);
        metrics.set_labelled(Metric::StorageUnavailable, "a\"b", 1.0);
        metrics.set(Metric::Draining, 0.0);
        let text = metrics.prometheus();
        assert!(
            text.contains(
                "# TYPE reelmill_tasks_ended_total counter\nreelmill_tasks_ended_total{status=\"Succeed\"} 3\n"
            )
        );
        assert!(text.contains("reelmill_storage_unavailable{storage=\"a\\\"b\"} 1\n"));
        assert!(text.contains("# TYPE reelmill_draining gauge\nreelmill_draining 0\n"));
    }
}
