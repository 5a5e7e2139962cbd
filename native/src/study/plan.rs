//! The runs of a study: one folder for each combination of trained settings and data, shared by the variants that differ
//! only in how masks are made of the trained model.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::file::{StudyFile, of_run};
use crate::data::check::Summary;
use crate::data::{DataConfig, Dataset};
use crate::profile::{Profile, ProfileError};
use crate::reproduce::{State, mask_state};
use crate::train::RunFolder;

/// Settings that training does not depend on. `votes` and `smallest` are passed over by versions that do not know it.
const NOT_TRAINED: [&str; 6] = [
    "train.workers",
    "evaluation.threshold",
    "model.mask.prior",
    "model.mask.tissue",
    "model.mask.votes",
    "model.mask.smallest",
];

/// A data set as one `[data]` table divides it, checked.
pub(crate) struct Opened {
    pub(crate) config: DataConfig,
    pub(crate) dataset: Dataset,
    pub(crate) summary: Summary,
}

/// A variant with one seed and fold.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    /// Index of the variant.
    pub(crate) variant: usize,
    pub(crate) seed: u64,
    pub(crate) fold: usize,
    /// The settings it is trained with: of what training does not depend on, the default's.
    pub(crate) training: Profile,
    /// The settings its model is judged with.
    pub(crate) profile: Profile,
    /// Index of its data set.
    pub(crate) opened: usize,
    pub(crate) folder: RunFolder,
}

impl Planned {
    pub(crate) fn state(&self) -> State {
        State::of(&self.folder)
    }

    /// Name of its folder below `runs`.
    pub(crate) fn run(&self) -> String {
        self.folder.path().file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Where its scores lie: named by what masks are made and judged with.
    pub(crate) fn evaluation(&self) -> PathBuf {
        let made_with = format!("{:?} {:?}", self.profile.model.mask, self.profile.evaluation);
        self.folder.path().join(format!("evaluation-{}", short(made_with.as_bytes(), 8)))
    }
}

/// The `[data]` tables of a study, each once.
pub(crate) fn data_configs(study: &StudyFile) -> Vec<DataConfig> {
    let mut configs: Vec<DataConfig> = vec![];
    for variant in &study.variants {
        for &fold in &study.folds {
            let config = DataConfig { fold, ..variant.profile.data.clone() };
            if !configs.contains(&config) {
                configs.push(config);
            }
        }
    }
    configs
}

/// All runs, seed after seed, so that what is done can be compared before all is done.
///
/// # Errors
/// [`ProfileError`] for settings that do not go together.
pub(crate) fn plan(study: &StudyFile, opened: &[Opened], out: &Path) -> Result<Vec<Planned>, ProfileError> {
    let mut planned = Vec::new();
    for &seed in &study.seeds {
        for &fold in &study.folds {
            for (variant, settings) in study.variants.iter().enumerate() {
                let profile = of_run(&settings.profile, seed, fold)?;
                let training = profile.with_defaults_of(&NOT_TRAINED)?;
                let Some(index) = opened.iter().position(|opened| opened.config == profile.data) else { continue };
                let Some(Opened { dataset, summary, .. }) = opened.get(index) else { continue };
                let masks = profile.model.method.learns_from_masks().then(|| mask_state(&dataset.train));
                let folder = out.join("runs").join(run_name(&training, &summary.hash, masks.as_deref())?);
                let folder = RunFolder::new(folder);
                planned.push(Planned { variant, seed, fold, training, profile, opened: index, folder });
            }
        }
    }
    Ok(planned)
}

/// How many folders the runs take.
pub(crate) fn trainings(planned: &[Planned]) -> usize {
    planned.iter().map(|run| run.folder.path()).collect::<BTreeSet<_>>().len()
}

/// A hash of the settings that training depends on, and of the data. Only values that differ from the default's count,
/// so that a setting that a later version brings changes no name.
fn run_name(training: &Profile, data: &str, masks: Option<&str>) -> Result<String, ProfileError> {
    let mut lines = training.changes()?;
    // another name is no other training
    lines.retain(|line| !line.starts_with("name = "));
    lines.push(format!("data {data}"));
    lines.extend(masks.map(|masks| format!("masks {masks}")));
    Ok(short(lines.join("\n").as_bytes(), 16))
}

fn short(bytes: &[u8], digits: usize) -> String {
    blake3::hash(bytes).to_hex().chars().take(digits).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    fn name(data: &str, change: fn(&mut Profile)) -> String {
        let mut profile = Profile::named("histomask").unwrap();
        change(&mut profile);
        run_name(&profile.with_defaults_of(&NOT_TRAINED).unwrap(), data, None).unwrap()
    }

    #[test]
    fn runs_that_differ_only_in_how_masks_are_made_are_one() {
        let recipe = name("data", |_| ());
        let shared: [fn(&mut Profile); 5] = [
            |profile| profile.model.mask.prior = 0.0,
            |profile| profile.model.mask.tissue = false,
            |profile| profile.evaluation.threshold = 0.4,
            |profile| profile.train.workers = 7,
            |profile| profile.name = "mine".into(),
        ];
        assert!(shared.into_iter().all(|change| name("data", change) == recipe));
        let others: [fn(&mut Profile); 5] = [
            |profile| profile.train.seed = 1,
            |profile| profile.data.fold = 1,
            |profile| profile.loss.background_weight = 0.1,
            |profile| profile.model.mask.omega = 5.0,
            |profile| profile.weights = "none".into(),
        ];
        let mut names: BTreeSet<_> = others.into_iter().map(|change| name("data", change)).collect();
        names.extend([recipe, name("other data", |_| ())]);
        assert_eq!(names.len(), 7);
    }

    #[test]
    fn shared_runs_have_scores_of_their_own() {
        let planned = |change: fn(&mut Profile)| {
            let mut profile = Profile::named("histomask").unwrap();
            change(&mut profile);
            let training = profile.with_defaults_of(&NOT_TRAINED).unwrap();
            Planned { variant: 0, seed: 0, fold: 0, training, profile, opened: 0, folder: RunFolder::new("runs/a") }
        };
        let (a, b, c) = (
            planned(|_| ()),
            planned(|profile| profile.model.mask.prior = 0.0),
            planned(|profile| profile.train.workers = 9),
        );
        assert_eq!(a.training, b.training);
        assert_ne!(a.evaluation(), b.evaluation());
        assert_eq!(a.evaluation(), c.evaluation());
        assert_eq!(trainings(&[a, b, c]), 1);
    }
}
