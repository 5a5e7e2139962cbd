//! Between planes and blocks, for some pixels of up to 16 channels: four by four values at a time, in registers.

#![allow(clippy::needless_range_loop, reason = "as in `tile`: values stay in registers")]

use pulp::Simd;

use super::map::{BLOCK, Block};

/// Side of the squares that are transposed at once.
const SIDE: usize = 4;

/// From planes of the same pixels to blocks; channels beyond the planes are zero.
#[inline(always)]
pub(super) fn to_blocks<S: Simd>(simd: S, planes: &[&[f32]], blocks: &mut [Block]) {
    let planes = &planes[..planes.len().min(BLOCK)];
    let whole = whole::<S>(blocks.len());
    for at in (0..whole).step_by(S::F32_LANES.max(1)) {
        for first in (0..BLOCK).step_by(SIDE) {
            let mut rows = [simd.splat_f32s(0.0); SIDE];
            for row in 0..SIDE {
                if let Some(plane) = planes.get(first + row) {
                    rows[row] = S::as_simd_f32s(&plane[at..at + S::F32_LANES]).0[0];
                }
            }
            // within every four lanes
            let rows = simd.deinterleave_shfl_f32s(rows);
            for row in 0..SIDE {
                let mut lanes = [0.0; BLOCK];
                S::as_mut_simd_f32s(&mut lanes).0[0] = rows[row];
                for square in 0..S::F32_LANES / SIDE {
                    let to = &mut blocks[at + square * SIDE + row].0[first..first + SIDE];
                    to.copy_from_slice(&lanes[square * SIDE..][..SIDE]);
                }
            }
        }
    }
    for (index, block) in blocks.iter_mut().enumerate().skip(whole) {
        *block = Block::default();
        planes.iter().zip(&mut block.0).for_each(|(plane, value)| *value = plane[index]);
    }
}

/// From blocks to planes of the same pixels, as many as there are.
#[inline(always)]
pub(super) fn to_planes<S: Simd>(simd: S, blocks: &[Block], planes: &mut [&mut [f32]]) {
    let whole = if planes.len() < BLOCK { 0 } else { whole::<S>(blocks.len()) };
    for at in (0..whole).step_by(S::F32_LANES.max(1)) {
        for first in (0..BLOCK).step_by(SIDE) {
            let mut rows = [simd.splat_f32s(0.0); SIDE];
            for row in 0..SIDE {
                let mut lanes = [0.0; BLOCK];
                for square in 0..S::F32_LANES / SIDE {
                    let from = &blocks[at + square * SIDE + row].0[first..first + SIDE];
                    lanes[square * SIDE..][..SIDE].copy_from_slice(from);
                }
                rows[row] = S::as_simd_f32s(&lanes).0[0];
            }
            let rows = simd.deinterleave_shfl_f32s(rows);
            for row in 0..SIDE {
                S::as_mut_simd_f32s(&mut planes[first + row][at..at + S::F32_LANES]).0[0] = rows[row];
            }
        }
    }
    for (index, block) in blocks.iter().enumerate().skip(whole) {
        planes.iter_mut().zip(&block.0).for_each(|(plane, &value)| plane[index] = value);
    }
}

/// How many of the pixels fill vectors that hold squares.
fn whole<S: Simd>(pixels: usize) -> usize {
    if S::F32_LANES.is_multiple_of(SIDE) { pixels / S::F32_LANES * S::F32_LANES } else { 0 }
}
