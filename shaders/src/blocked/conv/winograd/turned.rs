//! The changes of Winograd's F(2×2, 3×3): of 3×3 weights, of the 4×4 pixels that a tile sees, and of its 16 products into
//! the 2×2 pixels of the output; for the gradient by the weights, the first and the last transposed. Each is a change of
//! two to four numbers, down and across.

#![allow(
    clippy::needless_range_loop,
    reason = "as in `tile`: plain loops over constants, so that values stay in registers"
)]

use pulp::Simd;

use super::super::super::map::{BLOCK, Block};
use super::PRODUCTS;

/// Of 3×3 weights of a block's channels the 16 factors of a tile's products.
#[inline(always)]
pub(super) fn weights(taps: &[Block; 9]) -> [Block; PRODUCTS] {
    let mut factors = [Block([0.0; BLOCK]); PRODUCTS];
    // half a block at once: its 64-bit values have a register each
    for first in [0, HALF] {
        let mut wide = [[0.0; HALF]; 9];
        for tap in 0..9 {
            for lane in 0..HALF {
                wide[tap][lane] = f64::from(taps[tap].0[first + lane]);
            }
        }
        let mut rows = [[[0.0; HALF]; 4]; 3];
        for row in 0..3 {
            rows[row] = turned_weights([&wide[row * 3], &wide[row * 3 + 1], &wide[row * 3 + 2]]);
        }
        for column in 0..4 {
            let values = turned_weights([&rows[0][column], &rows[1][column], &rows[2][column]]);
            for row in 0..4 {
                for lane in 0..HALF {
                    factors[row * 4 + column].0[first + lane] = values[row][lane] as f32;
                }
            }
        }
    }
    factors
}

const HALF: usize = BLOCK / 2;

// no closure: what is not inlined has no vector instructions
#[inline(always)]
fn turned_weights([a, b, c]: [&[f64; HALF]; 3]) -> [[f64; HALF]; 4] {
    let mut turned = [*a, [0.0; HALF], [0.0; HALF], *c];
    for lane in 0..HALF {
        turned[1][lane] = (a[lane] + b[lane] + c[lane]) / 2.0;
        turned[2][lane] = (a[lane] - b[lane] + c[lane]) / 2.0;
    }
    turned
}

/// Of the 4×4 pixels at `positions` the 16 values that are multiplied, `apart` from each other; beyond the input there
/// are zeros.
#[inline(always)]
pub(in super::super::super) fn pixels<S: Simd, const V: usize>(
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

/// Of the gradients of the 2×2 pixels at `positions` those of a tile's 16 products, `apart` from each other.
#[inline(always)]
pub(in super::super::super) fn gradients<S: Simd, const V: usize>(
    simd: S,
    plane: &[Block],
    positions: &[usize; 4],
    turned: &mut [Block],
    apart: usize,
) {
    const NOTHING: Block = Block([0.0; BLOCK]);
    let seen: [&Block; 4] = std::array::from_fn(|index| plane.get(positions[index]).unwrap_or(&NOTHING));
    let turned = &mut turned[..(PRODUCTS - 1) * apart + 1];
    let turn = |[a, b]: [S::f32s; 2]| [a, simd.add_f32s(a, b), simd.sub_f32s(a, b), simd.neg_f32s(b)];
    for v in 0..V {
        let mut rows = [[simd.splat_f32s(0.0); 4]; 2];
        for row in 0..2 {
            rows[row] = turn([S::as_simd_f32s(&seen[row * 2].0).0[v], S::as_simd_f32s(&seen[row * 2 + 1].0).0[v]]);
        }
        for column in 0..4 {
            let values = turn([rows[0][column], rows[1][column]]);
            for row in 0..4 {
                S::as_mut_simd_f32s(&mut turned[(row * 4 + column) * apart].0).0[v] = values[row];
            }
        }
    }
}

/// Of the sums of 16 products the gradients of 3×3 weights.
#[inline(always)]
pub(in super::super::super) fn weight_gradients<S: Simd, const V: usize>(
    simd: S,
    products: [&Block; PRODUCTS],
    taps: &mut [Block; 9],
) {
    let half = simd.splat_f32s(0.5);
    let turn = |[a, b, c, d]: [S::f32s; 4]| {
        let [sum, difference] = [simd.mul_f32s(simd.add_f32s(b, c), half), simd.mul_f32s(simd.sub_f32s(b, c), half)];
        [simd.add_f32s(a, sum), difference, simd.add_f32s(sum, d)]
    };
    for v in 0..V {
        let mut rows = [[simd.splat_f32s(0.0); 3]; 4];
        for row in 0..4 {
            let mut values = [simd.splat_f32s(0.0); 4];
            for column in 0..4 {
                values[column] = S::as_simd_f32s(&products[row * 4 + column].0).0[v];
            }
            rows[row] = turn(values);
        }
        for column in 0..3 {
            let values = turn([rows[0][column], rows[1][column], rows[2][column], rows[3][column]]);
            for row in 0..3 {
                S::as_mut_simd_f32s(&mut taps[row * 3 + column].0).0[v] = values[row];
            }
        }
    }
}
