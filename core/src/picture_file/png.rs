//! What of a PNG file the decoder does not tell: metadata anywhere, frames, raw indices.

use std::io::Cursor;

use png::{ColorType, Decoder, DecodingError, Transformations};

use super::raster::{Raster, Values};
use super::{Limits, PictureError, levels};

/// Names and contents of the chunks, as far as they are whole.
fn chunks(file: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut rest = file.get(8..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (length, behind) = rest.split_first_chunk::<4>()?;
        let (name, behind) = behind.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let content = behind.get(..length)?;
        // a checksum of four bytes follows
        rest = behind.get(length.checked_add(4)?..).unwrap_or_default();
        Some((*name, content))
    })
}

/// The EXIF block, which may stand behind the pixels too.
pub(super) fn exif(file: &[u8]) -> Option<&[u8]> {
    chunks(file).find(|(name, _)| name == b"eXIf").map(|(_, content)| content)
}

/// What `pHYs` says of a pixel's sides.
pub(super) fn microns_per_pixel(file: &[u8]) -> Option<[f64; 2]> {
    let (_, content) = chunks(file).take_while(|(name, _)| name != b"IDAT").find(|(name, _)| name == b"pHYs")?;
    // pixels per unit across and down; unit 1 is the metre
    let [a, b, c, d, e, f, g, h, 1] = *content.first_chunk::<9>()? else { return None };
    let side = |bytes: [u8; 4]| 1e6 / f64::from(u32::from_be_bytes(bytes));
    Some([side([a, b, c, d]), side([e, f, g, h])])
}

/// Frames of an animation; 1 for a still picture.
pub(super) fn frames(file: &[u8]) -> u32 {
    let control = chunks(file).take_while(|(name, _)| name != b"IDAT").find(|(name, _)| name == b"acTL");
    control.and_then(|(_, content)| content.first_chunk::<4>().copied()).map_or(1, u32::from_be_bytes)
}

/// Whether its pixels are indices of a palette.
pub(super) fn is_indexed(file: &[u8]) -> bool {
    chunks(file).next().is_some_and(|(name, content)| name == *b"IHDR" && content.get(9) == Some(&3))
}

/// Refuses indices that a short palette has no colour for, which the decoder would draw black.
pub(super) fn refuse_beyond_palette(file: &[u8], limits: &Limits) -> Result<(), PictureError> {
    let find = |wanted: &[u8; 4]| chunks(file).find(|(name, _)| name == wanted).map(|(_, content)| content);
    let colours = find(b"PLTE").map_or(0, |palette| palette.len() / 3);
    let bits = find(b"IHDR").and_then(|header| header.get(8)).copied().unwrap_or(8);
    if colours >= 1 << bits.min(8) {
        return Ok(());
    }
    indices(file, limits)?.refuse_beyond(colours)
}

/// The indices of an indexed picture.
pub(super) fn indices(file: &[u8], limits: &Limits) -> Result<Raster, PictureError> {
    let damaged = |error: DecodingError| PictureError::damaged(error);
    let mut decoder = Decoder::new(Cursor::new(file));
    decoder.set_transformations(Transformations::IDENTITY);
    let mut reader = decoder.read_info().map_err(damaged)?;
    let (width, height) = (reader.info().width, reader.info().height);
    super::check_size(width, height, limits)?;
    let bits = reader.info().bit_depth as u32;
    let size = reader.output_buffer_size().filter(|&size| size as u64 <= limits.bytes);
    let mut packed = vec![0; size.ok_or(PictureError::TooMuchMemory)?];
    let frame = reader.next_frame(&mut packed).map_err(damaged)?;
    if frame.color_type != ColorType::Indexed {
        return Err(PictureError::Damaged("its palette is missing".into()));
    }
    packed.truncate(frame.buffer_size());
    let values = levels::unpacked(packed, width as usize, height as usize, bits);
    Raster::new(width, height, 1, Values::U8(values)).map(|raster| Raster { indexed: true, ..raster })
}
