//! A model judged on a split: scores, with `trust` how far its masks deserve belief, and the page that shows both.

use std::path::PathBuf;

use histomask_core::Segmenter;
use serde_json::json;

use super::results::{evaluation_report, summary};
use super::watch::Watch;
use crate::atomic::Room;
use crate::data::{Dataset, Sample, SplitChoice};
use crate::device::Chosen;
use crate::evaluate::{Evaluation, evaluate, holds_complete, write_results};
use crate::profile::Profile;
use crate::trust::{self, TemperatureFrom, Trust};
use crate::{atomic, interrupt, plain_text};

/// A model and what it is judged on.
pub(crate) struct Evaluate {
    pub(crate) profile: Profile,
    pub(crate) dataset: Dataset,
    pub(crate) split: SplitChoice,
    pub(crate) chosen: Chosen,
    pub(crate) segmenter: Segmenter,
    /// The model's name, and the SHA-256 of its file if it has one.
    pub(crate) model: (String, Option<String>),
    pub(crate) trust: bool,
    pub(crate) out: PathBuf,
}

impl Evaluate {
    /// Judges every image until the user stops it, and leaves scores and `report.html`; nothing where it was stopped
    /// and the folder holds a complete evaluation.
    pub(crate) fn run(&self, watch: &dyn Watch) -> anyhow::Result<Option<(Evaluation, Option<Trust>)>> {
        let samples = self.split.samples(&self.dataset);
        let room = 65_536 + samples.iter().map(|sample| 512 + 2 * sample.image.as_os_str().len()).sum::<usize>();
        let room = Room::set_aside(&self.out, room)?;
        let count = watch.count(samples.len(), "images");
        let evaluation = evaluate(&self.segmenter, &samples, &self.profile.evaluation, &|done, _| count.set(done, ""));
        drop((count, room));
        if !evaluation.is_complete() && holds_complete(&self.out) {
            watch.say(&format!("stopped; the complete evaluation in {} stays as it is", self.out.display()));
            evaluation.held_out()?;
            return Ok(None);
        }
        match self.keep(&samples, &evaluation, watch) {
            Ok(trust) => Ok(Some((evaluation, trust))),
            Err(error) => {
                // the numbers are known, whatever could not be written
                watch.show(&summary(&evaluation, self.split.name()))?;
                Err(error)
            }
        }
    }

    /// Leaves scores and page; measures trust before the page, if it is asked for.
    fn keep(&self, samples: &[Sample], evaluation: &Evaluation, watch: &dyn Watch) -> anyhow::Result<Option<Trust>> {
        let (name, sha256) = &self.model;
        let context = json!({
            "histomask": env!("CARGO_PKG_VERSION"),
            "command": plain_text::command(),
            "model": name,
            "model_sha256": sha256,
            "data": plain_text::of_path(&self.dataset.root),
            "split": self.split.name(),
            "device": self.chosen.name,
            "threshold": self.profile.evaluation.threshold,
        });
        write_results(&self.out, evaluation, &context)?;
        trust::remove_of_others(&self.out, &context)?;
        evaluation.held_out()?;
        if self.trust {
            // trust takes long, and a page of an earlier evaluation would stand beside these numbers meanwhile
            self.write_page(samples, evaluation, &context, None)?;
        }
        let trust = match self.trust && !interrupt::asked() {
            true => Some(self.trust(samples, evaluation, watch)?),
            false => None,
        };
        // a part of the images says nothing of the set
        let trust = trust.filter(|_| !interrupt::asked());
        if let Some(trust) = &trust {
            trust::write(&self.out, trust, &context)?;
        }
        self.write_page(samples, evaluation, &context, trust.as_ref())?;
        Ok(trust)
    }

    fn write_page(
        &self,
        samples: &[Sample],
        evaluation: &Evaluation,
        context: &serde_json::Value,
        trust: Option<&Trust>,
    ) -> anyhow::Result<()> {
        let data = format!("{} {}", self.dataset.name(), self.split.name());
        let report = evaluation_report(&self.segmenter, evaluation, samples, &data, context, trust)?;
        Ok(atomic::write(&self.out.join("report.html"), report.as_bytes())?)
    }

    /// The temperature comes from the validation images, unless they are among those measured.
    fn trust(&self, samples: &[Sample], evaluation: &Evaluation, watch: &dyn Watch) -> anyhow::Result<Trust> {
        let valid = &self.dataset.valid;
        let temperature = match self.split {
            SplitChoice::Train | SplitChoice::Test if !valid.is_empty() => TemperatureFrom::Samples(valid),
            _ => TemperatureFrom::OtherFolds,
        };
        let options = trust::Options { threshold: self.profile.evaluation.threshold, ..trust::Options::default() };
        let groups = trust::groups(samples);
        let count = watch.count(samples.len(), "trust");
        let progress = |done| count.set(done, "");
        let (segmenter, device) = (&self.segmenter, &self.chosen.device);
        let measured = trust::measure(segmenter, device, samples, groups.as_deref(), temperature, options, &progress);
        drop(count);
        let mut trust = measured?;
        trust.correlate(&evaluation.images);
        for (path, error) in &trust.failed {
            // what evaluation refused is told at the end
            if !evaluation.failed.iter().any(|(other, _)| other == path) {
                watch.warn(&format!("trust: {}: {error}", path.display()));
            }
        }
        Ok(trust)
    }
}
