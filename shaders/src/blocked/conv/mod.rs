//! Convolution over all channels.

mod gathered;
mod packed;
mod pieces;
mod rows;
mod winograd;

pub(super) use winograd::turned;

use super::map::{BLOCK, Block, Map, Pixel};
use super::tile::Factor;
use crate::parallel;

/// Weights and bias of a convolution, packed once for every use.
#[derive(Clone, Debug)]
pub struct Conv {
    inputs: usize,
    outputs: usize,
    /// Rows and columns.
    kernel: [usize; 2],
    stride: usize,
    /// `[ceil(O / 16), ceil(I / 16), k * k, I of the block, 16]`, or as `winograd` has them.
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

/// What a convolution makes one map of.
#[derive(Clone, Debug)]
pub struct Sample<'a> {
    /// Maps of one size, their channels one after the other. All but the last have whole blocks.
    pub maps: Vec<&'a Map>,
    /// Of the output's shape, added to it.
    pub shortcut: Option<&'a Map>,
}

impl Conv {
    /// Of `weight` `[O, I, k, k]` and `bias` `[O]`.
    #[must_use]
    pub fn new(weight: &[f32], bias: &[f32], inputs: usize, kernel: usize, stride: usize) -> Self {
        Self::with_kernel(weight, bias, inputs, [kernel; 2], stride)
    }

    /// Of `weight` `[O, I, rows, columns]` and `bias` `[O]`.
    pub(super) fn with_kernel(weight: &[f32], bias: &[f32], inputs: usize, kernel: [usize; 2], stride: usize) -> Self {
        let (outputs, taps) = (bias.len(), kernel[0] * kernel[1]);
        let blocks = outputs.div_ceil(BLOCK);
        let weights = if winograd::serves(inputs, kernel, stride) {
            winograd::packed(weight, inputs, outputs)
        } else {
            packed::packed(weight, inputs, outputs, taps)
        };
        let at = |index| bias.get(index).copied().unwrap_or_default();
        let bias = (0..blocks).map(|block| Block(std::array::from_fn(|lane| at(block * BLOCK + lane)))).collect();
        Self { inputs, outputs, kernel, stride, weights, bias }
    }

    /// Output channels.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Multiply-adds of an output of that many rows and columns, in the form that it is computed in.
    #[must_use]
    pub fn multiply_adds(&self, size: [usize; 2]) -> usize {
        let products = if winograd::serves(self.inputs, self.kernel, self.stride) {
            winograd::products(size)
        } else {
            size[0] * size[1] * self.taps()
        };
        products * self.inputs * self.outputs
    }

    pub(super) fn inputs(&self) -> usize {
        self.inputs
    }

    pub(super) fn bias(&self) -> &[Block] {
        &self.bias
    }

    fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Weights of an output block.
    pub(super) fn weights(&self, block: usize) -> &[Block] {
        let length = self.inputs * self.taps();
        &self.weights[block * length..][..length]
    }

    /// Where the factors of a sum are that come from `channels` channels, in the order of the weights, in planes of
    /// `plane` pixels where every tap is `behind` a tile's first pixel.
    pub(super) fn factors<X: Pixel>(
        &self,
        channels: usize,
        plane: usize,
        behind: impl Fn(usize) -> usize,
    ) -> Vec<Factor> {
        let mut factors = Vec::with_capacity(channels * self.taps());
        for first in (0..channels).step_by(BLOCK) {
            for tap in 0..self.taps() {
                factors.extend((first..channels.min(first + BLOCK)).map(|input| Factor {
                    pixel: (input / X::CHANNELS * plane + behind(tap)) as u32,
                    channel: (input % X::CHANNELS) as u32,
                }));
            }
        }
        factors
    }

    /// The convolution of samples of one size, activated.
    #[must_use]
    pub fn run(&self, samples: &[Sample<'_>], placement: Placement, activation: u32) -> Vec<Map> {
        self.run_on(parallel::threads(), samples, placement, activation)
    }

    /// The same, shared by so many threads; by one, it is the caller's.
    pub(super) fn run_on(
        &self,
        threads: usize,
        samples: &[Sample<'_>],
        placement: Placement,
        activation: u32,
    ) -> Vec<Map> {
        let size = samples.first().and_then(|sample| sample.maps.first()).map_or([0; 2], |map| map.size);
        for Sample { maps, shortcut } in samples {
            assert!(maps.iter().rev().skip(1).all(|map| map.channels % BLOCK == 0), "blocks that are not full");
            assert!(maps.iter().all(|map| map.size == size), "maps of several sizes");
            assert_eq!(maps.iter().map(|map| map.channels).sum::<usize>(), self.inputs, "input channels");
            let same = |shortcut: &Map| (shortcut.channels, shortcut.size) == (self.outputs, placement.size);
            assert!(shortcut.is_none_or(same), "a shortcut of another shape");
        }
        if self.kernel == [1; 2] && self.stride == 1 && placement.pad == [0; 2] && placement.size == size {
            samples.iter().map(|sample| rows::pointwise(self, threads, sample, activation)).collect()
        } else if winograd::serves(self.inputs, self.kernel, self.stride) {
            winograd::run(self, threads, samples, size, placement, activation)
        } else {
            gathered::run(self, threads, samples, size, placement, activation)
        }
    }

    /// The convolution of a colour image, planes `[3, h, w]`.
    #[must_use]
    pub fn run_on_image(&self, planes: &[f32], size: [usize; 2], placement: Placement, activation: u32) -> Map {
        self.run_on_image_on(parallel::threads(), planes, size, placement, activation)
    }

    /// The same, shared by so many threads.
    pub(super) fn run_on_image_on(
        &self,
        threads: usize,
        planes: &[f32],
        size: [usize; 2],
        placement: Placement,
        activation: u32,
    ) -> Map {
        assert_eq!(self.inputs, 3, "input channels");
        assert!(self.stride == 1 || self.stride == 2, "no kernel for a stride of {}", self.stride);
        rows::of_image(self, threads, planes, size, placement, activation)
    }
}
