//! Deep MIL: attention over positions, one a class (Ilse et al., ICML 2018; `spec` §5.6).
//!
//! `a_c = softmax_ij(w_c tanh(V f(i, j)))`, `z_c = sum_ij a_c(i, j) f(i, j)`, `score_c = u_c z_c + b_c`; cross-entropy.
//! Mask: attention of the class above 1 / (C h w), half of uniform attention for two classes.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};

use super::cam::classification;
use super::{Batch, Decision, Learning, Method, Objective, Reading};
use crate::backbone::{Backbone, FeatureExtractor};
use crate::kernel::pointwise_conv;

/// Width of the attention's hidden layer.
const HIDDEN: usize = 128;

/// Class-specific attention and one linear classifier a class.
#[derive(Module, Debug)]
pub struct AttentionHead {
    /// V, `F → hidden`.
    pub hidden: Conv2d,
    /// w, `hidden → C`.
    pub attention: Conv2d,
    /// u, one `F → 1` a class.
    pub classifiers: Vec<Linear>,
}

impl AttentionHead {
    /// A random head.
    #[must_use]
    pub fn new(features: usize, hidden: usize, classes: usize, device: &Device) -> Self {
        Self {
            hidden: Conv2dConfig::new([features, hidden], [1, 1]).init(device),
            attention: Conv2dConfig::new([hidden, classes], [1, 1]).init(device),
            classifiers: (0..classes).map(|_| LinearConfig::new(features, 1).init(device)).collect(),
        }
    }

    /// Attention, `[B, F, h, w]` to `[B, C, h, w]`; each class's map sums to 1.
    pub fn attention(&self, features: Tensor<4>) -> Tensor<4> {
        let [batch, _, height, width] = features.dims();
        let energy = pointwise_conv(&self.attention, pointwise_conv(&self.hidden, features).tanh());
        let classes = energy.dims()[1];
        softmax(energy.flatten::<3>(2, 3), 2).reshape([batch, classes, height, width])
    }

    /// Class scores (logits) `[B, C]` of features `[B, F, h, w]` under attention `[B, C, h, w]`.
    pub fn scores(&self, features: Tensor<4>, attention: Tensor<4>) -> Tensor<2> {
        // [B, C, hw] x [B, hw, F]
        let pooled = attention.flatten::<3>(2, 3).matmul(features.flatten::<3>(2, 3).swap_dims(1, 2));
        let scores = self.classifiers.iter().enumerate().map(|(class, linear)| {
            let of_class: Tensor<2> = pooled.clone().narrow(1, class, 1).flatten(0, 1);
            linear.forward(of_class)
        });
        Tensor::cat(scores.collect(), 1)
    }
}

/// Backbone and attention.
#[derive(Module, Debug)]
pub struct DeepMil {
    /// Feature extractor.
    pub backbone: Backbone,
    /// Head.
    pub head: AttentionHead,
}

impl DeepMil {
    /// The network with a random head.
    pub(super) fn new(backbone: Backbone, classes: usize, device: &Device) -> Self {
        let head = AttentionHead::new(backbone.features(), HIDDEN, classes, device);
        Self { backbone, head }
    }

    fn forward(&self, images: Tensor<4>) -> (Tensor<4>, Tensor<2>) {
        let features = self.backbone.forward(images, 1);
        let attention = self.head.attention(features.clone());
        let scores = self.head.scores(features, attention.clone());
        (attention, scores)
    }
}

impl Method for DeepMil {
    fn learn(&self, batch: Batch<'_>, objective: Objective<'_>) -> Learning {
        let (_, scores) = self.forward(batch.images);
        classification(scores, batch.labels, objective)
    }

    fn read(&self, image: Tensor<4>, _: f64) -> Reading {
        let (maps, scores) = self.forward(image);
        let decision = Decision::Above(1.0 / maps.shape().num_elements() as f32);
        Reading { scores: Some(scores), background: None, maps, decision, align_corners: true }
    }
}
