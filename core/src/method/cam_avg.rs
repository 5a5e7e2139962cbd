//! CAM-Avg: class activation maps under global average pooling (Zhou et al., CVPR 2016; `spec` §5.1).
//!
//! `score_c = 1/(hw) sum_ij map_c(i, j)`.

use burn::tensor::{Device, Tensor};

use super::{Cam, CamHead, Pooling};
use crate::backbone::{Backbone, FeatureExtractor as _};

/// The global average, `[B, C, h, w]` to `[B, C]`.
pub fn average(class_maps: Tensor<4>) -> Tensor<2> {
    let [batch, classes, _, _] = class_maps.dims();
    class_maps.flatten::<3>(2, 3).mean_dim(2).reshape([batch, classes])
}

/// The network with a random head.
pub(super) fn init(backbone: Backbone, classes: usize, device: &Device) -> Cam {
    let head = CamHead::new(backbone.features(), classes, Pooling::Average, device);
    Cam { backbone, head }
}
