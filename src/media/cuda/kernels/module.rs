//! The kernels as the driver has compiled them, and their launch.
//!
//! Guarantees: a kernel is launched with the parameter it takes and with no other; what is queued happens in the order
//! of the device's one stream. Deliberately absent: what parameters say.

use crate::media::cuda::error;
use crate::media::cuda::error::CudaError;
use crate::media::cuda::gpu::Gpu;
use crate::media::cuda::kernels::parameters::Grid;
use crate::media::cuda::kernels::parameters::Parameters;
use cudarc::driver::sys;
use std::ffi::CString;
use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

/// PTX of a file, and the kernels in it.
type Source = (&'static str, &'static [&'static str]);

/// All there are.
pub(super) const SOURCES: [Source; 5] = [
    (include_str!("scale.ptx"), &["scale"]),
    (include_str!("rgb.ptx"), &["to_rgb"]),
    (include_str!("fields.ptx"), &["deinterlace"]),
    (include_str!("blend.ptx"), &["blend", "pixelate", "smooth"]),
    (include_str!("tone.ptx"), &["tone"]),
];

/// All kernels on one device.
#[derive(Debug)]
pub(super) struct Modules {
    gpu: Arc<Gpu>,
    modules: Vec<sys::CUmodule>,
    functions: Vec<(&'static str, sys::CUfunction)>,
}

// SAFETY: the driver's handles may be used from every thread where their context is current.
unsafe impl Send for Modules {}
// SAFETY: as above; nothing here changes after loading.
unsafe impl Sync for Modules {}

impl Modules {
    /// Has the driver compile them, or take them from its cache.
    pub(super) fn load(gpu: &Arc<Gpu>) -> Result<Self, CudaError> {
        gpu.enter()?;
        let mut loaded = Modules {
            gpu: Arc::clone(gpu),
            modules: Vec::new(),
            functions: Vec::new(),
        };
        for (ptx, names) in SOURCES {
            let text = terminated(ptx)?;
            let mut module = ptr::null_mut();
            // SAFETY: the context is current; the text ends with a zero and stays until the call answers.
            unsafe { sys::cuModuleLoadData(&mut module, text.as_ptr().cast::<c_void>()) }
                .result()
                .map_err(error::of("cuModuleLoadData"))?;
            loaded.modules.push(module);
            for name in names {
                let text = terminated(name)?;
                let mut function = ptr::null_mut();
                // SAFETY: a module that was just loaded, and a name that ends with a zero.
                unsafe { sys::cuModuleGetFunction(&mut function, module, text.as_ptr()) }
                    .result()
                    .map_err(error::of("cuModuleGetFunction"))?;
                loaded.functions.push((name, function));
            }
        }
        Ok(loaded)
    }

    /// Queues a kernel. The addresses in its parameter must be this device's, and stay until it has run.
    pub(super) fn launch<P: Parameters>(&self, parameters: &P, grid: Grid) -> Result<(), CudaError> {
        let function = self
            .functions
            .iter()
            .find(|(name, _)| *name == P::KERNEL)
            .map(|(_, function)| *function)
            .ok_or_else(|| CudaError::refused("cuLaunchKernel", format!("there is no kernel {}", P::KERNEL)))?;
        self.gpu.enter()?;
        let mut arguments = [ptr::from_ref(parameters).cast_mut().cast::<c_void>()];
        // SAFETY: the context is current; the kernel takes one parameter, of exactly this struct, which the driver
        // copies before the call answers. What its addresses say was measured by whoever filled it.
        unsafe {
            sys::cuLaunchKernel(
                function,
                grid.blocks[0],
                grid.blocks[1],
                grid.blocks[2],
                grid.threads[0],
                grid.threads[1],
                grid.threads[2],
                0,
                self.gpu.raw_stream(),
                arguments.as_mut_ptr(),
                ptr::null_mut(),
            )
        }
        .result()
        .map_err(error::of("cuLaunchKernel"))
    }
}

fn terminated(text: &str) -> Result<CString, CudaError> {
    CString::new(text).map_err(|_| CudaError::refused("cuModuleLoadData", "a zero in the kernels' text"))
}

impl Drop for Modules {
    fn drop(&mut self) {
        if self.gpu.enter().is_err() {
            return;
        }
        for module in &self.modules {
            // SAFETY: ours, unloaded once. Kernels that are queued are waited for.
            let _ = unsafe { sys::cuModuleUnload(*module) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SOURCES;
    use crate::media::cuda::kernels::parameters;
    use crate::media::cuda::kernels::parameters::Parameters;

    fn declared_bytes(kernel: &str) -> usize {
        let (ptx, _) = SOURCES
            .iter()
            .find(|(_, names)| names.contains(&kernel))
            .expect("a file has it");
        let label = format!("{kernel}_param_0[");
        let (_, rest) = ptx.split_once(&label).expect("its parameter is declared");
        let (bytes, _) = rest.split_once(']').expect("with its size");
        bytes.parse().expect("a number")
    }

    #[test]
    fn parameters_are_as_large_as_kernels_take_them() {
        fn same<P: Parameters>() {
            assert_eq!(size_of::<P>(), declared_bytes(P::KERNEL), "{}", P::KERNEL);
        }
        same::<parameters::ScaleParameters>();
        same::<parameters::RgbParameters>();
        same::<parameters::FieldsParameters>();
        same::<parameters::BlendParameters>();
        same::<parameters::PixelateParameters>();
        same::<parameters::SmoothParameters>();
        same::<parameters::ToneParameters>();
    }

    #[test]
    fn device_code_rounds_every_step_and_keeps_nothing_per_thread() {
        for (ptx, names) in SOURCES {
            assert!(
                ptx.starts_with("// clang 14\n.version 4.1\n.target sm_52\n"),
                "{names:?}"
            );
            // Fused or unrounded sums would differ from the host's; a local copy of the parameter costs its bandwidth.
            for word in [
                "fma",
                "mad.f32",
                "mul.f32",
                "add.f32",
                "sub.f32",
                "approx",
                ".ftz",
                "__local_depot",
                "bar.sync",
            ] {
                assert!(!ptx.contains(word), "{names:?}: {word}");
            }
        }
    }
}
