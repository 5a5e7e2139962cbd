//! Gradient of a convolution by its weights: for each tap a product of two matrices, inputs by pixels and pixels by outputs.
//!
//! A sum of that product is a row of registers, as in a convolution; here pixels are the factors, and an input's value at
//! a pixel meets all outputs' gradients there.

mod outer;
mod strips;
mod taps;
mod winograd;

use std::ops::Range;

use pulp::Simd;

use self::strips::{Strip, strips};
use super::super::map::{BLOCK, Block};
use super::super::on_blocks::{OnBlocks, on_blocks};
use super::super::transposed::to_planes;
use super::window::Planes;
use crate::{ConvParams, parallel};

/// Channels of input and of output of a task, whose sums stay in a processor's second cache.
const CHANNELS: usize = 64;
/// Tasks, at least where there are so many strips: what is summed apart does not depend on the threads.
const TASKS: usize = 16;

/// From `x` `[B, I, h, w]` and the gradient `[B, O, H, W]` to `[O, I, k, k]`.
#[must_use]
pub fn by_weight(params: &ConvParams, x: &[f32], gradient: &[f32]) -> Vec<f32> {
    let layer = Layer::new(params, x, gradient);
    let strips = strips(&layer);
    let groups =
        |channels: usize| (0..channels).step_by(CHANNELS).map(move |first| first..channels.min(first + CHANNELS));
    let pairs: Vec<_> = groups(layer.outputs)
        .flat_map(|outputs| groups(layer.inputs).map(move |inputs| [inputs, outputs.clone()]))
        .collect();
    let parts = TASKS.div_ceil(pairs.len().max(1)).min(strips.len()).max(1);
    let part = strips.len().div_ceil(parts).max(1);
    let tasks: Vec<_> =
        pairs.iter().flat_map(|pair| strips.chunks(part).map(move |strips| (pair.clone(), strips))).collect();
    let parts = strips.len().div_ceil(part).max(1);
    let sums: Vec<Vec<Block>> = parallel::map(tasks, |(channels, strips)| {
        let mut sums = Vec::new();
        on_blocks(Task { layer: &layer, channels, strips, sums: &mut sums });
        sums
    });
    let taps = layer.kernel * layer.kernel;
    let mut result = vec![0.0; layer.outputs * layer.inputs * taps];
    let across = layer.inputs.div_ceil(CHANNELS);
    parallel::chunks(&mut result, BLOCK * layer.inputs * taps, |block, result| {
        let mut rest: Vec<&mut [f32]> = result.chunks_mut(layer.inputs * taps).collect();
        for pair in block * BLOCK / CHANNELS * across..(block * BLOCK / CHANNELS + 1) * across {
            let length = pairs[pair][0].len() * taps;
            let of_block = |sums: &[Block]| sums[block % (CHANNELS / BLOCK) * length..][..length].to_vec();
            let mut sums = sums[pair * parts..][..parts].iter().map(|sums| of_block(sums));
            let first = sums.next().unwrap_or_default();
            let total = sums.fold(first, |mut total, sums| {
                let values = total.iter_mut().zip(&sums).flat_map(|(total, sum)| total.0.iter_mut().zip(&sum.0));
                values.for_each(|(total, sum)| *total += sum);
                total
            });
            let (mut these, others) = rest.into_iter().map(|row| row.split_at_mut(length)).unzip();
            on_blocks(Write(&total, &mut these));
            rest = others;
        }
    });
    result
}

/// Blocks of outputs to as many rows.
struct Write<'s, 'r, 'v>(&'s [Block], &'r mut Vec<&'v mut [f32]>);

impl OnBlocks for Write<'_, '_, '_> {
    #[inline(always)]
    fn run<S: Simd, const V: usize>(self, simd: S) {
        to_planes(simd, self.0, self.1);
    }
}

struct Layer<'a> {
    x: &'a [f32],
    gradient: &'a [f32],
    batch: usize,
    inputs: usize,
    outputs: usize,
    /// Rows and columns of the input.
    x_size: [usize; 2],
    /// Of the output.
    size: [usize; 2],
    kernel: usize,
    stride: usize,
    pad: [usize; 2],
}

impl<'a> Layer<'a> {
    fn new(params: &ConvParams, x: &'a [f32], gradient: &'a [f32]) -> Self {
        Self {
            x,
            gradient,
            batch: params.batch as usize,
            inputs: params.inputs as usize,
            outputs: params.outputs as usize,
            x_size: [params.in_height, params.in_width].map(|side| side as usize),
            size: [params.height, params.width].map(|side| side as usize),
            kernel: params.kernel as usize,
            stride: params.stride as usize,
            pad: [params.pad_top, params.pad_left].map(|side| side as usize),
        }
    }

    fn planes(&self, sample: usize) -> Planes<'a> {
        let plane = self.inputs * self.x_size[0] * self.x_size[1];
        Planes { values: &self.x[sample * plane..][..plane], size: self.x_size }
    }

    fn gradients(&self, sample: usize) -> Planes<'a> {
        let plane = self.outputs * self.size[0] * self.size[1];
        Planes { values: &self.gradient[sample * plane..][..plane], size: self.size }
    }

    /// By Winograd's form.
    fn is_winograd(&self) -> bool {
        self.kernel == 3 && self.stride == 1 && self.inputs >= BLOCK
    }

    /// Rows of the input that so many of the output see.
    fn seen(&self, rows: &Range<usize>) -> Range<usize> {
        let of = |row: usize| row.saturating_sub(self.pad[0]).min(self.x_size[0]);
        of(rows.start * self.stride)..of((rows.end.max(1) - 1) * self.stride + self.kernel)
    }
}

/// The sums `[output blocks, inputs, k * k]` of some inputs and outputs over some strips.
struct Task<'l, 's> {
    layer: &'l Layer<'l>,
    /// Inputs and outputs.
    channels: [Range<usize>; 2],
    strips: &'l [Strip],
    sums: &'s mut Vec<Block>,
}

impl OnBlocks for Task<'_, '_> {
    #[inline(always)]
    fn run<S: Simd, const V: usize>(self, simd: S) {
        let Self { layer, channels, strips, sums } = self;
        *sums = if layer.is_winograd() {
            winograd::sums::<S, V>(simd, layer, &channels, strips)
        } else {
            taps::sums::<S, V>(simd, layer, &channels, strips)
        };
    }
}
