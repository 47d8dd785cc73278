//! What this host does: processors, memory, network, room, devices.
//!
//! Guarantees: answers from memory, whatever hangs. Deliberately absent: hours and days, which have a history
//! (`history`).

use crate::base::clock::UtcMs;
use crate::telemetry::host_meter::HostBoard;
use crate::telemetry::host_meter::HostSample;
use crate::telemetry::host_meter::Room;
use crate::telemetry::host_meter::SAMPLE_EVERY;
use crate::web::error::Problem;
use crate::web::state::WebState;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

/// The host now.
#[derive(Debug, Serialize, ToSchema)]
pub struct HostView {
    /// Processors that the program may use.
    processors: usize,
    /// The newest look; none: there was none yet.
    now: Option<HostSampleView>,
    /// How full places are, measured once a minute.
    rooms: Vec<RoomView>,
}

/// The host in the last minutes.
#[derive(Debug, Serialize, ToSchema)]
pub struct HostHistoryView {
    /// Seconds between two looks.
    step_s: u64,
    /// The host now.
    #[serde(flatten)]
    host: HostView,
    /// Looks of the last ten minutes, oldest first.
    samples: Vec<HostSampleView>,
}

/// One look; what cannot be known is null.
#[derive(Debug, Serialize, ToSchema)]
pub struct HostSampleView {
    /// When.
    at: String,
    /// How busy all processors were since the look before, 0 to 100.
    cpu_percent: Option<f64>,
    /// Load of the last minute, of five and of fifteen.
    load: Option<[f64; 3]>,
    /// Memory, bytes.
    memory_bytes: Option<u64>,
    /// Memory that programs could still have, bytes.
    memory_available_bytes: Option<u64>,
    /// Bytes received each second, loopback not counted.
    received_bytes_per_s: Option<f64>,
    /// Bytes sent each second.
    sent_bytes_per_s: Option<f64>,
    /// NVIDIA devices.
    devices: Vec<DeviceSampleView>,
}

/// One device in a look.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeviceSampleView {
    /// `GPU-` and hex digits.
    uuid: String,
    /// How busy its processors are, 0 to 100.
    busy_percent: Option<u32>,
    /// How busy its encoders are.
    encoder_percent: Option<u32>,
    /// How busy its decoders are.
    decoder_percent: Option<u32>,
    /// Memory in use, bytes.
    memory_used_bytes: Option<u64>,
    /// Memory, bytes.
    memory_bytes: Option<u64>,
}

/// How full a place is.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoomView {
    /// state (the database), scratch, or storage.
    kind: &'static str,
    /// Of a storage its name.
    name: String,
    /// Bytes that could still be written.
    free_bytes: u64,
    /// Bytes of the file system.
    size_bytes: u64,
}

impl From<HostSample> for HostSampleView {
    fn from(sample: HostSample) -> Self {
        let devices = sample.devices.into_iter().map(|device| DeviceSampleView {
            uuid: device.uuid,
            busy_percent: device.busy_percent,
            encoder_percent: device.encoder_percent,
            decoder_percent: device.decoder_percent,
            memory_used_bytes: device.memory_used_bytes,
            memory_bytes: device.memory_bytes,
        });
        HostSampleView {
            at: UtcMs(sample.at_ms).wire(),
            cpu_percent: sample.cpu_percent,
            load: sample.load,
            memory_bytes: sample.memory_bytes,
            memory_available_bytes: sample.memory_available_bytes,
            received_bytes_per_s: sample.received_bytes_per_s,
            sent_bytes_per_s: sample.sent_bytes_per_s,
            devices: devices.collect(),
        }
    }
}

impl From<Room> for RoomView {
    fn from(room: Room) -> Self {
        RoomView {
            kind: room.kind,
            name: room.name,
            free_bytes: room.free_bytes,
            size_bytes: room.size_bytes,
        }
    }
}

/// The host as it is now.
pub fn view(board: &HostBoard) -> HostView {
    HostView {
        processors: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        now: board.newest().map(Into::into),
        rooms: board.rooms().into_iter().map(Into::into).collect(),
    }
}

/// What the host did in the last ten minutes, a look every five seconds.
#[utoipa::path(get, path = "/api/v1/system/host", tag = "system",
    responses((status = 200, body = HostHistoryView), (status = "default", body = Problem)))]
pub async fn show(State(state): State<WebState>) -> Json<HostHistoryView> {
    Json(HostHistoryView {
        step_s: SAMPLE_EVERY.as_secs(),
        host: view(&state.host),
        samples: state.host.samples().into_iter().map(Into::into).collect(),
    })
}
