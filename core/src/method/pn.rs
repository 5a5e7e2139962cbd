//! PN: size bounds from presence and non-presence of a class (Kervadec et al., Medical Image Analysis 2019;
//! `spec` §5.8).
//!
//! `V_c` is the sum over pixels of the softmax of the interpolated class maps. A class that is present has to have
//! `1 <= V_c <= |Omega|`, an absent one `V_c = 0`; outside, the penalty is the squared distance, divided by |Omega|,
//! mean over classes and images. Maps and scores come from a WILDCAT head as max-min's; the pooled scores' cross-entropy
//! has the weight [`LossConfig::full_weight`](crate::config::LossConfig::full_weight). The construction is inferred: no
//! code was published.

use burn::module::Module;
use burn::tensor::activation::{relu, softmax};
use burn::tensor::{Device, Int, Tensor};

use super::cam::{classification, highest_map};
use super::{Batch, Learning, Method, Objective, Reading};
use crate::backbone::{Backbone, FeatureExtractor};
use crate::config::PoolingConfig;
use crate::head::{CamHead, ClassMaps};
use crate::loss::Term;
use crate::resample::bilinear;

/// Backbone and WILDCAT head.
#[derive(Module, Debug)]
pub struct Pn {
    /// Feature extractor.
    pub backbone: Backbone,
    /// Head.
    pub head: CamHead,
}

impl Pn {
    /// The network with a random head.
    pub(super) fn new(backbone: Backbone, classes: usize, config: &PoolingConfig, device: &Device) -> Self {
        let head = CamHead::wildcat(backbone.features(), classes, config, device);
        Self { backbone, head }
    }
}

/// Squared distance of sizes to what is allowed, `[B, C]`: sizes are `[B, C]` in pixels, `present` is 1 where an image
/// has a class, else 0, and `pixels` is |Omega|.
pub fn size_penalty(sizes: Tensor<2>, present: Tensor<2>, pixels: usize) -> Tensor<2> {
    let too_small = relu(present.clone() - sizes.clone());
    let too_large = relu(sizes - present * pixels as f64);
    // one of the two is always 0
    (too_small + too_large).square()
}

/// 1 at the class of each image, `[B]` to `[B, C]`.
fn one_hot(labels: Tensor<1, Int>, classes: usize) -> Tensor<2> {
    labels.one_hot::<2>(classes).float()
}

impl Method for Pn {
    fn learn(&self, batch: Batch<'_>, objective: Objective<'_>) -> Learning {
        let [_, _, height, width] = batch.images.dims();
        let pixels = height * width;
        let ClassMaps { maps, scores } = self.head.of_images(&self.backbone, batch.images);
        let [images, classes, _, _] = maps.dims();
        let shares = softmax(bilinear(maps, [height, width], true), 1);
        let sizes = shares.flatten::<3>(2, 3).sum_dim(2).reshape([images, classes]);
        let penalty = size_penalty(sizes, one_hot(batch.labels.clone(), classes), pixels).mean() / pixels as f64;

        let mut learning = classification(scores, batch.labels, objective);
        let weight = objective.loss.size_penalty_weight;
        if weight > 0.0 {
            learning.terms.push((Term::SizePenalty, penalty * weight));
        }
        learning
    }

    fn read(&self, image: Tensor<4>, _: f64) -> Reading {
        highest_map(self.head.of_images(&self.backbone, image))
    }
}
