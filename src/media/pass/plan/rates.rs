//! What the source's own rates make of a definition: frame rates and bitrates that depend on it, as plain numbers.
//!
//! Guarantees: pure; afterwards no spec asks for the source, so that equal encodes are equal. Deliberately absent: sizes.

use crate::media::facts::MediaFacts;
use crate::media::spec::GroupSpec;
use crate::media::spec::RateControl;
use crate::media::spec::VideoCodec;
use crate::media::spec::VideoSpec;

/// Frame rates that MPEG-2 knows.
const MPEG2_RATES: [f64; 8] = [
    24_000.0 / 1001.0,
    24.0,
    25.0,
    30_000.0 / 1001.0,
    30.0,
    50.0,
    60_000.0 / 1001.0,
    60.0,
];
/// A whole part of the source's rate is taken when it is not much below what is allowed.
const NEAR_ENOUGH: f64 = 0.75;
/// Two rates this near are the same.
const SAME: f64 = 1.002;

/// A group with its video specs settled for a source.
pub(super) fn settled(group: &GroupSpec, facts: &MediaFacts) -> GroupSpec {
    let mut group = group.clone();
    for video in group.outputs.iter_mut().filter_map(|output| output.video.as_mut()) {
        *video = settled_video(video, facts);
    }
    count_gops(&mut group, facts);
    group
}

/// AV1's encoders keep to an average only when they count their key frames themselves, so where one of a group is to,
/// all of it count: at the source's nominal rate that is the same length, and they stay together.
fn count_gops(group: &mut GroupSpec, facts: &MediaFacts) {
    let videos = || group.outputs.iter().filter_map(|output| output.video.as_ref());
    let is_averaged = |video: &VideoSpec| video.codec == VideoCodec::Av1 && video.rate == RateControl::Vbr;
    if !videos().any(|video| is_averaged(video) && video.gop_frames.is_none()) {
        return;
    }
    let source = nominal_rate(facts).unwrap_or(25.0);
    for video in group.outputs.iter_mut().filter_map(|output| output.video.as_mut()) {
        let frames = (video.gop_s * video.fps.unwrap_or(source)).round().max(1.0) as u32;
        if video.codec != VideoCodec::Copy {
            video.gop_frames.get_or_insert(frames);
        }
    }
}

fn nominal_rate(facts: &MediaFacts) -> Option<f64> {
    let (_, video) = facts.main_video()?;
    let rate = video.nominal_rate()?.value();
    (0.1..=1000.0).contains(&rate).then_some(rate)
}

fn settled_video(video: &VideoSpec, facts: &MediaFacts) -> VideoSpec {
    let source = nominal_rate(facts);
    let mut settled = VideoSpec {
        max_fps: None,
        clamp_to_source: false,
        ..video.clone()
    };
    if let Some(most) = video.max_fps {
        settled.fps = match (video.fps, source) {
            (Some(asked), _) => Some(asked.min(most)),
            (None, Some(rate)) if rate > most * SAME => Some(below(rate, most)),
            (None, _) => None,
        };
    }
    if video.codec == VideoCodec::Mpeg2 {
        settled.fps = Some(mpeg2_rate(settled.fps.or(source).unwrap_or(25.0)));
    }
    if let Some(most) = video.clamp_to_source.then(|| bitrate_kbps(facts)).flatten() {
        settled.bitrate_kbps = video.bitrate_kbps.map(|asked| asked.min(most));
        settled.max_bitrate_kbps = video.max_bitrate_kbps.map(|asked| asked.min(most));
        // AV1 takes no cap that is not above the average.
        if video.codec == VideoCodec::Av1
            && video.rate == RateControl::Vbr
            && settled.max_bitrate_kbps <= settled.bitrate_kbps
        {
            settled.max_bitrate_kbps = None;
        }
    }
    settled
}

/// The source's rate brought under a limit: a whole part of it, which keeps its motion even, or the limit.
fn below(rate: f64, most: f64) -> f64 {
    let part = rate / (rate / (most * SAME)).ceil();
    if part >= most * NEAR_ENOUGH { part } else { most }
}

/// The MPEG-2 rate that shows every picture of a rate, equally long where there is one.
fn mpeg2_rate(rate: f64) -> f64 {
    let is_multiple = |known: f64| {
        let times = (known / rate).round();
        times >= 1.0 && (known / rate / times - 1.0).abs() < 0.0005
    };
    MPEG2_RATES
        .into_iter()
        .find(|known| is_multiple(*known))
        .or_else(|| MPEG2_RATES.into_iter().find(|known| *known >= rate))
        .unwrap_or(60.0)
}

/// Bits of the source's pictures: as said of the stream, else of the file less its sound.
fn bitrate_kbps(facts: &MediaFacts) -> Option<u32> {
    let (stream, _) = facts.main_video()?;
    let others: f64 = facts
        .streams
        .iter()
        .filter(|other| other.index != stream.index)
        .filter_map(|other| other.bitrate_kbps)
        .sum();
    let kbps = stream.bitrate_kbps.or_else(|| Some(facts.bitrate_kbps? - others))?;
    (kbps >= 10.0).then_some(kbps.round() as u32)
}

#[cfg(test)]
mod tests {
    use super::below;
    use super::mpeg2_rate;
    use super::settled;
    use super::settled_video;
    use crate::media::facts::MediaFacts;
    use crate::media::spec::GroupSpec;
    use crate::media::spec::VideoSpec;

    fn facts(num: i32, den: i32, kbps: &str) -> MediaFacts {
        let text = format!(
            "{{\"format_name\":\"mov\",\"format_long_name\":\"\",\"size_bytes\":1,\"bitrate_kbps\":900,\"streams\":[{{\"index\":0,\
            \"codec_name\":\"h264\",\"codec_long_name\":\"\",\"codec_tag_string\":\"\",\"codec_tag\":\"\",\
            \"time_base\":{{\"num\":1,\"den\":1}},\"default\":true,\"decodable\":true{kbps},\"type\":\"video\",\"width\":1280,\
            \"height\":720,\"rotation_degrees\":0,\"mirrored\":false,\"bit_depth\":8,\"field_order\":\"progressive\",\
            \"average_frame_rate\":{{\"num\":{num},\"den\":{den}}},\"color_range\":\"tv\",\"color_primaries\":\"bt709\",\
            \"color_transfer\":\"bt709\",\"color_space\":\"bt709\",\"hdr\":\"sdr\",\"has_b_frames\":0,\
            \"attached_picture\":false}}]}}"
        );
        serde_json::from_str(&text).expect("facts")
    }
    fn spec(text: &str) -> VideoSpec {
        toml::from_str(&format!("codec = \"h264\"\n{text}")).expect("a spec")
    }

    #[test]
    fn a_faster_source_is_halved_rather_than_made_to_stutter() {
        assert_eq!(below(50.0, 30.0), 25.0);
        assert!((below(60_000.0 / 1001.0, 30.0) - 29.97).abs() < 0.001);
        assert_eq!(below(30.0, 25.0), 25.0, "15 would be far below");
        let most = spec("max_fps = 30");
        assert_eq!(settled_video(&most, &facts(50, 1, "")).fps, Some(25.0));
        assert_eq!(
            settled_video(&most, &facts(30, 1, "")).fps,
            None,
            "its own timing is kept"
        );
        assert_eq!(
            settled_video(&spec("max_fps = 30\nfps = 60"), &facts(25, 1, "")).fps,
            Some(30.0)
        );
    }

    #[test]
    fn an_average_of_av1_makes_all_of_its_group_count() {
        let group: GroupSpec = toml::from_str(
            "kind = \"hls\"\n[[output]]\nname = \"a\"\nvideo = { codec = \"av1\", rate = \"vbr\", bitrate_kbps = 900 }\n\
            [[output]]\nname = \"b\"\nvideo = { codec = \"h264\", fps = 25 }\n",
        )
        .expect("a group");
        let frames = |group: &GroupSpec| -> Vec<Option<u32>> {
            let videos = group.outputs.iter().filter_map(|output| output.video.as_ref());
            videos.map(|video| video.gop_frames).collect()
        };
        assert_eq!(frames(&settled(&group, &facts(30_000, 1001, ""))), [Some(60), Some(50)]);
        let mut free = group;
        free.outputs.remove(0);
        assert_eq!(frames(&settled(&free, &facts(30_000, 1001, ""))), [None]);
    }

    #[test]
    fn mpeg2_gets_a_rate_it_knows() {
        assert_eq!(mpeg2_rate(25.0), 25.0);
        assert_eq!(mpeg2_rate(15.0), 30.0);
        assert_eq!(mpeg2_rate(29.97), 30_000.0 / 1001.0);
        assert_eq!(mpeg2_rate(27.3), 30_000.0 / 1001.0);
        assert_eq!(mpeg2_rate(120.0), 60.0);
    }

    #[test]
    fn bitrates_stay_below_the_sources() {
        let wanted = spec("rate = \"vbr\"\nbitrate_kbps = 6000\nmax_bitrate_kbps = 500\nclamp_to_source = true");
        let settled = settled_video(&wanted, &facts(25, 1, ",\"bitrate_kbps\":700"));
        assert_eq!((settled.bitrate_kbps, settled.max_bitrate_kbps), (Some(700), Some(500)));
        let by_file = settled_video(&wanted, &facts(25, 1, ""));
        assert_eq!(
            by_file.bitrate_kbps,
            Some(900),
            "the file's where the stream says nothing"
        );
    }
}
