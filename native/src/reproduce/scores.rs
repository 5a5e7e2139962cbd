//! What an evaluation left on disk, read back.

use std::path::Path;

use anyhow::Context as _;
use histomask_core::metric::MaskScores;
use serde::Deserialize;

/// The part of `evaluation.json` that artefacts use.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Scores {
    /// Classification error in percent, of methods that name a class.
    pub(crate) class_error_percent: Option<f64>,
    /// Masks of the true class.
    pub(crate) masks: Option<MaskScores>,
    /// Masks of the predicted class.
    pub(crate) masks_label_free: Option<MaskScores>,
    context: Context,
    /// Absent in results of earlier versions, which did not write those of an interrupted evaluation here.
    #[serde(default = "yes")]
    complete: bool,
    #[serde(default)]
    failed: Vec<serde_json::Value>,
}

fn yes() -> bool {
    true
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Context {
    #[serde(default)]
    mask_state: String,
}

/// A line of `images.csv`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ImageRow {
    pub(crate) id: String,
    pub(crate) label: usize,
    pub(crate) foreground_percent: f64,
    pub(crate) truth_percent: Option<f64>,
}

/// The scores in a folder; none if there are none of all images, or if masks have come or gone since.
pub(crate) fn read(folder: &Path, mask_state: &str) -> Option<Scores> {
    let bytes = std::fs::read(folder.join("evaluation.json")).ok()?;
    let scores: Scores = serde_json::from_slice(&bytes).ok()?;
    let whole = scores.complete && scores.failed.is_empty();
    (whole && scores.context.mask_state == mask_state).then_some(scores)
}

/// The images behind them.
pub(crate) fn read_images(folder: &Path) -> anyhow::Result<Vec<ImageRow>> {
    let path = folder.join("images.csv");
    let mut reader = csv::Reader::from_path(&path).with_context(|| path.display().to_string())?;
    let rows = reader.deserialize().collect::<Result<Vec<_>, csv::Error>>();
    rows.with_context(|| format!("{}: delete this folder, and it is written again", path.display()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn parts_of_an_evaluation_are_no_scores() {
        let folder = tempfile::tempdir().unwrap();
        let found = |rest: &str| {
            let text = format!("{{\"class_error_percent\": 5.0, \"context\": {{\"mask_state\": \"m\"}}{rest}}}");
            std::fs::write(folder.path().join("evaluation.json"), text).unwrap();
            read(folder.path(), "m").is_some()
        };
        assert!(found("") && found(", \"complete\": true, \"failed\": []"));
        assert!(!found(", \"complete\": false, \"failed\": []"), "an interrupted one");
        assert!(!found(", \"complete\": true, \"failed\": [{\"path\": \"a.png\"}]"), "one with a failed image");
        assert!(read(folder.path(), "other masks").is_none());
    }
}
