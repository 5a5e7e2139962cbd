//! TIFF, classic and BigTIFF. The `tiff` library decompresses; what samples mean is told here, by the file's own
//! entries, and a file whose meaning is not known is refused by name.

mod chunks;
mod colour;
mod pages;
mod planes;
mod samples;

use image::metadata::Orientation;

use super::raster::{Raster, Values};
use super::{Limits, PictureError, Purpose, check_size};
use crate::ifd::{Directories, Page, tag};
use pages::Chosen;
use samples::Samples;

const SAVE_PLAIN: &str = "save it as TIFF without compression, with LZW or with Deflate, or as PNG";
const SAVE_RGB: &str = "save it as RGB or grey";

/// Photometric interpretations that are read.
mod photometric {
    pub(super) const WHITE_IS_ZERO: u64 = 0;
    pub(super) const BLACK_IS_ZERO: u64 = 1;
    pub(super) const RGB: u64 = 2;
    pub(super) const PALETTE: u64 = 3;
    pub(super) const TRANSPARENCY_MASK: u64 = 4;
    pub(super) const CMYK: u64 = 5;
    pub(super) const YCBCR: u64 = 6;
}

/// A file in memory and its pages.
struct Tiff<'a> {
    bytes: &'a [u8],
    directories: Directories<'a>,
}

impl<'a> Tiff<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, PictureError> {
        let damaged = |_| PictureError::Damaged("its directory is cut off".into());
        Ok(Self { bytes, directories: Directories::read(&bytes).map_err(damaged)? })
    }
}

/// Width and height as stored, and how to turn them.
pub(super) fn size(file: &[u8]) -> Result<((u32, u32), Orientation), PictureError> {
    let file = Tiff::read(file)?;
    let (Chosen::One(page) | Chosen::Planes([page, ..])) = pages::choose(&file.directories)?;
    let page = page_of(&file, page)?;
    Ok((stored_size(page)?, orientation(page)))
}

/// What resolution and unit say of a pixel's sides (TIFF 6.0, section 8); ImageJ's unit stands in the description.
pub(super) fn microns_per_pixel(file: &[u8]) -> Option<[f64; 2]> {
    let file = Tiff::read(file).ok()?;
    let (Chosen::One(page) | Chosen::Planes([page, ..])) = pages::choose(&file.directories).ok()?;
    let page = page_of(&file, page).ok()?;
    let microns = match page.number(tag::RESOLUTION_UNIT).unwrap_or(2) {
        2 => 25_400.0,
        3 => 10_000.0,
        _ => {
            let text = page.text(tag::DESCRIPTION);
            let mut lines = text.lines().filter_map(|line| line.strip_prefix("unit="));
            lines.any(|unit| matches!(unit.trim(), "micron" | "um" | "µm" | "\\u00B5m")).then_some(1.0)?
        }
    };
    let side = |tag| page.floats(tag).first().map(|pixels| microns / pixels);
    Some([side(tag::X_RESOLUTION)?, side(tag::Y_RESOLUTION)?])
}

/// The picture as stored, and how to turn it.
pub(super) fn read(file: &[u8], limits: &Limits, purpose: Purpose) -> Result<(Raster, Orientation), PictureError> {
    let file = Tiff::read(file)?;
    let of = |page: usize| picture(&file, page_of(&file, page)?, limits, purpose);
    let (first, raster) = match pages::choose(&file.directories)? {
        Chosen::One(page) => (page, of(page)?),
        Chosen::Planes([red, green, blue]) => (red, planes::joined([of(red)?, of(green)?, of(blue)?])?),
    };
    Ok((raster, orientation(page_of(&file, first)?)))
}

fn page_of<'a, 'f>(file: &'f Tiff<'a>, page: usize) -> Result<&'f Page<'a>, PictureError> {
    file.directories.pages.get(page).ok_or_else(|| PictureError::Damaged("it has no page".into()))
}

fn stored_size(page: &Page<'_>) -> Result<(u32, u32), PictureError> {
    let side = |tag| page.number(tag).and_then(|side| u32::try_from(side).ok());
    side(tag::WIDTH).zip(side(tag::HEIGHT)).ok_or_else(|| PictureError::Damaged("its size is missing".into()))
}

fn orientation(page: &Page<'_>) -> Orientation {
    let exif = page.number(tag::ORIENTATION).and_then(|value| u8::try_from(value).ok());
    exif.and_then(Orientation::from_exif).unwrap_or(Orientation::NoTransforms)
}

/// How EXIF, which is laid out as a TIFF, says to turn a picture, by a number of any kind.
pub(super) fn exif_orientation(exif: &[u8]) -> Option<Orientation> {
    let directories = Directories::read(&exif).ok()?;
    let value = directories.pages.first()?.number(tag::ORIENTATION)?;
    Orientation::from_exif(u8::try_from(value).ok()?)
}

/// One page.
fn picture(file: &Tiff<'_>, page: &Page<'_>, limits: &Limits, purpose: Purpose) -> Result<Raster, PictureError> {
    let (width, height) = stored_size(page)?;
    check_size(width, height, limits)?;
    refuse_unreadable(page)?;
    let photometric = page.number(tag::PHOTOMETRIC);
    // the default of the specification is 2, 2
    let subsampling = match *page.numbers(tag::YCBCR_SUBSAMPLING) {
        [across, down] => (across, down),
        _ => (2, 2),
    };
    if photometric == Some(photometric::YCBCR) && page.number(tag::COMPRESSION) != Some(7) && subsampling != (1, 1) {
        return colour::subsampled(file, page, subsampling, limits);
    }
    let Samples { values, per_pixel, bits } = samples::read(file, page, &[], (width, height), limits)?;
    let lossy = page.number(tag::COMPRESSION) == Some(7);
    let raster = match photometric {
        Some(photometric::PALETTE) => palette(page, (width, height), values, per_pixel, purpose)?,
        Some(photometric::YCBCR) => colour::ycbcr(page, (width, height), values, per_pixel)?,
        Some(photometric::CMYK) => colour::cmyk((width, height), values, per_pixel)?,
        Some(photometric::RGB) => with_alpha(page, (width, height), values, per_pixel, 3)?,
        None | Some(photometric::WHITE_IS_ZERO | photometric::BLACK_IS_ZERO | photometric::TRANSPARENCY_MASK) => {
            grey(page, (width, height), values, per_pixel, bits, photometric == Some(photometric::WHITE_IS_ZERO))?
        }
        Some(_) => return Err(PictureError::Damaged("its colours are of no known kind".into())),
    };
    let raster = match purpose {
        Purpose::Picture => samples::scaled(page, raster)?,
        Purpose::Mask => raster,
    };
    Ok(Raster { lossy, ..raster })
}

/// Refuses what the library cannot decompress or what no rule here turns into colours, by name.
fn refuse_unreadable(page: &Page<'_>) -> Result<(), PictureError> {
    let refused = |what: String, remedy| Err(PictureError::refused(what, remedy));
    let compression = match page.number(tag::COMPRESSION).unwrap_or(1) {
        1 | 4 | 5 | 7 | 8 | 32_773 | 32_946 => None,
        2 => Some("CCITT RLE"),
        3 => Some("CCITT Group 3 fax"),
        6 => Some("old-style JPEG"),
        33_003 | 33_004 | 33_005 | 34_712 => Some("JPEG 2000"),
        34_887 => Some("LERC"),
        34_925 => Some("LZMA"),
        50_000 => Some("Zstandard"),
        50_001 => Some("WebP"),
        50_002 | 52_546 => Some("JPEG XL"),
        34_892 => Some("lossy JPEG of DNG"),
        other => return refused(format!("a TIFF with compression number {other}, which is not read"), SAVE_PLAIN),
    };
    if let Some(name) = compression {
        return refused(format!("a TIFF compressed with {name}, which is not read"), SAVE_PLAIN);
    }
    let colours = match page.number(tag::PHOTOMETRIC) {
        None | Some(0..=6) => None,
        Some(8..=10) => Some("in Lab colours".to_owned()),
        Some(32_803) => Some("of raw sensor data (CFA)".to_owned()),
        Some(32_844 | 32_845) => Some("in LogLuv colours".to_owned()),
        Some(34_892) => Some("of linear raw data".to_owned()),
        Some(other) => Some(format!("with colours of kind {other}")),
    };
    if let Some(colours) = colours {
        return refused(format!("a TIFF {colours}, which are not read"), SAVE_RGB);
    }
    if page.number(tag::FILL_ORDER) == Some(2) {
        return refused("a TIFF with its bits stored from right to left (FillOrder 2)".to_owned(), SAVE_PLAIN);
    }
    if page.numbers(tag::SAMPLE_FORMAT).iter().any(|format| matches!(format, 5 | 6)) {
        return refused("a TIFF of complex numbers".to_owned(), SAVE_RGB);
    }
    Ok(())
}

fn grey(
    page: &Page<'_>,
    size: (u32, u32),
    values: Values,
    per_pixel: usize,
    bits: u32,
    white_is_zero: bool,
) -> Result<Raster, PictureError> {
    if per_pixel == 3 && pages::planes_of(&page.text(tag::DESCRIPTION)) == Some([0, 1, 2]) {
        return Raster::new(size.0, size.1, 3, values);
    }
    let mut raster = with_alpha(page, size, values, per_pixel, 1)?;
    let colours = raster.channels - usize::from(raster.has_alpha());
    if white_is_zero {
        samples::inverted(&mut raster, colours, bits);
    }
    samples::spread(&mut raster, bits);
    Ok(raster)
}

/// Colours and, if the file says so or has one sample more, alpha.
fn with_alpha(
    page: &Page<'_>,
    (width, height): (u32, u32),
    values: Values,
    per_pixel: usize,
    colours: usize,
) -> Result<Raster, PictureError> {
    let extra = page.numbers(tag::EXTRA_SAMPLES);
    let alpha = match (per_pixel.checked_sub(colours), extra.first()) {
        (Some(0), _) => false,
        // a fourth sample of RGB that nothing describes is alpha by custom
        (Some(1..), Some(1 | 2)) => true,
        (Some(1), None) if colours == 3 => true,
        // a sample that is not meant for the eye
        (Some(1..), Some(0)) if colours == 3 => false,
        _ => {
            let what = format!("a TIFF with {per_pixel} samples a pixel whose meaning it does not say");
            return Err(PictureError::refused(what, SAVE_RGB));
        }
    };
    let channels = colours + usize::from(alpha);
    let values = samples::first_of(values, per_pixel, channels);
    let premultiplied = alpha && extra.first() == Some(&1);
    Ok(Raster { premultiplied, ..Raster::new(width, height, channels, values)? })
}

fn palette(
    page: &Page<'_>,
    (width, height): (u32, u32),
    values: Values,
    per_pixel: usize,
    purpose: Purpose,
) -> Result<Raster, PictureError> {
    if per_pixel != 1 {
        return Err(PictureError::refused("a TIFF with a palette and further samples", SAVE_RGB));
    }
    if purpose == Purpose::Mask {
        return Ok(Raster { indexed: true, ..Raster::new(width, height, 1, values)? });
    }
    let map = page.numbers(tag::COLOR_MAP);
    let colours = map.len() / 3;
    // old programs wrote 8 bits
    let shift = if map.iter().all(|&value| value < 256) { 0 } else { 8 };
    let colour = |index: usize| -> Result<[u8; 3], PictureError> {
        let part = |channel: usize| map.get(channel * colours + index).map(|value| (value >> shift) as u8);
        match (index < colours, part(0), part(1), part(2)) {
            (true, Some(red), Some(green), Some(blue)) => Ok([red, green, blue]),
            _ => Err(PictureError::Damaged(format!("colour {index} is not in its palette of {colours}"))),
        }
    };
    let mut rgb = Vec::with_capacity(3 * width as usize * height as usize);
    match values {
        Values::U8(values) => {
            for index in values {
                rgb.extend(colour(index.into())?);
            }
        }
        Values::U16(values) => {
            for index in values {
                rgb.extend(colour(index.into())?);
            }
        }
        _ => return Err(PictureError::refused("a TIFF with a palette of more than 16 bits", SAVE_RGB)),
    }
    Raster::new(width, height, 3, Values::U8(rgb))
}
