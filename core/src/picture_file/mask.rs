//! What of a decoded file is foreground.

use std::collections::BTreeMap;

use image::GrayImage;

use super::PictureError;
use super::raster::{Raster, Values};

/// What should be known of a mask that was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MaskNotes {
    /// It was stored as JPEG or lossy WebP, so its edges are not exact.
    pub lossy: bool,
    /// It has many grey levels between background and full foreground, all of which count as foreground: it was
    /// blurred, smoothed, or made smaller.
    pub soft: bool,
    /// Its four corners are foreground and something inside is not, as where a mask is black on white.
    pub corners: bool,
    /// It was drawn as polygons of several classes, all of which count as foreground.
    pub classes: bool,
}

/// Levels between none and full from which a mask counts as soft.
const SOFT_LEVELS: usize = 4;
/// The least value, of 255, that a lossy mask's foreground is told from noise by.
const LEAST_LOSSY: u32 = 64;
/// Differences between a pixel's channels that lossy compression makes of grey, of 255.
const LOSSY_COLOUR: u32 = 48;

/// 255 where a pixel is foreground, else 0; in the file's own orientation.
pub(super) fn of(raster: &Raster) -> Result<(GrayImage, MaskNotes), PictureError> {
    let (foreground, mut notes) = match &raster.values {
        Values::U8(values) if raster.lossy => (lossy(values, raster.channels)?, MaskNotes::default()),
        Values::U8(values) if raster.indexed => {
            (values.iter().map(|&index| any(index != 0)).collect(), MaskNotes::default())
        }
        Values::U8(values) => classified(values, raster, u8::MAX.into())?,
        Values::U16(values) if raster.indexed => {
            (values.iter().map(|&index| any(index != 0)).collect(), MaskNotes::default())
        }
        Values::U16(values) => classified(values, raster, u16::MAX.into())?,
        Values::U32(values) => classified(values, raster, u32::MAX)?,
        Values::F32(values) => classified(&levels_of(values)?, raster, u16::MAX.into())?,
    };
    notes.lossy = raster.lossy;
    let mask = GrayImage::from_raw(raster.width, raster.height, foreground)
        .ok_or_else(|| PictureError::Damaged("pixels are missing".into()))?;
    let corners = [(0, 0), (mask.width() - 1, 0), (0, mask.height() - 1), (mask.width() - 1, mask.height() - 1)];
    notes.corners = corners.iter().all(|&(x, y)| mask.get_pixel(x, y).0[0] > 0) && mask.as_raw().contains(&0);
    Ok((mask, notes))
}

fn any(foreground: bool) -> u8 {
    if foreground { 255 } else { 0 }
}

/// Floats as levels: shares of one over the whole range, labels as they are; only 0 is 0.
fn levels_of(values: &[f32]) -> Result<Vec<u16>, PictureError> {
    if values.iter().any(|value| !value.is_finite() || *value < 0.0) {
        let what = "the mask holds numbers below 0 or that are none (NaN)";
        return Err(PictureError::refused(what, "save it with 0 for background and whole numbers for regions"));
    }
    let full = if values.iter().all(|&value| value <= 1.0) { 65_535.0 } else { 1.0 };
    Ok(values.iter().map(|&value| (value * full).ceil() as u16).collect())
}

/// A mask by a lossy codec: black and white with noise.
fn lossy(values: &[u8], channels: usize) -> Result<Vec<u8>, PictureError> {
    const REMEDY: &str = "export it as PNG, which keeps values exactly";
    let has_alpha = channels == 2 || channels == 4;
    let alpha = |pixel: &[u8]| pixel.last().copied().filter(|_| has_alpha);
    let first = values.chunks_exact(channels.max(1)).next().and_then(alpha);
    if values.chunks_exact(channels.max(1)).any(|pixel| alpha(pixel) != first) {
        return Err(PictureError::refused("a mask with transparency in lossy compression", REMEDY));
    }
    let pixels = || values.chunks_exact(channels.max(1)).map(|pixel| &pixel[..channels - usize::from(has_alpha)]);
    let level = |pixel: &[u8]| u32::from(pixel.iter().copied().max().unwrap_or_default());
    let spread = |pixel: &[u8]| level(pixel) - u32::from(pixel.iter().copied().min().unwrap_or_default());
    if pixels().filter(|pixel| spread(pixel) > LOSSY_COLOUR).count() * 100 > pixels().len() {
        return Err(PictureError::refused("a mask in colours, which lossy compression does not keep", REMEDY));
    }
    let largest = pixels().map(level).max().unwrap_or_default();
    // what black becomes by rounding
    if largest <= 8 {
        return Ok(vec![0; pixels().len()]);
    }
    if largest < LEAST_LOSSY {
        let what =
            format!("a mask in lossy compression whose largest value is {largest}, which noise cannot be told from");
        return Err(PictureError::refused(what, REMEDY));
    }
    Ok(pixels().map(|pixel| any(2 * level(pixel) >= largest)).collect())
}

/// A mask by exact values of which `full` is the largest that the file can hold.
fn classified<T: Copy + Into<u32> + PartialEq>(
    values: &[T],
    raster: &Raster,
    full: u32,
) -> Result<(Vec<u8>, MaskNotes), PictureError> {
    let channels = raster.channels.max(1);
    let colours = channels - usize::from(raster.has_alpha());
    let parts = |pixel: &'_ [T]| -> ([u32; 3], u32) {
        let value = |index: usize| pixel.get(index).map_or(0, |&value| value.into());
        let colour = if colours == 1 { [value(0); 3] } else { [value(0), value(1), value(2)] };
        (colour, if raster.has_alpha() { value(colours) } else { full })
    };
    if channels == 1 {
        let mask = values.iter().map(|&value| any(value.into() != 0)).collect();
        return Ok((mask, MaskNotes { soft: is_soft(values.iter().map(|&value| value.into())), ..Default::default() }));
    }
    let pixels = || values.chunks_exact(channels).map(parts);

    let alpha_varies = {
        let first = pixels().next().map(|(_, alpha)| alpha);
        raster.has_alpha() && pixels().any(|(_, alpha)| Some(alpha) != first)
    };
    // transparent pixels say nothing
    let seen = |alpha: u32| !alpha_varies || alpha > 0;
    let opaque = || pixels().filter(|&(_, alpha)| seen(alpha)).map(|(colour, _)| colour);
    let first = opaque().next();
    let one_colour = opaque().all(|colour| Some(colour) == first);
    if alpha_varies && one_colour {
        let mask = pixels().map(|(_, alpha)| any(alpha > 0)).collect();
        return Ok((mask, MaskNotes { soft: is_soft(pixels().map(|(_, alpha)| alpha)), ..Default::default() }));
    }

    let is_grey = opaque().all(|[red, green, blue]| red == green && green == blue);
    if is_grey || one_colour {
        let level =
            |(colour, alpha): ([u32; 3], u32)| if seen(alpha) { colour[0].max(colour[1]).max(colour[2]) } else { 0 };
        let mask = pixels().map(|pixel| any(level(pixel) > 0)).collect();
        return Ok((mask, MaskNotes { soft: is_soft(pixels().map(level)), ..Default::default() }));
    }
    let white = is_white_behind(pixels(), seen, raster, full)?;
    let background = if white { [full; 3] } else { [0; 3] };
    let mask = pixels().map(|(colour, alpha)| any(seen(alpha) && colour != background)).collect();
    Ok((mask, MaskNotes::default()))
}

/// Whether a mask in colours lies on white rather than on black or nothing.
///
/// # Errors
/// [`PictureError::Refused`] where neither can be told.
fn is_white_behind(
    pixels: impl Iterator<Item = ([u32; 3], u32)>,
    seen: impl Fn(u32) -> bool,
    raster: &Raster,
    full: u32,
) -> Result<bool, PictureError> {
    const REMEDY: &str = "save it with black for background, or as indexed or grey picture with 0 for background";
    let (width, height) = (raster.width as usize, raster.height as usize);
    let corners = [0, width - 1, (height - 1) * width, height * width - 1];
    let (mut any_white, mut any_black, mut white_corners, mut black_corners) = (false, false, 0, 0);
    for (index, (colour, alpha)) in pixels.enumerate() {
        let white = seen(alpha) && colour == [full; 3];
        let black = !seen(alpha) || colour == [0; 3];
        any_white |= white;
        any_black |= black;
        // a side of one pixel has a corner twice
        let times = corners.iter().filter(|&&corner| corner == index).count();
        white_corners += times * usize::from(white);
        black_corners += times * usize::from(black);
    }
    match (any_white, any_black) {
        (false, true) => Ok(false),
        (true, _) if white_corners > 0 && black_corners == 0 => Ok(true),
        (true, true) if white_corners == 0 => Ok(false),
        (true, true) => Err(PictureError::refused(
            "a mask in colours with both white and black in its corners, so its background cannot be told",
            REMEDY,
        )),
        (_, false) => Err(PictureError::refused(
            "a mask in colours without black, and without white in its corners, so its background cannot be told",
            REMEDY,
        )),
    }
}

/// Whether levels between none and the largest look like blurred edges rather than like numbers of regions: several
/// levels, few pixels each, beside many of the largest; or levels that change from pixel to pixel.
fn is_soft(levels: impl Iterator<Item = u32>) -> bool {
    let mut counts = BTreeMap::new();
    let (mut pairs, mut changes) = (0_u64, 0_u64);
    // most of a mask is flat, so a run is counted at once
    let (mut run, mut length) = (0, 0_u64);
    for level in levels {
        if level == run {
            length += 1;
            continue;
        }
        *counts.entry(run).or_insert(0_u64) += length;
        if run != 0 {
            pairs += length;
            changes += u64::from(level != 0);
        }
        (run, length) = (level, 1);
    }
    *counts.entry(run).or_insert(0) += length;
    let Some((&largest, &at_largest)) = counts.last_key_value() else { return false };
    let between = counts.range(1..largest.max(1)).count();
    let foreground: u64 = counts.range(1..).map(|(_, count)| count).sum();
    let edges = between >= SOFT_LEVELS && largest >= 128 && 2 * at_largest >= foreground;
    let smooth = between >= 4 * SOFT_LEVELS && 10 * changes > pairs;
    edges || smooth
}
