use burn::tensor::Tensor;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;

/// Padding in front of and behind the rows, and of the columns.
pub(crate) type Padding = [(usize, usize); 2];

/// Depthwise convolution without bias: every channel is filtered by a kernel of its own.
///
/// # Shapes
///
/// `x` `[B, C, H, W]`, `weight` `[C, 1, k, k]`; `stride` is the same in both directions.
pub fn depthwise_conv2d(x: Tensor<4>, weight: Tensor<4>, stride: usize, padding: Padding) -> Tensor<4> {
    #[cfg(feature = "cpu")]
    if let Some(output) = super::depthwise_cpu::forward(&x, &weight, stride, padding) {
        return output;
    }
    let channels = x.dims()[1];
    conv2d(x, weight, None, ConvOptions::new_with_padding([stride, stride], padding, [1, 1], channels))
}
