//! An output's sound as it is heard: decoded again and measured.
//!
//! Deliberately absent: what it should be.

use crate::media::av::AvError;
use crate::media::av::Decoder;
use crate::media::av::Packet;
use crate::media::av::Parameters;
use crate::media::av::Resampler;
use crate::media::av::sound::SampleFormat;
use crate::media::facts::Ratio;
use crate::media::limits::Limits;
use crate::media::loudness::Loudness;
use crate::media::loudness::Meter;

/// Decodes one track and measures it.
#[derive(Debug)]
pub struct Hearing {
    decoder: Decoder,
    converter: Option<Resampler>,
    meter: Option<Meter>,
}

impl Hearing {
    /// For a track with time stamps in `unit`.
    pub fn open(parameters: &Parameters, unit: Ratio) -> Result<Self, AvError> {
        Ok(Hearing {
            decoder: Decoder::open(parameters, unit, 1, &Limits::default())?,
            converter: None,
            meter: None,
        })
    }

    /// Takes a packet of the track.
    pub fn take(&mut self, packet: &Packet) -> Result<(), AvError> {
        self.decoder.send(packet)?;
        self.hear()
    }

    /// The track is over; none: nothing of it could be decoded.
    pub fn finish(mut self) -> Result<Option<Loudness>, AvError> {
        self.decoder.send_end()?;
        self.hear()?;
        Ok(self.meter.map(|meter| meter.result()))
    }

    fn hear(&mut self) -> Result<(), AvError> {
        while let Some(frame) = self.decoder.receive()? {
            let sound = frame.sound()?;
            if self.converter.as_ref().is_none_or(|converter| !converter.takes(&sound)) {
                let to = sound.converted(sound.rate_hz, SampleFormat::DOUBLE_PLANAR)?;
                if self.meter.is_none() {
                    self.meter = Meter::new(sound.channels(), sound.rate_hz);
                }
                self.converter = Some(Resampler::open(sound, to)?);
            }
            let Some(converted) = self.converter.as_mut().map(|converter| converter.run(Some(&frame))) else {
                continue;
            };
            if let (Some(converted), Some(meter)) = (converted?, &mut self.meter) {
                let channels: Vec<&[f64]> = (0..).map_while(|channel| converted.double_channel(channel)).collect();
                meter.push_planar(&channels);
            }
        }
        Ok(())
    }
}
