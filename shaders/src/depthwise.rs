//! Twin of `wgsl/depthwise.wgsl` and `wgsl/depthwise_5x5.wgsl`.

use pulp::{Simd, WithSimd};

use crate::DepthwiseParams;
use crate::activation::bounds;
use crate::parallel;
use crate::vectorised::vectorised;

/// Columns of the output that are computed from one copy of the input.
const COLUMNS: usize = 64;
/// Columns of that copy: what the last vector of a 5×5 kernel reads.
const WIDTH: usize = COLUMNS + 8;
/// Rows of the output, and vectors in each, with their sums in registers.
const ROWS: usize = 2;
const VECTORS: usize = 2;
/// Values of the longest vectors (AVX-512).
const MOST_LANES: usize = 16;
/// Rows of the output that are computed from one copy.
const STRIP: usize = 16;

/// Depthwise convolution of `x` `[B, C, h, w]` with `weight` `[C, k * k]` (k 3 or 5, told by its length) and `bias`
/// `[C]` to `output` `[B, C, H, W]`.
pub fn depthwise(params: &DepthwiseParams, x: &[f32], weight: &[f32], bias: &[f32], output: &mut [f32]) {
    let channels = params.channels as usize;
    let size = (params.in_height * params.in_width) as usize;
    let taps = weight.len() / channels.max(1);
    parallel::chunks(output, (params.height * params.width) as usize, |plane, output| {
        let channel = plane % channels;
        let plane = Plane {
            params,
            x: &x[plane * size..][..size],
            weight: &weight[channel * taps..][..taps],
            bias: bias[channel],
            output,
        };
        vectorised(plane);
    });
}

struct Plane<'a> {
    params: &'a DepthwiseParams,
    x: &'a [f32],
    weight: &'a [f32],
    bias: f32,
    output: &'a mut [f32],
}

impl WithSimd for Plane<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match (self.weight.len(), self.params.stride) {
            (9, 1) => self.filter::<S, 3, 1>(simd),
            (9, _) => self.filter::<S, 3, 2>(simd),
            (_, 1) => self.filter::<S, 5, 1>(simd),
            (_, _) => self.filter::<S, 5, 2>(simd),
        }
    }
}

/// A row of the copy, its columns apart by phase: every `STRIDE`th from the first, from the second.
type Row<const STRIDE: usize> = [[f32; WIDTH]; STRIDE];

impl Plane<'_> {
    #[inline(always)]
    fn filter<S: Simd, const KERNEL: usize, const STRIDE: usize>(self, simd: S) {
        let (height, width) = (self.params.height as usize, self.params.width as usize);
        let mut copy = vec![[[0.0; WIDTH]; STRIDE]; (STRIP - 1) * STRIDE + KERNEL + ROWS * STRIDE];
        let mut taps = [[0.0; KERNEL]; KERNEL];
        for (taps, weights) in taps.iter_mut().zip(self.weight.chunks_exact(KERNEL)) {
            taps.copy_from_slice(weights);
        }
        let Self { params, bias, .. } = self;
        for left in (0..width).step_by(COLUMNS) {
            let columns = COLUMNS.min(width - left);
            for top in (0..height).step_by(STRIP) {
                let rows = STRIP.min(height - top);
                self.copy::<STRIDE>(&mut copy[..(rows - 1) * STRIDE + KERNEL], top, left);
                for row in (0..rows).step_by(ROWS) {
                    let window = &copy[row * STRIDE..][..(ROWS - 1) * STRIDE + KERNEL];
                    let output = &mut self.output[(top + row) * width..(top + rows.min(row + ROWS)) * width];
                    for column in (0..columns).step_by(VECTORS * S::F32_LANES) {
                        let sums = sums::<S, KERNEL, STRIDE>(simd, window, &taps, column, bias);
                        let rest = (columns - column).min(VECTORS * S::F32_LANES);
                        for (output, sums) in output.chunks_exact_mut(width).zip(sums) {
                            let sums = activated(simd, sums, params.activation);
                            let output = &mut output[left + column..][..rest];
                            if rest == VECTORS * S::F32_LANES {
                                S::as_mut_simd_f32s(output).0.copy_from_slice(&sums);
                            } else {
                                let mut values = [0.0; VECTORS * MOST_LANES];
                                S::as_mut_simd_f32s(&mut values).0[..VECTORS].copy_from_slice(&sums);
                                output.copy_from_slice(&values[..rest]);
                            }
                        }
                    }
                }
            }
        }
    }

    /// Copies what the outputs from `top` and `left` on see, zeros where that is padding.
    #[inline(always)]
    fn copy<const STRIDE: usize>(&self, copy: &mut [Row<STRIDE>], top: usize, left: usize) {
        let (height, width) = (self.params.in_height as usize, self.params.in_width as usize);
        let (pad_top, pad_left) = (self.params.pad_top as usize, self.params.pad_left as usize);
        // the copy's first column in a padded row, which begins `pad_left` before the input
        let start = left * STRIDE;
        let skipped = pad_left.saturating_sub(start);
        let inside = (start + skipped - pad_left).min(width)..(start + WIDTH * STRIDE - pad_left).min(width);
        for (index, row) in copy.iter_mut().enumerate() {
            let from = (top * STRIDE + index).wrapping_sub(pad_top);
            let mut padded = [0.0; 2 * WIDTH];
            let mut line = &padded[..WIDTH * STRIDE];
            if from < height {
                let values = &self.x[from * width..][..width][inside.clone()];
                line = if values.len() == WIDTH * STRIDE {
                    values
                } else {
                    padded[skipped..][..values.len()].copy_from_slice(values);
                    &padded[..WIDTH * STRIDE]
                };
            }
            for (column, values) in line.as_chunks::<STRIDE>().0.iter().enumerate() {
                for phase in 0..STRIDE {
                    row[phase][column] = values[phase];
                }
            }
        }
    }
}

/// Sums of vectors in each of `ROWS` rows, from the rows of the copy that they see.
#[inline(always)]
fn sums<S: Simd, const KERNEL: usize, const STRIDE: usize>(
    simd: S,
    window: &[Row<STRIDE>],
    taps: &[[f32; KERNEL]; KERNEL],
    column: usize,
    bias: f32,
) -> [[S::f32s; VECTORS]; ROWS] {
    // so that the compiler knows all that follows to be inside
    assert!(window.len() >= (ROWS - 1) * STRIDE + KERNEL && column + VECTORS * S::F32_LANES <= COLUMNS);
    let mut sums = [[simd.splat_f32s(bias); VECTORS]; ROWS];
    for tap_row in 0..KERNEL {
        for tap in 0..KERNEL {
            let weight = simd.splat_f32s(taps[tap_row][tap]);
            for row in 0..ROWS {
                let seen = &window[row * STRIDE + tap_row][tap % STRIDE][column + tap / STRIDE..];
                let seen = S::as_simd_f32s(seen).0;
                for vector in 0..VECTORS {
                    sums[row][vector] = simd.mul_add_e_f32s(weight, seen[vector], sums[row][vector]);
                }
            }
        }
    }
    sums
}

#[inline(always)]
fn activated<S: Simd, const N: usize>(simd: S, mut sums: [S::f32s; N], activation: u32) -> [S::f32s; N] {
    let Some([low, high]) = bounds(activation) else { return sums };
    let (low, high) = (simd.splat_f32s(low), simd.splat_f32s(high));
    for sum in &mut sums {
        *sum = simd.min_f32s(simd.max_f32s(*sum, low), high);
    }
    sums
}
