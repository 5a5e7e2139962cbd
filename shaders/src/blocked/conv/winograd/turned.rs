//! The three changes of Winograd's F(2×2, 3×3): of 3×3 weights, of the 4×4 pixels that a tile sees, and of its 16 products
//! into the 2×2 pixels of the output. Each is a change of four (or three) numbers, down and across.

#![allow(
    clippy::needless_range_loop,
    reason = "as in `tile`: plain loops over constants, so that values stay in registers"
)]

use pulp::Simd;

use super::super::super::map::{BLOCK, Block};
use super::PRODUCTS;

/// Of 3×3 weights the 16 factors of a tile's products.
pub(super) fn weights(weights: &[f32]) -> [f32; PRODUCTS] {
    let turn = |[a, b, c]: [f64; 3]| [a, (a + b + c) / 2.0, (a - b + c) / 2.0, c];
    let rows: [_; 3] =
        std::array::from_fn(|row| turn(std::array::from_fn(|column| f64::from(weights[row * 3 + column]))));
    let columns: [_; 4] = std::array::from_fn(|column| turn(rows.map(|row| row[column])));
    std::array::from_fn(|index| columns[index % 4][index / 4] as f32)
}

/// Of the 4×4 pixels at `positions` the 16 values that are multiplied, `apart` from each other; beyond the input there
/// are zeros.
#[inline(always)]
pub(super) fn pixels<S: Simd, const V: usize>(
    simd: S,
    plane: &[Block],
    positions: &[usize; PRODUCTS],
    turned: &mut [Block],
    apart: usize,
) {
    const NOTHING: Block = Block([0.0; BLOCK]);
    let seen: [&Block; PRODUCTS] = std::array::from_fn(|index| plane.get(positions[index]).unwrap_or(&NOTHING));
    let turned = &mut turned[..(PRODUCTS - 1) * apart + 1];
    let turn = |[a, b, c, d]: [S::f32s; 4]| {
        [simd.sub_f32s(a, c), simd.add_f32s(b, c), simd.sub_f32s(c, b), simd.sub_f32s(b, d)]
    };
    for v in 0..V {
        let mut rows = [[simd.splat_f32s(0.0); 4]; 4];
        for row in 0..4 {
            let mut values = [simd.splat_f32s(0.0); 4];
            for column in 0..4 {
                values[column] = S::as_simd_f32s(&seen[row * 4 + column].0).0[v];
            }
            rows[row] = turn(values);
        }
        for column in 0..4 {
            let values = turn([rows[0][column], rows[1][column], rows[2][column], rows[3][column]]);
            for row in 0..4 {
                S::as_mut_simd_f32s(&mut turned[(row * 4 + column) * apart].0).0[v] = values[row];
            }
        }
    }
}

/// Of 16 products, `apart` from each other, vector `v` of the 2×2 pixels of the output.
#[inline(always)]
pub(super) fn products<S: Simd>(simd: S, products: &[Block], apart: usize, v: usize) -> [[S::f32s; 2]; 2] {
    let products = &products[..(PRODUCTS - 1) * apart + 1];
    let turn =
        |[a, b, c, d]: [S::f32s; 4]| [simd.add_f32s(simd.add_f32s(a, b), c), simd.sub_f32s(simd.sub_f32s(b, c), d)];
    let mut rows = [[simd.splat_f32s(0.0); 2]; 4];
    for row in 0..4 {
        let mut values = [simd.splat_f32s(0.0); 4];
        for column in 0..4 {
            values[column] = S::as_simd_f32s(&products[(row * 4 + column) * apart].0).0[v];
        }
        rows[row] = turn(values);
    }
    let mut pixels = [[simd.splat_f32s(0.0); 2]; 2];
    for column in 0..2 {
        let values = turn([rows[0][column], rows[1][column], rows[2][column], rows[3][column]]);
        for row in 0..2 {
            pixels[row][column] = values[row];
        }
    }
    pixels
}
