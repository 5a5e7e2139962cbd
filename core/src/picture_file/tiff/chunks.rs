//! Where a page's pixels stand in the file: in strips or tiles.

use std::io::Read as _;

use flate2::read::ZlibDecoder;

use super::super::PictureError;
use crate::ifd::{Page, tag};
use crate::lzw;

/// Compressions that are looked at here.
const PLAIN: u64 = 1;
const LZW: u64 = 5;
const DEFLATE: [u64; 2] = [8, 32_946];

/// A strip or tile.
struct Chunk {
    at: u64,
    length: u64,
    /// Bytes of its pixels, unpacked.
    wanted: u64,
    /// As many with all rows, which some writers give the last strip too.
    full: u64,
}

/// Unpacked pixels that stand where a file ends, and the entries that say so.
pub(super) struct Unpacked {
    pub(super) bytes: Vec<u8>,
    pub(super) lists: [(u16, Vec<u64>); 2],
}

/// What an entry says, or a default; single values may be changed.
pub(super) type Number<'a> = &'a dyn Fn(u16, u64) -> u64;

/// The entries that say where strips or tiles begin, and how long they are.
pub(super) fn tags(page: &Page<'_>) -> [u16; 2] {
    match page.number(tag::TILE_WIDTH) {
        Some(_) => [tag::TILE_OFFSETS, tag::TILE_BYTES],
        None => [tag::STRIP_OFFSETS, tag::STRIP_BYTES],
    }
}

fn list(page: &Page<'_>, number: Number<'_>) -> (Vec<Chunk>, [u16; 2]) {
    let tiled = page.number(tag::TILE_WIDTH).is_some();
    let tags = tags(page);
    let (width, height, samples) = (number(tag::WIDTH, 0), number(tag::HEIGHT, 0), number(tag::SAMPLES, 1));
    let samples = if number(tag::PLANAR, 1) == 2 { 1 } else { samples };
    let row = |pixels: u64| pixels.saturating_mul(samples).saturating_mul(number(tag::BITS, 1)).div_ceil(8);
    let rows = number(tag::ROWS_PER_STRIP, height).clamp(1, height.max(1));
    let strips = height.div_ceil(rows).max(1);
    let full = match tiled {
        true => row(number(tag::TILE_WIDTH, 0)).saturating_mul(number(tag::TILE_HEIGHT, 0)),
        false => row(width).saturating_mul(rows),
    };
    let wanted = |index: u64| match tiled {
        true => full,
        false => row(width).saturating_mul(rows.min(height.saturating_sub(index % strips * rows))),
    };
    let places = page.numbers(tags[0]).into_iter().zip(page.numbers(tags[1]));
    let chunks = (0..).zip(places).map(|(index, (at, length))| Chunk { at, length, wanted: wanted(index), full });
    (chunks.collect(), tags)
}

/// Whether all pixels lie in the file: what a decoder is given behind its end, or in place of a tile that was never
/// written, would be taken for some of them.
///
/// # Errors
/// [`PictureError::Damaged`]; [`PictureError::Refused`] for strips or tiles that are left out.
pub(super) fn refuse_cut_off(file: &[u8], page: &Page<'_>, number: Number<'_>) -> Result<(), PictureError> {
    let plain = number(tag::COMPRESSION, PLAIN) == PLAIN;
    // some writers count a last strip as if it had all rows
    let needed = |chunk: &Chunk| if plain { chunk.length.min(chunk.wanted) } else { chunk.length };
    for chunk in &list(page, number).0 {
        if chunk.wanted > 0 && (chunk.at == 0 || chunk.length == 0) {
            let what = "a TIFF some of whose strips or tiles are not in the file (it is sparse)";
            return Err(PictureError::refused(what, "save it with all of its pixels"));
        }
        if chunk.at.checked_add(needed(chunk)).is_none_or(|end| end > file.len() as u64) {
            return Err(PictureError::Damaged("its pixels reach beyond the end of the file".into()));
        }
        if plain && chunk.length < chunk.wanted {
            return Err(PictureError::Damaged("its strips or tiles hold fewer bytes than their pixels".into()));
        }
    }
    Ok(())
}

/// The first `wanted` of at most `full` bytes in Deflate. They are read to the end, where a checksum stands.
fn inflated(packed: &[u8], wanted: usize, full: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = ZlibDecoder::new(packed).take(full.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|error| format!("Deflate: {error}"))?;
    // damaged codes may go on and on
    if bytes.len() as u64 > full {
        return Err("Deflate: more pixels than a strip or tile has".into());
    }
    bytes.truncate(wanted);
    Ok(bytes)
}

/// The pixels of a page in LZW or Deflate, which would stand from `end` on; nothing for other compressions. Of the
/// former the `tiff` library (0.11.3) refuses sound tiles (image-tiff#395), of the latter it asks for no checksum.
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
    let compression = number(tag::COMPRESSION, PLAIN);
    let deflate = DEFLATE.contains(&compression);
    if !deflate && compression != LZW {
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
        let missing = || PictureError::Damaged("pixels of its strips or tiles are missing".into());
        // a code of LZW, of at least 9 bits, stands for fewer bytes than there are codes; Deflate packs 1032 into one
        if chunk.wanted > chunk.length.saturating_mul(4096) {
            return Err(missing());
        }
        let wanted = chunk.wanted as usize;
        let pixels = if deflate { inflated(packed, wanted, chunk.full) } else { lzw::unpack(packed, wanted) };
        let pixels = pixels.map_err(PictureError::Damaged)?;
        if (pixels.len() as u64) < chunk.wanted {
            return Err(missing());
        }
        places.push(end + bytes.len() as u64);
        bytes.extend(pixels);
    }
    let lengths = chunks.into_iter().map(|chunk| chunk.wanted).collect();
    Ok(Some(Unpacked { bytes, lists: [(tags[0], places), (tags[1], lengths)] }))
}
