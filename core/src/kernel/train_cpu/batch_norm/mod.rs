//! Batch normalisation in training, the shortcut added to it and the activation behind, in one operation.
//!
//! A channel is read from memory once: what comes after its statistics finds it in the processor's cache.

mod by_all;
mod standardise;

use burn::backend::Flex;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::autodiff::{Autodiff, NodeId};
use burn::backend::tensor::FloatTensor;
use burn::tensor::{Tensor, TensorData};

use self::by_all::differentiate;
use self::standardise::standardise;
use crate::kernel::Activation;
use crate::kernel::cpu_tensor::{autodiff_primitive, dense, from_values, read};

/// The operation on the CPU backend's autodiff with the batch's mean and variance, or `None` elsewhere.
pub(in crate::kernel) fn forward(
    x: &Tensor<4>,
    weight: &Tensor<1>,
    bias: &Tensor<1>,
    epsilon: f64,
    shortcut: Option<&Tensor<4>>,
    activation: Activation,
) -> Option<(Tensor<4>, [Tensor<1>; 2])> {
    let (x, weight, bias) = (autodiff_primitive(x)?, autodiff_primitive(weight)?, autodiff_primitive(bias)?);
    let shortcut = match shortcut {
        Some(shortcut) => Some(autodiff_primitive(shortcut)?),
        None => None,
    };
    let input = dense(x.primitive().clone());
    let added = shortcut.as_ref().map(|shortcut| dense(shortcut.primitive().clone()));
    let scale = Scale { epsilon, activation, weight: read(weight.primitive()), bias: read(bias.primitive()) };
    let (output, statistics) = standardise(&input, added.as_ref().map(FloatTensor::<Flex>::storage), &scale);
    let of_channel = |values: &[f32]| {
        let data = TensorData::new(values.to_vec(), [values.len()]);
        Tensor::from_primitive::<Autodiff<Flex>>(FloatTensor::<Autodiff<Flex>>::new(from_values(data)))
    };
    let moments = [of_channel(&statistics.mean), of_channel(&statistics.variance)];
    let nodes = [x.node(), weight.node(), bias.node()];
    let output = match shortcut {
        None => match BatchNormAct.prepare::<NoCheckpointing>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut prepared) => {
                let states = (prepared.checkpoint(&x), None);
                prepared.finish((states, scale, statistics), output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        },
        Some(shortcut) => {
            let [x_node, weight_node, bias_node] = nodes;
            let nodes = [x_node, weight_node, bias_node, shortcut.node()];
            match BatchNormAct.prepare::<NoCheckpointing>(nodes).compute_bound().stateful() {
                OpsKind::Tracked(mut prepared) => {
                    let states = (prepared.checkpoint(&x), Some(prepared.checkpoint(&shortcut)));
                    prepared.finish((states, scale, statistics), output)
                }
                OpsKind::UnTracked(prepared) => prepared.finish(output),
            }
        }
    };
    Some((Tensor::from_primitive::<Autodiff<Flex>>(output), moments))
}

/// The affine part and what follows it.
#[derive(Clone, Debug)]
struct Scale {
    epsilon: f64,
    activation: Activation,
    weight: Vec<f32>,
    bias: Vec<f32>,
}

/// Statistics of every channel over the batch.
#[derive(Clone, Debug)]
struct Statistics {
    mean: Vec<f32>,
    variance: Vec<f32>,
}

fn inverse_std(variance: f32, epsilon: f64) -> f32 {
    (1.0 / (f64::from(variance) + epsilon).sqrt()) as f32
}

#[derive(Debug)]
struct BatchNormAct;

/// Nodes of input and shortcut, what is known of the operation.
type State = ((NodeId, Option<NodeId>), Scale, Statistics);

impl Backward<Flex, 3> for BatchNormAct {
    type State = State;

    fn backward(self, ops: Ops<State, 3>, gradients: &mut Gradients, checkpointer: &mut Checkpointer) {
        let [x, weight, bias] = ops.parents.map(|parent| parent.map(|node| node.id));
        let gradient = gradients.consume::<Flex>(&ops.node);
        register([x, weight, bias, None], gradient, ops.state, gradients, checkpointer);
    }
}

impl Backward<Flex, 4> for BatchNormAct {
    type State = State;

    fn backward(self, ops: Ops<State, 4>, gradients: &mut Gradients, checkpointer: &mut Checkpointer) {
        let parents = ops.parents.map(|parent| parent.map(|node| node.id));
        let gradient = gradients.consume::<Flex>(&ops.node);
        register(parents, gradient, ops.state, gradients, checkpointer);
    }
}

/// Gives each parent (input, weight, bias, shortcut) its gradient.
fn register(
    parents: [Option<NodeId>; 4],
    gradient: FloatTensor<Flex>,
    ((x, shortcut), scale, statistics): State,
    gradients: &mut Gradients,
    checkpointer: &mut Checkpointer,
) {
    let mut value = |node| dense(checkpointer.retrieve_node_output::<FloatTensor<Flex>>(node));
    let (input, shortcut) = (value(x), shortcut.map(value));
    let of_all = differentiate(&input, shortcut.as_ref(), dense(gradient), &scale, &statistics);
    for (parent, gradient) in parents.into_iter().zip(of_all) {
        if let (Some(parent), Some(gradient)) = (parent, gradient) {
            gradients.register::<Flex>(parent, gradient);
        }
    }
}
