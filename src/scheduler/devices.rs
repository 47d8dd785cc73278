//! The devices of this host as the scheduler knows them: which of them carries an attempt, and when they are looked at.
//! Pure: time and reports are given to it.
//!
//! How it chooses. Work that must have a device (`backend = "gpu"`) waits until one can carry it. Work that may have one
//! (`auto`) takes one that is free: first those that do most of the work, among them the least full. When all are busy it
//! runs in software at once: processors would stand idle otherwise, and what both do adds up. It waits instead when what
//! this host has done so far says that waiting is quicker (`pace`), or when the configuration says one or the other. Stills
//! and sheets alone stay in software under `auto`: making a context takes longer than decoding their key frames.
//!
//! Guarantees: whoever is sent to software though a device was wanted is told why; a device that is set aside gets
//! nothing, but for work that must have it and has waited long for it. Deliberately absent: asking the driver
//! (`executor::devices`), and what a worker finds out by itself.

use crate::base::clock::UtcMs;
use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::ids::AttemptId;
use crate::base::ids::TaskId;
use crate::media::device_report::DeviceFacts;
use crate::media::device_report::DeviceReport;
use crate::media::spec::Backend;
use crate::scheduler::device::Bounds;
use crate::scheduler::device::Device;
use crate::scheduler::need;
use crate::scheduler::need::Ability;
use crate::scheduler::need::Need;
use crate::scheduler::retry::BACKEND_UNAVAILABLE;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// How long work that must have a device waits while all are set aside, before it is tried there all the same.
const PATIENCE_MS: i64 = 3_600_000;
/// Shortest time between two looks that nobody asked for by hand.
const LOOK_AGAIN_MS: i64 = 30_000;

/// Which devices may be used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Allowed {
    /// All there are.
    #[default]
    All,
    /// None.
    Nothing,
    /// Those with these UUIDs or ordinals.
    Only(Vec<String>),
}

/// What work that may have a device does while all are busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenBusy {
    /// What is quicker.
    #[default]
    Quicker,
    /// Runs in software at once.
    Software,
    /// Waits.
    Wait,
}

/// How devices are used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeviceRules {
    /// Which.
    pub allowed: Allowed,
    /// How much of each.
    pub bounds: Bounds,
    /// What `auto` does while all are busy.
    pub when_busy: WhenBusy,
}

/// Why work that would have had a device is done in software.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fallback {
    /// A word for counting; empty: not worth it, because there is no device.
    pub word: &'static str,
    /// For people, without a closing full stop.
    pub why: String,
}

/// Where an attempt goes.
#[derive(Debug, Clone, PartialEq)]
pub enum Choice {
    /// To this device.
    Device {
        /// Its number within the driver.
        ordinal: u32,
        /// Its UUID.
        uuid: String,
        /// What it does of the work.
        ability: Ability,
    },
    /// To the processors; and why, when a device was wanted.
    Software(Option<Fallback>),
    /// Nowhere yet.
    Wait,
    /// Nowhere: what it must have is not to be had.
    Refuse(Fault),
}

/// How one attempt went for its device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Went {
    /// It did its part.
    Well,
    /// It failed; why.
    Badly(String),
    /// It tells nothing of the device: it was stopped, or found others there.
    Unsaid,
}

/// What there is to say about a change, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// A device gets no new attempts.
    Aside(String),
    /// It does again.
    Back(String),
}

/// All of them.
#[derive(Debug)]
pub struct Devices {
    rules: DeviceRules,
    report: Option<Result<DeviceReport, Fault>>,
    by_uuid: BTreeMap<String, Device>,
    looked_at: Option<UtcMs>,
    look_at: Option<UtcMs>,
    looking: bool,
    by_hand: bool,
}

impl Devices {
    /// None known yet; the first look is due at once, unless none may be used.
    pub fn new(rules: DeviceRules) -> Self {
        Devices {
            look_at: (rules.allowed != Allowed::Nothing).then_some(UtcMs(0)),
            rules,
            report: None,
            by_uuid: BTreeMap::new(),
            looked_at: None,
            looking: false,
            by_hand: false,
        }
    }

    /// Begins a look if one is due.
    pub fn begin_look(&mut self, now: UtcMs) -> bool {
        let due = !self.looking && self.next_look().is_some_and(|at| at <= now);
        if due {
            (self.looking, self.look_at) = (true, None);
        }
        due
    }

    /// When the next one is due; none while one runs or nothing needs one.
    pub fn next_look(&self) -> Option<UtcMs> {
        if self.looking || self.rules.allowed == Allowed::Nothing {
            return None;
        }
        let of_devices = self
            .by_uuid
            .values()
            .filter_map(Device::aside)
            .map(|aside| aside.next_look);
        of_devices.chain(self.look_at).min()
    }

    /// Somebody wants to know. False: none may be used, so none is looked at.
    pub fn ask_by_hand(&mut self) -> bool {
        (self.by_hand, self.look_at) = (true, Some(UtcMs(0)));
        self.rules.allowed != Allowed::Nothing
    }

    /// Something went wrong with the driver: look, but not all the time.
    pub fn ask(&mut self) {
        let earliest = self.looked_at.map_or(UtcMs(0), |at| at.plus_ms(LOOK_AGAIN_MS));
        self.look_at = Some(self.look_at.map_or(earliest, |at| at.min(earliest)));
    }

    /// What a look came to.
    pub fn looked(&mut self, answer: Result<DeviceReport, Fault>, now: UtcMs) -> Vec<News> {
        let by_hand = std::mem::take(&mut self.by_hand);
        (self.looking, self.looked_at) = (false, Some(now));
        let mut news = Vec::new();
        let found = match &answer {
            Ok(report) => report
                .devices
                .iter()
                .filter(|facts| self.allows(facts))
                .cloned()
                .collect(),
            Err(_) => Vec::new(),
        };
        let why = match &answer {
            Ok(report) => cause(report).unwrap_or_else(|| "the driver does not list it any more".to_owned()),
            Err(fault) => fault.cause.clone(),
        };
        for facts in &found {
            match self.by_uuid.get_mut(&facts.uuid) {
                Some(device) => device.is_now(facts.clone()),
                None => {
                    let device = Device::new(facts.clone(), self.rules.bounds);
                    self.by_uuid.insert(facts.uuid.clone(), device);
                }
            }
        }
        for (uuid, device) in &mut self.by_uuid {
            let is_of_use = |facts: &DeviceFacts| !facts.decode.is_empty() || !facts.encode.is_empty();
            match found.iter().find(|facts| facts.uuid == *uuid) {
                Some(facts) if is_of_use(facts) && device.answered_well(by_hand, now) => {
                    news.push(News::Back(uuid.clone()));
                }
                Some(facts) if is_of_use(facts) => {}
                Some(_) if device.is_missing("none of its decoders and encoders can be used", now) => {
                    news.push(News::Aside(uuid.clone()));
                }
                None if device.is_missing(&why, now) => news.push(News::Aside(uuid.clone())),
                _ => {}
            }
        }
        // What the driver itself could not say may be known later.
        if answer.is_err() && self.by_uuid.is_empty() {
            self.look_at = Some(now.plus_ms(10 * LOOK_AGAIN_MS));
        }
        self.report = Some(answer);
        news
    }

    /// Where an attempt with this need goes. `heavy`: it decodes the whole source. `is_waiting_quicker` is asked of the
    /// attempts that hold the devices it could have.
    pub fn choose(
        &self,
        policy: Backend,
        need: &Need,
        heavy: bool,
        now: UtcMs,
        is_waiting_quicker: impl Fn(&[&AttemptId]) -> bool,
    ) -> Choice {
        let must = policy == Backend::Gpu;
        if policy == Backend::Software || (!must && !heavy) {
            return Choice::Software(None);
        }
        if let Some(choice) = self.without_devices(must) {
            return choice;
        }
        let able = |device: &&Device| must || need.ability(device.facts()) > Ability::Nothing;
        let able: Vec<&Device> = self.by_uuid.values().filter(able).collect();
        let trusted: Vec<&Device> = able.iter().copied().filter(|one| one.aside().is_none()).collect();
        let free = trusted.iter().filter(|device| device.takes(need));
        if let Some(device) = free.min_by(|a, b| {
            order(a, need)
                .partial_cmp(&order(b, need))
                .unwrap_or(std::cmp::Ordering::Equal)
        }) {
            return to(device, need);
        }
        if trusted.is_empty() {
            return self.without_trusted(&able, need, must, now);
        }
        if must || self.waits(&trusted, is_waiting_quicker) {
            return Choice::Wait;
        }
        software("busy", "every device that could do it is busy")
    }

    /// The answer where no device is known.
    fn without_devices(&self, must: bool) -> Option<Choice> {
        let refuse = |cause: String, remedy: String, retryable: bool| {
            let fault = Fault::new(
                BACKEND_UNAVAILABLE,
                Blame::Host,
                "choose hardware",
                "NVIDIA devices",
                cause,
                remedy,
            );
            Choice::Refuse(fault.retryable(retryable))
        };
        if self.rules.allowed == Allowed::Nothing {
            return Some(match must {
                true => refuse(
                    "capacity.gpu.devices is \"none\"".to_owned(),
                    "Set it to \"auto\", or the activity's backend to auto.".to_owned(),
                    false,
                ),
                false => Choice::Software(None),
            });
        }
        if !self.by_uuid.is_empty() {
            return None;
        }
        Some(match &self.report {
            None => Choice::Wait,
            Some(Err(fault)) if must => refuse(fault.cause.clone(), fault.remedy.clone(), true),
            Some(Err(fault)) => software("unreadable", &fault.cause),
            Some(Ok(report)) if must => {
                let missing = report.missing.first();
                refuse(
                    missing.map_or("no NVIDIA device can be used".to_owned(), |missing| {
                        missing.cause.clone()
                    }),
                    missing.map_or(
                        "Look at capacity.gpu.devices and at `reelmill check`, or set the activity's backend to auto."
                            .to_owned(),
                        |missing| missing.remedy.clone(),
                    ),
                    false,
                )
            }
            Some(Ok(report)) => match cause(report) {
                // A driver that is there and cannot be used is worth a count; a host without any is simply one.
                Some(why) if report.driver_version.is_some() || report.cards > 0 => software("unusable", &why),
                _ => software("", "no NVIDIA driver"),
            },
        })
    }

    /// The answer where every device that could do it is set aside, or none could.
    fn without_trusted(&self, able: &[&Device], need: &Need, must: bool, now: UtcMs) -> Choice {
        let sooner = |device: &&&Device| device.aside().map_or(now, |aside| aside.since);
        let Some(device) = able.iter().min_by_key(sooner) else {
            let codecs = need::codecs(need);
            return software("unable", &format!("no device decodes the source, or encodes {codecs}"));
        };
        let (since, why) = device
            .aside()
            .map_or((now, ""), |aside| (aside.since, aside.why.as_str()));
        match must {
            true if now >= since.plus_ms(PATIENCE_MS) && device.takes(need) => to(device, need),
            true => Choice::Wait,
            false => software(
                "set_aside",
                &format!("device {} gets no work at present: {why}", device.facts().ordinal),
            ),
        }
    }

    fn waits(&self, trusted: &[&Device], is_waiting_quicker: impl Fn(&[&AttemptId]) -> bool) -> bool {
        match self.rules.when_busy {
            WhenBusy::Wait => true,
            WhenBusy::Software => false,
            WhenBusy::Quicker => {
                let holders: Vec<&AttemptId> = trusted.iter().flat_map(|device| device.attempts()).collect();
                is_waiting_quicker(&holders)
            }
        }
    }

    fn allows(&self, facts: &DeviceFacts) -> bool {
        match &self.rules.allowed {
            // One without a name was there and could not be asked: it is missing.
            _ if facts.uuid.is_empty() => false,
            Allowed::All => true,
            Allowed::Nothing => false,
            Allowed::Only(names) => names
                .iter()
                .any(|name| *name == facts.uuid || *name == facts.ordinal.to_string()),
        }
    }

    /// Whether some device has room for another attempt.
    pub fn has_room(&self) -> bool {
        self.by_uuid
            .values()
            .any(|device| device.aside().is_none() && device.attempt_count() < device.room().attempts)
    }

    /// An attempt begins on a device.
    pub fn enter(&mut self, uuid: &str, attempt: &AttemptId, need: &Need) {
        if let Some(device) = self.by_uuid.get_mut(uuid) {
            device.enter(attempt.clone(), need);
        }
    }

    /// It has left it.
    pub fn leave(&mut self, uuid: &str, attempt: &AttemptId) {
        if let Some(device) = self.by_uuid.get_mut(uuid) {
            device.leave(attempt);
        }
    }

    /// How it went for the device.
    pub fn went(&mut self, uuid: &str, task: &TaskId, went: &Went, now: UtcMs) -> Option<News> {
        let aside = match (self.by_uuid.get_mut(uuid)?, went) {
            (device, Went::Well) => {
                device.went_well();
                false
            }
            (device, Went::Badly(why)) => device.failed(task, why, now),
            (_, Went::Unsaid) => false,
        };
        if matches!(went, Went::Badly(_)) {
            self.ask();
        }
        aside.then(|| News::Aside(uuid.to_owned()))
    }

    /// The devices that may be used, by UUID.
    pub fn all(&self) -> impl Iterator<Item = &Device> {
        self.by_uuid.values()
    }

    /// One of them.
    pub fn one(&self, uuid: &str) -> Option<&Device> {
        self.by_uuid.get(uuid)
    }

    /// What the last look came to, and when; none: there was none yet.
    pub fn report(&self) -> Option<(&Result<DeviceReport, Fault>, UtcMs)> {
        self.report.as_ref().zip(self.looked_at)
    }
}

/// What comes first: those that do most, then the emptier, then by number.
fn order(device: &Device, need: &Need) -> (Reverse<Ability>, f64, u32) {
    let facts = device.facts();
    (Reverse(need.ability(facts)), device.fullness(), facts.ordinal)
}

fn to(device: &Device, need: &Need) -> Choice {
    Choice::Device {
        ordinal: device.facts().ordinal,
        uuid: device.facts().uuid.clone(),
        ability: need.ability(device.facts()),
    }
}

fn software(word: &'static str, why: &str) -> Choice {
    Choice::Software(Some(Fallback {
        word,
        why: why.to_owned(),
    }))
}

fn cause(report: &DeviceReport) -> Option<String> {
    report.missing.first().map(|missing| missing.cause.clone())
}

#[cfg(test)]
mod tests;
