use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::Tensor;

use super::highest::mean_of_highest;
use crate::config::{PoolingConfig, PoolingFormula};

/// How many positions enter a mean, before the map's size is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Positions {
    /// A share of all positions in `[0, 1]`, rounded half to even.
    Share(f64),
    /// That many, at most all.
    Count(usize),
}

impl Positions {
    /// The number of positions among `n`.
    #[must_use]
    pub fn among(self, n: usize) -> usize {
        match self {
            Self::Share(share) if share >= 1.0 => n,
            Self::Share(share) => (share * n as f64).round_ties_even() as usize,
            Self::Count(count) => count.min(n),
        }
    }
}

/// WILDCAT spatial pooling: mean of the highest activations, optionally with the lowest (Durand et al., CVPR 2017;
/// `spec` §1.3, §5.4): `score_c = top-k mean + alpha * bottom-k mean`.
#[derive(Clone, Debug)]
pub struct WildcatPooling {
    /// Positions averaged at the top.
    pub top: Positions,
    /// Positions averaged at the bottom.
    pub bottom: Positions,
    /// Weight of the bottom mean.
    pub alpha: f64,
    /// Which published formula.
    pub formula: PoolingFormula,
    dropout: Dropout,
}

impl WildcatPooling {
    /// Pooling with explicit positions and no dropout.
    #[must_use]
    pub fn new(top: Positions, bottom: Positions, alpha: f64, formula: PoolingFormula) -> Self {
        Self { top, bottom, alpha, formula, dropout: DropoutConfig::new(0.0).init() }
    }

    /// Scores from class activation maps.
    ///
    /// Dropout acts on the sorted activations and only while training (on an autodiff device). A pooling that
    /// averages no position at the top still takes the highest one, so that tiny maps have a score.
    ///
    /// # Shapes
    ///
    /// `[B, C, h, w]` to `[B, C]`.
    pub fn forward(&self, class_maps: Tensor<4>) -> Tensor<2> {
        let [_, _, height, width] = class_maps.dims();
        let n = height * width;
        let flat: Tensor<3> = class_maps.flatten(2, 3);
        let (top, bottom) = (self.top.among(n).max(1), self.bottom.among(n));

        let highest = mean_of_highest(flat.clone(), top, &self.dropout);
        if bottom == 0 || self.formula == PoolingFormula::Released {
            return highest;
        }
        let lowest = -mean_of_highest(-flat, bottom, &self.dropout);
        let sum = highest + lowest * self.alpha;
        if self.formula == PoolingFormula::Wildcat { sum / 2.0 } else { sum }
    }
}

impl From<&PoolingConfig> for WildcatPooling {
    fn from(config: &PoolingConfig) -> Self {
        let mut pooling =
            Self::new(Positions::Share(config.kmax), Positions::Share(config.kmin), config.alpha, config.formula);
        pooling.dropout = DropoutConfig::new(config.dropout).init();
        pooling
    }
}
