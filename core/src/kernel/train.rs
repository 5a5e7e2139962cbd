//! The operations of a training step whose gradient burn's CPU backend has in no fast form: there they are
//! `train_cpu`'s, on every other device burn's own. Tests compare the two.

use burn::tensor::Tensor;
use burn::tensor::module::{self, batch_norm_train};
use burn::tensor::ops::ConvOptions;

use super::Activation;
use super::geometry::Padding;
#[cfg(feature = "cpu")]
use super::train_cpu;

/// Convolution without bias over all channels, with a square kernel.
///
/// # Shapes
///
/// `x` `[B, I, h, w]`, `weight` `[O, I, k, k]`; `stride` is the same in both directions.
pub fn conv2d(x: Tensor<4>, weight: Tensor<4>, stride: usize, padding: Padding) -> Tensor<4> {
    #[cfg(feature = "cpu")]
    if let Some(output) = train_cpu::conv2d(&x, &weight, stride, padding) {
        return output;
    }
    module::conv2d(x, weight, None, ConvOptions::new_with_padding([stride, stride], padding, [1, 1], 1))
}

/// Depthwise convolution without bias: every channel is filtered by a kernel of its own.
///
/// # Shapes
///
/// `x` `[B, C, H, W]`, `weight` `[C, 1, k, k]`; `stride` is the same in both directions.
pub fn depthwise_conv2d(x: Tensor<4>, weight: Tensor<4>, stride: usize, padding: Padding) -> Tensor<4> {
    #[cfg(feature = "cpu")]
    if let Some(output) = train_cpu::depthwise_conv2d(&x, &weight, stride, padding) {
        return output;
    }
    let channels = x.dims()[1];
    module::conv2d(x, weight, None, ConvOptions::new_with_padding([stride, stride], padding, [1, 1], channels))
}

/// A batch normalised by its own statistics.
#[derive(Debug)]
pub struct Normalised {
    /// `[B, C, H, W]`, activated.
    pub output: Tensor<4>,
    /// Mean of each channel, `[C]`, without gradient.
    pub mean: Tensor<1>,
    /// Biased variance of each channel, `[C]`, without gradient.
    pub variance: Tensor<1>,
}

/// Batch normalisation in training, with the shortcut added to it, if there is one, and the activation that follows: one
/// operation on the CPU backend.
///
/// # Shapes
///
/// `x` and `shortcut` `[B, C, H, W]`, `weight` and `bias` `[C]`.
pub fn batch_norm_act(
    x: Tensor<4>,
    weight: Tensor<1>,
    bias: Tensor<1>,
    epsilon: f64,
    shortcut: Option<Tensor<4>>,
    activation: Activation,
) -> Normalised {
    #[cfg(feature = "cpu")]
    if let Some((output, [mean, variance])) =
        train_cpu::batch_norm_act(&x, &weight, &bias, epsilon, shortcut.as_ref(), activation)
    {
        return Normalised { output, mean, variance };
    }
    let normalised = batch_norm_train(x, weight, bias, epsilon);
    let output = match shortcut {
        Some(shortcut) => normalised.output + shortcut,
        None => normalised.output,
    };
    Normalised { output: activation.forward(output), mean: normalised.mean, variance: normalised.variance }
}
