//! The product behind all forms: values of inputs times gradients of outputs, summed over pixels or places.

#![allow(clippy::needless_range_loop, clippy::manual_memcpy, reason = "as in `tile`: sums keep their registers")]

use pulp::{Simd, WithSimd};

use super::super::super::map::{BLOCK, Block};
use super::super::super::tile::Sums as Registers;

/// Sums `[products, output blocks, inputs in whole blocks]`.
pub(super) struct Sums {
    pub(super) values: Vec<Block>,
    /// Blocks of inputs and of outputs.
    pub(super) blocks: [usize; 2],
}

/// What is summed for one product.
#[derive(Clone, Copy)]
pub(super) struct Factors<'a> {
    /// Of each block of inputs, `x_apart` from each other.
    pub(super) x: &'a [Block],
    pub(super) x_apart: usize,
    /// Which of a block's pixels are summed; where there is none, the value is zero.
    pub(super) at: &'a [u32],
    /// Of each block of outputs the gradients at as many pixels, `gradient_apart` from each other.
    pub(super) gradient: &'a [Block],
    pub(super) gradient_apart: usize,
}

impl Sums {
    pub(super) fn new(products: usize, channels: [usize; 2]) -> Self {
        let blocks = channels.map(|channels| channels.div_ceil(BLOCK));
        Self { values: vec![Block::default(); products * blocks[1] * blocks[0] * BLOCK], blocks }
    }

    pub(super) fn line(&self, product: usize, block: usize) -> &[Block] {
        let length = self.blocks[0] * BLOCK;
        &self.values[(product * self.blocks[1] + block) * length..][..length]
    }

    /// Adds to those of one product.
    #[inline(always)]
    pub(super) fn add<S: Simd, const V: usize>(&mut self, simd: S, product: usize, factors: Factors<'_>) {
        let [inputs, outputs] = self.blocks;
        let length = inputs * BLOCK;
        let of_product = &mut self.values[product * outputs * length..][..outputs * length];
        let mut block = 0;
        while block < outputs {
            let together = if V == 1 { 2.min(outputs - block) } else { 1 };
            for input in 0..inputs {
                let tile = Tile {
                    x: &factors.x[input * factors.x_apart..],
                    at: factors.at,
                    gradient: &factors.gradient[block * factors.gradient_apart..],
                    apart: factors.gradient_apart,
                    sums: &mut of_product[block * length + input * BLOCK..],
                    length,
                };
                match (V, together) {
                    (1, 2) => tile.all::<S, 8, 2, V>(simd),
                    (1, _) => tile.all::<S, 16, 1, V>(simd),
                    (2, _) => tile.all::<S, 4, 1, V>(simd),
                    (4, _) => tile.all::<S, 2, 1, V>(simd),
                    _ => tile.all::<S, 1, 1, V>(simd),
                }
            }
            block += together;
        }
    }
}

/// A block of inputs with some blocks of outputs.
struct Tile<'a> {
    x: &'a [Block],
    at: &'a [u32],
    gradient: &'a [Block],
    apart: usize,
    sums: &'a mut [Block],
    length: usize,
}

impl Tile<'_> {
    #[inline(always)]
    fn all<S: Simd, const P: usize, const N: usize, const V: usize>(mut self, simd: S) {
        for first in (0..BLOCK).step_by(P) {
            simd.vectorize(Products::<P, N, V>(&mut self, first));
        }
    }
}

/// `P` inputs from one on with `N` blocks of `V` vectors. A function of its own for each, so that all sums have a register.
struct Products<'t, 'a, const P: usize, const N: usize, const V: usize>(&'t mut Tile<'a>, usize);

impl<const P: usize, const N: usize, const V: usize> WithSimd for Products<'_, '_, P, N, V> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        const NOTHING: Block = Block([0.0; BLOCK]);
        let Self(&mut Tile { x, at, gradient, apart, ref mut sums, length }, first) = self;
        let gradient: [&[Block]; N] = std::array::from_fn(|n| &gradient[n * apart..][..at.len()]);
        let mut registers: Registers<S, P, N, V> = [[[simd.splat_f32s(0.0); V]; N]; P];
        for n in 0..N {
            let sums = &sums[n * length + first..][..P];
            for p in 0..P {
                let sum = S::as_simd_f32s(&sums[p].0).0;
                for v in 0..V {
                    registers[p][n][v] = sum[v];
                }
            }
        }
        for (index, &at) in at.iter().enumerate() {
            let mut lines = [[simd.splat_f32s(0.0); V]; N];
            for n in 0..N {
                let line = S::as_simd_f32s(&gradient[n][index].0).0;
                for v in 0..V {
                    lines[n][v] = line[v];
                }
            }
            let pixel = x.get(at as usize).unwrap_or(&NOTHING);
            let pixel = &pixel.0[first..first + P];
            for p in 0..P {
                let value = simd.splat_f32s(pixel[p]);
                for n in 0..N {
                    for v in 0..V {
                        registers[p][n][v] = simd.mul_add_e_f32s(value, lines[n][v], registers[p][n][v]);
                    }
                }
            }
        }
        for n in 0..N {
            let sums = &mut sums[n * length + first..][..P];
            for p in 0..P {
                let sum = S::as_mut_simd_f32s(&mut sums[p].0).0;
                for v in 0..V {
                    sum[v] = registers[p][n][v];
                }
            }
        }
    }
}
