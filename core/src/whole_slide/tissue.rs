//! Tissue of a slide at a thumbnail, and as polygons.

use std::io::{Read, Seek};

use crate::outline;
use crate::slide::tissue::{Tissue, TissueOptions, detect};
use crate::slide::{Slide, SlideError};

/// Microns per pixel at which tissue is looked for.
const TISSUE_MPP: f64 = 8.0;
/// Sides of the thumbnail for that, in pixels.
const TISSUE_SIDE: std::ops::RangeInclusive<f64> = 256.0..=4096.0;
/// Area in mm² below which tissue is dirt and a hole is filled.
const SMALLEST: f64 = 0.01;

/// The tissue of a slide whose pixels are `mpp` microns wide and high.
///
/// # Errors
/// The thumbnail cannot be read.
pub fn find_tissue<R: Read + Seek>(slide: &Slide<R>, mpp: [f64; 2]) -> Result<Tissue, SlideError> {
    let [width, height] = slide.size().map(f64::from);
    let longest = (width * mpp[0]).max(height * mpp[1]);
    let side = (longest / TISSUE_MPP).clamp(*TISSUE_SIDE.start(), *TISSUE_SIDE.end()).min(width.max(height));
    let thumbnail = slide.thumbnail(side as u32)?;
    let pixel = (width * mpp[0] / f64::from(thumbnail.width())) * (height * mpp[1] / f64::from(thumbnail.height()));
    let smallest = (SMALLEST * 1e6 / pixel).round() as usize;
    Ok(detect(&thumbnail, &TissueOptions { smallest_piece: smallest, smallest_hole: smallest }))
}

/// Tissue as GeoJSON in pixels of the slide's level 0.
#[must_use]
pub fn tissue_geojson(tissue: &Tissue, size: [u32; 2]) -> String {
    let scale = [f64::from(size[0]) / tissue.width as f64, f64::from(size[1]) / tissue.height as f64];
    let soft: Vec<f32> = tissue.mask.iter().map(|&tissue| f32::from(u8::from(tissue))).collect();
    outline::geojson_scaled(&soft, tissue.width, tissue.height, 0.5, "Tissue", scale)
}
