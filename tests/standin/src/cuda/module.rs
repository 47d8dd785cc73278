//! Modules and their functions.
//!
//! Guarantees: PTX that a driver of this version or this device would refuse is refused; a kernel whose parameter is
//! not of the size of its twin's is a violation, so that PTX and twin are of one source. Deliberately absent: cubins.

use crate::cuda::code::Code;
use crate::cuda::code::INVALID_HANDLE;
use crate::cuda::code::INVALID_IMAGE;
use crate::cuda::code::INVALID_PTX;
use crate::cuda::code::INVALID_VALUE;
use crate::cuda::code::NO_BINARY_FOR_GPU;
use crate::cuda::code::NOT_FOUND;
use crate::cuda::code::UNSUPPORTED_PTX_VERSION;
use crate::cuda::code::answer;
use crate::cuda::code::put;
use crate::cuda::code::refuse;
use crate::cuda::context;
use crate::cuda::context::Context;
use crate::cuda::device;
use crate::cuda::ptx;
use crate::cuda::ptx::Ptx;
use crate::cuda::ptx::Refusal;
use crate::cuda::twin;
use crate::cuda::twin::Twin;
use crate::handle::Table;
use std::collections::BTreeMap;
use std::ffi::CStr;
use std::ffi::c_char;
use std::ffi::c_int;
use std::ffi::c_uint;
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

/// What all parameters of a kernel may take together, bytes (compute capability below 7.0 and PTX below 8.1).
const MAX_PARAMETERS: usize = 4096;

static MODULES: Table<Module> = Table::new();
static FUNCTIONS: Table<Function> = Table::new();

#[derive(Debug)]
struct Module {
    context: u64,
    ptx: Ptx,
    /// By name, those that were asked for.
    functions: Mutex<BTreeMap<String, usize>>,
}

/// A kernel that can be launched.
#[derive(Debug)]
pub struct Function {
    /// Number of the context it was loaded into.
    pub context: u64,
    /// Its name.
    pub name: String,
    /// It, on the host.
    pub twin: Twin,
    /// Bytes of its one parameter.
    pub parameter_bytes: usize,
}

/// The function of that handle, if its module is still loaded.
pub fn function(handle: *mut c_void) -> Option<Arc<Function>> {
    FUNCTIONS.get(handle)
}

fn load(call: &str, context: &Context, text: &str) -> Result<*mut c_void, Code> {
    let capability = (device::CAPABILITY.0 * 10 + device::CAPABILITY.1) as u32;
    let ptx = ptx::read(text, capability).or_else(|refusal| match refusal {
        Refusal::NoPtx => refuse(call, INVALID_IMAGE, "no PTX"),
        Refusal::TooNew => refuse(call, UNSUPPORTED_PTX_VERSION, "PTX that is newer than this driver"),
        Refusal::OtherDevice => refuse(call, NO_BINARY_FOR_GPU, "PTX for devices that can more than this one"),
        Refusal::Broken(what) => refuse(call, INVALID_PTX, format!("PTX that is not understood: {what}")),
    })?;
    if let Some(entry) = ptx
        .entries
        .iter()
        .find(|entry| entry.parameters.iter().sum::<usize>() > MAX_PARAMETERS)
    {
        return refuse(
            call,
            INVALID_PTX,
            format!("{} takes more than {MAX_PARAMETERS} bytes", entry.name),
        );
    }
    Ok(MODULES.insert(Module {
        context: context.number(),
        ptx,
        functions: Mutex::new(BTreeMap::new()),
    }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuModuleLoadData(module: *mut *mut c_void, image: *const c_void) -> Code {
    let call = "cuModuleLoadData";
    answer(context::current(call).and_then(|context| {
        if image.is_null() {
            return refuse(call, INVALID_VALUE, "a null pointer");
        }
        // SAFETY: an image is at least so long.
        let magic = unsafe { image.cast::<[u8; 4]>().read() };
        if magic == *b"\x7fELF" || magic == 0xBA55_ED50_u32.to_le_bytes() {
            return refuse(
                call,
                NO_BINARY_FOR_GPU,
                "machine code, of which nothing is stood in for",
            );
        }
        // SAFETY: what is no machine code is text that ends with a zero byte.
        let text = unsafe { CStr::from_ptr(image.cast()) }.to_string_lossy();
        let handle = load(call, &context, &text)?;
        // SAFETY: as this function's.
        unsafe { put(call, module, handle) }
    }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuModuleLoadDataEx(
    module: *mut *mut c_void,
    image: *const c_void,
    _options: c_uint,
    _names: *mut c_int,
    _values: *mut *mut c_void,
) -> Code {
    // SAFETY: as this function's. Options ask for logs, of which there are none, and levels of optimisation.
    unsafe { cuModuleLoadData(module, image) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuModuleLoad(module: *mut *mut c_void, path: *const c_char) -> Code {
    let call = "cuModuleLoad";
    answer(context::current(call).and_then(|context| {
        // SAFETY: as this function's: text that ends with a zero byte.
        let path = unsafe { CStr::from_ptr(path) }.to_string_lossy();
        let Ok(text) = std::fs::read_to_string(&*path) else {
            return Err(NOT_FOUND);
        };
        let handle = load(call, &context, &text)?;
        // SAFETY: as this function's.
        unsafe { put(call, module, handle) }
    }))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuModuleUnload(module: *mut c_void) -> Code {
    let call = "cuModuleUnload";
    answer(context::current(call).and_then(|_| {
        let Some(module) = MODULES.remove(module) else {
            return refuse(call, INVALID_HANDLE, "no such module, or an unloaded one");
        };
        for handle in module.functions.lock().unwrap_or_else(PoisonError::into_inner).values() {
            FUNCTIONS.remove(std::ptr::without_provenance_mut::<c_void>(*handle));
        }
        Ok(())
    }))
}

fn find(call: &str, module: &Module, name: &str) -> Result<Function, Code> {
    // Asking for one that is not there is no offence.
    let entry = module
        .ptx
        .entries
        .iter()
        .find(|entry| entry.name == name)
        .ok_or(NOT_FOUND)?;
    let [parameter_bytes] = entry.parameters[..] else {
        return refuse(call, NOT_FOUND, format!("{name} does not take exactly one parameter"));
    };
    let Some(twin) = twin::named(name) else {
        return refuse(
            call,
            NOT_FOUND,
            format!("{name} has no twin of the host: host_twins.cpp does not list it"),
        );
    };
    if twin.parameter_bytes != parameter_bytes {
        let words = format!(
            "{name} takes {parameter_bytes} bytes, its twin {}",
            twin.parameter_bytes
        );
        return refuse(call, NOT_FOUND, words);
    }
    Ok(Function {
        context: module.context,
        name: name.to_owned(),
        twin,
        parameter_bytes,
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuModuleGetFunction(
    function: *mut *mut c_void,
    module: *mut c_void,
    name: *const c_char,
) -> Code {
    let call = "cuModuleGetFunction";
    answer(context::current(call).and_then(|context| {
        let Some(module) = MODULES.get(module).filter(|module| module.context == context.number()) else {
            return refuse(call, INVALID_HANDLE, "no such module in the current context");
        };
        if name.is_null() {
            return refuse(call, INVALID_VALUE, "a null pointer");
        }
        // SAFETY: as this function's: text that ends with a zero byte.
        let name = unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned();
        let mut known = module.functions.lock().unwrap_or_else(PoisonError::into_inner);
        let handle = match known.get(&name) {
            Some(handle) => *handle,
            None => {
                let handle = FUNCTIONS.insert(find(call, &module, &name)?).addr();
                known.insert(name, handle);
                handle
            }
        };
        // SAFETY: as this function's.
        unsafe { put(call, function, std::ptr::without_provenance_mut(handle)) }
    }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuModuleGetGlobal_v2(
    _address: *mut u64,
    _bytes: *mut usize,
    _module: *mut c_void,
    _name: *const c_char,
) -> Code {
    // Kernels of the product have no globals.
    answer(context::current("cuModuleGetGlobal").and(Err(NOT_FOUND)))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuFuncGetAttribute(value: *mut c_int, attribute: c_int, handle: *mut c_void) -> Code {
    let call = "cuFuncGetAttribute";
    answer(context::current(call).and_then(|_| {
        if function(handle).is_none() {
            return refuse(call, INVALID_HANDLE, "no such function, or an unloaded one");
        }
        let known = match attribute {
            // Threads of a block; registers; version of the PTX and of the device.
            0 => device::MAX_THREADS,
            4 => 32,
            5 => 41,
            6 => device::CAPABILITY.0 * 10 + device::CAPABILITY.1,
            _ => 0,
        };
        // SAFETY: as this function's.
        unsafe { put(call, value, known) }
    }))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuFuncSetAttribute(handle: *mut c_void, _attribute: c_int, _value: c_int) -> Code {
    let call = "cuFuncSetAttribute";
    answer(context::current(call).and_then(|_| match function(handle) {
        Some(_) => Ok(()),
        None => refuse(call, INVALID_HANDLE, "no such function, or an unloaded one"),
    }))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuFuncSetCacheConfig(handle: *mut c_void, _config: c_uint) -> Code {
    cuFuncSetAttribute(handle, 0, 0)
}
