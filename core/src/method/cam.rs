//! The CAM methods, CAM-Avg, CAM-Max, CAM-LSE and WILDCAT: class maps by a 1×1 convolution, pooled to class scores
//! (`spec` §5.0). They differ in their [`Pooling`](crate::pooling::Pooling), where formulas and sources stand.
//!
//! Cross-entropy on the pooled scores is all that trains; the maps, before softmax and with their bias, are
//! interpolated to the image, and a pixel belongs to the class whose map is highest there.

use burn::module::Module;
use burn::tensor::{Int, Tensor};

use super::{Batch, Decision, Learning, Method, Objective, Reading};
use crate::backbone::Backbone;
use crate::head::{CamHead, ClassMaps};
use crate::loss::{Term, cross_entropy};

/// Cross-entropy of class scores, the one term of a classifier that learns from labels alone.
pub(super) fn classification(scores: Tensor<2>, labels: Tensor<1, Int>, objective: Objective<'_>) -> Learning {
    let weight = objective.loss.full_weight;
    let terms = if weight > 0.0 { vec![(Term::Full, cross_entropy(scores.clone(), labels) * weight)] } else { vec![] };
    Learning { terms, scores: Some(scores) }
}

/// Class maps of which every pixel belongs to the highest.
pub(super) fn highest_map(ClassMaps { maps, scores }: ClassMaps) -> Reading {
    Reading { scores: Some(scores), background: None, maps, decision: Decision::Argmax, align_corners: true }
}

/// A classifier whose class maps are its masks.
#[derive(Module, Debug)]
pub struct Cam {
    /// Feature extractor.
    pub backbone: Backbone,
    /// Head.
    pub head: CamHead,
}

impl Method for Cam {
    fn learn(&self, batch: Batch<'_>, objective: Objective<'_>) -> Learning {
        classification(self.head.of_images(&self.backbone, batch.images).scores, batch.labels, objective)
    }

    fn read(&self, image: Tensor<4>, _: f64) -> Reading {
        highest_map(self.head.of_images(&self.backbone, image))
    }
}
