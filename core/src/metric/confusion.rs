//! Confusion matrices: of pixels, pooled over images (Figs. 5–6), and of image classes (Eq. 13).
//! Rows are what was predicted, columns what is true.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use super::error::{MetricError, check_mask};
use super::truth::Truth;

/// Pixels by prediction and truth; adding the counts of several images pools them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PixelCounts {
    /// Foreground predicted as foreground.
    pub true_positive: u64,
    /// Background predicted as foreground.
    pub false_positive: u64,
    /// Foreground predicted as background.
    pub false_negative: u64,
    /// Background predicted as background.
    pub true_negative: u64,
}

impl PixelCounts {
    /// Counts one image; a pixel is predicted as foreground where `soft >= threshold` (`spec` D32).
    ///
    /// `soft` and `truth` are one image `[H, W]`, row-major.
    ///
    /// # Errors
    /// [`MetricError`] if the lengths differ, the image has no pixel, or `soft` holds NaN or an infinity.
    pub fn of<T: Truth>(soft: &[f32], threshold: f32, truth: &[T]) -> Result<Self, MetricError> {
        check_mask(soft, truth)?;
        let mut counts = Self::default();
        for (&value, &truth) in soft.iter().zip(truth) {
            match (value >= threshold, truth.is_foreground()) {
                (true, true) => counts.true_positive += 1,
                (true, false) => counts.false_positive += 1,
                (false, true) => counts.false_negative += 1,
                (false, false) => counts.true_negative += 1,
            }
        }
        Ok(counts)
    }

    /// The same counts with the background as the region of interest.
    pub fn of_background(self) -> Self {
        Self {
            true_positive: self.true_negative,
            false_positive: self.false_negative,
            false_negative: self.false_positive,
            true_negative: self.true_positive,
        }
    }

    /// True foreground pixels.
    pub fn foreground(self) -> u64 {
        self.true_positive + self.false_negative
    }

    /// All pixels.
    pub fn total(self) -> u64 {
        self.foreground() + self.false_positive + self.true_negative
    }

    /// `[[TP, FP], [FN, TN]]`.
    pub fn matrix(self) -> [[u64; 2]; 2] {
        [[self.true_positive, self.false_positive], [self.false_negative, self.true_negative]]
    }

    /// [`matrix`](Self::matrix) in percent of its column: the numbers in the tiles of Figs. 5 and 6.
    /// A column without pixels is `None`.
    pub fn column_percent(self) -> [[Option<f64>; 2]; 2] {
        let [[tp, fp], [fn_, tn]] = self.matrix();
        [[percent(tp, tp + fn_), percent(fp, fp + tn)], [percent(fn_, tp + fn_), percent(tn, fp + tn)]]
    }
}

impl AddAssign for PixelCounts {
    fn add_assign(&mut self, other: Self) {
        self.true_positive += other.true_positive;
        self.false_positive += other.false_positive;
        self.false_negative += other.false_negative;
        self.true_negative += other.true_negative;
    }
}

/// Images by predicted and true class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassConfusion {
    /// `[K, K]`: `counts[predicted][true]`.
    counts: Vec<Vec<u64>>,
}

impl ClassConfusion {
    /// An empty matrix for `classes` classes.
    pub fn new(classes: usize) -> Self {
        Self { counts: vec![vec![0; classes]; classes] }
    }

    /// Counts one image.
    ///
    /// # Errors
    /// [`MetricError::Class`] if either index is not below the number of classes.
    pub fn update(&mut self, predicted: usize, truth: usize) -> Result<(), MetricError> {
        let classes = self.counts.len();
        let outside = |class| MetricError::Class { class, classes };
        let row = self.counts.get_mut(predicted).ok_or(outside(predicted))?;
        *row.get_mut(truth).ok_or(outside(truth))? += 1;
        Ok(())
    }

    /// The counts, `[K, K]`, rows predicted, columns true.
    pub fn matrix(&self) -> &[Vec<u64>] {
        &self.counts
    }

    /// Images counted.
    pub fn images(&self) -> u64 {
        self.counts.iter().flatten().sum()
    }

    /// Classification error in percent, Eq. 13; `None` before the first image.
    pub fn error_percent(&self) -> Option<f64> {
        let right: u64 = self.counts.iter().enumerate().filter_map(|(class, row)| row.get(class)).sum();
        percent(self.images() - right, self.images())
    }
}

fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| 100.0 * part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
    use super::*;

    #[test]
    fn the_threshold_itself_is_foreground() {
        let counts =
            PixelCounts::of(&[0.9, 0.5, 0.6, 0.1, 0.49, 0.2, 0.1, 0.0], 0.5, &[1, 1, 0, 0, 1, 0, 0, 0]).unwrap();
        assert_eq!(counts.matrix(), [[2, 1], [1, 4]]);
        assert_eq!(counts.of_background().matrix(), [[4, 1], [1, 2]]);
    }

    #[test]
    fn columns_are_normalised_and_an_empty_one_is_none() {
        let counts = PixelCounts { true_positive: 12, false_positive: 2, false_negative: 3, true_negative: 15 };
        let [[tp, fp], [fn_, tn]] = counts.column_percent().map(|row| row.map(Option::unwrap));
        assert!((tp - 80.0).abs() < 1e-9 && (fn_ - 20.0).abs() < 1e-9);
        assert!((fp - 11.764705882352942).abs() < 1e-9 && (tn - 88.23529411764706).abs() < 1e-9);

        let no_background = PixelCounts::of(&[1.0, 0.0], 0.5, &[true, true]).unwrap();
        assert_eq!(no_background.column_percent(), [[Some(50.0), None], [Some(50.0), None]]);
    }

    #[test]
    fn classification_error_of_eq_13() {
        let mut confusion = ClassConfusion::new(2);
        assert_eq!(confusion.error_percent(), None);
        for (predicted, truth) in [(0, 0), (1, 1), (1, 0), (0, 0), (1, 0)] {
            confusion.update(predicted, truth).unwrap();
        }
        assert_eq!(confusion.error_percent(), Some(40.0));
        assert_eq!(confusion.matrix(), [vec![2, 0], vec![2, 1]]);
        assert_eq!(confusion.update(0, 2), Err(MetricError::Class { class: 2, classes: 2 }));
        assert_eq!(confusion.images(), 5, "a refused image must not be counted");
    }

    #[test]
    fn bad_masks_are_refused() {
        assert_eq!(PixelCounts::of(&[0.1], 0.5, &[1, 0]), Err(MetricError::Length { mask: 1, truth: 2 }));
        assert_eq!(PixelCounts::of::<u8>(&[], 0.5, &[]), Err(MetricError::NoPixels));
        let error = PixelCounts::of(&[0.1, f32::NAN], 0.5, &[1, 0]).unwrap_err();
        assert!(matches!(error, MetricError::NotFinite { index: 1, .. }), "{error}");
    }
}
