//! A client that keeps the contract, for tests that then break it in one place.

use crate::call;
use crate::driver::Driver;
use nvidia_video_codec_sdk::sys::nvEncodeAPI as sys;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::GUID;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_BUFFER_FORMAT;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_CONFIG;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_INITIALIZE_PARAMS;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_LOCK_BITSTREAM;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_PIC_PARAMS;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_PIC_TYPE;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_SEI_PAYLOAD;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NVENCSTATUS;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NVENCSTATUS::NV_ENC_ERR_NEED_MORE_INPUT;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NVENCSTATUS::NV_ENC_SUCCESS;
use std::collections::VecDeque;
use std::ffi::c_void;

pub const H264: GUID = sys::NV_ENC_CODEC_H264_GUID;
pub const HEVC: GUID = sys::NV_ENC_CODEC_HEVC_GUID;
pub const AV1: GUID = sys::NV_ENC_CODEC_AV1_GUID;

/// What tests vary.
#[derive(Clone, Copy)]
pub struct Plan {
    pub codec: GUID,
    pub width: u32,
    pub height: u32,
    pub bframes: u32,
    pub lookahead: u32,
    pub gop: u32,
    pub ten_bit: bool,
}

impl Plan {
    pub fn new(codec: GUID) -> Self {
        Plan {
            codec,
            width: 192,
            height: 128,
            bframes: 0,
            lookahead: 0,
            gop: 250,
            ten_bit: false,
        }
    }

    /// The parameters, with a configuration that is already pointed to.
    pub fn params(
        &self,
        driver: &Driver,
        session: *mut c_void,
        config: &mut NV_ENC_CONFIG,
    ) -> NV_ENC_INITIALIZE_PARAMS {
        let mut preset = sys::NV_ENC_PRESET_CONFIG {
            version: sys::NV_ENC_PRESET_CONFIG_VER,
            presetCfg: NV_ENC_CONFIG {
                version: sys::NV_ENC_CONFIG_VER,
                ..Default::default()
            },
            ..Default::default()
        };
        let tuning = sys::NV_ENC_TUNING_INFO::NV_ENC_TUNING_INFO_HIGH_QUALITY;
        let p4 = sys::NV_ENC_PRESET_P4_GUID;
        let status = call!(
            driver,
            nvEncGetEncodePresetConfigEx,
            session,
            self.codec,
            p4,
            tuning,
            &mut preset
        );
        assert_eq!(status, NV_ENC_SUCCESS);
        *config = preset.presetCfg;
        config.gopLength = self.gop;
        config.frameIntervalP = self.bframes as i32 + 1;
        config.rcParams.set_enableLookahead(u32::from(self.lookahead > 0));
        config.rcParams.lookaheadDepth = self.lookahead as u16;
        config.rcParams.averageBitRate = 1_000_000;
        // SAFETY: plain numbers, whichever codec's they are.
        unsafe {
            let own = &mut config.encodeCodecConfig;
            if self.codec == H264 {
                own.h264Config.idrPeriod = self.gop;
                own.h264Config.set_repeatSPSPPS(1);
                let vui = &mut own.h264Config.h264VUIParameters;
                describe(vui);
            } else if self.codec == HEVC {
                own.hevcConfig.idrPeriod = self.gop;
                own.hevcConfig.set_repeatSPSPPS(1);
                own.hevcConfig.set_pixelBitDepthMinus8(if self.ten_bit { 2 } else { 0 });
                describe(&mut own.hevcConfig.hevcVUIParameters);
            } else {
                own.av1Config.idrPeriod = self.gop;
                own.av1Config.set_repeatSeqHdr(1);
                own.av1Config.set_pixelBitDepthMinus8(if self.ten_bit { 2 } else { 0 });
                own.av1Config
                    .set_inputPixelBitDepthMinus8(if self.ten_bit { 2 } else { 0 });
                own.av1Config.colorPrimaries = sys::NV_ENC_VUI_COLOR_PRIMARIES::NV_ENC_VUI_COLOR_PRIMARIES_BT709;
                own.av1Config.transferCharacteristics =
                    sys::NV_ENC_VUI_TRANSFER_CHARACTERISTIC::NV_ENC_VUI_TRANSFER_CHARACTERISTIC_BT709;
                own.av1Config.matrixCoefficients = sys::NV_ENC_VUI_MATRIX_COEFFS::NV_ENC_VUI_MATRIX_COEFFS_BT709;
            }
        }
        NV_ENC_INITIALIZE_PARAMS {
            version: sys::NV_ENC_INITIALIZE_PARAMS_VER,
            encodeGUID: self.codec,
            presetGUID: p4,
            encodeWidth: self.width,
            encodeHeight: self.height,
            darWidth: self.width,
            darHeight: self.height,
            frameRateNum: 25,
            frameRateDen: 1,
            enablePTD: 1,
            encodeConfig: config,
            tuningInfo: tuning,
            ..Default::default()
        }
    }
}

fn describe(vui: &mut sys::NV_ENC_CONFIG_H264_VUI_PARAMETERS) {
    vui.videoSignalTypePresentFlag = 1;
    vui.videoFormat = sys::NV_ENC_VUI_VIDEO_FORMAT::NV_ENC_VUI_VIDEO_FORMAT_UNSPECIFIED;
    vui.colourDescriptionPresentFlag = 1;
    vui.colourPrimaries = sys::NV_ENC_VUI_COLOR_PRIMARIES::NV_ENC_VUI_COLOR_PRIMARIES_BT709;
    vui.transferCharacteristics = sys::NV_ENC_VUI_TRANSFER_CHARACTERISTIC::NV_ENC_VUI_TRANSFER_CHARACTERISTIC_BT709;
    vui.colourMatrix = sys::NV_ENC_VUI_MATRIX_COEFFS::NV_ENC_VUI_MATRIX_COEFFS_BT709;
}

/// What a lock gave.
#[derive(Debug, Clone)]
pub struct Packet {
    pub bytes: Vec<u8>,
    pub timestamp: u64,
    pub duration: u64,
    pub kind: NV_ENC_PIC_TYPE,
    pub coding_index: u32,
}

/// A picture in use: its registered resource, its buffer, and what it is mapped as.
struct InFlight {
    slot: usize,
    mapped: *mut c_void,
}

/// Memory, registered, and a bitstream buffer.
pub struct Slot {
    pub address: u64,
    pub pitch: usize,
    pub registered: *mut c_void,
    pub output: *mut c_void,
}

/// A session with its pictures.
pub struct Encoder<'a> {
    pub driver: &'a Driver,
    pub session: *mut c_void,
    pub plan: Plan,
    pub slots: Vec<Slot>,
    in_flight: VecDeque<InFlight>,
    submitted: u64,
}

impl<'a> Encoder<'a> {
    pub fn open(driver: &'a Driver, plan: Plan) -> Self {
        Self::open_with(driver, plan, |_, _| {})
    }

    /// With a change to the parameters before they are used.
    pub fn open_with(
        driver: &'a Driver,
        plan: Plan,
        change: impl FnOnce(&mut NV_ENC_INITIALIZE_PARAMS, &mut NV_ENC_CONFIG),
    ) -> Self {
        let session = driver.session().expect("a session");
        let mut config = NV_ENC_CONFIG::default();
        let mut params = plan.params(driver, session, &mut config);
        change(&mut params, &mut config);
        params.encodeConfig = &mut config;
        assert_eq!(
            call!(driver, nvEncInitializeEncoder, session, &mut params),
            NV_ENC_SUCCESS
        );
        let mut encoder = Encoder {
            driver,
            session,
            plan,
            slots: Vec::new(),
            in_flight: VecDeque::new(),
            submitted: 0,
        };
        // The header's least number of buffers, and the lookahead.
        for _ in 0..plan.bframes + plan.lookahead + 4 {
            let slot = encoder.slot();
            encoder.slots.push(slot);
        }
        encoder
    }

    fn slot(&self) -> Slot {
        let bytes = if self.plan.ten_bit { 2 } else { 1 };
        let (address, pitch) = self
            .driver
            .pitched(self.plan.width as usize * bytes, self.plan.height as usize * 3 / 2);
        let registered = self.register(address, pitch).expect("registered");
        let mut buffer = sys::NV_ENC_CREATE_BITSTREAM_BUFFER {
            version: sys::NV_ENC_CREATE_BITSTREAM_BUFFER_VER,
            ..Default::default()
        };
        let status = call!(self.driver, nvEncCreateBitstreamBuffer, self.session, &mut buffer);
        assert_eq!(status, NV_ENC_SUCCESS);
        Slot {
            address,
            pitch,
            registered,
            output: buffer.bitstreamBuffer,
        }
    }

    pub fn format(&self) -> NV_ENC_BUFFER_FORMAT {
        if self.plan.ten_bit {
            NV_ENC_BUFFER_FORMAT::NV_ENC_BUFFER_FORMAT_YUV420_10BIT
        } else {
            NV_ENC_BUFFER_FORMAT::NV_ENC_BUFFER_FORMAT_NV12
        }
    }

    pub fn register(&self, address: u64, pitch: usize) -> Result<*mut c_void, NVENCSTATUS> {
        let mut params = sys::NV_ENC_REGISTER_RESOURCE {
            version: sys::NV_ENC_REGISTER_RESOURCE_VER,
            resourceType: sys::NV_ENC_INPUT_RESOURCE_TYPE::NV_ENC_INPUT_RESOURCE_TYPE_CUDADEVICEPTR,
            width: self.plan.width,
            height: self.plan.height,
            pitch: pitch as u32,
            resourceToRegister: std::ptr::without_provenance_mut(address as usize),
            bufferFormat: self.format(),
            bufferUsage: sys::NV_ENC_BUFFER_USAGE::NV_ENC_INPUT_IMAGE,
            ..Default::default()
        };
        match call!(self.driver, nvEncRegisterResource, self.session, &mut params) {
            NV_ENC_SUCCESS => Ok(params.registeredResource),
            status => Err(status),
        }
    }

    pub fn map(&self, registered: *mut c_void) -> Result<*mut c_void, NVENCSTATUS> {
        let mut params = sys::NV_ENC_MAP_INPUT_RESOURCE {
            version: sys::NV_ENC_MAP_INPUT_RESOURCE_VER,
            registeredResource: registered,
            ..Default::default()
        };
        match call!(self.driver, nvEncMapInputResource, self.session, &mut params) {
            NV_ENC_SUCCESS => Ok(params.mappedResource),
            status => Err(status),
        }
    }

    pub fn unmap(&self, mapped: *mut c_void) -> NVENCSTATUS {
        call!(self.driver, nvEncUnmapInputResource, self.session, mapped)
    }

    /// Draws picture `number`: a grey of its own, with a slope across.
    pub fn draw(&self, slot: usize, number: u64, stream: *mut c_void) {
        let slot = &self.slots[slot];
        let (width, height) = (self.plan.width as usize, self.plan.height as usize);
        let mut picture = vec![0; slot.pitch * height * 3 / 2];
        for row in 0..height * 3 / 2 {
            for column in 0..width {
                let value = if row < height { luma(number, column) } else { 128 };
                if self.plan.ten_bit {
                    let word = (u16::from(value) << 8).to_le_bytes();
                    picture[row * slot.pitch + column * 2..][..2].copy_from_slice(&word);
                } else {
                    picture[row * slot.pitch + column] = value;
                }
            }
        }
        self.driver.write(slot.address, &picture, stream);
    }

    /// The parameters of a picture of a slot.
    pub fn picture(&self, slot: usize, mapped: *mut c_void, number: u64) -> NV_ENC_PIC_PARAMS {
        NV_ENC_PIC_PARAMS {
            version: sys::NV_ENC_PIC_PARAMS_VER,
            inputWidth: self.plan.width,
            inputHeight: self.plan.height,
            inputPitch: self.slots[slot].pitch as u32,
            inputTimeStamp: number * 40,
            inputDuration: 40,
            inputBuffer: mapped,
            outputBitstream: self.slots[slot].output,
            bufferFmt: self.format(),
            pictureStruct: sys::NV_ENC_PIC_STRUCT::NV_ENC_PIC_STRUCT_FRAME,
            ..Default::default()
        }
    }

    /// Submits the next picture and takes what can be taken.
    pub fn encode(&mut self, flags: u32, sei: &mut [NV_ENC_SEI_PAYLOAD]) -> Vec<Packet> {
        let (status, packets) = self.try_encode(flags, sei);
        assert!(
            [NV_ENC_SUCCESS, NV_ENC_ERR_NEED_MORE_INPUT].contains(&status),
            "{status:?}"
        );
        packets
    }

    pub fn try_encode(&mut self, flags: u32, sei: &mut [NV_ENC_SEI_PAYLOAD]) -> (NVENCSTATUS, Vec<Packet>) {
        let busy: Vec<_> = self.in_flight.iter().map(|flight| flight.slot).collect();
        let slot = (0..self.slots.len())
            .find(|slot| !busy.contains(slot))
            .expect("buffers enough");
        self.draw(slot, self.submitted, std::ptr::null_mut());
        let mapped = self.map(self.slots[slot].registered).expect("mapped");
        let mut params = self.picture(slot, mapped, self.submitted);
        params.encodePicFlags = flags;
        let own = &mut params.codecPicParams;
        if self.plan.codec == H264 {
            own.h264PicParams.seiPayloadArrayCnt = sei.len() as u32;
            own.h264PicParams.seiPayloadArray = sei.as_mut_ptr();
        } else if self.plan.codec == HEVC {
            own.hevcPicParams.seiPayloadArrayCnt = sei.len() as u32;
            own.hevcPicParams.seiPayloadArray = sei.as_mut_ptr();
        } else {
            own.av1PicParams.obuPayloadArrayCnt = sei.len() as u32;
            own.av1PicParams.obuPayloadArray = sei.as_mut_ptr();
        }
        let status = call!(self.driver, nvEncEncodePicture, self.session, &mut params);
        if ![NV_ENC_SUCCESS, NV_ENC_ERR_NEED_MORE_INPUT].contains(&status) {
            assert_eq!(self.unmap(mapped), NV_ENC_SUCCESS);
            return (status, Vec::new());
        }
        self.submitted += 1;
        self.in_flight.push_back(InFlight { slot, mapped });
        let most = if status == NV_ENC_SUCCESS { usize::MAX } else { 0 };
        (status, self.take(most))
    }

    /// Takes up to so many packets, of those that are there.
    pub fn take(&mut self, most: usize) -> Vec<Packet> {
        let mut packets = Vec::new();
        while packets.len() < most
            && let Some(flight) = self.in_flight.front()
        {
            let slot = flight.slot;
            match self.lock(slot, true) {
                Err(NVENCSTATUS::NV_ENC_ERR_LOCK_BUSY) => break,
                locked => packets.push(locked.expect("locked")),
            }
            assert_eq!(self.unlock(slot), NV_ENC_SUCCESS);
            let flight = self.in_flight.pop_front().expect("looked at");
            assert_eq!(self.unmap(flight.mapped), NV_ENC_SUCCESS);
        }
        packets
    }

    pub fn lock(&self, slot: usize, do_not_wait: bool) -> Result<Packet, NVENCSTATUS> {
        let mut params = NV_ENC_LOCK_BITSTREAM {
            version: sys::NV_ENC_LOCK_BITSTREAM_VER,
            outputBitstream: self.slots[slot].output,
            ..Default::default()
        };
        params.set_doNotWait(u32::from(do_not_wait));
        match call!(self.driver, nvEncLockBitstream, self.session, &mut params) {
            NV_ENC_SUCCESS => {}
            status => return Err(status),
        }
        // SAFETY: locked, so many bytes.
        let bytes = unsafe {
            std::slice::from_raw_parts(
                params.bitstreamBufferPtr.cast::<u8>(),
                params.bitstreamSizeInBytes as usize,
            )
        };
        Ok(Packet {
            bytes: bytes.to_vec(),
            timestamp: params.outputTimeStamp,
            duration: params.outputDuration,
            kind: params.pictureType,
            coding_index: params.frameIdx,
        })
    }

    pub fn unlock(&self, slot: usize) -> NVENCSTATUS {
        call!(self.driver, nvEncUnlockBitstream, self.session, self.slots[slot].output)
    }

    /// The end of the stream, and what is left.
    pub fn flush(&mut self) -> Vec<Packet> {
        let mut params = NV_ENC_PIC_PARAMS {
            version: sys::NV_ENC_PIC_PARAMS_VER,
            encodePicFlags: sys::NV_ENC_PIC_FLAGS::NV_ENC_PIC_FLAG_EOS as u32,
            ..Default::default()
        };
        assert_eq!(
            call!(self.driver, nvEncEncodePicture, self.session, &mut params),
            NV_ENC_SUCCESS
        );
        self.take(usize::MAX)
    }

    /// Gives everything back in its order.
    pub fn close(self) {
        for slot in &self.slots {
            assert_eq!(
                call!(self.driver, nvEncDestroyBitstreamBuffer, self.session, slot.output),
                NV_ENC_SUCCESS
            );
            assert_eq!(
                call!(self.driver, nvEncUnregisterResource, self.session, slot.registered),
                NV_ENC_SUCCESS
            );
            self.driver.free(slot.address);
        }
        assert_eq!(call!(self.driver, nvEncDestroyEncoder, self.session), NV_ENC_SUCCESS);
    }

    /// The headers.
    pub fn headers(&self) -> Vec<u8> {
        let mut bytes = vec![0; 512];
        let mut size = 0;
        let mut payload = sys::NV_ENC_SEQUENCE_PARAM_PAYLOAD {
            version: sys::NV_ENC_SEQUENCE_PARAM_PAYLOAD_VER,
            inBufferSize: bytes.len() as u32,
            spsppsBuffer: bytes.as_mut_ptr().cast::<c_void>(),
            outSPSPPSPayloadSize: &mut size,
            ..Default::default()
        };
        assert_eq!(
            call!(self.driver, nvEncGetSequenceParams, self.session, &mut payload),
            NV_ENC_SUCCESS
        );
        bytes.truncate(size as usize);
        bytes
    }
}

/// Luma of a column of a picture: brighter from picture to picture, with stripes that move.
pub fn luma(number: u64, column: usize) -> u8 {
    (24 + (number * 4) % 160 + (column as u64 + number * 3) / 8 % 24) as u8
}
