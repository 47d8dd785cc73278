//! The software encoder behind a session: libx264, libx265 or libaom through libavcodec, without any delay.
//!
//! Guarantees: one picture in, one coded picture out, in the same call; no picture is an IDR that was not asked to be one.
//! Deliberately absent: B pictures, which cannot be had without delay; `h264` and `hevc` put pictures in the places of
//! such. Quality is that of the fastest presets.

use crate::nvenc::ability::Codec;
use crate::nvenc::picture::Picture;
use crate::nvenc::rate::Rate;
use crate::nvenc::setup::Profile;
use crate::nvenc::setup::Setup;
use ffmpeg_the_third::ffi;
use std::ffi::CStr;
use std::ffi::CString;
use std::ptr::NonNull;

/// An opened encoder.
pub struct Coder {
    codec: Codec,
    context: NonNull<ffi::AVCodecContext>,
    frame: NonNull<ffi::AVFrame>,
    packet: NonNull<ffi::AVPacket>,
    coded: i64,
}

// SAFETY: the three are owned and used by one thread at a time: nothing is asked of them but through `&mut`.
unsafe impl Send for Coder {}

/// What became of a picture.
pub struct Coded {
    pub bytes: Vec<u8>,
    /// Quantizer as the encoder tells it, 0 where it does not.
    pub qp: u32,
}

fn encoder_name(codec: Codec) -> &'static CStr {
    match codec {
        Codec::H264 => c"libx264",
        Codec::Hevc => c"libx265",
        Codec::Av1 => c"libaom-av1",
    }
}

/// Whether libav has the encoder for that.
pub fn is_there(codec: Codec) -> bool {
    // SAFETY: looks a name up.
    unsafe { !ffi::avcodec_find_encoder_by_name(encoder_name(codec).as_ptr()).is_null() }
}

impl Coder {
    /// Opens the encoder for those settings.
    pub fn open(setup: &Setup) -> Result<Self, String> {
        // SAFETY: plain allocations, each checked; `Drop` frees what was made whichever step fails.
        let mut coder = unsafe {
            let encoder = ffi::avcodec_find_encoder_by_name(encoder_name(setup.codec).as_ptr());
            Coder {
                codec: setup.codec,
                context: NonNull::new(ffi::avcodec_alloc_context3(encoder)).ok_or("no memory")?,
                frame: NonNull::new(ffi::av_frame_alloc()).ok_or("no memory")?,
                packet: NonNull::new(ffi::av_packet_alloc()).ok_or("no memory")?,
                coded: 0,
            }
        };
        coder.describe(setup);
        coder.set_options(setup)?;
        // SAFETY: a context allocated for its encoder and not opened yet.
        let answer = unsafe { ffi::avcodec_open2(coder.context.as_ptr(), std::ptr::null(), std::ptr::null_mut()) };
        if answer < 0 {
            return Err(format!("{} does not open: {answer}", setup.codec.name()));
        }
        coder.allocate_frame()?;
        Ok(coder)
    }

    fn describe(&mut self, setup: &Setup) {
        // SAFETY: ours alone.
        let context = unsafe { self.context.as_mut() };
        context.width = setup.width as i32;
        context.height = setup.height as i32;
        context.pix_fmt = if setup.depth == 10 {
            ffi::AVPixelFormat::YUV420P10LE
        } else {
            ffi::AVPixelFormat::YUV420P
        };
        context.time_base.num = setup.rate_den as i32;
        context.time_base.den = setup.rate_num as i32;
        context.framerate.num = setup.rate_num as i32;
        context.framerate.den = setup.rate_den as i32;
        context.thread_count = 1;
        // What it has to say is not the client's affair, whose libav this is, too.
        context.log_level_offset = 64;
        context.flags |= ffi::AV_CODEC_FLAG_GLOBAL_HEADER as i32;
        context.max_b_frames = 0;
        if self.codec == Codec::Av1 {
            // An infinite one; of the others their own options say so.
            context.gop_size = 1 << 20;
            let vui = &setup.vui;
            context.color_range = if vui.full_range {
                ffi::AVColorRange::JPEG
            } else {
                ffi::AVColorRange::MPEG
            };
            let (primaries, transfer, matrix) = vui.colours.unwrap_or((2, 2, 2));
            context.color_primaries = ffi::AVColorPrimaries(primaries);
            context.color_trc = ffi::AVColorTransferCharacteristic(transfer);
            context.colorspace = ffi::AVColorSpace(matrix);
        }
        match setup.rate {
            Rate::ConstantQp { .. } => {}
            Rate::Quality { max, buffer, .. } => {
                if max > 0 && self.codec != Codec::Av1 {
                    context.rc_max_rate = i64::from(max);
                    context.rc_buffer_size = size(if buffer > 0 { buffer } else { max });
                }
            }
            Rate::Variable { average, max, buffer } => {
                context.bit_rate = i64::from(average);
                if max > 0 {
                    context.rc_max_rate = i64::from(max);
                    context.rc_buffer_size = size(if buffer > 0 { buffer } else { max });
                }
            }
            Rate::Constant { rate, buffer } => {
                context.bit_rate = i64::from(rate);
                context.rc_max_rate = i64::from(rate);
                context.rc_buffer_size = size(if buffer > 0 { buffer } else { rate });
            }
        }
    }

    fn set_options(&mut self, setup: &Setup) -> Result<(), String> {
        for (name, value) in options(setup) {
            let (name, value) = (
                CString::new(name).map_err(|error| error.to_string())?,
                CString::new(value).map_err(|error| error.to_string())?,
            );
            // SAFETY: an option of the encoder this context was allocated for; both strings end with zeros.
            let answer =
                unsafe { ffi::av_opt_set((*self.context.as_ptr()).priv_data, name.as_ptr(), value.as_ptr(), 0) };
            if answer < 0 {
                return Err(format!("{} knows no {name:?} {value:?}", setup.codec.name()));
            }
        }
        Ok(())
    }

    fn allocate_frame(&mut self) -> Result<(), String> {
        // SAFETY: ours alone, and described before its memory is asked for.
        unsafe {
            let (context, frame) = (self.context.as_ref(), self.frame.as_mut());
            frame.width = context.width;
            frame.height = context.height;
            frame.format = context.pix_fmt.0;
            match ffi::av_frame_get_buffer(frame, 0) {
                0 => Ok(()),
                code => Err(format!("no frame: {code}")),
            }
        }
    }

    /// The parameter sets of the software encoder; of AV1 none before a picture was coded.
    pub fn headers(&self) -> Vec<u8> {
        // SAFETY: the encoder's own, as long as it says.
        unsafe {
            let context = self.context.as_ref();
            if context.extradata.is_null() {
                return Vec::new();
            }
            std::slice::from_raw_parts(context.extradata, context.extradata_size as usize).to_vec()
        }
    }

    /// Codes a picture.
    pub fn code(&mut self, picture: &Picture, is_idr: bool) -> Result<Coded, String> {
        self.fill(picture)?;
        // SAFETY: ours alone; the packet is emptied before the next one.
        unsafe {
            let frame = self.frame.as_mut();
            frame.pts = self.coded;
            frame.pict_type = if is_idr {
                ffi::AVPictureType::I
            } else {
                ffi::AVPictureType::NONE
            };
            self.coded += 1;
            let sent = ffi::avcodec_send_frame(self.context.as_ptr(), frame);
            if sent < 0 {
                return Err(format!("the software encoder takes no picture: {sent}"));
            }
            let received = ffi::avcodec_receive_packet(self.context.as_ptr(), self.packet.as_ptr());
            if received < 0 {
                return Err(format!("the software encoder gave nothing at once: {received}"));
            }
            let packet = self.packet.as_ref();
            let bytes = std::slice::from_raw_parts(packet.data, packet.size as usize).to_vec();
            let is_key = packet.flags & ffi::AV_PKT_FLAG_KEY != 0;
            let qp = quality(packet);
            ffi::av_packet_unref(self.packet.as_ptr());
            if is_key != is_idr {
                return Err(format!(
                    "the software encoder made a key frame of its own mind: {is_key}"
                ));
            }
            Ok(Coded { bytes, qp })
        }
    }

    fn fill(&mut self, picture: &Picture) -> Result<(), String> {
        // SAFETY: the frame has the size and the format it was allocated with, and is made writable first.
        unsafe {
            if ffi::av_frame_make_writable(self.frame.as_ptr()) < 0 {
                return Err("no memory".to_owned());
            }
            let frame = self.frame.as_ref();
            for (index, plane) in picture.planes.iter().enumerate() {
                let stride = frame.linesize[index] as usize;
                for (row, samples) in plane.bytes.chunks_exact(plane.row_bytes).enumerate() {
                    let to = frame.data[index].add(row * stride);
                    std::ptr::copy_nonoverlapping(samples.as_ptr(), to, samples.len());
                }
            }
        }
        Ok(())
    }
}

impl Drop for Coder {
    fn drop(&mut self) {
        let (mut context, mut frame, mut packet) = (self.context.as_ptr(), self.frame.as_ptr(), self.packet.as_ptr());
        // SAFETY: each is ours and freed once.
        unsafe {
            ffi::avcodec_free_context(&mut context);
            ffi::av_frame_free(&mut frame);
            ffi::av_packet_free(&mut packet);
        }
    }
}

fn size(bits: u32) -> i32 {
    i32::try_from(bits).unwrap_or(i32::MAX)
}

/// Options by which the encoders answer at once and take no decision of their own.
fn options(setup: &Setup) -> Vec<(&'static str, String)> {
    let own = |text: &str| text.to_owned();
    let (qp, quality) = match setup.rate {
        Rate::ConstantQp { intra, inter } => (Some((intra, inter)), None),
        Rate::Quality { level, .. } => (None, Some(level)),
        _ => (None, None),
    };
    let mut options = Vec::new();
    match setup.codec {
        Codec::H264 => {
            let cabac = u32::from(setup.profile != Profile::Baseline);
            let transform = u32::from(setup.profile == Profile::High);
            options.push(("preset", own("ultrafast")));
            options.push(("tune", own("zerolatency")));
            options.push(("forced-idr", own("1")));
            let mut rest = format!(
                "keyint=infinite:scenecut=0:ref=1:bframes=0:weightp=0:sliced-threads=0:rc-lookahead=0:\
                 cabac={cabac}:8x8dct={transform}:log=0"
            );
            if let Some((_, inter)) = qp {
                rest += &format!(":qp={}", inter.max(1));
            }
            options.push(("x264-params", rest));
            if let Some(level) = quality {
                options.push(("crf", level.to_string()));
            }
        }
        Codec::Hevc => {
            options.push(("preset", own("ultrafast")));
            options.push(("tune", own("zerolatency")));
            options.push(("forced-idr", own("1")));
            let mut rest = own(
                "keyint=-1:scenecut=0:ref=1:bframes=0:weightp=0:temporal-mvp=0:wpp=0:pools=none:frame-threads=1:\
                 rc-lookahead=0:open-gop=0:info=0:hrd=0:ctu=32:log-level=none",
            );
            if let Some((_, inter)) = qp {
                rest += &format!(":qp={inter}");
            }
            options.push(("x265-params", rest));
            if let Some(level) = quality {
                options.push(("crf", level.to_string()));
            }
        }
        Codec::Av1 => {
            options.push(("usage", own("realtime")));
            options.push(("cpu-used", own("8")));
            options.push(("lag-in-frames", own("0")));
            options.push(("row-mt", own("0")));
            if let Some((_, inter)) = qp {
                // Of 255 steps the encoder's interface has 63.
                options.push(("crf", (inter / 4).min(63).to_string()));
            }
            if let Some(level) = quality {
                options.push(("crf", format!("{:.0}", level.min(63.0))));
            }
        }
    }
    options
}

/// The quantizer that an encoder leaves beside its packet.
fn quality(packet: &ffi::AVPacket) -> u32 {
    // SAFETY: side data of that kind begins with the quality in 32 bits, little endian.
    unsafe {
        let side = ffi::av_packet_get_side_data(packet, ffi::AVPacketSideDataType::QUALITY_STATS, std::ptr::null_mut());
        if side.is_null() {
            return 0;
        }
        let lambda = u32::from_le_bytes([*side, *side.add(1), *side.add(2), *side.add(3)]);
        let step = ffi::FF_QP2LAMBDA as u32;
        (lambda + step / 2) / step
    }
}
