//! Whether, and how, renditions are compared with what they were made of.
//!
//! Deliberately absent: what is done with the numbers beyond the least values asked for.

use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::de::MapAccess;
use serde::de::Visitor;
use serde::de::value::MapAccessDeserializer;
use std::fmt;

/// One measure of likeness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QualityMetric {
    /// Peak signal to noise ratio, dB.
    Psnr,
    /// Structural similarity, 0..=1.
    Ssim,
    /// What people would say of it, 0..=100, by the libvmaf of the host, where it has one.
    Vmaf,
}

/// Renditions are compared with the pictures their encoders were given, here and there. In definitions `true`, or a
/// table of these keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QualitySpec {
    /// What is measured.
    pub metrics: Vec<QualityMetric>,
    /// A picture is compared in every stretch of so many seconds, 0.1..=3600; longer ones in long sources, where
    /// some forty pictures are compared.
    pub every_s: f64,
    /// Least PSNR over all pictures compared, luma and chroma together, dB, 10..=100; less fails the job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_psnr_db: Option<f64>,
    /// Least SSIM, on average, 0..=1; less fails the job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_ssim: Option<f64>,
    /// Least VMAF, on average, 0..=100; less fails the job, and so does a host that cannot measure it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_vmaf: Option<f64>,
}

impl Default for QualitySpec {
    fn default() -> Self {
        QualitySpec {
            metrics: vec![QualityMetric::Psnr, QualityMetric::Ssim],
            every_s: 5.0,
            min_psnr_db: None,
            min_ssim: None,
            min_vmaf: None,
        }
    }
}

impl QualitySpec {
    /// Whether a metric is wanted; VMAF as well by its least value, because it is not measured unless asked for.
    pub fn wants(&self, metric: QualityMetric) -> bool {
        self.metrics.contains(&metric) || metric == QualityMetric::Vmaf && self.min_vmaf.is_some()
    }
}

/// Reads `true`, `false` or a table.
///
/// # Errors
/// Anything else, and unknown keys of the table.
pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<QualitySpec>, D::Error> {
    struct Switch;
    impl<'de> Visitor<'de> for Switch {
        type Value = Option<QualitySpec>;
        fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
            to.write_str("true, false or a table of quality")
        }
        fn visit_bool<E>(self, on: bool) -> Result<Self::Value, E> {
            Ok(on.then(QualitySpec::default))
        }
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            QualitySpec::deserialize(MapAccessDeserializer::new(map)).map(Some)
        }
    }
    deserializer.deserialize_any(Switch)
}
