use std::path::{Path, PathBuf};

use histomask_core::Segmentation;
use histomask_core::metric::PerImage;
use serde::Serialize;
use serde_json::json;

use super::Evaluation;
use crate::atomic::{self, WriteError};
use crate::data::Sample;
use crate::train::write_csv;

/// What evaluation found of one image; a line of `images.csv`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ImageResult {
    /// The sample's name.
    pub id: String,
    /// Its image.
    pub path: PathBuf,
    /// Index of its class.
    pub label: usize,
    /// Index of the class predicted.
    pub predicted: usize,
    /// Posterior of the predicted class.
    pub probability: f32,
    /// Predicted foreground in percent of the image.
    pub foreground_percent: f64,
    /// True foreground, where there is a mask.
    pub truth_percent: Option<f64>,
    /// F1⁺ (Eq. 14) in percent.
    pub f1_plus: Option<f64>,
    /// F1⁻ (Eq. 15) in percent.
    pub f1_minus: Option<f64>,
    /// Intersection over union of the foreground in percent.
    pub iou_plus: Option<f64>,
    /// Entropy on the background relative to its maximum, in `[0, 1]`.
    pub background_uncertainty: Option<f32>,
}

impl ImageResult {
    pub(super) fn new(sample: &Sample, segmentation: &Segmentation, threshold: f64) -> Self {
        let foreground = segmentation.mask.iter().filter(|&&value| f64::from(value) >= threshold).count();
        Self {
            id: sample.id.clone(),
            path: sample.image.clone(),
            label: sample.label,
            predicted: segmentation.class,
            probability: segmentation.probabilities.get(segmentation.class).copied().unwrap_or(f32::NAN),
            foreground_percent: 100.0 * foreground as f64 / segmentation.mask.len().max(1) as f64,
            truth_percent: None,
            f1_plus: None,
            f1_minus: None,
            iou_plus: None,
            background_uncertainty: segmentation.background_uncertainty,
        }
    }

    pub(super) fn add_mask_scores(&mut self, scores: &PerImage) {
        let percent = |score: Option<f64>| score.map(|score| 100.0 * score);
        let truth = scores.counts.true_positive + scores.counts.false_negative;
        self.truth_percent = Some(100.0 * truth as f64 / scores.counts.total().max(1) as f64);
        self.f1_plus = percent(scores.overlap.f1_plus);
        self.f1_minus = percent(scores.overlap.f1_minus);
        self.iou_plus = percent(scores.overlap.iou_plus);
    }
}

/// Writes `evaluation.json` and `images.csv` into `folder`.
///
/// # Errors
///
/// [`WriteError`] if one cannot be written.
pub fn write_results(folder: &Path, evaluation: &Evaluation, context: &serde_json::Value) -> Result<(), WriteError> {
    let failed = |name: &str| {
        let path = folder.join(name);
        move |error: std::io::Error| WriteError { path: path.clone(), source: error }
    };
    let not_evaluated: Vec<_> =
        evaluation.failed.iter().map(|(path, error)| json!({ "path": path, "error": error })).collect();
    let summary = json!({
        "schema": 1,
        "context": context,
        "images": evaluation.images.len(),
        "class_error_percent": evaluation.class_error,
        "confusion_rows_predicted": evaluation.confusion.matrix(),
        "masks": evaluation.masks,
        "mean_foreground_percent": evaluation.mean_foreground,
        "failed": not_evaluated,
    });
    let json = serde_json::to_vec_pretty(&summary).map_err(|error| failed("evaluation.json")(error.into()))?;
    atomic::write(&folder.join("evaluation.json"), &json)?;
    let csv = write_csv(&evaluation.images).map_err(|error| failed("images.csv")(std::io::Error::other(error)))?;
    atomic::write(&folder.join("images.csv"), &csv)
}
