//! Convolutions whose tiles are any pixels of a map: what they see is gathered first, so that small and narrow maps have
//! full tiles and no tile has to ask about the rim. Channels come a few at a time: their weights, once read, serve all
//! pixels of a piece, and the sums wait in the output until the next channels.

#![allow(clippy::needless_range_loop, reason = "as in `tile`: sums keep their registers")]

use std::cell::RefCell;
use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::super::map::{BLOCK, Block, Map};
use super::super::on_blocks::{OnBlocks, on_blocks};
use super::super::tile::{
    Factor, Sums, activate, add, add_shortcut, most_blocks, most_pixels, read, start, tile, write,
};
use super::pieces::{Part, Piece, pieces};
use super::{Conv, Placement, Sample};
use crate::parallel;

/// Products of a sum between two rests, about.
const PRODUCTS: usize = 288;
/// Values that are gathered together, about: they stay in a processor's second cache.
const GATHERED: usize = 65_536;
/// Pixels of a strip are a multiple of every tile's.
const STEP: usize = 12;

/// The convolution of samples of `x_size`.
pub(super) fn run(
    conv: &Conv,
    threads: usize,
    samples: &[Sample<'_>],
    x_size: [usize; 2],
    placement: Placement,
    activation: u32,
) -> Vec<Map> {
    let mut outputs: Vec<_> = samples.iter().map(|_| Map::uninitialised(conv.outputs, placement.size)).collect();
    let chunks = samples.first().map_or_else(Vec::new, |sample| chunks(conv, &sample.maps));
    let layer = Layer { conv, samples, x_size, placement, activation, chunks };
    parallel::each_on(threads, layer.pieces(threads, &mut outputs), |piece| {
        SEEN.with_borrow_mut(|seen| on_blocks(Task { layer: &layer, piece, seen }));
    });
    outputs
}

thread_local! {
    /// What the tiles of a thread's present piece see.
    static SEEN: RefCell<Vec<Block>> = const { RefCell::new(Vec::new()) };
}

struct Layer<'a> {
    conv: &'a Conv,
    samples: &'a [Sample<'a>],
    x_size: [usize; 2],
    placement: Placement,
    activation: u32,
    chunks: Vec<Chunk>,
}

/// Channels whose products are added together.
struct Chunk {
    /// Of a sample's.
    map: usize,
    /// Of the map.
    blocks: Range<usize>,
    /// Of an output block's weights.
    lines: Range<usize>,
}

fn chunks(conv: &Conv, maps: &[&Map]) -> Vec<Chunk> {
    let most = (PRODUCTS / (conv.taps() * BLOCK)).max(1);
    let (mut first, mut chunks) = (0, Vec::new());
    for (index, map) in maps.iter().enumerate() {
        for start in (0..map.blocks()).step_by(most) {
            let blocks = start..map.blocks().min(start + most);
            let end = first + map.channels.min(blocks.end * BLOCK) - start * BLOCK;
            chunks.push(Chunk { map: index, blocks, lines: first * conv.taps()..end * conv.taps() });
            first = end;
        }
    }
    chunks
}

impl Layer<'_> {
    fn pieces<'o>(&self, threads: usize, outputs: &'o mut [Map]) -> Vec<Piece<'o>> {
        let plane = (self.placement.size[0] * self.placement.size[1]).max(1);
        let products = self.chunks.iter().map(|chunk| chunk.lines.len()).max().unwrap_or(1).max(1);
        let most = (GATHERED / products).max(4 * STEP);
        let strip = plane.div_ceil(plane.div_ceil(most)).next_multiple_of(STEP);
        pieces(threads, outputs, strip, most / plane)
    }

    /// Which pixel of the input each of a tile's sees by each tap, `[taps, full]`; none beyond the input and the tile.
    fn positions(&self, pixels: Range<usize>, full: usize, positions: &mut Vec<u32>) {
        let ([height, width], across, columns) = (self.x_size, self.conv.kernel[1], self.placement.size[1]);
        for tap in 0..self.conv.taps() {
            for index in 0..full {
                let pixel = pixels.start + index;
                let at = |position: usize, tap: usize, axis: usize| {
                    (position * self.conv.stride + tap).wrapping_sub(self.placement.pad[axis])
                };
                let (row, column) = (at(pixel / columns, tap / across, 0), at(pixel % columns, tap % across, 1));
                let inside = pixel < pixels.end && row < height && column < width;
                positions.push(if inside { (row * width + column) as u32 } else { u32::MAX });
            }
        }
    }
}

struct Task<'l, 'o, 's> {
    layer: &'l Layer<'l>,
    piece: Piece<'o>,
    seen: &'s mut Vec<Block>,
}

impl OnBlocks for Task<'_, '_, '_> {
    #[inline(always)]
    fn run<S: Simd, const V: usize>(self, simd: S) {
        let Self { layer, mut piece, seen } = self;
        let (full, taps) = (most_pixels(V), layer.conv.taps());
        let (mut tiles, mut positions) = (Vec::new(), Vec::new());
        for (part, Part { pixels, .. }) in piece.parts.iter().enumerate() {
            for start in pixels.clone().step_by(full) {
                let pixels = start..pixels.end.min(start + full);
                layer.positions(pixels.clone(), full, &mut positions);
                tiles.push((part, pixels));
            }
        }
        let mut factors: Vec<Factor> = Vec::new();
        for (index, chunk) in layer.chunks.iter().enumerate() {
            if factors.len() != chunk.lines.len() {
                let channels = chunk.lines.len() / taps;
                factors = layer.conv.factors::<Block>(channels, taps * full, |tap| tap * full);
            }
            let length = chunk.blocks.len() * taps * full;
            seen.resize(seen.len().max(tiles.len() * length), Block::default());
            for (tile, (part, _)) in tiles.iter().enumerate() {
                let map = layer.samples[piece.parts[*part].sample].maps[chunk.map];
                let positions = &positions[tile * taps * full..][..taps * full];
                let seen = &mut seen[tile * length..][..length];
                for (block, seen) in chunk.blocks.clone().zip(seen.chunks_exact_mut(taps * full)) {
                    gather(map.block(block), positions, seen);
                }
            }
            let ends = [index == 0, index + 1 == layer.chunks.len()];
            for first in (0..piece.blocks).step_by(most_blocks(V)) {
                let together = most_blocks(V).min(piece.blocks - first);
                for (tile, (part, pixels)) in tiles.iter().enumerate() {
                    let Part { sample, pixels: all, blocks } = &mut piece.parts[*part];
                    let mut at = pixels.start;
                    while at < pixels.end {
                        let tile = Tile {
                            layer,
                            chunk,
                            ends,
                            factors: &factors,
                            seen: &seen[tile * length + at - pixels.start..(tile + 1) * length],
                            sample: *sample,
                            block: piece.block + first,
                            at,
                            offset: at - all.start,
                            group: &mut blocks[first..][..together],
                        };
                        at += tile!(simd, V, together, pixels.end - at, |P, N| Pixels::<P, N, V>(tile));
                    }
                }
            }
        }
    }
}

/// Zeros where there is no position.
#[inline(always)]
fn gather(plane: &[Block], positions: &[u32], seen: &mut [Block]) {
    const NOTHING: Block = Block([0.0; BLOCK]);
    for (seen, &position) in seen.iter_mut().zip(positions) {
        *seen = *plane.get(position as usize).unwrap_or(&NOTHING);
    }
}

/// Pixels from `at` on in a group of output blocks.
struct Tile<'l, 'g, 'o> {
    layer: &'l Layer<'l>,
    chunk: &'l Chunk,
    /// Whether it is the first chunk, and the last.
    ends: [bool; 2],
    factors: &'g [Factor],
    seen: &'g [Block],
    sample: usize,
    block: usize,
    at: usize,
    offset: usize,
    group: &'g mut [&'o mut [Block]],
}

/// `P` pixels in `N` blocks of `V` vectors. A function of its own for each, so that all sums have a register.
struct Pixels<'l, 'g, 'o, const P: usize, const N: usize, const V: usize>(Tile<'l, 'g, 'o>);

impl<const P: usize, const N: usize, const V: usize> WithSimd for Pixels<'_, '_, '_, P, N, V> {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> usize {
        let Self(Tile { layer, chunk, ends: [is_first, is_last], factors, seen, sample, block, at, offset, group }) =
            self;
        let mut sums: Sums<S, P, N, V> = start(simd, &layer.conv.bias[block..][..N]);
        if !is_first {
            for n in 0..N {
                read::<S, P, N, V>(&mut sums, n, &group[n][offset..]);
            }
        }
        let weights = std::array::from_fn(|n| &layer.conv.weights(block + n)[chunk.lines.clone()]);
        add::<S, Block, P, N, V, 1>(simd, &mut sums, seen, factors, weights);
        if is_last {
            if let Some(shortcut) = layer.samples[sample].shortcut {
                for n in 0..N {
                    add_shortcut::<S, P, N, V>(simd, &mut sums, n, &shortcut.block(block + n)[at..]);
                }
            }
            activate::<S, P, N, V>(simd, &mut sums, layer.activation);
        }
        for n in 0..N {
            write::<S, P, N, V>(&sums, n, &mut group[n][offset..]);
        }
        P
    }
}
