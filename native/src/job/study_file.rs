//! A study from a file: its data opened, its runs trained and judged where they are missing, its table written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context as _, bail};

use super::finish::{Trained, finish};
use super::judge::{Judge, Judged};
use super::train::check_data;
use super::watch::Watch;
use crate::atomic::Room;
use crate::data::{Dataset, Folds, Layout};
use crate::device::Chosen;
use crate::interrupt;
use crate::reproduce::{Estimator, State, in_words, model, text};
use crate::study::{About, Opened, Planned, Results, Row, Scores, StudyFile, data_configs, plan, trainings};

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
            opened.push(Opened::new(config, dataset, summary));
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
        let mut estimator = Estimator::default();
        for run in &self.planned {
            estimator.learn(run.asked(self.of(run)?));
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
                seconds += estimator.left(run.asked(self.of(run)?), &self.chosen)?;
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

    /// Brings every run to its scores; true if the user stopped it. What cannot be had is in `failed`, by its folder.
    fn make(&self, failed: &mut BTreeMap<PathBuf, String>, watch: &dyn Watch) -> anyhow::Result<bool> {
        for (index, run) in self.planned.iter().enumerate() {
            if failed.contains_key(run.folder.path()) {
                continue;
            }
            let name = format!("{}, seed {}, fold {}", self.variant(run), run.seed, run.fold);
            if run.state() != State::Ready {
                watch.say(&format!("{} of {}: {name}", index + 1, self.planned.len()));
                match self.train(run, watch)? {
                    Trained::Interrupted => return Ok(true),
                    Trained::Finished => {}
                    Trained::Failed(reason) => {
                        watch.warn(&format!("{name}: {reason}"));
                        failed.insert(run.folder.path().to_owned(), format!("not trained: {reason}"));
                        continue;
                    }
                }
            }
            if interrupt::asked() {
                return Ok(true);
            }
            match self.judge(run, watch)? {
                Some(Judged::Stopped) => return Ok(true),
                Some(Judged::Failed(reason)) => drop(failed.insert(run.evaluation.clone(), reason)),
                Some(Judged::Whole(_)) | None => {}
            }
        }
        Ok(false)
    }

    fn train(&self, run: &Planned, watch: &dyn Watch) -> anyhow::Result<Trained> {
        let Opened { dataset, summary, .. } = self.of(run)?;
        let job = super::Run {
            profile: run.training.clone(),
            dataset: dataset.clone(),
            summary: summary.clone(),
            data: self.data.clone(),
            chosen: self.chosen.clone(),
            folder: run.folder.clone(),
            resume: false,
        };
        finish(job, watch)
    }

    /// Judges a run's model; nothing if that was done.
    fn judge(&self, run: &Planned, watch: &dyn Watch) -> anyhow::Result<Option<Judged>> {
        let opened = self.of(run)?;
        if Scores::read(&run.evaluation, &opened.judged_masks).is_some() {
            return Ok(None);
        }
        let segmenter = model(&run.folder, &run.folder.best(), &self.chosen.device, |card| {
            card.model.mask = run.profile.model.mask.clone();
            card.threshold = run.profile.evaluation.threshold;
        })?;
        let judge = Judge {
            segmenter: &segmenter,
            samples: &opened.judged,
            split: "validation images, and all that have a mask",
            config: &run.profile.evaluation,
            model: run.folder.best(),
            data: &self.data,
            device: &self.chosen.name,
            folder: &run.evaluation,
        };
        let judged = judge.run(&format!("judging {}", self.variant(run)), watch)?;
        if let Judged::Whole(evaluation) = &judged {
            // last, so that scores are there only if all is
            Scores::of(evaluation, &opened.dataset.valid, opened.judged_masks.clone()).write(&run.evaluation)?;
        }
        Ok(Some(judged))
    }

    fn row(&self, run: &Planned, failed: &BTreeMap<PathBuf, String>) -> anyhow::Result<Row> {
        let scores = match run.state() {
            State::Ready => Scores::read(&run.evaluation, &self.of(run)?.judged_masks),
            State::Begun | State::Missing => None,
        };
        let row = Row {
            variant: self.variant(run).to_owned(),
            seed: run.seed,
            fold: run.fold,
            run: run.run(),
            failure: failed.get(run.folder.path()).or_else(|| failed.get(&run.evaluation)).cloned(),
            ..Row::default()
        };
        let Some(scores) = scores else { return Ok(row) };
        Ok(Row {
            class_error: scores.class_error,
            f1_plus: scores.f1_plus,
            f1_minus: scores.f1_minus,
            background_uncertainty: scores.background_uncertainty,
            all_ones_f1_plus: scores.all_ones_f1_plus,
            valid_images: scores.valid_images,
            mask_images: scores.mask_images,
            judged: true,
            ..row
        })
    }

    fn about(&self) -> About {
        let mut notes = vec![];
        let with = self.opened.iter().any(|opened| opened.judged.iter().any(|sample| sample.mask.is_some()));
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
