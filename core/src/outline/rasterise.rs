//! Polygons as masks.

use super::Polygon;

/// The pixels inside polygons whose corners are those of pixels: `[height, width]`, row-major.
///
/// Inside is what an odd number of vertical edges lies to the left of; edges outside the image are cut off.
#[must_use]
pub fn rasterise(polygons: &[Polygon], width: usize, height: usize) -> Vec<bool> {
    let mut mask = vec![false; width * height];
    if mask.is_empty() {
        return mask;
    }
    let rings = polygons.iter().flat_map(|polygon| std::iter::once(&polygon.exterior).chain(&polygon.holes));
    for (from, to) in rings.flat_map(|ring| ring.iter().zip(ring.iter().skip(1))) {
        let ([x, from], [to_x, to]) = (from.map(|c| c as usize), to.map(|c| c as usize));
        if x == to_x && x < width {
            for y in from.min(to)..from.max(to).min(height) {
                mask[y * width + x] ^= true;
            }
        }
    }
    for row in mask.chunks_mut(width) {
        row.iter_mut().fold(false, |inside, pixel| {
            *pixel ^= inside;
            *pixel
        });
    }
    mask
}
