//! Batch normalisation in training, the shortcut added to it and the activation behind, in one operation.
//!
//! A channel is read from memory once: what comes after its statistics finds it in the processor's cache.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::autodiff::{Autodiff, NodeId};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Flex, TensorMetadata as _};
use burn::tensor::{Tensor, TensorData};

use super::planes::{change_channels, sum, sum2};
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

fn standardise(input: &FloatTensor<Flex>, shortcut: Option<&[f32]>, scale: &Scale) -> (FloatTensor<Flex>, Statistics) {
    let shape = input.shape();
    let [batch, channels, height, width] = shape.dims();
    let size = height * width;
    let x: &[f32] = input.storage();
    let at = |sample: usize, channel: usize| (sample * channels + channel) * size;
    let count = (batch * size) as f64;
    let [low, high] = scale.activation.open();
    let mut output = vec![0.0; x.len()];
    let statistics = change_channels(
        vec![&mut output],
        [channels, size],
        #[inline(always)]
        |channel, output| {
            let planes = || (0..batch).map(|sample| &x[at(sample, channel)..][..size]);
            let mean = (planes()
                .map(
                    #[inline(always)]
                    |plane| sum(plane, |x| x),
                )
                .sum::<f64>()
                / count) as f32;
            let squares = planes()
                .map(
                    #[inline(always)]
                    |plane| sum(plane, |x| (x - mean) * (x - mean)),
                )
                .sum::<f64>();
            let variance = (squares / count) as f32;
            let gain = scale.weight[channel] * inverse_std(variance, scale.epsilon);
            let shift = scale.bias[channel] - mean * gain;
            for (sample, output) in output[0].iter_mut().enumerate() {
                let from = at(sample, channel);
                let values = output.iter_mut().zip(&x[from..][..size]);
                match shortcut {
                    None => values.for_each(|(y, x)| *y = (x * gain + shift).clamp(low, high)),
                    Some(shortcut) => values
                        .zip(&shortcut[from..][..size])
                        .for_each(|((y, x), shortcut)| *y = (x * gain + shift + shortcut).clamp(low, high)),
                }
            }
            (mean, variance)
        },
    );
    let (mean, variance) = statistics.into_iter().unzip();
    (from_values(TensorData::new(output, shape)), Statistics { mean, variance })
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

/// By input, weight, bias and shortcut.
fn differentiate(
    input: &FloatTensor<Flex>,
    shortcut: Option<&FloatTensor<Flex>>,
    mut gradient: FloatTensor<Flex>,
    scale: &Scale,
    statistics: &Statistics,
) -> [Option<FloatTensor<Flex>>; 4] {
    let shape = input.shape();
    let [batch, channels, height, width] = shape.dims();
    let size = height * width;
    let x: &[f32] = input.storage();
    let added: Option<&[f32]> = shortcut.map(FloatTensor::<Flex>::storage);
    let at = |sample: usize, channel: usize| (sample * channels + channel) * size;
    let [low, high] = scale.activation.open();
    let count = (batch * size) as f64;
    // a product rather than a branch, which would keep the loops from being vectorised
    let passed = |g: f32, y: f32| g * f32::from(u8::from((y > low) & (y < high)));
    // with a shortcut, what the activation lets through is its gradient; without, nobody's, and the input's takes its place
    let mut by_x = if shortcut.is_some() { vec![0.0; x.len()] } else { Vec::new() };
    let mut buffers = vec![gradient.storage_mut::<f32>()];
    if shortcut.is_some() {
        buffers.push(&mut by_x);
    }
    let sums = change_channels(
        buffers,
        [channels, size],
        #[inline(always)]
        |channel, buffers| {
            let (mean, inverse) = (statistics.mean[channel], inverse_std(statistics.variance[channel], scale.epsilon));
            let (weight, bias) = (scale.weight[channel], scale.bias[channel]);
            let mut sums = [0.0; 2];
            for (sample, g) in buffers[0].iter_mut().enumerate() {
                let from = at(sample, channel);
                let x = &x[from..][..size];
                match added {
                    None => {
                        for (g, x) in g.iter_mut().zip(x) {
                            *g = passed(*g, (x - mean) * inverse * weight + bias);
                        }
                    }
                    Some(added) => {
                        for ((g, x), added) in g.iter_mut().zip(x).zip(&added[from..][..size]) {
                            *g = passed(*g, (x - mean) * inverse * weight + bias + added);
                        }
                    }
                }
                let [of_g, of_g_hat] = sum2(g, x, |g, x| [g, g * ((x - mean) * inverse)]);
                sums[0] += of_g;
                sums[1] += of_g_hat;
            }
            let [mean_g, mean_g_hat] = sums.map(|sum| (sum / count) as f32);
            let by_x = |g: f32, x: f32| weight * inverse * (g - mean_g - (x - mean) * inverse * mean_g_hat);
            let (of_gradient, others) = buffers.split_at_mut(1);
            for (sample, g) in of_gradient[0].iter_mut().enumerate() {
                let x = &x[at(sample, channel)..][..size];
                match others.first_mut() {
                    None => g.iter_mut().zip(x).for_each(|(g, x)| *g = by_x(*g, *x)),
                    Some(to) => {
                        to[sample].iter_mut().zip(&**g).zip(x).for_each(|((to, g), x)| *to = by_x(*g, *x));
                    }
                }
            }
            sums
        },
    );
    let of_channel = |part: usize| {
        let values: Vec<f32> = sums.iter().map(|sums| sums[part] as f32).collect();
        Some(from_values(TensorData::new(values, [channels])))
    };
    let (by_x, by_shortcut) = match shortcut {
        None => (gradient, None),
        Some(_) => (from_values(TensorData::new(by_x, shape)), Some(gradient)),
    };
    [Some(by_x), of_channel(1), of_channel(0), by_shortcut]
}
