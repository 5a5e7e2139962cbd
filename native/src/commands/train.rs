use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;
use serde_json::json;

use crate::atomic;
use crate::cli::{Bar, Console, Exit, Train};
use crate::data::check::{Summary, check};
use crate::data::{Dataset, Layout};
use crate::device::Chosen;
use crate::method::MethodChoice;
use crate::profile::{self, Profile};
use crate::results::{method_title, training_report};
use crate::train::{EpochRow, Observer, Outcome, RunFolder, TrainJob, UntrainedRow, train};

pub(crate) fn run(args: &Train, keys: Option<&clap::ArgMatches>, console: &Console) -> anyhow::Result<Exit> {
    let resumed = args.resume.as_deref().map(RunFolder::new);
    let base = match &resumed {
        Some(folder) => Profile::from_file(&folder.profile())
            .with_context(|| format!("{}: no run to resume here", folder.path().display()))?,
        None => base_profile(args)?,
    };
    let profile = match keys {
        Some(keys) => profile::apply(keys, base)?,
        None => base,
    };
    let data = match (&args.data, &resumed) {
        (Some(data), _) => data.clone(),
        (None, Some(folder)) => data_of(folder)?,
        (None, None) => anyhow::bail!("--data names the folder of labelled patches"),
    };
    if !profile.model.method.is_trained() {
        anyhow::bail!(
            "all-ones has nothing to learn: evaluate it with `histomask evaluate --method all-ones --data {}`",
            data.display()
        );
    }
    let dataset = Dataset::open(&data, &profile.data)?;
    let summary = check_data(&dataset, console)?;
    if args.strict && dataset.left_out.matters() {
        anyhow::bail!("--strict: files are left out, which are named above");
    }
    if let Some(out) = args.out.as_ref().filter(|out| RunFolder::new(*out).state().exists()) {
        anyhow::bail!(
            "{0} holds a run already; name another --out, or go on with it: histomask train --resume {0}",
            out.display()
        );
    }
    let chosen = super::open_device(&args.device, console)?;
    let resume = resumed.is_some();
    let folder = resumed.unwrap_or_else(|| RunFolder::new(args.out.clone().unwrap_or_else(|| free_folder(&dataset))));
    run_job(
        &Run {
            profile: &profile,
            dataset: &dataset,
            summary: &summary,
            data: &data,
            chosen: &chosen,
            folder: &folder,
            resume,
        },
        console,
    )
}

/// The profile asked for, else the one made for the method, with what the method changes in it.
fn base_profile(args: &Train) -> anyhow::Result<Profile> {
    let for_method = || args.method.map_or(Profile::DEFAULT, MethodChoice::default_profile);
    let base = Profile::resolve(args.profile.as_deref().unwrap_or_else(for_method))?;
    Ok(match args.method {
        Some(method) => method.apply(base),
        None => base,
    })
}

/// A run whose ingredients are all at hand.
pub(super) struct Run<'a> {
    pub(super) profile: &'a Profile,
    pub(super) dataset: &'a Dataset,
    pub(super) summary: &'a Summary,
    pub(super) data: &'a Path,
    pub(super) chosen: &'a Chosen,
    pub(super) folder: &'a RunFolder,
    pub(super) resume: bool,
}

/// Trains, and leaves checkpoints, `epochs.csv`, `run.json` and `report.html` in the run's folder.
pub(super) fn run_job(run: &Run<'_>, console: &Console) -> anyhow::Result<Exit> {
    console.say(&format!(
        "run: {} ({}, {} epochs, batch {}, {} train and {} valid images)",
        run.folder.path().display(),
        method_title(&run.profile.model, Some(&run.profile.loss)),
        run.profile.train.epochs,
        run.profile.train.batch_size,
        run.dataset.train.len(),
        run.dataset.valid.len(),
    ));
    if run.profile.model.method.learns_from_masks() {
        say_masks(run.dataset, console);
    }
    let start = Instant::now();
    write_run_json(run, "running", None)?;
    let observer = Progress { console, epochs: run.profile.train.epochs, bar: std::cell::OnceCell::new() };
    let ended = train(&TrainJob {
        profile: run.profile,
        dataset: run.dataset,
        data_hash: &run.summary.hash,
        licence: licence(run.dataset),
        device: &run.chosen.device,
        folder: run.folder,
        resume: run.resume,
        observer: &observer,
    });
    if let Some(bar) = observer.bar.get() {
        bar.finish();
    }
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
        console.say(&format!("stopped; go on with: histomask train --resume {}", run.folder.path().display()));
        return Ok(Exit::Interrupted);
    }
    console.say(&format!("best model: {}\nreport: {}", run.folder.best().display(), run.folder.report().display()));
    Ok(Exit::Fine)
}

/// Which images a method that learns from masks can use.
fn say_masks(dataset: &Dataset, console: &Console) {
    let [train, valid] = [&dataset.train, &dataset.valid].map(|samples| {
        let masked = samples.iter().filter(|sample| sample.mask.is_some()).count();
        (masked, samples.len())
    });
    if train.0 > 0 && train.0 < train.1 {
        console.warn(&format!(
            "it learns from masks: {} of {} training images have none and are left out",
            train.1 - train.0,
            train.1
        ));
    }
    if valid.0 == 0 {
        console.warn("no validation image has a mask: the last epoch is kept");
    }
}

/// Reads the whole data set before any training.
pub(super) fn check_data(dataset: &Dataset, console: &Console) -> anyhow::Result<Summary> {
    let total = dataset.train.len() + dataset.valid.len() + dataset.test.len();
    console.say(&format!("checking {total} images in {}", dataset.root.display()));
    let summary = check(dataset, &|_, _| ())?;
    for split in &summary.counts {
        let classes = summary.classes.iter().zip(&split.per_class).map(|(class, count)| format!("{count} {class}"));
        let classes: Vec<_> = classes.collect();
        let groups = match dataset.groups(split.split) {
            0 => String::new(),
            groups => format!(", {groups} groups"),
        };
        console.say(&format!("  {}: {} ({} with a mask{groups})", split.split, classes.join(", "), split.masks));
    }
    dataset.warnings.iter().chain(&summary.warnings).for_each(|warning| console.warn(warning));
    dataset.left_out.lines().iter().for_each(|line| console.say(line));
    Ok(summary)
}

/// The terms that training data put on weights.
pub(super) fn licence(dataset: &Dataset) -> &'static str {
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

/// `runs/<name of the data>`, with a number where that is taken.
fn free_folder(dataset: &Dataset) -> PathBuf {
    let name = dataset.name().replace(|c: char| !(c.is_alphanumeric() || "-_.".contains(c)), "-");
    let plain = Path::new("runs").join(&name);
    let numbered = (2..).map(|number| Path::new("runs").join(format!("{name}-{number}")));
    std::iter::once(plain.clone()).chain(numbered).find(|folder| !folder.exists()).unwrap_or(plain)
}

/// The data folder a run was started with.
fn data_of(folder: &RunFolder) -> anyhow::Result<PathBuf> {
    let path = folder.run_json();
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("{}: cannot read; name --data", path.display()))?;
    let run: serde_json::Value =
        serde_json::from_str(&text).with_context(|| format!("{}: not valid; name --data", path.display()))?;
    let data = run.get("data").and_then(|data| data.get("path")).and_then(|path| path.as_str());
    Ok(data.with_context(|| format!("{}: names no data; name --data", path.display()))?.into())
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

/// Shows a run on the console.
struct Progress<'a> {
    console: &'a Console,
    epochs: usize,
    bar: std::cell::OnceCell<Bar>,
}

/// A score on the console.
fn percent(value: Option<f64>) -> String {
    value.map_or("-".into(), |value| format!("{value:.1}"))
}

impl Observer for Progress<'_> {
    fn untrained(&self, row: &UntrainedRow) {
        self.console.say(&format!(
            "before training:  valid error {} %  F1+ {}  F1- {}  {:.0} s",
            percent(row.valid_error),
            percent(row.valid_f1_plus),
            percent(row.valid_f1_minus),
            row.valid_seconds,
        ));
    }

    fn begin(&self, epoch: usize, step: usize, steps: usize) {
        let done = epoch * steps + step;
        if done > 0 {
            self.console.say(&format!("going on with epoch {}, step {}", epoch + 1, step + 1));
        }
        let bar = self.bar.get_or_init(|| self.console.bar(self.epochs * steps, "steps"));
        bar.start_at(done);
    }

    fn step(&self, epoch: usize, step: usize, steps: usize, loss: f64) {
        if let Some(bar) = self.bar.get() {
            bar.set((epoch - 1) * steps + step, &format!("epoch {epoch}/{}, loss {loss:.4}", self.epochs));
        }
    }

    fn epoch(&self, row: &EpochRow) {
        let line = format!(
            "epoch {:>3}/{}  loss {:.4}  train error {} %  valid error {} %  F1+ {}  F1- {}  foreground {:.0} %  {:.0} s{}",
            row.epoch,
            self.epochs,
            row.loss,
            percent(row.train_error),
            percent(row.valid_error),
            percent(row.valid_f1_plus),
            percent(row.valid_f1_minus),
            row.valid_foreground,
            row.train_seconds + row.valid_seconds,
            if row.best { "  best" } else { "" },
        );
        match self.bar.get() {
            Some(bar) => bar.line(&line),
            None => self.console.say(&line),
        }
    }
}
