//! The report: what was measured, held against the limits asked for.
//!
//! Guarantees: pure; every check asked for is answered, in one order. Deliberately absent: measuring.

use crate::media::facts::MediaFacts;
use crate::media::product::QcPictures;
use crate::media::product::QcReport;
use crate::media::product::QcResult;
use crate::media::product::QcSound;
use crate::media::product::QcVerdict;
use crate::media::qc::opening::Opening;
use crate::media::qc::pictures::PictureScan;
use crate::media::qc::sound::SoundScan;
use crate::media::qc::span::Spans;
use crate::media::qc::words;
use crate::media::spec::QcCheck;
use crate::media::spec::QcSpec;

/// Pictures that can be told, of those looked at for combing, before anything is said of a source.
const TOLD: u64 = 4;
/// Less than this many per cent combed: nothing of it is interlaced.
const NOT_INTERLACED_PERCENT: f64 = 1.0;

/// All that was measured.
pub struct Evidence<'a> {
    /// What was asked for.
    pub spec: &'a QcSpec,
    /// Facts of the source.
    pub facts: &'a MediaFacts,
    /// Of the pictures; none: the source has none.
    pub pictures: Option<&'a PictureScan>,
    /// Of the sound; none: the source has none.
    pub sound: Option<&'a SoundScan>,
    /// How the stream of pictures begins.
    pub opening: Option<Opening>,
    /// Pictures damaged, and packets of pictures that gave none.
    pub damaged: u64,
    /// Packets of sound that could not be decoded.
    pub refused_packets: u64,
    /// Places where the demuxer had to find its way again.
    pub resynchronised: u64,
    /// When the last picture ends.
    pub pictures_end_s: f64,
}

/// What one check came to, before it is known whether it fails the job.
enum Answer {
    Skipped(String),
    Pass(String),
    Finding(String, Spans),
}

/// The report on a source.
pub fn report(evidence: &Evidence<'_>) -> QcReport {
    let mut report = QcReport {
        pictures: evidence.pictures.map(|scan| pictures(evidence, scan)),
        sound: evidence.sound.map(|scan| sound(evidence, scan)),
        ..QcReport::default()
    };
    for check in QcCheck::ALL.into_iter().filter(|check| evidence.spec.looks_for(*check)) {
        let (verdict, found, spans) = match answer(evidence, check) {
            Answer::Skipped(why) => (QcVerdict::Skipped, why, Spans::default()),
            Answer::Pass(found) => (QcVerdict::Pass, found, Spans::default()),
            Answer::Finding(found, spans) => {
                let fails = evidence.spec.fail_on.contains(&check);
                let verdict = if fails { QcVerdict::Fail } else { QcVerdict::Warn };
                (verdict, found, spans)
            }
        };
        let total_s = spans.total_s();
        let (events, events_left_out) = spans.into_parts();
        report.verdict = report.verdict.max(verdict);
        report.checks.push(QcResult {
            check,
            verdict,
            found,
            events,
            events_left_out,
            total_s,
        });
    }
    report.rounded()
}

fn pictures(evidence: &Evidence<'_>, scan: &PictureScan) -> QcPictures {
    QcPictures {
        frames: scan.frames,
        damaged: evidence.damaged,
        repeated: scan.cadence.repeated_count(),
        marked_interlaced: scan.marked_interlaced,
        combed: scan.combed(),
        whole: scan.whole,
        out_of_range_percent: scan.out_of_range_mean(),
        out_of_range_max_percent: scan.out_of_range_max,
        usual_step_ms: scan.cadence.usual_step_s() * 1000.0,
        start_s: scan.cadence.first_s().unwrap_or(0.0),
        end_s: evidence.pictures_end_s,
    }
}

fn sound(evidence: &Evidence<'_>, scan: &SoundScan) -> QcSound {
    let loudness = scan.loudness();
    QcSound {
        integrated_lufs: loudness.and_then(|loudness| loudness.integrated_lufs),
        range_lu: loudness.map(|loudness| loudness.range_lu),
        true_peak_dbtp: loudness.and_then(|loudness| loudness.true_peak_dbtp),
        sample_peak_dbfs: scan.sample_peak_dbfs(),
        clipped_samples: scan.clipped,
        refused_packets: evidence.refused_packets,
        start_s: scan.first_s().unwrap_or(0.0),
        end_s: scan.end_s(),
    }
}

fn answer(evidence: &Evidence<'_>, check: QcCheck) -> Answer {
    let of_pictures = |look: &dyn Fn(&PictureScan) -> Answer| match evidence.pictures {
        None => Answer::Skipped("the source has no pictures".to_owned()),
        Some(scan) => match scan.refused() {
            Some(why) => Answer::Skipped(format!("the pictures could not be measured: {why}")),
            None => look(scan),
        },
    };
    let of_sound = |look: &dyn Fn(&SoundScan) -> Answer| match evidence.sound {
        None => Answer::Skipped("the source has no sound".to_owned()),
        Some(scan) => match scan.refused() {
            Some(why) => Answer::Skipped(format!("the sound could not be measured: {why}")),
            None => look(scan),
        },
    };
    match check {
        QcCheck::Black => of_pictures(&|scan| stretches("black", &scan.black.spans)),
        QcCheck::Freeze => of_pictures(&|scan| stretches("frozen", &scan.freeze.spans)),
        QcCheck::Levels => of_pictures(&levels),
        QcCheck::Interlace => of_pictures(&|scan| interlace(evidence, scan)),
        QcCheck::Repeats => of_pictures(&|scan| repeats(evidence.spec, scan)),
        QcCheck::Gaps => of_pictures(&gaps),
        QcCheck::FirstFrame => of_pictures(&|_| first_frame(evidence)),
        QcCheck::Damage => damage(evidence),
        QcCheck::Silence => of_sound(&|scan| stretches("silent", &scan.silence.spans)),
        QcCheck::Clipping => of_sound(&|scan| stretches("clipped", &scan.clipping)),
        QcCheck::Loudness => of_sound(&|scan| loudness(evidence.spec, scan)),
        QcCheck::Phase => of_sound(&|scan| match scan.channels() {
            2 => stretches("left and right cancel each other", &scan.cancelling.spans),
            channels => Answer::Skipped(format!("of two channels only, and there are {channels}")),
        }),
        QcCheck::AvStart | QcCheck::AvEnd => match (evidence.pictures, evidence.sound) {
            (Some(pictures), Some(sound)) => apart(evidence, check, pictures, sound),
            _ => Answer::Skipped("the source has not both pictures and sound".to_owned()),
        },
    }
}

fn stretches(what: &str, spans: &Spans) -> Answer {
    if spans.is_empty() {
        return Answer::Pass("none".to_owned());
    }
    let (events, left_out) = spans.clone().into_parts();
    let found = format!("{what} {}", words::stretches(&events, left_out, spans.total_s()));
    Answer::Finding(found, spans.clone())
}

fn levels(scan: &PictureScan) -> Answer {
    if scan.is_full_range() {
        return Answer::Skipped("full range allows every level".to_owned());
    }
    match stretches("out of range", &scan.levels.spans) {
        Answer::Finding(found, spans) => Answer::Finding(
            format!("{found}; up to {:.1} % of the pixels", scan.out_of_range_max),
            spans,
        ),
        answer => answer,
    }
}

fn interlace(evidence: &Evidence<'_>, scan: &PictureScan) -> Answer {
    let told = scan.told();
    let percent = scan.combed() as f64 * 100.0 / told.max(1) as f64;
    let said = evidence
        .facts
        .main_video()
        .is_some_and(|(_, video)| !matches!(video.field_order.as_str(), "progressive" | "unknown"));
    let marked = said || scan.marked_interlaced * 2 > scan.frames;
    let seen = format!("{} of {told} pictures that can be told are combed", scan.combed());
    if told < TOLD {
        return Answer::Pass("too little moves to tell".to_owned());
    }
    if !marked && percent > evidence.spec.interlace_percent {
        return Answer::Finding(
            format!("interlaced, though marked progressive: {seen}"),
            Spans::default(),
        );
    }
    if marked && percent < NOT_INTERLACED_PERCENT {
        return Answer::Finding(
            format!("progressive, though marked interlaced: {seen}"),
            Spans::default(),
        );
    }
    Answer::Pass(seen)
}

fn repeats(spec: &QcSpec, scan: &PictureScan) -> Answer {
    let count = scan.cadence.repeated_count();
    let percent = count as f64 * 100.0 / scan.frames.max(1) as f64;
    let found = format!(
        "{count} of {} pictures repeat the one before ({percent:.1} %)",
        scan.frames
    );
    if count == 0 {
        return Answer::Pass("none".to_owned());
    }
    if percent <= spec.repeats_percent {
        return Answer::Pass(found);
    }
    match scan.cadence.pattern() {
        Some(distance) => Answer::Finding(
            format!("{found}, one in {distance} over and over: a lower frame rate was filled up"),
            Spans::default(),
        ),
        None => Answer::Finding(found, scan.cadence.repeats().clone()),
    }
}

fn gaps(scan: &PictureScan) -> Answer {
    let backward = scan.cadence.backward();
    if !backward.is_empty() {
        return Answer::Finding(
            format!("{} time stamps do not go forward", backward.count()),
            backward.clone(),
        );
    }
    if !scan.cadence.is_constant() {
        return Answer::Pass("the frame rate is variable".to_owned());
    }
    let gaps = scan.cadence.gaps();
    stretches("pictures are missing", &gaps)
}

fn first_frame(evidence: &Evidence<'_>) -> Answer {
    match evidence.opening {
        None => Answer::Skipped("no packet of pictures was read".to_owned()),
        Some(Opening::Clean) => Answer::Pass("the first picture stands by itself".to_owned()),
        Some(Opening::Open) => Answer::Finding(
            "the first picture is a key frame but no IDR".to_owned(),
            Spans::default(),
        ),
        Some(Opening::Broken) => Answer::Finding("the first picture is no key frame".to_owned(), Spans::default()),
    }
}

fn damage(evidence: &Evidence<'_>) -> Answer {
    let said = [
        (evidence.damaged, "pictures are damaged"),
        (evidence.refused_packets, "packets of sound could not be decoded"),
        (evidence.resynchronised, "times the demuxer had to find its way again"),
    ];
    let found: Vec<String> = said
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if found.is_empty() {
        return Answer::Pass("none".to_owned());
    }
    Answer::Finding(found.join(", "), Spans::default())
}

fn loudness(spec: &QcSpec, scan: &SoundScan) -> Answer {
    let Some(measured) = scan.loudness() else {
        return Answer::Skipped("sound of this rate and these channels is not measured".to_owned());
    };
    let words = |value: Option<f64>, unit: &str| value.map_or("-".to_owned(), |value| format!("{value:.1} {unit}"));
    let said = format!(
        "{}, range {}, true peak {}",
        words(measured.integrated_lufs, "LUFS"),
        words(Some(measured.range_lu), "LU"),
        words(measured.true_peak_dbtp, "dBTP")
    );
    let mut wrong = Vec::new();
    if let Some(wanted) = spec.loudness_lufs {
        let near = |found: f64| (found - wanted).abs() <= spec.loudness_tolerance_lu;
        if !measured.integrated_lufs.is_some_and(near) {
            wrong.push(format!("not {wanted} LUFS within {} LU", spec.loudness_tolerance_lu));
        }
    }
    let above = |found: Option<f64>, most: Option<f64>| found.zip(most).is_some_and(|(found, most)| found > most);
    if above(Some(measured.range_lu), spec.loudness_range_max_lu) {
        wrong.push("the range is too large".to_owned());
    }
    if above(measured.true_peak_dbtp, spec.true_peak_max_dbtp) {
        wrong.push("the true peak is too high".to_owned());
    }
    if wrong.is_empty() {
        Answer::Pass(said)
    } else {
        Answer::Finding(format!("{said}: {}", wrong.join(", ")), Spans::default())
    }
}

fn apart(evidence: &Evidence<'_>, check: QcCheck, pictures: &PictureScan, sound: &SoundScan) -> Answer {
    let (picture_s, sound_s, most_ms, word) = match check {
        QcCheck::AvStart => (
            pictures.cadence.first_s(),
            sound.first_s(),
            evidence.spec.av_start_max_ms,
            "begins",
        ),
        _ => (
            Some(evidence.pictures_end_s),
            sound.first_s().map(|_| sound.end_s()),
            evidence.spec.av_end_max_ms,
            "ends",
        ),
    };
    let (Some(picture_s), Some(sound_s)) = (picture_s, sound_s) else {
        return Answer::Skipped("pictures or sound gave nothing".to_owned());
    };
    let off_ms = (sound_s - picture_s) * 1000.0;
    let when = if off_ms < 0.0 { "before" } else { "after" };
    let found = format!("sound {word} {:.0} ms {when} the pictures", off_ms.abs());
    if off_ms.abs() <= most_ms {
        return Answer::Pass(found);
    }
    let mut spans = Spans::default();
    spans.add(picture_s.min(sound_s), picture_s.max(sound_s), Some(off_ms));
    Answer::Finding(found, spans)
}
