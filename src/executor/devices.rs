//! A look at this host's NVIDIA devices on behalf of the daemon, which never opens CUDA itself.
//!
//! Guarantees: a look ends within its time, whatever the driver does; the folder of compiled kernels is there before
//! anybody compiles. Deliberately absent: the child process and what it asks (`worker::device_look`), and when to look.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::media::device_report::DeviceReport;
use crate::worker::device_look;
use crate::worker::device_look::DeviceLook;
use crate::worker::environment::DeviceEnvironment;

/// Encoder sessions that a look counts at most: a device that has so many may have any number.
pub const COUNTED_SESSIONS: u32 = device_look::SESSIONS;

/// Looks.
///
/// # Errors
/// The driver could not be asked, or gave no answer.
pub async fn look(look: DeviceLook) -> Result<DeviceReport, Fault> {
    let asked = tokio::task::spawn_blocking(move || {
        make_kernel_cache(&look.environment);
        device_look::ask(&look)
    });
    asked.await.unwrap_or_else(|error| {
        Err(Fault::new(
            "DeviceLookFailed",
            Blame::Bug,
            "look at devices",
            "NVIDIA's driver",
            error.to_string(),
            "This is a defect of reelmill: report it.",
        ))
    })
}

/// Kernels are compiled by the look and only read by workers, so their folder must be there before.
fn make_kernel_cache(environment: &DeviceEnvironment) {
    if let Some(folder) = environment.kernel_cache()
        && let Err(error) = std::fs::create_dir_all(folder)
    {
        tracing::warn!(folder = %folder.display(), %error, "compiled kernels cannot be kept; every worker compiles them anew");
    }
}

#[cfg(test)]
mod tests {
    use super::look;
    use crate::worker::device_look::DeviceLook;
    use crate::worker::environment::DeviceEnvironment;

    #[tokio::test]
    async fn a_look_makes_room_for_kernels_and_tells_what_kept_it_from_looking() {
        let folder = tempfile::tempdir().expect("a folder");
        let kernels = folder.path().join("cache/kernels");
        let environment = DeviceEnvironment::of([]).with_kernel_cache(&kernels);
        let one = DeviceLook {
            program: folder.path().join("not-there"),
            ..DeviceLook::in_environment(environment)
        };
        let fault = look(one).await.expect_err("there is nothing to start");
        assert_eq!(fault.code, "DeviceLookFailed");
        assert!(kernels.is_dir());
    }
}
