//! Memory and copies.

use crate::alone;
use crate::api::*;
use crate::assert_noticed;
use crate::call;
use cudarc::driver::sys::CUDA_MEMCPY2D;
use cudarc::driver::sys::CUmemorytype;
use std::ffi::c_int;
use std::ffi::c_uint;

fn no_copy() -> CUDA_MEMCPY2D {
    CUDA_MEMCPY2D {
        srcXInBytes: 0,
        srcY: 0,
        srcMemoryType: CUmemorytype::CU_MEMORYTYPE_HOST,
        srcHost: std::ptr::null(),
        srcDevice: 0,
        srcArray: std::ptr::null_mut(),
        srcPitch: 0,
        dstXInBytes: 0,
        dstY: 0,
        dstMemoryType: CUmemorytype::CU_MEMORYTYPE_HOST,
        dstHost: std::ptr::null_mut(),
        dstDevice: 0,
        dstArray: std::ptr::null_mut(),
        dstPitch: 0,
        WidthInBytes: 0,
        Height: 0,
    }
}

/// These bytes in page-locked memory, which is nobody's to free.
fn page_locked(bytes: &[u8]) -> *mut u8 {
    let mut start = NULL;
    assert_eq!(call!(cuMemHostAlloc(&raw mut start, bytes.len(), 0 as c_uint)), SUCCESS);
    // SAFETY: ours, and as long as the bytes.
    unsafe { start.cast::<u8>().copy_from(bytes.as_ptr(), bytes.len()) };
    start.cast()
}

#[test]
fn a_copy_of_other_memory_does_not_go_on_by_itself() {
    let lines = alone(
        "copies::a_copy_of_other_memory_does_not_go_on_by_itself",
        &[("STANDIN_PAGE_LOCKED_MB", "1")],
        || {
            begin(0);
            let address = take(100);
            let mut bytes = [7_u8; 100];
            // Waited for by the call itself.
            assert_eq!(call!(cuMemcpyHtoD_v2(address, bytes.as_ptr(), 100_usize)), SUCCESS);
            assert_eq!(
                call!(cuMemcpyHtoDAsync_v2(address, bytes.as_ptr(), 100_usize, NULL)),
                SUCCESS
            );
            assert_eq!(
                call!(cuMemcpyDtoHAsync_v2(bytes.as_mut_ptr(), address, 100_usize, NULL)),
                SUCCESS
            );
            let half = page_locked(&bytes[..50]);
            assert_eq!(
                call!(cuMemcpyHtoDAsync_v2(address, half, 60_usize, NULL)),
                INVALID_VALUE
            );
            let mut more = NULL;
            let most = call!(cuMemHostAlloc(&raw mut more, 1_usize << 20, 0 as c_uint));
            assert_eq!(most, OUT_OF_MEMORY);
        },
    );
    assert_noticed(
        lines,
        &[
            "cuMemcpyHtoDAsync: 100 bytes at",
            "cuMemcpyDtoHAsync: 100 bytes at",
            "60 bytes of page-locked memory, of which 50 are left",
        ],
    );
}

#[test]
fn page_locked_bytes_are_left_alone_until_somebody_waited() {
    let lines = alone(
        "copies::page_locked_bytes_are_left_alone_until_somebody_waited",
        &[],
        || {
            begin(0);
            let address = take(100);
            let bytes = page_locked(&[7; 100]);
            let send = |from: *mut u8, count: usize| {
                assert_eq!(call!(cuMemcpyHtoDAsync_v2(address, from, count, NULL)), SUCCESS);
            };
            send(bytes, 50);
            // Others than those.
            send(bytes.wrapping_add(50), 50);
            assert_eq!(call!(cuStreamSynchronize(NULL)), SUCCESS);
            send(bytes, 50);
            send(bytes.wrapping_add(49), 1);
            assert_eq!(call!(cuMemFreeHost(bytes)), SUCCESS);
            assert_eq!(call!(cuMemFreeHost(bytes)), INVALID_VALUE);
            page_locked(&[1, 2]);
            assert_eq!(call!(cuDevicePrimaryCtxRelease_v2(0 as c_int)), SUCCESS);
        },
    );
    assert_noticed(
        lines,
        &[
            "are used again",
            "cuMemFreeHost: nobody waited",
            "cuMemFreeHost: freed",
            "1 pieces of page-locked memory were not freed",
        ],
    );
}

#[test]
fn bytes_come_back_as_they_went() {
    let lines = alone(
        "copies::bytes_come_back_as_they_went",
        &[("STANDIN_MEMORY_MB", "1")],
        || {
            begin(0);
            let (mut address, mut pitch) = (0_u64, 0_usize);
            let taken = call!(cuMemAllocPitch_v2(
                &raw mut address,
                &raw mut pitch,
                100_usize,
                8_usize,
                16 as c_uint
            ));
            assert_eq!((taken, pitch), (SUCCESS, 512));
            let (mut free, mut total) = (0_usize, 0_usize);
            assert_eq!(call!(cuMemGetInfo_v2(&raw mut free, &raw mut total)), SUCCESS);
            assert_eq!((total, total - free), (1 << 20, 8 * 512));
            let picture: Vec<u8> = (0..800).map(|at| (at % 251) as u8).collect();
            let mut copy = no_copy();
            copy.srcHost = page_locked(&picture).cast();
            copy.srcPitch = 100;
            copy.dstMemoryType = CUmemorytype::CU_MEMORYTYPE_DEVICE;
            copy.dstDevice = address;
            copy.dstPitch = pitch;
            (copy.WidthInBytes, copy.Height) = (100, 8);
            assert_eq!(call!(cuMemcpy2DAsync_v2(&raw const copy, NULL)), SUCCESS);
            let bytes = read(address, 7 * 512 + 100);
            for row in 0..8 {
                assert_eq!(bytes[row * 512..row * 512 + 100], picture[row * 100..row * 100 + 100]);
            }
            // What nobody wrote to is no zeros.
            assert!(bytes[100..512].iter().all(|byte| *byte != 0));
            assert_eq!(call!(cuMemsetD8_v2(address, 7_u8, 10_usize)), SUCCESS);
            assert_eq!(read(address, 10), [7; 10]);
            let mut other = 0_u64;
            assert_eq!(call!(cuMemAlloc_v2(&raw mut other, 1_usize << 20)), OUT_OF_MEMORY);
            assert_eq!(call!(cuMemFree_v2(address)), SUCCESS);
            assert_eq!(call!(cuMemAlloc_v2(&raw mut other, 1_usize << 20)), SUCCESS);
            assert_ne!(other, address, "addresses are never given twice");
        },
    );
    assert_noticed(lines, &[]);
}

#[test]
fn a_copy_beyond_its_memory_loses_the_context() {
    let lines = alone("copies::a_copy_beyond_its_memory_loses_the_context", &[], || {
        begin(0);
        let address = take(100);
        let bytes = [0_u8; 200];
        assert_eq!(
            call!(cuMemcpyHtoD_v2(address + 1, bytes.as_ptr(), 100_usize)),
            ILLEGAL_ADDRESS
        );
        // For ever.
        assert_eq!(
            call!(cuMemcpyHtoD_v2(address, bytes.as_ptr(), 100_usize)),
            ILLEGAL_ADDRESS
        );
        assert_eq!(call!(cuCtxSynchronize()), ILLEGAL_ADDRESS);
    });
    assert_noticed(lines, &["cuMemcpyHtoD: 100 bytes from"]);
}

#[test]
fn freed_memory_is_not_touched() {
    let lines = alone("copies::freed_memory_is_not_touched", &[], || {
        begin(0);
        let address = take(100);
        assert_eq!(call!(cuMemFree_v2(address)), SUCCESS);
        assert_eq!(call!(cuMemFree_v2(address)), INVALID_VALUE);
        assert_eq!(call!(cuMemsetD8_v2(address, 0_u8, 1_usize)), ILLEGAL_ADDRESS);
    });
    assert_noticed(lines, &["cuMemFree", "cuMemsetD8"]);
}

#[test]
fn host_and_device_are_told_apart() {
    let lines = alone("copies::host_and_device_are_told_apart", &[], || {
        begin(0);
        let address = take(16);
        let mut bytes = [0_u8; 16];
        // An address of a device where one of the host is wanted.
        assert_eq!(call!(cuMemcpyDtoH_v2(address, address, 16_usize)), INVALID_VALUE);
        let mut copy = no_copy();
        copy.srcMemoryType = CUmemorytype::CU_MEMORYTYPE_DEVICE;
        copy.srcDevice = address;
        copy.dstMemoryType = CUmemorytype::CU_MEMORYTYPE_HOST;
        copy.dstHost = bytes.as_mut_ptr().cast();
        (copy.srcPitch, copy.dstPitch) = (4, 2);
        (copy.WidthInBytes, copy.Height) = (4, 4);
        assert_eq!(call!(cuMemcpy2D_v2(&raw const copy)), INVALID_VALUE);
        // And the other way round.
        assert_eq!(
            call!(cuMemcpyHtoD_v2(bytes.as_ptr(), bytes.as_ptr(), 16_usize)),
            ILLEGAL_ADDRESS
        );
    });
    assert_noticed(
        lines,
        &[
            "is no address of the host",
            "rows of 4 bytes, 2 apart",
            "is no address of a device",
        ],
    );
}
