//! How fast a device is: copies, the scaling kernel, a decoder alone, and decoder and kernels together.
//!
//! Guarantees: every rate is over a time that was waited for to its end, after one round that does not count; packets
//! lie in memory before, so that neither disk nor container count. Deliberately absent: whole jobs, which `reelmill bench`
//! measures.

use crate::media::av::AvError;
use crate::media::av::Frame;
use crate::media::cuda::Gpu;
use crate::media::cuda::Kernels;
use crate::media::cuda::Layout;
use crate::media::cuda::Surface;
use crate::media::cuda::SurfacePool;
use crate::media::cuda::capabilities;
use crate::media::cuda::kernels::RgbJob;
use crate::media::cuda::kernels::ScaleJob;
use crate::media::cuda::kernels::ScaleOut;
use crate::media::cuda::kernels::Source;
use crate::media::cuda::kernels::pace;
use crate::media::device_trial::Line;
use crate::media::device_trial::Trial;
use crate::media::device_trial::Verdict;
use crate::media::device_trial::decoders::Film;
use crate::media::limits::Limits;
use crate::media::pass::gpu::decoder::GpuDecoder;
use crate::media::pass::gpu::refusal::refused;
use crate::media::pass::gpu::transfer::surface_of;
use crate::media::sample;
use crate::media::software::Range;
use crate::media::software::Turn;
use crate::media::software::rgb::Place;
use std::path::Path;
use std::sync::Arc;
use std::sync::Barrier;
use std::time::Duration;
use std::time::Instant;

/// Edges of the ladder's rungs, in twelfths of the source's: of 1080p 1080, 720, 450 and 360 lines.
const RUNGS: [u32; 4] = [12, 8, 5, 4];
/// A cell of a sprite.
const CELL: (u32, u32) = (160, 90);
/// Cells of a sheet in a row, and rows.
const CELLS: u32 = 10;
/// BT.709, as H.273 numbers matrices.
const BT709: i32 = 1;
/// Frames that may be queued on the device before it is waited for.
const AHEAD: u32 = 8;

/// What a rate came to.
type Rate = Result<f64, String>;

/// Measures all of them.
pub fn run(gpu: &Arc<Gpu>, trial: &Trial, tell: &mut dyn FnMut(Line)) {
    let kernels = match Kernels::load(gpu) {
        Ok(kernels) => kernels,
        Err(error) => return tell(Line::new("load", Verdict::Failed, error.to_string())),
    };
    match pace::run(&kernels, trial.picture) {
        Ok((copied, paces)) => {
            let said = "within the device, bytes read and written";
            tell(Line::new("copy", Verdict::Passed, said).with("gb_per_s", copied / 1e9));
            let (width, height) = trial.picture;
            for pace in paces {
                let said = format!("of {width}x{height}, bytes read and written");
                tell(
                    Line::new(pace.work, Verdict::Passed, said)
                        .with("fps", pace.pictures_per_s)
                        .with("gb_per_s", pace.bytes_per_s / 1e9)
                        .with("of_copy", pace.share_of_copy),
                );
            }
        }
        Err(error) => tell(Line::new("kernels", Verdict::Failed, error.to_string())),
    }
    let drawn = trial.folder.join("rates.mp4");
    let (path, what) = match &trial.clip {
        Some(clip) => {
            let name = clip.file_name().unwrap_or_default().to_string_lossy();
            (clip.clone(), name.into_owned())
        }
        None => {
            if let Err(fault) = sample::make_sample(&drawn, trial.seconds.max(1), trial.picture.0, trial.picture.1) {
                return tell(Line::new("decode", Verdict::LeftOut, fault.to_string()));
            }
            (
                drawn.clone(),
                format!("H.264 of {}x{} drawn here", trial.picture.0, trial.picture.1),
            )
        }
    };
    decoding(&kernels, &path, &what, tell);
    let _ = std::fs::remove_file(&drawn);
}

fn decoding(kernels: &Arc<Kernels>, path: &Path, what: &str, tell: &mut dyn FnMut(Line)) {
    let gpu = kernels.gpu();
    let film = &match Film::read(path) {
        Ok(film) => film,
        Err(why) => return tell(Line::new("decode", Verdict::Failed, why)),
    };
    let facts = capabilities::of(gpu);
    if let Err(why) = GpuDecoder::supports(&film.parameters, false, false, &facts) {
        return tell(Line::new("decode", Verdict::LeftOut, why));
    }
    let alone = through(gpu, film, &mut |_| Ok(()));
    let line = |name: &str, said: String, rate: Rate| match rate {
        Ok(fps) => Line::new(name, Verdict::Passed, said).with("fps", fps),
        Err(why) => Line::new(name, Verdict::Failed, why),
    };
    let beside = |line: Line, rate: &Rate| match (rate, &alone) {
        (Ok(rate), Ok(alone)) => line.with("of_decode", rate / alone),
        _ => line,
    };
    tell(line(
        "decode",
        format!("{what}: one session, nothing else"),
        alone.clone(),
    ));
    let laddered = with_ladder(kernels, film);
    tell(beside(
        line(
            "decode and scale",
            format!("{what}: each picture to four rungs in one launch"),
            laddered.clone(),
        ),
        &laddered,
    ));
    let celled = with_cells(kernels, film);
    tell(beside(
        line(
            "decode and sprite",
            format!("{what}: each picture to a cell of a sheet"),
            celled.clone(),
        ),
        &celled,
    ));
    let engines = facts.decode.iter().map(|one| one.engines).max().unwrap_or(1);
    if engines > 1 {
        let all = at_once(gpu.ordinal(), path, engines);
        let said = format!("{what}: {engines} sessions at once, as many as there are engines");
        tell(beside(line("decode on all engines", said, all.clone()), &all));
    }
}

/// Pictures a second of one session whose pictures `each` is given, after a first reading that does not count.
fn through(gpu: &Arc<Gpu>, film: &Film, each: &mut dyn FnMut(&Frame) -> Result<(), AvError>) -> Rate {
    reading(gpu, film, each)?;
    let begun = Instant::now();
    let frames = reading(gpu, film, each)?;
    Ok(frames as f64 / begun.elapsed().as_secs_f64().max(1e-6))
}

/// Pictures of one reading of all packets, when the device is done with them.
fn reading(gpu: &Arc<Gpu>, film: &Film, each: &mut dyn FnMut(&Frame) -> Result<(), AvError>) -> Result<u64, String> {
    let mut read = || -> Result<u64, AvError> {
        let mut decoder = GpuDecoder::open(gpu, &film.parameters, film.unit, &Limits::default())?;
        for packet in film.packets.iter().map(Some).chain([None]) {
            match packet {
                Some(packet) => decoder.send(packet)?,
                None => decoder.send_end()?,
            }
            while let Some(frame) = decoder.receive()? {
                each(&frame)?;
            }
        }
        gpu.settle().map_err(refused)?;
        Ok(decoder.frames())
    };
    read().map_err(|error| error.to_string())
}

fn with_ladder(kernels: &Kernels, film: &Film) -> Rate {
    let gpu = kernels.gpu();
    let mut sizes: Option<[SurfacePool; 4]> = None;
    let mut queued = 0;
    through(gpu, film, &mut |frame| {
        let source = surface_of(frame).ok_or_else(|| AvError::argument("frame"))?;
        let pools = sizes.get_or_insert_with(|| {
            let edge = |edge: u32, rung: u32| (edge * rung / 12).next_multiple_of(2);
            let pool = |rung| {
                let (width, height) = (edge(source.width(), rung), edge(source.height(), rung));
                SurfacePool::new(gpu, Layout::Nv12, width, height, 2)
            };
            RUNGS.map(pool)
        });
        let surfaces: Vec<_> = pools
            .iter()
            .map(SurfacePool::take)
            .collect::<Result<_, _>>()
            .map_err(refused)?;
        let outputs: Vec<ScaleOut<'_>> = surfaces
            .iter()
            .map(|surface| ScaleOut {
                surface,
                filter: None,
                range: Range::Limited,
            })
            .collect();
        let job = ScaleJob {
            source: Source::whole(source),
            range: Range::Limited,
            turn: Turn::default(),
            outputs: &outputs,
        };
        kernels.scale(&job).map_err(refused)?;
        bounded(gpu, &mut queued)
    })
}

fn with_cells(kernels: &Kernels, film: &Film) -> Rate {
    let gpu = kernels.gpu();
    let sheet = Surface::new(gpu, Layout::Rgb24, CELL.0 * CELLS, CELL.1 * CELLS).map_err(|error| error.to_string())?;
    let mut number = 0;
    let mut queued = 0;
    through(gpu, film, &mut |frame| {
        let source = surface_of(frame).ok_or_else(|| AvError::argument("frame"))?;
        let (column, row) = (number % CELLS, number / CELLS % CELLS);
        number += 1;
        let job = RgbJob {
            source: Source::whole(source),
            turn: Turn::default(),
            matrix: BT709,
            range: Range::Limited,
            filter: None,
            sheet: &sheet,
            place: Place::stretched(column * CELL.0, row * CELL.1, CELL.0, CELL.1),
        };
        kernels.to_rgb(&job).map_err(refused)?;
        bounded(gpu, &mut queued)
    })
}

/// Waits now and then, as encoders and sheets do in a pass.
fn bounded(gpu: &Gpu, queued: &mut u32) -> Result<(), AvError> {
    *queued += 1;
    if queued.is_multiple_of(AHEAD) {
        return gpu.settle().map_err(refused);
    }
    Ok(())
}

/// Pictures a second of so many sessions together, each in a thread and on a stream of its own: from when all are ready
/// until the last one is done.
fn at_once(ordinal: u32, path: &Path, sessions: u32) -> Rate {
    let ready = Barrier::new(sessions as usize);
    let session = || -> Result<(u64, Duration), String> {
        let prepared = Gpu::open(ordinal)
            .map_err(|error| error.to_string())
            .and_then(|gpu| Ok((Film::read(path)?, gpu)))
            .and_then(|(film, gpu)| reading(&gpu, &film, &mut |_| Ok(())).map(|_| (film, gpu)));
        // Even who failed: the others would wait for ever.
        ready.wait();
        let (film, gpu) = prepared?;
        let begun = Instant::now();
        let frames = reading(&gpu, &film, &mut |_| Ok(()))?;
        Ok((frames, begun.elapsed()))
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..sessions).map(|_| scope.spawn(session)).collect();
        let (mut frames, mut longest) = (0, Duration::ZERO);
        for thread in threads {
            let ended = thread
                .join()
                .map_err(|_| "a thread met a defect of this program".to_owned())?;
            let (made, took) = ended?;
            frames += made;
            longest = longest.max(took);
        }
        Ok(frames as f64 / longest.as_secs_f64().max(1e-6))
    })
}
