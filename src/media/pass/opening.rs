//! Before the first picture: encoders and outputs are opened, each failure kept for the outputs it concerns.

use crate::base::fault::Fault;
use crate::media::av::AvError;
use crate::media::av::Demuxer;
use crate::media::av::Parameters;
use crate::media::encoding::hdr::HdrMetadata;
use crate::media::error;
use crate::media::facts::StreamFacts;
use crate::media::pass::attempt::Pass;
use crate::media::pass::conclude;
use crate::media::pass::file_writer::FileWriter;
use crate::media::pass::file_writer::TrackIn;
use crate::media::pass::output::TrackId;
use crate::media::pass::output::Writer;
use crate::media::pass::plan::AudioEncode;
use crate::media::pass::plan::Form;
use crate::media::pass::plan::OutputPlan;
use crate::media::pass::plan::TextTrack;
use crate::media::pass::segments::SegmentWriter;
use crate::media::pass::sound::SoundMaker;
use crate::media::pass::text;
use crate::media::pass::text::TextForm;
use crate::media::pass::text::TextIn;
use crate::media::pass::track::Opening;
use crate::media::pass::track::Turn;
use crate::media::pass::track::VideoTrack;
use crate::media::spec::Container;
use std::collections::BTreeMap;

/// Text tracks opened before the first packet, by number in the plan; none: it cannot be decoded.
pub type OpenedTexts = Vec<Option<TextIn>>;

fn text_tags(stream: &StreamFacts) -> BTreeMap<String, String> {
    let tags = [("language", &stream.language), ("title", &stream.title)];
    tags.into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value.clone()?)))
        .collect()
}

/// Encoders opened before the first picture, so that muxers know their streams.
pub struct Encoders {
    /// By video encode.
    pub videos: Vec<Result<VideoTrack, Fault>>,
    /// By audio encode.
    pub audios: Vec<Result<SoundMaker, Fault>>,
    /// What muxers must know of each video encode.
    pub parameters: Vec<Option<Parameters>>,
    /// And of each audio encode.
    pub audio_parameters: Vec<Option<Parameters>>,
}

impl Pass<'_> {
    /// Opens all encoders.
    pub(super) fn open_encoders(&self, demuxer: &Demuxer) -> Encoders {
        let areas: Vec<u64> = self
            .plan
            .videos
            .iter()
            .map(|video| u64::from(video.width) * u64::from(video.height))
            .collect();
        let total = areas.iter().sum::<u64>().max(1);
        let subtitles = self.subtitles_shown();
        let videos: Vec<Result<VideoTrack, Fault>> = self
            .plan
            .videos
            .iter()
            .zip(&areas)
            .zip(&self.grades)
            .enumerate()
            .map(|(number, ((video, area), grade))| {
                // Renditions run side by side already, so an encoder gets threads of its own only where its share
                // of the work is more than one core's: on two cores the largest of a usual ladder, which would
                // hold up the others otherwise.
                let share = (u64::from(self.order.threads) * area).div_ceil(total);
                let threads = u32::try_from(share).unwrap_or(1).clamp(1, 16);
                let drawing = self.drawing(number, video, grade, &subtitles)?;
                let track = VideoTrack::open(
                    video,
                    &Opening {
                        unit: self.timing.unit,
                        source_rate: self.timing.rate,
                        grade: *grade,
                        threads,
                        turn: Turn::Only,
                    },
                )?;
                Ok(track.drawn_on(drawing))
            })
            .collect();
        let audios: Vec<Result<SoundMaker, Fault>> = self
            .plan
            .audios
            .iter()
            .map(|encode| {
                let source = demuxer.stream(encode.stream);
                let source = source.and_then(|stream| Some((stream.parameters().ok()?, stream.time_base())));
                SoundMaker::open(encode, source)
            })
            .collect();
        Encoders {
            parameters: videos
                .iter()
                .map(|track| track.as_ref().ok()?.encoder().parameters().ok())
                .collect(),
            audio_parameters: audios
                .iter()
                .map(|encoder| encoder.as_ref().ok()?.parameters().ok())
                .collect(),
            videos,
            audios,
        }
    }

    /// Opens the decoders of all text tracks.
    pub(super) fn open_texts(&self, demuxer: &Demuxer) -> OpenedTexts {
        let open = |text: &TextTrack| {
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
        texts: &OpenedTexts,
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
            tracks.push(TrackIn {
                id: TrackId::Video,
                parameters: encoders.parameters[index].as_ref().ok_or_else(unopened)?,
                unit: track.unit(),
                rate: Some(track.rate()),
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
                let track = tracks
                    .first()
                    .ok_or_else(|| error::broken_invariant("open the output", &output.name, "it has no track"))?;
                SegmentWriter::create(&path, track, form.segment_s)
                    .map(Writer::Segments)
                    .map_err(refused)
            }
        }
    }

    fn have_one_language(&self, encode: &AudioEncode) -> bool {
        let language = |stream: usize| self.facts.streams.get(stream).map(|stream| &stream.language);
        encode
            .streams()
            .all(|stream| language(stream) == language(encode.stream))
    }
}
