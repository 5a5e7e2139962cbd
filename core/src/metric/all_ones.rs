//! The bound that a mask has to beat: everything predicted as foreground (row "All-ones" of Tables 1 and 2).

use super::dice::ImageMean;
use super::{EmptyRule, Truth};

/// F1+ in `[0, 1]` of an all-ones mask on an image whose share of foreground is `fraction`, in `[0, 1]`:
/// Eq. 14 with recall 1 and precision p, `2p / (1 + p)`. Its F1- is 0.
pub fn all_ones_f1_plus(fraction: f64) -> f64 {
    2.0 * fraction / (1.0 + fraction)
}

/// Mean over a data set of [`all_ones_f1_plus`].
#[derive(Clone, Debug)]
pub struct AllOnes {
    rule: EmptyRule,
    mean: ImageMean,
}

impl AllOnes {
    /// `rule` says whether an image without foreground counts as 0 or not at all.
    pub fn new(rule: EmptyRule) -> Self {
        Self { rule, mean: ImageMean::default() }
    }

    /// Adds one image's true mask, `[H, W]`. One without pixels is passed over.
    pub fn update<T: Truth>(&mut self, truth: &[T]) {
        let foreground = truth.iter().filter(|pixel| pixel.is_foreground()).count();
        let scored = match self.rule {
            EmptyRule::Raw => !truth.is_empty(),
            EmptyRule::SkipEmpty => foreground > 0,
        };
        self.mean.update(scored.then(|| all_ones_f1_plus(foreground as f64 / truth.len() as f64)));
    }

    /// Mean F1+ in percent; `None` if no image was scored.
    pub fn compute(&self) -> Option<f64> {
        self.mean.percent()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
    use super::*;

    #[test]
    fn known_fractions() {
        // vectors `all_ones_lower_bound` and `glas_two_public_sample_masks`
        let mean = [0.2, 0.5, 1.0].map(all_ones_f1_plus).iter().sum::<f64>() / 3.0;
        assert!((100.0 * mean - 66.66666666666666).abs() < 1e-9);
        for (fraction, percent) in [(0.8589469781238414, 92.41220844187188), (0.3376321598698734, 50.4820637540172)] {
            assert!((100.0 * all_ones_f1_plus(fraction) - percent).abs() < 1e-9);
        }
    }

    #[test]
    fn normal_images_count_only_under_the_raw_rule() {
        let [raw, skip] = [EmptyRule::Raw, EmptyRule::SkipEmpty].map(|rule| {
            let mut bound = AllOnes::new(rule);
            bound.update(&[255u8, 0, 0, 0]);
            bound.update(&[0u8, 0, 0, 0]);
            bound.compute().unwrap()
        });
        assert!((raw - 20.0).abs() < 1e-9 && (skip - 40.0).abs() < 1e-9);
    }
}
