//! PxAP: area under the pixel precision–recall curve, pooled over all pixels of all images (`spec` §11; the metric
//! of wsolevaluation, Choe et al. 2020). Independent of any threshold, and not comparable with F1+/F1-.

use super::edges::last_reached;
use super::error::{MetricError, check_mask};
use super::truth::Truth;

/// Thresholds are `k / BINS` for `k` in `0..=BINS`.
const BINS: usize = 1000;

/// PxAP from two histograms, of the foreground's and of the background's scores: O(pixels) time, constant memory,
/// and a result that does not depend on the order of the images.
///
/// A pixel with score `v` lies in bin `k` if `k / 1000 <= v < (k + 1) / 1000`; the score 1 has bin 1000 for itself.
/// At threshold `k / 1000` the bins from `k` up are foreground. With precision `P_k` and recall `R_k` there,
/// `PxAP = sum_k P_k (R_k - R_{k+1})` with `R_1001 = 0`: the step sum of the reference code, not a trapezoid.
#[derive(Clone, Debug)]
pub struct PxAp {
    foreground: Vec<u64>,
    background: Vec<u64>,
}

impl PxAp {
    /// No pixel seen yet.
    pub fn new() -> Self {
        Self { foreground: vec![0; BINS + 1], background: vec![0; BINS + 1] }
    }

    /// Adds one image `[H, W]`. `scores` are scaled by the caller, one map at a time, with [`min_max_scaled`];
    /// what lies outside `[0, 1]` counts as the nearer end.
    ///
    /// # Errors
    /// [`MetricError`] if the lengths differ, the image has no pixel, or `scores` holds NaN or an infinity.
    pub fn update<T: Truth>(&mut self, scores: &[f32], truth: &[T]) -> Result<(), MetricError> {
        check_mask(scores, truth)?;
        for (&score, &truth) in scores.iter().zip(truth) {
            let histogram = if truth.is_foreground() { &mut self.foreground } else { &mut self.background };
            histogram[bin(score)] += 1;
        }
        Ok(())
    }

    /// PxAP in percent; `None` if no foreground pixel was seen.
    pub fn compute(&self) -> Option<f64> {
        let total: u64 = self.foreground.iter().sum();
        let (mut true_positive, mut predicted, mut area) = (0, 0, 0.0);
        for (&hits, &misses) in self.foreground.iter().zip(&self.background).rev() {
            true_positive += hits;
            predicted += hits + misses;
            if hits > 0 {
                area += true_positive as f64 / predicted as f64 * hits as f64;
            }
        }
        (total > 0).then(|| 100.0 * area / total as f64)
    }
}

impl Default for PxAp {
    fn default() -> Self {
        Self::new()
    }
}

/// Scales one map to `[0, 1]` by its own minimum and maximum; a constant map becomes all zeros, as in the reference
/// code. What is not finite stays so or becomes NaN, which [`PxAp::update`] refuses.
pub fn min_max_scaled(map: &[f32]) -> Vec<f32> {
    let (min, max) = map.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(min, max), &v| (min.min(v), max.max(v)));
    // in f64, so that the span of any two f32 is finite
    let span = f64::from(max) - f64::from(min);
    map.iter()
        .map(|&v| match span {
            span if span > 0.0 => ((f64::from(v) - f64::from(min)) / span) as f32,
            _ if v.is_finite() => 0.0,
            _ => f32::NAN,
        })
        .collect()
}

/// The bin of a finite score, in `0..=BINS`.
fn bin(score: f32) -> usize {
    let score = f64::from(score).clamp(0.0, 1.0);
    last_reached((score * BINS as f64) as usize, BINS, |k| score >= k as f64 / BINS as f64)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
    use super::*;

    fn pxap(scores: &[f32], truth: &[u8]) -> Option<f64> {
        let mut metric = PxAp::new();
        metric.update(scores, truth).unwrap();
        metric.compute()
    }

    #[test]
    fn hand_made_curves() {
        assert_eq!(pxap(&[0.9, 0.8, 0.2, 0.1], &[1, 1, 0, 0]), Some(100.0));
        // precision 1, 1/2, 2/3, 1/2 at recall 1/2, 1/2, 1, 1
        let mixed = pxap(&[0.9, 0.8, 0.7, 0.1], &[1, 0, 1, 0]).unwrap();
        assert!((mixed - 100.0 * (0.5 + 0.5 * 2.0 / 3.0)).abs() < 1e-9);
        // several pixels in one bin: precision 2/3 and 3/5 at recall 2/3 and 1
        let shared = pxap(&[0.9, 0.9, 0.9, 0.2, 0.2], &[1, 1, 0, 1, 0]).unwrap();
        assert!((shared - 100.0 * (2.0 / 3.0 * 2.0 / 3.0 + 0.6 / 3.0)).abs() < 1e-9);
        // no information: the share of foreground
        assert_eq!(pxap(&[0.0; 4], &[1, 0, 0, 0]), Some(25.0));
        assert_eq!(pxap(&[0.5, 0.5], &[0, 0]), None);
    }

    #[test]
    fn images_are_pooled_in_any_order() {
        let images: [(&[f32], &[u8]); 2] = [(&[0.9, 0.3], &[1, 0]), (&[0.6, 0.4, 0.0], &[0, 1, 0])];
        let of = |order: [usize; 2]| {
            let mut metric = PxAp::new();
            for i in order {
                metric.update(images[i].0, images[i].1).unwrap();
            }
            metric.compute()
        };
        assert_eq!(of([0, 1]), of([1, 0]));
        assert_eq!(of([0, 1]), pxap(&[0.9, 0.3, 0.6, 0.4, 0.0], &[1, 0, 0, 1, 0]));
    }

    #[test]
    fn every_edge_opens_its_bin() {
        for k in 1..BINS {
            let edge = (k as f64 / BINS as f64) as f32;
            // the nearest f32 lies on either side of the edge
            let expected = if f64::from(edge) < k as f64 / BINS as f64 { k - 1 } else { k };
            assert_eq!(bin(edge), expected, "{edge}");
        }
        assert_eq!([bin(-0.1), bin(0.0), bin(1.0), bin(1.1), bin(1.0_f32.next_down())], [0, 0, 1000, 1000, 999]);
    }

    #[test]
    fn scaling_is_per_map() {
        assert_eq!(min_max_scaled(&[2.0, 4.0, 3.0]), [0.0, 1.0, 0.5]);
        assert_eq!(min_max_scaled(&[0.7, 0.7]), [0.0, 0.0]);
        assert_eq!(min_max_scaled(&[f32::MIN, 0.0, f32::MAX]), [0.0, 0.5, 1.0]);
        assert!(min_max_scaled(&[f32::NAN, 0.0, 1.0])[0].is_nan());
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert!(min_max_scaled(&[value; 3]).iter().all(|value| value.is_nan()), "{value} everywhere is no map");
        }
    }
}
