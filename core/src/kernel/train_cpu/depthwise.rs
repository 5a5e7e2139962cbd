//! Gradient of the depthwise convolution, whose forward burn has in a fast form.

use std::ops::Range;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::autodiff::{Autodiff, NodeId};
use burn::backend::ops::{ConvOptions, ModuleOps};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Flex, TensorMetadata as _};
use burn::tensor::{Tensor, TensorData};

use super::planes::{dot, filled, map_channels};
use crate::kernel::cpu_tensor::{autodiff_primitive, dense, from_values};
use crate::kernel::geometry::Padding;

/// The operation on the CPU backend's autodiff, or `None` elsewhere. Its forward is burn's, which is fast.
pub(in crate::kernel) fn forward(
    x: &Tensor<4>,
    weight: &Tensor<4>,
    stride: usize,
    padding: Padding,
) -> Option<Tensor<4>> {
    let (x, weight) = (autodiff_primitive(x)?, autodiff_primitive(weight)?);
    let channels = x.primitive().shape()[1];
    let options = ConvOptions::new_with_padding([stride, stride], padding, [1, 1], channels);
    let output = Flex::conv2d(x.primitive().clone(), weight.primitive().clone(), None, options);
    let output = match Depthwise.prepare::<NoCheckpointing>([x.node(), weight.node()]).compute_bound().stateful() {
        OpsKind::Tracked(mut prepared) => {
            let (x_state, weight_state) = (prepared.checkpoint(&x), prepared.checkpoint(&weight));
            prepared.finish((x_state, weight_state, stride, padding), output)
        }
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    };
    Some(Tensor::from_primitive::<Autodiff<Flex>>(output))
}

#[derive(Debug)]
struct Depthwise;

impl Backward<Flex, 2> for Depthwise {
    type State = (NodeId, NodeId, usize, Padding);

    fn backward(self, ops: Ops<Self::State, 2>, gradients: &mut Gradients, checkpointer: &mut Checkpointer) {
        let [node_x, node_weight] = ops.parents;
        let gradient = dense(gradients.consume::<Flex>(&ops.node));
        let (x_state, weight_state, stride, padding) = ops.state;
        let x = dense(checkpointer.retrieve_node_output::<FloatTensor<Flex>>(x_state));
        let weight = dense(checkpointer.retrieve_node_output::<FloatTensor<Flex>>(weight_state));
        let geometry = Geometry::new(&x, &weight, &gradient, stride, padding);
        if let Some(node) = node_x {
            gradients.register::<Flex>(node.id, geometry.by_input(&weight, &gradient));
        }
        if let Some(node) = node_weight {
            gradients.register::<Flex>(node.id, geometry.by_weight(&x, &gradient));
        }
    }
}

/// Sizes of one convolution.
struct Geometry {
    batch: usize,
    channels: usize,
    input: [usize; 2],
    output: [usize; 2],
    kernel: usize,
    stride: usize,
    /// Padding above and to the left.
    before: [usize; 2],
}

impl Geometry {
    fn new(
        x: &FloatTensor<Flex>,
        weight: &FloatTensor<Flex>,
        gradient: &FloatTensor<Flex>,
        stride: usize,
        padding: Padding,
    ) -> Self {
        let [batch, channels, height, width] = x.shape().dims();
        let [_, _, out_height, out_width] = gradient.shape().dims();
        let [_, _, kernel, _] = weight.shape().dims();
        let before = padding.map(|(before, _)| before);
        Self { batch, channels, input: [height, width], output: [out_height, out_width], kernel, stride, before }
    }

    /// The outputs along `axis` that see an input through tap `tap`, and the input the first of them sees.
    fn seen(&self, axis: usize, tap: usize) -> (Range<usize>, usize) {
        let (pad, stride) = (self.before[axis], self.stride);
        let first = pad.saturating_sub(tap).div_ceil(stride);
        let end = (self.input[axis] + pad).saturating_sub(tap).div_ceil(stride).min(self.output[axis]);
        if first >= end {
            return (0..0, 0);
        }
        (first..end, first * stride + tap - pad)
    }

    /// For every tap with its rows of output and input: `visit(tap, output row, input row, columns, first input column)`.
    #[inline(always)]
    fn for_each_row(&self, mut visit: impl FnMut(usize, usize, usize, Range<usize>, usize)) {
        for ky in 0..self.kernel {
            let (rows, first_row) = self.seen(0, ky);
            for kx in 0..self.kernel {
                let (columns, first_column) = self.seen(1, kx);
                for (step, row) in rows.clone().enumerate() {
                    visit(ky * self.kernel + kx, row, first_row + step * self.stride, columns.clone(), first_column);
                }
            }
        }
    }

    fn by_input(&self, weight: &FloatTensor<Flex>, gradient: &FloatTensor<Flex>) -> FloatTensor<Flex> {
        let (weights, g): (&[f32], &[f32]) = (weight.storage(), gradient.storage());
        let [[height, width], [out_height, out_width]] = [self.input, self.output];
        let (taps, out_size) = (self.kernel * self.kernel, out_height * out_width);
        let values = filled(
            self.batch * self.channels,
            height * width,
            #[inline(always)]
            |index, by_x| {
                let taps = &weights[index % self.channels * taps..][..taps];
                let g = &g[index * out_size..][..out_size];
                self.for_each_row(
                    #[inline(always)]
                    |tap, out_row, row, columns, first| {
                        let g = &g[out_row * out_width..][columns];
                        let by_x = &mut by_x[row * width + first..(row + 1) * width];
                        match self.stride {
                            1 => by_x.iter_mut().zip(g).for_each(|(by_x, g)| *by_x += taps[tap] * g),
                            stride => {
                                by_x.iter_mut().step_by(stride).zip(g).for_each(|(by_x, g)| *by_x += taps[tap] * g)
                            }
                        }
                    },
                );
            },
        );
        from_values(TensorData::new(values, [self.batch, self.channels, height, width]))
    }

    fn by_weight(&self, x: &FloatTensor<Flex>, gradient: &FloatTensor<Flex>) -> FloatTensor<Flex> {
        let (x, g): (&[f32], &[f32]) = (x.storage(), gradient.storage());
        let [[height, width], [out_height, out_width]] = [self.input, self.output];
        let (taps, size, out_size) = (self.kernel * self.kernel, height * width, out_height * out_width);
        let of_channels = map_channels(
            self.channels,
            #[inline(always)]
            |channel| {
                let mut sums = vec![0f64; taps];
                let mut spread = Vec::new();
                for sample in 0..self.batch {
                    let index = sample * self.channels + channel;
                    let (x, g) = (&x[index * size..][..size], &g[index * out_size..][..out_size]);
                    self.for_each_row(
                        #[inline(always)]
                        |tap, out_row, row, columns, first| {
                            let g = &g[out_row * out_width..][columns];
                            let x = &x[row * width + first..(row + 1) * width];
                            sums[tap] += f64::from(match self.stride {
                                1 => dot(&x[..g.len()], g),
                                stride => {
                                    spread.clear();
                                    spread.extend(x.iter().step_by(stride).take(g.len()));
                                    dot(&spread, g)
                                }
                            });
                        },
                    );
                }
                sums
            },
        );
        let values: Vec<f32> = of_channels.into_iter().flatten().map(|sum| sum as f32).collect();
        from_values(TensorData::new(values, [self.channels, 1, self.kernel, self.kernel]))
    }
}
