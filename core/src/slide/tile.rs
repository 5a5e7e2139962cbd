//! One tile as RGB.

use std::io::{Read as _, Seek};

use super::grid::{Codec, Colours, Grid};
use super::source::Source;
use super::ycbcr::of_ycbcr;
use super::{jpeg, jpeg2000};
use crate::lzw;

/// White, what no tile covers.
pub(super) const GLASS: u8 = 255;

/// Why a tile is not there; a reason without a place.
pub(super) enum TileFailure {
    /// The system could not read: nothing is known of the tile.
    Io(std::io::Error),
    /// What stands in the file is no such tile.
    Damaged(String),
}

impl From<String> for TileFailure {
    fn from(reason: String) -> Self {
        Self::Damaged(reason)
    }
}

/// The tile in a column and row: `[height, width, 3]` of [`Grid::stored`]. A sparse one (of no bytes) is white.
pub(super) fn read<R: std::io::Read + Seek>(
    source: &Source<R>,
    grid: &Grid,
    column: u32,
    row: u32,
) -> Result<Vec<u8>, TileFailure> {
    let [width, height] = grid.stored(row);
    let pixels = width as usize * height as usize;
    let index = row as usize * grid.across as usize + column as usize;
    let plane = |plane: usize| -> Result<Option<Vec<u8>>, TileFailure> {
        let index = plane * grid.across as usize * grid.down as usize + index;
        let &(at, length) = grid.places.get(index).ok_or_else(|| "it is not listed".to_owned())?;
        if at == 0 || length == 0 {
            return Ok(None);
        }
        // no codec makes a tile much larger than its pixels
        if length > 8 * (pixels as u64 * u64::from(grid.samples) * u64::from(grid.bits / 8)) + (1 << 20) {
            return Err(format!("{length} bytes cannot be one tile").into());
        }
        let bytes = source.read(at, length).map_err(TileFailure::Io)?;
        let bytes = bytes.ok_or_else(|| format!("its {length} bytes at {at} reach beyond the end of the file"))?;
        let samples = if grid.planar { 1 } else { usize::from(grid.samples) };
        Ok(Some(samples_of(&bytes, grid, [width, height], samples)?))
    };
    if !grid.planar {
        return Ok(match plane(0)? {
            Some(samples) => rgb(&samples, grid, usize::from(grid.samples)),
            None => vec![GLASS; 3 * pixels],
        });
    }
    let planes: Vec<_> = (0..usize::from(grid.samples)).map(plane).collect::<Result<_, _>>()?;
    let Some(planes) = planes.into_iter().collect::<Option<Vec<_>>>() else { return Ok(vec![GLASS; 3 * pixels]) };
    let samples: Vec<u8> =
        (0..pixels).flat_map(|pixel| planes.iter().filter_map(move |plane| plane.get(pixel).copied())).collect();
    Ok(rgb(&samples, grid, planes.len()))
}

/// A tile's samples of 8 bits, those of a pixel side by side.
fn samples_of(bytes: &[u8], grid: &Grid, size: [u32; 2], samples: usize) -> Result<Vec<u8>, String> {
    let pixels = size[0] as usize * size[1] as usize;
    let wanted = pixels * samples * usize::from(grid.bits / 8);
    let unpacked = match grid.codec {
        Codec::Jpeg => return jpeg::decode(bytes, &grid.tables, size, samples, grid.colours == Colours::YCbCr),
        Codec::Jpeg2000 { ycbcr } => return jpeg2000::decode(bytes, size, samples, ycbcr),
        Codec::None => bytes.to_vec(),
        Codec::Deflate => {
            let mut unpacked = Vec::new();
            let decoder = flate2::read::ZlibDecoder::new(bytes);
            decoder.take(wanted as u64).read_to_end(&mut unpacked).map_err(|error| format!("Deflate: {error}"))?;
            unpacked
        }
        Codec::Lzw => lzw::unpack(bytes, wanted)?,
        Codec::PackBits => unpack_bits(bytes, wanted),
    };
    let Some(values) = unpacked.get(..wanted) else {
        return Err(format!("it holds {} of {wanted} bytes", unpacked.len()));
    };
    let row = size[0] as usize * samples;
    Ok(if grid.bits == 16 {
        let number = |pair: [u8; 2]| if grid.little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) };
        let mut values: Vec<u16> = values.as_chunks::<2>().0.iter().map(|pair| number(*pair)).collect();
        if grid.predictor {
            values.chunks_mut(row).for_each(|row| undo_differences(row, samples, u16::wrapping_add));
        }
        values.into_iter().map(|value| ((u32::from(value) + 128) / 257) as u8).collect()
    } else {
        let mut values = values.to_vec();
        if grid.predictor {
            values.chunks_mut(row).for_each(|row| undo_differences(row, samples, u8::wrapping_add));
        }
        values
    })
}

/// The horizontal predictor (TIFF 6.0, section 14).
fn undo_differences<T: Copy>(row: &mut [T], samples: usize, add: impl Fn(T, T) -> T) {
    for at in samples..row.len() {
        row[at] = add(row[at], row[at - samples]);
    }
}

/// TIFF 6.0, section 9.
fn unpack_bits(mut bytes: &[u8], wanted: usize) -> Vec<u8> {
    let mut unpacked = Vec::new();
    while let Some((&head, rest)) = bytes.split_first().filter(|_| unpacked.len() < wanted) {
        bytes = match head as i8 {
            -128 => rest,
            count @ 0.. => {
                let (literal, rest) = rest.split_at(rest.len().min(count as usize + 1));
                unpacked.extend_from_slice(literal);
                rest
            }
            count => {
                let Some((&value, rest)) = rest.split_first() else { break };
                unpacked.resize(unpacked.len() + 1 + usize::from(count.unsigned_abs()), value);
                rest
            }
        };
    }
    unpacked
}

/// Samples as colours; what is transparent is seen on white.
fn rgb(samples: &[u8], grid: &Grid, per_pixel: usize) -> Vec<u8> {
    let pixels = samples.chunks_exact(per_pixel);
    match grid.colours {
        Colours::Grey { white_is_zero } => {
            let grey = |pixel: &[u8]| pixel.first().map_or(0, |&grey| if white_is_zero { 255 - grey } else { grey });
            pixels.flat_map(|pixel| [grey(pixel); 3]).collect()
        }
        Colours::Rgb if per_pixel == 3 => samples.to_vec(),
        Colours::Rgb => pixels
            .flat_map(|pixel| match *pixel {
                [r, g, b, a, ..] => [r, g, b]
                    .map(|c| ((u32::from(c) * u32::from(a) + u32::from(GLASS) * u32::from(255 - a) + 127) / 255) as u8),
                _ => [GLASS; 3],
            })
            .collect(),
        // code streams come as RGB
        Colours::YCbCr if matches!(grid.codec, Codec::Jpeg | Codec::Jpeg2000 { .. }) => {
            pixels.flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect()
        }
        Colours::YCbCr => pixels.flat_map(|pixel| of_ycbcr([pixel[0], pixel[1], pixel[2]])).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_and_literals_of_packbits() {
        // the example of Apple's Technical Note 1023
        let packed = [0xfe, 0xaa, 0x02, 0x80, 0x00, 0x2a, 0xfd, 0xaa, 0x03, 0x80, 0x00, 0x2a, 0x22, 0xf7, 0xaa];
        let whole = unpack_bits(&packed, 24);
        assert_eq!(whole[..8], [0xaa, 0xaa, 0xaa, 0x80, 0x00, 0x2a, 0xaa, 0xaa]);
        assert_eq!((whole.len(), whole[23]), (24, 0xaa));
        assert_eq!(unpack_bits(&[5, 1, 2], 6), [1, 2]);
    }
}
