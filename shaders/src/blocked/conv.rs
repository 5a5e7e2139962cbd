//! Convolution over all channels.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::map::{BLOCK, Block, Map, Pixel};
use super::tile::{Factor, Sums, activate, add, add_shortcut, most_blocks, start, tile, write};
use crate::parallel;
use crate::vectorised::vectorised;

/// Weights and bias of a convolution, packed once for every use.
#[derive(Clone, Debug)]
pub struct Conv {
    inputs: usize,
    outputs: usize,
    kernel: usize,
    stride: usize,
    /// `[ceil(O / 16), ceil(I / 16), k * k, I of the block, 16]`.
    weights: Vec<Block>,
    bias: Vec<Block>,
}

/// Where a convolution's output lies over its input.
#[derive(Clone, Copy, Debug)]
pub struct Placement {
    /// Rows and columns of the output.
    pub size: [usize; 2],
    /// Zeros in front of the rows and the columns of the input.
    pub pad: [usize; 2],
}

impl Conv {
    /// Of `weight` `[O, I, k, k]`, `bias` `[O]` and a stride of 1 or 2.
    #[must_use]
    pub fn new(weight: &[f32], bias: &[f32], inputs: usize, kernel: usize, stride: usize) -> Self {
        assert!(stride == 1 || stride == 2, "no kernel for a stride of {stride}");
        let (outputs, taps) = (bias.len(), kernel * kernel);
        let blocks = outputs.div_ceil(BLOCK);
        let mut packed = Vec::with_capacity(blocks * inputs * taps);
        for block in 0..blocks {
            for first in (0..inputs).step_by(BLOCK) {
                for tap in 0..taps {
                    packed.extend((first..inputs.min(first + BLOCK)).map(|input| {
                        let at = |lane| {
                            let output = block * BLOCK + lane;
                            if output < outputs { weight[(output * inputs + input) * taps + tap] } else { 0.0 }
                        };
                        Block(std::array::from_fn(at))
                    }));
                }
            }
        }
        let at = |index| bias.get(index).copied().unwrap_or_default();
        let bias = (0..blocks).map(|block| Block(std::array::from_fn(|lane| at(block * BLOCK + lane)))).collect();
        Self { inputs, outputs, kernel, stride, weights: packed, bias }
    }

    /// Output channels.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    pub(super) fn inputs(&self) -> usize {
        self.inputs
    }

    pub(super) fn bias(&self) -> &[Block] {
        &self.bias
    }

    /// Weights of an output block.
    pub(super) fn weights(&self, block: usize) -> &[Block] {
        let length = self.inputs * self.kernel * self.kernel;
        &self.weights[block * length..][..length]
    }

    /// Where the factors of a sum are that come from `channels` channels, in the order of the weights, in planes of
    /// `plane` pixels and rows of `width`.
    pub(super) fn factors<X: Pixel>(&self, channels: usize, plane: usize, width: usize) -> Vec<Factor> {
        let mut factors = Vec::with_capacity(channels * self.kernel * self.kernel);
        for first in (0..channels).step_by(BLOCK) {
            for tap in 0..self.kernel * self.kernel {
                factors.extend((first..channels.min(first + BLOCK)).map(|input| Factor {
                    pixel: (input / X::CHANNELS * plane + tap / self.kernel * width + tap % self.kernel) as u32,
                    channel: (input % X::CHANNELS) as u32,
                }));
            }
        }
        factors
    }

    /// The convolution of `maps` of one size, their channels one after the other, `shortcut` of the output's shape added
    /// if there is one, activated. All maps but the last have whole blocks.
    #[must_use]
    pub fn run(&self, maps: &[&Map], placement: Placement, shortcut: Option<&Map>, activation: u32) -> Map {
        let size = maps.first().map_or([0; 2], |map| map.size);
        assert!(maps.iter().rev().skip(1).all(|map| map.channels % BLOCK == 0), "blocks that are not full");
        assert!(maps.iter().all(|map| map.size == size), "maps of several sizes");
        // a 1×1 convolution sees pixels one by one: all of them are one row
        let pointwise = self.kernel == 1 && self.stride == 1 && placement.pad == [0; 2] && placement.size == size;
        let [out_size, seen] = [placement.size, size].map(|[h, w]| if pointwise { [1, h * w] } else { [h, w] });
        let (mut first, mut sources) = (0, Vec::with_capacity(maps.len()));
        for map in maps {
            sources.push(Source::new(self, &map.values, first..first + map.channels, seen));
            first += map.channels;
        }
        assert_eq!(first, self.inputs, "input channels");
        let pad = placement.pad;
        let layer = Layer { conv: self, sources, x_size: seen, size: out_size, pad, shortcut, activation };
        let mut output = Map::uninitialised(self.outputs, placement.size);
        layer.run(output.used());
        output
    }

    /// The convolution of a colour image, planes `[3, h, w]`.
    #[must_use]
    pub fn run_on_image(&self, planes: &[f32], size: [usize; 2], placement: Placement, activation: u32) -> Map {
        assert_eq!(self.inputs, 3, "input channels");
        let pixels = size[0] * size[1];
        let mut image = vec![[0.0; 3]; pixels];
        parallel::chunks(&mut image, size[1], |row, image| {
            let at = |channel: usize| &planes[channel * pixels + row * size[1]..][..size[1]];
            let [red, green, blue] = [at(0), at(1), at(2)];
            for (column, pixel) in image.iter_mut().enumerate() {
                *pixel = [red[column], green[column], blue[column]];
            }
        });
        let sources = vec![Source::new(self, &image[..], 0..3, size)];
        let Placement { size: out_size, pad } = placement;
        let layer = Layer { conv: self, sources, x_size: size, size: out_size, pad, shortcut: None, activation };
        let mut output = Map::uninitialised(self.outputs, out_size);
        layer.run(output.used());
        output
    }
}

/// A convolution on its input.
struct Layer<'a, X> {
    conv: &'a Conv,
    sources: Vec<Source<'a, X>>,
    x_size: [usize; 2],
    size: [usize; 2],
    pad: [usize; 2],
    shortcut: Option<&'a Map>,
    activation: u32,
}

/// Some of the input's channels.
struct Source<'a, X> {
    values: &'a [X],
    channels: Range<usize>,
    factors: Vec<Factor>,
    /// Of an output block's weights.
    lines: Range<usize>,
}

impl<'a, X: Pixel> Source<'a, X> {
    fn new(conv: &Conv, values: &'a [X], channels: Range<usize>, size: [usize; 2]) -> Self {
        let taps = conv.kernel * conv.kernel;
        let factors = conv.factors::<X>(channels.len(), size[0] * size[1], size[1]);
        Self { values, lines: channels.start * taps..channels.end * taps, channels, factors }
    }
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
    fn run(&self, output: &mut [Block]) {
        parallel::each(self.pieces(output), |piece| vectorised(Task { layer: self, piece }));
    }

    fn pieces<'o>(&self, output: &'o mut [Block]) -> Vec<Piece<'o>> {
        let plane = self.size[0] * self.size[1];
        let (inputs, taps) = (self.conv.inputs, self.conv.kernel * self.conv.kernel);
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

impl<X: Pixel> WithSimd for Task<'_, '_, X> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match (S::F32_LANES, self.layer.conv.stride) {
            (16, 1) => self.run::<S, 1, 1>(simd),
            (16, _) => self.run::<S, 1, 2>(simd),
            (8, 1) => self.run::<S, 2, 1>(simd),
            (8, _) => self.run::<S, 2, 2>(simd),
            (4, 1) => self.run::<S, 4, 1>(simd),
            (4, _) => self.run::<S, 4, 2>(simd),
            (_, 1) => self.run::<S, 16, 1>(simd),
            (_, _) => self.run::<S, 16, 2>(simd),
        }
    }
}

impl<X: Pixel> Task<'_, '_, X> {
    /// `V` vectors are a block.
    #[inline(always)]
    fn run<S: Simd, const V: usize, const STRIDE: usize>(mut self, simd: S) {
        let Piece { block, pixels, blocks } = &mut self.piece;
        let width = self.layer.size[1];
        let mut copies: Vec<_> = self.layer.sources.iter().map(|_| Copies::default()).collect();
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
                let tile = Tile { layer: self.layer, block, at, offset, group, copies: &mut copies };
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
    /// One for each source.
    copies: &'g mut [Copies<X>],
}

/// `P` pixels in `N` blocks of `V` vectors. A function of its own for each, so that all sums have a register.
struct Pixels<'l, 'g, 'o, X, const P: usize, const N: usize, const V: usize, const STRIDE: usize>(Tile<'l, 'g, 'o, X>);

impl<X: Pixel, const P: usize, const N: usize, const V: usize, const STRIDE: usize> WithSimd
    for Pixels<'_, '_, '_, X, P, N, V, STRIDE>
{
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> usize {
        let Self(this) = self;
        let layer = this.layer;
        let (conv, kernel) = (layer.conv, layer.conv.kernel);
        let [height, width] = layer.x_size;
        let (row, column) = (this.at / layer.size[1] * STRIDE, this.at % layer.size[1] * STRIDE);
        let span = (P - 1) * STRIDE + kernel;
        let inside = row >= layer.pad[0]
            && row + kernel <= height + layer.pad[0]
            && column >= layer.pad[1]
            && column + span <= width + layer.pad[1];

        let mut sums: Sums<S, P, N, V> = start(simd, &conv.bias[this.block..][..N]);
        for (source, copies) in layer.sources.iter().zip(&mut *this.copies) {
            let weights = std::array::from_fn(|n| &conv.weights(this.block + n)[source.lines.clone()]);
            if inside {
                let first = (row - layer.pad[0]) * width + column - layer.pad[1];
                add::<S, X, P, N, V, STRIDE>(simd, &mut sums, &source.values[first..], &source.factors, weights);
            } else {
                let (pixels, factors) = copies.of(layer, source, [row, column], span);
                add::<S, X, P, N, V, STRIDE>(simd, &mut sums, pixels, factors, weights);
            }
        }
        if let Some(shortcut) = layer.shortcut {
            for n in 0..N {
                add_shortcut::<S, P, N, V>(simd, &mut sums, n, &shortcut.block(this.block + n)[this.at..]);
            }
        }
        activate::<S, P, N, V>(simd, &mut sums, layer.activation);
        for n in 0..N {
            write::<S, P, N, V>(&sums, n, &mut this.group[n][this.offset..]);
        }
        P
    }
}

/// Copies of what a tile at the rim sees, with zeros beyond the input.
struct Copies<X> {
    pixels: Vec<X>,
    /// For copies of that many columns.
    factors: Vec<(usize, Vec<Factor>)>,
}

impl<X> Default for Copies<X> {
    fn default() -> Self {
        Self { pixels: Vec::new(), factors: Vec::new() }
    }
}

impl<X: Pixel> Copies<X> {
    /// Copies what a tile sees, `span` columns from `start` in the padded input on, and says where its factors are.
    fn of(&mut self, layer: &Layer<X>, source: &Source<X>, start: [usize; 2], span: usize) -> (&[X], &[Factor]) {
        let [height, width] = layer.x_size;
        let kernel = layer.conv.kernel;
        let channels = source.channels.len();
        let planes = channels.div_ceil(X::CHANNELS);
        self.pixels.clear();
        self.pixels.resize(planes * kernel * span, X::default());
        let skipped = layer.pad[1].saturating_sub(start[1]);
        let from = (start[1] + skipped).saturating_sub(layer.pad[1]).min(width);
        let end = (start[1] + span).saturating_sub(layer.pad[1]).min(width);
        for (index, copy) in self.pixels.chunks_exact_mut(span).enumerate() {
            let (plane, row) = (index / kernel, (start[0] + index % kernel).wrapping_sub(layer.pad[0]));
            if row < height && from < end {
                let plane = &source.values[(plane * height + row) * width..][..width];
                copy[skipped..][..end - from].copy_from_slice(&plane[from..end]);
            }
        }
        let known = self.factors.iter().position(|(columns, _)| *columns == span);
        let known = known.unwrap_or_else(|| {
            self.factors.push((span, layer.conv.factors::<X>(channels, kernel * span, span)));
            self.factors.len() - 1
        });
        (&self.pixels, &self.factors[known].1)
    }
}
