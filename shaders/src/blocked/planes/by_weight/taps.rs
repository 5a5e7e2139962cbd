//! Of any kernel and stride: every tap by itself. Where inputs are fewer than a block has channels, as a colour image's
//! are, those that all taps see are copied together and take the place of inputs.

use std::ops::Range;

use pulp::Simd;

use super::super::super::map::{BLOCK, Block, Map};
use super::outer::{Factors, Sums};
use super::{Layer, Strip};

/// As [`Task`](super::Task) has them.
#[inline(always)]
pub(super) fn sums<S: Simd, const V: usize>(
    simd: S,
    layer: &Layer<'_>,
    channels: &[Range<usize>; 2],
    strips: &[Strip],
) -> Vec<Block> {
    let taps = layer.kernel * layer.kernel;
    if layer.inputs < BLOCK && taps > 1 {
        return of_few_inputs::<S, V>(simd, layer, channels, strips);
    }
    let mut sums = Sums::new(taps, [channels[0].len(), channels[1].len()]);
    let mut at = Vec::new();
    for Strip { sample, rows } in strips {
        let in_rows = layer.seen(rows);
        let x = layer.planes(*sample).window(simd, channels[0].clone(), in_rows.clone());
        let gradient = layer.gradients(*sample).window(simd, channels[1].clone(), rows.clone());
        for tap in 0..taps {
            at.clear();
            for row in rows.clone() {
                let in_row = (row * layer.stride + tap / layer.kernel).wrapping_sub(layer.pad[0]);
                at.extend((0..layer.size[1]).map(|column| {
                    let in_column = (column * layer.stride + tap % layer.kernel).wrapping_sub(layer.pad[1]);
                    let inside = in_rows.contains(&in_row) && in_column < layer.x_size[1];
                    if inside { ((in_row - in_rows.start) * layer.x_size[1] + in_column) as u32 } else { u32::MAX }
                }));
            }
            add::<S, V>(simd, &mut sums, tap, [&x, &gradient], &at);
        }
    }
    let inputs = channels[0].len();
    let lines = (0..sums.blocks[1]).flat_map(|block| (0..inputs).map(move |input| (block, input)));
    lines
        .flat_map(|(block, input)| (0..taps).map(move |tap| (tap, block, input)))
        .map(|(tap, block, input)| sums.line(tap, block)[input])
        .collect()
}

/// A few pixels after the other, whose gradients stay in a processor's first cache.
#[inline(always)]
fn add<S: Simd, const V: usize>(simd: S, sums: &mut Sums, product: usize, [x, gradient]: [&Map; 2], at: &[u32]) {
    const PIXELS: usize = 128;
    for (index, at) in at.chunks(PIXELS).enumerate() {
        let factors = Factors {
            x: &x.values[..x.blocks() * x.pixels()],
            x_apart: x.pixels(),
            at,
            gradient: &gradient.values[index * PIXELS..],
            gradient_apart: gradient.pixels(),
        };
        sums.add::<S, V>(simd, product, factors);
    }
}

/// Of fewer inputs than a block has: `k * k` times as many, one product.
#[inline(always)]
fn of_few_inputs<S: Simd, const V: usize>(
    simd: S,
    layer: &Layer<'_>,
    channels: &[Range<usize>; 2],
    strips: &[Strip],
) -> Vec<Block> {
    let (inputs, kernel) = (layer.inputs, layer.kernel);
    let [height, width] = layer.x_size;
    let factors = inputs * kernel * kernel;
    let mut sums = Sums::new(1, [factors, channels[1].len()]);
    // padded rows of the input, a pixel's values together
    let columns = (layer.size[1].max(1) - 1) * layer.stride + kernel;
    let mut image = Vec::new();
    let mut line = vec![0.0; factors.next_multiple_of(BLOCK)];
    for Strip { sample, rows } in strips {
        let in_rows = layer.seen(rows);
        let planes = layer.planes(*sample).values;
        let needed = (rows.len().max(1) - 1) * layer.stride + kernel;
        image.clear();
        image.resize(needed * columns * inputs, 0.0);
        for row in in_rows {
            let to =
                &mut image[(row + layer.pad[0] - rows.start * layer.stride) * columns * inputs..][..columns * inputs];
            for input in 0..inputs {
                let from = &planes[(input * height + row) * width..][..width];
                let to = to.iter_mut().skip(layer.pad[1] * inputs + input).step_by(inputs);
                to.zip(from).for_each(|(to, from)| *to = *from);
            }
        }
        let mut x = Map::uninitialised(factors, [rows.len(), layer.size[1]]);
        let pixels = x.pixels();
        for pixel in 0..pixels {
            let (row, column) = (pixel / layer.size[1] * layer.stride, pixel % layer.size[1] * layer.stride);
            for (tap_row, line) in line.chunks_exact_mut(kernel * inputs).enumerate().take(kernel) {
                let from = ((row + tap_row) * columns + column) * inputs;
                line.copy_from_slice(&image[from..][..line.len()]);
            }
            for (block, values) in line.as_chunks::<BLOCK>().0.iter().enumerate() {
                x.values[block * pixels + pixel] = Block(*values);
            }
        }
        let gradient = layer.gradients(*sample).window(simd, channels[1].clone(), rows.clone());
        let at: Vec<u32> = (0..pixels as u32).collect();
        add::<S, V>(simd, &mut sums, 0, [&x, &gradient], &at);
    }
    let lines = (0..sums.blocks[1]).flat_map(|block| (0..inputs).map(move |input| (block, input)));
    lines
        .flat_map(|(block, input)| (0..kernel * kernel).map(move |tap| (block, tap * inputs + input)))
        .map(|(block, factor)| sums.line(0, block)[factor])
        .collect()
}
