//! Devices and contexts.

use crate::alone;
use crate::api::*;
use crate::assert_noticed;
use crate::call;
use std::ffi::CStr;
use std::ffi::c_char;
use std::ffi::c_int;
use std::ffi::c_uint;

#[test]
fn devices_say_what_they_are() {
    let lines = alone(
        "contexts::devices_say_what_they_are",
        &[("STANDIN_DEVICES", "2"), ("STANDIN_MEMORY_MB", "64")],
        || {
            begin(1);
            let (mut count, mut version, mut bytes) = (0 as c_int, 0 as c_int, 0_usize);
            assert_eq!(call!(cuDeviceGetCount(&raw mut count)), SUCCESS);
            assert_eq!(call!(cuDriverGetVersion(&raw mut version)), SUCCESS);
            assert_eq!(call!(cuDeviceTotalMem_v2(&raw mut bytes, 1 as c_int)), SUCCESS);
            assert_eq!((count, version, bytes), (2, 12040, 64 << 20));
            let mut name = [0 as c_char; 64];
            assert_eq!(
                call!(cuDeviceGetName(name.as_mut_ptr(), 64 as c_int, 1 as c_int)),
                SUCCESS
            );
            // SAFETY: the call wrote text with its end.
            assert_eq!(unsafe { CStr::from_ptr(name.as_ptr()) }, c"Stand-in (no GPU)");
            let uuids = [0, 1].map(|device: c_int| {
                let mut uuid = [0_u8; 16];
                assert_eq!(call!(cuDeviceGetUuid_v2(uuid.as_mut_ptr(), device)), SUCCESS);
                uuid
            });
            assert_ne!(uuids[0], uuids[1]);
            let mut device = 0 as c_int;
            assert_eq!(call!(cuDeviceGet(&raw mut device, 2 as c_int)), INVALID_DEVICE);
            let mut text: *const c_char = std::ptr::null();
            assert_eq!(call!(cuGetErrorName(700 as c_int, &raw mut text)), SUCCESS);
            // SAFETY: names live as long as the library.
            assert_eq!(unsafe { CStr::from_ptr(text) }, c"CUDA_ERROR_ILLEGAL_ADDRESS");
        },
    );
    assert_noticed(lines, &[]);
}

#[test]
fn nothing_is_done_without_a_context() {
    let lines = alone("contexts::nothing_is_done_without_a_context", &[], || {
        let (mut count, mut address) = (0 as c_int, 0_u64);
        assert_eq!(call!(cuDeviceGetCount(&raw mut count)), NOT_INITIALIZED);
        let context = begin(0);
        // Current is a matter of a thread.
        let elsewhere = std::thread::spawn(|| {
            let mut address = 0_u64;
            call!(cuMemAlloc_v2(&raw mut address, 16_usize))
        });
        assert_eq!(elsewhere.join().expect("a thread"), INVALID_CONTEXT);
        let mut popped = NULL;
        assert_eq!(call!(cuCtxPopCurrent_v2(&raw mut popped)), SUCCESS);
        assert_eq!(popped, context);
        assert_eq!(call!(cuMemAlloc_v2(&raw mut address, 16_usize)), INVALID_CONTEXT);
        assert_eq!(call!(cuCtxSetCurrent(context)), SUCCESS);
        assert_eq!(call!(cuDevicePrimaryCtxRelease_v2(0 as c_int)), SUCCESS);
        assert_eq!(call!(cuCtxSynchronize()), 709);
        assert_eq!(call!(cuDevicePrimaryCtxRelease_v2(0 as c_int)), INVALID_CONTEXT);
    });
    assert_noticed(
        lines,
        &[
            "cuDeviceGetCount: called before cuInit",
            "cuMemAlloc: no context is current",
            "cuMemAlloc: no context is current",
            "cuCtxSynchronize: the current context is destroyed",
            "cuDevicePrimaryCtxRelease: released more often than retained",
        ],
    );
}

#[test]
fn streams_and_events_are_of_a_context() {
    let lines = alone(
        "contexts::streams_and_events_are_of_a_context",
        &[("STANDIN_DEVICES", "2")],
        || {
            begin(1);
            let mut stream = NULL;
            assert_eq!(call!(cuStreamCreate(&raw mut stream, 1 as c_uint)), SUCCESS);
            let mut event = NULL;
            assert_eq!(call!(cuEventCreate(&raw mut event, 2 as c_uint)), SUCCESS);
            assert_eq!(call!(cuEventRecord(event, stream)), SUCCESS);
            assert_eq!(call!(cuEventSynchronize(event)), SUCCESS);
            begin(0);
            assert_eq!(call!(cuStreamSynchronize(stream)), INVALID_CONTEXT);
            begin(1);
            assert_eq!(call!(cuEventDestroy_v2(event)), SUCCESS);
            assert_eq!(call!(cuEventDestroy_v2(event)), INVALID_HANDLE);
            assert_eq!(call!(cuStreamDestroy_v2(stream)), SUCCESS);
            assert_eq!(call!(cuStreamSynchronize(stream)), INVALID_HANDLE);
        },
    );
    assert_noticed(
        lines,
        &[
            "cuStreamSynchronize: the stream is of another context",
            "cuEventDestroy: no such event",
            "cuStreamSynchronize: no such stream",
        ],
    );
}

#[test]
fn a_setting_that_is_misspelt_is_noticed() {
    let settings = [("STANDIN_SESIONS", "2"), ("STANDIN_MEMORY_MB", "much")];
    let lines = alone("contexts::a_setting_that_is_misspelt_is_noticed", &settings, || {
        begin(0);
    });
    let Some(mut lines) = lines else {
        return;
    };
    lines.sort();
    assert_noticed(Some(lines), &["STANDIN_MEMORY_MB", "STANDIN_SESIONS"]);
}
