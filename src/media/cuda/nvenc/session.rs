//! A session: pictures of a device in, coded pictures out, in two threads.
//!
//! Guarantees: sending waits only when as many pictures are inside as the session can hold; after the end all that was
//! sent comes out, and the session can be used again, from a key frame on; dropped at any moment it takes back and
//! closes everything. Deliberately absent: several sizes in one session.

use crate::media::cuda::error::CudaError;
use crate::media::cuda::gpu::Gpu;
use crate::media::cuda::nvenc::abilities;
use crate::media::cuda::nvenc::api;
use crate::media::cuda::nvenc::config::Config;
use crate::media::cuda::nvenc::encoder::Encoder;
use crate::media::cuda::nvenc::input::Inputs;
use crate::media::cuda::nvenc::input::Mapped;
use crate::media::cuda::nvenc::opening;
use crate::media::cuda::nvenc::output;
use crate::media::cuda::nvenc::output::Emptied;
use crate::media::cuda::nvenc::output::Place;
use crate::media::cuda::nvenc::setup::Codec;
use crate::media::cuda::nvenc::setup::Coded;
use crate::media::cuda::nvenc::setup::EncodeSetup;
use crate::media::cuda::nvenc::setup::Rate;
use crate::media::cuda::nvenc::times::DecodingTimes;
use crate::media::cuda::pool::PooledSurface;
use crate::media::device_report::EncodeAbility;
use cudarc::driver::sys::CUstream;
use nvidia_video_codec_sdk::sys::nvEncodeAPI as sys;
use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::Sender;
use std::thread::JoinHandle;
use std::time::Duration;

/// A picture that the driver is too busy to take is offered again after this, so many times.
const BUSY_PAUSE: Duration = Duration::from_millis(2);
const BUSY_TRIES: u32 = 5000;

/// An open encoder.
pub struct NvencSession {
    encoder: Arc<Encoder>,
    setup: EncodeSetup,
    ability: EncodeAbility,
    config: Config,
    headers: Vec<u8>,
    /// The driver keeps their addresses.
    _streams: Box<[Stream; 2]>,
    inputs: Arc<Mutex<Inputs>>,
    /// All places for output.
    places: Vec<Place>,
    free: Vec<Place>,
    /// Places of pictures that the driver has and that are not waited for yet, in order.
    waiting: VecDeque<Place>,
    /// How many of those are surely encoded sooner or later without another picture.
    settled: usize,
    /// Places that the other thread waits for.
    away: usize,
    filled: Option<Sender<Place>>,
    emptied: Receiver<Emptied>,
    thread: Option<JoinHandle<()>>,
    /// When pictures inside are shown and for how long, by number.
    shown: HashMap<u64, (i64, i64)>,
    times: DecodingTimes,
    ready: VecDeque<Result<Coded, CudaError>>,
    next_number: u64,
    /// The next picture begins the stream, or what follows an end.
    begins: bool,
    has_ended: bool,
}

/// A stream of CUDA's, whose address the driver keeps.
#[derive(Debug)]
struct Stream(CUstream);

// SAFETY: a name of the driver's, which the device of the session keeps alive; nobody writes to it.
unsafe impl Send for Stream {}

impl std::fmt::Debug for NvencSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NvencSession")
            .field("setup", &self.setup)
            .field("inside", &self.shown.len())
            .finish_non_exhaustive()
    }
}

// SAFETY: the configuration is the only part that is not Send by itself: it is plain data of the session's, and its
// pointers, all null or the driver's, are read by nobody but the driver.
unsafe impl Send for NvencSession {}

impl NvencSession {
    /// Opens an encoder on a device.
    ///
    /// # Errors
    /// `Busy`: all sessions are taken. `Absent`: no encoder, or not this codec. `Refused`: not these parameters.
    pub fn open(gpu: &Arc<Gpu>, setup: &EncodeSetup) -> Result<Self, CudaError> {
        let encoder = Arc::new(Encoder::open(gpu)?);
        let ability = abilities::of_codec_if_there(&encoder, setup.codec)?;
        let config = Config::new(setup, &ability, opening::preset_of(&encoder, setup)?);
        opening::initialize(&encoder, setup, &config)?;
        let streams = Box::new([Stream(gpu.raw_stream()), Stream(gpu.raw_stream())]);
        let address = |stream: &Stream| std::ptr::from_ref(&stream.0).cast_mut().cast();
        // SAFETY: a live session; the streams live as long as the device, their addresses as long as the session.
        let code =
            unsafe { (encoder.functions().set_streams)(encoder.handle(), address(&streams[0]), address(&streams[1])) };
        encoder.check("nvEncSetIOCudaStreams", code)?;
        let headers = opening::headers_of(&encoder)?;
        let inputs = Arc::new(Mutex::new(Inputs::new(&encoder)));
        let (filled, to_empty) = mpsc::channel();
        let (from_thread, emptied) = mpsc::channel();
        let delay = if setup.codec.reorders() { config.bframes } else { 0 };
        let mut session = NvencSession {
            setup: setup.clone(),
            ability,
            headers,
            _streams: streams,
            places: Vec::new(),
            free: Vec::new(),
            waiting: VecDeque::new(),
            settled: 0,
            away: 0,
            filled: Some(filled),
            emptied,
            thread: None,
            shown: HashMap::new(),
            times: DecodingTimes::new(delay),
            ready: VecDeque::new(),
            next_number: 0,
            begins: true,
            has_ended: true,
            encoder: Arc::clone(&encoder),
            inputs: Arc::clone(&inputs),
            config,
        };
        // From here on, what exists is given back by `drop`.
        for _ in 0..session.config.pictures_inside() {
            let place = Place::new(&encoder)?;
            session.places.push(place);
            session.free.push(place);
        }
        let thread = std::thread::Builder::new()
            .name("encoder output".to_owned())
            .spawn(move || output::run(&encoder, &inputs, &to_empty, &from_thread))
            .map_err(|cause| CudaError::refused("spawn", cause.to_string()))?;
        session.thread = Some(thread);
        Ok(session)
    }

    /// SPS and PPS (HEVC: VPS too) with start codes, or the sequence header OBU.
    pub fn headers(&self) -> &[u8] {
        &self.headers
    }

    /// B-frames in a row that it may make.
    pub fn bframes(&self) -> u32 {
        self.config.bframes
    }

    /// What is not as it was asked for, a sentence without full stop each.
    pub fn notes(&self) -> &[String] {
        &self.config.notes
    }

    /// Pictures that it may have at once: as many surfaces are out of their pool.
    pub fn pictures_inside(&self) -> usize {
        self.places.len()
    }

    /// Gives it a picture that is shown at `pts` for `duration`, in units of the caller's; each later than the one
    /// before. `is_key`: decoding can begin here; the first picture is one whatever is said. The picture goes back to
    /// its pool when the driver is done with it.
    pub fn send(
        &mut self,
        picture: Arc<PooledSurface>,
        pts: i64,
        duration: i64,
        is_key: bool,
    ) -> Result<(), CudaError> {
        let is = (picture.layout(), picture.width(), picture.height());
        let wanted = (self.setup.layout(), self.setup.width, self.setup.height);
        if is != wanted {
            return Err(CudaError::refused(
                "nvEncEncodePicture",
                format!("a picture of {is:?} came to an encoder of {wanted:?}"),
            ));
        }
        self.encoder.gpu().enter()?;
        let place = self.free_place()?;
        let number = self.next_number;
        let is_key = is_key || self.begins;
        let inputs = Arc::clone(&self.inputs);
        let mut inputs = locked(&inputs);
        let answer = inputs.hand_over(number, picture).and_then(|mapped| {
            let taken = self.submit(number, mapped, place, duration, is_key);
            if taken.is_err() {
                // The driver has not taken it, so it is taken back; why not is what counts.
                let _ = inputs.take_back(number);
            }
            taken
        });
        drop(inputs);
        let is_settled = match answer {
            Ok(is_settled) => is_settled,
            Err(refusal) => {
                self.free.push(place);
                return Err(refusal);
            }
        };
        self.next_number += 1;
        self.begins = false;
        self.has_ended = false;
        self.shown.insert(number, (pts, duration));
        self.times.shown(pts, duration);
        self.waiting.push_back(place);
        if is_settled {
            self.settled = self.waiting.len();
        }
        // What is still within reach of lookahead and B-frames is not waited for: the driver may want more for it.
        let within_reach = (self.config.lookahead + self.config.bframes) as usize;
        self.pass_on(within_reach);
        Ok(())
    }

    /// No more pictures come: all that is inside comes out. More may be sent afterwards; they begin with a key frame.
    pub fn send_end(&mut self) -> Result<(), CudaError> {
        if self.has_ended {
            return Ok(());
        }
        self.encoder.gpu().enter()?;
        let mut raw = api::blank::<sys::NV_ENC_PIC_PARAMS>();
        let picture = raw.as_mut_ptr();
        let inputs = Arc::clone(&self.inputs);
        let _guard = locked(&inputs);
        // SAFETY: fields of a struct of ours; then a live session.
        let code = unsafe {
            (*picture).version = sys::NV_ENC_PIC_PARAMS_VER;
            (*picture).encodePicFlags = sys::NV_ENC_PIC_FLAGS::NV_ENC_PIC_FLAG_EOS as u32;
            (*picture).pictureStruct = sys::NV_ENC_PIC_STRUCT::NV_ENC_PIC_STRUCT_FRAME;
            self.call_until_taken(picture)
        };
        if code != api::NEED_MORE_INPUT {
            self.encoder.check("nvEncEncodePicture", code)?;
        }
        self.has_ended = true;
        self.begins = true;
        self.settled = self.waiting.len();
        self.pass_on(0);
        Ok(())
    }

    /// The next coded picture in the order of decoding; none when it wants pictures first, or after the end all are
    /// out. Waits only after the end.
    pub fn receive(&mut self) -> Result<Option<Coded>, CudaError> {
        while let Ok(emptied) = self.emptied.try_recv() {
            self.absorb(emptied);
        }
        while self.ready.is_empty() && self.has_ended && self.away > 0 {
            self.wait()?;
        }
        self.ready.pop_front().transpose()
    }

    /// Changes the rate from the next picture on. What kind of rate control it is stays.
    pub fn set_rate(&mut self, rate: &Rate) -> Result<(), CudaError> {
        self.encoder.gpu().enter()?;
        self.config.set_rate(rate, &self.ability);
        self.setup.rate = *rate;
        let mut order = sys::NV_ENC_RECONFIGURE_PARAMS {
            version: sys::NV_ENC_RECONFIGURE_PARAMS_VER,
            reInitEncodeParams: opening::parameters(&self.setup, &self.config),
            ..Default::default()
        };
        let inputs = Arc::clone(&self.inputs);
        let _guard = locked(&inputs);
        // SAFETY: a live, initialised session; the configuration lives as long as it.
        let code = unsafe { (self.encoder.functions().reconfigure)(self.encoder.handle(), &mut order) };
        self.encoder.check("nvEncReconfigureEncoder", code)
    }

    /// Whether all pictures so far need no further ones.
    fn submit(
        &self,
        number: u64,
        mapped: Mapped,
        place: Place,
        duration: i64,
        is_key: bool,
    ) -> Result<bool, CudaError> {
        use sys::NV_ENC_PIC_FLAGS as Flag;
        let mut messages: Vec<sys::NV_ENC_SEI_PAYLOAD> = Vec::new();
        if is_key {
            messages.extend(self.setup.messages.iter().map(|message| sys::NV_ENC_SEI_PAYLOAD {
                payloadSize: message.payload.len() as u32,
                payloadType: message.kind,
                payload: message.payload.as_ptr().cast_mut(),
            }));
        }
        let mut raw = api::blank::<sys::NV_ENC_PIC_PARAMS>();
        let picture = raw.as_mut_ptr();
        // SAFETY: fields of a struct of ours; then a live session. Messages are copied by the call, which only reads.
        let code = unsafe {
            (*picture).version = sys::NV_ENC_PIC_PARAMS_VER;
            (*picture).inputWidth = self.setup.width;
            (*picture).inputHeight = self.setup.height;
            (*picture).inputPitch = mapped.pitch;
            (*picture).pictureStruct = sys::NV_ENC_PIC_STRUCT::NV_ENC_PIC_STRUCT_FRAME;
            (*picture).frameIdx = number as u32;
            (*picture).inputTimeStamp = number;
            (*picture).inputDuration = u64::try_from(duration).unwrap_or(0);
            (*picture).inputBuffer = mapped.buffer;
            (*picture).outputBitstream = place.raw();
            (&raw mut (*picture).bufferFmt).cast::<u32>().write(mapped.format);
            if is_key {
                (*picture).encodePicFlags =
                    Flag::NV_ENC_PIC_FLAG_FORCEIDR as u32 | Flag::NV_ENC_PIC_FLAG_OUTPUT_SPSPPS as u32;
            }
            if !messages.is_empty() {
                let (count, list) = (messages.len() as u32, messages.as_mut_ptr());
                let codec = &raw mut (*picture).codecPicParams;
                match self.setup.codec {
                    Codec::H264 => {
                        (*codec).h264PicParams.seiPayloadArrayCnt = count;
                        (*codec).h264PicParams.seiPayloadArray = list;
                    }
                    Codec::Hevc => {
                        (*codec).hevcPicParams.seiPayloadArrayCnt = count;
                        (*codec).hevcPicParams.seiPayloadArray = list;
                    }
                    Codec::Av1 => {
                        (*codec).av1PicParams.obuPayloadArrayCnt = count;
                        (*codec).av1PicParams.obuPayloadArray = list;
                    }
                }
            }
            self.call_until_taken(picture)
        };
        if code == api::NEED_MORE_INPUT {
            return Ok(false);
        }
        self.encoder.check("nvEncEncodePicture", code)?;
        Ok(true)
    }

    /// # Safety
    /// `picture` is a whole struct of this session's, whose pointers hold as long as the call.
    unsafe fn call_until_taken(&self, picture: *mut sys::NV_ENC_PIC_PARAMS) -> u32 {
        let mut code = api::ENCODER_BUSY;
        for _ in 0..BUSY_TRIES {
            // SAFETY: by the contract.
            code = unsafe { (self.encoder.functions().encode)(self.encoder.handle(), picture) };
            if code != api::ENCODER_BUSY {
                break;
            }
            std::thread::sleep(BUSY_PAUSE);
        }
        code
    }

    fn free_place(&mut self) -> Result<Place, CudaError> {
        loop {
            if let Some(place) = self.free.pop() {
                return Ok(place);
            }
            if self.away == 0 {
                return Err(CudaError::refused(
                    "nvEncEncodePicture",
                    format!("the encoder has {} pictures and gives none out", self.places.len()),
                ));
            }
            self.wait()?;
        }
    }

    /// Lets the other thread wait for all but the last `kept` pictures, as far as they need no further ones.
    fn pass_on(&mut self, kept: usize) {
        while self.settled > 0 && self.waiting.len() > kept {
            let (Some(place), Some(filled)) = (self.waiting.pop_front(), &self.filled) else {
                return;
            };
            self.settled -= 1;
            if filled.send(place).is_ok() {
                self.away += 1;
            }
        }
    }

    fn wait(&mut self) -> Result<(), CudaError> {
        let emptied = self
            .emptied
            .recv()
            .map_err(|_| CudaError::refused("nvEncLockBitstream", "the thread that waits for output is gone"))?;
        self.absorb(emptied);
        Ok(())
    }

    fn absorb(&mut self, (place, output): Emptied) {
        self.away -= 1;
        self.free.push(place);
        let coded = output.and_then(|output| {
            let unknown = || CudaError::refused("nvEncLockBitstream", "more pictures came out than went in");
            let (pts, duration) = self.shown.remove(&output.number).ok_or_else(unknown)?;
            Ok(Coded {
                bytes: output.bytes,
                pts,
                dts: self.times.next().ok_or_else(unknown)?,
                duration,
                is_key: output.is_key,
            })
        });
        self.ready.push_back(coded);
    }
}

impl Drop for NvencSession {
    fn drop(&mut self) {
        // Everything the driver has must come out before it is taken back. Where the end is refused, what is left is
        // not waited for.
        if let Err(refusal) = self.send_end() {
            tracing::debug!(%refusal, "an encoder session was dropped without its end");
        }
        self.filled = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::debug!("the thread that waited for an encoder's output had panicked");
        }
        if self.encoder.gpu().enter().is_err() {
            return;
        }
        if let Err(refusal) = locked(&self.inputs).clear() {
            tracing::debug!(%refusal, "a picture could not be taken back from the encoder");
        }
        for place in self.places.drain(..) {
            if let Err(refusal) = place.destroy(&self.encoder) {
                tracing::debug!(%refusal, "an output buffer could not be freed");
            }
        }
    }
}

fn locked(inputs: &Mutex<Inputs>) -> MutexGuard<'_, Inputs> {
    inputs.lock().unwrap_or_else(PoisonError::into_inner)
}
