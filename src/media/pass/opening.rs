//! Before the first picture: encoders and outputs are opened, each failure kept for the outputs it concerns.

use crate::base::fault::Fault;
use crate::media::av::AvError;
use crate::media::av::Demuxer;
use crate::media::av::Parameters;
use crate::media::av::Stream;
use crate::media::encoding::hdr::HdrMetadata;
use crate::media::error;
use crate::media::facts::Ratio;
use crate::media::facts::StreamFacts;
use crate::media::pass::attempt::Pass;
use crate::media::pass::conclude;
use crate::media::pass::drawn::Subtitles;
use crate::media::pass::file_writer::FileWriter;
use crate::media::pass::file_writer::TrackIn;
use crate::media::pass::gpu::marking::Marking;
use crate::media::pass::output::TrackId;
use crate::media::pass::output::Writer;
use crate::media::pass::packaging::segments::SegmentWriter;
use crate::media::pass::plan::AudioEncode;
use crate::media::pass::plan::Form;
use crate::media::pass::plan::OutputPlan;
use crate::media::pass::plan::TextTrack;
use crate::media::pass::sound::SoundMaker;
use crate::media::pass::text;
use crate::media::pass::text::TextForm;
use crate::media::pass::text::TextIn;
use crate::media::pass::track::Opening;
use crate::media::pass::track::VideoTrack;
use crate::media::spec::Container;
use crate::media::spec::VideoCodec;
use crate::media::spec_check;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Text tracks opened before the first packet, by number in the plan; none: it cannot be decoded.
pub type OpenedTexts = Vec<Option<TextIn>>;

fn text_tags(stream: &StreamFacts) -> BTreeMap<String, String> {
    let tags = [("language", &stream.language), ("title", &stream.title)];
    tags.into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value.clone()?)))
        .collect()
}

/// What makes the pictures of an output.
#[derive(Debug)]
pub enum VideoMaker {
    /// An encoder.
    Encoder(Box<VideoTrack>),
    /// The source itself: its packets are copied.
    Source {
        /// Unit of its packets.
        unit: Ratio,
        /// Nominal frames a second.
        rate: Ratio,
    },
}

impl VideoMaker {
    /// Unit of its packets.
    fn unit(&self) -> Ratio {
        match self {
            VideoMaker::Encoder(track) => track.unit(),
            VideoMaker::Source { unit, .. } => *unit,
        }
    }
    /// Nominal frames a second.
    fn rate(&self) -> Ratio {
        match self {
            VideoMaker::Encoder(track) => track.rate(),
            VideoMaker::Source { rate, .. } => *rate,
        }
    }
}

/// Encoders opened before the first picture, so that muxers know their streams.
pub struct Encoders {
    /// By video encode.
    pub videos: Vec<Result<VideoMaker, Fault>>,
    /// By audio encode.
    pub audios: Vec<Result<SoundMaker, Fault>>,
    /// What muxers must know of each video encode.
    pub parameters: Vec<Option<Parameters>>,
    /// And of each audio encode.
    pub audio_parameters: Vec<Option<Parameters>>,
    /// By video encode: what is not as it was asked for, a sentence without full stop each.
    pub notes: Vec<Vec<String>>,
}

impl Encoders {
    /// By video encode: whether closed captions inside the source's pictures go on with its own. `come_out`: the decoder
    /// hands them on.
    pub fn captioned(&self, come_out: bool) -> Vec<bool> {
        let carries = |maker: &Result<VideoMaker, Fault>| match maker {
            Ok(VideoMaker::Encoder(track)) => come_out && track.writes_captions(),
            Ok(VideoMaker::Source { .. }) => true,
            Err(_) => false,
        };
        self.videos.iter().map(carries).collect()
    }
}

impl Pass<'_> {
    /// Opens all encoders. What the device refuses a session for is made in software from here on, where that may be.
    pub(super) fn open_encoders(&mut self, demuxer: &Demuxer) -> Encoders {
        let areas: Vec<u64> = self
            .plan
            .videos
            .iter()
            .map(|video| u64::from(video.width) * u64::from(video.height))
            .collect();
        let total = areas.iter().sum::<u64>().max(1);
        let source = self
            .facts
            .main_video()
            .and_then(|(stream, _)| demuxer.stream(stream.index));
        let source = source.and_then(|stream| stream.parameters().ok());
        let subtitles = self.subtitles_shown();
        let mut videos: Vec<Result<VideoMaker, Fault>> = Vec::new();
        for (number, area) in areas.iter().enumerate() {
            // Renditions run side by side already, so an encoder gets threads of its own only where its share
            // of the work is more than one core's: each costs a frame of memory, and the largest rendition would
            // hold up the others otherwise.
            let share = (u64::from(self.order.threads) * area).div_ceil(total);
            let threads = u32::try_from(share).unwrap_or(1).clamp(1, 16);
            let mut maker = self.open_video(number, threads, &subtitles);
            if let Err(fault) = &maker
                && self.work.encodes(number)
                && self.work.settle(number, fault)
            {
                maker = self.open_video(number, threads, &subtitles);
            }
            videos.push(maker);
        }
        let audios: Vec<Result<SoundMaker, Fault>> = self
            .plan
            .audios
            .iter()
            .map(|encode| {
                let source = demuxer.stream(encode.stream);
                let source = source.and_then(|stream| {
                    let mut parameters = stream.parameters().ok()?;
                    if self.facts.format_name == "mp3" && parameters.initial_padding() == 0 {
                        // Where the LAME tag says that sound begins.
                        let start_s = stream.start_time().unwrap_or(0) as f64 * stream.time_base().value();
                        parameters.set_initial_padding((start_s * f64::from(encode.rate_hz)).round() as u32);
                    }
                    Some((parameters, stream.time_base()))
                });
                SoundMaker::open(encode, source)
            })
            .collect();
        Encoders {
            parameters: videos
                .iter()
                .map(|maker| match maker.as_ref().ok()? {
                    VideoMaker::Encoder(track) => track.encoder().parameters().ok(),
                    VideoMaker::Source { .. } => source.as_ref()?.duplicate().ok(),
                })
                .collect(),
            audio_parameters: audios
                .iter()
                .map(|encoder| encoder.as_ref().ok()?.parameters().ok())
                .collect(),
            notes: videos
                .iter()
                .map(|maker| match maker {
                    Ok(VideoMaker::Encoder(track)) => track.encoder().notes().to_vec(),
                    _ => Vec::new(),
                })
                .collect(),
            videos,
            audios,
        }
    }

    fn open_video(&self, number: usize, threads: u32, subtitles: &Subtitles) -> Result<VideoMaker, Fault> {
        let video = &self.plan.videos[number];
        if video.spec.codec == VideoCodec::Copy {
            return Ok(VideoMaker::Source {
                unit: self.timing.unit,
                rate: self.timing.rate,
            });
        }
        let grade = self.grades[number];
        let device = self.work.encoding_device(number, &video.name)?;
        let drawing = self.drawing(number, video, &grade, subtitles)?;
        let track = VideoTrack::open(
            video,
            &Opening {
                unit: self.timing.unit,
                source_rate: self.timing.rate,
                grade,
                threads,
                turn: self.turns[number].clone()?,
                device: device.map(|device| Arc::clone(&device.gpu)),
            },
        )?;
        let marking = device.filter(|_| drawing.is_some()).map(Marking::new);
        let track = track.drawn_on(drawing).marked_by(marking);
        let track = self.ratings.follow(number, track, self.timing.expected_s);
        Ok(VideoMaker::Encoder(Box::new(track)))
    }

    /// Opens the decoders of all text tracks.
    pub(super) fn open_texts(&self, demuxer: &Demuxer) -> OpenedTexts {
        let open = |text: &TextTrack| {
            if let Some(script) = self.outside.script(text.stream) {
                return Some(TextIn::outside(script.clone().moved(-self.timing.start_s)));
            }
            if self.outside.captions() == Some(text.stream) {
                return TextIn::captions(self.timing.unit).ok();
            }
            let stream = demuxer.stream(text.stream)?;
            TextIn::open(text.stream, &stream.parameters().ok()?, stream.time_base()).ok()
        };
        self.plan.texts.iter().map(open).collect()
    }

    /// What the muxer must know of the text tracks of a file.
    fn text_parameters(
        &self,
        output: &OutputPlan,
        container: Container,
        texts: &OpenedTexts,
    ) -> Result<Vec<(usize, Parameters)>, AvError> {
        let mut all = Vec::new();
        for index in &output.texts {
            if let (Some(form), Some(text)) = (self.text_form(*index, container), &texts[*index]) {
                all.push((*index, form.encoder(text.header())?.parameters()?));
            }
        }
        Ok(all)
    }

    /// How a text track is held in a container.
    pub(super) fn text_form(&self, index: usize, container: Container) -> Option<TextForm> {
        let stream = self.facts.streams.get(self.plan.texts[index].stream)?;
        TextForm::of(container, &stream.codec_name)
    }

    /// Opens the writer of an output.
    pub(super) fn open_writer(
        &self,
        output: &OutputPlan,
        encoders: &Encoders,
        (source, texts): (Option<Stream<'_>>, &OpenedTexts),
    ) -> Result<Writer, Fault> {
        let path = self.order.scratch.join(conclude::path_of(self.plan, output));
        let directory = match output.form {
            Form::File(_) => path.parent().unwrap_or(&path),
            Form::Segments(_) | Form::Captions(_) => &path,
        };
        std::fs::create_dir_all(directory).map_err(|cause| error::output_io("create the folder", directory, &cause))?;
        let refused = |refusal: AvError| error::output_refused("open the output", &output.name, &refusal);
        let unopened = || error::broken_invariant("open the output", &output.name, "an encoder has no parameters");
        let mut tracks = Vec::new();
        if let Some(index) = output.video {
            let track = encoders.videos[index].as_ref().map_err(Fault::clone)?;
            let is_copy = matches!(track, VideoMaker::Source { .. });
            if is_copy {
                self.may_copy_into(output)?;
            }
            tracks.push(TrackIn {
                id: TrackId::Video,
                parameters: encoders.parameters[index].as_ref().ok_or_else(unopened)?,
                unit: track.unit(),
                rate: Some(track.rate()),
                source: source.filter(|_| is_copy),
                metadata: self.grades[index].metadata,
                tags: BTreeMap::new(),
                default: true,
                dispositions: Vec::new(),
            });
        }
        for (place, index) in output.audios.iter().enumerate() {
            let encoder = encoders.audios[*index].as_ref().map_err(Fault::clone)?;
            let encode = &self.plan.audios[*index];
            let source = self.facts.streams.get(encode.stream);
            // Several streams in one track are no longer what each was called.
            let source = source.filter(|_| encode.joined.is_empty() || self.have_one_language(encode));
            let mut tags = BTreeMap::new();
            if let Some(language) = source.and_then(|stream| stream.language.clone()) {
                tags.insert("language".to_owned(), language);
            }
            if let Some(title) = source
                .and_then(|stream| stream.title.clone())
                .filter(|_| encode.joined.is_empty())
            {
                tags.insert("title".to_owned(), title);
            }
            tracks.push(TrackIn {
                id: TrackId::Audio(*index),
                parameters: encoders.audio_parameters[*index].as_ref().ok_or_else(unopened)?,
                unit: encoder.time_base(),
                rate: None,
                source: None,
                metadata: HdrMetadata::default(),
                tags,
                default: place == 0,
                dispositions: source.map(|stream| stream.dispositions.clone()).unwrap_or_default(),
            });
        }
        let container = match &output.form {
            Form::File(container) => Some(*container),
            Form::Segments(_) | Form::Captions(_) => None,
        };
        let text_parameters = match container {
            Some(container) => self.text_parameters(output, container, texts).map_err(refused)?,
            None => Vec::new(),
        };
        for (index, parameters) in &text_parameters {
            let stream = self.facts.streams.get(self.plan.texts[*index].stream);
            tracks.push(TrackIn {
                id: TrackId::Text(*index),
                parameters,
                unit: text::MILLISECOND,
                rate: None,
                source: None,
                metadata: HdrMetadata::default(),
                tags: stream.map(text_tags).unwrap_or_default(),
                default: stream.is_some_and(|stream| stream.default),
                dispositions: stream.map(|stream| stream.dispositions.clone()).unwrap_or_default(),
            });
        }
        match &output.form {
            Form::File(container) => {
                let rate = tracks.iter().find_map(|track| track.rate);
                let tags = self.file_tags(output, *container, rate);
                FileWriter::create(&path, *container, &tracks, &tags)
                    .map(Writer::File)
                    .map_err(refused)
            }
            Form::Captions(_) => Ok(Writer::None),
            Form::Segments(form) => {
                let seal = match self.seals.get(&(output.job, output.group)) {
                    None => None,
                    Some(seal) => Some(seal.clone()?),
                };
                SegmentWriter::create(&path, &tracks, form, seal)
                    .map(|writer| Writer::Segments(Box::new(writer)))
                    .map_err(refused)
            }
        }
    }

    /// Whether the form of an output has a place for the source's pictures as they are.
    fn may_copy_into(&self, output: &OutputPlan) -> Result<(), Fault> {
        let Some((stream, video)) = self.facts.main_video() else {
            return Ok(());
        };
        let codec = stream.codec_name.as_str();
        let is_turned = video.rotation_degrees != 0 || video.mirrored;
        let why = match &output.form {
            Form::File(container) => spec_check::file_cannot_hold(*container, codec, codec).or_else(|| {
                let says_turns = matches!(container, Container::Mp4 | Container::Mov);
                (is_turned && !says_turns).then(|| {
                    "players turn the source's pictures, which this container cannot tell them; take container = \
                    \"mp4\" or \"mov\", or a codec"
                        .to_owned()
                })
            }),
            _ => spec_check::segments_cannot_hold(codec),
        };
        why.map_or(Ok(()), |why| Err(error::uncopyable(&output.name, &why)))
    }

    fn have_one_language(&self, encode: &AudioEncode) -> bool {
        let language = |stream: usize| self.facts.streams.get(stream).map(|stream| &stream.language);
        encode
            .streams()
            .all(|stream| language(stream) == language(encode.stream))
    }
}
