//! Results as files.

use histomask_core::mask::{binary, sixteen_bit};
use histomask_core::plain_cell::plain_cell;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder as _};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::Failure;

pub(crate) fn mask_png(mask: &[f32], width: u32, height: u32, threshold: f32) -> Result<Vec<u8>, Failure> {
    png(&binary(mask, threshold), width, height, ExtendedColorType::L8)
}

pub(crate) fn soft_png(mask: &[f32], width: u32, height: u32) -> Result<Vec<u8>, Failure> {
    // the encoder takes the machine's byte order
    let values: Vec<u8> = sixteen_bit(mask).into_iter().flat_map(u16::to_ne_bytes).collect();
    png(&values, width, height, ExtendedColorType::L16)
}

/// `rgba` is 4 bytes a pixel; the alpha is left out.
pub(crate) fn overlay_png(rgba: &[u8], width: u32, height: u32) -> Result<Vec<u8>, Failure> {
    let rgb: Vec<u8> = rgba.chunks_exact(4).flat_map(|pixel| pixel.iter().take(3).copied()).collect();
    png(&rgb, width, height, ExtendedColorType::Rgb8)
}

fn png(bytes: &[u8], width: u32, height: u32, color: ExtendedColorType) -> Result<Vec<u8>, Failure> {
    let mut file = Vec::new();
    PngEncoder::new(&mut file)
        .write_image(bytes, width, height, color)
        .map_err(|error| Failure::Export(error.to_string()))?;
    Ok(file)
}

/// CSV text of `rows`, JSON of an array of arrays of strings.
///
/// # Errors
///
/// If `rows` is something else.
#[wasm_bindgen]
pub fn csv(rows: &str) -> Result<String, Failure> {
    let rows: Vec<Vec<String>> = serde_json::from_str(rows).map_err(|error| Failure::Export(error.to_string()))?;
    table(&rows)
}

/// CSV text of rows.
pub(crate) fn table(rows: &[Vec<String>]) -> Result<String, Failure> {
    let failed = |error: String| Failure::Export(error);
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    for row in rows {
        let row = row.iter().map(|cell| plain_cell(cell).into_owned());
        writer.write_record(row).map_err(|error| failed(error.to_string()))?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| failed(error.to_string()))
}
