//! The minute loop that keeps numbers for graphs.
//!
//! Guarantees: a storage or a driver that hangs costs its own number of that minute and nothing else; a value is kept
//! under the minute it was measured in. Deliberately absent: showing them, and what is counted but not drawn, which
//! `/metrics` has.

use crate::base::clock::UtcMs;
use crate::store::Store;
use crate::telemetry::device_meters::Answer;
use crate::telemetry::device_meters::DeviceMeters;
use crate::telemetry::host_meter::HostBoard;
use crate::telemetry::host_meter::Room;
use crate::telemetry::metrics::Metric;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::process_meter::ProcessMeter;
use crate::web::browse::Browser;
use crate::web::browse::Space;
use crate::web::browse::space_of;
use std::path::PathBuf;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const MINUTE_MS: i64 = 60_000;
/// How long all that may hang together may take.
const WITHIN: Duration = Duration::from_secs(20);

/// What is measured.
pub(super) struct Gauges {
    pub(super) store: Store,
    pub(super) metrics: Metrics,
    pub(super) meters: DeviceMeters,
    pub(super) browser: Browser,
    /// Where how full places are is shown from.
    pub(super) host: HostBoard,
    /// Folders of the program's own, by the name of their number.
    pub(super) folders: Vec<(&'static str, PathBuf)>,
}

/// What only counts up, as it was a minute before.
#[derive(Default)]
struct Counted {
    ended: f64,
    failed: f64,
    published: f64,
}

impl Gauges {
    /// Measures at once and then at the begin of every minute, until `stop`.
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut process = ProcessMeter::default();
        let mut counted = self.counted();
        loop {
            let now = UtcMs::now();
            let minute = UtcMs(now.0 - now.0.rem_euclid(MINUTE_MS));
            let values = self.measure(&mut process, &mut counted).await;
            if let Err(error) = self.store.keep_gauges(minute, values).await {
                tracing::warn!(%error, "the numbers of this minute could not be kept");
            }
            let left = minute.0 + MINUTE_MS - UtcMs::now().0;
            let left = Duration::from_millis(u64::try_from(left).unwrap_or(1_000).clamp(1_000, 60_000));
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    fn counted(&self) -> Counted {
        Counted {
            ended: self.metrics.total(Metric::TasksEnded),
            failed: self.metrics.of(Metric::TasksEnded, "Failed"),
            published: self.metrics.total(Metric::PublishedBytes),
        }
    }

    async fn measure(&self, process: &mut ProcessMeter, counted: &mut Counted) -> Vec<(String, f64)> {
        let mut values = Vec::new();
        let mut one = |name: &str, value: f64| values.push((name.to_owned(), value));
        match self.store.count_by_status().await {
            Ok(counts) => {
                let of = |list: &[(String, i64)], word: &str| -> f64 {
                    let found = list.iter().find(|(status, _)| status == word);
                    found.map_or(0.0, |(_, count)| *count as f64)
                };
                one("tasks.waiting", of(&counts.tasks, "Init"));
                one("tasks.running", of(&counts.tasks, "Processing"));
                one("jobs.ready", counts.ready_jobs as f64);
                one("attempts.running", counts.running_attempts as f64);
                one("deliveries.pending", of(&counts.deliveries, "pending"));
                one("deliveries.dead", of(&counts.deliveries, "dead"));
            }
            Err(error) => tracing::debug!(%error, "the queue could not be counted"),
        }
        let now = self.counted();
        one("tasks.ended_per_minute", now.ended - counted.ended);
        one("tasks.failed_per_minute", now.failed - counted.failed);
        one("published.bytes_per_minute", now.published - counted.published);
        *counted = now;
        let reading = process.read();
        one("daemon.cpu_percent", reading.cpu_percent);
        for (name, value) in [
            ("daemon.memory_bytes", reading.memory_bytes),
            ("host.cpu_percent", reading.host_cpu_percent),
            ("host.memory_available_bytes", reading.host_memory_available_bytes),
        ] {
            if let Some(value) = value {
                one(name, value);
            }
        }
        if let Some(host) = self.host.newest() {
            let load = host.load.map(|load| load[0]);
            for (name, value) in [
                ("host.load_1", load),
                ("host.memory_bytes", host.memory_bytes.map(|bytes| bytes as f64)),
                ("host.received_bytes_per_s", host.received_bytes_per_s),
                ("host.sent_bytes_per_s", host.sent_bytes_per_s),
            ] {
                values.extend(value.map(|value| (name.to_owned(), value)));
            }
        }
        let hanging = async { tokio::join!(self.devices(), self.spaces()) };
        match tokio::time::timeout(WITHIN, hanging).await {
            Ok((devices, spaces)) => values.extend(devices.into_iter().chain(spaces)),
            Err(_) => tracing::debug!("a storage or a driver did not answer in this minute"),
        }
        values
    }

    async fn devices(&self) -> Vec<(String, f64)> {
        let meters = self.meters.clone();
        let read = tokio::task::spawn_blocking(move || meters.read()).await;
        let Ok(Answer::Devices(devices)) = read else {
            return Vec::new();
        };
        let of = |device: crate::telemetry::device_meters::DeviceMeter| {
            let named = |name: &str, value: Option<f64>| Some((format!("gpu.{name}:{}", device.uuid), value?));
            [
                named("busy_percent", device.busy_percent.map(f64::from)),
                named("encoder_percent", device.encoder_percent.map(f64::from)),
                named("decoder_percent", device.decoder_percent.map(f64::from)),
                named("memory_used_bytes", device.memory_used_bytes.map(|bytes| bytes as f64)),
                named("temperature_c", device.temperature_c.map(f64::from)),
            ]
        };
        devices.into_iter().flat_map(of).flatten().collect()
    }

    async fn spaces(&self) -> Vec<(String, f64)> {
        let mut rooms = Vec::new();
        let mut one = |kind, name: &str, space: Space| {
            rooms.push(Room {
                kind,
                name: name.to_owned(),
                free_bytes: space.free_bytes,
                size_bytes: space.size_bytes,
            });
        };
        for (name, folder) in self.folders.clone() {
            if let Ok(Ok(space)) = tokio::task::spawn_blocking(move || space_of(&folder)).await {
                one(name, name, space);
            }
        }
        let names = self.browser.measurable();
        let asked = names
            .iter()
            .map(|name| async move { (name, self.browser.space(name).await) });
        for (name, space) in futures_util::future::join_all(asked).await {
            if let Ok(space) = space {
                one("storage", name, space);
            }
        }
        let values = rooms.iter().flat_map(|room| match room.kind {
            "storage" => [
                (format!("storage.free_bytes:{}", room.name), room.free_bytes as f64),
                (format!("storage.size_bytes:{}", room.name), room.size_bytes as f64),
            ],
            kind => [
                (format!("{kind}.free_bytes"), room.free_bytes as f64),
                (format!("{kind}.size_bytes"), room.size_bytes as f64),
            ],
        });
        let values = values.collect();
        self.host.keep_rooms(rooms);
        values
    }
}
