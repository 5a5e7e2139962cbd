//! What the CAM methods share: class maps by a 1×1 convolution, pooled to class scores (`spec` §5.0).
//!
//! Cross-entropy on the pooled scores is all that trains; the maps, before softmax and with their bias, are
//! interpolated to the image, and a pixel belongs to the class whose map is highest there.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::{Device, Int, Tensor};

use super::{Batch, Decision, Learning, Method, Objective, Reading, average, log_sum_exp, maximum};
use crate::backbone::{Backbone, FeatureExtractor};
use crate::loss::cross_entropy;
use crate::pooling::{WildcatPooling, class_wise};

/// How a class map becomes a class score; each has its method's file.
#[derive(Clone, Debug)]
pub enum Pooling {
    /// CAM-Avg, Grad-CAM, ERASE.
    Average,
    /// CAM-Max.
    Max,
    /// CAM-LSE.
    LogSumExp,
    /// WILDCAT.
    Wildcat(WildcatPooling),
}

/// The 1×1 head: modality maps, their class-wise mean, a spatial pooling.
#[derive(Module, Debug)]
pub struct CamHead {
    /// `features → classes * modalities`.
    pub conv: Conv2d,
    modalities: usize,
    #[module(skip)]
    pooling: Pooling,
}

impl CamHead {
    /// One map a class, with bias, under `pooling`.
    #[must_use]
    pub fn new(features: usize, classes: usize, pooling: Pooling, device: &Device) -> Self {
        Self::with_modalities(features, classes, 1, pooling, device)
    }

    /// `modalities` maps a class, with bias, under `pooling`.
    #[must_use]
    pub fn with_modalities(
        features: usize,
        classes: usize,
        modalities: usize,
        pooling: Pooling,
        device: &Device,
    ) -> Self {
        let conv = Conv2dConfig::new([features, classes * modalities], [1, 1]).init(device);
        Self { conv, modalities, pooling }
    }

    /// One map a class without bias, under the global average.
    #[must_use]
    pub fn without_bias(features: usize, classes: usize, device: &Device) -> Self {
        let conv = Conv2dConfig::new([features, classes], [1, 1]).with_bias(false).init(device);
        Self { conv, modalities: 1, pooling: Pooling::Average }
    }

    /// Class maps, `[B, F, h, w]` to `[B, C, h, w]`.
    pub fn class_maps(&self, features: Tensor<4>) -> Tensor<4> {
        class_wise(self.conv.forward(features), self.modalities)
    }

    /// Class scores (logits), `[B, C, h, w]` to `[B, C]`.
    pub fn scores(&self, class_maps: Tensor<4>) -> Tensor<2> {
        match &self.pooling {
            Pooling::Average => average(class_maps),
            Pooling::Max => maximum(class_maps),
            Pooling::LogSumExp => log_sum_exp(class_maps, super::cam_lse::R),
            Pooling::Wildcat(pooling) => pooling.forward(class_maps),
        }
    }
}

/// Cross-entropy of class scores, the one term of a classifier that learns from labels alone.
pub(super) fn classification(scores: Tensor<2>, labels: Tensor<1, Int>, objective: Objective<'_>) -> Learning {
    let weight = objective.loss.full_weight;
    let terms = if weight > 0.0 { vec![("full", cross_entropy(scores.clone(), labels) * weight)] } else { vec![] };
    Learning { terms, scores: Some(scores) }
}

/// A classifier whose class maps are its masks: CAM-Avg, CAM-Max, CAM-LSE and WILDCAT.
#[derive(Module, Debug)]
pub struct Cam {
    /// Feature extractor.
    pub backbone: Backbone,
    /// Head.
    pub head: CamHead,
}

impl Method for Cam {
    fn learn(&self, batch: Batch<'_>, objective: Objective<'_>) -> Learning {
        let scores = self.head.scores(self.head.class_maps(self.backbone.forward(batch.images, 1)));
        classification(scores, batch.labels, objective)
    }

    fn read(&self, image: Tensor<4>, _: f64) -> Reading {
        let maps = self.head.class_maps(self.backbone.forward(image, 1));
        let scores = Some(self.head.scores(maps.clone()));
        Reading { scores, background: None, maps, decision: Decision::Argmax, align_corners: true }
    }
}
