//! The runs of a study: one folder for each combination of trained settings and data, shared by the variants that differ
//! only in how masks are made of the trained model.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::file::{StudyFile, of_run};
use crate::data::check::Summary;
use crate::data::{DataConfig, Dataset, Sample, Split};
use crate::profile::{Profile, ProfileError};
use crate::reproduce::{Asked, State, mask_state, telling};
use crate::train::RunFolder;

/// Settings of how masks are made of a trained model and judged, which training does not depend on.
const NOT_TRAINED: [&str; 5] =
    ["evaluation.threshold", "model.mask.prior", "model.mask.tissue", "model.mask.votes", "model.mask.smallest"];

/// A data set as one `[data]` table divides it, checked.
pub(crate) struct Opened {
    pub(crate) config: DataConfig,
    pub(crate) dataset: Dataset,
    pub(crate) summary: Summary,
    /// The images that runs are judged on: those for validation, and all that have a mask.
    pub(crate) judged: Vec<Sample>,
    /// State of the masks that scores of these come from.
    pub(crate) judged_masks: String,
    /// State of the masks that methods learn from which learn from masks.
    pub(crate) trained_masks: String,
}

impl Opened {
    pub(crate) fn new(config: DataConfig, dataset: Dataset, summary: Summary) -> Self {
        let wanted = |(split, sample): &(Split, &Sample)| *split == Split::Valid || sample.mask.is_some();
        let judged: Vec<_> = dataset.samples().filter(wanted).map(|(_, sample)| sample.clone()).collect();
        let [judged_masks, trained_masks] = [&judged, &dataset.train].map(|samples| mask_state(samples));
        Self { config, dataset, summary, judged, judged_masks, trained_masks }
    }
}

/// A variant with one seed and fold.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    /// Index of the variant.
    pub(crate) variant: usize,
    pub(crate) seed: u64,
    pub(crate) fold: usize,
    /// The settings it is trained with: of how masks are made and judged, the default's.
    pub(crate) training: Profile,
    /// The settings its model is judged with.
    pub(crate) profile: Profile,
    /// Index of its data set.
    pub(crate) opened: usize,
    pub(crate) folder: RunFolder,
    /// Where its scores lie: named by how masks are made and judged.
    pub(crate) evaluation: PathBuf,
}

impl Planned {
    pub(crate) fn state(&self) -> State {
        State::of(&self.folder)
    }

    /// Name of its folder below `runs`.
    pub(crate) fn run(&self) -> String {
        self.folder.path().file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The run, for an estimate of its time.
    pub(crate) fn asked<'a>(&'a self, opened: &'a Opened) -> Asked<'a> {
        Asked { folder: &self.folder, profile: &self.training, dataset: &opened.dataset }
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
                let Some(data) = opened.get(index) else { continue };
                let masks = profile.model.method.learns_from_masks().then_some(data.trained_masks.as_str());
                let folder = out.join("runs").join(run_name(&training, &data.summary.hash, masks)?);
                let evaluation = folder.join(evaluation_name(&profile)?);
                let folder = RunFolder::new(folder);
                planned.push(Planned { variant, seed, fold, training, profile, opened: index, folder, evaluation });
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
    let mut lines = telling(training)?.changes()?;
    lines.push(format!("data {data}"));
    lines.extend(masks.map(|masks| format!("masks {masks}")));
    Ok(short(lines.join("\n").as_bytes(), 16))
}

/// A hash of the settings that masks are made and judged with, likewise.
fn evaluation_name(profile: &Profile) -> Result<String, ProfileError> {
    let mut lines = profile.changes()?;
    lines.retain(|line| ["model.mask.", "evaluation."].iter().any(|table| line.starts_with(table)));
    Ok(format!("evaluation-{}", short(lines.join("\n").as_bytes(), 8)))
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
        let shared: [fn(&mut Profile); 6] = [
            |profile| profile.model.mask.prior = 0.0,
            |profile| profile.model.mask.tissue = false,
            |profile| profile.evaluation.threshold = 0.4,
            |profile| profile.train.workers = 7,
            |profile| profile.train.save_minutes = 1.0,
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
    fn weights_count_by_their_content() {
        let folder = tempfile::tempdir().unwrap();
        let of = |file: &str, bytes: &[u8]| {
            let path = folder.path().join(file);
            std::fs::write(&path, bytes).unwrap();
            let mut profile = Profile::named("histomask").unwrap();
            profile.weights = path.to_str().unwrap().to_owned();
            run_name(&profile, "data", None).unwrap()
        };
        let one = of("a.pth", b"one");
        assert_eq!(of("copy.pth", b"one"), one);
        assert_ne!(of("b.pth", b"two"), one);
    }

    /// One variant, seed and fold of a data set without images.
    fn planned(change: fn(&mut Profile)) -> Planned {
        let mut profile = Profile::named("histomask").unwrap();
        change(&mut profile);
        let dataset = Dataset {
            root: "data".into(),
            layout: crate::data::Layout::Folders,
            classes: vec![],
            train: vec![],
            valid: vec![],
            test: vec![],
            warnings: vec![],
            left_out: crate::data::LeftOut::default(),
        };
        let summary = Summary {
            classes: vec![],
            counts: vec![],
            smallest: (0, 0),
            largest: (0, 0),
            valid_sizes: vec![],
            hash: "data".into(),
            warnings: vec![],
        };
        let opened = Opened::new(profile.data.clone(), dataset, summary);
        let study = StudyFile {
            path: "mine.toml".into(),
            profile: "histomask".into(),
            seeds: vec![0],
            folds: vec![0],
            variants: vec![super::super::file::Variant { name: "a".into(), profile, settings: toml::Table::new() }],
        };
        plan(&study, &[opened], Path::new("out")).unwrap().pop().unwrap()
    }

    #[test]
    fn shared_runs_have_scores_of_their_own() {
        let (a, b, c) = (
            planned(|_| ()),
            planned(|profile| profile.model.mask.prior = 0.0),
            planned(|profile| (profile.train.workers, profile.train.save_minutes) = (9, 3.0)),
        );
        assert_eq!(a.training, b.training);
        assert_ne!(a.evaluation, b.evaluation);
        assert_eq!(a.evaluation, c.evaluation);
        // as it was asked for, though the run is the same
        assert_eq!((c.training.train.workers, c.training.train.save_minutes), (9, 3.0));
        assert_eq!(trainings(&[a, b, c]), 1);
    }
}
