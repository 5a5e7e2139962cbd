use serde::{Deserialize, Serialize};

use super::RunFolder;

/// One epoch of a run, a line of `epochs.csv`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EpochRow {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Learning rate of the backbone.
    pub learning_rate: f64,
    /// Eq. 12's sigma.
    pub sigma: f64,
    /// The barrier's t.
    pub t: f64,
    /// Total loss, mean over the epoch's images.
    pub loss: f64,
    /// Its term on the full image.
    pub loss_full: Option<f64>,
    /// Its term on the foreground.
    pub loss_foreground: Option<f64>,
    /// Its term on the background, weighted.
    pub loss_background: Option<f64>,
    /// Its size barrier.
    pub loss_barrier: Option<f64>,
    /// Its term on normal images' masks.
    pub loss_empty_normal: Option<f64>,
    /// PN's size penalty, weighted.
    #[serde(default)]
    pub loss_size_penalty: Option<f64>,
    /// U-Net's cross-entropy per pixel.
    #[serde(default)]
    pub loss_pixels: Option<f64>,
    /// Classification error on the augmented training images, in percent; absent for methods that name no class.
    pub train_error: Option<f64>,
    /// Classification error on the validation split, in percent; absent likewise.
    pub valid_error: Option<f64>,
    /// Cross-entropy per pixel on the validation masks, by which U-Net's epoch is chosen.
    #[serde(default)]
    pub valid_pixel_loss: Option<f64>,
    /// F1⁺ on the validation images that have a mask, in percent. Reported, never used for selection.
    pub valid_f1_plus: Option<f64>,
    /// F1⁻ likewise.
    pub valid_f1_minus: Option<f64>,
    /// Mean foreground of the predicted masks, in percent of the image; absent without validation images.
    pub valid_foreground: Option<f64>,
    /// Seconds of training.
    pub train_seconds: f64,
    /// Seconds of validation.
    pub valid_seconds: f64,
    /// Whether this epoch became the best checkpoint.
    pub best: bool,
}

/// Validation of a run's model before its first step, the one line of `untrained.csv`, with columns of [`EpochRow`];
/// all but the time are empty where the model computes no number yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UntrainedRow {
    /// Classification error on the validation split, in percent; absent for methods that name no class.
    pub valid_error: Option<f64>,
    /// Cross-entropy per pixel on the validation masks, of methods that learn from masks.
    pub valid_pixel_loss: Option<f64>,
    /// F1⁺ on the validation images that have a mask, in percent.
    pub valid_f1_plus: Option<f64>,
    /// F1⁻ likewise.
    pub valid_f1_minus: Option<f64>,
    /// Mean foreground of the predicted masks, in percent of the image.
    pub valid_foreground: Option<f64>,
    /// Seconds of validation.
    pub valid_seconds: f64,
}

/// The epochs of a run so far, from its `epochs.csv`.
///
/// # Errors
///
/// Whatever the CSV reader refuses.
pub fn read_history(folder: &RunFolder) -> Result<Vec<EpochRow>, csv::Error> {
    csv::Reader::from_path(folder.epochs())?.deserialize().collect()
}

/// What validation found before the first step, from `untrained.csv`; none where there is no such file (runs of earlier
/// versions).
#[must_use]
pub fn read_untrained(folder: &RunFolder) -> Option<UntrainedRow> {
    csv::Reader::from_path(folder.untrained()).ok()?.deserialize().next()?.ok()
}

/// One step of a run, a line of `steps.csv`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StepRow {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Step in the epoch, from 1.
    pub step: usize,
    /// Images in its batch.
    pub images: usize,
    /// Of those, classified wrongly; absent for methods that name no class.
    pub wrong: Option<usize>,
    /// Total loss of the batch.
    pub loss: f64,
}

impl StepRow {
    /// Share of the batch classified correctly, in percent.
    #[must_use]
    pub fn accuracy(&self) -> Option<f64> {
        self.wrong.map(|wrong| 100.0 - 100.0 * wrong as f64 / self.images.max(1) as f64)
    }
}

/// The steps of a run so far, from its `steps.csv`; none where there is no such file (runs of earlier versions).
#[must_use]
pub fn read_steps(folder: &RunFolder) -> Vec<StepRow> {
    let Ok(mut reader) = csv::Reader::from_path(folder.steps()) else { return Vec::new() };
    reader.deserialize().map_while(Result::ok).collect()
}
