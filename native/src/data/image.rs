//! Decoding images and masks within limits, so that no file can exhaust the memory.

use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use ::image::error::ImageError;
use ::image::{DynamicImage, GrayImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};

use super::DataError;

/// Endings of the files taken for images, in lower case.
pub const EXTENSIONS: [&str; 7] = ["png", "jpg", "jpeg", "bmp", "tif", "tiff", "webp"];
/// Longest side of an image, in pixels.
pub const MAX_SIDE: u32 = 16_384;
/// Most bytes one decoded image may take.
pub const MAX_BYTES: u64 = 1 << 30;
/// A complete JPEG has its end marker within this many bytes of the file's end.
const JPEG_TAIL: i64 = 1024;
const JPEG_END: [u8; 2] = [0xff, 0xd9];

/// Reads an image as 8-bit RGB; transparency is dropped, 16-bit channels are scaled down.
///
/// # Errors
/// Missing, unreadable, of an unknown format, damaged or too large; each a [`DataError`] that names the file.
pub fn read_rgb(path: &Path) -> Result<RgbImage, DataError> {
    Ok(decode(path)?.into_rgb8())
}

/// Reads a mask: 255 where any colour channel of the file is not 0 (GlaS's instance ids, 0/255, or a palette), else 0.
///
/// # Errors
/// As [`read_rgb`], and [`DataError::MaskSize`] if it is not `(width, height)`, its image's size.
pub fn read_mask(path: &Path, (width, height): (u32, u32)) -> Result<GrayImage, DataError> {
    let mask = image_size(path)?;
    if mask != (width, height) {
        return Err(DataError::MaskSize { path: path.to_owned(), mask, image: (width, height) });
    }
    let any = |channels: &[u16]| if channels.iter().any(|&value| value != 0) { 255 } else { 0 };
    let values = match decode(path)? {
        DynamicImage::ImageLuma8(gray) => gray.into_raw().into_iter().map(|value| any(&[value.into()])).collect(),
        // widening keeps every value that is not 0
        colour => colour.into_rgb16().pixels().map(|pixel| any(&pixel.0)).collect(),
    };
    GrayImage::from_raw(width, height, values)
        .ok_or_else(|| DataError::Unreadable { path: path.to_owned(), reason: "pixels are missing".to_owned() })
}

/// Width and height, from the file's header alone.
///
/// # Errors
/// As [`read_rgb`], but damage behind the header goes unnoticed.
pub fn image_size(path: &Path) -> Result<(u32, u32), DataError> {
    let (_, size) = checked_decoder(path)?;
    Ok(size)
}

fn decode(path: &Path) -> Result<DynamicImage, DataError> {
    let (mut decoder, (width, height)) = checked_decoder(path)?;
    let decoded = (|| {
        let mut limits = limits();
        limits.reserve(decoder.total_bytes())?;
        decoder.set_limits(limits)?;
        DynamicImage::from_decoder(decoder)
    })();
    decoded.map_err(|error| match error {
        ImageError::Limits(_) => DataError::TooLarge { path: path.to_owned(), width, height },
        error => image_error(path, error),
    })
}

/// Opens a file as far as its header and checks the size that stands there.
fn checked_decoder(path: &Path) -> Result<(impl ImageDecoder, (u32, u32)), DataError> {
    let file = File::open(path).map_err(|error| DataError::io(path, error))?;
    let mut reader =
        ImageReader::new(BufReader::new(file)).with_guessed_format().map_err(|error| DataError::io(path, error))?;
    match reader.format() {
        None => return Err(DataError::UnknownFormat { path: path.to_owned() }),
        Some(ImageFormat::Jpeg) => check_jpeg_end(path)?,
        Some(_) => {}
    }
    reader.limits(limits());
    let decoder = reader.into_decoder().map_err(|error| image_error(path, error))?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(DataError::Unreadable { path: path.to_owned(), reason: "it has no pixels".to_owned() });
    }
    if width > MAX_SIDE || height > MAX_SIDE {
        return Err(DataError::TooLarge { path: path.to_owned(), width, height });
    }
    Ok((decoder, (width, height)))
}

fn limits() -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_BYTES);
    limits
}

/// The JPEG decoder fills up a truncated file with grey and does not complain.
fn check_jpeg_end(path: &Path) -> Result<(), DataError> {
    let read = || {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::End(-JPEG_TAIL.min(length.try_into().unwrap_or(JPEG_TAIL))))?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail)?;
        Ok(tail)
    };
    let tail: Vec<u8> = read().map_err(|error| DataError::io(path, error))?;
    if tail.windows(2).any(|bytes| bytes == JPEG_END) {
        return Ok(());
    }
    Err(DataError::Unreadable { path: path.to_owned(), reason: "the JPEG end marker is missing".to_owned() })
}

fn image_error(path: &Path, error: ImageError) -> DataError {
    let path = path.to_owned();
    match error {
        ImageError::Unsupported(_) => DataError::UnknownFormat { path },
        ImageError::IoError(reason) if reason.kind() != std::io::ErrorKind::UnexpectedEof => {
            DataError::Io { path, reason }
        }
        error => DataError::Unreadable { path, reason: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use ::image::{ImageBuffer, Luma, Rgb};

    use super::*;

    fn picture() -> RgbImage {
        RgbImage::from_fn(61, 47, |x, y| Rgb([(x * 4) as u8, (y * 5) as u8, (x * y % 251) as u8]))
    }

    #[test]
    fn formats_decode_and_half_a_file_does_not() {
        let folder = tempfile::tempdir().unwrap();
        for extension in ["png", "bmp", "tif", "webp", "jpg"] {
            let path = folder.path().join(format!("x.{extension}"));
            picture().save(&path).unwrap();
            assert_eq!(image_size(&path).unwrap(), (61, 47));
            let decoded = read_rgb(&path).unwrap();
            if extension == "jpg" {
                assert_eq!(decoded.dimensions(), (61, 47));
            } else {
                assert_eq!(decoded, picture(), "{extension}");
            }
            let bytes = std::fs::read(&path).unwrap();
            std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
            let error = read_rgb(&path).unwrap_err();
            assert!(matches!(error, DataError::Unreadable { .. }), "{extension}: {error:?}");
            assert!(error.to_string().contains("is the file complete?"));
        }
    }

    #[test]
    fn what_is_wrong_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.png");
        assert!(matches!(read_rgb(&path).unwrap_err(), DataError::Missing { .. }));
        std::fs::write(&path, "GIF89a or a text").unwrap();
        assert!(matches!(read_rgb(&path).unwrap_err(), DataError::UnknownFormat { .. }));
        std::fs::write(&path, "").unwrap();
        assert!(matches!(read_rgb(&path).unwrap_err(), DataError::UnknownFormat { .. }));
        let folder_as_image = read_rgb(folder.path()).unwrap_err();
        assert!(matches!(folder_as_image, DataError::Io { .. }), "{folder_as_image:?}");

        GrayImage::new(MAX_SIDE + 1, 1).save(&path).unwrap();
        assert!(matches!(image_size(&path).unwrap_err(), DataError::TooLarge { width: 16_385, height: 1, .. }));
        // a bitmap header that promises 16384 × 16384 × 4 bytes and then ends
        let mut header = b"BM".to_vec();
        for value in [0u32, 0, 54, 40, MAX_SIDE, MAX_SIDE, 1 | 32 << 16, 0, 0, 0, 0, 0, 0] {
            header.extend(value.to_le_bytes());
        }
        std::fs::write(&path, header).unwrap();
        assert!(matches!(read_rgb(&path).unwrap_err(), DataError::Unreadable { .. } | DataError::TooLarge { .. }));
    }

    #[test]
    fn any_value_but_zero_is_foreground() {
        let folder = tempfile::tempdir().unwrap();
        let expected = GrayImage::from_vec(3, 1, vec![0, 255, 255]).unwrap();
        let path = folder.path().join("m.png");
        let check = || assert_eq!(read_mask(&path, (3, 1)).unwrap(), expected);
        GrayImage::from_vec(3, 1, vec![0, 1, 255]).unwrap().save(&path).unwrap();
        check();
        ImageBuffer::<Luma<u16>, _>::from_vec(3, 1, vec![0u16, 1, 256]).unwrap().save(&path).unwrap();
        check();
        RgbImage::from_vec(3, 1, vec![0, 0, 0, 0, 0, 1, 9, 0, 0]).unwrap().save(&path).unwrap();
        check();
        let error = read_mask(&path, (4, 2)).unwrap_err().to_string();
        assert!(error.contains("3×1") && error.contains("4×2"), "{error}");
    }
}
