//! The coded stream of a session: pictures in their coding order become access units as NVENC gives them.
//!
//! Guarantees: parameter sets stand before the first picture, before every IDR where the client asked for that, and where
//! a picture asks for them; the client's messages stand before the slices of their picture.

use crate::nvenc::ability::Codec;
use crate::nvenc::av1;
use crate::nvenc::bits;
use crate::nvenc::coder::Coder;
use crate::nvenc::h264;
use crate::nvenc::hevc;
use crate::nvenc::order::Kind;
use crate::nvenc::picture::Picture;
use crate::nvenc::setup::Setup;

enum Headers {
    H264(h264::Headers),
    Hevc(hevc::Headers),
    Av1(Vec<u8>),
}

/// What a client wants beside a picture.
#[derive(Debug, Clone, Default)]
pub struct Extras {
    pub with_headers: bool,
    /// Type and payload of supplemental messages, or of metadata.
    pub messages: Vec<(u32, Vec<u8>)>,
}

/// An access unit, or a temporal unit of AV1.
pub struct Unit {
    pub bytes: Vec<u8>,
    pub qp: u32,
}

/// A stream that is being written.
pub struct Stream {
    setup: Setup,
    coder: Coder,
    headers: Headers,
    reference: u32,
    has_headers: bool,
}

impl Stream {
    /// Begins a stream of those settings.
    pub fn open(setup: &Setup) -> Result<Self, String> {
        let coder = Coder::open(setup)?;
        let unread = || format!("parameter sets of {} in a form that is not known", setup.codec.name());
        let headers = match setup.codec {
            Codec::H264 => Headers::H264(h264::Headers::new(&coder.headers(), setup).ok_or_else(unread)?),
            Codec::Hevc => Headers::Hevc(hevc::Headers::new(&coder.headers(), setup).ok_or_else(unread)?),
            Codec::Av1 => {
                // The encoder tells its sequence header with the first picture alone: another one is asked for a grey one.
                let grey = Picture::grey(setup.width as usize, setup.height as usize, setup.depth);
                let coded = Coder::open(setup)?.code(&grey, true)?;
                Headers::Av1(av1::sequence_header(&coded.bytes).ok_or_else(unread)?)
            }
        };
        Ok(Stream {
            setup: setup.clone(),
            coder,
            headers,
            reference: 0,
            has_headers: false,
        })
    }

    /// Its settings.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// The parameter sets, or the sequence header.
    pub fn parameter_sets(&self) -> Vec<u8> {
        match &self.headers {
            Headers::H264(headers) => headers.stream(),
            Headers::Hevc(headers) => headers.stream(),
            Headers::Av1(header) => header.clone(),
        }
    }

    /// Codes the next picture in coding order.
    pub fn code(&mut self, picture: &Picture, kind: Kind, since_idr: u32, extras: &Extras) -> Result<Unit, String> {
        let is_idr = kind == Kind::Idr;
        let coded = self.coder.code(picture, is_idr)?;
        let by_itself = !self.setup.omits_headers && (!self.has_headers || is_idr && self.setup.repeats_headers);
        let with_headers = extras.with_headers || by_itself;
        let unread = || format!("{}: slices in a form that is not known", self.setup.codec.name());
        let bytes = match &self.headers {
            Headers::H264(headers) => {
                let slices = headers.slices(&coded.bytes, since_idr).ok_or_else(unread)?;
                self.access_unit(&[9, 0xf0], &[6], with_headers, extras, &slices)
            }
            Headers::Hevc(headers) => {
                let slices = headers
                    .slices(&coded.bytes, since_idr, self.reference)
                    .ok_or_else(unread)?;
                self.access_unit(&[0x46, 1, 0x50], &[0x4e, 1], with_headers, extras, &slices)
            }
            Headers::Av1(header) => {
                let inserted: Vec<_> = extras
                    .messages
                    .iter()
                    .map(|(kind, payload)| av1::metadata(*kind, payload))
                    .collect();
                let header = with_headers.then_some(&header[..]);
                av1::unit(&coded.bytes, header, &inserted).ok_or_else(unread)?
            }
        };
        self.has_headers |= with_headers;
        self.reference = since_idr;
        Ok(Unit {
            bytes,
            qp: self.setup.rate.constant_qp(is_idr).unwrap_or(coded.qp),
        })
    }

    fn access_unit(&self, delimiter: &[u8], sei: &[u8], with_headers: bool, extras: &Extras, slices: &[u8]) -> Vec<u8> {
        let mut unit = Vec::new();
        if self.setup.delimits {
            bits::append_unit(&mut unit, delimiter);
        }
        if with_headers {
            unit.extend_from_slice(&self.parameter_sets());
        }
        for (kind, payload) in &extras.messages {
            let message = [sei, &bits::sei_message(*kind, payload), &[0x80]].concat();
            bits::append_unit(&mut unit, &bits::escape(&message));
        }
        unit.extend_from_slice(slices);
        unit
    }
}
