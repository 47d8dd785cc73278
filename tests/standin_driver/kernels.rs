//! Modules and launches: the product's own kernels.

use crate::alone;
use crate::api::*;
use crate::assert_noticed;
use crate::call;
use std::ffi::CString;
use std::ffi::c_uint;

/// `SmoothParameters` of `kernels/blend.cu`: lines in three planes, each sample the mean of its neighbours.
#[repr(C)]
#[derive(Default)]
struct Smooth {
    plane: [Plane; 3],
    wide: u32,
    shift: u32,
}

#[repr(C)]
#[derive(Default)]
struct Plane {
    from: u64,
    to: u64,
    from_along: u32,
    from_between: u32,
    to_along: u32,
    to_between: u32,
    length: u32,
    lines: u32,
    reach: u32,
    reserved: u32,
}

fn line(from: u64, to: u64, length: u32) -> Smooth {
    let mut smooth = Smooth::default();
    smooth.plane[0] = Plane {
        from,
        to,
        from_along: 1,
        to_along: 1,
        length,
        lines: 1,
        reach: 1,
        ..Plane::default()
    };
    smooth
}

fn load(text: &str) -> (i32, Pointer) {
    let text = CString::new(text).expect("PTX without zeros");
    let mut module = NULL;
    let answer = call!(cuModuleLoadData(&raw mut module, text.as_ptr()));
    (answer, module)
}

fn smooth() -> Pointer {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/media/cuda/kernels/blend.ptx"));
    let text = text.expect("the kernels are there");
    let size = format!("smooth_param_0[{}]", size_of::<Smooth>());
    assert!(
        text.contains(&size),
        "the kernel's parameter is another one: adapt this test"
    );
    let (answer, module) = load(&text);
    assert_eq!(answer, SUCCESS);
    let mut function = NULL;
    assert_eq!(
        call!(cuModuleGetFunction(&raw mut function, module, c"smooth".as_ptr())),
        SUCCESS
    );
    function
}

fn launch(function: Pointer, parameters: &Smooth, threads: c_uint) -> i32 {
    let mut list = [(&raw const *parameters).cast_mut()];
    let one: c_uint = 1;
    call!(cuLaunchKernel(
        function,
        one,
        one,
        one,
        threads,
        one,
        one,
        0 as c_uint,
        NULL,
        list.as_mut_ptr(),
        NULL
    ))
}

#[test]
fn a_kernel_does_on_the_host_what_it_does_on_a_device() {
    let lines = alone(
        "kernels::a_kernel_does_on_the_host_what_it_does_on_a_device",
        &[],
        || {
            begin(0);
            let (from, to) = (take(16), take(16));
            let bytes: Vec<u8> = (0..16).map(|at| at * 9).collect();
            assert_eq!(call!(cuMemcpyHtoD_v2(from, bytes.as_ptr(), 16_usize)), SUCCESS);
            assert_eq!(launch(smooth(), &line(from, to, 16), 32), SUCCESS);
            // Means of neighbours in an even slope are its own samples; at its ends there is one neighbour.
            let mut expected = bytes.clone();
            (expected[0], expected[15]) = (5, 131);
            assert_eq!(read(to, 16), expected);
        },
    );
    assert_noticed(lines, &[]);
}

#[test]
fn a_kernel_beyond_its_memory_loses_the_context() {
    let lines = alone("kernels::a_kernel_beyond_its_memory_loses_the_context", &[], || {
        begin(0);
        let (from, to) = (take(1 << 16), take(256));
        // 100,000 samples to a place for 256.
        assert_eq!(launch(smooth(), &line(from, to, 60_000), 1), ILLEGAL_ADDRESS);
        assert_eq!(call!(cuCtxSynchronize()), ILLEGAL_ADDRESS);
    });
    assert_noticed(
        lines,
        &["cuLaunchKernel: smooth touches byte 256 of the piece of 256 bytes"],
    );
}

#[test]
fn a_kernel_on_freed_memory_loses_the_context() {
    let lines = alone("kernels::a_kernel_on_freed_memory_loses_the_context", &[], || {
        begin(0);
        let (from, to) = (take(256), take(256));
        assert_eq!(call!(cuMemFree_v2(from)), SUCCESS);
        assert_eq!(launch(smooth(), &line(from, to, 256), 1), ILLEGAL_ADDRESS);
    });
    assert_noticed(lines, &["cuLaunchKernel: smooth: byte 0 of its parameter"]);
}

#[test]
fn launches_that_no_device_takes_are_refused() {
    let lines = alone("kernels::launches_that_no_device_takes_are_refused", &[], || {
        begin(0);
        let (from, to) = (take(256), take(256));
        assert_eq!(launch(smooth(), &line(from, to, 256), 2048), INVALID_VALUE);
        assert_eq!(
            launch(from as usize as Pointer, &line(from, to, 256), 32),
            INVALID_HANDLE
        );
    });
    assert_noticed(lines, &["blocks of [2048, 1, 1] threads", "no such function"]);
}

#[test]
fn modules_that_no_driver_takes_are_refused() {
    let lines = alone("kernels::modules_that_no_driver_takes_are_refused", &[], || {
        begin(0);
        assert_eq!(load("no PTX at all").0, 200);
        assert_eq!(load(".version 8.8\n.target sm_52\n.address_size 64\n").0, 222);
        assert_eq!(load(".version 4.1\n.target sm_90\n.address_size 64\n").0, 209);
        let (answer, module) = load(".version 4.1\n.target sm_52\n.address_size 64\n");
        assert_eq!(answer, SUCCESS);
        let mut function = NULL;
        // Asking for what is not there is no offence.
        assert_eq!(
            call!(cuModuleGetFunction(&raw mut function, module, c"smooth".as_ptr())),
            500
        );
        assert_eq!(call!(cuModuleUnload(module)), SUCCESS);
        assert_eq!(call!(cuModuleUnload(module)), INVALID_HANDLE);
    });
    assert_noticed(
        lines,
        &[
            "no PTX",
            "newer than this driver",
            "can more than this one",
            "no such module",
        ],
    );
}
