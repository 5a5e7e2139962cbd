//! Depthwise convolution, with the 1×1 convolution in front of it that widens the map: the wide map exists a few rows
//! at a time, in a processor's second cache.

use std::cell::RefCell;
use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::conv::{Conv, Placement};
use super::map::{BLOCK, Block, Map};
use super::on_blocks::{OnBlocks, on_blocks};
use super::tile::{Factor, Sums, activate, add, most_blocks, start, tile, write};
use crate::parallel;

/// Weights and bias of a depthwise convolution.
#[derive(Clone, Debug)]
pub struct Depthwise {
    channels: usize,
    kernel: usize,
    stride: usize,
    /// `[ceil(C / 16), k * k, 16]`.
    weights: Vec<Block>,
    bias: Vec<Block>,
}

/// What lies in front of a depthwise convolution.
#[derive(Clone, Copy, Debug)]
pub struct Expansion<'a> {
    /// A 1×1 convolution of stride 1.
    pub conv: &'a Conv,
    /// Its activation.
    pub activation: u32,
}

impl Depthwise {
    /// Of `weight` `[C, k, k]`, `bias` `[C]` and a stride of 1 or 2.
    #[must_use]
    pub fn new(weight: &[f32], bias: &[f32], kernel: usize, stride: usize) -> Self {
        assert!(stride == 1 || stride == 2, "no kernel for a stride of {stride}");
        let (channels, taps) = (bias.len(), kernel * kernel);
        let blocks = channels.div_ceil(BLOCK);
        let at = |values: &[f32], index: usize| values.get(index).copied().unwrap_or_default();
        let weights = (0..blocks * taps).map(|line| {
            let (block, tap) = (line / taps, line % taps);
            Block(std::array::from_fn(|lane| at(weight, (block * BLOCK + lane) * taps + tap)))
        });
        let weights = weights.collect();
        let bias = (0..blocks).map(|block| Block(std::array::from_fn(|lane| at(bias, block * BLOCK + lane)))).collect();
        Self { channels, kernel, stride, weights, bias }
    }

    /// The convolution of `x`, or of what `expansion` makes of it, activated.
    #[must_use]
    pub fn run(&self, x: &Map, expansion: Option<Expansion<'_>>, placement: Placement, activation: u32) -> Map {
        match expansion {
            None => assert_eq!(x.channels, self.channels, "input channels"),
            Some(Expansion { conv, .. }) => assert_eq!([x.channels, self.channels], [conv.inputs(), conv.outputs()]),
        }
        let mut output = Map::uninitialised(self.channels, placement.size);
        let factors = expansion.map(|expansion| expansion.conv.factors::<Block>(x.channels, x.pixels(), |_| 0));
        let span = (placement.size[1].max(1) - 1) * self.stride + self.kernel;
        let layer = Layer {
            depthwise: self,
            x,
            expansion,
            factors: factors.unwrap_or_default(),
            placement,
            activation,
            width: span.max(placement.pad[1] + x.size[1]),
        };
        parallel::each(layer.pieces(output.used()), |piece| {
            WINDOW.with_borrow_mut(|window| on_blocks(Task { layer: &layer, piece, window }));
        });
        output
    }
}

thread_local! {
    /// Rows of a padded map, of a thread's present piece.
    static WINDOW: RefCell<Vec<Block>> = const { RefCell::new(Vec::new()) };
}

struct Layer<'a> {
    depthwise: &'a Depthwise,
    x: &'a Map,
    expansion: Option<Expansion<'a>>,
    factors: Vec<Factor>,
    placement: Placement,
    activation: u32,
    /// Columns of a window: the padded input's.
    width: usize,
}

/// Rows of the output in some blocks.
struct Piece<'a> {
    block: usize,
    rows: Range<usize>,
    blocks: Vec<&'a mut [Block]>,
}

/// Blocks whose windows are filled together.
const TOGETHER: usize = 2;
/// Pixels of a window, about.
const WINDOW_PIXELS: usize = 2048;
/// Products of a piece, about.
const PRODUCTS: usize = 3_000_000;
/// Rows of the input of a piece, at least: what two pieces both see is computed twice.
const LEAST_ROWS: usize = 24;

impl Layer<'_> {
    fn pieces<'o>(&self, output: &'o mut [Block]) -> Vec<Piece<'o>> {
        let [height, width] = self.placement.size;
        let taps = self.depthwise.kernel * self.depthwise.kernel;
        let seen = self.expansion.map_or(0, |expansion| expansion.conv.inputs());
        let products = TOGETHER * BLOCK * (seen * self.x.pixels() + taps * height * width);
        let parts = products.div_ceil(PRODUCTS).min(height * self.depthwise.stride / LEAST_ROWS).max(1);
        let rows = height.div_ceil(parts).max(1);
        let plane = height * width;
        let mut pieces: Vec<Piece<'o>> = Vec::new();
        for (index, blocks) in output.chunks_mut((TOGETHER * plane).max(1)).enumerate() {
            let first = pieces.len();
            pieces.extend((0..height).step_by(rows).map(|start| Piece {
                block: index * TOGETHER,
                rows: start..(start + rows).min(height),
                blocks: Vec::with_capacity(TOGETHER),
            }));
            for block in blocks.chunks_mut(plane) {
                for (part, piece) in block.chunks_mut(rows * width).zip(&mut pieces[first..]) {
                    piece.blocks.push(part);
                }
            }
        }
        // neighbours see the same pixels
        pieces.sort_by_key(|piece| piece.rows.start);
        pieces
    }
}

struct Task<'l, 'o, 'w> {
    layer: &'l Layer<'l>,
    piece: Piece<'o>,
    window: &'w mut Vec<Block>,
}

impl OnBlocks for Task<'_, '_, '_> {
    #[inline(always)]
    fn run<S: Simd, const V: usize>(self, simd: S) {
        let Self { layer, piece: Piece { block, rows, mut blocks }, window } = self;
        let Depthwise { kernel, stride, .. } = *layer.depthwise;
        let (width, together) = (layer.width, blocks.len());
        let strip = (WINDOW_PIXELS / width).saturating_sub(kernel) / stride;
        let strip = strip.clamp(4, 64);
        let height = (strip - 1) * stride + kernel;
        window.resize(window.len().max(together * height * width), Block::default());
        let windows = &mut window[..together * height * width];
        // rows of the window that the strip before has filled
        let mut filled = 0;
        for top in rows.clone().step_by(strip) {
            let end = rows.end.min(top + strip);
            let needed = (end - top - 1) * stride + kernel;
            let fill = Fill { layer, block, first: top * stride, rows: filled..needed, height };
            match layer.expansion {
                None => fill.copied(windows),
                Some(expansion) => fill.expanded::<S, V>(simd, expansion, windows),
            }
            for (index, output) in blocks.iter_mut().enumerate() {
                let window = &windows[index * height * width..][..height * width];
                let output = &mut output[(top - rows.start) * layer.placement.size[1]..];
                for row in 0..end - top {
                    let output = &mut output[row * layer.placement.size[1]..][..layer.placement.size[1]];
                    let seen = &window[row * stride * width..];
                    Row { layer, block: block + index, seen, output }.run::<S, V>(simd);
                }
            }
            // the last rows are the first of the next strip
            filled = kernel.saturating_sub(stride).min(needed);
            for window in windows.chunks_exact_mut(height * width) {
                window.copy_within((needed - filled) * width..needed * width, 0);
            }
        }
    }
}

/// Rows of the padded map to be put into the windows.
struct Fill<'l> {
    layer: &'l Layer<'l>,
    block: usize,
    /// Row of the padded map that is the window's first.
    first: usize,
    /// Of the window.
    rows: Range<usize>,
    /// Rows of a window.
    height: usize,
}

impl Fill<'_> {
    /// Zeros where there is no input, and which of its rows come to which of the window.
    fn pad(&self, windows: &mut [Block]) -> (Range<usize>, usize) {
        let [height, width] = self.layer.x.size;
        let [top, left] = self.layer.placement.pad;
        let inside = |row: usize| (self.first + row).clamp(top, top + height) - top;
        let input = inside(self.rows.start)..inside(self.rows.end);
        let at = (input.start + top).saturating_sub(self.first);
        let at = if input.is_empty() { self.rows.end } else { at };
        for window in windows.chunks_exact_mut(self.height * self.layer.width) {
            for row in self.rows.clone() {
                let values = &mut window[row * self.layer.width..][..self.layer.width];
                if row < at || row >= at + input.len() {
                    values.fill(Block::default());
                } else {
                    values[..left].fill(Block::default());
                    values[left + width..].fill(Block::default());
                }
            }
        }
        (input, at)
    }

    fn copied(&self, windows: &mut [Block]) {
        let (input, at) = self.pad(windows);
        let (width, left) = (self.layer.x.size[1], self.layer.placement.pad[1]);
        for (index, window) in windows.chunks_exact_mut(self.height * self.layer.width).enumerate() {
            let plane = self.layer.x.block(self.block + index);
            for (row, from) in input.clone().enumerate() {
                let to = &mut window[(at + row) * self.layer.width + left..][..width];
                to.copy_from_slice(&plane[from * width..][..width]);
            }
        }
    }

    #[inline(always)]
    fn expanded<S: Simd, const V: usize>(&self, simd: S, expansion: Expansion<'_>, windows: &mut [Block]) {
        let (input, at) = self.pad(windows);
        let (width, left) = (self.layer.x.size[1], self.layer.placement.pad[1]);
        let mut windows: Vec<_> = windows.chunks_exact_mut(self.height * self.layer.width).collect();
        for (index, windows) in windows.chunks_mut(most_blocks(V)).enumerate() {
            let (mut done, all) = (0, input.len() * width);
            while done < all {
                let expand = Expand {
                    layer: self.layer,
                    expansion,
                    block: self.block + index * most_blocks(V),
                    from: input.start * width + done,
                    column: done % width,
                    to: (at + done / width) * self.layer.width + left + done % width,
                    windows: &mut *windows,
                };
                let together = expand.windows.len();
                done += tile!(simd, V, together, all - done, |P, N| ExpandedPixels::<P, N, V>(expand));
            }
        }
    }
}

/// Some pixels of the input, from `from` on, to be widened into windows.
struct Expand<'l, 'w> {
    layer: &'l Layer<'l>,
    expansion: Expansion<'l>,
    block: usize,
    from: usize,
    /// Of the first pixel.
    column: usize,
    /// In the window.
    to: usize,
    windows: &'l mut [&'w mut [Block]],
}

/// `P` pixels in `N` blocks of `V` vectors.
struct ExpandedPixels<'l, 'w, const P: usize, const N: usize, const V: usize>(Expand<'l, 'w>);

impl<const P: usize, const N: usize, const V: usize> WithSimd for ExpandedPixels<'_, '_, P, N, V> {
    type Output = usize;

    #[allow(clippy::needless_range_loop, reason = "as in `tile`")]
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> usize {
        let Self(Expand { layer, expansion: Expansion { conv, activation }, block, from, column, to, windows }) = self;
        let mut sums: Sums<S, P, N, V> = start(simd, &conv.bias()[block..][..N]);
        let weights = std::array::from_fn(|n| conv.weights(block + n));
        add::<S, Block, P, N, V, 1>(simd, &mut sums, &layer.x.values[from..], &layer.factors, weights);
        activate::<S, P, N, V>(simd, &mut sums, activation);
        let width = layer.x.size[1];
        for n in 0..N {
            if column + P <= width {
                write::<S, P, N, V>(&sums, n, &mut windows[n][to..]);
            } else {
                let mut pixels = [Block::default(); P];
                write::<S, P, N, V>(&sums, n, &mut pixels);
                let (mut column, mut to) = (column, to);
                let mut pixels = &pixels[..];
                while !pixels.is_empty() {
                    let (row, rest) = pixels.split_at(pixels.len().min(width - column));
                    windows[n][to..][..row.len()].copy_from_slice(row);
                    (pixels, to, column) = (rest, to + layer.width - column, 0);
                }
            }
        }
        P
    }
}

/// A row of the output in a block.
struct Row<'l, 'o> {
    layer: &'l Layer<'l>,
    block: usize,
    /// The window from the first row on that the outputs see.
    seen: &'l [Block],
    output: &'o mut [Block],
}

impl Row<'_, '_> {
    #[inline(always)]
    fn run<S: Simd, const V: usize>(mut self, simd: S) {
        let mut column = 0;
        while column < self.output.len() {
            let (rest, row) = (self.output.len() - column, &mut self);
            let stride = row.layer.depthwise.stride;
            column += match (V, stride, rest) {
                (1, 1, 8..) => simd.vectorize(FilteredPixels::<8, V, 1>(row, column)),
                (1, 2, 8..) => simd.vectorize(FilteredPixels::<8, V, 2>(row, column)),
                (1 | 2, 1, 4..) => simd.vectorize(FilteredPixels::<4, V, 1>(row, column)),
                (1 | 2, 2, 4..) => simd.vectorize(FilteredPixels::<4, V, 2>(row, column)),
                (1 | 2 | 4, 1, 2..) => simd.vectorize(FilteredPixels::<2, V, 1>(row, column)),
                (1 | 2 | 4, 2, 2..) => simd.vectorize(FilteredPixels::<2, V, 2>(row, column)),
                (_, 1, _) => simd.vectorize(FilteredPixels::<1, V, 1>(row, column)),
                (_, _, _) => simd.vectorize(FilteredPixels::<1, V, 2>(row, column)),
            };
        }
    }
}

/// `P` pixels of a row, from a column on.
struct FilteredPixels<'r, 'l, 'o, const P: usize, const V: usize, const STRIDE: usize>(&'r mut Row<'l, 'o>, usize);

impl<const P: usize, const V: usize, const STRIDE: usize> WithSimd for FilteredPixels<'_, '_, '_, P, V, STRIDE> {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> usize {
        let Self(Row { layer, block, seen, output }, column) = self;
        let Depthwise { kernel, ref weights, ref bias, .. } = *layer.depthwise;
        let weights = &weights[*block * kernel * kernel..][..kernel * kernel];
        let mut sums: Sums<S, P, 1, V> = start(simd, &bias[*block..][..1]);
        let (mut tap, mut at) = (0, column * STRIDE);
        // one loop over all taps: where loops are nested, the sums are written to memory in between
        for weight in weights {
            let weight = S::as_simd_f32s(&weight.0).0;
            let pixels = &seen[at..][..(P - 1) * STRIDE + 1];
            for p in 0..P {
                let pixel = S::as_simd_f32s(&pixels[p * STRIDE].0).0;
                for v in 0..V {
                    sums[p][0][v] = simd.mul_add_e_f32s(pixel[v], weight[v], sums[p][0][v]);
                }
            }
            tap += 1;
            at += 1;
            if tap == kernel {
                (tap, at) = (0, at + layer.width - kernel);
            }
        }
        activate::<S, P, 1, V>(simd, &mut sums, layer.activation);
        write::<S, P, 1, V>(&sums, 0, &mut output[column..]);
        P
    }
}
