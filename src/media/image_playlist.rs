//! The HLS image playlist of a sprite: its sheets as a media playlist of pictures (`EXT-X-IMAGES-ONLY`), as Roku's
//! image media playlist specification has it.
//!
//! Guarantees: tiles stand edge to edge and for equal spans of time, so a sprite with margins or with cells at odd
//! moments has no such playlist; what [`write()`] wrote, [`read()`] understands. Deliberately absent: the
//! `EXT-X-IMAGE-STREAM-INF` of a multivariant playlist, for which [`bandwidth`] gives the number.

use crate::media::sheet::Layout;

/// One sheet in the playlist.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Name of the sheet, as it stands in the file.
    pub uri: String,
    /// Time that it covers, seconds.
    pub duration_s: f64,
    /// Pixels of a tile.
    pub tile: (u32, u32),
    /// Columns and rows.
    pub layout: (u32, u32),
    /// Time that a tile stands for, seconds.
    pub tile_s: f64,
}

/// The sheets of `cells` cells, `step_s` apart from 0 on, in a film that ends at `end_s`. `name_of` gives the name of
/// a sheet by its number from 0.
pub fn segments(
    layout: &Layout,
    cells: usize,
    step_s: f64,
    end_s: f64,
    mut name_of: impl FnMut(usize) -> String,
) -> Vec<Segment> {
    let sheets = layout.sheets(cells);
    (0..sheets)
        .map(|number| {
            let (from, to) = (number * layout.cells(), (number + 1) * layout.cells());
            let start_s = from as f64 * step_s;
            let until_s = if number + 1 == sheets {
                end_s
            } else {
                to as f64 * step_s
            };
            let rows = (to.min(cells) - from).div_ceil(layout.columns as usize);
            Segment {
                uri: name_of(number),
                duration_s: (until_s - start_s).max(0.001),
                tile: (layout.cell_width, layout.cell_height),
                layout: (layout.columns, rows as u32),
                tile_s: step_s,
            }
        })
        .collect()
}

/// The file.
pub fn write(segments: &[Segment]) -> String {
    let longest_s = segments.iter().map(|segment| segment.duration_s).fold(1.0, f64::max);
    let mut text = format!(
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{}\n#EXT-X-MEDIA-SEQUENCE:1\n#EXT-X-PLAYLIST-TYPE:VOD\n\
         #EXT-X-IMAGES-ONLY\n",
        longest_s.ceil()
    );
    for segment in segments {
        text.push_str(&format!(
            "#EXTINF:{:.3},\n#EXT-X-TILES:RESOLUTION={}x{},LAYOUT={}x{},DURATION={:.3}\n{}\n",
            segment.duration_s,
            segment.tile.0,
            segment.tile.1,
            segment.layout.0,
            segment.layout.1,
            segment.tile_s,
            segment.uri
        ));
    }
    text.push_str("#EXT-X-ENDLIST\n");
    text
}

/// Reads the sheets back. The error names the line.
pub fn read(text: &str) -> Result<Vec<Segment>, String> {
    let mut lines = text.lines().enumerate().map(|(number, line)| (number + 1, line));
    if lines.next().map(|(_, line)| line) != Some("#EXTM3U") {
        return Err("line 1 is not #EXTM3U".to_owned());
    }
    let (mut segments, mut images_only, mut ended) = (Vec::new(), false, false);
    let (mut duration_s, mut tiles) = (None, None);
    for (number, line) in lines {
        if line == "#EXT-X-IMAGES-ONLY" {
            images_only = true;
        } else if line == "#EXT-X-ENDLIST" {
            ended = true;
        } else if let Some(value) = line.strip_prefix("#EXTINF:") {
            duration_s = value.split(',').next().and_then(positive);
        } else if let Some(attributes) = line.strip_prefix("#EXT-X-TILES:") {
            tiles = read_tiles(attributes);
        } else if !line.starts_with('#') && !line.is_empty() {
            let (Some(duration_s), Some((tile, layout, tile_s))) = (duration_s.take(), tiles.take()) else {
                return Err(format!("line {number} is a sheet without its duration or its tiles"));
            };
            segments.push(Segment {
                uri: line.to_owned(),
                duration_s,
                tile,
                layout,
                tile_s,
            });
        }
    }
    match (images_only, ended) {
        (false, _) => Err("it does not say #EXT-X-IMAGES-ONLY".to_owned()),
        (_, false) => Err("it has no #EXT-X-ENDLIST".to_owned()),
        _ => Ok(segments),
    }
}

/// What `BANDWIDTH` of an `EXT-X-IMAGE-STREAM-INF` must say for sheets of these sizes: the most bits a second.
pub fn bandwidth(segments: &[Segment], sizes_bytes: &[u64]) -> u64 {
    let rates = segments.iter().zip(sizes_bytes);
    rates
        .map(|(segment, size_bytes)| (*size_bytes as f64 * 8.0 / segment.duration_s).ceil() as u64)
        .max()
        .unwrap_or(0)
}

type Tiles = ((u32, u32), (u32, u32), f64);

fn read_tiles(attributes: &str) -> Option<Tiles> {
    let value = |name: &str| {
        attributes
            .split(',')
            .find_map(|attribute| attribute.strip_prefix(name)?.strip_prefix('='))
    };
    let pair = |text: &str| {
        let (across, down) = text.split_once('x')?;
        Some((across.parse().ok()?, down.parse().ok()?))
    };
    Some((
        pair(value("RESOLUTION")?)?,
        pair(value("LAYOUT")?)?,
        positive(value("DURATION")?)?,
    ))
}

fn positive(text: &str) -> Option<f64> {
    text.parse::<f64>()
        .ok()
        .filter(|value| value.is_finite() && *value > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::picture::Color;

    const LAYOUT: Layout = Layout {
        columns: 3,
        lines: 2,
        cell_width: 160,
        cell_height: 90,
        padding: 0,
        margin: 0,
        color: Color([0; 3]),
    };

    #[test]
    fn sheets_cover_the_film_and_the_last_one_says_its_rows() {
        let all = segments(&LAYOUT, 8, 10.0, 75.5, |number| format!("s-{number}.jpg"));
        assert_eq!(all.iter().map(|s| s.duration_s).collect::<Vec<_>>(), [60.0, 15.5]);
        assert_eq!(all.iter().map(|s| s.layout).collect::<Vec<_>>(), [(3, 2), (3, 1)]);
        let text = write(&all);
        assert_eq!(read(&text).expect("reads"), all);
        assert!(text.contains("#EXT-X-TARGETDURATION:60\n"), "{text}");
        assert!(
            text.contains("#EXTINF:15.500,\n#EXT-X-TILES:RESOLUTION=160x90,LAYOUT=3x1,DURATION=10.000\ns-1.jpg\n"),
            "{text}"
        );
        assert_eq!(bandwidth(&all, &[60_000, 31_000]), 16_000);
    }

    #[test]
    fn half_a_playlist_is_none() {
        let text = write(&segments(&LAYOUT, 2, 10.0, 20.0, |_| "a.jpg".to_owned()));
        for missing in [
            "#EXTM3U\n",
            "#EXT-X-IMAGES-ONLY\n",
            "#EXT-X-ENDLIST\n",
            "#EXTINF:20.000,\n",
        ] {
            assert!(read(&text.replace(missing, "")).is_err(), "{missing}");
        }
        assert!(read(&text.replace("DURATION=10.000", "DURATION=nan")).is_err());
        assert!(read(&text.replace("LAYOUT=3x1", "LAYOUT=3")).is_err());
    }
}
