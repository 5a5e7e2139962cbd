use crate::MaskParams;
use crate::parallel::chunks;
use crate::sigmoid::sigmoid;
use crate::taps::{Taps, taps};

/// Twin of [`SOFT_MASK`](crate::SOFT_MASK): coarse maps `[B, h, w]` and their ranges `[B, 2]` to masks `[B, H, W]`.
pub fn soft_mask(params: &MaskParams, coarse: &[f32], range: &[f32], mask: &mut [f32]) {
    let [map_height, map_width] = [params.map_height as usize, params.map_width as usize];
    let [height, width] = [params.height as usize, params.width as usize];
    let align_corners = params.align_corners != 0;
    let columns: Vec<Taps> = (0..width).map(|x| taps(x, width, map_width, align_corners)).collect();
    chunks(mask, width, |row, mask| {
        let (sample, row) = (row / height, row % height);
        let map = &coarse[sample * map_height * map_width..][..map_height * map_width];
        let (low, inverse) = (range[2 * sample], range[2 * sample + 1]);
        let blended = blended_row(map, map_width, taps(row, height, map_height, align_corners));
        for (value, taps) in mask.iter_mut().zip(&columns) {
            let up = mix(blended[taps.low], blended[taps.high], taps.fraction);
            *value = soft((up - low) * inverse, params.omega, params.sigma);
        }
    });
}

/// The coarse row that an output row reads, its two neighbours blended, `[w]`.
pub(crate) fn blended_row(map: &[f32], width: usize, row: Taps) -> Vec<f32> {
    let (top, bottom) = (&map[row.low * width..][..width], &map[row.high * width..][..width]);
    top.iter().zip(bottom).map(|(&top, &bottom)| mix(top, bottom, row.fraction)).collect()
}

pub(crate) fn mix(a: f32, b: f32, share: f32) -> f32 {
    a + (b - a) * share
}

/// Eq. 12 of one value of a map.
#[must_use]
pub fn soft(normalised: f32, omega: f32, sigma: f32) -> f32 {
    sigmoid(omega * (normalised - sigma))
}
