//! A network in use: convolutions with bias, shortcut and activation in one operation, and without gradient, so that a
//! feature map is read and written once for each. For training see `train`.

#[cfg(feature = "cpu")]
mod flex;
mod ops;
#[cfg(feature = "wgsl")]
mod wgsl;

use burn::backend::Dispatch;
use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;
use histomask_shaders::{ConvParams, DepthwiseParams, PointwiseParams, TILE};

use self::ops::ConvOps;
use super::geometry::{Padding, conv_params, output_size};
use super::{Activation, limits};

/// Weights of [`pointwise`] and [`conv`] as the kernels read them: `[O, I, k, k]` to `[ceil(O / 8), k * k, I, 8]`, with
/// zeros beyond O.
pub fn pack(weight: Tensor<4>) -> Tensor<4> {
    let [outputs, inputs, kernel, _] = weight.dims();
    let tiles = outputs.div_ceil(TILE);
    let rest = tiles * TILE - outputs;
    let weight = match rest {
        0 => weight,
        _ => Tensor::cat(vec![weight.clone(), Tensor::zeros([rest, inputs, kernel, kernel], &weight.device())], 0),
    };
    let permuted = weight.reshape([tiles, TILE, inputs, kernel * kernel]).permute([0, 3, 2, 1]);
    // by way of one dimension, so that the values are moved once and not at every call
    permuted.reshape([-1]).reshape([tiles, kernel * kernel, inputs, TILE])
}

/// 1×1 convolution.
///
/// # Shapes
///
/// `x` `[B, I, H, W]`, `weight` from [`pack`], `bias` `[O]`, `shortcut` `[B, O, H, W]`, added before the activation.
pub fn pointwise(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Tensor<1>,
    shortcut: Option<Tensor<4>>,
    activation: Activation,
) -> Tensor<4> {
    let [batch, inputs, height, width] = x.dims();
    let params = PointwiseParams {
        batch: batch as u32,
        inputs: inputs as u32,
        outputs: bias.dims()[0] as u32,
        pixels: (height * width) as u32,
        has_shortcut: u32::from(shortcut.is_some()),
        activation: activation.number(),
    };
    let (x, weight, bias) = (x.into_dispatch(), weight.into_dispatch(), bias.into_dispatch());
    Tensor::from_dispatch(match shortcut {
        None => <Dispatch as ConvOps>::pointwise(x, weight, bias, params),
        Some(shortcut) => <Dispatch as ConvOps>::pointwise_add(x, weight, bias, shortcut.into_dispatch(), params),
    })
}

/// A 1×1 convolution of a head, with its bias if it has one. In use on a GPU it is [`pointwise`]: burn's tuner would try
/// many matrix products on it, some of which take seconds to compile.
///
/// # Shapes
///
/// `[B, I, H, W]` to `[B, O, H, W]`.
pub fn pointwise_conv(conv: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    let device = x.device();
    if device.is_autodiff() || limits(&device).is_none() {
        return conv.forward(x);
    }
    let weight = conv.weight.val();
    let bias = conv.bias.as_ref().map_or_else(|| Tensor::zeros([weight.dims()[0]], &device), |bias| bias.val());
    pointwise(x, pack(weight), bias, None, Activation::Identity)
}

/// Convolution with a square kernel over all channels.
///
/// # Shapes
///
/// `x` `[B, I, h, w]`, `weight` from [`pack`], `bias` `[O]`, `shortcut` `[B, O, H, W]`, added before the activation.
pub fn conv(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Tensor<1>,
    stride: usize,
    padding: Padding,
    shortcut: Option<Tensor<4>>,
    activation: Activation,
) -> Tensor<4> {
    let kernel = weight.dims()[1].isqrt();
    let params = ConvParams {
        has_shortcut: u32::from(shortcut.is_some()),
        activation: activation.number(),
        ..conv_params(x.dims(), bias.dims()[0], kernel, stride, padding)
    };
    let (x, weight, bias) = (x.into_dispatch(), weight.into_dispatch(), bias.into_dispatch());
    Tensor::from_dispatch(match shortcut {
        None => <Dispatch as ConvOps>::conv(x, weight, bias, params),
        Some(shortcut) => <Dispatch as ConvOps>::conv_add(x, weight, bias, shortcut.into_dispatch(), params),
    })
}

/// Rows of the output that one invocation of the depthwise kernel computes, about.
const ROWS: usize = 16;

/// Depthwise convolution with kernels of 3×3 or 5×5 and a stride of 1 or 2.
///
/// # Shapes
///
/// `x` `[B, C, h, w]`, `weight` `[C, 1, k, k]`, `bias` `[C]`.
pub fn depthwise(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Tensor<1>,
    stride: usize,
    padding: Padding,
    activation: Activation,
) -> Tensor<4> {
    let [batch, channels, in_height, in_width] = x.dims();
    let [height, width] = output_size([in_height, in_width], weight.dims()[2], stride, padding);
    let params = DepthwiseParams {
        planes: (batch * channels) as u32,
        channels: channels as u32,
        in_height: in_height as u32,
        in_width: in_width as u32,
        height: height as u32,
        width: width as u32,
        stride: stride as u32,
        pad_top: padding[0].0 as u32,
        pad_left: padding[1].0 as u32,
        rows: height.div_ceil(height.div_ceil(ROWS)) as u32,
        activation: activation.number(),
    };
    Tensor::from_dispatch(<Dispatch as ConvOps>::depthwise(
        x.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        params,
    ))
}
