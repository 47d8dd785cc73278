//! Which streams and encodes share a thread, and how their stages are set up.

use crate::base::fault::Fault;
use crate::media::av::AvError;
use crate::media::av::Decoder;
use crate::media::av::Demuxer;
use crate::media::error;
use crate::media::facts::StreamKind;
use crate::media::pass::attempt::Pass;
use crate::media::pass::inspect::Inspection;
use crate::media::pass::plan::AudioEncode;
use crate::media::pass::plan::Form;
use crate::media::pass::rung::Outputs;
use crate::media::pass::sound::SoundIn;
use crate::media::pass::sound::SoundStage;
use crate::media::pass::sound::SoundTime;
use crate::media::pass::sound::copy::CopyTrack;
use crate::media::pass::sound::encoder::SoundMaker;
use crate::media::pass::sound::level::Gain;
use crate::media::pass::sound::track::SoundTrack;
use crate::media::pass::sound::track::Target;
use crate::media::spec::AudioCodec;
use crate::media::spec::Container;
use std::collections::BTreeSet;

impl Pass<'_> {
    /// Encodes by the streams that they share: each group can be made without any other.
    fn sound_groups(&self, wanted: &dyn Fn(&AudioEncode) -> bool) -> Vec<(BTreeSet<usize>, Vec<usize>)> {
        let mut groups: Vec<(BTreeSet<usize>, Vec<usize>)> = Vec::new();
        for (number, encode) in self.plan.audios.iter().enumerate().filter(|(_, encode)| wanted(encode)) {
            let mut streams: BTreeSet<usize> = encode.streams().collect();
            let mut numbers = vec![number];
            groups.retain_mut(|(others, members)| {
                let apart = others.is_disjoint(&streams);
                if !apart {
                    streams.append(others);
                    numbers.append(members);
                }
                apart
            });
            groups.push((streams, numbers));
        }
        groups
    }

    /// Sets up the stages for those encodes that `wanted` names. `maker` gives what an encode is made with; none: it is
    /// only measured; an encode whose maker failed is left out. Inspections hear the main stream.
    pub(in crate::media::pass) fn sound_stages<'a>(
        &self,
        demuxer: &Demuxer,
        wanted: &dyn Fn(&AudioEncode) -> bool,
        inspections: &'a [Inspection],
        gains: &[Option<Gain>],
        maker: &mut dyn FnMut(usize) -> Option<Option<(SoundMaker, Outputs<'a>)>>,
    ) -> Result<Vec<SoundStage<'a>>, Fault> {
        let time = SoundTime {
            origin: self.timing.origin,
            end_s: self.timing.end_s,
            expected_s: self.timing.expected_s,
        };
        let mut stages = Vec::new();
        let heard = self.facts.main_audio().filter(|_| !inspections.is_empty());
        let heard = heard.map(|(stream, _)| stream.index);
        let mut groups = self.sound_groups(wanted);
        if let Some(heard) = heard.filter(|heard| !groups.iter().any(|(streams, _)| streams.contains(heard))) {
            groups.push((BTreeSet::from([heard]), Vec::new()));
        }
        for (streams, numbers) in groups {
            let is_decoded = |stream: usize| {
                if heard == Some(stream) {
                    return true;
                }
                let mut encodes = numbers.iter().map(|number| &self.plan.audios[*number]);
                encodes.any(|encode| encode.spec.codec != AudioCodec::Copy && encode.streams().any(|one| one == stream))
            };
            let inputs: Result<Vec<SoundIn>, Fault> = streams
                .iter()
                .map(|stream| self.sound_in(demuxer, *stream, is_decoded(*stream)))
                .collect();
            let mut stage = SoundStage::new(time, inputs?);
            if let Some(heard) = heard {
                stage.listen(heard, inspections);
            }
            for number in numbers {
                let encode = &self.plan.audios[number];
                let Some(made) = maker(number) else { continue };
                match made {
                    Some((SoundMaker::Copy { parameters, unit }, outputs)) => {
                        let padding_s = f64::from(parameters.initial_padding()) / f64::from(encode.rate_hz.max(1));
                        let lead_ins_s = self.lead_ins_s(number, padding_s);
                        let time = (time.origin, time.end_s);
                        stage.add_copy(CopyTrack::new(
                            (number, encode.stream),
                            unit,
                            time,
                            &lead_ins_s,
                            outputs,
                        ));
                    }
                    made => {
                        let target = made.and_then(|(maker, outputs)| match maker {
                            SoundMaker::Encode(encoder) => Some(Target { encoder, outputs }),
                            SoundMaker::Copy { .. } => None,
                        });
                        let lanes: Vec<(usize, u32)> = encode
                            .streams()
                            .map(|stream| (stage.lane(stream, encode.rate_hz), self.channels_of(stream)))
                            .collect();
                        let gain = gains.get(number).and_then(Option::as_ref);
                        let measures = self.plan.first_alike(number) == number;
                        stage.add_track(SoundTrack::new(number, encode, &lanes, gain, target, measures));
                    }
                }
            }
            stages.push(stage);
        }
        Ok(stages)
    }

    fn sound_in(&self, demuxer: &Demuxer, stream: usize, is_decoded: bool) -> Result<SoundIn, Fault> {
        let refused = |refusal: AvError| error::sound_refused("open the decoder", &self.name, &refusal);
        let found = demuxer
            .stream(stream)
            .ok_or_else(|| refused(AvError::argument("stream")))?;
        let unit = found.time_base();
        let parameters = found.parameters().map_err(refused)?;
        let decoder = match is_decoded {
            false => None,
            true => Some(Decoder::open(&parameters, unit, 1, &self.order.limits).map_err(refused)?),
        };
        let facts = self.facts.streams.get(stream).map(|stream| &stream.kind);
        let bits = match facts {
            Some(StreamKind::Audio(audio)) => audio.bit_depth,
            _ => None,
        };
        Ok(SoundIn {
            stream,
            unit,
            decoder,
            bits,
            padding_s: f64::from(parameters.initial_padding()) / f64::from(parameters.sample_rate_hz().max(1)),
        })
    }

    fn channels_of(&self, stream: usize) -> u32 {
        match self.facts.streams.get(stream).map(|stream| &stream.kind) {
            Some(StreamKind::Audio(audio)) => audio.channels.max(1),
            _ => 1,
        }
    }

    /// How long before the origin packets are kept in each output of a copied encode: in those with edit lists, which
    /// hide them, and in those without times; in others as much as the encoder's padding, which they have a field for.
    fn lead_ins_s(&self, number: usize, padding_s: f64) -> Vec<f64> {
        let outputs = self
            .plan
            .outputs
            .iter()
            .filter(|output| output.audios.contains(&number));
        outputs
            .map(|output| match output.form {
                Form::File(Container::Mp4 | Container::M4a | Container::Mov | Container::Mp3) => LEAD_IN_S,
                _ => padding_s,
            })
            .collect()
    }
}

/// Packets of so many seconds before the origin are kept where they are hidden: decoders need them to begin well.
const LEAD_IN_S: f64 = 0.1;
