use std::path::Path;
use std::time::Instant;

use serde_json::json;

use super::results::{method_title, training_report};
use crate::atomic;
use crate::data::check::{Summary, check};
use crate::data::{Dataset, Layout};
use crate::device::Chosen;
use crate::profile::Profile;
use crate::train::{Observer, Outcome, RunFolder, TrainJob, train};

/// Who looks on while a run is trained.
pub(crate) trait Watch: Observer {
    /// What happens now.
    fn say(&self, line: &str);
    /// What the user should know before trusting the result.
    fn warn(&self, line: &str);
    /// No more steps follow.
    fn ended(&self);
}

/// A run whose ingredients are all at hand.
pub(crate) struct Run<'a> {
    pub(crate) profile: &'a Profile,
    pub(crate) dataset: &'a Dataset,
    pub(crate) summary: &'a Summary,
    pub(crate) data: &'a Path,
    pub(crate) chosen: &'a Chosen,
    pub(crate) folder: &'a RunFolder,
    pub(crate) resume: bool,
}

/// Trains, and leaves checkpoints, `epochs.csv`, `run.json` and `report.html` in the run's folder.
pub(crate) fn run_job(run: &Run<'_>, observer: &dyn Watch) -> anyhow::Result<Outcome> {
    observer.say(&format!(
        "run: {} ({}, {} epochs, batch {}, {} train and {} valid images)",
        run.folder.path().display(),
        method_title(&run.profile.model, Some(&run.profile.loss)),
        run.profile.train.epochs,
        run.profile.train.batch_size,
        run.dataset.train.len(),
        run.dataset.valid.len(),
    ));
    if run.profile.model.method.learns_from_masks() {
        say_masks(run.dataset, observer);
    }
    let start = Instant::now();
    write_run_json(run, "running", None)?;
    let ended = train(&TrainJob {
        profile: run.profile,
        dataset: run.dataset,
        data_hash: &run.summary.hash,
        valid_sizes: &run.summary.valid_sizes,
        licence: licence(run.dataset),
        device: &run.chosen.device,
        folder: run.folder,
        resume: run.resume,
        observer,
    });
    observer.ended();
    let (outcome, history) = match ended {
        Ok(ended) => ended,
        Err(error) => {
            write_run_json(run, "failed", Some(start.elapsed().as_secs_f64()))?;
            return Err(error.into());
        }
    };
    let state = if outcome == Outcome::Finished { "finished" } else { "interrupted" };
    write_run_json(run, state, Some(start.elapsed().as_secs_f64()))?;
    if !history.is_empty() {
        let report = training_report(run.profile, run.dataset, run.chosen, &history)?;
        atomic::write(&run.folder.report(), report.as_bytes())?;
    }
    if outcome == Outcome::Interrupted {
        observer.say(&format!("stopped; go on with: histomask train --resume {}", run.folder.path().display()));
        return Ok(outcome);
    }
    observer.say(&format!("best model: {}\nreport: {}", run.folder.best().display(), run.folder.report().display()));
    Ok(outcome)
}

/// Which images a method that learns from masks can use.
fn say_masks(dataset: &Dataset, observer: &dyn Watch) {
    let [train, valid] = [&dataset.train, &dataset.valid].map(|samples| {
        let masked = samples.iter().filter(|sample| sample.mask.is_some()).count();
        (masked, samples.len())
    });
    if train.0 > 0 && train.0 < train.1 {
        observer.warn(&format!(
            "it learns from masks: {} of {} training images have none and are left out",
            train.1 - train.0,
            train.1
        ));
    }
    if valid.0 == 0 {
        observer.warn("no validation image has a mask: the last epoch is kept");
    }
}

/// Reads the whole data set before any training; `warn` hears what the user should know before trusting the result.
pub(crate) fn check_data(dataset: &Dataset, say: &dyn Fn(&str), warn: &dyn Fn(&str)) -> anyhow::Result<Summary> {
    let total = dataset.train.len() + dataset.valid.len() + dataset.test.len();
    say(&format!("checking {total} images in {}", dataset.root.display()));
    let summary = check(dataset, &|_, _| ())?;
    for split in &summary.counts {
        let classes = summary.classes.iter().zip(&split.per_class).map(|(class, count)| format!("{count} {class}"));
        let classes: Vec<_> = classes.collect();
        let groups = match dataset.groups(split.split) {
            0 => String::new(),
            groups => format!(", {groups} groups"),
        };
        say(&format!("  {}: {} ({} with a mask{groups})", split.split, classes.join(", "), split.masks));
    }
    dataset.warnings.iter().chain(&summary.warnings).for_each(|warning| warn(warning));
    dataset.left_out.lines().iter().for_each(|line| say(line));
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

fn write_run_json(run: &Run<'_>, state: &str, seconds: Option<f64>) -> Result<(), atomic::WriteError> {
    let data = std::path::absolute(run.data).unwrap_or_else(|_| run.data.to_owned());
    run.folder.write_run(&json!({
        "schema": 1,
        "state": state,
        "histomask": env!("CARGO_PKG_VERSION"),
        "command": std::env::args().collect::<Vec<_>>(),
        "profile": run.profile.name,
        "method": run.profile.model.method,
        "seed": run.profile.train.seed,
        "data": { "path": data, "hash": run.summary.hash, "classes": run.dataset.classes },
        "device": { "name": run.chosen.name, "why": run.chosen.why },
        "threads": std::thread::available_parallelism().map_or(1, usize::from),
        "seconds_in_this_process": seconds,
    }))
}
