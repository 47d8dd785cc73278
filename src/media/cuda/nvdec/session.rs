//! A stream decoded on the device: packets in, pictures out.

use crate::media::cuda::error::CudaError;
use crate::media::cuda::error::Trouble;
use crate::media::cuda::gpu::Gpu;
use crate::media::cuda::nvdec::codec::Codec;
use crate::media::cuda::nvdec::engine::Engine;
use crate::media::cuda::nvdec::parser::Parser;
use crate::media::cuda::nvdec::picture::DecodedPicture;
use crate::media::cuda::nvdec::recovery::Next;
use crate::media::cuda::nvdec::recovery::Recovery;
use crate::media::cuda::nvdec::recovery::Verdict;
use crate::media::cuda::nvdec::stamps::Stamps;
use crate::media::facts::Ratio;
use std::collections::VecDeque;
use std::sync::Arc;

/// Packets without a picture after which a stream that ends is one that the device cannot make sense of.
const FRUITLESS: u64 = 8;

/// What is to be decoded.
#[derive(Debug, Clone)]
pub struct DecodeSetup {
    /// Its codec.
    pub codec: Codec,
    /// Headers that the container has apart from the packets, as they would stand in the stream (Annex B for H.264 and
    /// HEVC); empty when there are none.
    pub headers: Vec<u8>,
    /// Unit of its time stamps.
    pub unit: Ratio,
    /// Largest picture that is taken.
    pub max_pixels: u64,
    /// Surfaces kept idle for the next pictures.
    pub idle_surfaces: usize,
}

/// What goes in at once: the pictures of one packet.
#[derive(Debug, Clone, Copy)]
pub struct CodedPicture<'a> {
    /// Coded data; Annex B for H.264 and HEVC, start codes for MPEG and VC-1.
    pub bytes: &'a [u8],
    /// When it is shown, in the unit of the setup.
    pub pts: Option<i64>,
    /// Decoding can begin here.
    pub is_key: bool,
}

/// A decoder of one stream.
#[derive(Debug)]
pub struct Nvdec {
    gpu: Arc<Gpu>,
    setup: DecodeSetup,
    work: Work,
    stamps: Stamps,
    recovery: Recovery,
    ready: VecDeque<DecodedPicture>,
    /// The stream's headers go before the next packet.
    owes_headers: bool,
    refused_packets: u64,
    taken_packets: u64,
    pictures: u64,
}

/// An engine with its parser, or waiting for one.
#[derive(Debug)]
enum Work {
    Parsing(Parser),
    Waiting(Box<Engine>),
    /// Between the two.
    Moving,
}

impl Nvdec {
    /// Opens one. The device's decoder itself is made when the stream says what it is.
    ///
    /// # Errors
    /// `Absent` where the driver has no decoder library.
    pub fn open(gpu: &Arc<Gpu>, setup: DecodeSetup) -> Result<Self, CudaError> {
        let engine = Engine::new(gpu, setup.codec, setup.max_pixels, setup.idle_surfaces);
        let mut decoder = Nvdec {
            gpu: Arc::clone(gpu),
            stamps: Stamps::new(setup.unit),
            setup,
            work: Work::Waiting(Box::new(engine)),
            recovery: Recovery::default(),
            ready: VecDeque::new(),
            owes_headers: false,
            refused_packets: 0,
            taken_packets: 0,
            pictures: 0,
        };
        decoder.parser()?;
        Ok(decoder)
    }

    /// Gives it a packet; answers its number. One that cannot be decoded is counted and passed over, and what follows up
    /// to the next key frame with it.
    ///
    /// # Errors
    /// The device is lost or has no memory; the stream turned into what it does not decode (`Absent`); or it choked on the
    /// stream several times in a row (`Refused`). In all these cases nothing more is to be had of this decoder, and
    /// somebody else had better begin anew.
    pub fn send(&mut self, coded: &CodedPicture<'_>) -> Result<u64, CudaError> {
        match self.recovery.before(coded.is_key) {
            Next::Take => {}
            Next::TakeAnew => {
                tracing::warn!(
                    rebuilds = self.recovery.rebuilds(),
                    "the device's decoder begins again at a key frame"
                );
                self.begin_anew()?;
            }
            Next::Leave => {
                self.refused_packets += 1;
                return Ok(self.stamps.give(None).0);
            }
        }
        let (number, mut ticks) = self.stamps.give(coded.pts);
        if !self.setup.codec.has_start_codes() {
            // Without start codes a parser knows a picture's end by the next time stamp.
            ticks = ticks.or_else(|| Some(self.stamps.nobodys()));
        }
        self.taken_packets += 1;
        self.parser()?;
        // Headers go before the first picture and not apart: whatever a picture begins with has its time stamp.
        let parsed = match std::mem::take(&mut self.owes_headers) {
            true => {
                let bytes = [&self.setup.headers, coded.bytes].concat();
                self.parser()?.parse(&bytes, ticks)
            }
            false => self.parser()?.parse(coded.bytes, ticks),
        };
        let shown = self.collect();
        parsed.or_else(|error| self.failed(error))?;
        shown.map(|()| number)
    }

    /// No more packets: the pictures still inside come out. Afterwards another stream of the same kind may begin.
    ///
    /// # Errors
    /// As [`Nvdec::send`]; `Refused` also when not one picture came of all packets.
    pub fn send_end(&mut self) -> Result<(), CudaError> {
        let parsed = self.parser()?.end();
        let shown = self.collect();
        parsed.or_else(|error| self.failed(error))?;
        shown?;
        if self.pictures == 0 && self.taken_packets >= FRUITLESS {
            let why = format!("not one picture came of {} packets", self.taken_packets);
            return Err(CudaError::refused("cuvidParseVideoData", why));
        }
        Ok(())
    }

    /// The next picture; none when it wants a packet first, or after the end.
    pub fn receive(&mut self) -> Option<DecodedPicture> {
        self.ready.pop_front()
    }

    /// Forgets everything, after a seek.
    pub fn flush(&mut self) {
        self.ready.clear();
        self.stamps.clear();
        self.recovery.flushed();
        self.end_parser();
        if let Work::Waiting(engine) = &mut self.work {
            engine.take_shown();
        }
    }

    /// Changes the headers that the container has apart, from the next packet on.
    pub fn set_headers(&mut self, headers: Vec<u8>) {
        if headers != self.setup.headers {
            self.setup.headers = headers;
            self.owes_headers = self.has_headers_in_band();
        }
    }

    /// Packets that gave nothing: refused, or left out on the way to the next key frame.
    pub fn refused_packets(&self) -> u64 {
        self.refused_packets
    }

    /// Times parser and decoder were rebuilt in the middle of the stream.
    pub fn rebuilds(&self) -> u64 {
        self.recovery.rebuilds()
    }

    /// Ends the parser with all that is in it, and keeps the decoder for the next one.
    fn end_parser(&mut self) {
        self.work = match std::mem::replace(&mut self.work, Work::Moving) {
            Work::Parsing(parser) => Work::Waiting(parser.into_engine()),
            other => other,
        };
    }

    fn begin_anew(&mut self) -> Result<(), CudaError> {
        self.gpu.enter()?;
        self.end_parser();
        self.stamps.clear();
        if let Work::Waiting(engine) = &mut self.work {
            engine.forget_decoder();
        }
        Ok(())
    }

    /// The parser; a new one knows the stream's headers.
    fn parser(&mut self) -> Result<&mut Parser, CudaError> {
        if !matches!(self.work, Work::Parsing(_)) {
            let engine = match std::mem::replace(&mut self.work, Work::Moving) {
                Work::Waiting(engine) => engine,
                _ => {
                    let (setup, gpu) = (&self.setup, &self.gpu);
                    Box::new(Engine::new(gpu, setup.codec, setup.max_pixels, setup.idle_surfaces))
                }
            };
            let headers = &self.setup.headers;
            let clock_hz = self.stamps.clock_hz();
            let parser = Parser::open(&self.gpu, self.setup.codec, headers, clock_hz, engine)?;
            self.work = Work::Parsing(parser);
            self.owes_headers = self.has_headers_in_band();
        }
        match &mut self.work {
            Work::Parsing(parser) => Ok(parser),
            _ => Err(CudaError::refused("cuvidCreateVideoParser", "there is no parser")),
        }
    }

    fn has_headers_in_band(&self) -> bool {
        self.setup.codec.has_start_codes() && !self.setup.headers.is_empty()
    }

    /// Takes what was shown, with the time stamps that went in.
    fn collect(&mut self) -> Result<(), CudaError> {
        let Work::Parsing(parser) = &mut self.work else {
            return Ok(());
        };
        let mut verdict = Verdict::GoOn;
        for mut shown in parser.engine().take_shown() {
            if let Some((packet, pts)) = self.stamps.take(shown.ticks) {
                shown.picture.packet = Some(packet);
                shown.picture.pts = Some(pts);
            }
            verdict = self.recovery.shown(shown.is_lost);
            self.pictures += 1;
            self.ready.push_back(shown.picture);
        }
        match verdict {
            Verdict::GoOn => Ok(()),
            Verdict::GiveUp => Err(CudaError::refused(
                "cuvidGetDecodeStatus",
                "the device's decoder makes nothing of these pictures",
            )),
        }
    }

    /// Counts a failure of the stream; all others, and one too many, are the caller's.
    fn failed(&mut self, error: CudaError) -> Result<(), CudaError> {
        if error.kind != Trouble::Refused {
            return Err(error);
        }
        self.refused_packets += 1;
        tracing::debug!(
            call = error.call,
            code = error.code,
            "the device's decoder refuses a packet"
        );
        match self.recovery.failed() {
            Verdict::GoOn => Ok(()),
            Verdict::GiveUp => Err(CudaError {
                text: format!("the device's decoder failed again and again; at last: {}", error.text),
                ..error
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Nvdec;

    #[test]
    fn decoders_move_between_threads() {
        fn moves<T: Send + 'static>() {}
        moves::<Nvdec>();
    }
}
