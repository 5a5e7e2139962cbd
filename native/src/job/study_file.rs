//! A study from a file: its data opened, its runs trained and judged where they are missing, its table written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use histomask_core::Segmenter;
use histomask_core::weights::read_checkpoint;
use serde_json::json;

use super::train::check_data;
use super::watch::Watch;
use crate::atomic::Room;
use crate::data::{Dataset, Folds, Layout};
use crate::device::Chosen;
use crate::evaluate::{evaluate, write_results};
use crate::interrupt;
use crate::profile::Profile;
use crate::reproduce::{State, in_words, mask_state, text, tidy, timed_epoch};
use crate::study::{About, Opened, Planned, Results, Row, Scores, StudyFile, data_configs, judged, plan, trainings};
use crate::train::{Outcome, TrainError, read_history};
use crate::weights::read_bytes;

/// How a study ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Finished,
    /// Runs that could not be had are named in the result.
    SomeFailed,
    /// The user stopped it.
    Interrupted,
}

/// A study whose ingredients are all at hand.
pub(crate) struct Compare {
    study: StudyFile,
    data: PathBuf,
    out: PathBuf,
    chosen: Chosen,
    opened: Vec<Opened>,
    planned: Vec<Planned>,
}

impl Compare {
    /// Opens and checks the data as every variant divides it.
    pub(crate) fn open(
        study: StudyFile,
        data: PathBuf,
        out: PathBuf,
        chosen: Chosen,
        watch: &dyn Watch,
    ) -> anyhow::Result<Self> {
        let mut opened: Vec<Opened> = vec![];
        for config in data_configs(&study) {
            let dataset = Dataset::open(&data, &config)?;
            let summary = check_data(&dataset, watch)?;
            let fold = config.fold;
            if let Some(same) =
                opened.iter().find(|other| other.config.fold != fold && other.summary.hash == summary.hash)
            {
                bail!(
                    "{}: folds {} and {fold} are the same images, as this data set has no folds; write folds = [{}] in {}",
                    data.display(),
                    same.config.fold,
                    same.config.fold,
                    study.path.display(),
                );
            }
            opened.push(Opened { config, dataset, summary });
        }
        let planned = plan(&study, &opened, &out)?;
        Ok(Self { study, data, out, chosen, opened, planned })
    }

    fn of(&self, run: &Planned) -> anyhow::Result<&Opened> {
        self.opened.get(run.opened).context("a data set that was not opened")
    }

    fn variant(&self, run: &Planned) -> &str {
        self.study.variants.get(run.variant).map_or("?", |variant| &variant.name)
    }

    /// Says what will be trained, and how long that takes, before anything is.
    pub(crate) fn announce(&self, watch: &dyn Watch) -> anyhow::Result<()> {
        let study = &self.study;
        watch.say(&format!(
            "{}: {} variants x {} seeds x {} folds, {} runs to train or to use",
            study.path.display(),
            study.variants.len(),
            study.seeds.len(),
            study.folds.len(),
            trainings(&self.planned),
        ));
        let mut epochs = BTreeMap::new();
        for run in &self.planned {
            let history = read_history(&run.folder).unwrap_or_default();
            let seconds: f64 = history.iter().map(|row| row.train_seconds + row.valid_seconds).sum();
            if !history.is_empty() {
                epochs.insert(cost(&run.training), seconds / history.len() as f64);
            }
        }
        let (mut seen, mut total, mut left) = (BTreeSet::new(), 0.0, 0);
        for (index, variant) in study.variants.iter().enumerate() {
            let (mut new, mut begun, mut shared, mut seconds) = (0, 0, 0, 0.0);
            for run in self.planned.iter().filter(|run| run.variant == index) {
                if !seen.insert(run.folder.path()) {
                    shared += 1;
                    continue;
                }
                let state = run.state();
                if state == State::Ready {
                    continue;
                }
                if interrupt::asked() {
                    return Ok(());
                }
                new += 1;
                begun += usize::from(state == State::Begun);
                let done = read_history(&run.folder).map_or(0, |history| history.len());
                let kind = cost(&run.training);
                let epoch = match epochs.get(&kind) {
                    Some(epoch) => *epoch,
                    None => {
                        let timed = timed_epoch(&run.training, &self.chosen, &self.of(run)?.dataset)?;
                        *epochs.entry(kind).or_insert(timed)
                    }
                };
                seconds += epoch * run.training.train.epochs.saturating_sub(done) as f64;
            }
            let about = if new > 0 { format!(", about {}", in_words(seconds)) } else { String::new() };
            let words = [(begun, "of them begun"), (shared, "shared with variants above")];
            let words = words.into_iter().filter(|(count, _)| *count > 0);
            let words: String = words.map(|(count, what)| format!(", {count} {what}")).collect();
            watch.say(&format!("  {}: {new} to train{words}{about}", variant.name));
            total += seconds;
            left += new;
        }
        watch.say(&match left {
            0 => "none of the runs is to train here".to_owned(),
            left => format!("{left} runs to train on {}, about {} in all", self.chosen.name, in_words(total)),
        });
        Ok(())
    }

    /// Trains and judges what is missing, and writes the table, also of a part.
    pub(crate) fn run(&self, watch: &dyn Watch) -> anyhow::Result<Ended> {
        let mut failed = BTreeMap::new();
        let room = Room::set_aside(&self.out, 65_536 + 4096 * self.planned.len())?;
        let made = self.make(&mut failed, watch);
        drop(room);
        let rows = self.planned.iter().map(|run| self.row(run, &failed)).collect::<anyhow::Result<Vec<_>>>()?;
        let some_failed = rows.iter().any(|row| row.failure.is_some());
        let any = rows.iter().any(|row| row.judged);
        let results = Results { study: &self.study, rows, about: self.about() };
        if any || some_failed {
            let written = results.write(&self.out);
            watch.show(&text(&results.table()))?;
            // what stopped the runs is the error to tell
            if made.is_ok() {
                written?;
                watch.say(&format!("study.md, study.csv and study.json in {}", self.out.display()));
            }
        }
        Ok(match (made?, some_failed) {
            (true, _) => Ended::Interrupted,
            (false, true) => Ended::SomeFailed,
            (false, false) => Ended::Finished,
        })
    }

    /// Brings every run to its scores; true if the user stopped it.
    fn make(&self, failed: &mut BTreeMap<PathBuf, String>, watch: &dyn Watch) -> anyhow::Result<bool> {
        for (index, run) in self.planned.iter().enumerate() {
            let folder = run.folder.path();
            if failed.contains_key(folder) {
                continue;
            }
            if run.state() != State::Ready {
                let (number, all, name) = (index + 1, self.planned.len(), self.variant(run));
                watch.say(&format!("{number} of {all}: {name}, seed {}, fold {}", run.seed, run.fold));
                match self.train(run, watch) {
                    Ok(Outcome::Interrupted) => return Ok(true),
                    Ok(Outcome::Finished) => tidy(&run.folder),
                    Err(error) if is_of_this_run(&error) => {
                        watch.warn(&format!("{name}, seed {}, fold {}: {error}", run.seed, run.fold));
                        failed.insert(folder.to_owned(), error.to_string());
                        continue;
                    }
                    Err(error) => return Err(error),
                }
            }
            if interrupt::asked() || !self.judge(run, watch)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn train(&self, run: &Planned, watch: &dyn Watch) -> anyhow::Result<Outcome> {
        let resume = run.state() == State::Begun;
        let mut profile = run.training.clone();
        // of a run that another study began, the name may be another
        if resume && let Ok(begun) = Profile::from_file(&run.folder.profile()) {
            profile.name = begun.name;
        }
        let Opened { dataset, summary, .. } = self.of(run)?;
        let job = super::Run {
            profile,
            dataset: dataset.clone(),
            summary: summary.clone(),
            data: self.data.clone(),
            chosen: self.chosen.clone(),
            folder: run.folder.clone(),
            resume,
        };
        job.run(watch)
    }

    /// Judges a run's model unless that was done; false if the user stopped it.
    fn judge(&self, run: &Planned, watch: &dyn Watch) -> anyhow::Result<bool> {
        let dataset = &self.of(run)?.dataset;
        let (samples, folder) = (judged(dataset), run.evaluation());
        let masks = mask_state(&samples);
        if Scores::read(&folder, &masks).is_some() {
            return Ok(true);
        }
        let path = run.folder.best();
        let read = || -> anyhow::Result<Segmenter> {
            let bytes = read_bytes(&path)?;
            let (mut card, weights) = read_checkpoint(&bytes)?;
            card.model.mask = run.profile.model.mask.clone();
            card.threshold = run.profile.evaluation.threshold;
            Ok(Segmenter::from_checkpoint(card, &weights, &self.chosen.device)?)
        };
        let segmenter = read().with_context(|| {
            format!("{}: cannot be used; delete {} to train it again", path.display(), run.folder.path().display())
        })?;
        let count = watch.count(samples.len(), &format!("judging {}", self.variant(run)));
        let evaluation = evaluate(&segmenter, &samples, &run.profile.evaluation, &|done, _| count.set(done, ""));
        drop(count);
        evaluation.held_out()?;
        if interrupt::asked() {
            return Ok(false);
        }
        for (path, error) in &evaluation.failed {
            watch.warn(&format!("{}: {error}", path.display()));
        }
        let context = json!({
            "histomask": env!("CARGO_PKG_VERSION"),
            "command": std::env::args().collect::<Vec<_>>(),
            "model": path,
            "data": self.data,
            "split": "validation images, and all that have a mask",
            "device": self.chosen.name,
            "mask_settings": run.profile.model.mask,
            "threshold": run.profile.evaluation.threshold,
        });
        write_results(&folder, &evaluation, &context)?;
        // last, so that scores are there only if all is
        Scores::of(&evaluation, dataset, masks).write(&folder)?;
        Ok(true)
    }

    fn row(&self, run: &Planned, failed: &BTreeMap<PathBuf, String>) -> anyhow::Result<Row> {
        let masks = mask_state(&judged(&self.of(run)?.dataset));
        let scores = match run.state() {
            State::Ready => Scores::read(&run.evaluation(), &masks),
            State::Begun | State::Missing => None,
        };
        let row = Row {
            variant: self.variant(run).to_owned(),
            seed: run.seed,
            fold: run.fold,
            run: run.run(),
            failure: failed.get(run.folder.path()).map(|reason| format!("not trained: {reason}")),
            ..Row::default()
        };
        let Some(scores) = scores else { return Ok(row) };
        let unread = scores.failed_images;
        Ok(Row {
            class_error: scores.class_error,
            f1_plus: scores.f1_plus,
            f1_minus: scores.f1_minus,
            background_uncertainty: scores.background_uncertainty,
            all_ones_f1_plus: scores.all_ones_f1_plus,
            valid_images: scores.valid_images,
            mask_images: scores.mask_images,
            judged: true,
            failure: row.failure.or_else(|| (unread > 0).then(|| format!("{unread} images could not be judged"))),
            ..row
        })
    }

    fn about(&self) -> About {
        let mut notes = vec![];
        let with = self.opened.iter().any(|opened| judged(&opened.dataset).iter().any(|sample| sample.mask.is_some()));
        if !with {
            notes.push("No image has a mask: there is no F1+ and no F1-.".to_owned());
        }
        let divides =
            |opened: &Opened| opened.dataset.layout == Layout::Glas && opened.config.folds == Folds::Published;
        if self.opened.iter().any(divides) {
            notes.push(
                "The published folds put images of one patient on both sides: the error is not that of patients unseen \
                 (\"data.folds\" = \"patients\")."
                    .to_owned(),
            );
        }
        if self.planned.iter().any(|run| run.profile.model.method.learns_from_masks()) {
            notes.push(
                "A method here learns from the masks of its training images, which F1+ and F1- count too.".to_owned(),
            );
        }
        About {
            data: self.data.display().to_string(),
            hashes: self.opened.iter().map(|opened| opened.summary.hash.clone()).collect(),
            device: self.chosen.name.clone(),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            notes,
        }
    }
}

/// Whether an error says that this run cannot be had, while the others can.
fn is_of_this_run(error: &anyhow::Error) -> bool {
    use TrainError as E;
    matches!(error.downcast_ref(), Some(E::NoMasks | E::NoLoss | E::NoValidation | E::Resume(_) | E::Diverged { .. }))
}

/// What the time of an epoch depends on.
fn cost(profile: &Profile) -> String {
    let (model, train, input) = (&profile.model, &profile.train, &profile.input);
    let network = (model.method, model.backbone, model.backbone_blocks, model.backbone_channels);
    format!("{network:?} {} {} {:?}", train.batch_size, input.crop, profile.data)
}
