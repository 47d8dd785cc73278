//! How like a rendition is to the pictures it was made of.
//!
//! Deliberately absent: an opinion on what is good enough.

use serde::Deserialize;
use serde::Serialize;

/// A model of VMAF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum VmafModel {
    /// Of pictures up to 1080 rows, seen from three times their height.
    #[serde(rename = "vmaf_v0.6.1")]
    Hd,
    /// Of 2160 rows, seen from one and a half times their height.
    #[serde(rename = "vmaf_4k_v0.6.1")]
    Uhd,
}

impl VmafModel {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            VmafModel::Hd => "vmaf_v0.6.1",
            VmafModel::Uhd => "vmaf_4k_v0.6.1",
        }
    }
}

/// Likeness of one rendition, over the pictures compared.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Quality {
    /// Pictures compared.
    pub frames: u32,
    /// PSNR of luma and chroma together, of the mean error; 100 when nothing differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub psnr_db: Option<f64>,
    /// Of luma alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub psnr_y_db: Option<f64>,
    /// Of the worst picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub psnr_min_db: Option<f64>,
    /// SSIM of luma and chroma together, on average.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssim: Option<f64>,
    /// Of luma alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssim_y: Option<f64>,
    /// Of the worst picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssim_min: Option<f64>,
    /// VMAF on average, 0 to 100, at the rendition's own size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vmaf: Option<f64>,
    /// Of the worst picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vmaf_min: Option<f64>,
    /// The model of these two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vmaf_model: Option<VmafModel>,
    /// Why there is no VMAF though it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vmaf_missing: Option<String>,
    /// When the worst picture is shown, by PSNR, else by SSIM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worst_at_s: Option<f64>,
}
