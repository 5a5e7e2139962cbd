//! JPEG tiles, whose tables may stand in the directory (TIFF Technical Note 2).

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::ycbcr::of_ycbcr;
use crate::picture_file::{closed, scans_end};

/// Samples of a tile that is whole, RGB where `ycbcr` says that it holds luminance and differences. What the code stream
/// says of its colours does not count: the directory does.
pub(super) fn decode(
    bytes: &[u8],
    tables: &[u8],
    [width, height]: [u32; 2],
    samples: usize,
    ycbcr: bool,
) -> Result<Vec<u8>, String> {
    let (width, height) = (width as usize, height as usize);
    // both begin with a start and the tables end with an end
    let whole = match (tables.get(..tables.len().saturating_sub(2)), bytes.get(2..)) {
        (Some(tables), Some(rest)) if !tables.is_empty() => [tables, rest].concat(),
        _ => bytes.to_vec(),
    };
    // a decoder fills up what was cut off with zeros
    let whole = closed(&whole, scans_end(&whole).map_err(|what| what.to_string())?);
    let failed = |error: zune_jpeg::errors::DecodeErrors| format!("JPEG: {error:?}");
    let options = |out| {
        DecoderOptions::default()
            .set_strict_mode(true)
            .set_max_width(usize::from(u16::MAX))
            .set_max_height(usize::from(u16::MAX))
            .jpeg_set_out_colorspace(out)
    };
    let mut header = JpegDecoder::new_with_options(ZCursor::new(&whole), options(ColorSpace::RGB));
    header.decode_headers().map_err(failed)?;
    let (Some((stored_width, stored_height)), Some(input)) = (header.dimensions(), header.input_colorspace()) else {
        return Err("JPEG: no header".into());
    };
    if stored_width < width || stored_height < height || stored_width * stored_height > 4 * width * height + (1 << 16) {
        return Err(format!("JPEG: it holds {stored_width}×{stored_height} pixels instead of {width}×{height}"));
    }
    if input.num_components() != samples {
        return Err(format!("JPEG: it holds {} samples a pixel instead of {samples}", input.num_components()));
    }
    let (out, by_hand) = match (ycbcr, input) {
        (true, ColorSpace::YCbCr) => (ColorSpace::RGB, false),
        (true, _) => (input, samples == 3),
        (false, _) => (input, false),
    };
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(&whole), options(out));
    let mut decoded = decoder.decode().map_err(failed)?;
    if decoded.len() != stored_width * stored_height * samples {
        return Err("JPEG: it holds other samples than its header says".into());
    }
    if by_hand {
        decoded.as_chunks_mut::<3>().0.iter_mut().for_each(|pixel| *pixel = of_ycbcr(*pixel));
    }
    if (stored_width, stored_height) == (width, height) {
        return Ok(decoded);
    }
    let rows = decoded.chunks_exact(stored_width * samples).take(height);
    Ok(rows.flat_map(|row| row.iter().take(width * samples).copied()).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use image::codecs::jpeg::JpegEncoder;
    use image::{Rgb, RgbImage};

    use super::*;

    #[test]
    fn a_tile_that_was_cut_is_damaged_with_and_without_an_end_marker() {
        let picture = RgbImage::from_fn(48, 40, |x, y| Rgb([(5 * x) as u8, (6 * y) as u8, (x * y % 251) as u8]));
        let mut tile = Vec::new();
        JpegEncoder::new_with_quality(&mut tile, 90).encode_image(&picture).unwrap();
        let read = |tile: &[u8]| decode(tile, &[], [48, 40], 3, true);
        let whole = read(&tile).unwrap();
        let far = whole.iter().zip(picture.as_raw()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(far < Some(60), "{far:?}");

        let (marker, scan) = (tile.len() - 2, tile.windows(2).position(|bytes| bytes == [0xff, 0xda]).unwrap());
        assert_eq!(read(&tile[..marker]).as_ref(), Ok(&whole), "some writers leave the end marker out");
        for cut in scan + 14..marker - 2 {
            assert!(read(&tile[..cut]).is_err(), "cut at {cut} of {marker}");
            assert!(read(&[&tile[..cut], &[0xff, 0xd9]].concat()).is_err(), "cut at {cut} of {marker}, and closed");
        }
    }
}
