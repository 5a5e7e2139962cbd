//! The 1×1 head on top of the shared features.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::{Device, Tensor};

use crate::backbone::FeatureExtractor;
use crate::config::PoolingConfig;
use crate::kernel::pointwise_conv;
use crate::pooling::{Pooling, class_wise};

/// Class activation maps by a 1×1 convolution, their class-wise mean over modalities, and a spatial pooling to class
/// scores (`spec` §1.3, §5.0).
#[derive(Module, Debug)]
pub struct CamHead {
    /// `features → classes * modalities`.
    pub conv: Conv2d,
    modalities: usize,
    #[module(skip)]
    pooling: Pooling,
}

/// What a head makes of features.
#[derive(Clone, Debug)]
pub struct ClassMaps {
    /// Class activation maps, `[B, C, h, w]`.
    pub maps: Tensor<4>,
    /// Class scores (logits), `[B, C]`.
    pub scores: Tensor<2>,
}

impl CamHead {
    /// One map a class, with bias, under `pooling`; burn's (and PyTorch's) default initialisation.
    #[must_use]
    pub fn new(features: usize, classes: usize, pooling: Pooling, device: &Device) -> Self {
        Self { conv: Conv2dConfig::new([features, classes], [1, 1]).init(device), modalities: 1, pooling }
    }

    /// Several maps a class, with bias, under WILDCAT pooling.
    #[must_use]
    pub fn wildcat(features: usize, classes: usize, config: &PoolingConfig, device: &Device) -> Self {
        let conv = Conv2dConfig::new([features, classes * config.modalities], [1, 1]).init(device);
        Self { conv, modalities: config.modalities, pooling: Pooling::Wildcat(config.into()) }
    }

    /// One map a class without bias, under the global average.
    #[must_use]
    pub fn without_bias(features: usize, classes: usize, device: &Device) -> Self {
        let conv = Conv2dConfig::new([features, classes], [1, 1]).with_bias(false).init(device);
        Self { conv, modalities: 1, pooling: Pooling::Average }
    }

    /// How many classes it has maps of.
    pub(crate) fn classes(&self) -> usize {
        self.conv.weight.dims()[0] / self.modalities.max(1)
    }

    /// Class activation maps: `[B, features, h, w]` to `[B, classes, h, w]`.
    pub fn class_maps(&self, features: Tensor<4>) -> Tensor<4> {
        class_wise(pointwise_conv(&self.conv, features), self.modalities)
    }

    /// Class scores (logits) of class activation maps: `[B, classes, h, w]` to `[B, classes]`.
    pub fn scores(&self, class_maps: Tensor<4>) -> Tensor<2> {
        self.pooling.forward(class_maps)
    }

    /// Maps and scores of features `[B, features, h, w]`.
    pub fn forward(&self, features: Tensor<4>) -> ClassMaps {
        let maps = self.class_maps(features);
        ClassMaps { scores: self.scores(maps.clone()), maps }
    }

    /// Maps and scores of images `[B, 3, H, W]` seen through a backbone.
    pub fn of_images(&self, backbone: &impl FeatureExtractor, images: Tensor<4>) -> ClassMaps {
        self.forward(backbone.forward(images, 1))
    }
}
