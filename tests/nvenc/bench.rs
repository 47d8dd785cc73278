//! Pictures for encoders, and encoders for pictures.

use reelmill::media::cuda::CudaError;
use reelmill::media::cuda::Gpu;
use reelmill::media::cuda::PooledSurface;
use reelmill::media::cuda::SurfacePool;
use reelmill::media::cuda::nvenc::BFrames;
use reelmill::media::cuda::nvenc::Codec;
use reelmill::media::cuda::nvenc::Coded;
use reelmill::media::cuda::nvenc::EncodeSetup;
use reelmill::media::cuda::nvenc::NvencSession;
use reelmill::media::cuda::nvenc::Profile;
use reelmill::media::cuda::nvenc::Rate;
use reelmill::media::cuda::nvenc::Signal;
use std::sync::Arc;

pub const WIDTH: u32 = 256;
pub const HEIGHT: u32 = 144;
/// Units of a picture.
pub const STEP: i64 = 512;

/// A setup of good quality.
pub fn setup(codec: Codec, is_ten_bit: bool, bframes: u32) -> EncodeSetup {
    EncodeSetup {
        codec,
        profile: match (codec, is_ten_bit) {
            (Codec::Hevc, true) => Profile::Main10,
            (Codec::H264, _) => Profile::High,
            _ => Profile::Main,
        },
        level: None,
        width: WIDTH,
        height: HEIGHT,
        is_ten_bit,
        frame_rate: (25, 1),
        is_steady: true,
        preset: 2,
        is_careful: false,
        rate: Rate::Quality {
            level: 20.0,
            cap: None,
            buffer: None,
        },
        is_analysed_twice: false,
        bframes: BFrames::Asked(bframes),
        signal: Signal {
            primaries: 1,
            transfer: 1,
            matrix: 1,
            is_full_range: false,
        },
        messages: Vec::new(),
    }
}

/// The device.
pub fn gpu() -> Arc<Gpu> {
    Gpu::open(0).expect("the stand-in's device")
}

/// Pictures of one setup.
pub struct Pictures {
    pool: SurfacePool,
    is_ten_bit: bool,
}

impl Pictures {
    pub fn of(gpu: &Arc<Gpu>, setup: &EncodeSetup) -> Self {
        Pictures {
            pool: SurfacePool::new(gpu, setup.layout(), setup.width, setup.height, 4),
            is_ten_bit: setup.is_ten_bit,
        }
    }

    /// Picture `number`: a slope that moves, on a ground as bright as the number says.
    pub fn picture(&self, number: u32) -> Arc<PooledSurface> {
        let surface = self.pool.take().expect("a surface");
        let mut outgoing = surface.outgoing().expect("memory for it");
        for plane in 0..2 {
            let (row_bytes, rows) = self.pool.layout().plane_size(plane, surface.width(), surface.height());
            let value = |x: usize, y: usize| match plane {
                0 => 40 + (number as usize * 6 + x / 4 + y / 8) % 160,
                _ => 128,
            };
            let mut bytes = Vec::with_capacity(row_bytes * rows);
            for y in 0..rows {
                if self.is_ten_bit {
                    (0..row_bytes / 2).for_each(|x| bytes.extend((value(x, y) as u16 * 256).to_le_bytes()));
                } else {
                    (0..row_bytes).for_each(|x| bytes.push(value(x, y) as u8));
                }
            }
            outgoing.write(plane, &bytes, row_bytes).expect("written");
        }
        outgoing.send().expect("sent");
        Arc::new(surface)
    }
}

/// One picture's times, and whether it is to be a key frame.
pub type Timed = (i64, i64, bool);

/// So many pictures of the same length; key frames every `gop`.
pub fn steady(frames: u32, gop: u32) -> Vec<Timed> {
    (0..frames).map(|n| (i64::from(n) * STEP, STEP, n % gop == 0)).collect()
}

/// Sends pictures and takes what comes out meanwhile.
pub fn feed(session: &mut NvencSession, pictures: &Pictures, times: &[Timed]) -> Result<Vec<Coded>, CudaError> {
    let mut coded = Vec::new();
    for (number, (pts, duration, is_key)) in (0..).zip(times) {
        session.send(pictures.picture(number), *pts, *duration, *is_key)?;
        while let Some(one) = session.receive()? {
            coded.push(one);
        }
    }
    Ok(coded)
}

/// Takes what is still inside.
pub fn flush(session: &mut NvencSession) -> Result<Vec<Coded>, CudaError> {
    session.send_end()?;
    let mut coded = Vec::new();
    while let Some(one) = session.receive()? {
        coded.push(one);
    }
    Ok(coded)
}

/// All of it, with the headers.
pub fn encode(setup: &EncodeSetup, times: &[Timed]) -> (Vec<u8>, Vec<Coded>) {
    let gpu = gpu();
    let mut session = NvencSession::open(&gpu, setup).expect("a session");
    let pictures = Pictures::of(&gpu, setup);
    let mut coded = feed(&mut session, &pictures, times).expect("encoded");
    coded.extend(flush(&mut session).expect("flushed"));
    (session.headers().to_vec(), coded)
}

/// What went in came out, each once, with its times; decoding times keep their rules; key frames are those asked for.
pub fn is_whole(coded: &[Coded], times: &[Timed]) {
    let mut found: Vec<Timed> = coded.iter().map(|one| (one.pts, one.duration, one.is_key)).collect();
    found.sort_unstable();
    assert_eq!(found, times, "times and key frames");
    assert!(
        coded.windows(2).all(|two| two[0].dts < two[1].dts),
        "decoding goes forward"
    );
    assert!(
        coded.iter().all(|one| one.dts <= one.pts),
        "nothing is shown before it is decoded"
    );
}
