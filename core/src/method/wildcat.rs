//! WILDCAT: several maps a class, averaged, then the mean of the highest and of the lowest activations (Durand et al.,
//! CVPR 2017; `spec` §5.4).
//!
//! `score_c = top-k mean + alpha * bottom-k mean`; the baseline has four maps a class, k+ = k- = 0.1 of the positions,
//! alpha 0.6 and no dropout. The formula stands in [`WildcatPooling`].

use burn::tensor::Device;

use super::{Cam, CamHead, Pooling};
use crate::backbone::{Backbone, FeatureExtractor as _};
use crate::config::PoolingConfig;
use crate::pooling::WildcatPooling;

/// The network with a random head.
pub(super) fn init(backbone: Backbone, classes: usize, config: &PoolingConfig, device: &Device) -> Cam {
    let pooling = Pooling::Wildcat(WildcatPooling::from(config));
    let head = CamHead::with_modalities(backbone.features(), classes, config.modalities, pooling, device);
    Cam { backbone, head }
}
