//! Registered and mapped pictures.
//!
//! Guarantees: only memory that encoders take is registered (not that of pools), and whole pictures of it; a picture is
//! mapped once at a time; what is mapped is as it was when it was submitted until it is unmapped, or it is a breach.

use crate::nvenc::answer::Answer;
use crate::nvenc::answer::breach;
use crate::nvenc::answer::refused;
use crate::nvenc::driver;
use crate::nvenc::picture::Shape;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NVENCSTATUS::*;
use std::collections::BTreeMap;

/// The buffer formats by their numbers.
pub const NV12: u32 = 1;
pub const YUV420_10BIT: u32 = 0x10000;

/// A registered picture.
#[derive(Debug, Clone, Copy)]
pub struct Registered {
    pub address: u64,
    pub shape: Shape,
    pub format: u32,
}

/// A mapped one.
#[derive(Debug, Clone)]
pub struct Mapped {
    pub registered: usize,
    /// Pictures submitted from it: their numbers, and what it looked like then.
    pub uses: Vec<(u64, u64)>,
}

/// All of a session.
#[derive(Default)]
pub struct Resources {
    registered: BTreeMap<usize, Registered>,
    mapped: BTreeMap<usize, Mapped>,
}

impl Resources {
    /// Takes a picture in, under that handle.
    pub fn register(&mut self, device: usize, handle: usize, picture: Registered) -> Answer {
        let refusal = |text: String| Err(breach(NV_ENC_ERR_RESOURCE_REGISTER_FAILED, text));
        let shape = picture.shape;
        if !shape.pitch.is_multiple_of(4) {
            return refusal(format!("pitch {} is no multiple of 4", shape.pitch));
        }
        if shape.pitch < shape.row_bytes() {
            return refusal(format!(
                "pitch {} is less than a row of {} bytes",
                shape.pitch,
                shape.row_bytes()
            ));
        }
        driver::check_encodable(device, picture.address, shape.extent()).or_else(refusal)?;
        if self.registered.values().any(|known| known.address == picture.address) {
            return refusal("the picture is registered already".to_owned());
        }
        self.registered.insert(handle, picture);
        Ok(())
    }

    /// Lets a picture go that is not mapped.
    pub fn unregister(&mut self, handle: usize) -> Answer {
        if self.mapped.values().any(|mapped| mapped.registered == handle) {
            return Err(breach(NV_ENC_ERR_INVALID_CALL, "the resource is still mapped"));
        }
        let Some(picture) = self.registered.remove(&handle) else {
            return Err(breach(
                NV_ENC_ERR_RESOURCE_NOT_REGISTERED,
                "no such registered resource",
            ));
        };
        if driver::read(picture.address, picture.shape.extent()).is_none() {
            return Err(breach(
                NV_ENC_ERR_INVALID_CALL,
                "the memory was freed before the resource was unregistered",
            ));
        }
        Ok(())
    }

    /// Maps a registered picture, under that handle; its format.
    pub fn map(&mut self, registered: usize, handle: usize) -> Answer<u32> {
        let Some(picture) = self.registered.get(&registered) else {
            return Err(breach(
                NV_ENC_ERR_RESOURCE_NOT_REGISTERED,
                "no such registered resource",
            ));
        };
        if self.mapped.values().any(|mapped| mapped.registered == registered) {
            return Err(breach(NV_ENC_ERR_MAP_FAILED, "the resource is mapped already"));
        }
        if driver::read(picture.address, picture.shape.extent()).is_none() {
            return Err(breach(NV_ENC_ERR_MAP_FAILED, "the memory of the resource was freed"));
        }
        let mapped = Mapped {
            registered,
            uses: Vec::new(),
        };
        self.mapped.insert(handle, mapped);
        Ok(picture.format)
    }

    /// The picture of a mapped one, and its memory.
    pub fn look(&self, mapped: usize) -> Answer<(Registered, Vec<u8>)> {
        let found = self
            .mapped
            .get(&mapped)
            .and_then(|mapped| self.registered.get(&mapped.registered));
        let Some(picture) = found else {
            return Err(breach(NV_ENC_ERR_INVALID_PARAM, "inputBuffer is not mapped"));
        };
        match driver::read(picture.address, picture.shape.extent()) {
            Some(memory) => Ok((*picture, memory)),
            None => Err(breach(
                NV_ENC_ERR_INVALID_PARAM,
                "the memory of the mapped picture was freed",
            )),
        }
    }

    /// The mapped picture was submitted, looking like that.
    pub fn used(&mut self, mapped: usize, serial: u64, digest: u64) {
        if let Some(mapped) = self.mapped.get_mut(&mapped) {
            mapped.uses.push((serial, digest));
        }
    }

    /// Ends a mapping. `was_locked` tells whether the output of a submission was locked.
    pub fn unmap(&mut self, handle: usize, was_locked: impl Fn(u64) -> bool) -> Answer {
        let Some(mapped) = self.mapped.get(&handle) else {
            return Err(breach(NV_ENC_ERR_RESOURCE_NOT_MAPPED, "no such mapped resource"));
        };
        let uses = mapped.uses.clone();
        let looked = self.look(handle);
        self.mapped.remove(&handle);
        let (picture, memory) = looked?;
        let digest = picture.shape.digest(&memory);
        if uses.iter().any(|(_, before)| *before != digest) {
            return Err(breach(NV_ENC_ERR_INVALID_CALL, "touched while mapped"));
        }
        if uses.iter().any(|(serial, _)| !was_locked(*serial)) {
            return Err(breach(NV_ENC_ERR_INVALID_CALL, "unmapped before its output was locked"));
        }
        Ok(())
    }

    /// Registered and mapped ones.
    pub fn census(&self) -> (usize, usize) {
        (self.registered.len(), self.mapped.len())
    }
}

/// What a picture of that format is made of.
pub fn shape(format: u32, width: u32, height: u32, pitch: u32) -> Answer<Shape> {
    let is_ten_bit = match format {
        NV12 => false,
        YUV420_10BIT => true,
        _ => {
            return Err(refused(
                NV_ENC_ERR_RESOURCE_REGISTER_FAILED,
                format!("buffer format {format:#x} is none of those that nvEncGetInputFormats lists"),
            ));
        }
    };
    let is_even = width.is_multiple_of(2) && height.is_multiple_of(2);
    if width == 0 || height == 0 || !is_even {
        return Err(breach(
            NV_ENC_ERR_INVALID_PARAM,
            format!("a picture of {width}x{height}"),
        ));
    }
    Ok(Shape {
        width: width as usize,
        height: height as usize,
        pitch: pitch as usize,
        is_ten_bit,
    })
}
