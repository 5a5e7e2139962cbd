//! The operation on the CPU backend's autodiff.
//!
//! The forward and the gradient by the input are the twins of the WGSL kernels; see [`by_weight`] for the other.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::autodiff::{Autodiff, NodeId};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Flex, TensorMetadata as _};
use burn::tensor::{Tensor, TensorData};
use histomask_shaders::{ConvParams, PointwiseParams, conv, pointwise};

use super::by_input::by_input;
use super::by_weight::by_weight;
use super::packed::packed;
use crate::kernel::cpu_tensor::{autodiff_primitive, dense, from_values};
use crate::kernel::depthwise::Padding;

/// The operation, or `None` on any other device and where padding is wider than the kernel.
pub(super) fn forward(x: &Tensor<4>, weight: &Tensor<4>, stride: usize, padding: Padding) -> Option<Tensor<4>> {
    let (x, weight) = (autodiff_primitive(x)?, autodiff_primitive(weight)?);
    let params = params(&x.primitive().shape().dims(), &weight.primitive().shape().dims(), stride, padding)?;
    let prepared = Convolution.prepare::<NoCheckpointing>([x.node(), weight.node()]);
    let output = convolve(&params, &dense(x.primitive().clone()), &dense(weight.primitive().clone()));
    let output = match prepared.compute_bound().stateful() {
        OpsKind::Tracked(mut prepared) => {
            let (x_state, weight_state) = (prepared.checkpoint(&x), prepared.checkpoint(&weight));
            prepared.finish((x_state, weight_state, params), output)
        }
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    };
    Some(Tensor::from_primitive::<Autodiff<Flex>>(output))
}

fn params(x: &[usize; 4], weight: &[usize; 4], stride: usize, padding: Padding) -> Option<ConvParams> {
    let ([batch, inputs, in_height, in_width], [outputs, of_weight, kernel, width]) = (*x, *weight);
    let padded = [in_height, in_width].into_iter().zip(padding).map(|(side, (before, after))| side + before + after);
    let usable = of_weight == inputs && kernel == width && stride > 0 && padding.iter().all(|(pad, _)| *pad < kernel);
    if !usable || padded.clone().any(|side| side < kernel) {
        return None;
    }
    let mut sides = padded.map(|side| ((side - kernel) / stride + 1) as u32);
    Some(ConvParams {
        batch: batch as u32,
        inputs: inputs as u32,
        in_height: in_height as u32,
        in_width: in_width as u32,
        outputs: outputs as u32,
        height: sides.next()?,
        width: sides.next()?,
        kernel: kernel as u32,
        stride: stride as u32,
        pad_top: padding[0].0 as u32,
        pad_left: padding[1].0 as u32,
        has_shortcut: 0,
        activation: 0,
    })
}

fn convolve(params: &ConvParams, x: &FloatTensor<Flex>, weight: &FloatTensor<Flex>) -> FloatTensor<Flex> {
    let (inputs, taps) = (params.inputs as usize, (params.kernel * params.kernel) as usize);
    let weight: &[f32] = weight.storage();
    let weight = packed(params.outputs as usize, taps, inputs, |o, tap, i| weight[(o * inputs + i) * taps + tap]);
    let shape = [params.batch, params.outputs, params.height, params.width].map(|side| side as usize);
    let mut output = vec![0.0; shape.iter().product()];
    run(params, x.storage(), &weight, &mut output);
    from_values(TensorData::new(output, shape))
}

/// Convolution of `x` with packed weights, by the kernel that suits it.
pub(super) fn run(params: &ConvParams, x: &[f32], weight: &[f32], output: &mut [f32]) {
    let bias = vec![0.0; params.outputs as usize];
    let same =
        [params.in_height, params.in_width, 0, 0] == [params.height, params.width, params.pad_top, params.pad_left];
    if !(params.kernel == 1 && params.stride == 1 && same) {
        return conv(params, x, weight, &bias, &[], output);
    }
    let params = PointwiseParams {
        batch: params.batch,
        inputs: params.inputs,
        outputs: params.outputs,
        pixels: params.height * params.width,
        has_shortcut: 0,
        activation: 0,
    };
    pointwise(&params, x, weight, &bias, &[], output);
}

#[derive(Debug)]
struct Convolution;

impl Backward<Flex, 2> for Convolution {
    type State = (NodeId, NodeId, ConvParams);

    fn backward(self, ops: Ops<Self::State, 2>, gradients: &mut Gradients, checkpointer: &mut Checkpointer) {
        let [node_x, node_weight] = ops.parents;
        let gradient = dense(gradients.consume::<Flex>(&ops.node));
        let (x_state, weight_state, params) = ops.state;
        let x = dense(checkpointer.retrieve_node_output::<FloatTensor<Flex>>(x_state));
        let weight = dense(checkpointer.retrieve_node_output::<FloatTensor<Flex>>(weight_state));
        if let Some(node) = node_x {
            let values = by_input(&params, weight.storage(), gradient.storage());
            gradients.register::<Flex>(node.id, from_values(TensorData::new(values, x.shape())));
        }
        if let Some(node) = node_weight {
            let values = by_weight(&params, x.storage(), gradient.storage());
            gradients.register::<Flex>(node.id, from_values(TensorData::new(values, weight.shape())));
        }
    }
}
