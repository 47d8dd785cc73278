//! The kernels compiled as functions of this machine.
#![allow(unsafe_code)]

use libloading::Library;
use reelmill::media::cuda::CudaError;
use reelmill::media::cuda::kernels::axes::AxisKey;
use reelmill::media::cuda::kernels::parameters::Axis;
use reelmill::media::cuda::kernels::parameters::Grid;
use reelmill::media::cuda::kernels::parameters::Parameters;
use std::ffi::c_void;
use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

type Twin = unsafe extern "C" fn(*const c_void, *const u32, *const u32);

/// Where the kernels lie.
pub fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/media/cuda/kernels")
}

/// Whether a tool must be there.
pub fn required() -> bool {
    std::env::var("REELMILL_REQUIRE_MEDIA").is_ok_and(|value| value == "1")
}

/// All twins; none, with a message, where there is no compiler and none is required.
pub fn load() -> Option<&'static Twins> {
    static TWINS: OnceLock<Option<Twins>> = OnceLock::new();
    TWINS.get_or_init(compile).as_ref()
}

/// The library of all twins.
pub struct Twins(Library);

fn compile() -> Option<Twins> {
    // Tests run in processes of their own: the first to come compiles for all.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mut text = Vec::new();
    let mut files: Vec<PathBuf> = std::fs::read_dir(sources())
        .expect("the kernels are there")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|end| ["cu", "h", "cpp"].iter().any(|known| end == *known))
        })
        .collect();
    files.sort();
    for file in &files {
        text.extend(std::fs::read(file).expect("readable"));
    }
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let file = folder.join(format!("libtwins-{:016x}.so", hasher.finish()));
    if !file.exists() {
        let fresh = folder.join(format!("libtwins-{}.so", std::process::id()));
        let done = Command::new("g++")
            .args([
                "-std=c++17",
                "-O1",
                "-ffp-contract=off",
                "-fPIC",
                "-shared",
                "-DHOST_TWIN",
            ])
            .args([
                "-Wall",
                "-Wextra",
                "-Werror",
                "-fsanitize=undefined",
                "-fno-sanitize-recover=all",
            ])
            .arg(sources().join("host_twins.cpp"))
            .arg("-o")
            .arg(&fresh)
            .output();
        match done {
            Err(cause) if !required() => {
                eprintln!("skipped: g++ cannot be started: {cause}");
                return None;
            }
            Err(cause) => panic!("g++ cannot be started: {cause}"),
            Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        }
        std::fs::rename(&fresh, &file).expect("renamed");
    }
    // SAFETY: our own code, which does nothing when it is loaded.
    Some(Twins(unsafe { Library::new(&file) }.expect("the twins load")))
}

impl Twins {
    /// Runs a kernel.
    pub fn launch<P: Parameters>(&self, (parameters, grid): &(P, Grid)) {
        let name = format!("{}_host\0", P::KERNEL);
        // SAFETY: the twin of that kernel, which takes that struct.
        let twin = unsafe { self.0.get::<Twin>(name.as_bytes()) }.expect("there is a twin");
        let parameters = std::ptr::from_ref(parameters).cast();
        // SAFETY: addresses in the struct are of buffers that live through the call.
        unsafe { twin(parameters, grid.blocks.as_ptr(), grid.threads.as_ptr()) }
    }
}

/// Tables of weights that live as long as this.
#[derive(Default)]
pub struct Tables(Vec<Vec<i32>>);

impl Tables {
    /// One of them.
    pub fn axis(&mut self, key: AxisKey) -> Result<Axis, CudaError> {
        let weights = key.weights();
        let table = weights.table();
        let axis = Axis {
            table: table.as_ptr() as u64,
            count: weights.count() as u32,
            taps: weights.taps() as u32,
        };
        self.0.push(table);
        Ok(axis)
    }
}
