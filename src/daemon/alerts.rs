//! What deserves an alert of what can be seen from outside the parts: storages, devices, disks.
//!
//! Looked at every few seconds: a storage that is frozen or does not answer, a device that is set aside, a disk that is
//! low. Guarantees: an alert is raised once and ends when its cause is gone, also when that happened while the daemon was
//! down; a disk that hangs holds up nobody but its own look. Deliberately absent: deliveries and backups, whose alerts
//! are written where they fail.

use crate::base::clock::UtcMs;
use crate::base::wake::Bell;
use crate::config::resolved::Alerts;
use crate::config::resolved::Config;
use crate::objects::lane::Lane;
use crate::objects::storages::Medium;
use crate::objects::storages::Storages;
use crate::scheduler::looking::DeviceBoard;
use crate::store::Store;
use crate::store::alerts::AlertsShown;
use crate::store::alerts::NewAlert;
use crate::store::alerts::Severity;
use crate::store::error::StoreError;
use crate::trigger::board::Board;
use crate::trigger::board::StorageState;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const FROZEN: &str = "StorageFrozen";
const UNREACHABLE: &str = "StorageUnreachable";
/// Files wait until somebody does something.
const BLOCKED: &str = "ArrivalsBlocked";
const DRAINED: &str = "DeviceDrained";
const LOW: &str = "DiskLow";
/// Alerts that are raised and cleared here and nowhere else.
const OURS: [&str; 5] = [FROZEN, UNREACHABLE, BLOCKED, DRAINED, LOW];

/// Longest a disk is waited for.
const DISK_WITHIN: Duration = Duration::from_secs(10);
/// An open alert is written again at most this often while nothing of it changes.
const KEEP_EVERY_MS: i64 = 300_000;
/// Alerts looked through at once.
const OPEN_MAX: usize = 1_000;

/// What is watched.
pub(super) struct Watch {
    rules: Alerts,
    disks: Vec<Disk>,
    storages: Storages,
    board: Board,
    devices: DeviceBoard,
    store: Store,
    bell: Bell,
    kept: BTreeMap<(&'static str, String), (String, UtcMs)>,
}

/// A directory whose disk may become full.
struct Disk {
    subject: String,
    path: PathBuf,
    lane: Lane,
}

impl Disk {
    fn new(subject: String, path: PathBuf) -> Self {
        Disk {
            lane: Lane::new(&subject, 1),
            subject,
            path,
        }
    }
}

/// What one look came to.
#[derive(Debug, Default)]
struct Findings {
    alerts: Vec<NewAlert>,
    /// What could not be seen: alerts of these stay as they are.
    unsure: BTreeSet<(&'static str, String)>,
}

impl Watch {
    pub(super) fn new(
        config: &Config,
        storages: Storages,
        board: Board,
        devices: DeviceBoard,
        store: Store,
        bell: Bell,
    ) -> Self {
        let own = [
            ("state_dir", &config.server.state_dir),
            ("scratch_dir", &config.server.scratch_dir),
        ];
        let own = own.into_iter().map(|(name, path)| (name.to_owned(), path.clone()));
        let disks = own.map(|(subject, path)| Disk::new(subject, path));
        Watch {
            rules: config.alerts,
            disks: disks.collect(),
            storages,
            board,
            devices,
            store,
            bell,
            kept: BTreeMap::new(),
        }
    }

    /// Looks until `stop`.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(self.rules.check_interval) => {}
            }
            if let Err(error) = self.look().await {
                tracing::error!(%error, "alerts could not be kept; trying again");
            }
        }
    }

    async fn look(&mut self) -> Result<(), StoreError> {
        let mut findings = Findings::default();
        for state in self.board.storages() {
            of_storage(&state, &mut findings);
        }
        self.look_at_devices(&mut findings);
        self.follow_storages();
        self.look_at_disks(&mut findings).await;
        let now = UtcMs::now();
        let mut told = self.store.clear_dead_alerts(now).await? > 0;
        let found: BTreeSet<(&str, String)> = findings
            .alerts
            .iter()
            .map(|alert| (alert.code, alert.subject.clone()))
            .collect();
        self.kept
            .retain(|(code, subject), _| found.contains(&(*code, subject.clone())));
        for alert in findings.alerts {
            let key = (alert.code, alert.subject.clone());
            let fresh = match self.kept.get(&key) {
                Some((cause, at)) => *cause != alert.cause || now.0 - at.0 >= KEEP_EVERY_MS,
                None => true,
            };
            if fresh {
                self.kept.insert(key, (alert.cause.clone(), now));
                told |= self.store.raise_alert(alert, now).await?;
            }
        }
        for open in self.store.alerts(AlertsShown::Open, None, OPEN_MAX).await? {
            let Some(code) = OURS.into_iter().find(|code| *code == open.code) else {
                continue;
            };
            let key = (code, open.subject);
            if !found.contains(&key) && !findings.unsure.contains(&key) {
                told |= self.store.clear_alert(key.0, &key.1, now).await?;
            }
        }
        if told {
            self.bell.ring();
        }
        Ok(())
    }

    fn look_at_devices(&self, findings: &mut Findings) {
        for device in self.devices.now().devices {
            let Some(aside) = device.aside else { continue };
            findings.alerts.push(NewAlert {
                code: DRAINED,
                subject: device.facts.uuid,
                severity: Severity::Warning,
                cause: format!(
                    "device {} ({}) gets no new attempts: {}",
                    device.facts.ordinal, device.facts.name, aside.why
                ),
                remedy: "Look at the kernel's log for NVRM and Xid lines; it is tried again by itself.".to_owned(),
            });
        }
    }

    /// Storages come and go; a disk that stays keeps its thread, which may hang.
    fn follow_storages(&mut self) {
        let folders: Vec<(String, PathBuf)> = self
            .storages
            .all()
            .into_iter()
            .filter_map(|medium| match medium {
                Medium::Folder(storage) => {
                    let subject = format!("storage {}", storage.folder.name());
                    Some((subject, storage.folder.root().to_owned()))
                }
                Medium::Bucket(_) => None,
            })
            .collect();
        let is_there = |disk: &Disk| {
            !disk.subject.starts_with("storage ")
                || folders
                    .iter()
                    .any(|(subject, path)| disk.subject == *subject && disk.path == *path)
        };
        self.disks.retain(is_there);
        for (subject, path) in folders {
            if !self.disks.iter().any(|disk| disk.subject == subject) {
                self.disks.push(Disk::new(subject, path));
            }
        }
    }

    async fn look_at_disks(&self, findings: &mut Findings) {
        for disk in &self.disks {
            let path = disk.path.clone();
            let space = disk.lane.run("look at", DISK_WITHIN, move || {
                let stat = rustix::fs::statvfs(&path).ok()?;
                let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
                Some((bytes(stat.f_bavail), bytes(stat.f_blocks)))
            });
            match space.await {
                Ok(Some((free_bytes, size_bytes))) => {
                    findings
                        .alerts
                        .extend(low(&disk.subject, free_bytes, size_bytes, &self.rules));
                }
                _ => {
                    findings.unsure.insert((LOW, disk.subject.clone()));
                }
            }
        }
    }
}

fn of_storage(state: &StorageState, findings: &mut Findings) {
    if state.troubles > 0 && state.frozen.is_none() {
        let first = state.slow.iter().find_map(|slow| {
            let waits = slow.waits.as_ref().filter(|waits| waits.is_trouble())?;
            Some(format!("{}: {waits}", slow.key))
        });
        findings.alerts.push(NewAlert {
            code: BLOCKED,
            subject: state.name.clone(),
            severity: Severity::Warning,
            cause: format!(
                "files of storage {} wait until somebody sees to them. {}",
                state.name,
                first.unwrap_or_default()
            ),
            remedy:
                "`reelmill storage show` lists what waits longest, `reelmill storage explain` says of any file why it \
                     waits."
                    .to_owned(),
        });
    }
    let mut raise = |code: &'static str, cause: String, remedy: &str| {
        findings.alerts.push(NewAlert {
            code,
            subject: state.name.clone(),
            severity: Severity::Critical,
            cause,
            remedy: remedy.to_owned(),
        });
    };
    match (&state.frozen, &state.note) {
        (Some(why), _) => raise(
            FROZEN,
            format!("nothing of storage {} is triggered: {why}", state.name),
            "Mount what was there before; it thaws by itself, or with `reelmill storage thaw` if the change is meant.",
        ),
        (None, Some(why)) if !state.available => raise(
            UNREACHABLE,
            format!("storage {} does not answer: {why}", state.name),
            "Look at the mount and its server; work goes on by itself when it is back.",
        ),
        // Nobody has looked yet.
        (None, None) if !state.available => {
            findings.unsure.insert((FROZEN, state.name.clone()));
            findings.unsure.insert((UNREACHABLE, state.name.clone()));
        }
        _ => {}
    }
}

/// A disk is low when both little of it and few bytes are left: 3 % of 100 TB are plenty, and so is half of a small one.
fn low(subject: &str, free_bytes: u64, size_bytes: u64, rules: &Alerts) -> Option<NewAlert> {
    // Some network file systems say that they have no room at all, and take files all the same.
    if size_bytes == 0 {
        return None;
    }
    let free_percent = free_bytes as f64 * 100.0 / size_bytes as f64;
    let is_low = free_bytes < rules.disk_low_bytes && free_percent < rules.disk_low_percent;
    is_low.then(|| NewAlert {
        code: LOW,
        subject: subject.to_owned(),
        severity: if free_bytes < rules.disk_low_bytes / 10 {
            Severity::Critical
        } else {
            Severity::Warning
        },
        // Whole per cents, so that the alert does not change with every byte.
        cause: format!("less than {} % of its disk is free", free_percent.floor() as u64 + 1),
        remedy: "Delete what is not needed there, or give it more room.".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::Findings;
    use super::low;
    use super::of_storage;
    use crate::config::resolved::Alerts;
    use crate::store::alerts::Severity;
    use crate::trigger::board::StorageState;
    use std::time::Duration;

    const GIB: u64 = 1 << 30;

    #[test]
    fn a_disk_is_low_when_both_share_and_bytes_are_small() {
        let rules = Alerts {
            disk_low_bytes: 10 * GIB,
            disk_low_percent: 5.0,
            check_interval: Duration::from_secs(1),
        };
        assert_eq!(low("a", 3_000 * GIB, 100_000 * GIB, &rules), None);
        assert_eq!(low("a", 5 * GIB, 10 * GIB, &rules), None);
        assert_eq!(low("a", 0, 0, &rules), None);
        let found = low("a", 9 * GIB, 1_000 * GIB, &rules).expect("low");
        assert_eq!(found.severity, Severity::Warning);
        let found = low("a", 0, 1_000 * GIB, &rules).expect("full");
        assert_eq!(found.severity, Severity::Critical);
        assert_eq!(found.cause, "less than 1 % of its disk is free");
    }

    #[test]
    fn a_storage_nobody_has_looked_at_yet_says_nothing() {
        let state = |available: bool, frozen: Option<&str>, note: Option<&str>| StorageState {
            available,
            frozen: frozen.map(str::to_owned),
            note: note.map(str::to_owned),
            ..StorageState::new("ingest", "folder", String::new(), false)
        };
        let codes = |state: StorageState| {
            let mut findings = Findings::default();
            of_storage(&state, &mut findings);
            let codes: Vec<&str> = findings.alerts.iter().map(|alert| alert.code).collect();
            (codes, findings.unsure.len())
        };
        assert_eq!(codes(state(false, None, None)), (vec![], 2));
        assert_eq!(codes(state(true, None, Some("polled"))), (vec![], 0));
        assert_eq!(codes(state(false, Some("gone"), None)), (vec!["StorageFrozen"], 0));
        assert_eq!(
            codes(state(false, None, Some("hangs"))),
            (vec!["StorageUnreachable"], 0)
        );
    }
}
