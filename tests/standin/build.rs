//! Compiles the product's kernels as host C++, so that a launch can be carried out on the host.
//!
//! Guarantees: the twins come from the very `.cu` files whose PTX the product loads. Deliberately absent: a compiler of
//! PTX.

use std::path::Path;

fn main() {
    let here = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let kernels = Path::new(&here).join("../../src/media/cuda/kernels");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={}", kernels.display());
    println!("cargo:rerun-if-changed=src/cuda/guard.c");
    println!("cargo:rerun-if-changed=src/cuda/no_kernels.c");
    cc::Build::new()
        .file("src/cuda/guard.c")
        .opt_level(2)
        .compile("standin_guard");
    let twins = kernels.join("host_twins.cpp");
    if twins.exists() {
        // As the file's own words have it; addresses are numbers there, so nothing may be assumed of what they point to.
        cc::Build::new()
            .cpp(true)
            .cpp_link_stdlib(None)
            .std("c++17")
            .opt_level(2)
            .define("HOST_TWIN", None)
            .flag("-ffp-contract=off")
            .flag("-fno-exceptions")
            .flag("-fno-strict-aliasing")
            .warnings(false)
            .file(twins)
            .compile("standin_twins");
    } else {
        cc::Build::new()
            .file("src/cuda/no_kernels.c")
            .opt_level(2)
            .compile("standin_twins");
    }
}
