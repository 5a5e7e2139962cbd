//! How much the scores owe to the threshold: F1+ and F1- at 0, 0.05, …, 1, averaged over images.

use serde::{Deserialize, Serialize};

use super::confusion::PixelCounts;
use super::dice::{EmptyRule, ImageMean, f1};
use super::edges::last_reached;
use super::error::{MetricError, check_mask};
use super::truth::Truth;

/// Thresholds are `k / STEPS` for `k` in `0..=STEPS`.
const STEPS: usize = 20;

/// One threshold of the curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThresholdPoint {
    /// Pixels at or above it are foreground; in `[0, 1]`.
    pub threshold: f32,
    /// Mean F1+ in percent; `None` if no image had a score.
    pub f1_plus: Option<f64>,
    /// Mean F1- in percent; `None` if no image had a score.
    pub f1_minus: Option<f64>,
}

/// The curve of a data set. Each image is read once, into a histogram with the thresholds as its edges.
#[derive(Clone, Debug)]
pub struct ThresholdCurve {
    rule: EmptyRule,
    means: [(ImageMean, ImageMean); STEPS + 1],
}

impl ThresholdCurve {
    /// No image seen yet.
    pub fn new(rule: EmptyRule) -> Self {
        Self { rule, means: Default::default() }
    }

    /// Adds one image `[H, W]`. Values of `soft` outside `[0, 1]` count as the nearer end, so that at threshold 0
    /// everything is foreground.
    ///
    /// # Errors
    /// [`MetricError`] if the lengths differ, the image has no pixel, or `soft` holds NaN or an infinity.
    pub fn update<T: Truth>(&mut self, soft: &[f32], truth: &[T]) -> Result<(), MetricError> {
        check_mask(soft, truth)?;
        let mut foreground = [0; STEPS + 1];
        let mut background = [0; STEPS + 1];
        for (&value, &truth) in soft.iter().zip(truth) {
            let histogram = if truth.is_foreground() { &mut foreground } else { &mut background };
            histogram[step(value)] += 1;
        }

        let mut counts = PixelCounts {
            false_negative: foreground.iter().sum(),
            true_negative: background.iter().sum(),
            ..PixelCounts::default()
        };
        // from the highest threshold down, each bin changes sides once
        for (k, (plus, minus)) in self.means.iter_mut().enumerate().rev() {
            counts.true_positive += foreground[k];
            counts.false_negative -= foreground[k];
            counts.false_positive += background[k];
            counts.true_negative -= background[k];
            plus.update(f1(counts, self.rule));
            minus.update(f1(counts.of_background(), self.rule));
        }
        Ok(())
    }

    /// The 21 points, thresholds ascending.
    pub fn compute(&self) -> Vec<ThresholdPoint> {
        let point = |(k, (plus, minus)): (usize, &(ImageMean, ImageMean))| ThresholdPoint {
            threshold: threshold(k),
            f1_plus: plus.percent(),
            f1_minus: minus.percent(),
        };
        self.means.iter().enumerate().map(point).collect()
    }
}

/// The f32 nearest to `k * 0.05`.
fn threshold(k: usize) -> f32 {
    k as f32 / STEPS as f32
}

/// The last threshold that `value` reaches, in `0..=STEPS`; `value` is finite.
fn step(value: f32) -> usize {
    let value = value.clamp(0.0, 1.0);
    last_reached((value * STEPS as f32) as usize, STEPS, |k| value >= threshold(k))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
    use super::*;

    /// Two small images with values on, just below and between thresholds.
    const SOFT: [[f32; 8]; 2] =
        [[0.9, 0.5, 0.6, 0.1, 0.49, 0.2, 0.15, 0.0], [0.05, 0.7, 0.35, 0.3, 1.0, 0.95, 0.8, 0.45]];
    const TRUTH: [[u8; 8]; 2] = [[1, 1, 0, 0, 1, 0, 0, 0], [0, 3, 0, 2, 1, 1, 0, 0]];

    #[test]
    fn the_curve_is_the_score_at_each_threshold() {
        let mut curve = ThresholdCurve::new(EmptyRule::Raw);
        for (soft, truth) in SOFT.iter().zip(&TRUTH) {
            curve.update(soft, truth).unwrap();
        }
        let points = curve.compute();
        assert_eq!(points.len(), 21);
        for point in points {
            let (mut plus, mut minus) = (ImageMean::default(), ImageMean::default());
            for (soft, truth) in SOFT.iter().zip(&TRUTH) {
                let counts = PixelCounts::of(soft, point.threshold, truth).unwrap();
                plus.update(f1(counts, EmptyRule::Raw));
                minus.update(f1(counts.of_background(), EmptyRule::Raw));
            }
            assert_eq!((point.f1_plus, point.f1_minus), (plus.percent(), minus.percent()), "at {}", point.threshold);
        }
    }

    #[test]
    fn every_threshold_reaches_itself() {
        for k in 0..=STEPS {
            assert_eq!(step(threshold(k)), k);
            if k > 0 {
                assert_eq!(step(threshold(k).next_down()), k - 1);
            }
        }
        assert_eq!([step(-3.0), step(7.0)], [0, STEPS]);
    }
}
