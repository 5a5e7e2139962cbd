//! Reading images and masks of files within limits; what their bytes mean is decided in
//! [`histomask_core::picture_file`].

use std::path::Path;

use ::image::{GrayImage, RgbImage};
use histomask_core::outline::GeoJsonError;
use histomask_core::picture_file::{self, Limits, MaskNotes, PictureError, PictureNotes};

use super::DataError;
use super::geojson::{is_geojson, read_named_shapes};

pub use histomask_core::picture_file::name::ENDINGS as EXTENSIONS;

/// Longest side of an image, in pixels.
pub const MAX_SIDE: u32 = 16_384;
/// Most bytes one decoded image may take.
pub const MAX_BYTES: u64 = 1 << 30;
/// Most bytes of a file: an image within the limits, stored without compression.
const MAX_FILE: u64 = 2 << 30;

const LIMITS: Limits = Limits { side: MAX_SIDE, pixels: MAX_SIDE as u64 * MAX_SIDE as u64, bytes: MAX_BYTES };

/// Reads an upright image as 8-bit RGB on white.
///
/// # Errors
/// Missing, unreadable, of an unknown format, damaged, too large or of a kind that is refused; each a [`DataError`]
/// that names the file.
pub fn read_rgb(path: &Path) -> Result<RgbImage, DataError> {
    Ok(read_rgb_noted(path)?.0)
}

/// [`read_rgb`], and what should be known of the image.
///
/// # Errors
/// As [`read_rgb`].
pub fn read_rgb_noted(path: &Path) -> Result<(RgbImage, PictureNotes), DataError> {
    picture_file::read_rgb(&bytes(path)?, &LIMITS).map_err(|reason| DataError::picture(path, reason))
}

/// Reads a mask: 255 where the file marks foreground, else 0; see [`picture_file::read_mask`]. Of GeoJSON, the pixels
/// whose middle lies in a polygon.
///
/// # Errors
/// As [`read_rgb`], and [`DataError::Picture`] if it is not `size`, its upright image's width and height.
pub fn read_mask(path: &Path, size: (u32, u32)) -> Result<GrayImage, DataError> {
    Ok(read_mask_noted(path, size)?.0)
}

/// [`read_mask`], and what should be known of the mask.
///
/// # Errors
/// As [`read_mask`].
pub fn read_mask_noted(path: &Path, size: (u32, u32)) -> Result<(GrayImage, MaskNotes), DataError> {
    if is_geojson(path) {
        return drawn_mask(path, size);
    }
    picture_file::read_mask(&bytes(path)?, size, &LIMITS).map_err(|reason| DataError::picture(path, reason))
}

/// Polygons as a mask; one that lies beyond the image belongs to another.
fn drawn_mask(path: &Path, (width, height): (u32, u32)) -> Result<(GrayImage, MaskNotes), DataError> {
    let (shapes, classes) = read_named_shapes(path)?;
    shapes.refuse_no_areas().map_err(|reason| DataError::GeoJson { path: path.to_owned(), reason })?;
    let (outside, all) = (shapes.outside([width.into(), height.into()]), shapes.shapes.len());
    if outside > 0 {
        let reason = GeoJsonError::Outside { outside, all, width, height };
        return Err(DataError::GeoJson { path: path.to_owned(), reason });
    }
    let mask = shapes.mask(width as usize, height as usize, [1.0; 2]);
    let values = mask.into_iter().map(|inside| if inside { u8::MAX } else { 0 }).collect();
    let notes = MaskNotes { classes: classes.len() > 1, ..MaskNotes::default() };
    Ok((GrayImage::from_raw(width, height, values).unwrap_or_default(), notes))
}

/// Width and height of the upright image, from the file's header alone.
///
/// # Errors
/// As [`read_rgb`], but damage behind the header goes unnoticed.
pub fn image_size(path: &Path) -> Result<(u32, u32), DataError> {
    picture_file::picture_size(&bytes(path)?, &LIMITS).map_err(|reason| DataError::picture(path, reason))
}

fn bytes(path: &Path) -> Result<Vec<u8>, DataError> {
    let data = std::fs::metadata(path).map_err(|error| DataError::io(path, error))?;
    // a pipe that nobody writes to would be waited for; a shell's own, as of `<(...)`, lies in /dev
    if !(data.is_file() || data.is_dir() || path.starts_with("/dev")) {
        let (what, remedy) = ("no file but a pipe, socket or device".into(), "remove it, or name an image file");
        return Err(DataError::picture(path, PictureError::Refused { what, remedy }));
    }
    let size = data.len();
    if size > MAX_FILE {
        let reason = PictureError::Refused {
            what: format!("a file of {} GiB, more than one patch has", size >> 30),
            remedy: "cut it into patches",
        };
        return Err(DataError::picture(path, reason));
    }
    std::fs::read(path).map_err(|error| DataError::io(path, error))
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
            assert!(
                matches!(error, DataError::Picture { reason: PictureError::Damaged(_), .. }),
                "{extension}: {error:?}"
            );
            assert!(error.to_string().contains("is the file complete?"));
        }
    }

    #[test]
    fn what_is_wrong_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.png");
        assert!(matches!(read_rgb(&path).unwrap_err(), DataError::Missing { .. }));
        std::fs::write(&path, "GIF89a or a text").unwrap();
        let says = |part: &str| {
            let text = read_rgb(&path).unwrap_err().to_string();
            assert!(text.contains(part), "{text}");
        };
        says("not an image this program reads (GIF); convert it to");
        std::fs::write(&path, "").unwrap();
        says("the file is empty");
        let folder_as_image = read_rgb(folder.path()).unwrap_err();
        assert!(folder_as_image.to_string().contains("name a file, or rename the folder"), "{folder_as_image}");

        GrayImage::new(MAX_SIDE + 1, 1).save(&path).unwrap();
        says("16385×1 pixels are too large");
        // a bitmap header that promises 16384 × 16384 × 4 bytes and then ends
        let mut header = b"BM".to_vec();
        for value in [0u32, 0, 54, 40, MAX_SIDE, MAX_SIDE, 1 | 32 << 16, 0, 0, 0, 0, 0, 0] {
            header.extend(value.to_le_bytes());
        }
        std::fs::write(&path, header).unwrap();
        says("x.png");
    }

    #[test]
    fn polygons_that_are_hardly_areas_in_pixels_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.geojson");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            read_mask_noted(&path, (8, 6)).map(|(mask, notes)| (foreground_of(&mask), notes.classes))
        };
        let ring = |left: f64, top: f64, side: f64| {
            let (right, bottom) = (left + side, top + side);
            format!(
                r#"{{"type":"Polygon","coordinates":[[[{left},{top}],[{right},{top}],[{right},{bottom}],[{left},{bottom}]]]}}"#
            )
        };
        let empty = r#"{"type":"FeatureCollection","features":[]}"#;
        for (text, expected) in [(ring(2.0, 1.0, 3.0), 9), (ring(0.0, 0.0, 1.0), 1), (empty.into(), 0)] {
            assert_eq!(read(&text).unwrap(), (expected, false), "{text}");
        }
        let point = r#"{"type":"Point","coordinates":[2,3]}"#;
        let line = r#"{"type":"LineString","coordinates":[[2,1],[5,1],[5,4],[2,1]]}"#;
        let (shares, degrees) = (ring(0.1, 0.25, 0.75), ring(4.01, 3.01, 0.1));
        for (text, part) in [
            (point, "m.geojson: it holds no polygon; draw areas"),
            (line, "m.geojson: it holds no polygon; draw areas"),
            (&shares, "m.geojson: its polygons together are smaller than a pixel; coordinates are pixels"),
            (&degrees, "smaller than a pixel"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
        let feature = |class: &str, at: f64| {
            let properties = format!(r#"{{"classification":{{"name":"{class}"}}}}"#);
            format!(r#"{{"type":"Feature","geometry":{},"properties":{properties}}}"#, ring(at, 0.0, 2.0))
        };
        let list = |second: &str| format!("[{},{}]", feature("Tumor", 0.0), feature(second, 4.0));
        assert_eq!(read(&list("Tumor")).unwrap(), (8, false));
        assert_eq!(read(&list("Ignore*")).unwrap(), (8, true));
    }

    fn foreground_of(mask: &GrayImage) -> usize {
        mask.as_raw().iter().filter(|&&value| value > 0).count()
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
