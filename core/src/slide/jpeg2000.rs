//! JPEG 2000 tiles: code streams, as Aperio writes them.

use hayro_jpeg2000::{DecodeSettings, DecoderContext, Image};

use super::ycbcr::of_ycbcr;

/// Samples of a tile; `ycbcr` says that the three components are luminance and differences.
pub(super) fn decode(bytes: &[u8], [width, height]: [u32; 2], samples: usize, ycbcr: bool) -> Result<Vec<u8>, String> {
    let failed = |error| format!("JPEG 2000: {error}");
    let settings = DecodeSettings { strict: true, ..DecodeSettings::default() };
    let image = Image::new(bytes, &settings).map_err(failed)?;
    if (image.width(), image.height()) != (width, height) {
        let (stored_width, stored_height) = (image.width(), image.height());
        return Err(format!("JPEG 2000: it holds {stored_width}×{stored_height} pixels instead of {width}×{height}"));
    }
    let mut context = DecoderContext::default();
    let decoded = image.decode(&mut context).map_err(failed)?;
    let pixels = width as usize * height as usize;
    let components = decoded.components();
    if components.len() != samples || components.iter().any(|component| component.samples().len() != pixels) {
        return Err(format!("JPEG 2000: it holds {} samples a pixel instead of {samples}", components.len()));
    }
    let mut values = decoded.data_u8();
    if ycbcr && samples == 3 {
        values.as_chunks_mut::<3>().0.iter_mut().for_each(|pixel| *pixel = of_ycbcr(*pixel));
    }
    Ok(values)
}
