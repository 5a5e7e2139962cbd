//! Convolutions as burn's backends see them. None has a gradient.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, backend_extension};
use burn::tensor::Shape;
use histomask_shaders::{ConvParams, DepthwiseParams, PointwiseParams};

#[backend_extension(Flex: cfg(feature = "cpu"), Cube: cfg(feature = "wgsl"), Fusion: cfg(feature = "gpu"))]
pub(crate) trait ConvOps: Backend {
    /// `[B, I, H, W]` to `[B, O, H, W]`.
    #[fusion(dtype = x, shape = pointwise_shape(x, params))]
    fn pointwise(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        params: PointwiseParams,
    ) -> FloatTensor<Self>;

    /// The same with a shortcut `[B, O, H, W]`.
    #[fusion(dtype = x, shape = pointwise_shape(x, params))]
    fn pointwise_add(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        shortcut: FloatTensor<Self>,
        params: PointwiseParams,
    ) -> FloatTensor<Self>;

    /// `[B, I, h, w]` to `[B, O, H, W]`.
    #[fusion(dtype = x, shape = conv_shape(params))]
    fn conv(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        params: ConvParams,
    ) -> FloatTensor<Self>;

    /// The same with a shortcut `[B, O, H, W]`.
    #[fusion(dtype = x, shape = conv_shape(params))]
    fn conv_add(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        shortcut: FloatTensor<Self>,
        params: ConvParams,
    ) -> FloatTensor<Self>;

    /// `[B, C, h, w]` to `[B, C, H, W]`.
    #[fusion(dtype = x, shape = depthwise_shape(params))]
    fn depthwise(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        params: DepthwiseParams,
    ) -> FloatTensor<Self>;
}

pub(super) fn pointwise_shape(x: &Shape, params: &PointwiseParams) -> Shape {
    Shape::new([x[0], params.outputs as usize, x[2], x[3]])
}

pub(super) fn conv_shape(params: &ConvParams) -> Shape {
    Shape::new([params.batch, params.outputs, params.height, params.width].map(|side| side as usize))
}

pub(super) fn depthwise_shape(params: &DepthwiseParams) -> Shape {
    let batch = params.planes / params.channels;
    Shape::new([batch, params.channels, params.height, params.width].map(|side| side as usize))
}
