//! Pictures inside the page, as data URIs.

use std::io::Cursor;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use image::{
    ExtendedColorType, ImageEncoder as _, RgbImage, codecs::jpeg::JpegEncoder, codecs::png::PngEncoder, imageops,
};

use super::ReportError;

/// Longest side on the page, in pixels.
const LONGEST: u32 = 640;

/// Up to this side a picture stays lossless; above, JPEG is a tenth of the size.
const LOSSLESS: u32 = 160;

const JPEG_QUALITY: u8 = 88;

/// A picture ready for `img`.
pub(super) struct Embedded {
    pub(super) uri: String,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// Shrinks and encodes a picture.
pub(super) fn embed(label: &str, image: &RgbImage) -> Result<Embedded, ReportError> {
    let longest = image.width().max(image.height());
    let shrunk;
    let image = if longest > LONGEST {
        let side = |length: u32| (u64::from(length) * u64::from(LONGEST) / u64::from(longest)).max(1) as u32;
        shrunk = imageops::thumbnail(image, side(image.width()), side(image.height()));
        &shrunk
    } else {
        image
    };
    let (width, height) = image.dimensions();
    let mut bytes = Cursor::new(Vec::new());
    let (kind, done) = if longest <= LOSSLESS {
        ("png", PngEncoder::new(&mut bytes).write_image(image, width, height, ExtendedColorType::Rgb8))
    } else {
        let encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
        ("jpeg", encoder.write_image(image, width, height, ExtendedColorType::Rgb8))
    };
    done.map_err(|source| ReportError::Picture { label: label.to_owned(), source })?;
    let uri = format!("data:image/{kind};base64,{}", STANDARD.encode(bytes.into_inner()));
    Ok(Embedded { uri, width, height })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail loudly")]
    use super::*;

    fn decoded(embedded: &Embedded) -> RgbImage {
        let bytes = STANDARD.decode(embedded.uri.split(',').nth(1).unwrap()).unwrap();
        image::load_from_memory(&bytes).unwrap().to_rgb8()
    }

    #[test]
    fn small_pictures_are_kept_and_large_ones_shrunk() {
        let small = RgbImage::from_fn(20, 10, |x, y| image::Rgb([x as u8, y as u8, 9]));
        let embedded = embed("small", &small).unwrap();
        assert!(embedded.uri.starts_with("data:image/png;base64,"));
        assert_eq!(decoded(&embedded), small);
        let large = embed("large", &RgbImage::new(1550, 1044)).unwrap();
        assert!(large.uri.starts_with("data:image/jpeg;base64,"));
        assert_eq!(decoded(&large).dimensions(), (640, 431));
    }

    #[test]
    fn an_empty_picture_is_an_error() {
        assert!(matches!(embed("none", &RgbImage::new(0, 0)), Err(ReportError::Picture { .. })));
    }
}
