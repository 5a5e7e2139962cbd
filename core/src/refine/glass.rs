use super::OpticalDensity;
use super::morphology::open;
use super::optical_density::blur;

/// Optical density, summed over colours, below which there is no tissue.
const EMPTY: f32 = 0.25;
/// Standard deviation of the blur before, as a share of the short side (3 pixels at 288).
const BLUR: f32 = 3.0 / 288.0;
/// Side of the square that must fit into glass, as a share of the short side: the lumen of a gland is smaller.
const SQUARE: f32 = 0.25;

/// Large empty glass: pixels without tissue that lie in a square of them, a quarter of `side`, the image's short side.
pub(super) fn glass(density: &OpticalDensity, side: f32) -> Vec<bool> {
    let size = density.size;
    let empty: Vec<bool> = blur(&density.total(), size, BLUR * side).into_iter().map(|total| total < EMPTY).collect();
    open(&empty, size, (SQUARE * side / 2.0).round() as usize)
}
