//! Convolution over all channels, with a gradient.

#[cfg(feature = "cpu")]
mod by_input;
#[cfg(feature = "cpu")]
mod by_weight;
#[cfg(feature = "cpu")]
mod cpu;
#[cfg(feature = "cpu")]
mod packed;

use burn::tensor::Tensor;
use burn::tensor::ops::ConvOptions;

use super::depthwise::Padding;

/// Convolution without bias over all channels, with a square kernel.
///
/// # Shapes
///
/// `x` `[B, I, h, w]`, `weight` `[O, I, k, k]`; `stride` is the same in both directions.
pub fn conv2d(x: Tensor<4>, weight: Tensor<4>, stride: usize, padding: Padding) -> Tensor<4> {
    #[cfg(feature = "cpu")]
    if let Some(output) = cpu::forward(&x, &weight, stride, padding) {
        return output;
    }
    burn::tensor::module::conv2d(x, weight, None, ConvOptions::new_with_padding([stride, stride], padding, [1, 1], 1))
}
