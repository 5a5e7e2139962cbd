//! Overlap of one image's binary mask with its truth: F1+ and F1- (Dice, Eq. 14–15) and IoU, and their mean over
//! a data set. The paper averages over images; it does not pool pixels.

use serde::{Deserialize, Serialize};

use super::confusion::PixelCounts;

/// What an image without foreground (for F1+) or without background (for F1-) counts (`spec` §4, "empty masks").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EmptyRule {
    /// The formula as it stands (GlaS): such an image scores 0 unless the prediction is empty too, which leaves
    /// 0/0, no score.
    Raw,
    /// The image has no score for the region its truth lacks (Camelyon16; reproduces the paper's All-ones row).
    SkipEmpty,
}

/// Overlap of both regions in one image, each in `[0, 1]`; `None` where the [`EmptyRule`] leaves none.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Overlap {
    /// F1+, Eq. 14: Dice of the foreground.
    pub f1_plus: Option<f64>,
    /// F1-, Eq. 15: Dice of the background.
    pub f1_minus: Option<f64>,
    /// Intersection over union of the foreground.
    pub iou_plus: Option<f64>,
    /// Intersection over union of the background.
    pub iou_minus: Option<f64>,
}

impl Overlap {
    /// From one image's counts.
    pub fn of(counts: PixelCounts, rule: EmptyRule) -> Self {
        let background = counts.of_background();
        Self {
            f1_plus: f1(counts, rule),
            f1_minus: f1(background, rule),
            iou_plus: iou(counts, rule),
            iou_minus: iou(background, rule),
        }
    }
}

/// Dice of the counts' foreground, Eq. 14, in `[0, 1]`: `2 TP / (2 TP + FP + FN)`.
/// Eq. 15 is the same with [`PixelCounts::of_background`].
pub fn f1(counts: PixelCounts, rule: EmptyRule) -> Option<f64> {
    let twice = 2 * counts.true_positive;
    share(twice, twice + counts.false_positive + counts.false_negative, counts, rule)
}

/// Intersection over union of the counts' foreground, in `[0, 1]`: `TP / (TP + FP + FN)`.
pub fn iou(counts: PixelCounts, rule: EmptyRule) -> Option<f64> {
    let union = counts.true_positive + counts.false_positive + counts.false_negative;
    share(counts.true_positive, union, counts, rule)
}

fn share(part: u64, whole: u64, counts: PixelCounts, rule: EmptyRule) -> Option<f64> {
    let scored = match rule {
        EmptyRule::Raw => whole > 0,
        EmptyRule::SkipEmpty => counts.foreground() > 0,
    };
    scored.then(|| part as f64 / whole as f64)
}

/// Mean over the images that have a score.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ImageMean {
    sum: f64,
    images: u64,
}

impl ImageMean {
    /// Adds one image's score in `[0, 1]`; an image without one is passed over.
    pub fn update(&mut self, score: Option<f64>) {
        if let Some(score) = score {
            self.sum += score;
            self.images += 1;
        }
    }

    /// The mean in percent; `None` if no image had a score.
    pub fn percent(self) -> Option<f64> {
        (self.images > 0).then(|| 100.0 * self.sum / self.images as f64)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
    use super::*;

    /// `[TP, FP, FN, TN]` of the four images in the vectors `eq14_eq15_f1`.
    const IMAGES: [[u64; 4]; 4] = [[2, 1, 1, 4], [0, 1, 0, 7], [7, 0, 1, 0], [3, 0, 1, 4]];

    fn counts([tp, fp, fn_, tn]: [u64; 4]) -> PixelCounts {
        PixelCounts { true_positive: tp, false_positive: fp, false_negative: fn_, true_negative: tn }
    }

    fn assert_close(found: Option<f64>, expected: Option<f64>) {
        match (found, expected) {
            (Some(found), Some(expected)) => assert!((found - expected).abs() < 1e-9, "{found} is not {expected}"),
            _ => assert_eq!(found, expected),
        }
    }

    #[test]
    fn camelyon_rule_skips_regions_the_truth_lacks() {
        let plus = [Some(2.0 / 3.0), None, Some(14.0 / 15.0), Some(6.0 / 7.0)];
        let minus = [Some(0.8), Some(14.0 / 15.0), None, Some(8.0 / 9.0)];
        let (mut mean_plus, mut mean_minus) = (ImageMean::default(), ImageMean::default());
        for ((image, plus), minus) in IMAGES.into_iter().zip(plus).zip(minus) {
            let overlap = Overlap::of(counts(image), EmptyRule::SkipEmpty);
            assert_close(overlap.f1_plus, plus);
            assert_close(overlap.f1_minus, minus);
            mean_plus.update(overlap.f1_plus);
            mean_minus.update(overlap.f1_minus);
        }
        assert_close(mean_plus.percent(), Some(81.90476190476191));
        assert_close(mean_minus.percent(), Some(87.4074074074074));
    }

    #[test]
    fn raw_formula_scores_zero_unless_both_are_empty() {
        for (image, expected) in IMAGES.into_iter().zip([2.0 / 3.0, 0.0, 14.0 / 15.0, 6.0 / 7.0]) {
            assert_close(f1(counts(image), EmptyRule::Raw), Some(expected));
        }
        let all_gland = counts([8, 0, 0, 0]).of_background();
        assert_close(f1(all_gland, EmptyRule::Raw), None);
    }

    #[test]
    fn iou_follows_from_dice() {
        for image in IMAGES {
            let overlap = Overlap::of(counts(image), EmptyRule::Raw);
            assert_close(overlap.iou_plus, overlap.f1_plus.map(|f1| f1 / (2.0 - f1)));
            assert_close(overlap.iou_minus, overlap.f1_minus.map(|f1| f1 / (2.0 - f1)));
        }
        assert_close(iou(counts([2, 1, 1, 4]), EmptyRule::Raw), Some(0.5));
    }

    #[test]
    fn a_mean_of_nothing_is_none() {
        let mut mean = ImageMean::default();
        mean.update(None);
        assert_eq!(mean.percent(), None);
    }
}
