//! Batch normalisation in training and the activation behind it, in one operation.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::autodiff::{Autodiff, NodeId};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Flex, TensorMetadata as _};
use burn::tensor::{Tensor, TensorData};

use super::planes::{filled, map_channels, sum, sum2};
use crate::kernel::Activation;
use crate::kernel::cpu_tensor::{autodiff_primitive, dense, from_values, read};

/// The operation on the CPU backend's autodiff with the batch's mean and variance, or `None` elsewhere.
pub(in crate::kernel) fn forward(
    x: &Tensor<4>,
    weight: &Tensor<1>,
    bias: &Tensor<1>,
    epsilon: f64,
    activation: Activation,
) -> Option<(Tensor<4>, [Tensor<1>; 2])> {
    let (x, weight, bias) = (autodiff_primitive(x)?, autodiff_primitive(weight)?, autodiff_primitive(bias)?);
    let prepared = BatchNormAct.prepare::<NoCheckpointing>([x.node(), weight.node(), bias.node()]);
    let input = dense(x.primitive().clone());
    let scale = Scale { epsilon, activation, weight: read(weight.primitive()), bias: read(bias.primitive()) };
    let (output, statistics) = standardise(&input, &scale);
    let of_channel = |values: &[f32]| {
        let data = TensorData::new(values.to_vec(), [values.len()]);
        Tensor::from_primitive::<Autodiff<Flex>>(FloatTensor::<Autodiff<Flex>>::new(from_values(data)))
    };
    let moments = [of_channel(&statistics.mean), of_channel(&statistics.variance)];
    let output = match prepared.compute_bound().stateful() {
        OpsKind::Tracked(mut prepared) => {
            let x_state = prepared.checkpoint(&x);
            prepared.finish((x_state, scale, statistics), output)
        }
        OpsKind::UnTracked(prepared) => prepared.finish(output),
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

fn standardise(input: &FloatTensor<Flex>, scale: &Scale) -> (FloatTensor<Flex>, Statistics) {
    let shape = input.shape();
    let [batch, channels, height, width] = shape.dims();
    let size = height * width;
    let x: &[f32] = input.storage();
    let plane = |sample: usize, channel: usize| &x[(sample * channels + channel) * size..][..size];

    let count = (batch * size) as f64;
    let statistics = map_channels(
        channels,
        #[inline(always)]
        |channel| {
            let planes = || (0..batch).map(|sample| plane(sample, channel));
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
            (mean, (squares / count) as f32)
        },
    );
    let (mean, variance): (Vec<f32>, Vec<f32>) = statistics.into_iter().unzip();

    let [low, high] = scale.activation.open();
    let output = filled(
        batch * channels,
        size,
        #[inline(always)]
        |index, output| {
            let (sample, channel) = (index / channels, index % channels);
            let gain = scale.weight[channel] * inverse_std(variance[channel], scale.epsilon);
            let shift = scale.bias[channel] - mean[channel] * gain;
            for (y, x) in output.iter_mut().zip(plane(sample, channel)) {
                *y = (x * gain + shift).clamp(low, high);
            }
        },
    );
    (from_values(TensorData::new(output, shape)), Statistics { mean, variance })
}

fn inverse_std(variance: f32, epsilon: f64) -> f32 {
    (1.0 / (f64::from(variance) + epsilon).sqrt()) as f32
}

#[derive(Debug)]
struct BatchNormAct;

impl Backward<Flex, 3> for BatchNormAct {
    type State = (NodeId, Scale, Statistics);

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, checkpointer: &mut Checkpointer) {
        let [node_x, node_weight, node_bias] = ops.parents;
        let gradient = dense(gradients.consume::<Flex>(&ops.node));
        let (x_state, scale, statistics) = ops.state;
        let input = dense(checkpointer.retrieve_node_output::<FloatTensor<Flex>>(x_state));
        let (by_x, by_weight, by_bias) = differentiate(&input, &gradient, &scale, &statistics);
        for (node, gradient) in [(node_x, by_x), (node_weight, by_weight), (node_bias, by_bias)] {
            if let Some(node) = node {
                gradients.register::<Flex>(node.id, gradient);
            }
        }
    }
}

type Gradients3 = (FloatTensor<Flex>, FloatTensor<Flex>, FloatTensor<Flex>);

fn differentiate(
    input: &FloatTensor<Flex>,
    gradient: &FloatTensor<Flex>,
    scale: &Scale,
    statistics: &Statistics,
) -> Gradients3 {
    let shape = input.shape();
    let [batch, channels, height, width] = shape.dims();
    let size = height * width;
    let (x, g): (&[f32], &[f32]) = (input.storage(), gradient.storage());
    let at = |sample: usize, channel: usize| (sample * channels + channel) * size;
    let [low, high] = scale.activation.open();

    // what the activation lets through of a gradient at normalised value `hat`
    let passed = |g: f32, hat: f32, weight: f32, bias: f32| {
        let y = hat * weight + bias;
        // a product rather than a branch, which would keep the loop from being vectorised
        g * f32::from(u8::from((y > low) & (y < high)))
    };
    let constants = |channel: usize| {
        let inverse = inverse_std(statistics.variance[channel], scale.epsilon);
        (statistics.mean[channel], inverse, scale.weight[channel], scale.bias[channel])
    };
    let sums = map_channels(
        channels,
        #[inline(always)]
        |channel| {
            let (mean, inverse, weight, bias) = constants(channel);
            let mut sums = [0.0; 2];
            for sample in 0..batch {
                let at = at(sample, channel);
                let [of_g, of_g_hat] = sum2(&g[at..][..size], &x[at..][..size], |g, x| {
                    let hat = (x - mean) * inverse;
                    let g = passed(g, hat, weight, bias);
                    [g, g * hat]
                });
                sums[0] += of_g;
                sums[1] += of_g_hat;
            }
            sums
        },
    );

    let count = (batch * size) as f64;
    let by_x = filled(
        batch * channels,
        size,
        #[inline(always)]
        |index, by_x| {
            let (sample, channel) = (index / channels, index % channels);
            let (mean, inverse, weight, bias) = constants(channel);
            let [mean_g, mean_g_hat] = sums[channel].map(|sum| (sum / count) as f32);
            let at = at(sample, channel);
            for ((by_x, &x), &g) in by_x.iter_mut().zip(&x[at..][..size]).zip(&g[at..][..size]) {
                let hat = (x - mean) * inverse;
                *by_x = weight * inverse * (passed(g, hat, weight, bias) - mean_g - hat * mean_g_hat);
            }
        },
    );
    let of_channel = |part: usize| {
        let values: Vec<f32> = sums.iter().map(|sums| sums[part] as f32).collect();
        from_values(TensorData::new(values, [channels]))
    };
    (from_values(TensorData::new(by_x, shape)), of_channel(1), of_channel(0))
}
