//! Beginning and end, counted as NVML counts them, and what is known of the driver.

use crate::nvml::device;
use crate::nvml::status::Status;
use crate::nvml::status::UNINITIALIZED;
use crate::nvml::status::answer;
use crate::nvml::status::put_text;
use crate::nvml::status::refuse;
use crate::settings::settings;
use std::ffi::c_char;
use std::ffi::c_uint;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

/// A version that no driver has.
const DRIVER_VERSION: &str = "550.0.0";

static BEGUN: Mutex<u32> = Mutex::new(0);

fn lock() -> MutexGuard<'static, u32> {
    BEGUN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether it was initialised and not shut down as often.
pub fn begun(call: &str) -> Result<(), Status> {
    if *lock() > 0 {
        Ok(())
    } else {
        refuse(call, UNINITIALIZED, "called outside of nvmlInit and nvmlShutdown")
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlInit_v2() -> Status {
    if settings().nvml_init_error != 0 {
        return settings().nvml_init_error;
    }
    *lock() += 1;
    answer(Ok(()))
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlShutdown() -> Status {
    let call = "nvmlShutdown";
    answer(begun(call).map(|()| {
        let mut begun = lock();
        *begun = begun.saturating_sub(1);
        if *begun == 0 {
            device::forget();
        }
    }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlSystemGetDriverVersion(version: *mut c_char, length: c_uint) -> Status {
    let call = "nvmlSystemGetDriverVersion";
    // SAFETY: as this function's.
    answer(begun(call).and_then(|()| unsafe { put_text(call, version, length, DRIVER_VERSION) }))
}
