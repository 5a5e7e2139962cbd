//! Colours other than RGB (TIFF 6.0, sections 16, 20 and 21).

use super::super::raster::{Raster, Values};
use super::super::{Limits, PictureError};
use super::SAVE_RGB;
use super::Tiff;
use super::samples;
use crate::ifd::{Page, tag};

/// Luminance and differences of colour of one pixel as RGB.
struct YCbCr {
    /// Shares of red, green and blue in luminance.
    luma: [f64; 3],
    /// Black and white of each sample.
    reference: [f64; 6],
}

impl YCbCr {
    fn of(page: &Page<'_>) -> Self {
        let luma = page.floats(tag::YCBCR_COEFFICIENTS);
        let reference = page.floats(tag::REFERENCE_BLACK_WHITE);
        Self {
            luma: luma.try_into().ok().filter(|luma: &[f64; 3]| luma[1] > 0.0).unwrap_or([0.299, 0.587, 0.114]),
            reference: reference
                .try_into()
                .ok()
                .filter(|r: &[f64; 6]| r[1] > r[0] && r[3] > r[2] && r[5] > r[4])
                .unwrap_or([0.0, 255.0, 128.0, 255.0, 128.0, 255.0]),
        }
    }

    fn rgb(&self, y: u8, cb: u8, cr: u8) -> [u8; 3] {
        let [red, green, blue] = self.luma;
        let [y0, y1, b0, b1, r0, r1] = self.reference;
        let y = (f64::from(y) - y0) * 255.0 / (y1 - y0);
        let cb = (f64::from(cb) - b0) * 127.0 / (b1 - b0);
        let cr = (f64::from(cr) - r0) * 127.0 / (r1 - r0);
        let r = y + cr * (2.0 - 2.0 * red);
        let b = y + cb * (2.0 - 2.0 * blue);
        let g = (y - red * r - blue * b) / green;
        [r, g, b].map(|value| value.round().clamp(0.0, 255.0) as u8)
    }
}

/// A sample of each kind for every pixel.
pub(super) fn ycbcr(
    page: &Page<'_>,
    (width, height): (u32, u32),
    values: Values,
    per_pixel: usize,
) -> Result<Raster, PictureError> {
    let (Values::U8(values), 3) = (values, per_pixel) else {
        return Err(PictureError::refused("a TIFF in YCbCr of other than three samples of 8 bits", SAVE_RGB));
    };
    let colours = YCbCr::of(page);
    let rgb = values.chunks_exact(3).flat_map(|pixel| colours.rgb(pixel[0], pixel[1], pixel[2])).collect();
    Raster::new(width, height, 3, Values::U8(rgb))
}

/// Uncompressed or losslessly compressed YCbCr with fewer samples of colour than of luminance: units of
/// `across * down` luminances and the two differences that they share.
pub(super) fn subsampled(
    file: &Tiff<'_>,
    page: &Page<'_>,
    (across, down): (u64, u64),
    limits: &Limits,
) -> Result<Raster, PictureError> {
    let number = |tag| page.number(tag);
    let sound = [across, down].iter().all(|factor| matches!(factor, 1 | 2 | 4))
        && number(tag::SAMPLES) == Some(3)
        && number(tag::BITS) == Some(8)
        && number(tag::PLANAR).unwrap_or(1) == 1
        && number(tag::PREDICTOR).unwrap_or(1) == 1;
    if !sound {
        let what =
            format!("a TIFF in YCbCr whose colours are shared by {across}×{down} pixels in a way that is not read");
        return Err(PictureError::refused(what, SAVE_RGB));
    }
    let (width, height) = super::stored_size(page)?;
    let unit = across * down + 2;
    let wide = |pixels: u64| pixels.div_ceil(across) * unit;
    // to the decoder, a unit is that many grey pixels side by side
    let mut changes = vec![
        (tag::WIDTH, wide(width.into())),
        (tag::HEIGHT, u64::from(height).div_ceil(down)),
        (tag::BITS, 8),
        (tag::SAMPLES, 1),
    ];
    changes
        .extend(number(tag::ROWS_PER_STRIP).map(|rows| (tag::ROWS_PER_STRIP, rows.min(height.into()).div_ceil(down))));
    changes.extend(number(tag::TILE_WIDTH).map(|width| (tag::TILE_WIDTH, wide(width))));
    changes.extend(number(tag::TILE_HEIGHT).map(|height| (tag::TILE_HEIGHT, height.div_ceil(down))));
    let of_units = (wide(width.into()), u64::from(height).div_ceil(down));
    let (Ok(units_wide), Ok(units_high)) = (u32::try_from(of_units.0), u32::try_from(of_units.1)) else {
        return Err(PictureError::TooLarge { width, height });
    };
    let Values::U8(values) = samples::read(file, page, &changes, (units_wide, units_high), limits)?.values else {
        return Err(PictureError::refused("a TIFF in YCbCr of other than 8 bits", SAVE_RGB));
    };
    let colours = YCbCr::of(page);
    let (unit, across, down) = (unit as usize, across as usize, down as usize);
    let mut rgb = vec![0; 3 * width as usize * height as usize];
    for (row, units) in values.chunks_exact(units_wide as usize).enumerate() {
        for (column, unit) in units.chunks_exact(unit).enumerate() {
            let Some((luminances, &[cb, cr])) = unit.split_last_chunk::<2>() else { continue };
            for (index, &y) in luminances.iter().enumerate() {
                let (x, y_at) = (column * across + index % across, row * down + index / across);
                if x < width as usize && y_at < height as usize {
                    let at = 3 * (y_at * width as usize + x);
                    if let Some(pixel) = rgb.get_mut(at..at + 3) {
                        pixel.copy_from_slice(&colours.rgb(y, cb, cr));
                    }
                }
            }
        }
    }
    Raster::new(width, height, 3, Values::U8(rgb))
}

/// Inks as RGB, without a profile.
pub(super) fn cmyk((width, height): (u32, u32), values: Values, per_pixel: usize) -> Result<Raster, PictureError> {
    let inks: Vec<u8> = match (values, per_pixel) {
        (Values::U8(values), 4) => values,
        (Values::U16(values), 4) => values.into_iter().map(|value| ((u32::from(value) + 128) / 257) as u8).collect(),
        _ => return Err(PictureError::refused("a TIFF in CMYK of other than four samples of 8 or 16 bits", SAVE_RGB)),
    };
    let light = |ink: u8, black: u8| ((u32::from(255 - ink) * u32::from(255 - black) + 127) / 255) as u8;
    let rgb = inks.chunks_exact(4).flat_map(|ink| [ink[0], ink[1], ink[2]].map(|colour| light(colour, ink[3])));
    Raster::new(width, height, 3, Values::U8(rgb.collect()))
}
