//! Convolution over all channels, with a gradient.
//!
//! All three are [`histomask_shaders::blocked`]'s, by the kernels of a network in use.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::autodiff::{Autodiff, NodeId};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Flex, TensorMetadata as _};
use burn::tensor::{Tensor, TensorData};
use histomask_shaders::{ConvParams, blocked};

use crate::kernel::cpu_tensor::{autodiff_primitive, dense, from_values};
use crate::kernel::geometry::{Padding, conv_params};

/// The operation, or `None` on any other device and where padding is wider than the gradient's kernels take.
pub(in crate::kernel) fn forward(
    x: &Tensor<4>,
    weight: &Tensor<4>,
    stride: usize,
    padding: Padding,
) -> Option<Tensor<4>> {
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
    let [outputs, inputs, kernel, width] = *weight;
    // `by_input` convolves with kernels of ceil(k / stride), which reach back that many positions but one
    let reaches = |before: usize| before.div_ceil(stride) < kernel.div_ceil(stride);
    let fits = |(side, (before, after)): (&usize, (usize, usize))| {
        before < kernel && reaches(before) && side + before + after >= kernel
    };
    let usable = stride > 0 && inputs == x[1] && kernel == width && x[2..].iter().zip(padding).all(fits);
    usable.then(|| conv_params(*x, outputs, kernel, stride, padding))
}

fn convolve(params: &ConvParams, x: &FloatTensor<Flex>, weight: &FloatTensor<Flex>) -> FloatTensor<Flex> {
    let shape = [params.batch, params.outputs, params.height, params.width].map(|side| side as usize);
    let mut output = vec![0.0; shape.iter().product()];
    blocked::convolve(params, x.storage(), weight.storage(), &mut output);
    from_values(TensorData::new(output, shape))
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
            let values = blocked::by_input(&params, weight.storage(), gradient.storage());
            gradients.register::<Flex>(node.id, from_values(TensorData::new(values, x.shape())));
        }
        if let Some(node) = node_weight {
            let values = blocked::by_weight(&params, x.storage(), gradient.storage());
            gradients.register::<Flex>(node.id, from_values(TensorData::new(values, weight.shape())));
        }
    }
}
