//! What of a BMP file the decoder does not tell: raw indices. Asked for those of fewer than 8 bits, or of run lengths, it
//! panics, or takes packed bytes for indices.

use super::raster::{Raster, Values};
use super::{Limits, PictureError, check_size, levels};

/// Bytes of the oldest header, whose rows always go upwards.
const CORE_HEADER: u32 = 12;

fn number<const N: usize>(file: &[u8], at: usize) -> Option<[u8; N]> {
    file.get(at..)?.first_chunk().copied()
}

/// Whether it is packed as RLE8 or RLE4.
pub(super) fn is_run_length(file: &[u8]) -> bool {
    let header = number(file, 14).map(u32::from_le_bytes);
    let packing = number(file, 30).map(u32::from_le_bytes);
    header.is_some_and(|header| header > CORE_HEADER) && packing.is_some_and(|packing| (1..=2).contains(&packing))
}

/// Refuses indices that a short palette has no colour for, which the decoder would draw black.
pub(super) fn refuse_beyond_palette(file: &[u8], size: (u32, u32), limits: &Limits) -> Result<(), PictureError> {
    let header = number(file, 14).map(u32::from_le_bytes).unwrap_or_default();
    let bits = number(file, 28).map(u16::from_le_bytes).unwrap_or_default();
    let colours = number(file, 46).map(u32::from_le_bytes).unwrap_or_default() as usize;
    // the oldest header has no count, and a count of 0 means all
    if header == CORE_HEADER || !(1..=8).contains(&bits) || colours == 0 || colours >= 1 << bits {
        return Ok(());
    }
    indices(file, size, limits)?.refuse_beyond(colours)
}

/// The indices of a picture with a palette, not in run lengths.
pub(super) fn indices(file: &[u8], (width, height): (u32, u32), limits: &Limits) -> Result<Raster, PictureError> {
    check_size(width, height, limits)?;
    let cut_off = || PictureError::Damaged("it ends before its pixels do".into());
    let header = number(file, 14).map(u32::from_le_bytes).ok_or_else(cut_off)?;
    let is_core = header == CORE_HEADER;
    let bits = number(file, if is_core { 24 } else { 28 }).map(u16::from_le_bytes).ok_or_else(cut_off)?;
    if !(1..=8).contains(&bits) {
        return Err(PictureError::Damaged(format!("indices of {bits} bits")));
    }
    // a negative height: the first row is the upper one
    let downwards = !is_core && number(file, 22).map(i32::from_le_bytes).ok_or_else(cut_off)? < 0;
    let start = number(file, 10).map(u32::from_le_bytes).ok_or_else(cut_off)? as usize;
    let (columns, rows) = (width as usize, height as usize);
    let used = (columns * usize::from(bits)).div_ceil(8);
    // rows are filled up to four bytes
    let stride = used.next_multiple_of(4);
    let mut packed = Vec::with_capacity(used * rows);
    for row in 0..rows {
        let at = start.saturating_add(stride * if downwards { row } else { rows - 1 - row });
        packed.extend_from_slice(file.get(at..at.saturating_add(used)).ok_or_else(cut_off)?);
    }
    let values = levels::unpacked(packed, columns, rows, bits.into());
    Raster::new(width, height, 1, Values::U8(values)).map(|raster| Raster { indexed: true, ..raster })
}
