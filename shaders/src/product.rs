//! The matrix product behind [`pointwise`](crate::pointwise) and [`conv`](crate::conv): tiles of weights times panels
//! of columns, with sums in registers from the first product to the activation.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use crate::activation::bounds;
use crate::parallel;
use crate::vectorised::vectorised;

/// Output channels of a tile of packed weights.
pub const TILE: usize = 8;
/// Rows of a tile whose sums are in registers at once, and vectors of columns of each.
const ROWS: usize = 4;
const VECTORS: usize = 2;
/// Values of the packed columns of a task, about: they stay in a processor's second cache.
const PACKED: usize = 65_536;
/// Columns of a task are a multiple of the panels of all vector lengths, and not too few.
const STEP: usize = 48;
/// Values of the longest vectors (AVX-512).
const MOST_LANES: usize = 16;

/// What is the same for all columns.
pub(crate) struct Product<'a> {
    /// Products of a sum.
    pub(crate) depth: usize,
    /// Rows of the result.
    pub(crate) outputs: usize,
    /// Columns of the result.
    pub(crate) pixels: usize,
    /// `[ceil(outputs / TILE), depth, TILE]`.
    pub(crate) weight: &'a [f32],
    /// `[outputs]`.
    pub(crate) bias: &'a [f32],
    /// Added to the result, of its shape.
    pub(crate) shortcut: Option<&'a [f32]>,
    pub(crate) activation: u32,
}

/// Columns of one sample, and the pieces of the result's rows that they fill.
struct Block<'a> {
    sample: usize,
    columns: Range<usize>,
    rows: Vec<&'a mut [f32]>,
}

impl Product<'_> {
    /// Fills `output` `[B, outputs, pixels]`; `rows(sample, columns, visit)` visits the factors of those columns, one
    /// row for each product of a sum.
    pub(crate) fn run(&self, output: &mut [f32], rows: impl Fn(usize, Range<usize>, &mut dyn FnMut(&[f32])) + Sync) {
        parallel::each(self.blocks(output), |block| vectorised(Task { product: self, block, factors: &rows }));
    }

    fn blocks<'o>(&self, output: &'o mut [f32]) -> Vec<Block<'o>> {
        let length = (PACKED / self.depth.max(1) / STEP).clamp(1, 16) * STEP;
        let mut blocks: Vec<Block<'o>> = Vec::new();
        for (sample, output) in output.chunks_mut((self.outputs * self.pixels).max(1)).enumerate() {
            let first = blocks.len();
            blocks.extend((0..self.pixels).step_by(length).map(|start| Block {
                sample,
                columns: start..(start + length).min(self.pixels),
                rows: Vec::with_capacity(self.outputs),
            }));
            for row in output.chunks_mut(self.pixels) {
                for (piece, block) in row.chunks_mut(length).zip(&mut blocks[first..]) {
                    block.rows.push(piece);
                }
            }
        }
        blocks
    }
}

struct Task<'p, 'o, P> {
    product: &'p Product<'p>,
    block: Block<'o>,
    factors: P,
}

impl<P: Fn(usize, Range<usize>, &mut dyn FnMut(&[f32]))> WithSimd for Task<'_, '_, P> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { product, block: Block { sample, columns, mut rows }, factors } = self;
        let (depth, width) = (product.depth, VECTORS * S::F32_LANES);
        // panels of `width` columns, a row of each for each product of a sum
        let mut panels = vec![0.0; columns.len().div_ceil(width) * depth * width];
        let mut visited = 0;
        factors(sample, columns.clone(), &mut |row| {
            let panels = S::as_mut_simd_f32s(&mut panels).0.as_chunks_mut::<VECTORS>().0;
            let panels = &mut panels[visited..];
            let whole = S::as_simd_f32s(row).0.as_chunks::<VECTORS>().0;
            for (panel, values) in panels.iter_mut().step_by(depth).zip(whole) {
                *panel = *values;
            }
            let rest = &row[whole.len() * width..];
            if let Some(panel) = panels.get_mut(whole.len() * depth) {
                let mut padded = [0.0; VECTORS * MOST_LANES];
                padded[..rest.len()].copy_from_slice(rest);
                panel.copy_from_slice(&S::as_simd_f32s(&padded).0[..VECTORS]);
            }
            visited += 1;
        });
        let panels = S::as_simd_f32s(&panels).0.as_chunks::<VECTORS>().0;
        for (quad, rows) in rows.chunks_mut(ROWS).enumerate() {
            let channel = quad * ROWS;
            let tile = &product.weight[channel / TILE * TILE * depth..][..depth * TILE];
            let tile = tile.as_chunks::<TILE>().0;
            let bias = std::array::from_fn(|row| product.bias.get(channel + row).copied().unwrap_or_default());
            for (index, panel) in panels.chunks_exact(depth).enumerate() {
                let sums = match channel % TILE {
                    0 => sums::<S, 0>(simd, tile, panel, bias),
                    _ => sums::<S, ROWS>(simd, tile, panel, bias),
                };
                let within = index * width..(index * width + width).min(columns.len());
                for (row, (output, sums)) in rows.iter_mut().zip(sums).enumerate() {
                    let at = (sample * product.outputs + channel + row) * product.pixels + columns.start + within.start;
                    let shortcut = product.shortcut.map(|shortcut| &shortcut[at..][..within.len()]);
                    finish(simd, sums, shortcut, product.activation, &mut output[within.clone()]);
                }
            }
        }
    }
}

/// Writes as many sums as there are outputs, with the shortcut and the activation.
#[inline(always)]
fn finish<S: Simd>(
    simd: S,
    mut sums: [S::f32s; VECTORS],
    shortcut: Option<&[f32]>,
    activation: u32,
    output: &mut [f32],
) {
    let full = output.len() == VECTORS * S::F32_LANES;
    if let Some(shortcut) = shortcut {
        let mut padded = [0.0; VECTORS * MOST_LANES];
        let shortcut = if full {
            shortcut
        } else {
            padded[..shortcut.len()].copy_from_slice(shortcut);
            &padded
        };
        for (sum, shortcut) in sums.iter_mut().zip(S::as_simd_f32s(shortcut).0) {
            *sum = simd.add_f32s(*sum, *shortcut);
        }
    }
    if let Some([low, high]) = bounds(activation) {
        let (low, high) = (simd.splat_f32s(low), simd.splat_f32s(high));
        for sum in &mut sums {
            *sum = simd.min_f32s(simd.max_f32s(*sum, low), high);
        }
    }
    if full {
        S::as_mut_simd_f32s(output).0.copy_from_slice(&sums);
    } else {
        let mut values = [0.0; VECTORS * MOST_LANES];
        S::as_mut_simd_f32s(&mut values).0[..VECTORS].copy_from_slice(&sums);
        output.copy_from_slice(&values[..output.len()]);
    }
}

/// Sums of `ROWS` rows of a tile from row `FIRST` on, each from its bias on.
#[inline(always)]
fn sums<S: Simd, const FIRST: usize>(
    simd: S,
    tile: &[[f32; TILE]],
    panel: &[[S::f32s; VECTORS]],
    bias: [f32; ROWS],
) -> [[S::f32s; VECTORS]; ROWS] {
    let mut sums = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
    for (sums, bias) in sums.iter_mut().zip(bias) {
        *sums = [simd.splat_f32s(bias); VECTORS];
    }
    for (weights, columns) in tile.iter().zip(panel) {
        for row in 0..ROWS {
            let weight = simd.splat_f32s(weights[FIRST + row]);
            for vector in 0..VECTORS {
                sums[row][vector] = simd.mul_add_e_f32s(weight, columns[vector], sums[row][vector]);
            }
        }
    }
    sums
}
