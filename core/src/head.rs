//! The 1×1 head on top of the shared features.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::{Device, Tensor};

use crate::config::PoolingConfig;
use crate::pooling::{WildcatPooling, class_wise};

/// A WILDCAT head: 1×1 convolution, class-wise mean, spatial pooling (`spec` §1.3).
#[derive(Module, Debug)]
pub struct WildcatHead {
    /// `features → classes * modalities`, with bias.
    pub conv: Conv2d,
    modalities: usize,
    #[module(skip)]
    pooling: WildcatPooling,
}

impl WildcatHead {
    /// A head of `classes` classes with burn's (and PyTorch's) default initialisation.
    #[must_use]
    pub fn new(features: usize, classes: usize, config: &PoolingConfig, device: &Device) -> Self {
        Self {
            conv: Conv2dConfig::new([features, classes * config.modalities], [1, 1]).init(device),
            modalities: config.modalities,
            pooling: WildcatPooling::from(config),
        }
    }

    /// Class activation maps: `[B, features, h, w]` to `[B, classes, h, w]`.
    pub fn class_maps(&self, features: Tensor<4>) -> Tensor<4> {
        class_wise(self.conv.forward(features), self.modalities)
    }

    /// Class scores (logits) of class activation maps: `[B, classes, h, w]` to `[B, classes]`.
    pub fn scores(&self, class_maps: Tensor<4>) -> Tensor<2> {
        self.pooling.forward(class_maps)
    }
}
