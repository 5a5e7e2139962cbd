//! CAM-Max: class maps under global max pooling (Oquab et al., CVPR 2015; `spec` §5.2).
//!
//! `score_c = max_ij map_c(i, j)`.

use burn::tensor::Tensor;

/// The global maximum, `[B, C, h, w]` to `[B, C]`.
pub fn maximum(class_maps: Tensor<4>) -> Tensor<2> {
    let [batch, classes, _, _] = class_maps.dims();
    class_maps.flatten::<3>(2, 3).max_dim(2).reshape([batch, classes])
}
