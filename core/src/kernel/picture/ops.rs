//! Operations on pictures as burn's backends see them. None has a gradient.

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, backend_extension};
use burn::tensor::Shape;
use histomask_shaders::{ModelInputParams, OverlayParams};

#[backend_extension(Flex: cfg(feature = "cpu"), Cube: cfg(feature = "wgsl"), Fusion: cfg(feature = "gpu"))]
pub(crate) trait PictureOps: Backend {
    /// `[h, w]` to `[1, 3, H, W]`.
    #[fusion(dtype = { let _ = pixels; burn::tensor::DType::F32 }, shape = input_shape(params))]
    fn model_input(pixels: IntTensor<Self>, params: ModelInputParams) -> FloatTensor<Self>;

    /// `[H, W]`, `[H, W]`, `[H, W]` or `[1, 1]`, `[256]` to `[H, row_stride]`.
    #[fusion(dtype = image, shape = painted_shape(params))]
    fn overlay(
        image: IntTensor<Self>,
        mask: FloatTensor<Self>,
        truth: IntTensor<Self>,
        colors: IntTensor<Self>,
        params: OverlayParams,
    ) -> IntTensor<Self>;
}

pub(super) fn input_shape(params: &ModelInputParams) -> Shape {
    Shape::new([1, 3, params.height as usize, params.width as usize])
}

pub(super) fn painted_shape(params: &OverlayParams) -> Shape {
    Shape::new([params.height as usize, params.row_stride as usize])
}
