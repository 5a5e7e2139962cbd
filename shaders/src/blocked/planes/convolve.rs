//! Convolution of planes: pieces of them by the kernels of a network in use.

use super::super::conv::{Conv, Placement, Sample};
use super::super::map::Map;
use super::groups;
use super::pieces::{Division, Part, Piece};
use super::window::{Planes, window, write};
use crate::{ConvParams, parallel};

/// From `x` `[B, I, h, w]` and `weight` `[O, I, k, k]` to `output` `[B, O, H, W]`, with neither bias nor activation.
pub fn convolve(params: &ConvParams, x: &[f32], weight: &[f32], output: &mut [f32]) {
    let (inputs, taps) = (params.inputs as usize, (params.kernel * params.kernel) as usize);
    let fill = |output: usize, input: usize, to: &mut [f32]| {
        to.copy_from_slice(&weight[(output * inputs + input) * taps..][..taps]);
    };
    convolve_by(params, x, fill, output);
}

/// The same with the weights that `fill(output, input, taps)` gives.
pub(super) fn convolve_by(
    params: &ConvParams,
    x: &[f32],
    fill: impl Fn(usize, usize, &mut [f32]) + Sync,
    output: &mut [f32],
) {
    let [inputs, outputs, kernel, stride] =
        [params.inputs, params.outputs, params.kernel, params.stride].map(|value| value as usize);
    let layer = Layer {
        convs: groups([outputs, inputs], [kernel; 2], stride, fill),
        x,
        inputs,
        x_size: [params.in_height, params.in_width].map(|side| side as usize),
        size: [params.height, params.width].map(|side| side as usize),
        pad: [params.pad_top, params.pad_left].map(|side| side as usize),
        kernel,
        stride,
    };
    let division = Division {
        output: [outputs, layer.size[0], layer.size[1]],
        row: inputs * layer.x_size[1] * stride,
        // a place of Winograd's form has two rows
        step: 2,
    };
    parallel::each(division.pieces(output), |piece| layer.run(piece));
}

struct Layer<'a> {
    convs: Vec<Conv>,
    x: &'a [f32],
    inputs: usize,
    x_size: [usize; 2],
    size: [usize; 2],
    pad: [usize; 2],
    kernel: usize,
    stride: usize,
}

impl Layer<'_> {
    fn run(&self, Piece { group, rows, parts }: Piece<'_>) {
        let [height, width] = self.x_size;
        // rows of the padded input, then of the input
        let seen = rows.start * self.stride..(rows.end - 1) * self.stride + self.kernel;
        let [start, end] = [seen.start, seen.end].map(|row| row.saturating_sub(self.pad[0]).min(height));
        let pad = [self.pad[0].saturating_sub(seen.start), self.pad[1]];
        let placement = Placement { size: [rows.len(), self.size[1]], pad };
        let planes = |sample: usize| &self.x[sample * self.inputs * height * width..][..self.inputs * height * width];
        let conv = &self.convs[group];
        if self.inputs == 3 && self.stride <= 2 {
            for Part { sample, planes: mut output } in parts {
                let of_rows =
                    planes(sample).chunks_exact(height * width).flat_map(|plane| &plane[start * width..end * width]);
                let image: Vec<f32> = of_rows.copied().collect();
                let map = conv.run_on_image_on(1, &image, [end - start, width], placement, 0);
                write(&map, &mut output);
            }
            return;
        }
        let cut = |part: &Part<'_>| {
            let planes = Planes { values: planes(part.sample), size: self.x_size };
            window(planes, 0..self.inputs, start..end)
        };
        let windows: Vec<Map> = parts.iter().map(cut).collect();
        let samples: Vec<_> = windows.iter().map(|map| Sample { maps: vec![map], shortcut: None }).collect();
        let outputs = conv.run_on(1, &samples, placement, 0);
        for (mut part, map) in parts.into_iter().zip(&outputs) {
            write(map, &mut part.planes);
        }
    }
}
