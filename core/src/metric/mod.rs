//! Scores of masks and classes against the truth (`spec` §4, §11), on plain slices.
//!
//! Every metric of a data set is an accumulator: `update` once per image, `compute` at the end.
//! [`MaskEvaluator`] gathers all of them for masks, [`ClassConfusion`] counts classes.

mod all_ones;
mod confusion;
mod dice;
mod edges;
mod error;
mod pxap;
mod threshold_curve;
mod truth;

use serde::{Deserialize, Serialize};

pub use all_ones::{AllOnes, all_ones_f1_plus};
pub use confusion::{ClassConfusion, PixelCounts};
pub use dice::{EmptyRule, ImageMean, Overlap, f1, iou};
pub use error::MetricError;
pub use pxap::{PxAp, min_max_scaled};
pub use threshold_curve::{ThresholdCurve, ThresholdPoint};
pub use truth::Truth;

/// The scores of one image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PerImage {
    /// Pixels by prediction and truth.
    pub counts: PixelCounts,
    /// F1 and IoU of both regions, in `[0, 1]`.
    pub overlap: Overlap,
}

/// The scores of a data set. All are in percent; `None` where no image could be scored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MaskScores {
    /// Images seen.
    pub images: u64,
    /// Soft mask values at or above it were foreground, in `[0, 1]`.
    pub threshold: f32,
    /// How images without one of the regions counted.
    pub empty_masks: EmptyRule,
    /// F1+ (Eq. 14), mean over images.
    pub f1_plus: Option<f64>,
    /// F1- (Eq. 15), mean over images.
    pub f1_minus: Option<f64>,
    /// Intersection over union of the foreground, mean over images.
    pub iou_plus: Option<f64>,
    /// Intersection over union of the background, mean over images.
    pub iou_minus: Option<f64>,
    /// F1+ of a mask that is foreground everywhere, mean over the same images: what `f1_plus` has to beat.
    pub all_ones_f1_plus: Option<f64>,
    /// Area under the pooled pixel precision–recall curve, each map scaled to `[0, 1]` by itself.
    pub pxap: Option<f64>,
    /// Pixels pooled over images (a number of pixels, not percent).
    pub pixels: PixelCounts,
    /// The pooled pixels `[[TP, FP], [FN, TN]]` in percent of their true region (Figs. 5–6).
    pub pixel_confusion: [[Option<f64>; 2]; 2],
    /// F1+ and F1- at every threshold from 0 to 1 in steps of 0.05, mean over images.
    pub threshold_curve: Vec<ThresholdPoint>,
}

/// Collects the scores of a data set's masks, image by image.
#[derive(Clone, Debug)]
pub struct MaskEvaluator {
    threshold: f32,
    rule: EmptyRule,
    images: u64,
    f1_plus: ImageMean,
    f1_minus: ImageMean,
    iou_plus: ImageMean,
    iou_minus: ImageMean,
    all_ones: AllOnes,
    pxap: PxAp,
    pixels: PixelCounts,
    curve: ThresholdCurve,
}

impl MaskEvaluator {
    /// `threshold` in `[0, 1]`, 0.5 in the paper's experiments (`spec` D32); `rule` is `Raw` for GlaS and
    /// `SkipEmpty` for Camelyon16.
    pub fn new(threshold: f32, rule: EmptyRule) -> Self {
        Self {
            threshold,
            rule,
            images: 0,
            f1_plus: ImageMean::default(),
            f1_minus: ImageMean::default(),
            iou_plus: ImageMean::default(),
            iou_minus: ImageMean::default(),
            all_ones: AllOnes::new(rule),
            pxap: PxAp::new(),
            pixels: PixelCounts::default(),
            curve: ThresholdCurve::new(rule),
        }
    }

    /// Scores one image and adds it to the data set. `soft` is the mask in `[0, 1]`, `truth` the true mask, both
    /// `[H, W]` at the image's original size, row-major.
    ///
    /// # Errors
    /// [`MetricError`] if the lengths differ, the image has no pixel, or `soft` holds NaN or an infinity;
    /// the data set then stays as it was.
    pub fn update<T: Truth>(&mut self, soft: &[f32], truth: &[T]) -> Result<PerImage, MetricError> {
        // the first call checks the image, so the later ones cannot fail half-way
        let counts = PixelCounts::of(soft, self.threshold, truth)?;
        self.pxap.update(&min_max_scaled(soft), truth)?;
        self.curve.update(soft, truth)?;
        self.all_ones.update(truth);
        self.pixels += counts;
        self.images += 1;

        let overlap = Overlap::of(counts, self.rule);
        self.f1_plus.update(overlap.f1_plus);
        self.f1_minus.update(overlap.f1_minus);
        self.iou_plus.update(overlap.iou_plus);
        self.iou_minus.update(overlap.iou_minus);
        Ok(PerImage { counts, overlap })
    }

    /// The scores of the images seen so far.
    pub fn compute(&self) -> MaskScores {
        MaskScores {
            images: self.images,
            threshold: self.threshold,
            empty_masks: self.rule,
            f1_plus: self.f1_plus.percent(),
            f1_minus: self.f1_minus.percent(),
            iou_plus: self.iou_plus.percent(),
            iou_minus: self.iou_minus.percent(),
            all_ones_f1_plus: self.all_ones.compute(),
            pxap: self.pxap.compute(),
            pixels: self.pixels,
            pixel_confusion: self.pixels.column_percent(),
            threshold_curve: self.curve.compute(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
    use super::*;

    // vectors `eq14_eq15_f1`
    const SOFT: [[f32; 8]; 4] = [
        [0.9, 0.5, 0.6, 0.1, 0.49, 0.2, 0.1, 0.0],
        [0.1, 0.7, 0.2, 0.3, 0.1, 0.1, 0.1, 0.1],
        [0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.2],
        [0.1, 0.8, 0.8, 0.1, 0.1, 0.8, 0.3, 0.1],
    ];
    const TRUTH: [[u8; 8]; 4] = [[1, 1, 0, 0, 1, 0, 0, 0], [0; 8], [1; 8], [0, 1, 1, 0, 0, 1, 1, 0]];

    #[test]
    fn a_data_set_is_summed_up() {
        let mut evaluator = MaskEvaluator::new(0.5, EmptyRule::SkipEmpty);
        for (soft, truth) in SOFT.iter().zip(&TRUTH) {
            evaluator.update(soft, truth).unwrap();
        }
        let scores = evaluator.compute();
        assert_eq!(scores.images, 4);
        assert_eq!(scores.pixels.matrix(), [[12, 2], [3, 15]]);
        assert!((scores.f1_plus.unwrap() - 81.90476190476191).abs() < 1e-9);
        assert!((scores.f1_minus.unwrap() - 87.4074074074074).abs() < 1e-9);
        assert!((scores.pixel_confusion[0][1].unwrap() - 11.764705882352942).abs() < 1e-9);
        assert!((scores.iou_plus.unwrap() - 100.0 * (1.0 / 2.0 + 7.0 / 8.0 + 3.0 / 4.0) / 3.0).abs() < 1e-9);
        assert!((scores.iou_minus.unwrap() - 100.0 * (2.0 / 3.0 + 7.0 / 8.0 + 4.0 / 5.0) / 3.0).abs() < 1e-9);
        // each map scaled by itself
        let mut pxap = PxAp::new();
        SOFT.iter().zip(&TRUTH).for_each(|(soft, truth)| pxap.update(&min_max_scaled(soft), truth).unwrap());
        assert_eq!(scores.pxap, pxap.compute());
        // 2p / (1 + p) at 3/8, 1 and 1/2; the second image has no foreground
        assert!((scores.all_ones_f1_plus.unwrap() - 100.0 * (6.0 / 11.0 + 1.0 + 2.0 / 3.0) / 3.0).abs() < 1e-9);
        let half = scores.threshold_curve[10];
        assert_eq!((half.threshold, half.f1_plus, half.f1_minus), (0.5, scores.f1_plus, scores.f1_minus));
    }

    #[test]
    fn a_refused_image_leaves_no_trace() {
        let mut evaluator = MaskEvaluator::new(0.5, EmptyRule::Raw);
        evaluator.update(&SOFT[0], &TRUTH[0]).unwrap();
        let before = evaluator.compute();
        assert!(evaluator.update(&[f32::NAN; 8], &TRUTH[1]).is_err());
        assert!(evaluator.update(&SOFT[1], &TRUTH[1][..7]).is_err());
        assert_eq!(evaluator.compute(), before);
    }

    #[test]
    fn nothing_seen_means_no_score() {
        let scores = MaskEvaluator::new(0.5, EmptyRule::Raw).compute();
        assert_eq!((scores.images, scores.f1_plus, scores.pxap), (0, None, None));
    }
}
