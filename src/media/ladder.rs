//! Which sizes a ladder really has for a given source.
//!
//! Guarantees: pure; even sizes; the source's shape is kept; nothing is enlarged unless its rung says so; a rung
//! that would only repeat another one's size is dropped, with the reason in words. Deliberately absent: encoding
//! parameters, which stay the rung's own.

use crate::media::spec::VideoSpec;

/// What became of one rung.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rung {
    /// Is made at this size.
    Made {
        /// Pixels across, even.
        width: u32,
        /// Pixels down, even.
        height: u32,
    },
    /// Is not made.
    Dropped {
        /// Why, in words.
        reason: String,
    },
}

/// Smallest edge an encoder takes.
const SMALLEST: u32 = 16;

/// Sizes of the rungs of one output group, in their order, for a source shown at `source` pixels (rotation and
/// pixel shape applied). `name` of a rung is used in reasons only.
pub fn resolve(source: (u32, u32), rungs: &[(&str, &VideoSpec)]) -> Vec<Rung> {
    let sizes: Vec<(u32, u32, bool)> = rungs.iter().map(|(_, spec)| size(source, spec)).collect();
    (0..rungs.len())
        .map(|number| {
            let (width, height, capped) = sizes[number];
            match kept(&sizes, (width, height)) {
                Some(other) if capped && other != number => Rung::Dropped {
                    reason: format!(
                        "{}: the source is only {}x{}, and {} has that size",
                        rungs[number].0, source.0, source.1, rungs[other].0
                    ),
                },
                _ => Rung::Made { width, height },
            }
        })
        .collect()
}

/// Of the rungs of one size, the one that others made smaller than asked give way to: the first that asked for that
/// size, else the first.
fn kept(sizes: &[(u32, u32, bool)], wanted: (u32, u32)) -> Option<usize> {
    let of_size = |(width, height, _): &(u32, u32, bool)| (*width, *height) == wanted;
    sizes
        .iter()
        .position(|size| of_size(size) && !size.2)
        .or_else(|| sizes.iter().position(of_size))
}

/// Size of one rung, and whether it is smaller than asked because the source is.
fn size(source: (u32, u32), spec: &VideoSpec) -> (u32, u32, bool) {
    let (source_width, source_height) = (f64::from(source.0.max(1)), f64::from(source.1.max(1)));
    let portrait = source_height > source_width;
    let (width_bound, height_bound) = if spec.long_short && portrait {
        (spec.height, spec.width)
    } else {
        (spec.width, spec.height)
    };
    let by_width = width_bound.map(|bound| f64::from(bound) / source_width);
    let by_height = height_bound.map(|bound| f64::from(bound) / source_height);
    let wanted = match (by_width, by_height) {
        (Some(one), Some(other)) => one.min(other),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => 1.0,
    };
    let capped = wanted > 1.0 && !spec.upscale;
    let factor = if capped { 1.0 } else { wanted };
    let even = |edge: f64| {
        let nearest = ((edge * factor / 2.0).round() as u32) * 2;
        // An odd edge is cut by a pixel rather than enlarged by one.
        let most = if factor > 1.0 { u32::MAX } else { (edge as u32) & !1 };
        nearest.min(most).max(SMALLEST)
    };
    (even(source_width), even(source_height), capped)
}

#[cfg(test)]
mod tests {
    use super::Rung;
    use super::resolve;
    use crate::media::spec::VideoSpec;

    fn spec(text: &str) -> VideoSpec {
        toml::from_str(&format!("codec = \"h264\"\n{text}")).expect("a spec")
    }
    fn sizes(source: (u32, u32), heights: &[u32]) -> Vec<Option<(u32, u32)>> {
        let specs: Vec<VideoSpec> = heights
            .iter()
            .map(|height| spec(&format!("height = {height}")))
            .collect();
        let named: Vec<(&str, &VideoSpec)> = specs.iter().map(|spec| ("r", spec)).collect();
        resolve(source, &named)
            .into_iter()
            .map(|rung| match rung {
                Rung::Made { width, height } => Some((width, height)),
                Rung::Dropped { .. } => None,
            })
            .collect()
    }

    #[test]
    fn the_shape_is_kept_and_sizes_are_even() {
        assert_eq!(
            sizes((1920, 1080), &[1080, 720, 480, 360]),
            [(1920, 1080), (1280, 720), (854, 480), (640, 360)].map(Some)
        );
        assert_eq!(sizes((161, 121), &[240]), [Some((160, 120))]);
    }

    #[test]
    fn portrait_sources_get_portrait_renditions() {
        assert_eq!(sizes((1080, 1920), &[720]), [Some((720, 1280))]);
        let flat = spec("height = 720\nlong_short = false");
        assert_eq!(
            resolve((1080, 1920), &[("r", &flat)]),
            [Rung::Made {
                width: 406,
                height: 720
            }]
        );
    }

    #[test]
    fn nothing_is_enlarged_and_repeats_are_dropped() {
        assert_eq!(
            sizes((854, 480), &[1080, 720, 480, 360]),
            [None, None, Some((854, 480)), Some((640, 360))],
            "the rung that asked for that size wins"
        );
        assert_eq!(
            sizes((640, 400), &[1080, 720]),
            [Some((640, 400)), None],
            "else the first"
        );
        assert_eq!(
            sizes((1920, 1080), &[720, 720]),
            [Some((1280, 720)); 2],
            "asked for twice is made twice"
        );
        let up = spec("height = 720\nupscale = true");
        assert_eq!(
            resolve((640, 360), &[("r", &up)]),
            [Rung::Made {
                width: 1280,
                height: 720
            }]
        );
    }

    #[test]
    fn the_reason_names_the_rung_that_is_made() {
        let specs = [2160, 1080, 720, 480].map(|height| spec(&format!("height = {height}")));
        let named: Vec<(&str, &VideoSpec)> = ["2160p", "1080p", "720p", "480p"].into_iter().zip(&specs).collect();
        let kept_one = |source: (u32, u32), kept: &str| {
            let rungs = resolve(source, &named);
            let dropped: Vec<&str> = rungs
                .iter()
                .filter_map(|rung| match rung {
                    Rung::Dropped { reason } => Some(reason.as_str()),
                    Rung::Made { .. } => None,
                })
                .collect();
            assert_eq!(dropped.len(), 3, "{rungs:?}");
            for reason in dropped {
                assert!(reason.contains(&format!("and {kept} has that size")), "{reason}");
            }
        };
        kept_one((854, 480), "480p");
        kept_one((426, 240), "2160p");
    }

    #[test]
    fn a_box_bounds_both_edges() {
        let boxed = spec("width = 1280\nheight = 720");
        assert_eq!(
            resolve((1000, 1000), &[("r", &boxed)]),
            [Rung::Made {
                width: 720,
                height: 720
            }]
        );
        assert_eq!(
            resolve((2000, 500), &[("r", &boxed)]),
            [Rung::Made {
                width: 1280,
                height: 320
            }]
        );
    }
}
