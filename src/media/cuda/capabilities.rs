//! What NVIDIA devices this host has and what each can do, asked of the driver.
//!
//! Guarantees: answers whatever is there or not, with a remedy for each piece that is missing; nothing is concluded
//! from a card's name. Deliberately absent: surviving a driver that crashes or hangs, for which this is asked in a
//! process of its own; and doing anything with the devices.

use crate::media::cuda::decode_caps;
use crate::media::cuda::device_remedy;
use crate::media::cuda::driver::Driver;
use crate::media::cuda::driver::Identity;
use crate::media::cuda::driver_remedy;
use crate::media::cuda::error::CudaError;
use crate::media::cuda::error::Trouble;
use crate::media::cuda::gpu::Gpu;
use crate::media::cuda::host_signs;
use crate::media::cuda::host_signs::HostSigns;
use crate::media::cuda::kernels::Kernels;
use crate::media::cuda::library;
use crate::media::cuda::nvenc;
use crate::media::device_report::DeviceFacts;
use crate::media::device_report::DeviceReport;
use std::path::Path;
use std::sync::Arc;

/// Opens an encoder session, and what it answers on a device without encoders (NV_ENC_ERR_NO_ENCODE_DEVICE,
/// NV_ENC_ERR_UNSUPPORTED_DEVICE).
const OPEN_SESSION: &str = "nvEncOpenEncodeSessionEx";
const NO_ENCODER: [i32; 2] = [1, 2];

/// Looks at everything. `visible_devices`: what `CUDA_VISIBLE_DEVICES` says, which the driver obeys by itself and which
/// explains why there may be none. `sessions`: encoder sessions that are opened at most at once on each device, to see
/// how many there are; 0: not tried. Others cannot have those sessions meanwhile.
pub fn look(visible_devices: Option<&str>, sessions: u32) -> DeviceReport {
    let signs = HostSigns::read(Path::new("/"), visible_devices);
    let mut report = DeviceReport {
        driver_version: signs.kernel_driver.clone(),
        cards: u32::try_from(signs.cards.len()).unwrap_or(u32::MAX),
        ..DeviceReport::default()
    };
    let driver = match Driver::open() {
        Ok(driver) => driver,
        Err(error) => {
            report.missing.push(driver_remedy::no_driver(&error, &signs));
            return report;
        }
    };
    let library_version = host_signs::loaded_version("libcuda");
    let cuda_version = driver.version().ok();
    report.cuda_version = cuda_version.map(|(major, minor)| format!("{major}.{minor}"));
    // Where the kernel does not say (a sandboxed container, Windows beneath), the library's file does.
    report.driver_version = report.driver_version.or_else(|| library_version.clone());
    let count = match driver.init().and_then(|()| driver.count()) {
        Ok(0) => {
            let none = CudaError::cuda("cuDeviceGetCount", 100, "no device");
            report.missing = driver_remedy::not_working(&none, &signs, library_version.as_deref());
            return report;
        }
        Ok(count) => count,
        Err(error) => {
            report.missing = driver_remedy::not_working(&error, &signs, library_version.as_deref());
            return report;
        }
    };
    let version = report.driver_version.as_deref();
    for (name, opened) in [(library::CUVID, library::cuvid()), (library::ENCODE, library::encode())] {
        if let Err(error) = opened {
            let missing = driver_remedy::no_library(name, &error, &signs, version);
            report.missing.push(missing);
        }
    }
    report.missing.extend(driver_remedy::too_old(version, cuda_version));
    report.missing.extend(driver_remedy::fewer_than_cards(count, &signs));
    report.devices = (0..count).map(|ordinal| look_at(driver, ordinal, sessions)).collect();
    report
}

/// What an opened device can do. Encoder sessions are not counted.
pub fn of(gpu: &Arc<Gpu>) -> DeviceFacts {
    let identity = Driver::open().and_then(|driver| driver.identity(gpu.ordinal()));
    let identity = identity.unwrap_or_default();
    let mut facts = facts_of(gpu.ordinal(), &identity);
    ask(gpu, &identity, &mut facts);
    facts
}

fn look_at(driver: Driver, ordinal: u32, sessions: u32) -> DeviceFacts {
    let identity = match driver.identity(ordinal) {
        Ok(identity) => identity,
        Err(error) => {
            let nobody = Identity::default();
            let mut facts = facts_of(ordinal, &nobody);
            facts.missing.push(device_remedy::not_opened(&error, &nobody));
            return facts;
        }
    };
    let mut facts = facts_of(ordinal, &identity);
    // Asked first: some drivers answer such an attempt with a number that says nothing.
    if identity.is_prohibited {
        let refused = CudaError::cuda("cuDeviceGetAttribute", 46, "prohibited");
        facts.missing.push(device_remedy::not_opened(&refused, &identity));
        return facts;
    }
    match Gpu::open(ordinal) {
        Ok(gpu) => {
            ask(&gpu, &identity, &mut facts);
            count_sessions(&gpu, sessions, &mut facts);
            compile_kernels(&gpu, &mut facts);
        }
        Err(error) => facts.missing.push(device_remedy::not_opened(&error, &identity)),
    }
    facts
}

fn facts_of(ordinal: u32, identity: &Identity) -> DeviceFacts {
    DeviceFacts {
        ordinal,
        uuid: identity.uuid.clone(),
        name: identity.name.clone(),
        compute_capability: identity.compute_capability,
        memory_bytes: identity.memory_bytes,
        ..DeviceFacts::default()
    }
}

/// What needs the device opened. A library that is not there is told once for all devices, by whoever asks for them.
fn ask(gpu: &Arc<Gpu>, identity: &Identity, facts: &mut DeviceFacts) {
    if let Ok((free, _)) = gpu.memory() {
        facts.memory_free_bytes = free;
    }
    if library::cuvid().is_ok() {
        match decode_caps::abilities(gpu) {
            Ok(decode) if decode.is_empty() => facts.missing.push(device_remedy::no_decoder(identity, None)),
            Ok(decode) => facts.decode = decode,
            Err(error) => facts.missing.push(device_remedy::no_decoder(identity, Some(&error))),
        }
    }
    if library::encode().is_ok() {
        match nvenc::abilities(gpu) {
            Ok(encode) if encode.is_empty() => facts.missing.push(device_remedy::no_encoder(identity)),
            Ok(encode) => facts.encode = encode,
            Err(error) if NO_ENCODER.contains(&error.code) && error.call == OPEN_SESSION => {
                facts.missing.push(device_remedy::no_encoder(identity));
            }
            Err(error) if error.kind == Trouble::Busy => {
                facts.encoder_sessions_free = Some(0);
                facts.missing.push(device_remedy::no_session());
            }
            Err(error) => facts.missing.push(device_remedy::encoder_failed(&error)),
        }
    }
}

/// Lets the driver compile every kernel, which it keeps (`CUDA_CACHE_PATH`) for the workers. Without them nothing can be
/// done on the device, whatever its engines can.
fn compile_kernels(gpu: &Arc<Gpu>, facts: &mut DeviceFacts) {
    if let Err(error) = Kernels::load(gpu) {
        facts.missing.push(device_remedy::no_kernels(&error));
        facts.decode.clear();
        facts.encode.clear();
    }
}

fn count_sessions(gpu: &Arc<Gpu>, most: u32, facts: &mut DeviceFacts) {
    if most == 0 || facts.encode.is_empty() {
        return;
    }
    match nvenc::sessions_free(gpu, most) {
        Ok(free) => facts.encoder_sessions_free = Some(free),
        Err(error) => facts.missing.push(device_remedy::encoder_failed(&error)),
    }
    if facts.encoder_sessions_free == Some(0) {
        facts.missing.push(device_remedy::no_session());
    }
}
