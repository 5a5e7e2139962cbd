use std::array::from_fn;

use super::OpticalDensity;
use super::clusters::k_means;
use super::morphology::{close, fill_holes};
use super::optical_density::blur;
use crate::parallel;

/// Standard deviations of the blurs that colour is seen at, closing radius: shares of the short side (3, 6 and 3 pixels
/// at 432).
const FINE: f32 = 3.0 / 432.0;
const COARSE: f32 = 6.0 / 432.0;
const CLOSING: f32 = 3.0 / 432.0;
/// Largest lumen that is filled, as a share of the squared short side (15,000 pixels at 432).
const LUMEN: f32 = 15_000.0 / (432.0 * 432.0);
/// Nuclei and cytoplasm, stroma, glass and mucin.
const KINDS: usize = 3;

/// Where nuclei stand close, with the lumen they surround: the darkest of three clusters of optical density, blurred
/// twice, closed, its holes filled. No labels; a prior of glands that crypts of goblet cells, lymphoid tissue and
/// necrosis break.
pub(super) fn nuclei_and_lumen(density: &OpticalDensity) -> Vec<bool> {
    let side = density.short_side();
    let colours = seen(density, side);
    let (clusters, centres) = k_means(&colours, KINDS);
    lumen_filled(clusters, &centres, density.size, side)
}

/// What each pixel shows: its colours, blurred twice.
pub(super) fn seen(density: &OpticalDensity, side: f32) -> Vec<[f32; 6]> {
    let planes = [FINE, COARSE].into_iter().flat_map(|sigma| density.planes.iter().map(move |plane| (plane, sigma)));
    let blurred = parallel::map(planes.collect(), |(plane, sigma)| blur(plane, density.size, sigma * side));
    (0..density.size[0] * density.size[1]).map(|pixel| from_fn(|plane| blurred[plane][pixel])).collect()
}

/// The kinds of tissue that colours show.
pub(super) fn kinds(colours: &[[f32; 6]]) -> Vec<[f32; 6]> {
    k_means(colours, KINDS).1
}

/// The pixels of the darkest cluster, closed, with the holes that they surround.
pub(super) fn lumen_filled(clusters: Vec<usize>, centres: &[[f32; 6]], size: [usize; 2], side: f32) -> Vec<bool> {
    let total = |index: usize| centres.get(index).map_or(0.0, |centre| centre.iter().sum::<f32>());
    let darkest = (0..centres.len()).max_by(|&a, &b| total(a).total_cmp(&total(b)));
    // one colour alone says nothing
    if centres.len() < 2 {
        return vec![false; clusters.len()];
    }
    let dark: Vec<bool> = clusters.into_iter().map(|cluster| Some(cluster) == darkest).collect();
    let closed = close(&dark, size, (CLOSING * side).round().max(1.0) as usize);
    fill_holes(closed, size, (LUMEN * side * side) as usize)
}
