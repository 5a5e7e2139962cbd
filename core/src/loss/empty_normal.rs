use burn::tensor::Tensor;
use burn::tensor::activation::softplus;

/// Binary cross-entropy of `sigmoid(map)` against zero, mean over pixels: no foreground on normal images
/// (released Camelyon16 code, `spec` §2.3).
///
/// # Shapes
///
/// Raw maps `[B, 1, H, W]`, result `[1]`.
pub fn empty_normal(raw_maps: Tensor<4>) -> Tensor<1> {
    softplus(raw_maps, 1.0).mean()
}
