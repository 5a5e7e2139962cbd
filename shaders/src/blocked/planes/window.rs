//! Rows of a sample's planes as a map, and a map as rows of planes.

use std::ops::Range;

use pulp::Simd;

use super::super::map::{BLOCK, Map};
use super::super::on_blocks::{OnBlocks, on_blocks};
use super::super::transposed::{to_blocks, to_planes};

/// The planes `[C, H, W]` of a sample.
#[derive(Clone, Copy)]
pub(super) struct Planes<'a> {
    pub(super) values: &'a [f32],
    pub(super) size: [usize; 2],
}

impl Planes<'_> {
    /// Some channels of some rows, as they lie in blocks from the first of these channels on.
    #[inline(always)]
    pub(super) fn window<S: Simd>(self, simd: S, channels: Range<usize>, rows: Range<usize>) -> Map {
        let [height, width] = self.size;
        let mut map = Map::uninitialised(channels.len(), [rows.len(), width]);
        let pixels = rows.len() * width;
        for (blocks, first) in map.used().chunks_exact_mut(pixels.max(1)).zip(channels.clone().step_by(BLOCK)) {
            let mut planes = [&[][..]; BLOCK];
            let count = BLOCK.min(channels.end - first);
            for (channel, plane) in planes[..count].iter_mut().enumerate() {
                *plane = &self.values[(first + channel) * height * width + rows.start * width..][..pixels];
            }
            to_blocks(simd, &planes[..count], blocks);
        }
        map
    }
}

/// The same, with the widest vectors of the processor.
pub(super) fn window(planes: Planes<'_>, channels: Range<usize>, rows: Range<usize>) -> Map {
    struct Task<'a, 'm>(Planes<'a>, [Range<usize>; 2], &'m mut Option<Map>);
    impl OnBlocks for Task<'_, '_> {
        #[inline(always)]
        fn run<S: Simd, const V: usize>(self, simd: S) {
            let Self(planes, [channels, rows], map) = self;
            *map = Some(planes.window(simd, channels, rows));
        }
    }
    let mut map = None;
    on_blocks(Task(planes, [channels, rows], &mut map));
    map.unwrap_or_else(|| Map::uninitialised(0, [0; 2]))
}

/// Writes a map to the same rows of its channels' planes.
pub(super) fn write(map: &Map, planes: &mut [&mut [f32]]) {
    struct Task<'m, 'p, 'v>(&'m Map, &'p mut [&'v mut [f32]]);
    impl OnBlocks for Task<'_, '_, '_> {
        #[inline(always)]
        fn run<S: Simd, const V: usize>(self, simd: S) {
            let Self(map, planes) = self;
            for (index, planes) in planes.chunks_mut(BLOCK).enumerate() {
                to_planes(simd, map.block(index), planes);
            }
        }
    }
    on_blocks(Task(map, planes));
}
