use std::path::PathBuf;
use std::time::Instant;

use serde_json::json;

use super::training_report::{method_title, training_report};
use super::watch::Watch;
use crate::atomic;
use crate::data::check::{Summary, check};
use crate::data::{Dataset, Layout};
use crate::device::Chosen;
use crate::plain_text;
use crate::profile::Profile;
use crate::train::{Outcome, RunFolder, TrainJob, train};

/// A run whose ingredients are all at hand.
pub(crate) struct Run {
    pub(crate) profile: Profile,
    pub(crate) dataset: Dataset,
    pub(crate) summary: Summary,
    pub(crate) data: PathBuf,
    pub(crate) chosen: Chosen,
    pub(crate) folder: RunFolder,
    pub(crate) resume: bool,
}

impl Run {
    /// Trains, and leaves checkpoints, `epochs.csv`, `run.json` and `report.html` in the run's folder.
    pub(crate) fn run(&self, watch: &dyn Watch) -> anyhow::Result<Outcome> {
        watch.say(&format!(
            "run: {} ({}, {} epochs, batch {}, {} train and {} valid images)",
            self.folder.path().display(),
            method_title(&self.profile.model, Some(&self.profile.loss)),
            self.profile.train.epochs,
            self.profile.train.batch_size,
            self.dataset.train.len(),
            self.dataset.valid.len(),
        ));
        if self.profile.model.method.learns_from_masks() {
            say_masks(&self.dataset, watch);
        }
        let start = Instant::now();
        self.write_json("running", None)?;
        let observer = watch.training(self.profile.train.epochs);
        let ended = train(&TrainJob {
            profile: &self.profile,
            dataset: &self.dataset,
            data_hash: &self.summary.hash,
            valid_sizes: &self.summary.valid_sizes,
            licence: licence(&self.dataset),
            device: &self.chosen.device,
            folder: &self.folder,
            resume: self.resume,
            observer: &*observer,
        });
        drop(observer);
        let (outcome, history) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                // as far as it can be written: what ended the run is the error to tell
                let _ = self.write_json("failed", Some(start.elapsed().as_secs_f64()));
                return Err(error.into());
            }
        };
        let state = if outcome == Outcome::Finished { "finished" } else { "interrupted" };
        self.write_json(state, Some(start.elapsed().as_secs_f64()))?;
        if !history.is_empty() {
            let report = training_report(&self.profile, &self.dataset, &self.chosen, &history)?;
            atomic::write(&self.folder.report(), report.as_bytes())?;
        }
        if outcome == Outcome::Interrupted {
            watch.say(&format!("stopped; go on with: histomask train --resume {}", self.folder.path().display()));
            return Ok(outcome);
        }
        self.dataset.left_out.lines().iter().for_each(|line| watch.say(line));
        watch.say(&format!("best model: {}\nreport: {}", self.folder.best().display(), self.folder.report().display()));
        Ok(outcome)
    }

    fn write_json(&self, state: &str, seconds: Option<f64>) -> Result<(), atomic::WriteError> {
        let data = std::path::absolute(&self.data).unwrap_or_else(|_| self.data.clone());
        self.folder.write_run(&json!({
            "schema": 1,
            "state": state,
            "histomask": env!("CARGO_PKG_VERSION"),
            "command": plain_text::command(),
            "profile": self.profile.name,
            "method": self.profile.model.method,
            "seed": self.profile.train.seed,
            "data": { "path": plain_text::of_path(&data), "hash": self.summary.hash, "classes": self.dataset.classes },
            "device": { "name": self.chosen.name, "why": self.chosen.why },
            "threads": std::thread::available_parallelism().map_or(1, usize::from),
            "seconds_in_this_process": seconds,
        }))
    }
}

/// Which images a method that learns from masks can use.
fn say_masks(dataset: &Dataset, watch: &dyn Watch) {
    let [train, valid] = [&dataset.train, &dataset.valid].map(|samples| {
        let masked = samples.iter().filter(|sample| sample.mask.is_some()).count();
        (masked, samples.len())
    });
    if train.0 > 0 && train.0 < train.1 {
        watch.warn(&format!(
            "it learns from masks: {} of {} training images have none and are left out",
            train.1 - train.0,
            train.1
        ));
    }
    if valid.0 == 0 {
        watch.warn("no validation image has a mask: the last epoch is kept");
    }
}

/// Reads the whole data set before any training.
pub(crate) fn check_data(dataset: &Dataset, watch: &dyn Watch) -> anyhow::Result<Summary> {
    let total = dataset.train.len() + dataset.valid.len() + dataset.test.len();
    watch.say(&format!("checking {total} images in {}", dataset.root.display()));
    let summary = check(dataset, &|_, _| ())?;
    for split in &summary.counts {
        let classes = summary.classes.iter().zip(&split.per_class).map(|(class, count)| format!("{count} {class}"));
        let classes: Vec<_> = classes.collect();
        let groups = match dataset.groups(split.split) {
            0 => String::new(),
            groups => format!(", {groups} groups"),
        };
        watch.say(&format!("  {}: {} ({} with a mask{groups})", split.split, classes.join(", "), split.masks));
    }
    dataset.warnings.iter().chain(&summary.warnings).for_each(|warning| watch.warn(warning));
    dataset.left_out.lines().iter().for_each(|line| watch.say(line));
    Ok(summary)
}

/// The terms that training data put on weights.
fn licence(dataset: &Dataset) -> &'static str {
    match dataset.layout {
        Layout::Glas => {
            "Trained on GlaS (Warwick-QU), research use only, no commercial use. Cite K. Sirinukunwattana et al., \
             Gland Segmentation in Colon Histology Images: The GlaS Challenge Contest, arXiv:1603.00275; and \
             K. Sirinukunwattana, D.R.J. Snead, N.M. Rajpoot, A Stochastic Polygons Model for Glandular Structures \
             in Colon Histology Images, IEEE TMI 2015, doi:10.1109/TMI.2015.2433900."
        }
        _ => "Set by whoever owns the training data.",
    }
}
