//! Operations on pictures as burn's backends see them. None has a gradient.

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, backend_extension};
use burn::tensor::Shape;
use histomask_shaders::{MaskStatsMergeParams, MaskStatsParams, NormalizeParams, OverlayParams};

use crate::kernel::chunks::chunks;

#[backend_extension(Flex: cfg(feature = "cpu"), Cube: cfg(feature = "wgsl"), Fusion: cfg(feature = "gpu"))]
pub(crate) trait PictureOps: Backend {
    /// `[h, w]` to `[1, 3, H, W]`.
    #[fusion(dtype = { let _ = pixels; burn::tensor::DType::F32 }, shape = input_shape(params))]
    fn normalize(pixels: IntTensor<Self>, params: NormalizeParams) -> FloatTensor<Self>;

    /// `[B, 1, H, W]` and `[B, H * W]` to `[B, 6]`.
    #[fusion(dtype = truth, shape = Shape::new([masks[0], STATS]))]
    fn mask_stats(masks: FloatTensor<Self>, truth: IntTensor<Self>, threshold: f32) -> IntTensor<Self>;

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

/// Words of one mask's statistics.
pub(super) const STATS: usize = 6;

pub(super) fn stats_params(
    [batch, height, width]: [usize; 3],
    threshold: f32,
) -> (MaskStatsParams, MaskStatsMergeParams) {
    let (batch, chunks) = (batch as u32, chunks(height * width) as u32);
    let pixels = (height * width) as u32;
    (MaskStatsParams { batch, pixels, chunks, threshold }, MaskStatsMergeParams { batch, chunks })
}

pub(super) fn input_shape(params: &NormalizeParams) -> Shape {
    Shape::new([1, 3, params.height as usize, params.width as usize])
}

pub(super) fn painted_shape(params: &OverlayParams) -> Shape {
    Shape::new([params.height as usize, params.row_stride as usize])
}
