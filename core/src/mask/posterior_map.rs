use burn::tensor::Tensor;

/// The raw foreground map: class activation maps weighted by the localizer's posterior (`spec` §1.4).
///
/// Gradient flows through both factors.
///
/// # Shapes
///
/// `[B, C, h, w]` and `[B, C]` to `[B, 1, h, w]`.
pub fn posterior_map(class_maps: Tensor<4>, posterior: Tensor<2>) -> Tensor<4> {
    let [batch, classes] = posterior.dims();
    (class_maps * posterior.reshape([batch, classes, 1, 1])).sum_dim(1)
}
