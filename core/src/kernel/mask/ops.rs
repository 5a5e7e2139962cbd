//! The mask's operations as burn's backends see them.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, backend_extension};
use burn::tensor::Shape;

use super::MaskSpec;

/// Operations without a gradient.
#[backend_extension(Flex: cfg(feature = "cpu"), Cube: cfg(feature = "wgsl"), Fusion: cfg(feature = "gpu"))]
pub(crate) trait MaskOps: Backend {
    /// `[B, 1, h, w]` to `[B, 1, H, W]`.
    #[fusion(dtype = coarse, shape = mask_shape(coarse, spec))]
    fn soft_mask(coarse: FloatTensor<Self>, spec: MaskSpec) -> FloatTensor<Self>;
}

/// The operation with a gradient, and its backward. One tensor is returned, so that autodiff needs one node.
#[backend_extension(Flex: cfg(feature = "cpu"), Cube: cfg(feature = "wgsl"), Autodiff, Fusion: cfg(feature = "gpu"))]
pub(crate) trait GradientOps: Backend {
    /// Maps `[B, 1, h, w]` and images `[B, 3, H, W]` to `[B, 6 H' W' + 1]`: X⁺, X⁻ and the foreground's size.
    #[fusion(dtype = images, shape = regions_shape(images, spec))]
    fn mask_regions(coarse: FloatTensor<Self>, images: FloatTensor<Self>, spec: MaskSpec) -> FloatTensor<Self>;

    /// The gradient of the maps, `[B, 1, h, w]`, from that of `mask_regions`' result.
    #[fusion(dtype = coarse, shape = coarse)]
    fn mask_regions_backward(
        coarse: FloatTensor<Self>,
        images: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        spec: MaskSpec,
    ) -> FloatTensor<Self>;
}

pub(super) fn mask_shape(coarse: &Shape, spec: &MaskSpec) -> Shape {
    Shape::new([coarse[0], 1, spec.size[0], spec.size[1]])
}

pub(super) fn regions_shape(images: &Shape, spec: &MaskSpec) -> Shape {
    Shape::new([images[0], 6 * spec.region[0] * spec.region[1] + 1])
}
