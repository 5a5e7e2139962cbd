//! A page's samples as numbers.

use std::io::Cursor;

use tiff::TiffError;
use tiff::decoder::{Decoder, DecodingResult};

use super::super::levels;
use super::super::raster::{Raster, Values};
use super::super::{Limits, PictureError};
use super::SAVE_RGB;
use super::Tiff;
use super::{chunks, planes};
use crate::ifd::{Page, tag};

pub(super) struct Samples {
    pub(super) values: Values,
    pub(super) per_pixel: usize,
    /// Bits of a sample in the file.
    pub(super) bits: u32,
}

/// The samples of a page of `size`, those of a pixel side by side, with changes to its entries.
pub(super) fn read(
    file: &Tiff<'_>,
    page: &Page<'_>,
    changes: &[(u16, u64)],
    (width, height): (u32, u32),
    limits: &Limits,
) -> Result<Samples, PictureError> {
    let changed = |tag| changes.iter().find(|(changed, _)| *changed == tag).map(|(_, value)| *value);
    let number = |tag, default| changed(tag).or_else(|| page.number(tag)).unwrap_or(default);
    let per_pixel = usize::try_from(number(tag::SAMPLES, 1)).unwrap_or(usize::MAX);
    let bits = u32::try_from(number(tag::BITS, 1)).unwrap_or(u32::MAX);
    if !(matches!(bits, 1..=8 | 16 | 32 | 64) && (1..=64).contains(&per_pixel)) {
        let what = format!("a TIFF with {per_pixel} samples of {bits} bits a pixel, which is not read");
        return Err(PictureError::refused(what, "save it with 8 or 16 bits a channel"));
    }
    let bytes = u64::from(width) * u64::from(height) * per_pixel as u64 * u64::from(bits.max(8) / 8);
    if bytes > limits.bytes {
        return Err(PictureError::TooLarge { width, height });
    }
    if number(tag::PLANAR, 1) == 2 && per_pixel > 1 {
        let values = planes::read(file, page, per_pixel, |file, page| {
            read(file, page, &[], (width, height), limits).map(|samples| samples.values)
        })?;
        return Ok(Samples { values, per_pixel, bits });
    }

    let mut changes = changes.to_vec();
    // undefined data are numbers
    if page.number(tag::SAMPLE_FORMAT) == Some(4) {
        changes.push((tag::SAMPLE_FORMAT, 1));
    }
    let number = |tag, default| {
        let changed = changes.iter().find(|(changed, _)| *changed == tag).map(|(_, value)| *value);
        changed.or_else(|| page.number(tag)).unwrap_or(default)
    };
    chunks::refuse_cut_off(file.bytes, page, &number)?;
    let mut bytes = file.bytes.to_vec();
    let end = bytes.len() as u64;
    let unpacked = chunks::unpacked(file.bytes, page, &number, end, limits.bytes)?;
    let mut lists = Vec::new();
    if let Some(unpacked) = unpacked {
        bytes.extend(unpacked.bytes);
        lists.extend(unpacked.lists);
        changes.push((tag::COMPRESSION, 1));
    }
    let plain = file.directories.plain(bytes, page, &changes, &lists);
    let mut allowed = tiff::decoder::Limits::default();
    let most = usize::try_from(limits.bytes).unwrap_or(usize::MAX);
    (allowed.decoding_buffer_size, allowed.intermediate_buffer_size, allowed.ifd_value_size) = (most, most, most);
    let mut decoder = Decoder::new(Cursor::new(plain)).map_err(refused)?.with_limits(allowed);
    let mut result = DecodingResult::U8(Vec::new());
    let layout = decoder.read_image_to_buffer(&mut result).map_err(refused)?;
    if result.as_buffer(0).as_bytes().len() < layout.complete_len {
        return Err(PictureError::TooLarge { width, height });
    }
    let values = match result {
        DecodingResult::U8(packed) if bits < 8 => {
            Values::U8(levels::unpacked(packed, width as usize * per_pixel, height as usize, bits))
        }
        DecodingResult::U8(values) => Values::U8(values),
        DecodingResult::U16(values) => Values::U16(values),
        DecodingResult::U32(values) => Values::U32(values),
        DecodingResult::U64(values) => labels(values)?,
        DecodingResult::I8(values) => labels(values)?,
        DecodingResult::I16(values) => labels(values)?,
        DecodingResult::I32(values) => labels(values)?,
        DecodingResult::I64(values) => labels(values)?,
        DecodingResult::F16(values) => Values::F32(values.into_iter().map(f32::from).collect()),
        DecodingResult::F32(values) => Values::F32(values),
        DecodingResult::F64(values) => Values::F32(values.into_iter().map(|value| value as f32).collect()),
    };
    Ok(Samples { values, per_pixel, bits })
}

fn refused(error: TiffError) -> PictureError {
    match error {
        TiffError::UnsupportedError(error) => {
            PictureError::refused(format!("a TIFF of a kind that is not read ({error})"), super::SAVE_PLAIN)
        }
        error => PictureError::damaged(error),
    }
}

/// Whole numbers with a sign, or of 64 bits.
fn labels<T: TryInto<u32>>(values: Vec<T>) -> Result<Values, PictureError> {
    let narrow: Result<_, _> = values.into_iter().map(TryInto::try_into).collect();
    narrow.map(Values::U32).map_err(|_| {
        let what = "a TIFF with numbers below 0 or of more than 32 bits";
        PictureError::refused(what, "save it with numbers from 0 on: 0 for background in masks")
    })
}

/// The first `wanted` of every `per_pixel` samples.
pub(super) fn first_of(values: Values, per_pixel: usize, wanted: usize) -> Values {
    fn of<T: Copy>(values: &[T], per_pixel: usize, wanted: usize) -> Vec<T> {
        values.chunks_exact(per_pixel).flat_map(|pixel| pixel.iter().take(wanted).copied()).collect()
    }
    match values {
        values if per_pixel == wanted => values,
        Values::U8(values) => Values::U8(of(&values, per_pixel, wanted)),
        Values::U16(values) => Values::U16(of(&values, per_pixel, wanted)),
        Values::U32(values) => Values::U32(of(&values, per_pixel, wanted)),
        Values::F32(values) => Values::F32(of(&values, per_pixel, wanted)),
    }
}

/// Turns "white is zero" round in the first `colours` channels.
pub(super) fn inverted(raster: &mut Raster, colours: usize, bits: u32) {
    fn turn<T: Copy>(values: &mut [T], channels: usize, colours: usize, full: impl Fn(T) -> T) {
        for pixel in values.chunks_exact_mut(channels) {
            pixel.iter_mut().take(colours).for_each(|value| *value = full(*value));
        }
    }
    let channels = raster.channels;
    match &mut raster.values {
        Values::U8(values) => {
            let full = ((1_u16 << bits.min(8)) - 1) as u8;
            turn(values, channels, colours, |value| full.saturating_sub(value));
        }
        Values::U16(values) => turn(values, channels, colours, |value| u16::MAX - value),
        Values::U32(values) => turn(values, channels, colours, |value| u32::MAX - value),
        Values::F32(values) => turn(values, channels, colours, |value| 1.0 - value),
    }
}

/// Values of fewer than 8 bits over the range of 8; 0 alone stays 0.
pub(super) fn spread(raster: &mut Raster, bits: u32) {
    if let Values::U8(values) = &mut raster.values
        && bits < 8
    {
        let full = (1_u32 << bits) - 1;
        values.iter_mut().for_each(|value| *value = (u32::from(*value) * 255 / full) as u8);
    }
}

/// A picture's floats within 0 to 1, by the limits that the file names for its samples; other numbers that are wider
/// than 16 bits likewise.
///
/// # Errors
/// [`PictureError::Refused`] for floats outside of 0 to 1 without limits.
pub(super) fn scaled(page: &Page<'_>, raster: Raster) -> Result<Raster, PictureError> {
    let named = |tag| page.floats(tag).first().copied().filter(|limit| limit.is_finite());
    let range = named(tag::LARGEST_SAMPLE).map(|largest| (named(tag::LEAST_SAMPLE).unwrap_or(0.0), largest));
    let range = range.filter(|(least, largest)| least < largest);
    let floats: Vec<f32> = match (&raster.values, range) {
        (Values::F32(values), _) => values.clone(),
        (Values::U32(values), Some(_)) => values.iter().map(|&value| value as f32).collect(),
        _ => return Ok(raster),
    };
    if floats.iter().any(|value| !value.is_finite()) {
        return Err(PictureError::refused("a TIFF of floats some of which are not finite", SAVE_RGB));
    }
    let values = match range {
        Some((least, largest)) => {
            let scale = |value: f32| ((f64::from(value) - least) / (largest - least)).clamp(0.0, 1.0) as f32;
            floats.into_iter().map(scale).collect()
        }
        None => {
            let within = |limit: f32, value: &f32| limit.max(*value);
            let (largest, least) =
                (floats.iter().fold(0.0, within), floats.iter().fold(0.0, |low: f32, &v| low.min(v)));
            if largest > 1.0 || least < 0.0 {
                let what = format!(
                    "a TIFF of floats from {least} to {largest}, of which it does not say what is black and white"
                );
                return Err(PictureError::refused(
                    what,
                    "save it with 8 or 16 bits a channel, or with floats from 0 to 1",
                ));
            }
            floats
        }
    };
    Ok(Raster { values: Values::F32(values), ..raster })
}
