//! What changes a map's size.

use pulp::{Simd, WithSimd};

use super::map::{Block, Map};
use crate::parallel;
use crate::vectorised::vectorised;

/// Highest values of a window, `[C, h, w]` to `[C, H, W]`; beyond the map there are none.
#[derive(Clone, Copy, Debug)]
pub struct MaxPool {
    /// Side of a window.
    pub kernel: usize,
    /// Of its steps.
    pub stride: usize,
    /// Rows and columns in front of the map's where windows begin, less than the window.
    pub pad: [usize; 2],
    /// Rows and columns of the result.
    pub size: [usize; 2],
}

impl MaxPool {
    /// The pooled map.
    #[must_use]
    pub fn run(&self, x: &Map) -> Map {
        let [height, width] = self.size;
        let mut output = Map::uninitialised(x.channels, self.size);
        parallel::chunks(output.used(), width, |row, output| {
            let (plane, row) = (x.block(row / height), row % height);
            vectorised(PooledRow { pool: self, plane, size: x.size, row, output });
        });
        output
    }
}

struct PooledRow<'a> {
    pool: &'a MaxPool,
    plane: &'a [Block],
    size: [usize; 2],
    row: usize,
    output: &'a mut [Block],
}

impl WithSimd for PooledRow<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { pool: &MaxPool { kernel, stride, pad, .. }, plane, size, row, output } = self;
        let seen = |position: usize, axis: usize| {
            let start = position * stride;
            start.saturating_sub(pad[axis])..(start + kernel).saturating_sub(pad[axis]).min(size[axis])
        };
        let rows = seen(row, 0);
        for (column, output) in output.iter_mut().enumerate() {
            let columns = seen(column, 1);
            let mut highest = Block([f32::NEG_INFINITY; _]);
            for row in rows.clone() {
                for pixel in &plane[row * size[1]..][columns.clone()] {
                    let highest = S::as_mut_simd_f32s(&mut highest.0).0;
                    for (highest, value) in highest.iter_mut().zip(S::as_simd_f32s(&pixel.0).0) {
                        *highest = simd.max_f32s(*value, *highest);
                    }
                }
            }
            *output = highest;
        }
    }
}

/// Every pixel four times: the map at `size`, at most twice its own.
#[must_use]
pub fn nearest_double(x: &Map, size: [usize; 2]) -> Map {
    let [height, width] = size;
    let mut output = Map::uninitialised(x.channels, size);
    parallel::chunks(output.used(), width, |row, output| {
        let from = &x.block(row / height)[row % height / 2 * x.size[1]..][..x.size[1]];
        for (pair, pixel) in output.chunks_mut(2).zip(from) {
            pair.fill(*pixel);
        }
    });
    output
}
