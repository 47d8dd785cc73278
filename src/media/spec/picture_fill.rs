//! How a frame fills a picture of another shape.
//!
//! Deliberately absent: pixels.

use serde::Deserialize;
use serde::Serialize;

/// How a frame fills a picture whose two sides were both given and whose shape is another one (`FillType` of the
/// clouds; their `gauss` is `blur`). Without it the frame is fitted inside and `color` shows beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PictureFill {
    /// Pulled to the picture's shape.
    Stretch,
    /// Fitted inside, black beside it.
    Black,
    /// Fitted inside, white beside it.
    White,
    /// Fitted inside, itself enlarged and blurred beside it.
    #[serde(alias = "gauss")]
    Blur,
    /// Covers the picture; what sticks out is cut off evenly.
    Crop,
    /// Fitted inside, and the picture ends where the frame does: no more than the sides given.
    Keep,
}
