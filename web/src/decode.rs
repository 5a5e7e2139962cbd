//! An image's pixels from a file's bytes, within the limits of a tab.

use histomask_core::picture_file::{Limits, read_rgb};
use image::RgbImage;

use crate::error::Failure;

/// Most pixels: the mask and its copies are several times as large.
const LIMITS: Limits = Limits { side: 16_384, pixels: 4096 * 4096, bytes: 512 << 20 };

/// The upright RGB pixels of a PNG, JPEG, BMP, TIFF or WebP file; its size is checked before any pixel is decoded.
pub(crate) fn decode(file: &[u8]) -> Result<RgbImage, Failure> {
    Ok(read_rgb(file, &LIMITS)?.0)
}

/// Whether a size is within the limits, so that it is the decoded bytes that are not.
pub(crate) fn fits(width: u32, height: u32) -> bool {
    width.max(height) <= LIMITS.side && u64::from(width) * u64::from(height) <= LIMITS.pixels
}
