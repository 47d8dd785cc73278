//! Pictures on their way into a session: made known to the driver once, handed to it for as long as it needs them.
//!
//! Guarantees: memory that the driver knows is not freed, and memory that it holds is neither freed nor given back to
//! its pool; a picture that is sent twice is handed over once and taken back with the last. Deliberately absent: which
//! picture is done, which the output says.

use crate::media::cuda::error::CudaError;
use crate::media::cuda::nvenc::encoder::Encoder;
use crate::media::cuda::pool::PooledSurface;
use crate::media::cuda::surface::Layout;
use crate::media::cuda::surface::Surface;
use nvidia_video_codec_sdk::sys::nvEncodeAPI as sys;
use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::Arc;

/// Pieces of memory known to the driver at once; the one unused for longest is forgotten for a new one.
const MOST_KNOWN: usize = 64;

/// A piece of memory that the driver knows.
#[derive(Debug)]
struct Known {
    /// Keeps it from being freed.
    memory: Arc<Surface>,
    registration: *mut c_void,
    /// What the driver calls it while it has it, and for how many pictures.
    mapping: Option<(*mut c_void, u32)>,
    /// Number of the picture that used it last.
    last_used: u64,
}

/// A picture as the driver takes it.
#[derive(Debug, Clone, Copy)]
pub struct Mapped {
    /// Its name for the picture.
    pub buffer: *mut c_void,
    /// Number of its format (NV_ENC_BUFFER_FORMAT).
    pub format: u32,
    /// From a row to the next, bytes.
    pub pitch: u32,
}

/// All pictures and memory of one session. Whoever calls the driver to submit or take back has it locked.
#[derive(Debug)]
pub struct Inputs {
    encoder: Arc<Encoder>,
    known: HashMap<u64, Known>,
    /// Pictures the driver has, by the number they were sent with.
    held: HashMap<u64, Arc<PooledSurface>>,
}

// SAFETY: the pointers are names of the driver's for what belongs to this session, used by whoever holds the lock.
unsafe impl Send for Inputs {}

impl Inputs {
    /// None yet.
    pub fn new(encoder: &Arc<Encoder>) -> Self {
        Inputs {
            encoder: Arc::clone(encoder),
            known: HashMap::new(),
            held: HashMap::new(),
        }
    }

    /// Hands a picture to the driver under a number.
    pub fn hand_over(&mut self, number: u64, picture: Arc<PooledSurface>) -> Result<Mapped, CudaError> {
        let address = picture.address();
        if !self.known.contains_key(&address) {
            self.make_room()?;
            let registration = self.register(&picture)?;
            let known = Known {
                memory: Arc::clone(picture.memory()),
                registration,
                mapping: None,
                last_used: number,
            };
            self.known.insert(address, known);
        }
        let known = self
            .known
            .get_mut(&address)
            .expect("it was put there if it was missing");
        known.last_used = number;
        let (format, pitch) = (format_of(known.memory.layout())?, pitch_of(&known.memory)?);
        let (buffer, users) = match known.mapping {
            Some(mapping) => mapping,
            None => (map(&self.encoder, known.registration)?, 0),
        };
        known.mapping = Some((buffer, users + 1));
        self.held.insert(number, picture);
        Ok(Mapped { buffer, format, pitch })
    }

    /// Takes a picture back that the driver is done with; whether it had one of that number.
    pub fn take_back(&mut self, number: u64) -> Result<bool, CudaError> {
        let Some(picture) = self.held.remove(&number) else {
            return Ok(false);
        };
        let known = self.known.get_mut(&picture.address()).expect("held pictures are known");
        match known.mapping {
            Some((buffer, users)) if users > 1 => known.mapping = Some((buffer, users - 1)),
            Some((buffer, _)) => {
                known.mapping = None;
                unmap(&self.encoder, buffer)?;
            }
            None => {}
        }
        Ok(true)
    }

    /// Takes everything back and forgets it, at the end of a session. The last refusal is told when all is done.
    pub fn clear(&mut self) -> Result<(), CudaError> {
        let mut answer = Ok(());
        for (_, known) in self.known.drain() {
            if let Some((buffer, _)) = known.mapping {
                answer = unmap(&self.encoder, buffer).and(answer);
            }
            answer = unregister(&self.encoder, known.registration).and(answer);
        }
        self.held.clear();
        answer
    }

    fn make_room(&mut self) -> Result<(), CudaError> {
        if self.known.len() < MOST_KNOWN {
            return Ok(());
        }
        let idle = self.known.iter().filter(|(_, known)| known.mapping.is_none());
        let oldest = idle
            .min_by_key(|(_, known)| known.last_used)
            .map(|(address, _)| *address);
        match oldest.and_then(|address| self.known.remove(&address)) {
            Some(known) => unregister(&self.encoder, known.registration),
            // All are in use: more than usual is better than none.
            None => Ok(()),
        }
    }

    fn register(&self, surface: &Surface) -> Result<*mut c_void, CudaError> {
        let mut order = sys::NV_ENC_REGISTER_RESOURCE {
            version: sys::NV_ENC_REGISTER_RESOURCE_VER,
            resourceType: sys::NV_ENC_INPUT_RESOURCE_TYPE::NV_ENC_INPUT_RESOURCE_TYPE_CUDADEVICEPTR,
            width: surface.width(),
            height: surface.height(),
            pitch: pitch_of(surface)?,
            resourceToRegister: surface.address() as *mut c_void,
            bufferFormat: match surface.layout() {
                Layout::P016 => sys::NV_ENC_BUFFER_FORMAT::NV_ENC_BUFFER_FORMAT_YUV420_10BIT,
                _ => sys::NV_ENC_BUFFER_FORMAT::NV_ENC_BUFFER_FORMAT_NV12,
            },
            bufferUsage: sys::NV_ENC_BUFFER_USAGE::NV_ENC_INPUT_IMAGE,
            ..Default::default()
        };
        // SAFETY: a live session; the memory has this pitch and layout, and is kept until it is forgotten.
        let code = unsafe { (self.encoder.functions().register)(self.encoder.handle(), &mut order) };
        self.encoder.check("nvEncRegisterResource", code)?;
        Ok(order.registeredResource)
    }
}

fn pitch_of(surface: &Surface) -> Result<u32, CudaError> {
    u32::try_from(surface.pitch_bytes())
        .map_err(|_| CudaError::refused("nvEncRegisterResource", "the picture is too large"))
}

fn format_of(layout: Layout) -> Result<u32, CudaError> {
    match layout {
        Layout::Nv12 => Ok(sys::NV_ENC_BUFFER_FORMAT::NV_ENC_BUFFER_FORMAT_NV12 as u32),
        Layout::P016 => Ok(sys::NV_ENC_BUFFER_FORMAT::NV_ENC_BUFFER_FORMAT_YUV420_10BIT as u32),
        other => Err(CudaError::refused(
            "nvEncMapInputResource",
            format!("pictures of {other:?} are not encoded"),
        )),
    }
}

fn map(encoder: &Encoder, registration: *mut c_void) -> Result<*mut c_void, CudaError> {
    let mut order = sys::NV_ENC_MAP_INPUT_RESOURCE {
        version: sys::NV_ENC_MAP_INPUT_RESOURCE_VER,
        registeredResource: registration,
        ..Default::default()
    };
    // SAFETY: a live session and one of its registrations, not mapped.
    let code = unsafe { (encoder.functions().map)(encoder.handle(), &mut order) };
    encoder.check("nvEncMapInputResource", code)?;
    Ok(order.mappedResource)
}

fn unmap(encoder: &Encoder, buffer: *mut c_void) -> Result<(), CudaError> {
    // SAFETY: a live session and one of its mappings.
    let code = unsafe { (encoder.functions().unmap)(encoder.handle(), buffer) };
    encoder.check("nvEncUnmapInputResource", code)
}

fn unregister(encoder: &Encoder, registration: *mut c_void) -> Result<(), CudaError> {
    // SAFETY: a live session and one of its registrations, not mapped.
    let code = unsafe { (encoder.functions().unregister)(encoder.handle(), registration) };
    encoder.check("nvEncUnregisterResource", code)
}
