//! A whole set after its renditions were proved: its manifests, and the product.
//!
//! Guarantees: manifests name renditions that are there and nothing else; they stand after what they name. Deliberately
//! absent: final names, which publishing puts in the place of references.

use crate::base::fault::Fault;
use crate::media::digest;
use crate::media::error;
use crate::media::pass::conclude::Made;
use crate::media::pass::conclude::Proved;
use crate::media::pass::conclude::VideoMade;
use crate::media::pass::packaging::captions;
use crate::media::pass::packaging::manifest_check;
use crate::media::pass::packaging::mpd;
use crate::media::pass::packaging::mpd::AdaptationSet;
use crate::media::pass::packaging::playlist;
use crate::media::pass::packaging::playlist::Choice;
use crate::media::pass::packaging::playlist::ChoiceKind;
use crate::media::pass::packaging::playlist::Still;
use crate::media::pass::packaging::seal::KEY_FILE;
use crate::media::pass::packaging::segments::Segment;
use crate::media::pass::packaging::segments::Track;
use crate::media::pass::plan::GroupPlan;
use crate::media::pass::plan::OutputPlan;
use crate::media::pass::plan::Plan;
use crate::media::pass::plan::TrackChoice;
use crate::media::pass::plan::TrackGroup;
use crate::media::pass::plan::Variant;
use crate::media::product::Check;
use crate::media::product::Place;
use crate::media::product::Product;
use crate::media::product::ProductFile;
use crate::media::product::ProductKind;
use crate::media::product::Proof;
use crate::media::product::Rendition;
use crate::media::product::reference;
use crate::media::spec::GroupKind;
use crate::media::verify;
use std::path::Path;

const OPERATION: &str = "verify";

/// A set whose renditions were proved.
#[derive(Debug)]
pub struct Set<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The group.
    pub group: &'a GroupPlan,
    /// What was proved of each output of the plan.
    pub proved: &'a mut [Option<Proved>],
    /// What the pass knows of its encodes.
    pub made: &'a Made,
    /// Scratch directory.
    pub scratch: &'a Path,
}

impl Set<'_> {
    /// The product; none when no variant is left.
    pub fn product(self) -> Result<Option<Product>, Fault> {
        let variants: Vec<Variant> = self
            .group
            .variants
            .iter()
            .filter(|variant| self.is_whole(variant))
            .cloned()
            .collect();
        if variants.is_empty() {
            return Ok(None);
        }
        let first = &self.plan.outputs[self.group.outputs[0]];
        let base = format!("{}/{}", self.plan.jobs[first.job].job, first.group);
        let mut checks = Vec::new();
        let mut last_files = Vec::new();
        let name = &self.group.set_name;
        if matches!(self.group.kind, GroupKind::Dash | GroupKind::Cmaf) {
            let text = self.mpd();
            manifest_check::mpd(&mut checks, &text, &self.mpd_tracks());
            let place = match self.group.kind {
                GroupKind::Dash => Place::Main,
                _ => Place::Beside(".mpd".to_owned()),
            };
            last_files.push(self.write(&format!("{base}/{name}.mpd"), text.as_bytes(), place, true)?);
        }
        if matches!(self.group.kind, GroupKind::Hls | GroupKind::Cmaf) {
            let text = self.master(&variants);
            last_files.push(self.write(&format!("{base}/{name}.m3u8"), text.as_bytes(), Place::Main, true)?);
        }
        let seal = self.tracks().find_map(|(_, track)| track.seal.clone());
        let key_file = match seal.as_ref().and_then(|seal| seal.key_file()) {
            None => None,
            Some(key) => {
                let place = Place::Inside(KEY_FILE.to_owned());
                Some(self.write(&format!("{base}/{KEY_FILE}"), key, place, false)?)
            }
        };
        if let Some(fault) = verify::refusal(name, &checks) {
            return Err(fault);
        }

        let mut files: Vec<ProductFile> = key_file.into_iter().collect();
        let mut manifests = Vec::new();
        let mut renditions = Vec::new();
        let mut main_facts = None;
        for index in &self.group.outputs {
            let output = &self.plan.outputs[*index];
            let Some(mut done) = self.proved[*index].take() else {
                continue;
            };
            checks.extend(done.checks.drain(..).map(|check| Check {
                name: format!("{}/{}", output.name, check.name),
                ..check
            }));
            let size_bytes = done.files.iter().map(|file| file.size_bytes).sum();
            let place = done.manifests.first().or_else(|| done.files.first());
            let place = place.map_or(Place::Main, |file| file.place.clone());
            if main_facts.is_none() || output.video.is_some() && !has_video(self.plan, &renditions) {
                main_facts = Some(done.facts.clone());
            }
            renditions.push(Rendition {
                name: output.name.clone(),
                place,
                facts: done.facts,
                size_bytes,
                quality: None,
                series: done.series,
            });
            files.append(&mut done.files);
            manifests.append(&mut done.manifests);
        }
        // Manifests after what they name, those of the set last.
        files.append(&mut manifests);
        files.append(&mut last_files);
        Ok(Some(Product {
            group: self.group.group.clone(),
            name: name.clone(),
            extension: self.group.kind.extension().to_owned(),
            kind: match self.group.kind {
                GroupKind::Dash => ProductKind::Dash,
                GroupKind::Cmaf => ProductKind::Cmaf,
                GroupKind::Hls | GroupKind::File => ProductKind::Hls,
            },
            files,
            facts: main_facts,
            proof: Proof { checks },
            renditions,
            picture_count: None,
            quality: None,
            series: Vec::new(),
        }))
    }

    fn write(&self, relative: &str, bytes: &[u8], place: Place, names_others: bool) -> Result<ProductFile, Fault> {
        let path = self.scratch.join(relative);
        std::fs::write(&path, bytes).map_err(|cause| error::output_io("write", &path, &cause))?;
        let (size_bytes, md5) = digest::of_file(&path).map_err(|cause| error::output_io(OPERATION, &path, &cause))?;
        Ok(ProductFile {
            scratch_path: relative.to_owned(),
            place,
            size_bytes,
            md5,
            names_others,
        })
    }

    fn done(&self, output: usize) -> Option<&Proved> {
        self.proved.get(output)?.as_ref()
    }

    fn track(&self, output: usize) -> Option<&Track> {
        self.done(output)?.track.as_ref()
    }

    fn tracks(&self) -> impl Iterator<Item = (&OutputPlan, &Track)> {
        let outputs = self.group.outputs.iter();
        outputs.filter_map(|index| Some((&self.plan.outputs[*index], self.track(*index)?)))
    }

    /// Choices of a group whose outputs were proved.
    fn choices<'a>(&'a self, groups: &'a [TrackGroup], number: Option<usize>) -> Vec<&'a TrackChoice> {
        let group = number.and_then(|number| groups.get(number));
        group
            .iter()
            .flat_map(|group| &group.tracks)
            .filter(|choice| self.done(choice.output).is_some())
            .collect()
    }

    /// A rung whose pictures or sound failed is no variant.
    fn is_whole(&self, variant: &Variant) -> bool {
        let has_pictures = variant.video.is_none_or(|video| self.track(video).is_some());
        let wanted = variant.audio.and_then(|number| self.group.audio_groups.get(number));
        has_pictures && wanted.is_none_or(|group| group.tracks.iter().all(|choice| self.done(choice.output).is_some()))
    }

    fn uri(&self, output: usize, name: &str) -> String {
        reference(&Place::Inside(format!("{}/{name}", self.plan.outputs[output].name)))
    }

    fn video_made(&self, output: usize) -> Option<&VideoMade> {
        self.made.videos[self.plan.outputs[output].video?].as_ref()
    }

    fn master(&self, variants: &[Variant]) -> String {
        let mut told = Vec::new();
        let mut stills = Vec::new();
        for variant in variants {
            let sounds = self.choices(&self.group.audio_groups, variant.audio);
            let default = sounds.iter().find(|choice| choice.label.default).or(sounds.first());
            let Some(main) = variant.video.or(default.map(|choice| choice.output)) else {
                continue;
            };
            // Without pictures the default choice is the variant itself.
            let with: Vec<usize> = sounds
                .iter()
                .map(|choice| choice.output)
                .filter(|output| *output != main)
                .collect();
            let rate = |of: fn(&[Segment]) -> u64| {
                let rate_of = |output: usize| self.track(output).map_or(0, |track| of(&track.segments));
                let beside = with.iter().map(|output| rate_of(*output)).max().unwrap_or(0);
                rate_of(main) + if variant.video.is_some() { beside } else { 0 }
            };
            let mut codecs: Vec<String> = Vec::new();
            for output in std::iter::once(&main).chain(&with) {
                for codec in self.done(*output).map_or(&[][..], |done| &done.codecs[..]) {
                    if !codecs.contains(codec) {
                        codecs.push(codec.clone());
                    }
                }
            }
            let info = variant.video.and_then(|output| self.video_made(output));
            let has_choice = variant.video.is_some() || sounds.len() > 1;
            let id = |groups: &[TrackGroup], number: Option<usize>| Some(groups.get(number?)?.id.clone());
            let texts = self.choices(&self.group.subtitle_groups, variant.subtitles);
            told.push(playlist::Variant {
                uri: self.uri(main, playlist::INDEX),
                bandwidth: rate(playlist::peak),
                average_bandwidth: rate(playlist::average),
                resolution: info.map(|info| (info.expected.width, info.expected.height)),
                frame_rate: info.map(|info| info.rate.value()),
                codecs,
                video_range: info.and_then(video_range),
                audio: id(&self.group.audio_groups, variant.audio).filter(|_| has_choice),
                subtitles: id(&self.group.subtitle_groups, variant.subtitles).filter(|_| !texts.is_empty()),
            });
            stills.extend(variant.video.and_then(|output| self.still(output)));
        }
        playlist::master(self.version(), &told, &self.told_choices(variants), &stills)
    }

    fn version(&self) -> u32 {
        if self.tracks().any(|(_, track)| track.init.is_some()) {
            7
        } else {
            4
        }
    }

    /// Choices that some variant plays with. Sound that is a variant by itself, without another choice, is none.
    fn told_choices(&self, variants: &[Variant]) -> Vec<Choice> {
        let mut told = Vec::new();
        for (number, group) in self.group.audio_groups.iter().enumerate() {
            let is_used = variants
                .iter()
                .any(|variant| variant.audio == Some(number) && (variant.video.is_some() || group.tracks.len() > 1));
            if !is_used {
                continue;
            }
            for choice in self.choices(&self.group.audio_groups, Some(number)) {
                let encode = self.plan.outputs[choice.output].audios.first();
                told.push(Choice {
                    kind: ChoiceKind::Audio {
                        channels: encode.map_or(2, |encode| self.plan.audios[*encode].channels),
                    },
                    group: group.id.clone(),
                    label: choice.label.clone(),
                    uri: self.uri(choice.output, playlist::INDEX),
                });
            }
        }
        for (number, group) in self.group.subtitle_groups.iter().enumerate() {
            for choice in self.choices(&self.group.subtitle_groups, Some(number)) {
                told.push(Choice {
                    kind: ChoiceKind::Subtitles,
                    group: group.id.clone(),
                    label: choice.label.clone(),
                    uri: self.uri(choice.output, playlist::INDEX),
                });
            }
        }
        told
    }

    fn still(&self, output: usize) -> Option<Still> {
        let (done, info) = (self.done(output)?, self.video_made(output)?);
        let named =
            |file: &ProductFile| matches!(&file.place, Place::Inside(path) if path.ends_with(playlist::IFRAMES));
        if !done.manifests.iter().any(named) {
            return None;
        }
        let (bandwidth, average) = playlist::iframe_rates(done.track.as_ref()?);
        Some(Still {
            is_images: false,
            uri: self.uri(output, playlist::IFRAMES),
            bandwidth,
            average_bandwidth: Some(average),
            resolution: (info.expected.width, info.expected.height),
            codecs: done.codecs.first().cloned()?,
            video_range: video_range(info),
        })
    }

    fn mpd_tracks(&self) -> Vec<(&str, &Track)> {
        self.tracks()
            .map(|(output, track)| (output.name.as_str(), track))
            .collect()
    }

    fn mpd(&self) -> String {
        let mut sets: Vec<AdaptationSet<'_>> = Vec::new();
        let representation = |output: usize| {
            let (plan, done) = (&self.plan.outputs[output], self.done(output)?);
            let kind = match self.video_made(output) {
                Some(info) => mpd::Kind::Video {
                    width: info.expected.width,
                    height: info.expected.height,
                    rate: info.rate,
                },
                None => {
                    let encode = &self.plan.audios[*plan.audios.first()?];
                    mpd::Kind::Audio {
                        rate_hz: encode.rate_hz,
                        channels: encode.channels,
                    }
                }
            };
            let track = done.track.as_ref()?;
            Some(mpd::Representation {
                folder: &plan.name,
                track,
                codecs: done.codecs.first().map(String::as_str),
                kind,
            })
        };
        // A player switches within a set, so each holds one codec, and of sound one language.
        let family = |codecs: Option<&str>| codecs.and_then(|codecs| codecs.split('.').next()).map(str::to_owned);
        for index in &self.group.outputs {
            let Some(one) = representation(*index).filter(|one| matches!(one.kind, mpd::Kind::Video { .. })) else {
                continue;
            };
            let known = sets
                .iter_mut()
                .find(|set| family(set.representations[0].codecs) == family(one.codecs));
            match known {
                Some(set) => set.representations.push(one),
                None => sets.push(AdaptationSet {
                    label: None,
                    representations: vec![one],
                }),
            }
        }
        let mut seen = Vec::new();
        for choice in self.group.audio_groups.iter().flat_map(|group| &group.tracks) {
            if seen.contains(&choice.output) {
                continue;
            }
            seen.push(choice.output);
            let Some(one) = representation(choice.output) else {
                continue;
            };
            let same = |set: &&mut AdaptationSet<'_>| {
                let alike = |label: &crate::media::pass::plan::TrackLabel| {
                    label.language == choice.label.language && label.name == choice.label.name
                };
                set.label.is_some_and(alike)
                    && set.representations[0].kind == one.kind
                    && family(set.representations[0].codecs) == family(one.codecs)
            };
            match sets.iter_mut().find(same) {
                Some(set) => set.representations.push(one),
                None => sets.push(AdaptationSet {
                    label: Some(&choice.label),
                    representations: vec![one],
                }),
            }
        }
        let texts: Vec<mpd::TextSet<'_>> = self
            .group
            .subtitle_groups
            .iter()
            .flat_map(|group| &group.tracks)
            .filter_map(|choice| {
                let (output, done) = (&self.plan.outputs[choice.output], self.done(choice.output)?);
                let place = Place::Inside(format!("{}/{}", output.name, captions::WHOLE));
                let file = done.files.iter().find(|file| file.place == place)?;
                let length_s = self.made.end_s().max(1.0);
                Some(mpd::TextSet {
                    label: &choice.label,
                    id: &output.name,
                    bandwidth: (file.size_bytes as f64 * 8.0 / length_s).ceil() as u64,
                    place,
                })
            })
            .collect();
        mpd::write(&sets, &texts)
    }
}

fn has_video(plan: &Plan, renditions: &[Rendition]) -> bool {
    let is_video = |name: &str| {
        plan.outputs
            .iter()
            .any(|output| output.name == name && output.video.is_some())
    };
    renditions.iter().any(|rendition| is_video(&rendition.name))
}

fn video_range(info: &VideoMade) -> Option<&'static str> {
    match info.expected.color.transfer_name().as_str() {
        "smpte2084" => Some("PQ"),
        "arib-std-b67" => Some("HLG"),
        _ => None,
    }
}
