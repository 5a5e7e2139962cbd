//! Everything the artefacts draw from: data, runs, scores, models and the device.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use histomask_core::{ModelCard, Segmenter};

use super::material::{Material, Source, mask_state};
use super::plan::{Arm, Evaluated, Plan, Repeats};
use super::recipe::Recipe;
use super::runs::{Run, State, model};
use super::scores::{self, Scores};
use crate::data::check::Summary;
use crate::data::{Dataset, Sample, SplitChoice};
use crate::device::Chosen;
use crate::profile::ProfileError;
use crate::trust::Probes;

/// A call of `histomask reproduce`.
pub(crate) struct Study {
    pub(crate) recipe: Recipe,
    pub(crate) seeds: Vec<u64>,
    pub(crate) folds: Vec<usize>,
    /// The images asked for with `--split`.
    pub(crate) split: Option<SplitChoice>,
    pub(crate) out: PathBuf,
    pub(crate) chosen: Chosen,
    pub(crate) materials: BTreeMap<Source, Material>,
    /// Runs that could not be trained, by folder, with the reason.
    pub(crate) failed: RefCell<BTreeMap<PathBuf, String>>,
}

impl Study {
    pub(crate) fn material(&self, source: Source) -> anyhow::Result<&Material> {
        self.materials.get(&source).with_context(|| format!("{} was not opened", source.name()))
    }

    /// The runs of one arm: a run for each seed and fold, none twice.
    pub(crate) fn runs(&self, source: Source, arm: &Arm, repeats: Repeats) -> anyhow::Result<Vec<Run>> {
        let material = self.material(source)?;
        let take = if repeats == Repeats::First { 1 } else { usize::MAX };
        let (mut runs, mut seen) = (Vec::new(), BTreeSet::new());
        for &fold in self.folds.iter().take(take) {
            for &seed in self.seeds.iter().take(take) {
                let make = || -> Result<Run, ProfileError> {
                    let profile = self.recipe.run(material, arm, seed, fold)?;
                    Run::new(&self.out.join("runs"), material, profile, arm.method.kind())
                };
                let run = make().with_context(|| arm.label.clone())?;
                if seen.insert(run.folder.path().to_owned()) {
                    runs.push(run);
                }
            }
        }
        Ok(runs)
    }

    /// All runs of a plan, with their arms.
    pub(crate) fn all_runs(&self, plan: &Plan) -> anyhow::Result<Vec<Run>> {
        let of = |arm| self.runs(plan.source, arm, plan.repeats);
        Ok(plan.arms.iter().map(of).collect::<Result<Vec<_>, _>>()?.concat())
    }

    /// The splits that a plan evaluates, without empty ones.
    pub(crate) fn splits(&self, plan: &Plan) -> anyhow::Result<Vec<SplitChoice>> {
        let material = self.material(plan.source)?;
        let filled =
            |split: &SplitChoice| material.folds.values().any(|(dataset, _)| !split.samples(dataset).is_empty());
        Ok(match &plan.evaluated {
            Evaluated::Nothing => vec![],
            Evaluated::Judged => vec![self.judged(plan.source)?],
            Evaluated::Splits(splits) => splits.iter().copied().filter(filled).collect(),
        })
    }

    /// The images that results are reported on.
    pub(crate) fn judged(&self, source: Source) -> anyhow::Result<SplitChoice> {
        Ok(self.material(source)?.judged(self.split))
    }

    /// The images of a run's fold.
    pub(crate) fn samples(&self, run: &Run, split: SplitChoice) -> anyhow::Result<Vec<Sample>> {
        Ok(split.samples(&self.opened(run)?.0))
    }

    /// The data of a run's fold, checked.
    pub(crate) fn opened(&self, run: &Run) -> anyhow::Result<&(Dataset, Summary)> {
        self.material(run.source)?.folds.get(&run.fold()).context("a fold that was not opened")
    }

    /// A run's scores on a split; none before it is evaluated.
    pub(crate) fn scores(&self, run: &Run, split: SplitChoice) -> anyhow::Result<Option<Scores>> {
        Ok(scores::read(&run.evaluation(split), &mask_state(&self.samples(run, split)?)))
    }

    /// Scores of every run of an arm on the judged images; runs that failed are left out.
    pub(crate) fn arm_scores(&self, source: Source, arm: &Arm) -> anyhow::Result<Vec<Scores>> {
        let split = self.judged(source)?;
        let runs = self.runs(source, arm, Repeats::All)?;
        let scores = runs.iter().map(|run| self.scores(run, split)).collect::<anyhow::Result<Vec<_>>>()?;
        Ok(scores.into_iter().flatten().collect())
    }

    /// What the probes found on the judged images; none before they have.
    pub(crate) fn probes(&self, run: &Run) -> anyhow::Result<Option<Probes>> {
        let file = std::fs::read(run.probes(self.judged(run.source)?));
        Ok(file.ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// The model of a run that is judged, read as its method.
    pub(crate) fn segmenter(&self, run: &Run) -> anyhow::Result<Segmenter> {
        let device = &self.chosen.device;
        if !run.profile.model.method.is_trained() {
            let (dataset, _) = self.opened(run)?;
            let card = ModelCard::all_ones(dataset.classes.clone(), run.profile.input.preprocess());
            return Ok(Segmenter::new(card.model.init(card.classes.len(), device), card, device));
        }
        if run.state() != State::Ready {
            bail!("{}: this run is not finished", run.folder.path().display());
        }
        model(&run.folder, &run.model(), device, |card| card.model.method = run.read_as)
    }

    /// Why runs of an arm are missing from a result.
    pub(crate) fn failures(&self, plan: &Plan) -> anyhow::Result<Vec<String>> {
        let failed = self.failed.borrow();
        let mut notes = BTreeSet::new();
        for arm in &plan.arms {
            for run in self.runs(plan.source, arm, plan.repeats)? {
                if let Some(reason) = failed.get(run.folder.path()) {
                    notes.insert(format!("{}, seed {}, fold {}: {reason}", arm.label, run.seed(), run.fold()));
                }
            }
        }
        Ok(notes.into_iter().collect())
    }
}
