//! Bilinear resampling as two small matrix products, `R_h · x · R_wᵀ`.
//!
//! Resampling is separable and linear, so this is exact, and its gradient is that of a matrix product: it
//! exists on every device (burn's own bilinear interpolation has no backward on wgpu).

use burn::tensor::{Device, Tensor, TensorData};

/// The two taps of one output position: source indices and the weight of the second.
fn taps(position: usize, output: usize, input: usize, align_corners: bool) -> (usize, usize, f64) {
    let source = if align_corners {
        if output > 1 { position as f64 * (input - 1) as f64 / (output - 1) as f64 } else { 0.0 }
    } else {
        ((position as f64 + 0.5) * input as f64 / output as f64 - 0.5).max(0.0)
    };
    let low = (source.floor() as usize).min(input - 1);
    let high = (low + 1).min(input - 1);
    (low, high, source - low as f64)
}

/// Row-stochastic `[output, input]` matrix of bilinear weights with PyTorch's conventions.
fn matrix(output: usize, input: usize, align_corners: bool, device: &Device) -> Tensor<2> {
    let mut weights = vec![0f64; output * input];
    for (position, row) in weights.chunks_exact_mut(input).enumerate() {
        let (low, high, fraction) = taps(position, output, input, align_corners);
        row[low] += 1.0 - fraction;
        row[high] += fraction;
    }
    Tensor::from_data(TensorData::new(weights, [output, input]), device)
}

/// Bilinear resize of a batch of maps, differentiable on every device.
///
/// # Shapes
///
/// `[B, C, h, w]` to `[B, C, size[0], size[1]]`.
pub fn bilinear(maps: Tensor<4>, size: [usize; 2], align_corners: bool) -> Tensor<4> {
    let [_, _, height, width] = maps.dims();
    if [height, width] == size {
        return maps;
    }
    let device = maps.device();
    let rows = matrix(size[0], height, align_corners, &device);
    let columns = matrix(size[1], width, align_corners, &device);
    rows.unsqueeze::<4>().matmul(maps.matmul(columns.transpose().unsqueeze::<4>()))
}

/// Nearest-neighbour resize to about twice the size, differentiable on every device.
///
/// `size` is that of a map whose stride-2 convolution had `maps`' size, so `maps` has half of it, rounded up. PyTorch's
/// rule `floor(i * input / output)` is then `floor(i / 2)`.
///
/// # Shapes
///
/// `[B, C, h, w]` to `[B, C, size[0], size[1]]`, sides at most twice as long.
pub fn nearest_double(maps: Tensor<4>, size: [usize; 2]) -> Tensor<4> {
    let [batch, channels, height, width] = maps.dims();
    let pairs: Tensor<6> = maps.reshape([batch, channels, height, 1, width, 1]);
    let doubled: Tensor<4> =
        pairs.expand([batch, channels, height, 2, width, 2]).reshape([batch, channels, 2 * height, 2 * width]);
    if size == [2 * height, 2 * width] {
        return doubled;
    }
    doubled.slice([0..batch, 0..channels, 0..size[0], 0..size[1]])
}

/// Bilinear resize of one map held in memory, for masks brought back to the image's own resolution.
///
/// `map` has `from[0] * from[1]` values in row order; the result has `to[0] * to[1]`.
#[must_use]
pub fn bilinear_slice(map: &[f32], from: [usize; 2], to: [usize; 2], align_corners: bool) -> Vec<f32> {
    debug_assert_eq!(map.len(), from[0] * from[1]);
    let columns: Vec<_> = (0..to[1]).map(|x| taps(x, to[1], from[1], align_corners)).collect();
    let mut resized = Vec::with_capacity(to[0] * to[1]);
    for y in 0..to[0] {
        let (top, bottom, fy) = taps(y, to[0], from[0], align_corners);
        let top = &map[top * from[1]..][..from[1]];
        let bottom = &map[bottom * from[1]..][..from[1]];
        resized.extend(columns.iter().map(|&(left, right, fx)| {
            let mix = |row: &[f32]| f64::from(row[left]) * (1.0 - fx) + f64::from(row[right]) * fx;
            (mix(top) * (1.0 - fy) + mix(bottom) * fy) as f32
        }));
    }
    resized
}

/// A side length scaled and truncated, never below 1 (`spec` §1.6: 416 × 0.8 is 332).
#[must_use]
pub fn scaled(side: usize, scale: f64) -> usize {
    ((side as f64 * scale) as usize).max(1)
}
