//! Polygons that someone gave for a slide.

use crate::outline::{GeoJsonError, Shapes};

/// Sentences on what is doubtful about polygons in pixels of a slide's level 0, whose width and height are `size`.
///
/// # Errors
/// [`GeoJsonError::Empty`] without any, [`GeoJsonError::Tiny`] if they are hardly in pixels, [`GeoJsonError::Outside`] if
/// all are of another slide.
pub fn doubts(shapes: &Shapes, size: [u32; 2]) -> Result<Vec<String>, GeoJsonError> {
    let [width, height] = size;
    let (outside, all) = (shapes.outside(size.map(f64::from)), shapes.shapes.len());
    if all == 0 {
        return Err(GeoJsonError::Empty);
    }
    shapes.refuse_no_areas()?;
    if outside == all {
        return Err(GeoJsonError::Outside { outside, all, width, height });
    }
    let mut doubts = Vec::new();
    if outside > 0 {
        doubts.push(format!("{outside} of {all} polygons lie outside of the slide ({width}×{height} pixels)"));
    }
    let beyond = shapes.bounds().is_some_and(|[low, high]| {
        let limit = size.map(|side| (0.02 * f64::from(side)).max(2.0));
        (0..2).any(|axis| low[axis] < -limit[axis] || high[axis] > f64::from(size[axis]) + limit[axis])
    });
    if beyond && outside == 0 {
        doubts.push(format!("polygons reach beyond the slide ({width}×{height} pixels) and are cut off there"));
    }
    if shapes.others > 0 {
        doubts.push(format!("{} features are no polygons and are left out", shapes.others));
    }
    Ok(doubts)
}
