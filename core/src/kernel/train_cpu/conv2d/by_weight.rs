//! Gradient of a convolution by its weights: for each output channel, input channel and tap one scalar product.
//!
//! Planes are padded to one length of row, so that a tap is a shift and the product runs over the whole plane at once;
//! with a stride, over the plane of those pixels that the tap meets.

use histomask_shaders::{ConvParams, vectorised};
use pulp::{Simd, WithSimd};

use crate::kernel::train_cpu::planes::{filled, map_channels};

/// Rows of the gradient and of the input that one pass over them multiplies with one another: with AVX2 the sums, the
/// inputs and one gradient fill the sixteen registers.
const GRADIENTS: usize = 4;
const INPUTS: usize = 3;
/// Values of a row in one pass: a few rows stay in the first cache.
const PIECE: usize = 1024;
/// Rows of the input, about, of a task, which reads all of the gradient.
const ROWS: usize = 36;
/// A multiple of all vector lengths.
const MOST_LANES: usize = 16;

/// From `x` `[B, I, h, w]` and the gradient `[B, O, H, W]` to `[O, I, k, k]`.
pub(super) fn by_weight(params: &ConvParams, x: &[f32], gradient: &[f32]) -> Vec<f32> {
    let layout = Layout::new(params);
    let (inputs, outputs) = (params.inputs as usize, params.outputs as usize);
    let gradient = layout.gradient(params, gradient);
    let block = (ROWS / layout.taps()).clamp(1, inputs.div_ceil(GRADIENTS));
    let sums = map_channels(inputs.div_ceil(block), |index| {
        let first = index * block;
        vectorised(Task { params, layout: &layout, x, gradient: &gradient, inputs: first..(first + block).min(inputs) })
    });
    let rows: Vec<&[f32]> = sums.iter().flat_map(|sums| sums.chunks_exact(layout.outputs)).collect();
    (0..outputs).flat_map(|output| rows.iter().map(move |row| row[output])).collect()
}

/// How planes lie in memory.
struct Layout {
    kernel: usize,
    stride: usize,
    /// Output channels with those that fill the last pass.
    outputs: usize,
    /// Values from a row to the next.
    pitch: usize,
    /// Values of a plane of the gradient.
    length: usize,
    /// Values of a plane of the input: as many from the last tap on.
    reach: usize,
}

impl Layout {
    fn new(params: &ConvParams) -> Self {
        let [kernel, stride] = [params.kernel as usize, params.stride as usize];
        let beyond = kernel.div_ceil(stride) - 1;
        let pitch = params.width as usize + beyond;
        let length = (params.height as usize * pitch).next_multiple_of(MOST_LANES);
        let outputs = (params.outputs as usize).next_multiple_of(GRADIENTS);
        Self { kernel, stride, outputs, pitch, length, reach: length + beyond * (pitch + 1) }
    }

    fn taps(&self) -> usize {
        self.kernel * self.kernel
    }

    /// Planes a channel of the input is divided into: one for each remainder of row and column that taps meet.
    fn remainders(&self) -> usize {
        self.stride.min(self.kernel)
    }

    /// The gradient `[B, outputs, length]` with zeros between the rows and beyond.
    fn gradient(&self, params: &ConvParams, gradient: &[f32]) -> Vec<f32> {
        let (outputs, width) = (params.outputs as usize, params.width as usize);
        let plane = params.height as usize * width;
        filled(params.batch as usize * self.outputs, self.length, |index, to| {
            let (sample, output) = (index / self.outputs, index % self.outputs);
            if output < outputs {
                let rows = gradient[(sample * outputs + output) * plane..][..plane].chunks_exact(width);
                to.chunks_mut(self.pitch).zip(rows).for_each(|(to, row)| to[..width].copy_from_slice(row));
            }
        })
    }

    /// One channel `[h, w]` of the input as `[remainders, remainders, reach]`; `planes` is zero where the image is not.
    fn input(&self, params: &ConvParams, channel: &[f32], planes: &mut [f32]) {
        let (stride, pads) = (self.stride, [params.pad_top as usize, params.pad_left as usize]);
        for (y, row) in channel.chunks_exact(params.in_width as usize).enumerate() {
            let (at, remainder) = ((y + pads[0]) / stride, (y + pads[0]) % stride);
            if remainder >= self.remainders() {
                continue;
            }
            for column in 0..self.remainders() {
                let plane = &mut planes[(remainder * self.remainders() + column) * self.reach..][..self.reach];
                // the first pixel of this remainder, and where it stands
                let first = (column + stride - pads[1] % stride) % stride;
                let offset = at * self.pitch + (first + pads[1]) / stride;
                let count = row.len().saturating_sub(first).div_ceil(stride);
                let room = (at * self.pitch + self.pitch).min(plane.len()).saturating_sub(offset);
                let Some(to) = plane.get_mut(offset..offset + count.min(room)) else { continue };
                to.iter_mut().zip(row.iter().skip(first).step_by(stride)).for_each(|(to, from)| *to = *from);
            }
        }
    }

    /// Where the row of an input channel begins that a tap multiplies with the gradient.
    fn row(&self, channel: usize, tap: usize) -> usize {
        let (row, column) = (tap / self.kernel, tap % self.kernel);
        let plane = (channel * self.remainders() + row % self.stride) * self.remainders() + column % self.stride;
        plane * self.reach + row / self.stride * self.pitch + column / self.stride
    }
}

/// The sums `[inputs, taps, outputs]` of some input channels.
struct Task<'a> {
    params: &'a ConvParams,
    layout: &'a Layout,
    x: &'a [f32],
    gradient: &'a [f32],
    inputs: std::ops::Range<usize>,
}

impl WithSimd for Task<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
        let Self { params, layout, x, gradient, inputs } = self;
        let channel = (params.in_height * params.in_width) as usize;
        let planes = layout.remainders() * layout.remainders() * layout.reach;
        let rows: Vec<usize> =
            (0..inputs.len()).flat_map(|input| (0..layout.taps()).map(move |tap| layout.row(input, tap))).collect();
        let mut sums = vec![0.0; rows.len() * layout.outputs];
        let mut buffer = vec![0.0; inputs.len() * planes];
        for (sample, gradient) in gradient.chunks_exact(layout.outputs * layout.length).enumerate() {
            for (input, planes) in inputs.clone().zip(buffer.chunks_exact_mut(planes)) {
                let x = &x[(sample * params.inputs as usize + input) * channel..][..channel];
                layout.input(params, x, planes);
            }
            for start in (0..layout.length).step_by(PIECE) {
                let length = PIECE.min(layout.length - start);
                for (rows, sums) in rows.chunks(INPUTS).zip(sums.chunks_mut(INPUTS * layout.outputs)) {
                    let x = std::array::from_fn(|row| {
                        let first = rows.get(row).unwrap_or(&rows[0]);
                        S::as_simd_f32s(&buffer[first + start..][..length]).0
                    });
                    for first in (0..layout.outputs).step_by(GRADIENTS) {
                        let gradient = std::array::from_fn(|row| {
                            S::as_simd_f32s(&gradient[(first + row) * layout.length + start..][..length]).0
                        });
                        let products = products(simd, gradient, x);
                        for (sums, products) in sums.chunks_exact_mut(layout.outputs).zip(products) {
                            let sums = &mut sums[first..first + GRADIENTS];
                            sums.iter_mut().zip(products).for_each(|(sum, product)| *sum += product);
                        }
                    }
                }
            }
        }
        sums
    }
}

/// The scalar product of every row of the input with every row of the gradient.
#[inline(always)]
fn products<S: Simd>(
    simd: S,
    gradient: [&[S::f32s]; GRADIENTS],
    x: [&[S::f32s]; INPUTS],
) -> [[f32; GRADIENTS]; INPUTS] {
    let count = x[0].len();
    let (gradient, x) = (gradient.map(|row| &row[..count]), x.map(|row| &row[..count]));
    let mut sums = [[simd.splat_f32s(0.0); GRADIENTS]; INPUTS];
    // no closures from here on: what is not inlined has no vector instructions
    for at in 0..count {
        for row in 0..GRADIENTS {
            let gradient = gradient[row][at];
            for input in 0..INPUTS {
                sums[input][row] = simd.mul_add_e_f32s(x[input][at], gradient, sums[input][row]);
            }
        }
    }
    let mut products = [[0.0; GRADIENTS]; INPUTS];
    for input in 0..INPUTS {
        for row in 0..GRADIENTS {
            products[input][row] = simd.reduce_sum_f32s(sums[input][row]);
        }
    }
    products
}
