//! The sums of a few pixels and a few blocks of output channels, in registers from the bias to the activation.

#![allow(
    clippy::needless_range_loop,
    clippy::manual_memcpy,
    reason = "only plain loops over constants are unrolled early enough for the sums to stay in registers"
)]

use pulp::Simd;

use super::map::{Block, Pixel};
use crate::activation::bounds;

/// Sums of `P` pixels in `N` blocks of output channels, a block as `V` vectors.
pub(super) type Sums<S, const P: usize, const N: usize, const V: usize> = [[[<S as Simd>::f32s; V]; N]; P];

/// Every sum at its channel's bias.
#[inline(always)]
pub(super) fn start<S: Simd, const P: usize, const N: usize, const V: usize>(
    simd: S,
    bias: &[Block],
) -> Sums<S, P, N, V> {
    let mut first = [[simd.splat_f32s(0.0); V]; N];
    for n in 0..N {
        let bias = S::as_simd_f32s(&bias[n].0).0;
        for v in 0..V {
            first[n][v] = bias[v];
        }
    }
    [first; P]
}

/// One product of every sum: which channel, and how many pixels behind a tile's first one it is seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Factor {
    pub(super) pixel: u32,
    pub(super) channel: u32,
}

/// Adds all products: of each factor, every `STRIDE`th of the pixels times the line of weights of each block.
///
/// One loop, whatever the factors are: where loops are nested, the sums are written to memory in between.
#[inline(always)]
pub(super) fn add<S: Simd, X: Pixel, const P: usize, const N: usize, const V: usize, const STRIDE: usize>(
    simd: S,
    sums: &mut Sums<S, P, N, V>,
    pixels: &[X],
    factors: &[Factor],
    weights: [&[Block]; N],
) {
    for n in 0..N {
        assert!(weights[n].len() == factors.len());
    }
    for (index, factor) in factors.iter().enumerate() {
        let mut lines = [[simd.splat_f32s(0.0); V]; N];
        for n in 0..N {
            let line = S::as_simd_f32s(&weights[n][index].0).0;
            for v in 0..V {
                lines[n][v] = line[v];
            }
        }
        let pixels = &pixels[factor.pixel as usize..][..(P - 1) * STRIDE + 1];
        let channel = factor.channel as usize % X::CHANNELS;
        // pixel by pixel, so that no more than one of their values needs a register
        for p in 0..P {
            let value = simd.splat_f32s(pixels[p * STRIDE].channel(channel));
            for n in 0..N {
                for v in 0..V {
                    sums[p][n][v] = simd.mul_add_e_f32s(value, lines[n][v], sums[p][n][v]);
                }
            }
        }
    }
}

/// Adds the pixels of a shortcut to the sums of block `n`.
#[inline(always)]
pub(super) fn add_shortcut<S: Simd, const P: usize, const N: usize, const V: usize>(
    simd: S,
    sums: &mut Sums<S, P, N, V>,
    n: usize,
    shortcut: &[Block],
) {
    let shortcut = &shortcut[..P];
    for p in 0..P {
        let shortcut = S::as_simd_f32s(&shortcut[p].0).0;
        for v in 0..V {
            sums[p][n][v] = simd.add_f32s(sums[p][n][v], shortcut[v]);
        }
    }
}

/// Confines all sums to the activation's interval.
#[inline(always)]
pub(super) fn activate<S: Simd, const P: usize, const N: usize, const V: usize>(
    simd: S,
    sums: &mut Sums<S, P, N, V>,
    activation: u32,
) {
    let Some([low, high]) = bounds(activation) else { return };
    let (low, high) = (simd.splat_f32s(low), simd.splat_f32s(high));
    for p in 0..P {
        for n in 0..N {
            for v in 0..V {
                sums[p][n][v] = simd.min_f32s(simd.max_f32s(sums[p][n][v], low), high);
            }
        }
    }
}

/// The sums of block `n` as they were written.
#[inline(always)]
pub(super) fn read<S: Simd, const P: usize, const N: usize, const V: usize>(
    sums: &mut Sums<S, P, N, V>,
    n: usize,
    written: &[Block],
) {
    let written = &written[..P];
    for p in 0..P {
        let written = S::as_simd_f32s(&written[p].0).0;
        for v in 0..V {
            sums[p][n][v] = written[v];
        }
    }
}

/// Writes the sums of block `n`.
#[inline(always)]
pub(super) fn write<S: Simd, const P: usize, const N: usize, const V: usize>(
    sums: &Sums<S, P, N, V>,
    n: usize,
    output: &mut [Block],
) {
    let output = &mut output[..P];
    for p in 0..P {
        let output = S::as_mut_simd_f32s(&mut output[p].0).0;
        for v in 0..V {
            output[v] = sums[p][n][v];
        }
    }
}

/// Runs the operation for as many pixels `P` of the `rest` and blocks `N` of those that are `together` as the vectors have
/// registers for, `V` of them to a block. Every tile is a function of its own, so that its sums keep their registers.
macro_rules! tile {
    ($simd:expr, $vectors:expr, $together:expr, $rest:expr, |$p:ident, $n:ident| $operation:expr) => {{
        macro_rules! of {
            ($pixels:literal, $blocks:literal) => {{
                const $p: usize = $pixels;
                const $n: usize = $blocks;
                $simd.vectorize($operation)
            }};
        }
        match ($vectors, $together, $rest) {
            (1, 2, 12..) => of!(12, 2),
            (1, 2, 8..) => of!(8, 2),
            (1, 2, 4..) => of!(4, 2),
            (1, 2, 2..) => of!(2, 2),
            (1, 2, _) => of!(1, 2),
            (1, _, 24..) => of!(24, 1),
            (1, _, 12..) => of!(12, 1),
            (2 | 4, _, 6..) => of!(6, 1),
            (1 | 2 | 4, _, 4..) => of!(4, 1),
            (1 | 2 | 4, _, 2..) => of!(2, 1),
            _ => of!(1, 1),
        }
    }};
}
pub(super) use tile;

/// Blocks that a tile has at most, of `V` vectors each.
pub(super) const fn most_blocks(vectors: usize) -> usize {
    if vectors == 1 { 2 } else { 1 }
}

/// Pixels that a tile of [`most_blocks`] has at most.
pub(super) const fn most_pixels(vectors: usize) -> usize {
    match vectors {
        1 => 12,
        2 | 4 => 6,
        _ => 1,
    }
}
