//! Masks as polygons along pixel edges, and back; on plain slices, no burn.
//!
//! Coordinates are corners of pixels, `(0, 0)` the top left one of the image, so a polygon of `w × h` pixels spans
//! exactly `w` by `h`. Rasterising the polygons gives the mask back, pixel by pixel.

mod class_names;
mod collection;
mod geojson;
mod rasterise;
mod shapes;
mod simplify;
mod stream;
mod trace;

pub use class_names::class_names;
pub use collection::Collection;
pub use geojson::{feature, geojson, geojson_scaled, geojson_simplified};
pub use rasterise::rasterise;
pub use shapes::{GeoJsonError, Points, Shape, ShapeRows, Shapes};
pub use simplify::simplified;
pub use stream::Outliner;

use crate::regions::Regions;

/// A closed ring of pixel corners `[x, y]`: the first is repeated at the end, every other one is a turn, and none is
/// passed twice.
pub type Ring = Vec<[u32; 2]>;

/// The outline of one 4-connected region of the foreground.
///
/// Rings follow the right-hand rule of RFC 7946, §3.1.6: the region is on their left in axes with x to the right and y
/// upwards, so `Σ xᵢ yᵢ₊₁ − xᵢ₊₁ yᵢ` is positive for the exterior and negative for holes. A hole may touch the
/// exterior or another hole in a corner. The polygon is valid by OGC's simple features.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Polygon {
    /// The outer ring.
    pub exterior: Ring,
    /// The rings of what the region surrounds but does not hold.
    pub holes: Vec<Ring>,
    /// Pixels inside.
    pub pixels: u64,
    /// Mean of the soft mask over these pixels.
    pub mean: f64,
}

/// Outlines of the 4-connected regions where `mask >= threshold`, ordered by their first pixel, row by row.
///
/// `mask` is `[height, width]`, row-major. NaN is background, and so is what a slice too short does not hold. Time and
/// memory are linear in the number of pixels.
#[must_use]
pub fn outlines(mask: &[f32], width: usize, height: usize, threshold: f32) -> Vec<Polygon> {
    if width == 0 {
        return Vec::new();
    }
    let regions = Regions::of(mask, width, height.min(mask.len().div_ceil(width)), |value| value >= threshold);
    let mut polygons = sizes(&regions, mask);
    for (region, ring) in trace::rings(&regions) {
        let polygon = &mut polygons[region];
        if polygon.exterior.is_empty() {
            polygon.exterior = ring;
        } else {
            polygon.holes.push(ring);
        }
    }
    polygons
}

/// A polygon for each region, in their order, with pixels and mean but no ring.
fn sizes(regions: &Regions, mask: &[f32]) -> Vec<Polygon> {
    // the first is the background's
    let mut polygons = vec![Polygon::default(); regions.count + 1];
    for (&number, &value) in regions.rows().flatten().zip(mask) {
        let polygon = &mut polygons[number as usize];
        polygon.pixels += 1;
        polygon.mean += f64::from(value);
    }
    polygons.remove(0);
    polygons.iter_mut().for_each(|polygon| polygon.mean /= polygon.pixels as f64);
    polygons
}
