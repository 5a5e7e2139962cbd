//! The training objective: Eq. 7 and the localizer's cross-entropy (`spec` §2).

mod background;
mod cross_entropy;
mod empty_normal;
mod size_barrier;

use burn::tensor::{Int, Tensor};

pub use background::background;
pub use cross_entropy::cross_entropy;
pub use empty_normal::empty_normal;
pub use size_barrier::{RegionSizes, barrier, region_sizes};

use crate::config::{BackgroundTerm, BarrierKind, BarrierOn, LossConfig};
use crate::model::MaxMinOutput;

/// The terms of the loss, each a `[1]` tensor already weighted; absent where it is switched off.
#[derive(Debug)]
pub struct LossTerms {
    /// Cross-entropy of the localizer on the full image.
    pub full: Option<Tensor<1>>,
    /// Cross-entropy of the classifier on the foreground, Eq. 3.
    pub foreground: Option<Tensor<1>>,
    /// Uncertainty on the background, Eq. 8 or 9.
    pub background: Option<Tensor<1>>,
    /// Size barrier, Eq. 7.
    pub barrier: Option<Tensor<1>>,
    /// Empty masks on normal images (released Camelyon16).
    pub empty_normal: Option<Tensor<1>>,
}

impl LossConfig {
    /// All terms for one batch.
    ///
    /// `labels` is `[B]` and `label_values` the same on the host, which decides what the Camelyon16 terms select;
    /// `t` is the barrier's parameter in this epoch ([`LossConfig::t_at`]).
    #[must_use]
    pub fn terms(&self, output: &MaxMinOutput, labels: &Tensor<1, Int>, label_values: &[usize], t: f64) -> LossTerms {
        let regions = output.regions.as_ref();
        let weighted = |weight: f64, scores: Option<&Tensor<2>>| {
            scores.filter(|_| weight > 0.0).map(|scores| cross_entropy(scores.clone(), labels.clone()) * weight)
        };
        let normal = |wanted: bool| -> Vec<i32> {
            let chosen = label_values.iter().enumerate().filter(|&(_, &label)| (label == self.normal_class) == wanted);
            chosen.map(|(index, _)| index as i32).collect()
        };
        LossTerms {
            full: weighted(self.full_weight, Some(&output.scores)),
            foreground: weighted(self.foreground_weight, regions.map(|scores| &scores.foreground)),
            background: regions
                .filter(|_| self.background != BackgroundTerm::None && self.background_weight > 0.0)
                .map(|scores| {
                    background(scores.background.clone(), self.background, self.background_log) * self.background_weight
                }),
            barrier: self.barrier_term(output, &normal(false), t),
            empty_normal: (self.normal_empty_weight > 0.0)
                .then(|| normal(true))
                .filter(|normal| !normal.is_empty())
                .map(|normal| output.raw_map().select(0, indices(&normal, &output.map)))
                .map(|maps| empty_normal(maps) * self.normal_empty_weight),
        }
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

impl LossTerms {
    /// Names and values of the terms that are on, in the order of the equation.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, &Tensor<1>)> {
        let terms = [
            ("full", &self.full),
            ("foreground", &self.foreground),
            ("background", &self.background),
            ("barrier", &self.barrier),
            ("empty_normal", &self.empty_normal),
        ];
        terms.into_iter().filter_map(|(name, term)| term.as_ref().map(|term| (name, term)))
    }

    /// The sum of all terms; `None` if every term is off.
    #[must_use]
    pub fn total(&self) -> Option<Tensor<1>> {
        self.named().map(|(_, term)| term.clone()).reduce(|sum, term| sum + term)
    }
}
