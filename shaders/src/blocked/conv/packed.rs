//! Weights of a convolution, the outputs of a block side by side.

use pulp::{Simd, WithSimd};

use super::super::map::{BLOCK, Block};
use super::super::transposed::to_blocks;
use crate::vectorised::vectorised;

/// Weights `[O, I, taps]` as `[ceil(O / 16), ceil(I / 16), taps, I of the block, 16]`.
pub(super) fn packed(weight: &[f32], inputs: usize, outputs: usize, taps: usize) -> Vec<Block> {
    vectorised(Pack { weight, inputs, outputs, taps })
}

struct Pack<'a> {
    weight: &'a [f32],
    inputs: usize,
    outputs: usize,
    taps: usize,
}

impl WithSimd for Pack<'_> {
    type Output = Vec<Block>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<Block> {
        let Self { weight, inputs, outputs, taps } = self;
        let mut packed = Vec::with_capacity(outputs.div_ceil(BLOCK) * inputs * taps);
        let mut of_inputs = vec![Block::default(); BLOCK * taps];
        for block in 0..outputs.div_ceil(BLOCK) {
            for first in (0..inputs).step_by(BLOCK) {
                let of_inputs = &mut of_inputs[..BLOCK.min(inputs - first) * taps];
                lines(simd, weight, [outputs, inputs * taps], block, first * taps, of_inputs);
                for tap in 0..taps {
                    packed.extend(of_inputs.iter().skip(tap).step_by(taps));
                }
            }
        }
        packed
    }
}

/// Of a matrix with a row for each output the columns from `first` on, for a block of outputs; zero beyond them.
#[inline(always)]
pub(super) fn lines<S: Simd>(
    simd: S,
    weight: &[f32],
    [outputs, length]: [usize; 2],
    block: usize,
    first: usize,
    lines: &mut [Block],
) {
    let of_block = block * BLOCK..outputs.min(block * BLOCK + BLOCK);
    let mut rows = [&[][..]; BLOCK];
    for (row, output) in rows.iter_mut().zip(of_block.clone()) {
        *row = &weight[output * length + first..][..lines.len()];
    }
    to_blocks(simd, &rows[..of_block.len()], lines);
}
