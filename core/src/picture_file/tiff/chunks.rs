//! Where a page's pixels stand in the file: in strips or tiles.

use super::super::PictureError;
use crate::ifd::{Page, tag};
use crate::lzw;

/// Compressions that are looked at here.
const PLAIN: u64 = 1;
const LZW: u64 = 5;

/// A strip or tile.
struct Chunk {
    at: u64,
    length: u64,
    /// Bytes of its pixels, unpacked.
    wanted: u64,
}

/// Unpacked pixels that stand where a file ends, and the entries that say so.
pub(super) struct Unpacked {
    pub(super) bytes: Vec<u8>,
    pub(super) lists: [(u16, Vec<u64>); 2],
}

/// What an entry says, or a default; single values may be changed.
pub(super) type Number<'a> = &'a dyn Fn(u16, u64) -> u64;

fn list(page: &Page<'_>, number: Number<'_>) -> (Vec<Chunk>, [u16; 2]) {
    let tiled = page.number(tag::TILE_WIDTH).is_some();
    let tags = if tiled { [tag::TILE_OFFSETS, tag::TILE_BYTES] } else { [tag::STRIP_OFFSETS, tag::STRIP_BYTES] };
    let (width, height, samples) = (number(tag::WIDTH, 0), number(tag::HEIGHT, 0), number(tag::SAMPLES, 1));
    let samples = if number(tag::PLANAR, 1) == 2 { 1 } else { samples };
    let row = |pixels: u64| pixels.saturating_mul(samples).saturating_mul(number(tag::BITS, 1)).div_ceil(8);
    let rows = number(tag::ROWS_PER_STRIP, height).clamp(1, height.max(1));
    let strips = height.div_ceil(rows).max(1);
    let wanted = |index: u64| match tiled {
        true => row(number(tag::TILE_WIDTH, 0)).saturating_mul(number(tag::TILE_HEIGHT, 0)),
        false => row(width).saturating_mul(rows.min(height.saturating_sub(index % strips * rows))),
    };
    let places = page.numbers(tags[0]).into_iter().zip(page.numbers(tags[1]));
    let chunks = (0..).zip(places).map(|(index, (at, length))| Chunk { at, length, wanted: wanted(index) });
    (chunks.collect(), tags)
}

/// Whether all pixels lie in the file: what a decoder is given behind its end would be taken for some of them.
///
/// # Errors
/// [`PictureError::Damaged`].
pub(super) fn refuse_cut_off(file: &[u8], page: &Page<'_>, number: Number<'_>) -> Result<(), PictureError> {
    let plain = number(tag::COMPRESSION, PLAIN) == PLAIN;
    // some writers count a last strip as if it had all rows
    let needed = |chunk: &Chunk| if plain { chunk.length.min(chunk.wanted) } else { chunk.length };
    let inside = |chunk: &Chunk| chunk.at.checked_add(needed(chunk)).is_some_and(|end| end <= file.len() as u64);
    match list(page, number).0.iter().all(inside) {
        true => Ok(()),
        false => Err(PictureError::Damaged("its pixels reach beyond the end of the file".into())),
    }
}

/// The pixels of a page in LZW, which would stand from `end` on; nothing for other compressions. The `tiff` library
/// (0.11.3) refuses sound tiles: image-tiff#395.
///
/// # Errors
/// [`PictureError`]: damaged, or more than `most` bytes.
pub(super) fn unpacked(
    file: &[u8],
    page: &Page<'_>,
    number: Number<'_>,
    end: u64,
    most: u64,
) -> Result<Option<Unpacked>, PictureError> {
    if number(tag::COMPRESSION, PLAIN) != LZW {
        return Ok(None);
    }
    let (chunks, tags) = list(page, number);
    if chunks.iter().fold(0_u64, |sum, chunk| sum.saturating_add(chunk.wanted)) > most {
        return Err(PictureError::TooMuchMemory);
    }
    let (mut bytes, mut places) = (Vec::new(), Vec::new());
    for chunk in &chunks {
        let packed = usize::try_from(chunk.at).ok().and_then(|at| file.get(at..)).unwrap_or_default();
        let packed = packed.get(..usize::try_from(chunk.length).unwrap_or(usize::MAX)).unwrap_or_default();
        let missing = || PictureError::Damaged("LZW: pixels are missing".into());
        // a code of at least 9 bits stands for fewer bytes than there are codes
        if chunk.wanted > chunk.length.saturating_mul(4096) {
            return Err(missing());
        }
        let pixels = lzw::unpack(packed, chunk.wanted as usize).map_err(PictureError::Damaged)?;
        if (pixels.len() as u64) < chunk.wanted {
            return Err(missing());
        }
        places.push(end + bytes.len() as u64);
        bytes.extend(pixels);
    }
    let lengths = chunks.into_iter().map(|chunk| chunk.wanted).collect();
    Ok(Some(Unpacked { bytes, lists: [(tags[0], places), (tags[1], lengths)] }))
}
