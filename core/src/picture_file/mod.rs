//! Pictures and masks from the bytes of a file, by one rule for every program and every format.
//!
//! | | rule |
//! |---|---|
//! | orientation | applied (EXIF, TIFF), so that everything is upright |
//! | alpha | composed on white; in masks see [`read_mask`] |
//! | pages | reduced ones are skipped; several of full size are refused unless the file says that they are R, G and B |
//! | depth | 16 bits are scaled to 8; floats are 0 to 1, or within the file's own limits |
//! | truncation | refused, also where a decoder would fill up what is missing |
//! | hidden and system files | [`name::is_litter`] |
//!
//! `docs/FORMATS.md` has the table of what is read and what is refused. Nothing here touches a file.

mod bmp;
mod error;
mod jpeg;
mod levels;
mod mask;
pub mod name;
mod png;
mod raster;
mod resolution;
mod tiff;
mod webp;

use std::io::Cursor;

use image::codecs::bmp::BmpDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, ImageDecoder, ImageFormat, ImageReader, RgbImage};

pub use error::PictureError;
#[cfg(feature = "slide")]
pub(crate) use jpeg::{closed, scans_end};
pub use mask::MaskNotes;

use raster::Raster;

/// What a picture may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest side in pixels.
    pub side: u32,
    /// Most pixels.
    pub pixels: u64,
    /// Most bytes of the decoded picture.
    pub bytes: u64,
}

/// What should be known of a picture that was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PictureNotes {
    /// The largest value of a 16-bit picture whose upper bits are unused: it looks nearly black.
    pub unused_bits: Option<u16>,
    /// Microns per pixel, where the file says so.
    pub mpp: Option<f64>,
}

/// Decoded for pixels, or for what they stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Picture,
    Mask,
}

/// An upright 8-bit RGB picture.
///
/// # Errors
/// [`PictureError`]: of no known format, damaged, beyond `limits`, or of a kind that cannot be read as it is meant.
pub fn read_rgb(file: &[u8], limits: &Limits) -> Result<(RgbImage, PictureNotes), PictureError> {
    let Decoded { raster, orientation } = decode(file, limits, Purpose::Picture)?;
    let mpp = resolution::microns_per_pixel(file, kind(file)?);
    let notes = PictureNotes { unused_bits: raster.unused_bits(), mpp };
    let mut picture = DynamicImage::ImageRgb8(raster.into_rgb()?);
    picture.apply_orientation(orientation);
    Ok((picture.into_rgb8(), notes))
}

/// An upright mask of `size` (width and height): 255 where the file marks foreground, else 0.
///
/// - Indexed colour: the index counts, 0 is background, whatever its colour.
/// - Grey, also as RGB: any value but 0 is foreground, as displayed (TIFF's "white is zero" is turned round).
/// - Colours: any but black; on a white background any but white, which the corners tell.
/// - Alpha that varies: what is transparent is background; if what is not has one colour, alpha is the mask.
/// - JPEG and lossy WebP, which cannot hold exact values: from half of the largest value on.
///
/// # Errors
/// As [`read_rgb`]; [`PictureError::MaskSize`] if it has another size; a mask that does not tell its background.
pub fn read_mask(file: &[u8], size: (u32, u32), limits: &Limits) -> Result<(GrayImage, MaskNotes), PictureError> {
    // told before a large mask is decoded
    let found = picture_size(file, limits)?;
    if found != size {
        return Err(PictureError::MaskSize { mask: found, image: size });
    }
    let Decoded { raster, orientation } = decode(file, limits, Purpose::Mask)?;
    let (mask, notes) = mask::of(&raster)?;
    let mut mask = DynamicImage::ImageLuma8(mask);
    mask.apply_orientation(orientation);
    Ok((mask.into_luma8(), notes))
}

/// Width and height of the upright picture, from the file's header alone.
///
/// # Errors
/// As [`read_rgb`], but damage behind the header goes unnoticed.
pub fn picture_size(file: &[u8], limits: &Limits) -> Result<(u32, u32), PictureError> {
    let ((width, height), orientation) = match kind(file)? {
        ImageFormat::Tiff => tiff::size(file)?,
        format => {
            if format == ImageFormat::Jpeg {
                jpeg::walk(file).refuse_unreadable()?;
            }
            let orientation = orientation(file, format);
            (decoder(file, format)?.dimensions(), orientation)
        }
    };
    check_size(width, height, limits)?;
    Ok(if is_turned(orientation) { (height, width) } else { (width, height) })
}

fn is_turned(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}

struct Decoded {
    raster: Raster,
    orientation: Orientation,
}

fn decode(file: &[u8], limits: &Limits, purpose: Purpose) -> Result<Decoded, PictureError> {
    let format = kind(file)?;
    if format == ImageFormat::Tiff {
        let (raster, orientation) = tiff::read(file, limits, purpose)?;
        return Ok(Decoded { raster, orientation });
    }
    match format {
        ImageFormat::Png => refuse_animation(png::frames(file))?,
        ImageFormat::WebP => {
            webp::refuse_cut_off(file)?;
            refuse_animation(webp::frames(file))?;
        }
        _ => {}
    }
    let orientation = orientation(file, format);
    let raster = match (format, purpose) {
        (ImageFormat::Png, Purpose::Picture) if png::is_indexed(file) => {
            png::refuse_beyond_palette(file, limits)?;
            plain(decoder(file, format)?, limits)?
        }
        (ImageFormat::Jpeg, _) => jpeg::read(file, limits)?,
        (ImageFormat::Png, Purpose::Mask) if png::is_indexed(file) => png::indices(file, limits)?,
        (ImageFormat::Bmp, Purpose::Mask) if bmp::is_run_length(file) => {
            let kind = "it is a BMP of colours by index in run lengths (RLE), whose indices cannot be read";
            return Err(PictureError::refused(kind, "save it as PNG, or as BMP without compression"));
        }
        (ImageFormat::Bmp, Purpose::Picture) if !bmp::is_run_length(file) => {
            let decoder = BmpDecoder::new(Cursor::new(file)).map_err(PictureError::from_image)?;
            bmp::refuse_beyond_palette(file, decoder.dimensions(), limits)?;
            plain(decoder, limits)?
        }
        (ImageFormat::Bmp, Purpose::Mask) => {
            let decoder = BmpDecoder::new(Cursor::new(file)).map_err(PictureError::from_image)?;
            match decoder.get_palette() {
                Some(_) => bmp::indices(file, decoder.dimensions(), limits)?,
                None => plain(decoder, limits)?,
            }
        }
        (ImageFormat::WebP, _) => Raster { lossy: webp::is_lossy(file), ..plain(decoder(file, format)?, limits)? },
        _ => plain(decoder(file, format)?, limits)?,
    };
    Ok(Decoded { raster, orientation })
}

fn refuse_animation(frames: u32) -> Result<(), PictureError> {
    if frames <= 1 {
        return Ok(());
    }
    Err(PictureError::refused(format!("it is an animation of {frames} frames"), "save the frame that is meant as PNG"))
}

/// Decodes what the `image` library reads as it is meant.
fn plain(mut decoder: impl ImageDecoder, limits: &Limits) -> Result<Raster, PictureError> {
    let (width, height) = decoder.dimensions();
    check_size(width, height, limits)?;
    let mut allowed = image::Limits::no_limits();
    allowed.max_alloc = Some(limits.bytes);
    let decoded = allowed
        .reserve(decoder.total_bytes())
        .and_then(|()| decoder.set_limits(allowed))
        .and_then(|()| DynamicImage::from_decoder(decoder));
    decoded.map_err(PictureError::from_image).and_then(Raster::of)
}

fn decoder(file: &[u8], format: ImageFormat) -> Result<impl ImageDecoder, PictureError> {
    let mut reader = ImageReader::with_format(Cursor::new(file), format);
    // what is decoded is limited later; here a header must not make the library refuse by itself
    reader.no_limits();
    reader.into_decoder().map_err(PictureError::from_image)
}

fn check_size(width: u32, height: u32, limits: &Limits) -> Result<(), PictureError> {
    if width == 0 || height == 0 {
        return Err(PictureError::Damaged("it has no pixels".into()));
    }
    if width.max(height) > limits.side || u64::from(width) * u64::from(height) > limits.pixels {
        return Err(PictureError::TooLarge { width, height });
    }
    Ok(())
}

/// The format by the file's first bytes; its name is not asked.
fn kind(file: &[u8]) -> Result<ImageFormat, PictureError> {
    let begins = |magic: &[u8]| file.starts_with(magic);
    let at = |from: usize, magic: &[u8]| file.get(from..).is_some_and(|rest| rest.starts_with(magic));
    if file.is_empty() {
        return Err(PictureError::Empty);
    }
    if begins(b"\x89PNG\r\n\x1a\n") {
        return Ok(ImageFormat::Png);
    }
    if begins(b"\xff\xd8\xff") {
        return Ok(ImageFormat::Jpeg);
    }
    if [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"].into_iter().any(|magic| begins(magic)) {
        return Ok(ImageFormat::Tiff);
    }
    if begins(b"RIFF") && at(8, b"WEBP") {
        return Ok(ImageFormat::WebP);
    }
    if begins(b"BM") {
        return Ok(ImageFormat::Bmp);
    }
    let found = if begins(b"GIF8") {
        "GIF"
    } else if begins(b"\0\0\0\x0cjP  ") || begins(b"\xff\x4f\xff\x51") {
        "JPEG 2000"
    } else if begins(b"\xff\x0a") || begins(b"\0\0\0\x0cJXL ") {
        "JPEG XL"
    } else if at(4, b"ftypavif") {
        "AVIF"
    } else if at(4, b"ftyphei") || at(4, b"ftypmif") || at(4, b"ftyphev") {
        "HEIC"
    } else if begins(b"%PDF") {
        "PDF"
    } else if begins(b"8BPS") {
        "Photoshop"
    } else if at(128, b"DICM") {
        "DICOM"
    } else if begins(b"\x89HDF") {
        "HDF5"
    } else if begins(b"\x93NUMPY") {
        "NumPy"
    } else if begins(b"version https://git-lfs") {
        "a Git LFS pointer; fetch the file itself with `git lfs pull`"
    } else {
        ""
    };
    Err(PictureError::UnknownFormat { found })
}

/// How the stored picture has to be turned.
fn orientation(file: &[u8], format: ImageFormat) -> Orientation {
    let exif = match format {
        ImageFormat::Jpeg => jpeg::walk(file).exif,
        ImageFormat::Png => png::exif(file),
        ImageFormat::WebP => webp::exif(file),
        _ => None,
    };
    exif.and_then(|exif| {
        let exif = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
        // the library looks at short numbers alone, as the specification says; some writers use long ones
        Orientation::from_exif_chunk(exif).or_else(|| tiff::exif_orientation(exif))
    })
    .unwrap_or(Orientation::NoTransforms)
}
