use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::module::batch_norm_train;

/// What follows a batch normalisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    Identity,
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
}

impl Activation {
    /// The activation of a tensor, in burn's operations.
    ///
    /// Not `clamp(0, 6)`: that lets the gradient pass at exactly 0, where ReLU's is 0.
    pub fn forward(self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Identity => x,
            Self::Relu => relu(x),
            Self::Relu6 => relu(x).clamp_max(6.0),
        }
    }

    /// The open interval in which the gradient passes.
    #[cfg(feature = "cpu")]
    pub(super) fn open(self) -> [f32; 2] {
        match self {
            Self::Identity => [f32::NEG_INFINITY, f32::INFINITY],
            Self::Relu => [0.0, f32::INFINITY],
            Self::Relu6 => [0.0, 6.0],
        }
    }
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

/// Batch normalisation in training, with the activation that follows it: one operation on the CPU backend.
///
/// # Shapes
///
/// `x` `[B, C, H, W]`, `weight` and `bias` `[C]`.
pub fn batch_norm_act(
    x: Tensor<4>,
    weight: Tensor<1>,
    bias: Tensor<1>,
    epsilon: f64,
    activation: Activation,
) -> Normalised {
    #[cfg(feature = "cpu")]
    if let Some(normalised) = super::batch_norm_cpu::forward(&x, &weight, &bias, epsilon, activation) {
        return normalised;
    }
    let normalised = batch_norm_train(x, weight, bias, epsilon);
    Normalised { output: activation.forward(normalised.output), mean: normalised.mean, variance: normalised.variance }
}
