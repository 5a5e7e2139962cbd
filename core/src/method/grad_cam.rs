//! Grad-CAM: feature maps weighted by the gradient of a class score (Selvaraju et al., ICCV 2017; `spec` §5.5).
//!
//! `alpha_k = 1/(hw) sum_ij d score_c / d A_k(i, j)`, `map_c = ReLU(sum_k alpha_k A_k)` at the last feature map A of a
//! network trained as CAM-Avg. There it equals `ReLU(map_c - bias_c) / (hw)`. The decision is that of the CAM methods;
//! where no class has a positive map they tie. Both the network and the rule are inferred: no code was published.

use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::cam::{classification, highest_map};
use super::{Batch, Learning, Method, Objective, Reading};
use crate::backbone::{Backbone, FeatureExtractor};
use crate::head::{CamHead, ClassMaps};
use crate::pooling::Pooling;

/// The network of CAM-Avg, read by its gradients; the two share their weights.
#[derive(Module, Debug)]
pub struct GradCam {
    /// Feature extractor.
    pub backbone: Backbone,
    /// CAM-Avg's head.
    pub head: CamHead,
}

impl GradCam {
    /// The network with a random head.
    pub(super) fn new(backbone: Backbone, classes: usize, device: &Device) -> Self {
        let head = CamHead::new(backbone.features(), classes, Pooling::Average, device);
        Self { backbone, head }
    }
}

/// One Grad-CAM a class by automatic differentiation of `score`, a function from features `[1, F, h, w]` to class
/// scores `[1, C]`, C being `classes`.
///
/// # Shapes
///
/// Features `[1, F, h, w]` without autodiff, result `[1, C, h, w]`.
pub fn grad_cam(features: Tensor<4>, classes: usize, score: impl Fn(Tensor<4>) -> Tensor<2>) -> Tensor<4> {
    let map = |class: usize| {
        // a graph of its own for each class: burn differentiates each once
        let watched = features.clone().autodiff().require_grad();
        let gradients = score(watched.clone()).narrow(1, class, 1).sum().backward();
        // features the score does not depend on have no gradient, hence no map
        let gradient = watched.grad(&gradients).unwrap_or_else(|| features.zeros_like());
        let alpha = gradient.mean_dim(3).mean_dim(2);
        relu((features.clone() * alpha).sum_dim(1))
    };
    Tensor::cat((0..classes).map(map).collect(), 1)
}

impl Method for GradCam {
    fn learn(&self, batch: Batch<'_>, objective: Objective<'_>) -> Learning {
        classification(self.head.of_images(&self.backbone, batch.images).scores, batch.labels, objective)
    }

    fn read(&self, image: Tensor<4>, _: f64) -> Reading {
        let features = self.backbone.forward(image, 1);
        let [_, _, height, width] = features.dims();
        let score = |features| self.head.forward(features).scores;
        // the factor hw brings the maps back to the scale of class maps; it changes no comparison
        let scores = score(features.clone());
        let maps = grad_cam(features, scores.dims()[1], score) * (height * width) as f64;
        highest_map(ClassMaps { maps, scores })
    }
}
