//! Max-min uncertainty, the paper's method, as a method among the others (`spec` §1, §2). The network stands in
//! [`model`](crate::model), its losses in [`loss`](crate::loss); EEM and SEM differ in
//! [`LossConfig::background`](crate::config::LossConfig::background).

use burn::tensor::Tensor;

use super::{Batch, Decision, Learning, Method, Objective, Reading};
use crate::backbone::FeatureExtractor;
use crate::model::MaxMin;

impl<B: FeatureExtractor> Method for MaxMin<B> {
    fn learn(&self, batch: Batch<'_>, Objective { loss, sigma, t }: Objective<'_>) -> Learning {
        let output = self.forward(batch.images, sigma);
        let terms = loss.terms(&output, &batch.labels, batch.label_values, t);
        let named = terms.named().map(|(name, term)| (name, term.clone())).collect();
        Learning { terms: named, scores: Some(output.class_scores()) }
    }

    fn read(&self, image: Tensor<4>, sigma: f64) -> Reading {
        let output = self.forward(image, sigma);
        Reading {
            scores: Some(output.class_scores()),
            background: output.regions.map(|scores| scores.background),
            maps: output.mask,
            decision: Decision::Soft,
            align_corners: self.align_corners(),
        }
    }
}
