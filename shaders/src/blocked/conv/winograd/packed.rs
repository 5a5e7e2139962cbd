#![allow(clippy::needless_range_loop, reason = "plain loops are inlined for certain, and so have vector instructions")]

use pulp::{Simd, WithSimd};

use super::super::super::map::{BLOCK, Block};
use super::super::packed::lines;
use super::{PRODUCTS, turned};
use crate::vectorised::vectorised;

/// Weights `[O, I, 3, 3]` as `[ceil(O / 16), 16 products, I, 16]`.
pub(in super::super) fn packed(weight: &[f32], inputs: usize, outputs: usize) -> Vec<Block> {
    vectorised(Pack { weight, inputs, outputs })
}

struct Pack<'a> {
    weight: &'a [f32],
    inputs: usize,
    outputs: usize,
}

/// Inputs whose factors are written together: 16 places of memory far from each other are not all in the first cache.
const TOGETHER: usize = 8;
const TAPS: usize = 9;

impl WithSimd for Pack<'_> {
    type Output = Vec<Block>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<Block> {
        let Self { weight, inputs, outputs } = self;
        let mut packed = vec![Block::default(); outputs.div_ceil(BLOCK) * PRODUCTS * inputs];
        let mut taps = [Block::default(); TOGETHER * TAPS];
        let mut factors = [[Block::default(); TOGETHER]; PRODUCTS];
        for (block, packed) in packed.chunks_exact_mut((PRODUCTS * inputs).max(1)).enumerate() {
            for first in (0..inputs).step_by(TOGETHER) {
                let count = TOGETHER.min(inputs - first);
                lines(simd, weight, [outputs, inputs * TAPS], block, first * TAPS, &mut taps[..count * TAPS]);
                for (index, taps) in taps.as_chunks::<TAPS>().0.iter().enumerate().take(count) {
                    let turned = turned::weights(taps);
                    for product in 0..PRODUCTS {
                        factors[product][index] = turned[product];
                    }
                }
                for (product, factors) in factors.iter().enumerate() {
                    packed[product * inputs + first..][..count].copy_from_slice(&factors[..count]);
                }
            }
        }
        packed
    }
}
