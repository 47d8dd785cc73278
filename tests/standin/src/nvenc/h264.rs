//! H.264 as NVENC writes it, from what a software encoder without delay wrote.
//!
//! The software encoder codes each picture the moment it gets it, in coding order, and believes that this is the order in
//! which they are shown. Here each slice gets the picture order count of the picture's real place, and the sequence
//! parameters say so. Pictures called B are P slices in the place of a B: a decoder reorders them all the same.
//!
//! Guarantees: parameter sets and usability information say what the client configured; slice data are untouched.
//! Deliberately absent: fields, several slice groups, hypothetical reference decoders.

use crate::nvenc::bits;
use crate::nvenc::bits::BitReader;
use crate::nvenc::bits::BitWriter;
use crate::nvenc::setup::Setup;
use crate::nvenc::setup::Vui;

const ORDER_COUNT_BITS: u32 = 16;

/// Parameter sets, and what slices need to know of them.
pub struct Headers {
    sps: Vec<u8>,
    pps: Vec<u8>,
    frame_number_bits: u32,
}

impl Headers {
    /// From the parameter sets of the software encoder.
    pub fn new(stream: &[u8], setup: &Setup) -> Option<Self> {
        let mut made = Headers {
            sps: Vec::new(),
            pps: Vec::new(),
            frame_number_bits: 0,
        };
        for unit in bits::units(stream) {
            match unit[0] & 31 {
                7 => (made.sps, made.frame_number_bits) = sps(&bits::unescape(unit), setup)?,
                8 => made.pps = unit.to_vec(),
                _ => {}
            }
        }
        (!made.sps.is_empty() && !made.pps.is_empty()).then_some(made)
    }

    /// Both sets as a byte stream.
    pub fn stream(&self) -> Vec<u8> {
        let mut stream = Vec::new();
        bits::append_unit(&mut stream, &self.sps);
        bits::append_unit(&mut stream, &self.pps);
        stream
    }

    /// The slices of a picture, `since_idr` pictures after its IDR.
    pub fn slices(&self, coded: &[u8], since_idr: u32) -> Option<Vec<u8>> {
        let mut stream = Vec::new();
        for unit in bits::units(coded) {
            let kind = unit[0] & 31;
            if kind == 1 || kind == 5 {
                let slice = self.slice(&bits::unescape(unit), kind == 5, since_idr)?;
                bits::append_unit(&mut stream, &bits::escape(&slice));
            }
        }
        (!stream.is_empty()).then_some(stream)
    }

    fn slice(&self, plain: &[u8], is_idr: bool, since_idr: u32) -> Option<Vec<u8>> {
        let mut header = BitReader::new(plain);
        header.bits(8)?;
        for _first_macroblock_type_and_set in 0..3 {
            header.ue()?;
        }
        header.bits(self.frame_number_bits)?;
        if is_idr {
            header.ue()?;
        }
        let here = header.at();
        let mut from = BitReader::new(plain);
        let mut to = BitWriter::default();
        to.copy(&mut from, here)?;
        // Sixteen bits more leave what is aligned to bytes behind them aligned.
        to.bits(ORDER_COUNT_BITS, since_idr.wrapping_mul(2) & 0xffff);
        to.copy(&mut from, plain.len() * 8)?;
        Some(to.finish())
    }
}

/// A sequence parameter set with a picture order count and the client's usability information; and the bits of a frame number.
fn sps(plain: &[u8], setup: &Setup) -> Option<(Vec<u8>, u32)> {
    let mut from = BitReader::new(plain);
    let mut to = BitWriter::default();
    to.bits(8, from.bits(8)?);
    let profile = from.bits(8)?;
    to.bits(8, profile);
    to.bits(8, from.bits(8)?);
    let level = from.bits(8)?;
    to.bits(8, if setup.level == 0 { level } else { setup.level });
    to.ue(from.ue()?);
    if profile >= 100 {
        let chroma = from.ue()?;
        if chroma != 1 {
            return None;
        }
        to.ue(chroma);
        to.ue(from.ue()?);
        to.ue(from.ue()?);
        to.flag(from.flag()?);
        if from.flag()? {
            return None;
        }
        to.flag(false);
    }
    let frame_number = from.ue()?;
    to.ue(frame_number);
    if from.ue()? != 2 {
        // Slices of the software encoder have no count of their own only then.
        return None;
    }
    to.ue(0);
    to.ue(ORDER_COUNT_BITS - 4);
    let references = from.ue()?;
    to.ue(references);
    to.flag(from.flag()?);
    to.ue(from.ue()?);
    to.ue(from.ue()?);
    if !from.flag()? {
        return None;
    }
    to.flag(true);
    to.flag(from.flag()?);
    let is_cropped = from.flag()?;
    to.flag(is_cropped);
    if is_cropped {
        for _side in 0..4 {
            to.ue(from.ue()?);
        }
    }
    to.flag(true);
    aspect_and_colour(&mut to, setup);
    timing(&mut to, setup);
    // No hypothetical reference decoder (NAL, VCL), no picture structure.
    to.bits(3, 0);
    to.flag(true);
    to.flag(true);
    for value in [0, 0, 11, 11] {
        to.ue(value);
    }
    let reordered = u32::from(setup.bframes > 0);
    to.ue(reordered);
    to.ue(references + reordered);
    to.close();
    Some((bits::escape(&to.finish()), frame_number + 4))
}

/// What H.264 and HEVC say alike at the start of their usability information.
pub fn aspect_and_colour(to: &mut BitWriter, setup: &Setup) {
    let vui: &Vui = &setup.vui;
    let (wide, high) = setup.sample_aspect();
    to.flag(wide != 0);
    if wide != 0 {
        if (wide, high) == (1, 1) {
            to.bits(8, 1);
        } else {
            to.bits(8, 255);
            to.bits(16, wide);
            to.bits(16, high);
        }
    }
    to.flag(vui.overscan.is_some());
    if let Some(overscan) = vui.overscan {
        to.flag(overscan);
    }
    to.flag(vui.signal_type);
    if vui.signal_type {
        to.bits(3, vui.format);
        to.flag(vui.full_range);
        to.flag(vui.colours.is_some());
        if let Some((primaries, transfer, matrix)) = vui.colours {
            to.bits(8, primaries);
            to.bits(8, transfer);
            to.bits(8, matrix);
        }
    }
    to.flag(vui.chroma_location.is_some());
    if let Some((top, bottom)) = vui.chroma_location {
        to.ue(top);
        to.ue(bottom);
    }
}

fn timing(to: &mut BitWriter, setup: &Setup) {
    to.flag(true);
    let (ticks, scale) = setup.vui.timing.unwrap_or((setup.rate_den, setup.rate_num * 2));
    to.bits(32, ticks);
    to.bits(32, scale);
    to.flag(!setup.variable_rate);
}
