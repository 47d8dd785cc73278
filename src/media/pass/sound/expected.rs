//! What the sound of outputs should be, by what was read and measured of the source.

use crate::media::pass::attempt::Pass;
use crate::media::pass::sound::SoundSummary;
use crate::media::pass::sound::TrackSummary;
use crate::media::pass::sound::measure::Measured;
use crate::media::product::LoudnessSeries;
use crate::media::verify::AudioExpected;
use crate::media::verify::LoudnessExpected;

/// Beyond this from what was asked for, LU, it is told.
const FAR_LU: f64 = 0.5;
/// What never rises above this is silence; what does and has no loudness is shorter than a gating block, 400 ms.
const SILENCE_DBTP: f64 = -70.0;
/// Encodes of the same samples differ by no more in their length, seconds.
const SAME_S: f64 = 0.001;

impl Pass<'_> {
    /// What an audio encode should hold.
    pub(in crate::media::pass) fn audio_made(
        &self,
        track: &TrackSummary,
        measured: Option<&Measured>,
    ) -> AudioExpected {
        let encode = &self.plan.audios[track.number];
        // What left the limiter is what was asked for; where it could not be, that is what decoding must give back.
        let reached = track.loudness.and_then(|loudness| loudness.integrated_lufs);
        let loudness = measured.zip(encode.spec.loudness).zip(reached);
        let loudness = loudness.map(|((measured, wanted), reached_lufs)| LoudnessExpected {
            lufs: if (reached_lufs - wanted.target_lufs).abs() <= FAR_LU {
                wanted.target_lufs
            } else {
                reached_lufs
            },
            ceiling_dbtp: wanted.true_peak_dbtp,
            is_lossless: encode.spec.codec.is_lossless(),
            words: words(measured, track),
        });
        AudioExpected {
            codec: encode.codec_name.clone(),
            // Decoders give Opus back at one rate, whatever it was made of.
            rate_hz: if encode.codec_name == "opus" {
                48_000
            } else {
                encode.rate_hz
            },
            channels: encode.channels,
            first_s: track.first_s,
            end_s: track.end_s,
            loudness,
        }
    }

    /// How loud an encode is over its length, as it was measured of itself or of one with the same samples.
    pub(in crate::media::pass) fn loudness_of(
        &self,
        track: &TrackSummary,
        sound: &SoundSummary,
    ) -> Option<LoudnessSeries> {
        if track.series.is_some() {
            return track.series.clone();
        }
        let first = self.plan.first_alike(track.number);
        let alike = sound.tracks.iter().find(|other| other.number == first)?;
        // One whose encoder refused was not measured to its end.
        let is_whole = (alike.end_s - track.end_s).abs() <= SAME_S;
        alike.series.clone().filter(|_| is_whole)
    }

    /// Sound that could not be made as loud as was asked for.
    pub(in crate::media::pass) fn loudness_warnings(
        &self,
        sound: &SoundSummary,
        measured: &[Option<Measured>],
    ) -> Vec<String> {
        let mut warnings = Vec::new();
        for track in &sound.tracks {
            let encode = &self.plan.audios[track.number];
            let found = measured.get(track.number).and_then(Option::as_ref);
            let Some((found, wanted)) = found.zip(encode.spec.loudness) else {
                continue;
            };
            let reached = track.loudness.and_then(|loudness| loudness.integrated_lufs);
            match (found.source.integrated_lufs, reached) {
                (None, _) | (_, None) => {
                    let is_heard = (found.source.true_peak_dbtp).is_some_and(|peak_dbtp| peak_dbtp > SILENCE_DBTP);
                    warnings.push(format!(
                        "stream {} is {}: its loudness was left as it is",
                        encode.stream,
                        if is_heard { "too short to be measured" } else { "silent" }
                    ));
                }
                (_, Some(lufs)) if (lufs - wanted.target_lufs).abs() > FAR_LU => warnings.push(format!(
                    "stream {} reaches {lufs:.1} LUFS of {:.1}: its peaks allow no more ({})",
                    encode.stream,
                    wanted.target_lufs,
                    words(found, track)
                )),
                _ => {}
            }
            let range_lu = track.loudness.map_or(0.0, |loudness| loudness.range_lu);
            if let Some(wanted_lu) = wanted.range_lu.filter(|wanted_lu| range_lu > wanted_lu + 1.0) {
                warnings.push(format!(
                    "stream {} keeps a loudness range of {range_lu:.1} LU, {wanted_lu:.1} were asked for",
                    encode.stream
                ));
            }
        }
        warnings
    }
}

/// What was measured and what was done.
fn words(measured: &Measured, track: &TrackSummary) -> String {
    let or_silence = |value: Option<f64>, unit: &str| match value {
        Some(value) => format!("{value:.1} {unit}"),
        None => "silence".to_owned(),
    };
    let source = &measured.source;
    format!(
        "source {}, range {:.1} LU, true peak {}; gain {:+.1} dB, limited by {:.1} dB",
        or_silence(source.integrated_lufs, "LUFS"),
        source.range_lu,
        or_silence(source.true_peak_dbtp, "dBTP"),
        measured.gain.db,
        track.limited_db
    )
}
