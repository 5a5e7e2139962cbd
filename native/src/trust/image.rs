use std::path::PathBuf;

use serde::Serialize;

use super::features::Regions;
use crate::plain_text;

/// One image; a line of `trust.csv`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ImageTrust {
    /// The sample's name.
    pub id: String,
    /// Its image.
    #[serde(serialize_with = "plain_text::path")]
    pub path: PathBuf,
    /// Its patient, where known.
    pub group: Option<String>,
    /// Index of its class.
    pub label: usize,
    /// Index of the class the model names, whose mask is measured.
    pub predicted: Option<usize>,
    /// The model's posterior of that class.
    pub confidence: Option<f64>,
    /// The same at the fitted temperature.
    pub calibrated_confidence: Option<f64>,
    /// Whether the probe names the class from the whole image.
    pub whole_right: Option<bool>,
    /// Whether it does from what the mask keeps.
    pub foreground_right: Option<bool>,
    /// Whether it does from what the mask leaves out.
    pub background_right: Option<bool>,
    /// Score of the true class less the best other one, from what the mask keeps.
    pub foreground_margin: Option<f64>,
    /// The same from what the mask leaves out: the lower, the better the mask.
    pub background_margin: Option<f64>,
    /// Area under the deletion curve, in `[0, 1]`: the lower, the better.
    pub deletion_area: Option<f64>,
    /// Area under the insertion curve, in `[0, 1]`: the higher, the better.
    pub insertion_area: Option<f64>,
    /// Mean IoU with the masks of the seven other orientations.
    pub orientation_stability: f64,
    /// Mean IoU with the masks of other stainings.
    pub stain_stability: f64,
    /// Foreground in percent of the image.
    pub foreground_percent: f64,
    /// The model's own entropy on what the mask leaves out, in `[0, 1]`.
    pub background_uncertainty: Option<f32>,
}

/// What is kept of an image until the set is complete.
pub(super) struct Seen {
    pub(super) image: ImageTrust,
    pub(super) regions: Regions,
    pub(super) posterior: Vec<f64>,
    pub(super) curves: Option<[Vec<f64>; 2]>,
}
