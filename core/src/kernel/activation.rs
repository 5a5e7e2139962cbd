use burn::tensor::Tensor;
use burn::tensor::activation::relu;

/// What follows a convolution and its batch normalisation.
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

    /// As the kernels' parameters have it.
    pub(super) fn number(self) -> u32 {
        match self {
            Self::Identity => 0,
            Self::Relu => 1,
            Self::Relu6 => 2,
        }
    }
}
