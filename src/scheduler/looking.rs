//! Looks at the devices when one is due, and what others may see and ask of them.
//!
//! Guarantees: a look runs beside the loop; what changed is logged once; sessions, memory and whatever else is known
//! is that of the last look. Deliberately absent: what follows from it (`devices`).

use crate::base::clock::UtcMs;
use crate::base::fault::Fault;
use crate::base::wake::Bell;
use crate::media::device_report::DeviceFacts;
use crate::media::device_report::DeviceReport;
use crate::scheduler::context::Context;
use crate::scheduler::device::Aside;
use crate::scheduler::device::Device;
use crate::scheduler::device::Room;
use crate::scheduler::devices::Devices;
use crate::scheduler::devices::News;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use tokio::task::JoinSet;

/// The devices, shared between the loop, the attempts and whoever shows them.
#[derive(Debug, Clone)]
pub struct DeviceBoard {
    devices: Arc<Mutex<Devices>>,
    bell: Bell,
}

/// What is known of the devices now.
#[derive(Debug, Clone)]
pub struct DevicesNow {
    /// When they were last looked at; none: not yet, or none may be used.
    pub looked_at: Option<UtcMs>,
    /// What the driver said then, of all devices of the host, or why it said nothing.
    pub report: Option<Result<DeviceReport, Fault>>,
    /// Those that may be used.
    pub devices: Vec<DeviceNow>,
}

/// One device now.
#[derive(Debug, Clone)]
pub struct DeviceNow {
    /// What its driver says of it.
    pub facts: DeviceFacts,
    /// How much of it may be used.
    pub room: Room,
    /// Attempts that run on it.
    pub attempts: u32,
    /// Encoder sessions they have, by estimate.
    pub sessions: u32,
    /// Memory they have, by estimate, bytes.
    pub memory_bytes: u64,
    /// Why it gets no attempts.
    pub aside: Option<Aside>,
}

impl DeviceBoard {
    /// A board over `devices` that rings `bell` when the loop shall look.
    pub fn new(devices: Devices, bell: Bell) -> Self {
        DeviceBoard {
            devices: Arc::new(Mutex::new(devices)),
            bell,
        }
    }

    /// What is known now.
    pub fn now(&self) -> DevicesNow {
        let devices = self.lock();
        let report = devices.report();
        DevicesNow {
            looked_at: report.map(|(_, at)| at),
            report: report.map(|(report, _)| report.clone()),
            devices: devices.all().map(now).collect(),
        }
    }

    /// Asks for a look soon. False: no device may be used, so none is looked at.
    pub fn look(&self) -> bool {
        let answer = self.lock().ask_by_hand();
        self.bell.ring();
        answer
    }

    /// The devices themselves, for the scheduler.
    pub(super) fn lock(&self) -> MutexGuard<'_, Devices> {
        // A panic elsewhere leaves counts behind that are right or corrected by the next look.
        self.devices.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn now(device: &Device) -> DeviceNow {
    DeviceNow {
        facts: device.facts().clone(),
        room: device.room(),
        attempts: device.attempt_count(),
        sessions: device.sessions(),
        memory_bytes: device.memory_bytes(),
        aside: device.aside().cloned(),
    }
}

/// Begins a look if one is due; it ends by itself and rings the loop's bell.
pub(super) fn run(context: &Arc<Context>, driven: &mut JoinSet<()>) {
    if context.devices.lock().begin_look(context.now()) {
        driven.spawn(look(Arc::clone(context)));
    }
}

async fn look(context: Arc<Context>) {
    let answer = context.executor.devices().await;
    let news = {
        let mut devices = context.devices.lock();
        let first = devices.report().is_none();
        match &answer {
            Ok(report) if first => found(report),
            Ok(_) => {}
            Err(fault) => tracing::warn!(%fault, "the devices could not be looked at"),
        }
        devices.looked(answer, context.now())
    };
    news.iter().for_each(|one| tell(&context, one));
    context.bells.scheduler.ring();
}

fn found(report: &DeviceReport) {
    for facts in &report.devices {
        tracing::info!(
            device = facts.ordinal,
            uuid = facts.uuid,
            name = facts.name,
            memory_bytes = facts.memory_bytes,
            sessions = facts.encoder_sessions_free,
            "a device was found"
        );
    }
    // A host without a driver is as good as any; one with half a driver is not.
    let is_odd = report.driver_version.is_some() || !report.devices.is_empty();
    for missing in report.missing.iter().filter(|_| is_odd) {
        tracing::warn!(
            piece = missing.piece,
            cause = missing.cause,
            remedy = missing.remedy,
            "part of the driver is missing"
        );
    }
}

/// Says once what changed.
pub(super) fn tell(context: &Context, news: &News) {
    match news {
        News::Aside(uuid) => {
            let aside = context
                .devices
                .lock()
                .one(uuid)
                .and_then(|device| device.aside().cloned());
            let (why, next_look) = aside
                .map(|aside| (aside.why, aside.next_look.wire()))
                .unwrap_or_default();
            tracing::error!(
                uuid,
                why,
                next_look,
                "a device gets no more work; look at the kernel's log for NVRM and Xid lines"
            );
        }
        News::Back(uuid) => tracing::warn!(uuid, "a device answers well and gets work again"),
    }
}
