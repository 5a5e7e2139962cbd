//! CAM-Avg: class activation maps under global average pooling (Zhou et al., CVPR 2016; `spec` §5.1).
//!
//! `score_c = 1/(hw) sum_ij map_c(i, j)`.

use burn::tensor::Tensor;

/// The global average, `[B, C, h, w]` to `[B, C]`.
pub fn average(class_maps: Tensor<4>) -> Tensor<2> {
    let [batch, classes, _, _] = class_maps.dims();
    class_maps.flatten::<3>(2, 3).mean_dim(2).reshape([batch, classes])
}
