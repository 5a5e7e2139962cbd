//! The model of a finished run judged, for a study and for the paper's artefacts alike.

use std::path::{Path, PathBuf};

use histomask_core::Segmenter;
use serde_json::json;

use super::watch::Watch;
use crate::data::Sample;
use crate::evaluate::{Evaluation, evaluate, write_results};
use crate::interrupt;
use crate::plain_text;
use crate::profile::EvaluationConfig;
use crate::reproduce::mask_state;

/// A model and the images it is judged on.
pub(super) struct Judge<'a> {
    pub(super) segmenter: &'a Segmenter,
    pub(super) samples: &'a [Sample],
    /// Which of the data's images these are.
    pub(super) split: &'a str,
    pub(super) config: &'a EvaluationConfig,
    /// The model's file.
    pub(super) model: PathBuf,
    pub(super) data: &'a Path,
    pub(super) device: &'a str,
    /// Where scores go.
    pub(super) folder: &'a Path,
}

/// What came of it.
pub(super) enum Judged {
    Whole(Box<Evaluation>),
    /// Why there are no scores of all images.
    Failed(String),
    /// The user stopped it, and nothing was written.
    Stopped,
}

impl Judge<'_> {
    /// Leaves `evaluation.json` and `images.csv` in the folder.
    pub(super) fn run(&self, title: &str, watch: &dyn Watch) -> anyhow::Result<Judged> {
        let count = watch.count(self.samples.len(), title);
        let evaluation = evaluate(self.segmenter, self.samples, self.config, &|done, _| count.set(done, ""));
        drop(count);
        evaluation.held_out()?;
        if interrupt::asked() {
            return Ok(Judged::Stopped);
        }
        for (path, error) in &evaluation.failed {
            watch.warn(&format!("{}: {error}", path.display()));
        }
        let context = json!({
            "histomask": env!("CARGO_PKG_VERSION"),
            "command": plain_text::command(),
            "model": plain_text::of_path(&self.model),
            "data": plain_text::of_path(self.data),
            "split": self.split,
            "device": self.device,
            "mask_settings": self.segmenter.card().model.mask,
            "threshold": self.config.threshold,
            "mask_state": mask_state(self.samples),
        });
        write_results(self.folder, &evaluation, &context)?;
        Ok(match evaluation.failed.first() {
            None => Judged::Whole(Box::new(evaluation)),
            Some((first, _)) => {
                let (failed, of) = (evaluation.failed.len(), evaluation.samples);
                Judged::Failed(format!("{failed} of {of} {} images failed (first {})", self.split, first.display()))
            }
        })
    }
}
