//! Of 3×3 kernels with stride 1: what Winograd's F(2×2, 3×3) multiplies in a convolution has 16 products for four pixels of
//! the output. By its weights it is differentiated as it stands: the pixels are changed as there, the gradient by the
//! transposed change of what makes outputs of products, and the sums by that of what changes weights.

use std::ops::Range;

use pulp::Simd;

use super::super::super::conv::turned;
use super::super::super::map::Block;
use super::outer::{Factors, Sums};
use super::{Layer, Strip};

/// Products of a place.
const PRODUCTS: usize = 16;
/// Places that are summed at once.
const PLACES: usize = 64;

/// As [`Task`](super::Task) has them.
#[inline(always)]
pub(super) fn sums<S: Simd, const V: usize>(
    simd: S,
    layer: &Layer<'_>,
    channels: &[Range<usize>; 2],
    strips: &[Strip],
) -> Vec<Block> {
    let mut sums = Sums::new(PRODUCTS, [channels[0].len(), channels[1].len()]);
    let blocks = sums.blocks;
    // one more than there are, so that all 16 lie in different lines of a processor's first cache
    let apart = blocks.map(|blocks| blocks * PLACES + 1);
    let mut seen = apart.map(|apart| vec![Block::default(); PRODUCTS * apart]);
    let places: Vec<u32> = (0..PLACES as u32).collect();
    let mut add = |seen: &[Vec<Block>; 2], count: usize| {
        for product in 0..PRODUCTS {
            let factors = Factors {
                x: &seen[0][product * apart[0]..],
                x_apart: PLACES,
                at: &places[..count],
                gradient: &seen[1][product * apart[1]..],
                gradient_apart: PLACES,
            };
            sums.add::<S, V>(simd, product, factors);
        }
    };
    let mut count = 0;
    for Strip { sample, rows } in strips {
        let in_rows = layer.seen(rows);
        let x = layer.planes(*sample).window(simd, channels[0].clone(), in_rows.clone());
        let gradient = layer.gradients(*sample).window(simd, channels[1].clone(), rows.clone());
        for (row, column) in
            rows.clone().step_by(2).flat_map(|row| (0..layer.size[1]).step_by(2).map(move |c| (row, c)))
        {
            let pixels: [usize; PRODUCTS] = std::array::from_fn(|index| {
                let in_row = (row + index / 4).wrapping_sub(layer.pad[0]);
                let in_column = (column + index % 4).wrapping_sub(layer.pad[1]);
                let inside = in_rows.contains(&in_row) && in_column < layer.x_size[1];
                if inside { (in_row - in_rows.start) * layer.x_size[1] + in_column } else { usize::MAX }
            });
            for block in 0..blocks[0] {
                turned::pixels::<S, V>(simd, x.block(block), &pixels, &mut seen[0][block * PLACES + count..], apart[0]);
            }
            let pixels: [usize; 4] = std::array::from_fn(|index| {
                let (row, column) = (row + index / 2, column + index % 2);
                let inside = row < rows.end && column < layer.size[1];
                if inside { (row - rows.start) * layer.size[1] + column } else { usize::MAX }
            });
            for block in 0..blocks[1] {
                let seen = &mut seen[1][block * PLACES + count..];
                turned::gradients::<S, V>(simd, gradient.block(block), &pixels, seen, apart[1]);
            }
            count += 1;
            if count == PLACES {
                add(&seen, count);
                count = 0;
            }
        }
    }
    add(&seen, count);
    let mut result = Vec::with_capacity(blocks[1] * channels[0].len() * 9);
    for block in 0..blocks[1] {
        for input in 0..channels[0].len() {
            let products = std::array::from_fn(|product| &sums.line(product, block)[input]);
            let mut taps = [Block::default(); 9];
            turned::weight_gradients::<S, V>(simd, products, &mut taps);
            result.extend(taps);
        }
    }
    result
}
