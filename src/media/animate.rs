//! A short animated picture: GIF, animated WebP or AVIF, of one stretch of the source or of several pieces.
//!
//! Guarantees: memory holds a few frames however long the clip is, the rest waits uncompressed in scratch (at most
//! [`MAX_SPOOL_BYTES`], refused beforehand otherwise); it has been read back, decoded and its frames, length and
//! repetitions compared. Deliberately absent: choosing frames; they arrive one for each moment of
//! [`wanted`].

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::media::animation_file;
use crate::media::av::animation::AnimationError;
use crate::media::av::animation::Clip;
use crate::media::av::animation::Palette;
use crate::media::av::animation::encode_webp;
use crate::media::av::animation::write_gif;
use crate::media::av::avif::write_avif;
use crate::media::gather::Checks;
use crate::media::gather::Fit;
use crate::media::gather::Gather;
use crate::media::moments::Moments;
use crate::media::moments::Span;
use crate::media::picture::Color;
use crate::media::picture::Picture;
use crate::media::product::JobProduct;
use crate::media::product::Place;
use crate::media::product::Product;
use crate::media::product::ProductKind;
use crate::media::scratch_file::JobScratch;
use crate::media::spec::AnimationFormat;
use crate::media::spec::AnimationSpec;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Pixels across when the spec gives no size.
pub const WIDEST: u32 = 480;

/// Most scratch space for frames that wait for their encoder.
pub const MAX_SPOOL_BYTES: u64 = 4 << 30;

/// Seconds of a clip that says neither its length nor its end.
const DEFAULT_LENGTH_S: f64 = 3.0;

/// Browsers show GIF frames shorter than this one tenth of a second each.
const MAX_GIF_FPS: f64 = 50.0;

const SPOOL: &str = "frames.rgb";

/// Frames a second that are made: what the spec asks for, as far as the format can show it.
pub fn frame_rate(spec: &AnimationSpec) -> f64 {
    let fps = spec.fps.clamp(1.0, 60.0);
    match spec.format {
        AnimationFormat::Gif => fps.min(MAX_GIF_FPS),
        AnimationFormat::Webp | AnimationFormat::Avif => fps,
    }
}

/// The moments of the frames, one every 1/fps from `start_s` on. A clip that would run over the end is cut there;
/// one that would begin after it is moved to the end of the source, with a warning.
pub fn wanted(spec: &AnimationSpec, span: Span) -> Moments {
    let fps = frame_rate(spec);
    let mut warnings = Vec::new();
    if fps < spec.fps {
        warnings.push(format!(
            "{} frames a second were asked for; GIF players show at most {fps}",
            spec.fps
        ));
    }
    if span.is_one_frame {
        return Moments {
            at_s: vec![0.0],
            warnings,
            spread: None,
        };
    }
    let mut start_s = spec.start_s.max(0.0);
    let stretch_s = spec
        .end_s
        .map(|end_s| end_s - start_s)
        .filter(|stretch_s| *stretch_s > 0.0);
    let mut length_s = spec
        .duration_s
        .or(stretch_s.filter(|_| spec.pieces <= 1))
        .unwrap_or(DEFAULT_LENGTH_S)
        .clamp(0.1, 60.0);
    if let Some(duration_s) = span.duration_s {
        if start_s >= duration_s {
            start_s = (duration_s - length_s).max(0.0);
            warnings.push(format!(
                "the clip would begin after the end ({duration_s:.3} s); the last part was taken"
            ));
        }
        length_s = length_s.min(duration_s - start_s);
    }
    let room_s = [stretch_s, span.duration_s.map(|duration_s| duration_s - start_s)]
        .into_iter()
        .flatten()
        .fold(f64::INFINITY, f64::min);
    let starts_s = pieces(spec.pieces, start_s, length_s, room_s, &mut warnings);
    let frames = ((length_s * fps).round() as usize).max(starts_s.len());
    let mut at_s = Vec::with_capacity(frames);
    for (piece, start_s) in starts_s.iter().enumerate() {
        let before = |piece: usize| frames * piece / starts_s.len();
        at_s.extend((0..before(piece + 1) - before(piece)).map(|number| start_s + number as f64 / fps));
    }
    // Pieces that touch may overlap by less than a frame.
    at_s.dedup_by(|later, earlier| *later <= *earlier);
    Moments {
        at_s,
        warnings,
        spread: None,
    }
}

/// Where the pieces begin: each in the middle of its share of the room, so that the first is not the film's first
/// black frames and the last not its credits. One piece begins at the start.
fn pieces(count: u32, start_s: f64, length_s: f64, room_s: f64, warnings: &mut Vec<String>) -> Vec<f64> {
    let count = count.max(1);
    if count == 1 || !room_s.is_finite() || room_s <= length_s {
        if count > 1 {
            warnings.push(format!(
                "{count} pieces were asked for; there is no more of the source than they show together"
            ));
        }
        return vec![start_s];
    }
    let (share_s, piece_s) = (room_s / f64::from(count), length_s / f64::from(count));
    (0..count)
        .map(|number| start_s + f64::from(number) * share_s + (share_s - piece_s) / 2.0)
        .collect()
}

/// The size of the frames for a source shown at `display` pixels.
pub fn fit(spec: &AnimationSpec, display: (u32, u32)) -> Fit {
    let is_tall = display.1 > display.0;
    let sides = match (spec.width, spec.height) {
        (Some(long), Some(short)) if spec.long_short => {
            let (long, short) = (long.max(short), long.min(short));
            if is_tall {
                (Some(short), Some(long))
            } else {
                (Some(long), Some(short))
            }
        }
        sides => sides,
    };
    let fit = Fit::new(sides, display, WIDEST, Color([0; 3]), spec.fill);
    match spec.format {
        AnimationFormat::Avif => fit.even(),
        AnimationFormat::Gif | AnimationFormat::Webp => fit,
    }
}

/// An animation on its way to its file.
#[derive(Debug)]
pub struct Animation {
    scratch: JobScratch,
    format: AnimationFormat,
    quality: u8,
    palette: Palette,
    loops: u32,
    fps: f64,
    fit: Fit,
    spool: File,
    /// Position in the spool of each frame; frames that repeat the one before share it.
    slots: Vec<u64>,
    stored: u64,
    last: Option<Picture>,
}

impl Animation {
    /// No frames yet. More frames than the spool may hold are a fault of the request.
    pub fn new(spec: &AnimationSpec, fit: Fit, frames: usize, scratch: JobScratch) -> Result<Self, Fault> {
        let bytes = frames as u64 * u64::from(fit.width) * u64::from(fit.height) * 3;
        if bytes > MAX_SPOOL_BYTES {
            return Err(Fault::new(
                "AnimationTooLarge",
                Blame::Request,
                "animate",
                format!("{frames} frames of {}x{}", fit.width, fit.height),
                format!("they would need {bytes} bytes of scratch; the most is {MAX_SPOOL_BYTES}"),
                "Ask for a smaller size, fewer frames a second or a shorter clip.",
            ));
        }
        let spool = File::options()
            .create(true)
            .truncate(true)
            .read(true)
            .write(true)
            .open(scratch.path(SPOOL))
            .map_err(|cause| scratch.fault(SPOOL, &cause))?;
        Ok(Animation {
            scratch,
            format: spec.format,
            quality: spec.quality,
            palette: Palette {
                colors: spec.colors,
                dither: spec.dither,
            },
            loops: spec.loops,
            fps: frame_rate(spec),
            fit,
            spool,
            slots: Vec::with_capacity(frames),
            stored: 0,
            last: None,
        })
    }

    fn frame_bytes(&self) -> u64 {
        u64::from(self.fit.width) * u64::from(self.fit.height) * 3
    }

    fn frame(&self, number: usize) -> io::Result<Picture> {
        let mut rgb = vec![0; self.frame_bytes() as usize];
        self.spool
            .read_exact_at(&mut rgb, self.slots[number] * self.frame_bytes())?;
        Picture::new(self.fit.width, self.fit.height, rgb).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}

impl Gather for Animation {
    fn fit(&self) -> Fit {
        self.fit
    }

    fn take(&mut self, _label_s: f64, picture: Picture) -> Result<(), Fault> {
        if self.last.as_ref() != Some(&picture) {
            self.spool
                .write_all_at(picture.rgb(), self.stored * self.frame_bytes())
                .map_err(|cause| self.scratch.fault(SPOOL, &cause))?;
            self.stored += 1;
            self.last = Some(picture);
        }
        self.slots.push(self.stored - 1);
        Ok(())
    }

    fn finish(self: Box<Self>, _end_s: f64) -> Result<JobProduct, Fault> {
        let clip = Clip {
            width: self.fit.width,
            height: self.fit.height,
            frames: self.slots.len(),
            fps: self.fps,
        };
        let name = format!("animation{}", self.format.extension());
        let not_encoded = |cause: AnimationError| {
            let is_missing = matches!(cause, AnimationError::Missing(_));
            let code = if is_missing {
                "EncoderMissing"
            } else {
                "AnimationNotEncoded"
            };
            Fault::new(
                code,
                Blame::Host,
                "encode",
                format!("{} frames as {name}", clip.frames),
                cause.to_string(),
                if is_missing {
                    "Ask for a larger picture or another format; `reelmill check` lists the encoders that are there."
                } else {
                    "Check the free space in the scratch directory and the encoders listed by `reelmill check`."
                },
            )
            .retryable(!is_missing)
        };
        let mut checks = Checks::default();
        checks.add("frames_taken", "at least 1", clip.frames.to_string(), clip.frames > 0);
        if clip.frames > 0 {
            let path = self.scratch.path(&name);
            let mut frame = |number| self.frame(number);
            match self.format {
                AnimationFormat::Gif => {
                    write_gif(&path, clip, self.palette, self.loops, &mut frame).map_err(not_encoded)?;
                }
                AnimationFormat::Webp => {
                    let bytes = encode_webp(clip, self.quality, self.loops, &mut frame).map_err(not_encoded)?;
                    self.scratch.write(&name, &bytes, Place::Main)?;
                }
                AnimationFormat::Avif => {
                    write_avif(&path, clip, self.quality, &mut frame).map_err(not_encoded)?;
                }
            }
        }
        // Frames are not part of the product; that the name is gone is a courtesy to the disk, no more.
        std::fs::remove_file(self.scratch.path(SPOOL)).ok();
        let file = self.scratch.adopt(&name, Place::Main);
        let (mut files, mut found_frames) = (Vec::new(), 0);
        if let Ok(file) = file {
            let bytes = self.scratch.read_back(&file)?;
            match animation_file::read(&bytes, self.format) {
                Ok(found) => {
                    checks.same(
                        "picture_size",
                        format!("{}x{}", clip.width, clip.height),
                        format!("{}x{}", found.width, found.height),
                    );
                    // Encoders join frames that look the same into a longer one.
                    let plausible =
                        found.frames >= 1 && found.frames <= clip.frames && (self.stored < 2 || found.frames > 1);
                    checks.add(
                        "frame_count",
                        format!("1..={}", clip.frames),
                        found.frames.to_string(),
                        plausible,
                    );
                    if clip.frames > 1 {
                        let (wanted_s, found_s) = (clip.frames as f64 / self.fps, found.duration_ms as f64 / 1000.0);
                        // A still file of one frame has no length of its own.
                        let ok = (wanted_s - found_s).abs() <= 1.0 / self.fps + 0.011 || found.frames == 1;
                        checks.add("duration_s", format!("{wanted_s:.3}"), format!("{found_s:.3}"), ok);
                        if found.frames > 1 {
                            checks.same("shown_times", words(Some(self.loops)), words(found.loops));
                        }
                    }
                    found_frames = found.frames;
                }
                Err(cause) => checks.add("picture_size", format!("{}x{}", clip.width, clip.height), cause, false),
            }
            files.push(file);
        }
        let proof = checks.prove("the animation")?;
        Ok(JobProduct {
            outputs: vec![Product {
                group: String::new(),
                name: String::new(),
                extension: self.format.extension().to_owned(),
                kind: ProductKind::Animation,
                files,
                facts: None,
                proof,
                renditions: Vec::new(),
                picture_count: Some(found_frames as u32),
                quality: None,
                series: Vec::new(),
            }],
            ..JobProduct::default()
        })
    }
}

/// How often an animation is shown, in words.
fn words(loops: Option<u32>) -> String {
    match loops {
        Some(0) => "for ever".to_owned(),
        Some(loops) => loops.to_string(),
        None => "not said".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(json: &str) -> AnimationSpec {
        serde_json::from_str(json).expect("a spec")
    }

    fn span(duration_s: f64) -> Span {
        Span {
            duration_s: Some(duration_s),
            frame_s: 0.04,
            is_one_frame: false,
        }
    }

    fn animate(json: &str, shades: &[u8]) -> (tempfile::TempDir, Result<JobProduct, Fault>) {
        let root = tempfile::tempdir().expect("a directory");
        let scratch = JobScratch::create(root.path(), "job").expect("made");
        let fit = Fit::new((Some(64), Some(64)), (64, 64), WIDEST, Color([0; 3]), None);
        let mut animation = Box::new(Animation::new(&spec(json), fit, shades.len(), scratch).expect("small enough"));
        for (number, shade) in shades.iter().enumerate() {
            let mut picture = Picture::filled(64, 64, Color([*shade, 90, 255 - *shade])).expect("not empty");
            picture.paste(
                &Picture::filled(8, 8, Color([255, 255, 255])).expect("not empty"),
                number as u32 * 4 % 56,
                20,
            );
            animation.take(number as f64 / 10.0, picture).expect("taken");
        }
        let end = animation.finish(10.0);
        (root, end)
    }

    #[test]
    fn moments_keep_the_rate_and_stay_inside() {
        let moments = wanted(&spec(r#"{"start_s":2,"duration_s":3,"fps":10}"#), span(60.0)).at_s;
        assert_eq!((moments.len(), moments[0], moments[29]), (30, 2.0, 4.9));
        assert_eq!(
            wanted(&spec(r#"{"start_s":9,"duration_s":3,"fps":10}"#), span(10.0))
                .at_s
                .len(),
            10
        );
        let late = wanted(&spec(r#"{"start_s":90,"duration_s":3,"fps":10}"#), span(10.0));
        assert_eq!((late.at_s[0], late.at_s.len(), late.warnings.len()), (7.0, 30, 1));
        assert_eq!(wanted(&spec(r#"{"duration_s":1,"fps":60}"#), span(10.0)).at_s.len(), 50);
        assert_eq!(
            wanted(&spec(r#"{"duration_s":1,"fps":60,"format":"webp"}"#), span(10.0))
                .at_s
                .len(),
            60
        );
    }

    #[test]
    fn a_clip_may_end_somewhere_or_be_of_pieces() {
        let at = |json: &str| wanted(&spec(json), span(60.0)).at_s;
        let clip = at(r#"{"start_s":"00:00:10","end_s":12.5,"fps":10}"#);
        assert_eq!((clip.len(), clip[0]), (25, 10.0));
        let pieces = at(r#"{"pieces":3,"duration_s":6,"fps":1}"#);
        assert_eq!(pieces, [9.0, 10.0, 29.0, 30.0, 49.0, 50.0]);
        let part = at(r#"{"pieces":2,"duration_s":2,"start_s":10,"end_s":20,"fps":2}"#);
        assert_eq!(part, [12.0, 12.5, 17.0, 17.5]);
        let all = wanted(&spec(r#"{"pieces":4,"duration_s":60,"fps":1}"#), span(30.0));
        assert_eq!((all.at_s.len(), all.at_s[0], all.warnings.len()), (30, 0.0, 1));
    }

    #[test]
    fn long_and_short_edges_follow_the_source() {
        let spec = spec(r#"{"width":320,"height":180,"long_short":true}"#);
        let size = |display| (fit(&spec, display).width, fit(&spec, display).height);
        assert_eq!((size((1920, 1080)), size((1080, 1920))), ((320, 180), (180, 320)));
    }

    #[test]
    fn a_number_of_repetitions_is_written() {
        for format in ["gif", "webp"] {
            let json = format!(r#"{{"format":"{format}","loops":3}}"#);
            let product = animate(&json, &[0, 40, 80]).1.expect(format).outputs.remove(0);
            let check = product.proof.checks.iter().find(|check| check.name == "shown_times");
            assert_eq!(check.map(|check| check.found.as_str()), Some("3"), "{format}");
        }
    }

    #[test]
    fn all_formats_are_made_and_proved() {
        for format in ["gif", "webp", "avif"] {
            let shades: Vec<u8> = (0..20).map(|number| number * 12).collect();
            let (root, end) = animate(&format!(r#"{{"format":"{format}"}}"#), &shades);
            let product = end.expect(format).outputs.remove(0);
            assert_eq!((product.files.len(), product.picture_count), (1, Some(20)), "{format}");
            assert_eq!(product.files[0].place, Place::Main);
            assert!(!root.path().join("job").join(SPOOL).exists());
        }
    }

    #[test]
    fn a_standing_picture_is_fine_and_no_picture_is_not() {
        for format in ["gif", "webp", "avif"] {
            let json = format!(r#"{{"format":"{format}"}}"#);
            assert!(animate(&json, &[7]).1.is_ok(), "{format}");
            assert_eq!(
                animate(&json, &[]).1.expect_err("no frame").code,
                "OutputUnproved",
                "{format}"
            );
        }
    }

    #[test]
    fn a_clip_beyond_the_scratch_budget_is_refused_beforehand() {
        let root = tempfile::tempdir().expect("a directory");
        let scratch = JobScratch::create(root.path(), "job").expect("made");
        let fit = Fit::new((Some(4096), Some(2160)), (4096, 2160), WIDEST, Color([0; 3]), None);
        let fault = Animation::new(&spec("{}"), fit, 600, scratch).expect_err("16 GB");
        assert_eq!(fault.code, "AnimationTooLarge");
    }
}
