//! The device of an attempt: opened when a stretch first wants it, given up for good when it fails.
//!
//! Guarantees: a policy that demands the device gets it or a fault with a remedy; any other gets it or the reason, in one
//! line. After it was given up nothing asks for it again. Deliberately absent: which stages use it.

use crate::base::fault::Fault;
use crate::media::cuda::CudaError;
use crate::media::cuda::Gpu;
use crate::media::cuda::Kernels;
use crate::media::cuda::capabilities;
use crate::media::cuda::error::Trouble;
use crate::media::cuda::library;
use crate::media::device_report::DeviceFacts;
use crate::media::error;
use crate::media::pass::gpu::mode::Mode;
use crate::media::spec::Backend;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

const OPERATION: &str = "open the device";
/// What a host without any driver says.
const NO_DRIVER: &str = "no NVIDIA driver";

/// A device ready for a pass.
#[derive(Debug)]
pub struct Device {
    /// Its context and stream.
    pub gpu: Arc<Gpu>,
    /// Its kernels.
    pub kernels: Arc<Kernels>,
    /// What it can do.
    pub facts: DeviceFacts,
}

impl Device {
    fn open(ordinal: u32) -> Result<Self, CudaError> {
        let gpu = Gpu::open(ordinal)?;
        let kernels = Kernels::load(&gpu)?;
        let facts = capabilities::of(&gpu);
        Ok(Device { gpu, kernels, facts })
    }
}

/// Where work was done, as products say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// How.
    pub mode: Mode,
    /// Why not all of it on the device.
    pub reason: Option<String>,
    /// The device failed in the middle, which deserves a warning.
    pub has_failed: bool,
    /// Code of the fault that did it, or that kept the device from being opened.
    pub code: Option<String>,
}

/// The hardware of an attempt.
#[derive(Debug)]
pub struct Hardware {
    policy: Backend,
    ordinal: u32,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// None: not asked for yet.
    device: Option<Result<Arc<Device>, String>>,
    used: Used,
}

impl Hardware {
    /// For a policy and a device, the first one if none is named. Opens nothing yet.
    pub fn new(policy: Backend, ordinal: Option<u32>) -> Self {
        Hardware {
            policy,
            ordinal: ordinal.unwrap_or(0),
            state: Mutex::new(State {
                device: None,
                used: Used {
                    mode: Mode::Software,
                    reason: None,
                    has_failed: false,
                    code: None,
                },
            }),
        }
    }

    /// The policy.
    pub fn policy(&self) -> Backend {
        self.policy
    }

    /// The device, or why there is none; no reason where software was asked for. The fault is for a policy that
    /// demands it.
    pub fn device(&self, name: &str) -> Result<Result<Arc<Device>, Option<String>>, Fault> {
        if self.policy == Backend::Software {
            return Ok(Err(None));
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = match &state.device {
            Some(known) => known.clone(),
            None => {
                let answer = Device::open(self.ordinal);
                if let (Err(cause), Backend::Gpu) = (&answer, self.policy) {
                    return Err(demanded(name, cause));
                }
                let code = answer.as_ref().err().map(|cause| demanded(name, cause).code);
                let opened = answer.map(Arc::new).map_err(|cause| words(&cause));
                state.used.code = code;
                if let Err(reason) = &opened {
                    tracing::debug!(reason, "the pass works in software");
                }
                state.device = Some(opened.clone());
                opened
            }
        };
        Ok(opened.map_err(Some))
    }

    /// A fault of the device ends what was begun, and the policy wants it done in software: whether that is so. The
    /// device is given up then.
    pub fn falls_back(&self, fault: &Fault) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_used = matches!(state.device, Some(Ok(_)));
        if self.policy != Backend::Auto || !is_used || !error::is_of_device(fault) {
            return false;
        }
        let reason = format!("{} failed: {}", fault.operation, fault.cause).replace('\n', " ");
        tracing::warn!(
            code = fault.code,
            reason,
            "the device failed; the jobs are done once more in software"
        );
        state.device = Some(Err(reason.clone()));
        state.used = Used {
            mode: Mode::Software,
            reason: Some(reason),
            has_failed: true,
            code: Some(fault.code.clone()),
        };
        true
    }

    /// What comes next is done so.
    pub fn works_in(&self, mode: Mode, reason: Option<String>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.used = Used {
            mode,
            reason,
            has_failed: state.used.has_failed,
            code: state.used.code.take(),
        };
    }

    /// How what ends now was done.
    pub fn used(&self) -> Used {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).used.clone()
    }
}

fn words(cause: &CudaError) -> String {
    if library::cuda_is_there().is_err_and(|error| library::is_not_installed(library::CUDA, &error)) {
        return NO_DRIVER.to_owned();
    }
    cause.to_string().replace('\n', " ")
}

fn demanded(name: &str, cause: &CudaError) -> Fault {
    if cause.kind == Trouble::Absent {
        let remedy = "Install the NVIDIA driver on this host and see what `reelmill check` finds, or use \
                      `backend = \"auto\"` or `\"software\"` (`--backend auto`, `--backend software`).";
        let cause = match words(cause) {
            none if none == NO_DRIVER => format!("the GPU was demanded and there is {none}: {cause}"),
            why => format!("the GPU was demanded and cannot be used: {why}"),
        };
        return error::backend_unavailable(OPERATION, name, cause, remedy);
    }
    let refusal = crate::media::pass::gpu::refusal::refused(cause.clone());
    error::source_refused(OPERATION, name, &refusal)
}

#[cfg(test)]
mod tests {
    use super::Hardware;
    use crate::media::av::DeviceTrouble;
    use crate::media::error;
    use crate::media::pass::gpu::mode::Mode;
    use crate::media::spec::Backend;

    #[test]
    fn software_asks_no_device_and_gives_no_reason() {
        let hardware = Hardware::new(Backend::Software, None);
        assert_eq!(hardware.device("x").expect("no fault").err(), Some(None));
        assert_eq!(hardware.used().mode, Mode::Software);
    }

    #[test]
    fn only_a_device_at_work_is_fallen_back_from() {
        let hardware = Hardware::new(Backend::Auto, None);
        let fault = error::device_refused("decode", "x", DeviceTrouble::Lost, "gone");
        assert!(!hardware.falls_back(&fault), "nothing was opened");
        let used = hardware.used();
        assert!(!used.has_failed && used.reason.is_none());
    }
}
