//! Convolutions whose tiles are neighbouring pixels of a row and read the input where it lies: 1×1, where a whole map is
//! one row, and of colour images, which are copied with zeros around them.

#![allow(clippy::needless_range_loop, reason = "as in `tile`: sums keep their registers")]

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::super::map::{BLOCK, Block, Map, Pixel};
use super::super::on_blocks::{OnBlocks, on_blocks};
use super::super::tile::{Factor, Sums, activate, add, add_shortcut, most_blocks, start, tile, write};
use super::{Conv, Placement, Sample};
use crate::parallel;

/// The 1×1 convolution of a sample.
pub(super) fn pointwise(conv: &Conv, threads: usize, sample: &Sample<'_>, activation: u32) -> Map {
    let size = sample.maps.first().map_or([0; 2], |map| map.size);
    let pixels = size[0] * size[1];
    let mut sources = Vec::with_capacity(sample.maps.len());
    let mut first = 0;
    for map in &sample.maps {
        let factors = conv.factors::<Block>(map.channels, pixels, |_| 0);
        sources.push(Source { values: &map.values[..], factors, lines: first..first + map.channels });
        first += map.channels;
    }
    let layer = Layer { conv, sources, columns: pixels, size: [1, pixels], shortcut: sample.shortcut, activation };
    let mut output = Map::uninitialised(conv.outputs, size);
    layer.run(threads, output.used());
    output
}

/// The convolution of a colour image, planes `[3, h, w]`.
pub(super) fn of_image(
    conv: &Conv,
    threads: usize,
    planes: &[f32],
    [height, width]: [usize; 2],
    placement: Placement,
    activation: u32,
) -> Map {
    let [top, left] = placement.pad;
    let seen = |axis: usize| (placement.size[axis].max(1) - 1) * conv.stride + conv.kernel[axis];
    let [rows, columns] = [seen(0), seen(1)];
    let (pixels, width_seen) = (height * width, width.min(columns.saturating_sub(left)));
    let mut image = vec![[0.0; 3]; rows * columns];
    let rows = image.chunks_mut(columns.max(1)).enumerate().collect();
    parallel::each_on(threads, rows, |(row, image)| {
        let Some(row) = row.checked_sub(top).filter(|row| *row < height) else { return };
        let at = |channel: usize| &planes[channel * pixels + row * width..][..width_seen];
        let [red, green, blue] = [at(0), at(1), at(2)];
        for (column, pixel) in image.iter_mut().skip(left).take(width_seen).enumerate() {
            *pixel = [red[column], green[column], blue[column]];
        }
    });
    let factors = conv.factors::<[f32; 3]>(3, 0, |tap| tap / conv.kernel[1] * columns + tap % conv.kernel[1]);
    let sources = vec![Source { values: &image[..], lines: 0..factors.len(), factors }];
    let layer = Layer { conv, sources, columns, size: placement.size, shortcut: None, activation };
    let mut output = Map::uninitialised(conv.outputs, placement.size);
    layer.run(threads, output.used());
    output
}

/// A convolution on its input.
struct Layer<'a, X> {
    conv: &'a Conv,
    sources: Vec<Source<'a, X>>,
    /// Of the input.
    columns: usize,
    /// Rows and columns of the output.
    size: [usize; 2],
    shortcut: Option<&'a Map>,
    activation: u32,
}

/// Some of the input's channels.
struct Source<'a, X> {
    values: &'a [X],
    factors: Vec<Factor>,
    /// Of an output block's weights.
    lines: Range<usize>,
}

/// Pixels of some output blocks.
struct Piece<'a> {
    block: usize,
    pixels: Range<usize>,
    blocks: Vec<&'a mut [Block]>,
}

/// Values of the input that a piece sees, about: they stay in a processor's second cache.
const SEEN: usize = 65_536;
/// Products of a piece, about: enough to be worth handing out, and few where a thread has to be waited for.
const PRODUCTS: usize = 3_000_000;
/// Pixels of a piece are a multiple of every tile's.
const STEP: usize = 24;

impl<X: Pixel> Layer<'_, X> {
    fn run(&self, threads: usize, output: &mut [Block]) {
        parallel::each_on(threads, self.pieces(output), |piece| on_blocks(Task { layer: self, piece }));
    }

    fn pieces<'o>(&self, output: &'o mut [Block]) -> Vec<Piece<'o>> {
        let plane = self.size[0] * self.size[1];
        let (inputs, taps) = (self.conv.inputs, self.conv.taps());
        let seen = SEEN / (inputs * self.conv.stride * self.conv.stride);
        let strip = (seen / STEP * STEP).clamp(2 * STEP, 40 * STEP);
        let group = PRODUCTS / (strip.min(plane.max(1)) * inputs * taps * BLOCK);
        let group = group.max(1).next_multiple_of(2);
        let mut pieces: Vec<Piece<'o>> = Vec::new();
        for (index, blocks) in output.chunks_mut((group * plane).max(1)).enumerate() {
            let first = pieces.len();
            pieces.extend((0..plane).step_by(strip).map(|start| Piece {
                block: index * group,
                pixels: start..(start + strip).min(plane),
                blocks: Vec::with_capacity(group),
            }));
            for block in blocks.chunks_mut(plane) {
                for (part, piece) in block.chunks_mut(strip).zip(&mut pieces[first..]) {
                    piece.blocks.push(part);
                }
            }
        }
        // neighbours see the same pixels
        pieces.sort_by_key(|piece| piece.pixels.start);
        pieces
    }
}

struct Task<'l, 'o, X> {
    layer: &'l Layer<'l, X>,
    piece: Piece<'o>,
}

impl<X: Pixel> OnBlocks for Task<'_, '_, X> {
    #[inline(always)]
    fn run<S: Simd, const V: usize>(self, simd: S) {
        match self.layer.conv.stride {
            1 => self.strided::<S, V, 1>(simd),
            _ => self.strided::<S, V, 2>(simd),
        }
    }
}

impl<X: Pixel> Task<'_, '_, X> {
    /// `V` vectors are a block.
    #[inline(always)]
    fn strided<S: Simd, const V: usize, const STRIDE: usize>(mut self, simd: S) {
        let Piece { block, pixels, blocks } = &mut self.piece;
        let width = self.layer.size[1];
        let mut blocks: &mut [&mut [Block]] = blocks;
        let mut block = *block;
        while !blocks.is_empty() {
            let together = blocks.len().min(most_blocks(V));
            let (group, rest) = blocks.split_at_mut(together);
            blocks = rest;
            let mut at = pixels.start;
            while at < pixels.end {
                let in_row = (width - at % width).min(pixels.end - at);
                let offset = at - pixels.start;
                let tile = Tile { layer: self.layer, block, at, offset, group };
                at += tile!(simd, V, together, in_row, |P, N| Pixels::<_, P, N, V, STRIDE>(tile));
            }
            block += together;
        }
    }
}

/// Pixels of a row, from `at` on, in a group of output blocks.
struct Tile<'l, 'g, 'o, X> {
    layer: &'l Layer<'l, X>,
    block: usize,
    at: usize,
    offset: usize,
    group: &'g mut [&'o mut [Block]],
}

/// `P` pixels in `N` blocks of `V` vectors. A function of its own for each, so that all sums have a register.
struct Pixels<'l, 'g, 'o, X, const P: usize, const N: usize, const V: usize, const STRIDE: usize>(Tile<'l, 'g, 'o, X>);

impl<X: Pixel, const P: usize, const N: usize, const V: usize, const STRIDE: usize> WithSimd
    for Pixels<'_, '_, '_, X, P, N, V, STRIDE>
{
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> usize {
        let Self(Tile { layer, block, at, offset, group }) = self;
        let (row, column) = (at / layer.size[1], at % layer.size[1]);
        let first = (row * layer.columns + column) * STRIDE;
        let mut sums: Sums<S, P, N, V> = start(simd, &layer.conv.bias[block..][..N]);
        for source in &layer.sources {
            let weights = std::array::from_fn(|n| &layer.conv.weights(block + n)[source.lines.clone()]);
            add::<S, X, P, N, V, STRIDE>(simd, &mut sums, &source.values[first..], &source.factors, weights);
        }
        if let Some(shortcut) = layer.shortcut {
            for n in 0..N {
                add_shortcut::<S, P, N, V>(simd, &mut sums, n, &shortcut.block(block + n)[at..]);
            }
        }
        activate::<S, P, N, V>(simd, &mut sums, layer.activation);
        for n in 0..N {
            write::<S, P, N, V>(&sums, n, &mut group[n][offset..]);
        }
        P
    }
}
