//! What is drawn onto a rendition: watermarks, boxes that hide what is beneath them, burnt-in subtitles.
//!
//! Guarantees: drawn after scaling, on a copy where the pixels are shared, so that what others make of the same picture
//! stays unmarked; a picture on which nothing is visible is not touched. Marks have the colours they are meant to have,
//! whatever matrix, range, depth or transfer the rendition has. Deliberately absent: encoding.

mod bitmap;
mod burn;
mod drawing;
mod ink;
mod lettering;
mod mosaic;
mod place;
mod span;
mod stamp;
mod vector;

pub use bitmap::Bitmap;
pub use burn::Burning;
pub use drawing::Canvas;
pub use drawing::Drawing;
pub use stamp::Stamp;
pub use vector::font_note;
