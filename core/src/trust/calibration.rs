//! Whether a class named with 90 % is right for 90 % of images (Guo et al., "On Calibration of Modern Neural
//! Networks", ICML 2017).

use serde::{Deserialize, Serialize};

/// Probabilities below this are what f32 softmax rounds away; their logarithm stays finite.
const SMALLEST: f64 = 1e-12;

/// Range searched for the temperature.
const TEMPERATURES: [f64; 2] = [0.05, 20.0];

/// Images whose confidence lies in one interval `(lower, upper]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// Lower end of the interval.
    pub lower: f64,
    /// Upper end of the interval.
    pub upper: f64,
    /// Images in it.
    pub images: usize,
    /// Their mean confidence, `conf(B)`; `None` without images.
    pub confidence: Option<f64>,
    /// Their share of right classes, `acc(B)`; `None` without images.
    pub accuracy: Option<f64>,
}

/// The reliability diagram: `bins` intervals of equal width over `[0, 1]`, a confidence of 0 in the first.
/// `confidences` are posteriors of the predicted classes.
#[must_use]
pub fn reliability(confidences: &[f64], right: &[bool], bins: usize) -> Vec<ReliabilityBin> {
    let bins = bins.max(1);
    let bin_of = |confidence: f64| ((confidence * bins as f64).ceil() as usize).clamp(1, bins) - 1;
    let mut sums = vec![(0usize, 0.0, 0usize); bins];
    for (&confidence, &right) in confidences.iter().zip(right) {
        let (images, sum, hits) = &mut sums[bin_of(confidence)];
        *images += 1;
        *sum += confidence;
        *hits += usize::from(right);
    }
    let bin = |(index, (images, sum, hits)): (usize, (usize, f64, usize))| ReliabilityBin {
        lower: index as f64 / bins as f64,
        upper: (index + 1) as f64 / bins as f64,
        images,
        confidence: (images > 0).then(|| sum / images as f64),
        accuracy: (images > 0).then(|| hits as f64 / images as f64),
    };
    sums.into_iter().enumerate().map(bin).collect()
}

/// Expected calibration error in `[0, 1]`, `Σ |B| / n · |acc(B) - conf(B)|` (Guo et al., Eq. 3); `None` without images.
#[must_use]
pub fn expected_calibration_error(bins: &[ReliabilityBin]) -> Option<f64> {
    let images: usize = bins.iter().map(|bin| bin.images).sum();
    let gap = |bin: &ReliabilityBin| Some(bin.images as f64 * (bin.accuracy? - bin.confidence?).abs());
    (images > 0).then(|| bins.iter().filter_map(gap).sum::<f64>() / images as f64)
}

/// A posterior at temperature `T`: `softmax(z / T)`, where the logits `z` are `ln p` but for a constant (Guo et al.,
/// Eq. 9). The order of the classes stays.
#[must_use]
pub fn tempered(posterior: &[f64], temperature: f64) -> Vec<f64> {
    let scaled: Vec<f64> = posterior.iter().map(|p| p.max(SMALLEST).ln() / temperature).collect();
    let most = scaled.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = scaled.iter().map(|z| (z - most).exp()).sum();
    scaled.iter().map(|z| (z - most).exp() / sum).collect()
}

/// Mean negative log-likelihood of the labels in nats at a temperature; `None` without images.
#[must_use]
pub fn negative_log_likelihood(posteriors: &[Vec<f64>], labels: &[usize], temperature: f64) -> Option<f64> {
    let of = |(posterior, &label): (&Vec<f64>, &usize)| {
        -tempered(posterior, temperature).get(label).copied().unwrap_or(0.0).max(SMALLEST).ln()
    };
    let images = posteriors.len().min(labels.len());
    (images > 0).then(|| posteriors.iter().zip(labels).map(of).sum::<f64>() / images as f64)
}

/// The temperature of least negative log-likelihood, in `[0.05, 20]`; `None` without images.
///
/// The likelihood is convex in `1 / T`, so it has one minimum over `ln T`, which golden-section search encloses. Where
/// every class is right (or every one wrong) the minimum lies at an end of the range: more images are needed then.
#[must_use]
pub fn fit_temperature(posteriors: &[Vec<f64>], labels: &[usize]) -> Option<f64> {
    let loss = |log: f64| negative_log_likelihood(posteriors, labels, log.exp());
    let shrink = (5f64.sqrt() - 1.0) / 2.0;
    let [mut low, mut high] = TEMPERATURES.map(f64::ln);
    let inner = |low: f64, high: f64| (high - shrink * (high - low), low + shrink * (high - low));
    let (mut left, mut right) = inner(low, high);
    let (mut at_left, mut at_right) = (loss(left)?, loss(right)?);
    while high - low > 1e-6 {
        if at_left <= at_right {
            (high, right, at_right) = (right, left, at_left);
            left = inner(low, high).0;
            at_left = loss(left)?;
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = inner(low, high).1;
            at_right = loss(right)?;
        }
    }
    Some(((low + high) / 2.0).exp())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
    use super::*;

    #[test]
    fn the_error_is_the_mean_gap_of_the_bins() {
        let bins = reliability(&[0.95, 0.85, 0.55, 0.6], &[true, false, true, true], 5);
        assert_eq!(bins.iter().map(|bin| bin.images).collect::<Vec<_>>(), [0, 0, 2, 0, 2]);
        // bin 3: conf 0.575, acc 1; bin 5: conf 0.9, acc 0.5; each half of the images
        let expected = 0.5 * 0.425 + 0.5 * 0.4;
        assert!((expected_calibration_error(&bins).unwrap() - expected).abs() < 1e-12);
        assert_eq!(reliability(&[0.0, 1.0], &[false, true], 10)[9].images, 1);
        assert_eq!(expected_calibration_error(&reliability(&[], &[], 10)), None);
    }

    #[test]
    fn a_temperature_divides_the_logits() {
        let p = tempered(&[0.9, 0.1], 2.0);
        // odds of 9 become odds of 3
        assert!((p[0] - 0.75).abs() < 1e-12 && (p[1] - 0.25).abs() < 1e-12);
        assert!((negative_log_likelihood(&[vec![0.9, 0.1]], &[0], 2.0).unwrap() + 0.75f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn the_fitted_temperature_makes_confidence_the_share_of_right_ones() {
        // always 0.9 sure and right 3 times of 4: odds 9 must become 3
        let posteriors = vec![vec![0.9, 0.1]; 4];
        assert!((fit_temperature(&posteriors, &[0, 0, 0, 1]).unwrap() - 2.0).abs() < 1e-4);
        // never wrong: as cold as allowed
        assert!((fit_temperature(&posteriors, &[0, 0, 0, 0]).unwrap() - TEMPERATURES[0]).abs() < 1e-3);
        assert_eq!(fit_temperature(&[], &[]), None);
    }
}
