//! NVIDIA devices: what they are, what runs on them, how busy they are, and what is missing.
//!
//! Guarantees: neither the driver nor NVML can hold an answer up: what is not known within a second is as it was before.
//! Deliberately absent: deciding what runs where.

use crate::base::fault::Fault;
use crate::media::device_report::DecodeAbility;
use crate::media::device_report::DeviceFacts;
use crate::media::device_report::DeviceReport;
use crate::media::device_report::EncodeAbility;
use crate::media::device_report::MissingPiece;
use crate::telemetry::device_meters::Answer as Meters;
use crate::telemetry::device_meters::DeviceMeter;
use crate::telemetry::metrics::Metric;
use crate::web::auth::Caller;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::ports::DeviceUse;
use crate::web::ports::DevicesState;
use crate::web::state::WebState;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// Longest wait for the meters.
const METERS_WITHIN: Duration = Duration::from_secs(1);

/// NVIDIA devices of this host.
#[derive(Debug, Serialize, ToSchema)]
pub struct GpuView {
    /// When they were last looked at; null: not yet, or the configuration says that none may be used.
    looked_at: Option<String>,
    /// Version of the kernel driver.
    driver_version: Option<String>,
    /// Newest CUDA version the driver speaks.
    cuda_version: Option<String>,
    /// The devices.
    devices: Vec<DeviceView>,
    /// What prevents devices from being used or measured.
    missing: Vec<MissingView>,
}

/// One device.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeviceView {
    /// Number within the driver.
    ordinal: u32,
    /// The same across restarts of the host.
    uuid: String,
    /// The driver's name of it.
    name: String,
    /// Compute capability.
    compute_capability: String,
    /// Memory, bytes.
    memory_bytes: u64,
    /// What its decoders take.
    decode: Vec<DecodeView>,
    /// What its encoders make.
    encode: Vec<EncodeView>,
    /// What of it cannot be used.
    missing: Vec<MissingView>,
    /// What runs on it; null: it may not be used.
    work: Option<WorkView>,
    /// How busy it is; null: it cannot be measured.
    meters: Option<MetersView>,
}

/// What runs on a device, and how much may.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorkView {
    /// Attempts that run.
    attempts: u32,
    /// Most at once.
    attempts_limit: u32,
    /// Encoder sessions they have, by estimate.
    sessions: u32,
    /// Most at once; null: not known.
    sessions_limit: Option<u32>,
    /// Memory they have, by estimate, bytes.
    memory_bytes: u64,
    /// Most at once, bytes.
    memory_limit_bytes: u64,
    /// It failed, and gets no work; null: it does.
    set_aside: Option<SetAsideView>,
}

/// Why a device gets no work.
#[derive(Debug, Serialize, ToSchema)]
pub struct SetAsideView {
    /// Since when.
    since: String,
    /// Why.
    why: String,
    /// When it is looked at again.
    next_look_at: String,
}

/// One kind of stream that a device decodes.
#[derive(Debug, Serialize, ToSchema)]
pub struct DecodeView {
    /// Codec.
    codec: String,
    /// `4:2:0`, ...
    chroma: String,
    /// Bits of a sample.
    bit_depth: u32,
    /// Widest picture, pixels.
    max_width: u32,
    /// Highest picture, pixels.
    max_height: u32,
    /// Engines for it.
    engines: u32,
}

/// One codec that a device encodes.
#[derive(Debug, Serialize, ToSchema)]
pub struct EncodeView {
    /// Codec.
    codec: String,
    /// Widest picture, pixels.
    max_width: u32,
    /// Highest picture, pixels.
    max_height: u32,
    /// Most B-frames in a row.
    max_bframes: u32,
    /// 10 bits a sample.
    ten_bit: bool,
    /// Looks ahead.
    lookahead: bool,
    /// Engines for it.
    engines: u32,
}

/// Something that should be there.
#[derive(Debug, Serialize, ToSchema)]
pub struct MissingView {
    /// What.
    piece: String,
    /// Why.
    cause: String,
    /// What to do.
    remedy: String,
}

/// How busy, full and warm a device is; null: it does not say.
#[derive(Debug, Serialize, ToSchema)]
pub struct MetersView {
    /// How busy its processors are, per cent.
    busy_percent: Option<u32>,
    /// How busy its encoders are, per cent.
    encoder_percent: Option<u32>,
    /// How busy its decoders are, per cent.
    decoder_percent: Option<u32>,
    /// Memory in use by anybody, bytes.
    memory_used_bytes: Option<u64>,
    /// Degrees Celsius.
    temperature_c: Option<u32>,
}

/// Look at the devices now: after a driver was installed, upgraded or restarted. The answer of the look stands in
/// `/api/v1/system` soon after. A device that was set aside and answers well gets work again.
#[utoipa::path(post, path = "/api/v1/system/devices/look", tag = "system",
    responses((status = 202), (status = "default", body = Problem)))]
pub async fn look(State(state): State<WebState>, Extension(caller): Extension<Caller>) -> Answer<StatusCode> {
    if !state.devices.look() {
        return Err(Problem::conflict(
            "DevicesOff",
            "capacity.gpu.devices is \"none\"",
            "Set it to \"auto\" in the configuration and restart the daemon.",
        ));
    }
    state.audit(&caller, "system.look", "devices").await;
    Ok(StatusCode::ACCEPTED)
}

/// The devices as they are known now.
pub(super) async fn view(state: &WebState) -> GpuView {
    let meters = meters(state).await;
    let known = state.devices.devices();
    let mut view = GpuView {
        looked_at: known.looked_at.map(|at| at.wire()),
        driver_version: None,
        cuda_version: None,
        devices: Vec::new(),
        missing: Vec::new(),
    };
    match &known.report {
        Some(Ok(report)) => tell_report(&mut view, report, &known, &meters),
        Some(Err(fault)) => view.missing.push(unanswered(fault)),
        None => {}
    }
    // Those that the driver does not list any more are still set aside here.
    for used in &known.used {
        if !view.devices.iter().any(|device| device.uuid == used.facts.uuid) {
            view.devices.push(device(&used.facts, Some(used), &meters));
        }
    }
    if let Meters::Broken(trouble) = &meters {
        view.missing.push(MissingView {
            piece: "NVML".to_owned(),
            cause: trouble.cause.clone(),
            remedy: trouble.remedy.clone(),
        });
    }
    view
}

fn tell_report(view: &mut GpuView, report: &DeviceReport, known: &DevicesState, meters: &Meters) {
    view.driver_version.clone_from(&report.driver_version);
    view.cuda_version.clone_from(&report.cuda_version);
    view.missing.extend(report.missing.iter().map(missing));
    for facts in &report.devices {
        let used = known.used.iter().find(|used| used.facts.uuid == facts.uuid);
        view.devices.push(device(facts, used, meters));
    }
}

fn device(facts: &DeviceFacts, used: Option<&DeviceUse>, meters: &Meters) -> DeviceView {
    let (major, minor) = facts.compute_capability;
    DeviceView {
        ordinal: facts.ordinal,
        uuid: facts.uuid.clone(),
        name: facts.name.clone(),
        compute_capability: format!("{major}.{minor}"),
        memory_bytes: facts.memory_bytes,
        decode: facts.decode.iter().map(decode).collect(),
        encode: facts.encode.iter().map(encode).collect(),
        missing: facts.missing.iter().map(missing).collect(),
        work: used.map(work),
        meters: meter_of(&facts.uuid, meters).map(|meter| MetersView {
            busy_percent: meter.busy_percent,
            encoder_percent: meter.encoder_percent,
            decoder_percent: meter.decoder_percent,
            memory_used_bytes: meter.memory_used_bytes,
            temperature_c: meter.temperature_c,
        }),
    }
}

fn work(used: &DeviceUse) -> WorkView {
    WorkView {
        attempts: used.attempts,
        attempts_limit: used.attempts_limit,
        sessions: used.sessions,
        sessions_limit: used.sessions_limit,
        memory_bytes: used.memory_bytes,
        memory_limit_bytes: used.memory_limit_bytes,
        set_aside: used.set_aside.as_ref().map(|aside| SetAsideView {
            since: aside.since.wire(),
            why: aside.why.clone(),
            next_look_at: aside.next_look.wire(),
        }),
    }
}

fn decode(ability: &DecodeAbility) -> DecodeView {
    DecodeView {
        codec: ability.codec.clone(),
        chroma: ability.chroma.clone(),
        bit_depth: ability.bit_depth,
        max_width: ability.max_width,
        max_height: ability.max_height,
        engines: ability.engines,
    }
}

fn encode(ability: &EncodeAbility) -> EncodeView {
    EncodeView {
        codec: ability.codec.clone(),
        max_width: ability.max_width,
        max_height: ability.max_height,
        max_bframes: ability.max_bframes,
        ten_bit: ability.ten_bit,
        lookahead: ability.lookahead,
        engines: ability.engines,
    }
}

fn missing(piece: &MissingPiece) -> MissingView {
    MissingView {
        piece: piece.piece.clone(),
        cause: piece.cause.clone(),
        remedy: piece.remedy.clone(),
    }
}

fn unanswered(fault: &Fault) -> MissingView {
    MissingView {
        piece: fault.subject.clone(),
        cause: fault.cause.clone(),
        remedy: fault.remedy.clone(),
    }
}

fn meter_of<'a>(uuid: &str, meters: &'a Meters) -> Option<&'a DeviceMeter> {
    match meters {
        Meters::Devices(meters) => meters.iter().find(|meter| meter.uuid == uuid),
        Meters::NoDriver | Meters::Broken(_) => None,
    }
}

async fn meters(state: &WebState) -> Meters {
    let meters = state.meters.clone();
    let reading = tokio::task::spawn_blocking(move || meters.read());
    match tokio::time::timeout(METERS_WITHIN, reading).await {
        Ok(Ok(answer)) => answer,
        _ => state.meters.latest(),
    }
}

/// Brings the numbers of the devices up to date; those of devices that are gone go.
pub(super) async fn measure(state: &WebState) {
    let metrics = &state.metrics;
    for metric in [
        Metric::GpuSetAside,
        Metric::GpuAttempts,
        Metric::GpuUtilization,
        Metric::GpuEncoderUtilization,
        Metric::GpuDecoderUtilization,
        Metric::GpuMemoryUsed,
        Metric::GpuMemory,
        Metric::GpuTemperature,
    ] {
        metrics.clear(metric);
    }
    for used in state.devices.devices().used {
        let uuid = &used.facts.uuid;
        metrics.set_labelled(Metric::GpuAttempts, uuid, f64::from(used.attempts));
        let is_aside = u8::from(used.set_aside.is_some());
        metrics.set_labelled(Metric::GpuSetAside, uuid, f64::from(is_aside));
    }
    let Meters::Devices(meters) = meters(state).await else {
        return;
    };
    for meter in meters {
        let share = |percent: Option<u32>| percent.map(|percent| f64::from(percent) / 100.0);
        for (metric, value) in [
            (Metric::GpuUtilization, share(meter.busy_percent)),
            (Metric::GpuEncoderUtilization, share(meter.encoder_percent)),
            (Metric::GpuDecoderUtilization, share(meter.decoder_percent)),
            (Metric::GpuMemoryUsed, meter.memory_used_bytes.map(|bytes| bytes as f64)),
            (Metric::GpuMemory, meter.memory_bytes.map(|bytes| bytes as f64)),
            (Metric::GpuTemperature, meter.temperature_c.map(f64::from)),
        ] {
            if let Some(value) = value {
                metrics.set_labelled(metric, &meter.uuid, value);
            }
        }
    }
}
