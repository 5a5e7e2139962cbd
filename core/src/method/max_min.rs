//! Max-min uncertainty, the paper's method, as a method among the others (`spec` §1, §2). The network stands in
//! [`model`](crate::model), its losses in [`loss`](crate::loss); EEM and SEM differ in
//! [`LossConfig::background`](crate::config::LossConfig::background).

use burn::tensor::{Int, Tensor};

use super::{Batch, Decision, Learning, Method, Objective, Reading};
use crate::backbone::FeatureExtractor;
use crate::config::{BackgroundTerm, BarrierKind, BarrierOn, LossConfig};
use crate::loss::{Term, Terms, background, barrier, cross_entropy, empty_normal};
use crate::model::{MaxMin, MaxMinOutput};

impl<B: FeatureExtractor> Method for MaxMin<B> {
    fn learn(&self, batch: Batch<'_>, Objective { loss, sigma, t, normal }: Objective<'_>) -> Learning {
        let output = self.forward_in_training(batch.images, sigma, loss.background_gradient(), batch.tissue);
        let terms = loss.terms(&output, &batch.labels, batch.label_values, t, normal);
        Learning { terms, scores: Some(output.class_scores()) }
    }

    fn read(&self, image: Tensor<4>, sigma: f64) -> Reading {
        let output = self.forward(image, sigma);
        let maps = output.mask();
        Reading {
            scores: Some(output.class_scores()),
            background: output.regions.map(|scores| scores.background),
            maps,
            decision: Decision::Soft,
            align_corners: self.align_corners(),
        }
    }
}

impl LossConfig {
    /// What the gradient of the background term is multiplied by on its way from X⁻ to the mask.
    pub(crate) fn background_gradient(&self) -> f64 {
        if self.background == BackgroundTerm::Reversal { -self.reversal } else { 1.0 }
    }

    /// Max-min's terms for one batch.
    ///
    /// `labels` is `[B]` and `label_values` the same on the host, which decides what the Camelyon16 terms select;
    /// `t` is the barrier's parameter in this epoch ([`LossConfig::t_at`]), `normal` the class without foreground.
    #[must_use]
    pub fn terms(
        &self,
        output: &MaxMinOutput,
        labels: &Tensor<1, Int>,
        label_values: &[usize],
        t: f64,
        normal: Option<usize>,
    ) -> Terms {
        let entropy = |scores: &Tensor<2>| cross_entropy(scores.clone(), labels.clone());
        let of_kind = |wanted: bool| -> Vec<i32> {
            let chosen = label_values.iter().enumerate().filter(|&(_, &label)| (Some(label) == normal) == wanted);
            chosen.map(|(index, _)| index as i32).collect()
        };
        let mut terms = Terms::new();
        if self.full_weight > 0.0 {
            terms.push((Term::Full, entropy(&output.scores) * self.full_weight));
        }
        if let Some(scores) = &output.regions {
            if self.foreground_weight > 0.0 {
                terms.push((Term::Foreground, entropy(&scores.foreground) * self.foreground_weight));
            }
            if self.background != BackgroundTerm::None && self.background_weight > 0.0 {
                let term = match self.background {
                    BackgroundTerm::Reversal => entropy(&scores.background),
                    certainty => background(scores.background.clone(), certainty, self.background_log),
                };
                terms.push((Term::Background, term * self.background_weight));
            }
        }
        terms.extend(self.barrier_term(output, &of_kind(false), t).map(|term| (Term::Barrier, term)));
        let normal = of_kind(true);
        if self.normal_empty_weight > 0.0 && !normal.is_empty() {
            let maps = output.raw_map().select(0, indices(&normal, &output.map));
            terms.push((Term::EmptyNormal, empty_normal(maps) * self.normal_empty_weight));
        }
        terms
    }

    fn barrier_term(&self, output: &MaxMinOutput, abnormal: &[i32], t: f64) -> Option<Tensor<1>> {
        if self.barrier == BarrierKind::None {
            return None;
        }
        match self.barrier_on {
            BarrierOn::BothRegions => {
                let sizes = output.sizes.clone();
                let both = barrier(sizes.foreground, self.barrier, t) + barrier(sizes.background, self.barrier, t);
                Some(both.mean())
            }
            BarrierOn::AbnormalForeground => {
                if abnormal.is_empty() {
                    return None;
                }
                let sizes = output.sizes.foreground.clone().select(0, indices(abnormal, &output.map));
                Some(barrier(sizes, self.barrier, t).mean())
            }
        }
    }
}

/// The chosen samples of a batch, on the device of `beside`.
fn indices(samples: &[i32], beside: &Tensor<4>) -> Tensor<1, Int> {
    Tensor::from_ints(samples, &beside.device())
}
