//! Quality: limits of control, and of renditions.

use crate::media::spec::QcSpec;
use crate::media::spec::QualityMetric;
use crate::media::spec::QualitySpec;
use crate::media::spec_check::findings::Findings;

pub(super) fn quality(findings: &mut Findings, spec: &QualitySpec) {
    if spec.metrics.is_empty() {
        findings.add("quality.metrics", "nothing is measured; write quality = false instead");
    }
    findings.within("quality.every_s".to_owned(), spec.every_s, 0.1..=3600.0);
    findings.within_if("quality.min_psnr_db".to_owned(), spec.min_psnr_db, 10.0..=100.0);
    findings.within_if("quality.min_ssim".to_owned(), spec.min_ssim, 0.0..=1.0);
    findings.within_if("quality.min_vmaf".to_owned(), spec.min_vmaf, 0.0..=100.0);
    let unmeasured = [
        ("quality.min_psnr_db", spec.min_psnr_db, QualityMetric::Psnr, "psnr"),
        ("quality.min_ssim", spec.min_ssim, QualityMetric::Ssim, "ssim"),
    ];
    for (key, least, metric, word) in unmeasured {
        if least.is_some() && !spec.wants(metric) {
            findings.add(key, format!("{word:?} is not among quality.metrics"));
        }
    }
}

pub(super) fn qc(findings: &mut Findings, spec: &QcSpec) {
    let path = |key: &str| key.to_owned();
    if spec.checks.is_empty() {
        findings.add("checks", "nothing is looked for; leave it out to look for everything");
    }
    for check in &spec.fail_on {
        if !spec.looks_for(*check) {
            findings.add(
                "fail_on",
                format!("{:?} is not among the checks, so it finds nothing", check.as_str()),
            );
        }
    }
    findings.within(path("black_min_s"), spec.black_min_s, 0.0..=3600.0);
    findings.within(path("black_pixel"), spec.black_pixel, 0.0..=1.0);
    findings.within(path("black_picture_percent"), spec.black_picture_percent, 1.0..=100.0);
    findings.within(path("freeze_min_s"), spec.freeze_min_s, 0.1..=3600.0);
    findings.within(path("freeze_noise_db"), spec.freeze_noise_db, -120.0..=0.0);
    findings.within(path("silence_min_s"), spec.silence_min_s, 0.1..=3600.0);
    findings.within(path("silence_db"), spec.silence_db, -120.0..=0.0);
    findings.within(path("clipping_db"), spec.clipping_db, -6.0..=0.0);
    findings.within(path("clipping_samples"), spec.clipping_samples, 1..=1000);
    findings.within_if(path("loudness_lufs"), spec.loudness_lufs, -70.0..=0.0);
    findings.within(path("loudness_tolerance_lu"), spec.loudness_tolerance_lu, 0.0..=20.0);
    findings.within_if(path("loudness_range_max_lu"), spec.loudness_range_max_lu, 0.0..=50.0);
    findings.within_if(path("true_peak_max_dbtp"), spec.true_peak_max_dbtp, -20.0..=6.0);
    for (key, [low, high]) in [("luma_range", spec.luma_range), ("chroma_range", spec.chroma_range)] {
        if low >= high {
            findings.add(key, format!("{low} is not less than {high}"));
        }
    }
    findings.within(path("levels_percent"), spec.levels_percent, 0.0..=100.0);
    findings.within(path("repeats_percent"), spec.repeats_percent, 0.0..=100.0);
    findings.within(path("interlace_percent"), spec.interlace_percent, 1.0..=100.0);
    findings.within(path("av_start_max_ms"), spec.av_start_max_ms, 0.0..=60_000.0);
    findings.within(path("av_end_max_ms"), spec.av_end_max_ms, 0.0..=600_000.0);
    findings.within(path("phase_correlation"), spec.phase_correlation, -1.0..=0.0);
    findings.within(path("phase_min_s"), spec.phase_min_s, 0.1..=3600.0);
}
