//! The loop that looks at the host every few seconds.
//!
//! Guarantees: a driver that hangs costs its own numbers and nothing else. Deliberately absent: how full places are,
//! which the minute loop measures (`gauges`).

use crate::base::clock::UtcMs;
use crate::telemetry::device_meters::Answer;
use crate::telemetry::device_meters::DeviceMeters;
use crate::telemetry::host_meter::DeviceSample;
use crate::telemetry::host_meter::HostBoard;
use crate::telemetry::host_meter::HostMeter;
use crate::telemetry::host_meter::SAMPLE_EVERY;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// Looks until `stop`.
pub(super) async fn run(board: HostBoard, meters: DeviceMeters, stop: CancellationToken) {
    let mut meter = HostMeter::default();
    let mut tick = tokio::time::interval(SAMPLE_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut asked: Option<tokio::task::JoinHandle<()>> = None;
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.cancelled() => return,
        }
        let mut sample = meter.read(UtcMs::now().0);
        // The driver is asked aside, and its last answer taken: this loop never waits for it.
        if asked.as_ref().is_none_or(tokio::task::JoinHandle::is_finished) {
            let meters = meters.clone();
            asked = Some(tokio::task::spawn_blocking(move || {
                meters.read();
            }));
        }
        if let Answer::Devices(devices) = meters.latest() {
            sample.devices = devices
                .into_iter()
                .map(|device| DeviceSample {
                    uuid: device.uuid,
                    busy_percent: device.busy_percent,
                    encoder_percent: device.encoder_percent,
                    decoder_percent: device.decoder_percent,
                    memory_used_bytes: device.memory_used_bytes,
                    memory_bytes: device.memory_bytes,
                })
                .collect();
        }
        board.keep(sample);
    }
}
