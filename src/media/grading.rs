//! What the numbers of a picture mean, gaps filled, and the filters that make them mean something else.
//!
//! Guarantees: pure. A picture is never relabelled without its numbers being converted; HDR becomes SDR by a tone map
//! and in no other way. What no label says is what players assume. Deliberately absent: sizes and orientation.

use crate::media::av::Color;
use crate::media::av::PixelFormat;
use crate::media::av::color;

/// Light that the numbers of the tone map count in: the white of an SDR picture, cd/m2.
const SDR_WHITE_NITS: f64 = 100.0;
/// Brightest content where nothing says it: what most HDR10 is graded for, and HLG's nominal peak.
const USUAL_PEAK_NITS: f64 = 1000.0;
/// A tone map for brighter content makes the usual content of such films too dark.
const BRIGHTEST_PEAK_NITS: f64 = 4000.0;

/// BT.470 BG (BT.601 at 625 lines), in primaries and matrix.
const BT470BG: i32 = 5;
/// Transfers that no player expects in a file to be watched: linear, both logarithms, SMPTE 428.
const WORKING_TRANSFERS: [i32; 4] = [8, 9, 10, 17];
/// Matrices that players and encoders are used to: BT.709, FCC, both BT.601, 240M, BT.2020.
const USUAL_MATRICES: [i32; 6] = [1, 4, 5, 6, 7, 9];

/// The description of a picture with every gap filled by what comes with what is said, or with its size.
pub fn completed(said: Color, format: PixelFormat, width: u32, height: u32) -> Color {
    let mut full = said;
    if is_open(full.transfer) && full.primaries == color::BT2020 {
        // The transfer of BT.2020 in ten bits; the same curve as BT.709.
        full.transfer = 14;
    }
    if is_open(full.primaries) {
        full.primaries = match (full.is_hdr(), full.matrix) {
            (true, _) | (_, color::BT2020 | 10) => color::BT2020,
            (_, known @ (color::BT709 | BT470BG | color::SMPTE170M)) => known,
            (_, 7) => 7,
            _ if format.is_rgb() => color::BT709,
            _ => by_size(width, height),
        };
    }
    if format.is_rgb() {
        full.matrix = 0;
    } else if is_open(full.matrix) || full.matrix == 0 {
        full.matrix = match full.primaries {
            _ if full.is_hdr() => color::BT2020,
            known @ (color::BT709 | BT470BG | color::SMPTE170M | 7 | color::BT2020) => known,
            _ => by_size(width, height),
        };
    }
    if is_open(full.transfer) {
        full.transfer = match full.primaries {
            BT470BG | color::SMPTE170M => color::SMPTE170M,
            _ => color::BT709,
        };
    }
    if full.range != color::LIMITED && full.range != color::FULL {
        full.range = if format.is_rgb() || format.is_grey() || format.without_range().1 {
            color::FULL
        } else {
            color::LIMITED
        };
    }
    full
}

fn is_open(value: i32) -> bool {
    matches!(value, color::UNSPECIFIED | 0 | 3)
}

fn by_size(width: u32, height: u32) -> i32 {
    match Color::UNSPECIFIED.effective_matrix(width, height) {
        color::BT709 => color::BT709,
        _ if height == 576 || height == 288 => BT470BG,
        known => known,
    }
}

/// What SDR renditions of a picture with this (completed) description say of theirs.
pub fn sdr_of(from: Color, width: u32, height: u32) -> Color {
    if from.is_hdr() {
        return Color::BT709;
    }
    if from.matrix == 0 {
        // Red, green and blue: what players assume for a picture of that size, on the primaries they were made on.
        let matrix = by_size(width, height);
        let usual = if matrix == color::BT709 { color::BT709 } else { matrix };
        let primaries = match from.primaries {
            color::BT709 => usual,
            other => other,
        };
        let transfer = if matrix == color::BT709 {
            color::BT709
        } else {
            color::SMPTE170M
        };
        return Color {
            primaries,
            transfer,
            matrix,
            range: color::LIMITED,
        };
    }
    Color {
        primaries: from.primaries,
        transfer: if WORKING_TRANSFERS.contains(&from.transfer) {
            color::BT709
        } else {
            from.transfer
        },
        matrix: usual_matrix(from),
        range: from.range,
    }
}

/// What HDR renditions of it say of theirs; `from` is HDR.
pub fn hdr_of(from: Color) -> Color {
    Color {
        matrix: if from.matrix == 0 {
            color::BT2020
        } else {
            usual_matrix(from)
        },
        range: color::LIMITED,
        ..from
    }
}

fn usual_matrix(from: Color) -> i32 {
    if USUAL_MATRICES.contains(&from.matrix) {
        return from.matrix;
    }
    match from.primaries {
        known @ (color::BT709 | BT470BG | color::SMPTE170M | color::BT2020) => known,
        _ => color::BT709,
    }
}

/// What lies between the numbers of two descriptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Between {
    /// Nothing: they are the same.
    Nothing,
    /// The range alone.
    Range,
    /// The tone map from HDR on BT.2020 to SDR.
    ToneMap,
    /// Another matrix, primaries, curve or form.
    Other,
}

/// What has to be done to pictures of `from` (completed) for them to mean `to`.
pub fn between(from: Color, format: PixelFormat, to: Color) -> Between {
    if format.has_alpha() || format.is_rgb() || format.is_grey() {
        return Between::Other;
    }
    if from.is_hdr() && !to.is_hdr() {
        let is_usual = from.primaries == color::BT2020 && from.matrix == color::BT2020;
        return if is_usual && to.matrix == color::BT709 {
            Between::ToneMap
        } else {
            Between::Other
        };
    }
    let alike = Color {
        range: to.range,
        ..from
    };
    match (same_numbers(from, to), same_numbers(alike, to)) {
        (true, _) => Between::Nothing,
        (false, true) => Between::Range,
        (false, false) => Between::Other,
    }
}

/// Light that a tone map reckons with as the brightest, as a multiple of the white of SDR.
pub fn peak(peak_nits: Option<f64>) -> f64 {
    peak_nits
        .unwrap_or(USUAL_PEAK_NITS)
        .clamp(2.0 * SDR_WHITE_NITS, BRIGHTEST_PEAK_NITS)
        / SDR_WHITE_NITS
}

/// The filters that turn pictures of one description into another; both completed. `wide` is the format of the result
/// where one has to be chosen. None: the pictures are what they should be.
pub fn chain(
    from: Color,
    format: PixelFormat,
    size: (u32, u32),
    to: Color,
    wide: PixelFormat,
    peak_nits: Option<f64>,
) -> Option<String> {
    let mut filters = Vec::new();
    let mut format = format.without_range().0;
    if format.has_alpha() {
        let (with, without) = flat_formats(format);
        filters.push(format!("format={with},premultiply=inplace=1,format={without}"));
        format = PixelFormat::named(&without).unwrap_or(format);
    }
    let (across, down) = format.chroma_shift();
    let step: (u32, u32) = (1 << across, 1 << down);
    // The converter wants whole blocks of chroma.
    let is_whole = size.0.is_multiple_of(step.0) && size.1.is_multiple_of(step.1);
    let cut = (!is_whole).then(|| format!("crop=trunc(iw/{0})*{0}:trunc(ih/{1})*{1}", step.0, step.1));
    let means = format!(
        "pin={}:tin={}:min={}:rin={}",
        from.primaries,
        from.transfer,
        from.matrix,
        range_word(from.range)
    );
    if from.is_hdr() && !to.is_hdr() {
        let peak = peak(peak_nits);
        filters.extend(cut);
        let out = wide.name().unwrap_or_else(|| "yuv420p".to_owned());
        filters.push(format!(
            "zscale={means}:t=linear:npl={SDR_WHITE_NITS},format=gbrpf32le,zscale=p={},\
             tonemap=tonemap=hable:desat=0:peak={peak:.3},zscale=p={}:t={}:m={}:r={},format={out}",
            to.primaries,
            to.primaries,
            to.transfer,
            to.matrix,
            range_word(to.range)
        ));
        return Some(filters.join(","));
    }
    let is_new_form = format.is_rgb() || format.is_grey();
    if is_new_form || !same_numbers(from, to) {
        if format.is_rgb() {
            let planar = match format.bit_depth() {
                0..=8 => "gbrp",
                9 | 10 => "gbrp10",
                11 | 12 => "gbrp12",
                _ => "gbrp16",
            };
            filters.push(format!("format={planar}"));
        }
        filters.extend(cut);
        // What differs in name alone is not converted through linear light.
        let (primaries, transfer) = (
            if primaries_class(from.primaries) == primaries_class(to.primaries) || format.is_rgb() {
                from.primaries
            } else {
                to.primaries
            },
            if transfer_class(from.transfer) == transfer_class(to.transfer) {
                from.transfer
            } else {
                to.transfer
            },
        );
        let out = if is_new_form {
            let depth = format.bit_depth();
            // Halved chroma of an odd size is more than the converter makes.
            let is_even = size.0.is_multiple_of(2) && size.1.is_multiple_of(2);
            let chroma = if format.is_grey() && is_even { (1, 1) } else { (0, 0) };
            PixelFormat::planar(depth, chroma)
        } else {
            format
        };
        let out = out.name().unwrap_or_else(|| "yuv420p".to_owned());
        let matrix_in = if format.is_grey() { to.matrix } else { from.matrix };
        filters.push(format!(
            "zscale=pin={}:tin={}:min={matrix_in}:rin={}:p={primaries}:t={transfer}:m={}:r={},format={out}",
            from.primaries,
            from.transfer,
            range_word(from.range),
            to.matrix,
            range_word(to.range)
        ));
    }
    (!filters.is_empty()).then(|| filters.join(","))
}

/// The converter numbers ranges in its own way.
fn range_word(range: i32) -> &'static str {
    if range == color::FULL { "full" } else { "limited" }
}

/// Formats to flatten a transparent picture in: with alpha, and without it.
fn flat_formats(format: PixelFormat) -> (String, String) {
    let deep = format.bit_depth();
    let suffix = match deep {
        0..=8 => "",
        9 | 10 => "10",
        11 | 12 => "12",
        _ => "16",
    };
    if format.is_rgb() || format == PixelFormat::PAL8 {
        (format!("gbrap{suffix}"), format!("gbrp{suffix}"))
    } else {
        (format!("yuva444p{suffix}"), format!("yuv444p{suffix}"))
    }
}

fn same_numbers(from: Color, to: Color) -> bool {
    matrix_class(from.matrix) == matrix_class(to.matrix)
        && from.range == to.range
        && primaries_class(from.primaries) == primaries_class(to.primaries)
        && transfer_class(from.transfer) == transfer_class(to.transfer)
}

/// Both BT.601 matrices are one.
fn matrix_class(matrix: i32) -> i32 {
    if matrix == BT470BG { color::SMPTE170M } else { matrix }
}

/// SMPTE 170M and 240M share their primaries.
fn primaries_class(primaries: i32) -> i32 {
    if primaries == 7 { color::SMPTE170M } else { primaries }
}

/// Camera curves of all standards are one on a screen.
fn transfer_class(transfer: i32) -> i32 {
    match transfer {
        1 | 4 | 5 | 6 | 7 | 11 | 12 | 13 | 14 | 15 => color::BT709,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::Between;
    use super::between;
    use super::chain;
    use super::completed;
    use super::hdr_of;
    use super::sdr_of;
    use crate::media::av::Color;
    use crate::media::av::PixelFormat;
    use crate::media::av::color;

    const YUV: PixelFormat = PixelFormat::YUV420P;
    const HD: (u32, u32) = (1920, 1080);

    #[test]
    fn silence_means_what_players_assume() {
        let of = |width, height| completed(Color::UNSPECIFIED, YUV, width, height);
        assert_eq!(of(1920, 1080), Color::BT709);
        assert_eq!((of(720, 480).matrix, of(720, 480).primaries), (6, 6));
        assert_eq!((of(720, 576).matrix, of(720, 576).transfer), (5, 6));
        let pq = Color {
            transfer: color::PQ,
            ..Color::UNSPECIFIED
        };
        let pq = completed(pq, YUV, 640, 360);
        assert_eq!((pq.primaries, pq.matrix, pq.range), (9, 9, color::LIMITED));
    }

    #[test]
    fn what_is_said_stays_and_costs_nothing() {
        for said in [Color::BT709, completed(Color::UNSPECIFIED, YUV, 720, 576)] {
            let to = sdr_of(said, 1920, 1080);
            assert_eq!(to, said);
            assert_eq!(chain(said, YUV, HD, to, YUV, None), None);
        }
        let full = Color {
            range: color::FULL,
            ..Color::BT709
        };
        assert_eq!(sdr_of(full, 1920, 1080), full);
    }

    #[test]
    fn hdr_is_mapped_for_sdr_and_kept_for_hdr() {
        let pq = Color {
            primaries: 9,
            transfer: color::PQ,
            matrix: 9,
            range: color::LIMITED,
        };
        assert_eq!(hdr_of(pq), pq);
        assert_eq!(chain(pq, YUV, HD, hdr_of(pq), YUV, None), None);
        let mapped = chain(pq, YUV, HD, sdr_of(pq, 1920, 1080), YUV, Some(600.0)).expect("a tone map");
        assert!(
            mapped.contains("tonemap=hable:desat=0:peak=6.000") && mapped.contains("tin=16"),
            "{mapped}"
        );
        assert!(
            !chain(pq, YUV, (161, 121), Color::BT709, YUV, None)
                .expect("a map")
                .starts_with("zscale")
        );
    }

    #[test]
    fn what_lies_between_is_named() {
        let full = Color {
            range: color::FULL,
            ..Color::BT709
        };
        let pq = Color {
            primaries: 9,
            transfer: color::PQ,
            matrix: 9,
            range: color::LIMITED,
        };
        let sd = completed(Color::UNSPECIFIED, YUV, 720, 480);
        assert_eq!(between(sd, YUV, sd), Between::Nothing);
        assert_eq!(between(full, YUV, Color::BT709), Between::Range);
        assert_eq!(between(pq, YUV, Color::BT709), Between::ToneMap);
        assert_eq!(between(sd, YUV, Color::BT709), Between::Other);
        assert_eq!(between(full, PixelFormat::RGBA, full), Between::Other);
    }

    #[test]
    fn other_labels_are_converted_not_renamed() {
        let sd = completed(Color::UNSPECIFIED, YUV, 720, 480);
        let text = chain(sd, YUV, (720, 480), Color::BT709, YUV, None).expect("a conversion");
        assert!(text.contains("min=6") && text.contains("m=1"), "{text}");
        let rgba = PixelFormat::RGBA;
        let rgb = completed(Color::UNSPECIFIED, rgba, 1920, 1080);
        let text = chain(rgb, rgba, HD, sdr_of(rgb, 1920, 1080), YUV, None).expect("a conversion");
        assert!(
            text.contains("premultiply") && text.contains("format=yuv444p"),
            "{text}"
        );
    }
}
