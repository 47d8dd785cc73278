//! Where one attempt works, on a device or on the processors, why there, and what its end says of the device. Pure.
//!
//! Guarantees: a worker that the scheduler gave no device is told to use none, so that nothing is used behind its back;
//! every result that was not made where it could have been says why. Deliberately absent: choosing (`devices`).

use crate::base::fault::Fault;
use crate::executor::AttemptEnd;
use crate::media::product::JobEnd;
use crate::media::product::JobProduct;
use crate::media::spec::Backend;
use crate::scheduler::devices::Choice;
use crate::scheduler::devices::Fallback;
use crate::scheduler::devices::Went;
use crate::scheduler::need::Ability;
use crate::scheduler::need::Need;
use crate::scheduler::retry::DEVICE_BUSY;
use crate::scheduler::retry::DEVICE_FAILED;

/// Fault code of a worker that the kernel ended for want of memory: no device's doing.
const OUT_OF_MEMORY: &str = "WorkerOutOfMemory";
/// What products call the processors.
const SOFTWARE: &str = "software";

/// A device that an attempt has.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// Number within the driver.
    pub ordinal: u32,
    /// What names it.
    pub uuid: String,
    /// What it does of the work.
    pub ability: Ability,
    /// What was asked of it.
    pub need: Need,
}

/// Where one attempt works.
#[derive(Debug, Clone, PartialEq)]
pub struct Ground {
    /// What its activities ask for.
    pub policy: Backend,
    /// The device; none: the processors.
    pub device: Option<Held>,
    /// Millions of pixels, where they were estimated.
    pub work: f64,
    /// Why not a device, where one was wanted.
    pub fallback: Option<Fallback>,
    /// It cannot be carried out at all.
    pub refusal: Option<Fault>,
}

impl Ground {
    /// The processors, as wanted.
    pub fn software(policy: Backend) -> Self {
        Ground {
            policy,
            device: None,
            work: 0.0,
            fallback: None,
            refusal: None,
        }
    }

    /// What was chosen for work that asks for `policy` and needs this; none: it has to wait.
    pub fn chosen(policy: Backend, need: Need, choice: Choice) -> Option<Self> {
        let mut ground = Ground {
            work: need.work,
            ..Ground::software(policy)
        };
        match choice {
            Choice::Wait => return None,
            Choice::Software(fallback) => ground.fallback = fallback,
            Choice::Refuse(fault) => ground.refusal = Some(fault),
            Choice::Device { ordinal, uuid, ability } => {
                ground.device = Some(Held {
                    ordinal,
                    uuid,
                    ability,
                    need,
                });
            }
        }
        Some(ground)
    }

    /// What the worker is told it may use.
    pub fn backend(&self) -> Backend {
        match self.device {
            Some(_) => self.policy,
            None => Backend::Software,
        }
    }

    /// The device does all of it that takes a processor's time.
    pub fn is_carried(&self) -> bool {
        self.device
            .as_ref()
            .is_some_and(|held| held.ability == Ability::Everything)
    }

    /// Why its jobs leave the device for good, for people.
    pub fn left(&self, fault: &Fault) -> String {
        match &self.device {
            Some(held) => format!("device {}: {}", held.ordinal, fault.cause),
            None => fault.cause.clone(),
        }
    }

    /// Adds to a product why it was made where it was. `left`: why its job left a device before.
    pub fn explain(&self, product: &mut JobProduct, left: Option<&str>) {
        let why = left.or(self.fallback.as_ref().map(|fallback| fallback.why.as_str()));
        if let Some(why) = why.filter(|_| product.backend == SOFTWARE) {
            product.fallback_reason.get_or_insert_with(|| why.to_owned());
        }
    }
}

/// What an attempt that had a device came to, for the device. `ends` are those of its jobs.
pub fn went<'a>(ends: impl Iterator<Item = &'a JobEnd>, end: &AttemptEnd) -> Went {
    let of_product = |product: &JobProduct| {
        let code = product.fallback_code.clone()?;
        Some((code, product.fallback_reason.clone().unwrap_or_default()))
    };
    let code_of = |job_end: &JobEnd| match job_end {
        JobEnd::Failed { fault } => Some((fault.code.clone(), fault.cause.clone())),
        JobEnd::Rejected { found: product, .. } => of_product(product),
        JobEnd::Success(product) => of_product(product),
        JobEnd::Skipped { .. } => None,
    };
    let of_jobs = ends.filter_map(code_of);
    let of_attempt = end.fault.iter().map(|fault| (fault.code.clone(), fault.cause.clone()));
    let said: Vec<(String, String)> = of_jobs.chain(of_attempt).collect();
    if let Some((_, why)) = said.iter().find(|(code, _)| code == DEVICE_FAILED) {
        return Went::Badly(why.clone());
    }
    let crash = end
        .fault
        .as_ref()
        .filter(|fault| end.crashed && fault.code != OUT_OF_MEMORY);
    if let Some(fault) = crash {
        return Went::Badly(fault.cause.clone());
    }
    if end.stopped || end.crashed || said.iter().any(|(code, _)| code == DEVICE_BUSY) {
        return Went::Unsaid;
    }
    // Whatever else failed it, the source, a muxer, a disk, says nothing of the device, good or bad.
    match end.fault {
        Some(_) => Went::Unsaid,
        None => Went::Well,
    }
}

#[cfg(test)]
mod tests {
    use super::Ground;
    use super::went;
    use crate::base::fault::Blame;
    use crate::base::fault::Fault;
    use crate::executor::AttemptEnd;
    use crate::media::product::JobEnd;
    use crate::media::product::JobProduct;
    use crate::media::spec::Backend;
    use crate::scheduler::device::tests::need;
    use crate::scheduler::devices::Choice;
    use crate::scheduler::devices::Fallback;
    use crate::scheduler::devices::Went;
    use crate::scheduler::need::Ability;

    fn fault(code: &str) -> Fault {
        Fault::new(code, Blame::Host, "decode", "a", "it said so", "c.")
    }

    fn end(fault: Option<Fault>, crashed: bool, stopped: bool) -> AttemptEnd {
        AttemptEnd {
            fault,
            crashed,
            stopped,
            cost: None,
        }
    }

    fn success(fallback_code: Option<&str>) -> JobEnd {
        JobEnd::Success(JobProduct {
            fallback_code: fallback_code.map(str::to_owned),
            ..JobProduct::default()
        })
    }

    #[test]
    fn only_what_is_the_devices_doing_counts_against_it() {
        let badly = Went::Badly("it said so".to_owned());
        let failed = JobEnd::Failed {
            fault: fault("DeviceFailed"),
        };
        for (ends, end, expected) in [
            (vec![success(None)], end(None, false, false), Went::Well),
            (
                vec![success(Some("DeviceFailed"))],
                end(None, false, false),
                Went::Badly(String::new()),
            ),
            (vec![success(Some("DeviceBusy"))], end(None, false, false), Went::Unsaid),
            (
                vec![success(Some("BackendUnavailable"))],
                end(None, false, false),
                Went::Well,
            ),
            (vec![failed], end(None, false, false), badly.clone()),
            (vec![], end(Some(fault("DeviceFailed")), false, false), badly.clone()),
            (vec![], end(Some(fault("WorkerCrashed")), true, false), badly),
            (vec![], end(Some(fault("WorkerOutOfMemory")), true, false), Went::Unsaid),
            (vec![], end(Some(fault("SourceTruncated")), false, false), Went::Unsaid),
            (vec![], end(Some(fault("AttemptStopped")), false, true), Went::Unsaid),
        ] {
            assert_eq!(went(ends.iter(), &end), expected, "{ends:?} {end:?}");
        }
    }

    #[test]
    fn a_worker_without_a_device_is_told_to_use_none_and_its_result_says_why() {
        let fallback = Fallback {
            word: "busy",
            why: "all are busy".to_owned(),
        };
        let choice = Choice::Software(Some(fallback));
        let ground = Ground::chosen(Backend::Auto, need(1, 1), choice).expect("it need not wait");
        assert_eq!(ground.backend(), Backend::Software);
        let mut product = JobProduct {
            backend: "software".to_owned(),
            ..JobProduct::default()
        };
        ground.explain(&mut product, None);
        assert_eq!(product.fallback_reason.as_deref(), Some("all are busy"));
        product.fallback_reason = None;
        ground.explain(&mut product, Some("device 0: lost"));
        assert_eq!(product.fallback_reason.as_deref(), Some("device 0: lost"));
        let choice = Choice::Device {
            ordinal: 1,
            uuid: "GPU-1".to_owned(),
            ability: Ability::Everything,
        };
        let ground = Ground::chosen(Backend::Gpu, need(1, 1), choice).expect("it need not wait");
        assert_eq!((ground.backend(), ground.is_carried()), (Backend::Gpu, true));
        assert_eq!(Ground::chosen(Backend::Gpu, need(1, 1), Choice::Wait), None);
    }
}
