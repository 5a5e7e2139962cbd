//! An image's pixels from a file's bytes, within the limits of a tab.

use histomask_core::picture_file::{Limits, PictureNotes, read_rgb};
use image::RgbImage;

use crate::error::Failure;

/// Most pixels: the mask and its copies are several times as large.
const LIMITS: Limits = Limits { side: 16_384, pixels: 4096 * 4096, bytes: 512 << 20 };

/// The upright RGB pixels of a PNG, JPEG, BMP, TIFF or WebP file, and what should be known of it; its size is checked
/// before any pixel is decoded.
pub(crate) fn decode(file: &[u8]) -> Result<(RgbImage, PictureNotes), Failure> {
    Ok(read_rgb(file, &LIMITS)?)
}
