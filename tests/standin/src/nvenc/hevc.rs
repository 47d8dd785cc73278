//! HEVC as NVENC writes it, from what a software encoder without delay wrote.
//!
//! As in `h264`: each picture was coded when it came, predicted from the one coded before it. Here its slice header gets the
//! picture order count of its real place and the reference picture set that names the same picture by it, and the
//! parameter sets say how many pictures are reordered. Prediction of motion over time must be off in the software encoder:
//! it is the one tool whose result depends on the counts.
//!
//! Guarantees and absences: as in `h264`; slice data are untouched.

use crate::nvenc::bits;
use crate::nvenc::bits::BitReader;
use crate::nvenc::bits::BitWriter;
use crate::nvenc::h264;
use crate::nvenc::setup::Setup;

const PROFILE_TIER_LEVEL_BITS: usize = 88;

/// Parameter sets, and what slice headers need to know of them.
#[derive(Default)]
pub struct Headers {
    vps: Vec<u8>,
    sps: Vec<u8>,
    pps: Vec<u8>,
    order_count_bits: u32,
    sample_adaptive_offset: bool,
    picture: PictureSet,
}

/// What of a picture parameter set decides how a slice header reads.
#[derive(Default)]
struct PictureSet {
    output_flag: bool,
    extra_bits: u32,
    cabac_init: bool,
    chroma_offsets: bool,
    filter_across_slices: bool,
    deblocking_override: bool,
    deblocking_disabled: bool,
}

impl Headers {
    /// From the parameter sets of the software encoder.
    pub fn new(stream: &[u8], setup: &Setup) -> Option<Self> {
        let mut made = Headers::default();
        for unit in bits::units(stream) {
            let plain = bits::unescape(unit);
            match unit[0] >> 1 & 63 {
                32 => made.vps = vps(&plain, setup)?,
                33 => made.take_sps(&plain, setup)?,
                34 => {
                    made.picture = picture_set(&plain)?;
                    made.pps = unit.to_vec();
                }
                _ => {}
            }
        }
        let whole = !made.vps.is_empty() && !made.sps.is_empty() && !made.pps.is_empty();
        whole.then_some(made)
    }

    /// The three sets as a byte stream.
    pub fn stream(&self) -> Vec<u8> {
        let mut stream = Vec::new();
        for unit in [&self.vps, &self.sps, &self.pps] {
            bits::append_unit(&mut stream, unit);
        }
        stream
    }

    /// The slices of a picture, `since_idr` pictures after its IDR, predicted from the one that is `reference` after it.
    pub fn slices(&self, coded: &[u8], since_idr: u32, reference: u32) -> Option<Vec<u8>> {
        let mut stream = Vec::new();
        for unit in bits::units(coded) {
            if unit[0] >> 1 & 63 < 32 {
                let slice = self.slice(&bits::unescape(unit), since_idr, reference)?;
                bits::append_unit(&mut stream, &bits::escape(&slice));
            }
        }
        (!stream.is_empty()).then_some(stream)
    }

    fn slice(&self, plain: &[u8], since_idr: u32, reference: u32) -> Option<Vec<u8>> {
        let kind = plain.first()? >> 1 & 63;
        let (is_idr, is_irap) = (kind == 19 || kind == 20, (16..24).contains(&kind));
        let mut from = BitReader::new(plain);
        let mut to = BitWriter::default();
        to.bits(16, from.bits(16)?);
        let is_first = from.flag()?;
        if !is_first {
            // One slice a picture is what was asked for.
            return None;
        }
        to.flag(true);
        if is_irap {
            to.flag(from.flag()?);
        }
        to.ue(from.ue()?);
        to.bits(self.picture.extra_bits, from.bits(self.picture.extra_bits)?);
        let slice_type = from.ue()?;
        to.ue(slice_type);
        if self.picture.output_flag {
            to.flag(from.flag()?);
        }
        if !is_idr {
            from.bits(self.order_count_bits)?;
            skip_reference_set(&mut from)?;
            to.bits(self.order_count_bits, since_idr & ((1 << self.order_count_bits) - 1));
            write_reference_set(&mut to, since_idr, reference);
        }
        self.rest(slice_type, &mut from, &mut to)?;
        if !from.flag()? {
            return None;
        }
        let data = from.align();
        to.close();
        to.bytes(plain.get(data..)?);
        Some(to.finish())
    }

    /// What follows the reference pictures, to the end of the header.
    fn rest(&self, slice_type: u32, from: &mut BitReader<'_>, to: &mut BitWriter) -> Option<()> {
        let mut filtered = false;
        if self.sample_adaptive_offset {
            for _plane in 0..2 {
                let used = from.flag()?;
                to.flag(used);
                filtered |= used;
            }
        }
        if slice_type != 2 {
            let more_references = from.flag()?;
            if more_references || slice_type == 0 {
                return None;
            }
            to.flag(false);
            if self.picture.cabac_init {
                to.flag(from.flag()?);
            }
            to.ue(from.ue()?);
        }
        to.se(from.se()?);
        if self.picture.chroma_offsets {
            to.se(from.se()?);
            to.se(from.se()?);
        }
        let mut disabled = self.picture.deblocking_disabled;
        if self.picture.deblocking_override {
            let overrides = from.flag()?;
            to.flag(overrides);
            if overrides {
                disabled = from.flag()?;
                to.flag(disabled);
                if !disabled {
                    to.se(from.se()?);
                    to.se(from.se()?);
                }
            }
        }
        if self.picture.filter_across_slices && (filtered || !disabled) {
            to.flag(from.flag()?);
        }
        Some(())
    }

    fn take_sps(&mut self, plain: &[u8], setup: &Setup) -> Option<()> {
        let mut from = BitReader::new(plain);
        let mut to = BitWriter::default();
        to.copy(&mut from, 16 + 4)?;
        if from.bits(3)? != 0 {
            return None;
        }
        to.bits(3, 0);
        to.flag(from.flag()?);
        profile(&mut from, &mut to, setup)?;
        to.ue(from.ue()?);
        if from.ue()? != 1 {
            return None;
        }
        to.ue(1);
        to.ue(from.ue()?);
        to.ue(from.ue()?);
        let is_cropped = from.flag()?;
        to.flag(is_cropped);
        if is_cropped {
            for _side in 0..4 {
                to.ue(from.ue()?);
            }
        }
        to.ue(from.ue()?);
        to.ue(from.ue()?);
        let count = from.ue()?;
        to.ue(count);
        self.order_count_bits = count + 4;
        ordering(&mut from, &mut to, setup)?;
        for _size_or_depth in 0..6 {
            to.ue(from.ue()?);
        }
        if from.flag()? {
            return None;
        }
        to.flag(false);
        to.flag(from.flag()?);
        self.sample_adaptive_offset = from.flag()?;
        to.flag(self.sample_adaptive_offset);
        // Neither PCM nor sets of references nor long-term ones nor prediction of motion over time.
        if from.flag()? || from.ue()? != 0 || from.flag()? || from.flag()? {
            return None;
        }
        to.flag(false);
        to.ue(0);
        to.bits(2, 0);
        to.flag(from.flag()?);
        to.flag(true);
        h264::aspect_and_colour(&mut to, setup);
        // No neutral chroma, fields, field information or default window.
        to.bits(4, 0);
        to.flag(true);
        let (ticks, scale) = setup.vui.timing.unwrap_or((setup.rate_den, setup.rate_num));
        to.bits(32, ticks);
        to.bits(32, scale);
        // No count of ticks, no hypothetical reference decoder, no restrictions; no extension of the set.
        to.bits(4, 0);
        to.close();
        self.sps = bits::escape(&to.finish());
        Some(())
    }
}

fn vps(plain: &[u8], setup: &Setup) -> Option<Vec<u8>> {
    let end = bits::bits_before_stop(plain)?;
    let mut from = BitReader::new(plain);
    let mut to = BitWriter::default();
    to.copy(&mut from, 16 + 32)?;
    profile(&mut from, &mut to, setup)?;
    ordering(&mut from, &mut to, setup)?;
    to.copy(&mut from, end)?;
    to.close();
    Some(bits::escape(&to.finish()))
}

/// Profile, tier and level, with the tier and level that were asked for.
fn profile(from: &mut BitReader<'_>, to: &mut BitWriter, setup: &Setup) -> Option<()> {
    let space = from.bits(2)?;
    let tier = from.flag()?;
    to.bits(2, space);
    to.flag(if setup.level == 0 { tier } else { setup.tier == 1 });
    let until = from.at() + PROFILE_TIER_LEVEL_BITS - 3;
    to.copy(from, until)?;
    let level = from.bits(8)?;
    to.bits(8, if setup.level == 0 { level } else { setup.level });
    Some(())
}

/// How many pictures a decoder keeps and reorders.
fn ordering(from: &mut BitReader<'_>, to: &mut BitWriter, setup: &Setup) -> Option<()> {
    to.flag(from.flag()?);
    let kept = from.ue()?;
    from.ue()?;
    from.ue()?;
    let reordered = u32::from(setup.bframes > 0);
    to.ue(kept.max(1) + 2 * reordered);
    to.ue(reordered);
    to.ue(0);
    Some(())
}

fn picture_set(plain: &[u8]) -> Option<PictureSet> {
    let mut set = PictureSet::default();
    let mut from = BitReader::new(plain);
    from.bits(16)?;
    from.ue()?;
    from.ue()?;
    if from.flag()? {
        return None;
    }
    set.output_flag = from.flag()?;
    set.extra_bits = from.bits(3)?;
    from.flag()?;
    set.cabac_init = from.flag()?;
    from.ue()?;
    from.ue()?;
    from.se()?;
    from.bits(2)?;
    if from.flag()? {
        from.ue()?;
    }
    from.se()?;
    from.se()?;
    set.chroma_offsets = from.flag()?;
    let is_weighted = from.bits(2)? != 0;
    from.flag()?;
    let has_tiles_or_rows = from.bits(2)? != 0;
    if is_weighted || has_tiles_or_rows {
        return None;
    }
    set.filter_across_slices = from.flag()?;
    if from.flag()? {
        set.deblocking_override = from.flag()?;
        set.deblocking_disabled = from.flag()?;
        if !set.deblocking_disabled {
            from.se()?;
            from.se()?;
        }
    }
    let (scaling_lists, modified_lists) = (from.flag()?, from.flag()?);
    (!scaling_lists && !modified_lists).then_some(set)
}

fn skip_reference_set(from: &mut BitReader<'_>) -> Option<()> {
    if from.flag()? {
        return None;
    }
    let pictures = from.ue()? + from.ue()?;
    for _picture in 0..pictures {
        from.ue()?;
        from.flag()?;
    }
    Some(())
}

/// The one picture that is predicted from, before or after this one.
fn write_reference_set(to: &mut BitWriter, since_idr: u32, reference: u32) {
    to.flag(false);
    let is_before = reference < since_idr;
    to.ue(u32::from(is_before));
    to.ue(u32::from(!is_before));
    to.ue(reference.abs_diff(since_idr) - 1);
    to.flag(true);
}
