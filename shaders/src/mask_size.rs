use crate::MaskParams;
use crate::map_range::{Upsampling, chunk_bounds};
use crate::parallel::chunks;
use crate::soft_mask::soft;

/// Twin of [`MASK_SIZE`](crate::MASK_SIZE): coarse maps `[B, h, w]` and their ranges `[B, 2]` to the sums of the soft
/// mask over each chunk, `[B, chunks]`.
pub fn mask_size(params: &MaskParams, coarse: &[f32], range: &[f32], partial: &mut [f32]) {
    let &MaskParams { height, width, omega, sigma, .. } = params;
    let count = params.chunks as usize;
    let upsampling = Upsampling::new(params);
    chunks(partial, 1, |index, sum| {
        let (sample, chunk) = (index / count, index % count);
        let (low, inverse) = (range[2 * sample], range[2 * sample + 1]);
        let pixels = chunk_bounds(chunk, height as usize * width as usize, count);
        let mut size = 0.0;
        upsampling.visit(sample, pixels, coarse, |_, values| {
            for value in values.iter_mut() {
                *value = soft((*value - low) * inverse, omega, sigma);
            }
            size += values.iter().map(|&value| f64::from(value)).sum::<f64>();
        });
        sum[0] = size as f32;
    });
}
