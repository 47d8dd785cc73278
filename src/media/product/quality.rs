//! How like a rendition is to the pictures it was made of.
//!
//! Deliberately absent: an opinion on what is good enough.

use serde::Deserialize;
use serde::Serialize;

/// Likeness of one rendition, over the pictures compared.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
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
    /// When the worst picture is shown, by PSNR, else by SSIM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worst_at_s: Option<f64>,
}
