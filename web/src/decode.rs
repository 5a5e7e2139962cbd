//! An image's pixels from a file's bytes, within limits.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder as _, ImageError, ImageFormat, ImageReader, Limits, RgbImage};

use crate::error::Failure;

/// Most pixels of an image: the mask and its copies are several times as large.
const MOST_PIXELS: u64 = 4096 * 4096;

/// Longest side, of what is as long as that.
const LONGEST_SIDE: u32 = 16_384;

/// Most bytes a decoder may take.
const MOST_BYTES: u64 = 512 << 20;

const JPEG_END: [u8; 2] = [0xff, 0xd9];

/// How far from its end a JPEG file's end marker is looked for.
const JPEG_TAIL: usize = 64 << 10;

/// The RGB pixels of a PNG, JPEG, BMP, TIFF or WebP file; its size is checked before any pixel is decoded.
pub(crate) fn decode(file: &[u8]) -> Result<RgbImage, Failure> {
    if file.is_empty() {
        return Err(Failure::EmptyFile);
    }
    let mut reader = ImageReader::new(Cursor::new(file))
        .with_guessed_format()
        .map_err(|error| Failure::Damaged(error.to_string()))?;
    match reader.format() {
        None => return Err(Failure::UnknownFormat),
        // the decoder fills up a truncated file with grey and does not complain
        Some(ImageFormat::Jpeg) => {
            let tail = file.get(file.len().saturating_sub(JPEG_TAIL)..).unwrap_or(file);
            if !tail.windows(2).any(|bytes| bytes == JPEG_END) {
                return Err(Failure::Damaged("the JPEG end marker is missing".into()));
            }
        }
        Some(_) => {}
    }
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MOST_BYTES);
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder().map_err(damage)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MOST_PIXELS || width.max(height) > LONGEST_SIDE {
        return Err(Failure::TooLarge { width, height });
    }
    let pixels = limits
        .reserve(decoder.total_bytes())
        .and_then(|()| decoder.set_limits(limits))
        .and_then(|()| DynamicImage::from_decoder(decoder));
    Ok(pixels.map_err(damage)?.into_rgb8())
}

fn damage(error: ImageError) -> Failure {
    match error {
        ImageError::Unsupported(_) => Failure::UnknownFormat,
        ImageError::Limits(_) => Failure::TooMuchMemory,
        error => Failure::Damaged(error.to_string()),
    }
}
