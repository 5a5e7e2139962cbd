//! What a model scored, kept beside it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::atomic::{self, WriteError};
use crate::data::Sample;
use crate::evaluate::Evaluation;

/// The scores of one run; `scores.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Scores {
    /// Classification error on the validation images, percent.
    pub(crate) class_error: Option<f64>,
    /// F1+ over all images with a mask, percent.
    pub(crate) f1_plus: Option<f64>,
    /// F1- over all images with a mask, percent.
    pub(crate) f1_minus: Option<f64>,
    /// F1+ of a mask that is foreground everywhere, percent.
    pub(crate) all_ones_f1_plus: Option<f64>,
    /// Entropy on the background relative to its maximum, mean over the validation images, in `[0, 1]`.
    pub(crate) background_uncertainty: Option<f64>,
    /// Validation images judged.
    pub(crate) valid_images: usize,
    /// Images with a mask.
    pub(crate) mask_images: u64,
    /// Names and sizes of the masks, hashed.
    mask_state: String,
}

impl Scores {
    /// Of an evaluation on the validation images, among others.
    pub(crate) fn of(evaluation: &Evaluation, valid: &[Sample], mask_state: String) -> Self {
        let valid: Vec<_> =
            evaluation.images.iter().filter(|image| valid.iter().any(|sample| sample.id == image.id)).collect();
        let mean = |values: Vec<f64>| (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
        let wrong = valid.iter().filter_map(|image| Some(image.predicted? != image.label));
        let masks = evaluation.masks.as_ref();
        Self {
            class_error: mean(wrong.map(|wrong| if wrong { 100.0 } else { 0.0 }).collect()),
            f1_plus: masks.and_then(|masks| masks.f1_plus),
            f1_minus: masks.and_then(|masks| masks.f1_minus),
            all_ones_f1_plus: masks.and_then(|masks| masks.all_ones_f1_plus),
            background_uncertainty: mean(
                valid.iter().filter_map(|image| image.background_uncertainty.map(f64::from)).collect(),
            ),
            valid_images: valid.len(),
            mask_images: masks.map_or(0, |masks| masks.images),
            mask_state,
        }
    }

    /// Those in a folder; none if there are none, or if masks have come or gone since.
    pub(crate) fn read(folder: &Path, mask_state: &str) -> Option<Self> {
        let bytes = std::fs::read(folder.join("scores.json")).ok()?;
        serde_json::from_slice(&bytes).ok().filter(|scores: &Self| scores.mask_state == mask_state)
    }

    pub(crate) fn write(&self, folder: &Path) -> Result<(), WriteError> {
        let path = folder.join("scores.json");
        let bytes =
            serde_json::to_vec_pretty(self).map_err(|error| WriteError { path: path.clone(), source: error.into() })?;
        atomic::write(&path, &bytes)
    }
}
