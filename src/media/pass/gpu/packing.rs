//! Packets as containers pack them, made into what the device's parser takes: start codes, headers first, one picture
//! a packet.
//!
//! Guarantees: times and marks of packets stay with them. Deliberately absent: decoding.

use crate::media::av::AvError;
use crate::media::av::BitstreamFilter;
use crate::media::av::Packet;
use crate::media::av::Parameters;
use crate::media::cuda::nvdec::Codec;
use crate::media::facts::Ratio;
use std::borrow::Cow;

/// Before a picture of VC-1.
const VC1_PICTURE: [u8; 4] = [0, 0, 1, 0x0d];
/// Before the sequence header of VC-1.
const VC1_SEQUENCE: [u8; 4] = [0, 0, 1, 0x0f];
/// Bytes of an AV1 configuration record before its units.
const AV1_RECORD: usize = 4;

/// The way of one stream's packets.
#[derive(Debug)]
pub struct Packing {
    codec: Codec,
    parameters: Parameters,
    unit: Ratio,
    filter: Option<BitstreamFilter>,
}

impl Packing {
    /// For a stream.
    pub fn open(codec: Codec, parameters: Parameters, unit: Ratio) -> Result<Self, AvError> {
        let filter = match codec {
            Codec::H264 => Some("h264_mp4toannexb"),
            Codec::Hevc => Some("hevc_mp4toannexb"),
            // Of two pictures in one packet the parser would know the time of the first only.
            Codec::Mpeg4 => Some("mpeg4_unpack_bframes"),
            _ => None,
        };
        let filter = filter
            .map(|name| BitstreamFilter::open(name, &parameters, unit))
            .transpose()?;
        Ok(Packing {
            codec,
            parameters,
            unit,
            filter,
        })
    }

    /// What stands before the packets, as it would stand in the stream.
    pub fn headers(&self) -> Vec<u8> {
        let own = match &self.filter {
            Some(filter) => filter.extradata(),
            None => self.parameters.extradata(),
        };
        headers_of(self.codec, own).to_vec()
    }

    /// The packets that come of one; none is the end. Those that make no sense are left out; answers how many.
    pub fn run(&mut self, packet: Option<&Packet>, out: &mut Vec<Packet>) -> Result<u64, AvError> {
        let Some(filter) = &mut self.filter else {
            if let Some(packet) = packet {
                out.push(packet.share()?);
            }
            return Ok(0);
        };
        let sent = match packet {
            Some(packet) => filter.send(packet),
            None => filter.send_end(),
        };
        let mut refused = refusals(sent)?;
        loop {
            match filter.receive() {
                Ok(Some(packet)) => out.push(packet),
                Ok(None) => break,
                Err(error) => {
                    refused += refusals(Err(error))?;
                    // A filter that goes on refusing the same packet would do so for ever.
                    if refused > 1 {
                        filter.flush();
                        break;
                    }
                }
            }
        }
        if packet.is_none() {
            filter.flush();
        }
        Ok(refused)
    }

    /// The header changes from the next packet on.
    pub fn change(&mut self, extradata: &[u8]) -> Result<(), AvError> {
        if extradata == self.parameters.extradata() {
            return Ok(());
        }
        let mut parameters = self.parameters.duplicate()?;
        parameters.set_extradata(extradata)?;
        *self = Self::open(self.codec, parameters, self.unit)?;
        Ok(())
    }

    /// Forgets everything, after a seek.
    pub fn flush(&mut self) {
        if let Some(filter) = &mut self.filter {
            filter.flush();
        }
    }

    /// The bytes of a packet as the parser takes them.
    pub fn bytes<'a>(&self, packet: &'a Packet) -> Cow<'a, [u8]> {
        with_start_code(self.codec, packet.data())
    }
}

/// One for data that makes no sense; errors that are not the data's stay errors.
fn refusals(answer: Result<(), AvError>) -> Result<u64, AvError> {
    match answer {
        Ok(()) => Ok(0),
        Err(error) if error.is_no_memory() => Err(error),
        Err(_) => Ok(1),
    }
}

/// Of a codec's own header what the parser takes.
fn headers_of(codec: Codec, own: &[u8]) -> &[u8] {
    match codec {
        Codec::H264 | Codec::Hevc if !own.starts_with(&[0, 0, 1]) && !own.starts_with(&[0, 0, 0, 1]) => &[],
        // Writers of ASF put a byte of their own before it.
        Codec::Vc1 => {
            let at = own.windows(VC1_SEQUENCE.len()).position(|four| four == VC1_SEQUENCE);
            at.map_or(&[], |at| &own[at..])
        }
        Codec::Av1 if own.first().is_some_and(|first| first & 0x80 != 0) => own.get(AV1_RECORD..).unwrap_or(&[]),
        Codec::Vp8 | Codec::Vp9 | Codec::Jpeg => &[],
        _ => own,
    }
}

/// Containers may leave out what stands before a picture of VC-1.
fn with_start_code(codec: Codec, bytes: &[u8]) -> Cow<'_, [u8]> {
    if codec != Codec::Vc1 || bytes.is_empty() || bytes.starts_with(&[0, 0, 1]) {
        return Cow::Borrowed(bytes);
    }
    Cow::Owned([&VC1_PICTURE, bytes].concat())
}

#[cfg(test)]
mod tests {
    use super::headers_of;
    use super::with_start_code;
    use crate::media::cuda::nvdec::Codec;

    #[test]
    fn headers_are_what_stands_in_a_stream() {
        const NONE: &[u8] = &[];
        let asf = [0x24, 0, 0, 1, 0x0f, 0xca];
        assert_eq!(headers_of(Codec::Vc1, &asf), &asf[1..]);
        assert_eq!(headers_of(Codec::Vc1, &[1, 2, 3]), NONE);
        let record = [0x81, 8, 12, 0, 0x0a, 0x0b];
        assert_eq!(headers_of(Codec::Av1, &record), &record[4..]);
        assert_eq!(headers_of(Codec::Av1, &record[4..]), &record[4..]);
        let avcc = [1, 66, 0];
        assert_eq!(headers_of(Codec::H264, &avcc), NONE, "one that no filter could read");
        let parameter_sets = [0, 0, 0, 1, 0x40];
        assert_eq!(headers_of(Codec::Hevc, &parameter_sets), parameter_sets);
        assert_eq!(headers_of(Codec::Mpeg4, &asf[1..]), &asf[1..]);
        assert_eq!(headers_of(Codec::Vp9, &asf), NONE);
    }

    #[test]
    fn pictures_of_vc1_begin_with_a_start_code() {
        let picture: &[u8] = &[0, 0, 1, 0x0d, 0xaa];
        assert_eq!(&*with_start_code(Codec::Vc1, &picture[4..]), picture);
        assert_eq!(&*with_start_code(Codec::Vc1, picture), picture);
        assert_eq!(&*with_start_code(Codec::Mpeg2, &picture[4..]), &picture[4..]);
    }
}
