use std::path::{Path, PathBuf};

use histomask_core::Observation;
use histomask_core::metric::{MaskScores, PerImage};
use serde::Serialize;
use serde_json::json;

use super::{EvaluateError, Evaluation};
use crate::atomic::{self, WriteError};
use crate::csv_text::write_plain_csv;
use crate::data::Sample;
use crate::plain_text;

/// What evaluation found of one image; a line of `images.csv`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ImageResult {
    /// The sample's name.
    pub id: String,
    /// Its image.
    #[serde(serialize_with = "plain_text::path")]
    pub path: PathBuf,
    /// Index of its class.
    pub label: usize,
    /// Index of the class predicted; absent for methods that name none.
    pub predicted: Option<usize>,
    /// Posterior of the predicted class.
    pub probability: Option<f32>,
    /// Predicted foreground in percent of the image, by the mask of the true class as all scores below.
    pub foreground_percent: f64,
    /// True foreground, where there is a mask.
    pub truth_percent: Option<f64>,
    /// F1⁺ (Eq. 14) in percent.
    pub f1_plus: Option<f64>,
    /// F1⁻ (Eq. 15) in percent.
    pub f1_minus: Option<f64>,
    /// Intersection over union of the foreground in percent.
    pub iou_plus: Option<f64>,
    /// Predicted foreground by the mask of the predicted class.
    pub label_free_foreground_percent: f64,
    /// F1⁺ of that mask in percent.
    pub label_free_f1_plus: Option<f64>,
    /// F1⁻ of that mask in percent.
    pub label_free_f1_minus: Option<f64>,
    /// Entropy on the background relative to its maximum, in `[0, 1]`.
    pub background_uncertainty: Option<f32>,
}

impl ImageResult {
    pub(super) fn new(
        sample: &Sample,
        observation: &Observation,
        mask: &[f32],
        label_free: &[f32],
        threshold: f64,
    ) -> Self {
        let percent = |mask: &[f32]| {
            let foreground = mask.iter().filter(|&&value| f64::from(value) >= threshold).count();
            100.0 * foreground as f64 / mask.len().max(1) as f64
        };
        Self {
            id: sample.id.clone(),
            path: sample.image.clone(),
            label: sample.label,
            predicted: observation.class,
            probability: observation.class.and_then(|class| observation.probabilities.get(class).copied()),
            foreground_percent: percent(mask),
            truth_percent: None,
            f1_plus: None,
            f1_minus: None,
            iou_plus: None,
            label_free_foreground_percent: percent(label_free),
            label_free_f1_plus: None,
            label_free_f1_minus: None,
            background_uncertainty: observation.background_uncertainty,
        }
    }

    pub(super) fn add_mask_scores(&mut self, scores: &PerImage, label_free: &PerImage) {
        let percent = |score: Option<f64>| score.map(|score| 100.0 * score);
        let truth = scores.counts.true_positive + scores.counts.false_negative;
        self.truth_percent = Some(100.0 * truth as f64 / scores.counts.total().max(1) as f64);
        self.f1_plus = percent(scores.overlap.f1_plus);
        self.f1_minus = percent(scores.overlap.f1_minus);
        self.iou_plus = percent(scores.overlap.iou_plus);
        self.label_free_f1_plus = percent(label_free.overlap.f1_plus);
        self.label_free_f1_minus = percent(label_free.overlap.f1_minus);
    }
}

impl Evaluation {
    /// Whether the device held out.
    ///
    /// # Errors
    ///
    /// [`EvaluateError::Core`] with what it said.
    pub fn held_out(&self) -> Result<(), EvaluateError> {
        let lost = |said: &String| Err(histomask_core::Error::Device(said.clone()).into());
        self.lost.as_ref().map_or(Ok(()), lost)
    }

    /// Whether every sample was looked at; an interrupt or a lost device leaves some out.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.images.len() + self.failed.len() == self.samples
    }

    /// Whether all masks at the threshold are foreground everywhere (true) or nowhere (false); none if they are neither,
    /// or there is no image.
    #[must_use]
    pub fn masks_all_alike(&self) -> Option<bool> {
        let all = |percent: f64| self.images.iter().all(|image| image.foreground_percent == percent);
        match self.images.is_empty() {
            true => None,
            false if all(100.0) => Some(true),
            false if all(0.0) => Some(false),
            false => None,
        }
    }

    /// What is lost (below 0) or won in F1+ and F1- by masks of the predicted instead of the true class, in percentage
    /// points; absent without masks.
    #[must_use]
    pub fn label_free_difference(&self) -> Option<[Option<f64>; 2]> {
        let (with_label, without) = self.masks.as_ref().zip(self.label_free.as_ref())?;
        let difference = |score: fn(&MaskScores) -> Option<f64>| Some(score(without)? - score(with_label)?);
        Some([difference(|masks| masks.f1_plus), difference(|masks| masks.f1_minus)])
    }
}

/// Whether `folder` holds the results of an evaluation that nothing stopped.
#[must_use]
pub fn holds_complete(folder: &Path) -> bool {
    let bytes = std::fs::read(folder.join("evaluation.json")).ok();
    let summary = bytes.and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
    // earlier versions did not say so
    summary.is_some_and(|summary| summary.get("complete").and_then(serde_json::Value::as_bool) != Some(false))
}

/// Writes `images.csv` and then `evaluation.json`, which says whether it is complete, into `folder`.
///
/// # Errors
///
/// [`WriteError`] if one cannot be written.
pub fn write_results(folder: &Path, evaluation: &Evaluation, context: &serde_json::Value) -> Result<(), WriteError> {
    let failed = |name: &str| {
        let path = folder.join(name);
        move |error: std::io::Error| WriteError { path: path.clone(), source: error }
    };
    let not_evaluated: Vec<_> = evaluation
        .failed
        .iter()
        .map(|(path, error)| json!({ "path": plain_text::of_path(path), "error": error.to_string() }))
        .collect();
    let [f1_plus, f1_minus] = evaluation.label_free_difference().unwrap_or_default();
    let summary = json!({
        "schema": 1,
        "complete": evaluation.is_complete(),
        "context": context,
        "method": evaluation.method,
        "images": evaluation.images.len(),
        "samples": evaluation.samples,
        "class_error_percent": evaluation.class_error,
        "confusion_rows_predicted": evaluation.class_error.map(|_| evaluation.confusion.matrix()),
        "masks": evaluation.masks,
        "masks_label_free": evaluation.label_free,
        "label_free_difference": evaluation.masks.as_ref().map(|_| json!({ "f1_plus": f1_plus, "f1_minus": f1_minus })),
        "pixel_loss": evaluation.pixel_loss,
        "mean_foreground_percent": evaluation.mean_foreground,
        "cautions": evaluation.cautions,
        "failed": not_evaluated,
    });
    let json = serde_json::to_vec_pretty(&summary).map_err(|error| failed("evaluation.json")(error.into()))?;
    let csv =
        write_plain_csv(&evaluation.images).map_err(|error| failed("images.csv")(std::io::Error::other(error)))?;
    atomic::write(&folder.join("images.csv"), &csv)?;
    // last: it says that the evaluation is there
    atomic::write(&folder.join("evaluation.json"), &json)
}
