//! Gradient of a convolution by its input: itself a convolution of the gradient, with the kernel turned around.

use super::super::conv::{Conv, Placement, Sample};
use super::super::map::{Block, Map};
use super::convolve::convolve_by;
use super::groups;
use super::pieces::{Division, Part, Piece};
use super::window::{Planes, window, write};
use crate::{ConvParams, parallel};

/// From `weight` `[O, I, k, k]` and the gradient `[B, O, H, W]` to `[B, I, h, w]`.
///
/// With a stride `s`, inputs of one remainder of their row and column by `s` see the same taps: each of the `s * s`
/// remainders is a convolution of stride 1 with as many rows and columns as it has taps.
#[must_use]
pub fn by_input(params: &ConvParams, weight: &[f32], gradient: &[f32]) -> Vec<f32> {
    let [inputs, outputs, kernel, stride] =
        [params.inputs, params.outputs, params.kernel, params.stride].map(|value| value as usize);
    let [in_height, in_width] = [params.in_height as usize, params.in_width as usize];
    let mut result = vec![0.0; params.batch as usize * inputs * in_height * in_width];
    let at = |output: usize, input: usize, (row, column): (usize, usize)| {
        weight[((output * inputs + input) * kernel + row) * kernel + column]
    };
    if stride == 1 {
        let turned = ConvParams {
            inputs: params.outputs,
            in_height: params.height,
            in_width: params.width,
            outputs: params.inputs,
            height: params.in_height,
            width: params.in_width,
            pad_top: params.kernel - 1 - params.pad_top,
            pad_left: params.kernel - 1 - params.pad_left,
            ..*params
        };
        let fill = |input: usize, output: usize, to: &mut [f32]| {
            let taps = weight[(output * inputs + input) * to.len()..].iter().take(to.len());
            to.iter_mut().rev().zip(taps).for_each(|(to, tap)| *to = *tap);
        };
        convolve_by(&turned, gradient, fill, &mut result);
        return result;
    }
    let axes = [params.pad_top, params.pad_left].map(|pad| Axis::new(kernel, stride, pad as usize));
    let mut remainders = Vec::new();
    for (row, column) in (0..stride).flat_map(|row| (0..stride).map(move |column| (row, column))) {
        let [rows, columns] = [axes[0].taps(row), axes[1].taps(column)];
        let convs = || {
            groups([inputs, outputs], [rows.len(), columns.len()], 1, |input, output, to| {
                let taps = rows.iter().flat_map(|row| columns.iter().map(move |column| row.zip(*column)));
                to.iter_mut().zip(taps).for_each(|(to, tap)| *to = tap.map_or(0.0, |tap| at(output, input, tap)));
            })
        };
        let some = [&rows, &columns].iter().all(|taps| taps.iter().any(Option::is_some));
        remainders.push(some.then(convs));
    }
    let layer = Layer {
        remainders,
        axes,
        gradient,
        outputs,
        size: [params.height, params.width].map(|side| side as usize),
        in_size: [in_height, in_width],
        stride,
    };
    let row = outputs * layer.size[1] / stride;
    let division = Division { output: [inputs, in_height, in_width], row, step: stride };
    parallel::each(division.pieces(&mut result), |piece| layer.run(piece));
    result
}

/// Taps along one side.
struct Axis {
    kernel: usize,
    stride: usize,
    pad: usize,
    /// How far before an input's own position, in strides, the first output lies that any remainder sees.
    before: usize,
}

impl Axis {
    fn new(kernel: usize, stride: usize, pad: usize) -> Self {
        let mut axis = Self { kernel, stride, pad, before: 0 };
        // of the last of its taps
        let behind = |remainder| (kernel.saturating_sub(axis.first(remainder))).div_ceil(stride);
        let before = |remainder| behind(remainder).saturating_sub(axis.shift(remainder) + 1);
        axis.before = (0..stride).map(before).max().unwrap_or_default();
        axis
    }

    /// The first tap of a remainder, which sees the gradient that many strides further on.
    fn first(&self, remainder: usize) -> usize {
        (remainder + self.pad) % self.stride
    }

    fn shift(&self, remainder: usize) -> usize {
        (remainder + self.pad) / self.stride
    }

    /// x[stride * a + remainder] gets weight[first + stride * m] * gradient[a + shift - m] for every m: the taps from
    /// `before` on, in the gradient's order, and none where there is no such m.
    fn taps(&self, remainder: usize) -> Vec<Option<usize>> {
        let last = self.shift(remainder) + self.before;
        let tap = |m: usize| Some(self.first(remainder) + self.stride * m).filter(|tap| *tap < self.kernel);
        (0..=last).rev().map(tap).collect()
    }

    /// Strides from an input's own position on that it sees.
    fn behind(&self) -> usize {
        self.shift(self.stride - 1)
    }
}

struct Layer<'a> {
    /// Of row and column; none where no output sees such inputs.
    remainders: Vec<Option<Vec<Conv>>>,
    axes: [Axis; 2],
    gradient: &'a [f32],
    outputs: usize,
    size: [usize; 2],
    in_size: [usize; 2],
    stride: usize,
}

impl Layer<'_> {
    fn run(&self, Piece { group, rows, parts }: Piece<'_>) {
        let [height, width] = self.size;
        let (stride, plane) = (self.stride, self.outputs * height * width);
        // in strides
        let positions = rows.start / stride..rows.end.div_ceil(stride);
        let first = positions.start.saturating_sub(self.axes[0].before).min(height);
        let end = (positions.end + self.axes[0].behind()).min(height).max(first);
        let pad = [(self.axes[0].before + first).saturating_sub(positions.start), self.axes[1].before];
        for Part { sample, mut planes } in parts {
            let of_sample = Planes { values: &self.gradient[sample * plane..][..plane], size: self.size };
            let seen = window(of_sample, 0..self.outputs, first..end);
            let mut result = Map::uninitialised(planes.len(), [rows.len(), self.in_size[1]]);
            if self.remainders.iter().any(Option::is_none) {
                result.used().fill(Block::default());
            }
            for (index, convs) in self.remainders.iter().enumerate() {
                let remainder = [index / stride, index % stride];
                let [height, width] = [0, 1]
                    .map(|axis| [rows.len(), self.in_size[1]][axis].saturating_sub(remainder[axis]).div_ceil(stride));
                let Some(convs) = convs.as_ref().filter(|_| height * width > 0) else { continue };
                let placement = Placement { size: [height, width], pad };
                let sample = Sample { maps: vec![&seen], shortcut: None };
                let maps = convs[group].run_on(1, &[sample], placement, 0);
                spread(&maps[0], remainder, stride, &mut result);
            }
            write(&result, &mut planes);
        }
    }
}

/// Writes a remainder to its pixels.
fn spread(from: &Map, [row, column]: [usize; 2], stride: usize, to: &mut Map) {
    let [_, width] = to.size;
    let (pixels, from_width) = (to.pixels(), from.size[1]);
    for (index, block) in to.used().chunks_exact_mut(pixels).enumerate() {
        let rows = block.chunks_exact_mut(width).skip(row).step_by(stride);
        for (to, from) in rows.zip(from.block(index).chunks_exact(from_width)) {
            to.iter_mut().skip(column).step_by(stride).zip(from).for_each(|(to, from)| *to = *from);
        }
    }
}
