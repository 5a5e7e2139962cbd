//! 3×3 convolutions of stride 1 by Winograd's F(2×2, 3×3): four neighbouring pixels of the output, a place, by 16 products
//! in place of 36. Of the 4×4 pixels that a place sees 16 values are made, one for each of as many 1×1 convolutions, and
//! of what these give, the output. Results are off those of plain sums by some 1e-6 of the largest (2e-6 at 512 channels).

mod packed;
pub(in super::super) mod turned;

use std::cell::RefCell;

use pulp::{Simd, WithSimd};

pub(super) use self::packed::packed;
use super::super::map::{BLOCK, Block, Map};
use super::super::on_blocks::{OnBlocks, on_blocks};
use super::super::tile::{Factor, Sums, add, most_blocks, most_pixels, tile, write};
use super::pieces::{Part, Piece, pieces};
use super::{Conv, Placement, Sample};
use crate::activation::bounds;
use crate::parallel;

/// Products of a place for each pair of channels, and pixels that it sees.
const PRODUCTS: usize = 16;
/// Values that are made ready together, about: they stay in a processor's second cache.
const READY: usize = 65_536;
/// Places made ready together, at least: as many times a weight is used once it is read.
const LEAST: usize = 24;
/// They are a multiple of every tile's.
const STEP: usize = 12;

/// Whether a convolution is one for this form.
pub(super) fn serves(inputs: usize, kernel: [usize; 2], stride: usize) -> bool {
    kernel == [3; 2] && stride == 1 && inputs >= BLOCK
}

/// Products of an output of that size for each pair of channels.
pub(super) fn products(size: [usize; 2]) -> usize {
    PRODUCTS * size[0].div_ceil(2) * size[1].div_ceil(2)
}

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
    let layer = Layer { conv, samples, x_size, placement, activation };
    let [rows, columns] = placement.size.map(|side| side.div_ceil(2).max(1));
    let most = layer.most_places();
    let strip = (most / columns).max(1) * 2 * placement.size[1];
    parallel::each_on(threads, pieces(threads, &mut outputs, strip, most / (rows * columns)), |piece| {
        ROOM.with_borrow_mut(|room| on_blocks(Task { layer: &layer, piece, room }));
    });
    outputs
}

/// Memory of a thread's present piece.
#[derive(Default)]
struct Room {
    /// Of what places see the values that are multiplied, `[places / full][16][blocks of channels, full]`.
    seen: Vec<Block>,
    /// Products, `[16][output blocks of a tile, places]`.
    products: Vec<Block>,
}

thread_local! {
    static ROOM: RefCell<Room> = RefCell::default();
}

struct Layer<'a> {
    conv: &'a Conv,
    samples: &'a [Sample<'a>],
    x_size: [usize; 2],
    placement: Placement,
    activation: u32,
}

/// Four pixels of the output.
#[derive(Clone, Copy)]
struct Place {
    /// Of a piece's.
    part: usize,
    row: usize,
    column: usize,
}

impl Layer<'_> {
    fn most_places(&self) -> usize {
        (READY / (PRODUCTS * self.conv.inputs) / STEP * STEP).max(LEAST)
    }

    fn places(&self, parts: &[Part<'_>]) -> Vec<Place> {
        let columns = self.placement.size[1].max(1);
        let mut places = Vec::new();
        for (part, Part { pixels, .. }) in parts.iter().enumerate() {
            for row in (pixels.start / columns..pixels.end / columns).step_by(2) {
                places.extend((0..columns).step_by(2).map(|column| Place { part, row, column }));
            }
        }
        places
    }

    /// Which pixels of the input it sees; none beyond it.
    fn positions(&self, place: Place) -> [usize; PRODUCTS] {
        let ([height, width], [top, left]) = (self.x_size, self.placement.pad);
        std::array::from_fn(|index| {
            let row = (place.row + index / 4).wrapping_sub(top);
            let column = (place.column + index % 4).wrapping_sub(left);
            if row < height && column < width { row * width + column } else { usize::MAX }
        })
    }

    /// Blocks between two values of a place: one more than there are, so that all 16 lie in different lines of a
    /// processor's first cache.
    fn apart(&self, full: usize) -> usize {
        self.conv.inputs.div_ceil(BLOCK) * full + 1
    }
}

struct Task<'l, 'o, 'r> {
    layer: &'l Layer<'l>,
    piece: Piece<'o>,
    room: &'r mut Room,
}

impl OnBlocks for Task<'_, '_, '_> {
    #[inline(always)]
    fn run<S: Simd, const V: usize>(mut self, simd: S) {
        let full = most_pixels(V);
        let factor = |input| Factor { pixel: (input / BLOCK * full) as u32, channel: (input % BLOCK) as u32 };
        let factors: Vec<_> = (0..self.layer.conv.inputs).map(factor).collect();
        let places = self.layer.places(&self.piece.parts);
        let rounds = places.len().div_ceil(self.layer.most_places()).max(1);
        for places in places.chunks(places.len().div_ceil(rounds).next_multiple_of(STEP)) {
            self.make_ready::<S, V>(simd, places);
            for first in (0..self.piece.blocks).step_by(most_blocks(V)) {
                let blocks = most_blocks(V).min(self.piece.blocks - first);
                self.multiply::<S, V>(simd, &factors, places.len(), first, blocks);
                for block in 0..blocks {
                    self.write::<S, V>(simd, places, first, block, blocks);
                }
            }
        }
    }
}

impl Task<'_, '_, '_> {
    /// Fills `seen`.
    #[inline(always)]
    fn make_ready<S: Simd, const V: usize>(&mut self, simd: S, places: &[Place]) {
        let Self { layer, piece, room: Room { seen, .. } } = self;
        let full = most_pixels(V);
        let apart = layer.apart(full);
        seen.resize(seen.len().max(places.len().div_ceil(full) * PRODUCTS * apart), Block::default());
        for (places, seen) in places.chunks(full).zip(seen.chunks_exact_mut(PRODUCTS * apart)) {
            for (index, &place) in places.iter().enumerate() {
                let positions = layer.positions(place);
                let maps = &layer.samples[piece.parts[place.part].sample].maps;
                let planes = maps.iter().flat_map(|map| (0..map.blocks()).map(|block| map.block(block)));
                for (block, plane) in planes.enumerate() {
                    turned::pixels::<S, V>(simd, plane, &positions, &mut seen[block * full + index..], apart);
                }
            }
        }
    }

    /// Fills `products` for the output blocks from the piece's `first` on: product by product, so that a product's
    /// weights, once read, serve all places.
    #[inline(always)]
    fn multiply<S: Simd, const V: usize>(
        &mut self,
        simd: S,
        factors: &[Factor],
        places: usize,
        first: usize,
        blocks: usize,
    ) {
        let Self { layer, piece, room: Room { seen, products } } = self;
        let full = most_pixels(V);
        let (apart, line) = (layer.apart(full), blocks * places + 1);
        products.resize(products.len().max(PRODUCTS * line), Block::default());
        for product in 0..PRODUCTS {
            for (start, seen) in (0..places).step_by(full).zip(seen.chunks_exact(PRODUCTS * apart)) {
                let (mut at, end) = (start, places.min(start + full));
                while at < end {
                    let tile = Tile {
                        conv: layer.conv,
                        factors,
                        product,
                        block: piece.block + first,
                        seen: &seen[product * apart + at - start..],
                        output: &mut products[product * line + at..],
                        places,
                    };
                    at += tile!(simd, V, blocks, end - at, |P, N| Products::<P, N, V>(tile));
                }
            }
        }
    }

    /// Writes what the products of `block`, one of the `blocks` from the piece's `first` on, make.
    #[inline(always)]
    fn write<S: Simd, const V: usize>(&mut self, simd: S, places: &[Place], first: usize, block: usize, blocks: usize) {
        let Self { layer, piece, room } = self;
        let [height, width] = layer.placement.size;
        let line = blocks * places.len() + 1;
        let products = &room.products[block * places.len()..];
        let (block, of_piece) = (piece.block + first + block, first + block);
        let bias = S::as_simd_f32s(&layer.conv.bias[block].0).0;
        let bounds = bounds(layer.activation).map(|bounds| bounds.map(|bound| simd.splat_f32s(bound)));
        for (index, &Place { part, row, column }) in places.iter().enumerate() {
            let Part { sample, pixels, blocks } = &mut piece.parts[part];
            let output = &mut *blocks[of_piece];
            let shortcut = layer.samples[*sample].shortcut.map(|map| &map.block(block)[pixels.clone()]);
            for (v, &bias) in bias.iter().enumerate() {
                let sums = turned::products(simd, &products[index..], line, v);
                for (down, sums) in sums.into_iter().enumerate().take(height - row) {
                    for (across, sum) in sums.into_iter().enumerate().take(width - column) {
                        let at = (row + down) * width + column + across - pixels.start;
                        let mut value = simd.add_f32s(sum, bias);
                        if let Some(shortcut) = shortcut {
                            value = simd.add_f32s(value, S::as_simd_f32s(&shortcut[at].0).0[v]);
                        }
                        if let Some([low, high]) = bounds {
                            value = simd.min_f32s(simd.max_f32s(value, low), high);
                        }
                        S::as_mut_simd_f32s(&mut output[at].0).0[v] = value;
                    }
                }
            }
        }
    }
}

/// One of the 16 products of some places in a group of output blocks.
struct Tile<'l, 'g> {
    conv: &'l Conv,
    factors: &'g [Factor],
    product: usize,
    block: usize,
    seen: &'g [Block],
    output: &'g mut [Block],
    /// Between two blocks of the output.
    places: usize,
}

/// Of `P` places in `N` blocks of `V` vectors. A function of its own for each, so that all sums have a register.
struct Products<'l, 'g, const P: usize, const N: usize, const V: usize>(Tile<'l, 'g>);

impl<const P: usize, const N: usize, const V: usize> WithSimd for Products<'_, '_, P, N, V> {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> usize {
        let Self(Tile { conv, factors, product, block, seen, output, places }) = self;
        let mut sums: Sums<S, P, N, V> = [[[simd.splat_f32s(0.0); V]; N]; P];
        let weights =
            std::array::from_fn(|n| &conv.weights[((block + n) * PRODUCTS + product) * conv.inputs..][..conv.inputs]);
        add::<S, Block, P, N, V, 1>(simd, &mut sums, seen, factors, weights);
        for n in 0..N {
            write::<S, P, N, V>(&sums, n, &mut output[n * places..]);
        }
        P
    }
}
