//! Runs on disk: one folder for each combination of settings and data, shared by all artefacts that need it.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use histomask_core::config::BackgroundTerm;
use histomask_core::weights::read_checkpoint;
use histomask_core::{Device, MethodKind, ModelCard, Segmenter};
use serde::Deserialize;

use super::identity::identity;
use super::material::{Material, Source};
use crate::data::SplitChoice;
use crate::profile::{Profile, ProfileError};
use crate::train::RunFolder;
use crate::weights::read_bytes;

/// One training run, or All-ones, which needs none.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) source: Source,
    pub(crate) profile: Profile,
    /// The method its model is read as.
    pub(crate) read_as: MethodKind,
    pub(crate) folder: RunFolder,
    /// The epoch whose checkpoint is judged; none for the best.
    pub(crate) epoch: Option<usize>,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing to train, or trained to its end.
    Ready,
    /// Stopped on the way; goes on from there.
    Begun,
    /// Not there.
    Missing,
}

impl State {
    /// How far the training in a folder has come.
    pub(crate) fn of(folder: &RunFolder) -> Self {
        if finished(&folder.run_json()) && folder.best().is_file() {
            Self::Ready
        } else if folder.state().is_file() {
            Self::Begun
        } else {
            Self::Missing
        }
    }
}

/// Removes what only an unfinished run needs: three quarters of its bytes.
pub(crate) fn tidy(folder: &RunFolder) {
    // what cannot be removed does no harm
    let _ = std::fs::remove_file(folder.state());
    let _ = std::fs::remove_file(folder.last());
    let _ = std::fs::remove_dir_all(folder.path().join("erased"));
}

/// A model of a finished run, its card changed for what it is judged as.
pub(crate) fn model(
    folder: &RunFolder,
    checkpoint: &Path,
    device: &Device,
    change: impl FnOnce(&mut ModelCard),
) -> anyhow::Result<Segmenter> {
    let read = || -> anyhow::Result<Segmenter> {
        let bytes = read_bytes(checkpoint)?;
        let (mut card, weights) = read_checkpoint(&bytes)?;
        change(&mut card);
        Ok(Segmenter::from_checkpoint(card, &weights, device)?)
    };
    read().with_context(|| {
        format!("{}: cannot be used; delete {} to train it again", checkpoint.display(), folder.path().display())
    })
}

impl Run {
    /// The run of these settings below `runs`.
    pub(crate) fn new(
        runs: &Path,
        material: &Material,
        profile: Profile,
        read_as: MethodKind,
    ) -> Result<Self, ProfileError> {
        let folder = RunFolder::new(runs.join(name(material, &profile)?));
        Ok(Self { source: material.source, profile, read_as, folder, epoch: None })
    }

    /// The run as it was after each epoch that it keeps beside its end.
    pub(crate) fn on_the_way(&self) -> impl Iterator<Item = Self> {
        let train = &self.profile.train;
        let epochs = (1..train.epochs).filter(|epoch| epoch.checked_rem(train.keep_every) == Some(0));
        epochs.map(|epoch| Self { epoch: Some(epoch), ..self.clone() })
    }

    /// The checkpoint that is judged.
    pub(crate) fn model(&self) -> PathBuf {
        self.epoch.map_or_else(|| self.folder.best(), |epoch| self.folder.kept(epoch))
    }

    pub(crate) fn seed(&self) -> u64 {
        self.profile.train.seed
    }

    pub(crate) fn fold(&self) -> usize {
        self.profile.data.fold
    }

    pub(crate) fn state(&self) -> State {
        if !self.profile.model.method.is_trained() {
            return State::Ready;
        }
        State::of(&self.folder)
    }

    /// Where its scores on a split lie.
    pub(crate) fn evaluation(&self, split: SplitChoice) -> PathBuf {
        let own = self.read_as == self.profile.model.method;
        let method = if own { String::new() } else { format!("{}-", self.read_as) };
        self.folder.path().join(format!("evaluation-{method}{}{}", split.name(), self.of_epoch()))
    }

    /// Where the accuracies of the probes on a split lie.
    pub(crate) fn probes(&self, split: SplitChoice) -> PathBuf {
        self.folder.path().join(format!("probes-{}{}.json", split.name(), self.of_epoch()))
    }

    fn of_epoch(&self) -> String {
        self.epoch.map(|epoch| format!("-epoch-{epoch:03}")).unwrap_or_default()
    }
}

/// Method, seed, fold and a hash of everything that the result depends on.
fn name(material: &Material, profile: &Profile) -> Result<String, ProfileError> {
    let hash = identity(material, profile)?;
    let background = match (profile.model.method, profile.loss.background) {
        (MethodKind::MaxMin, BackgroundTerm::Eem) => "-eem",
        (MethodKind::MaxMin, BackgroundTerm::Sem) => "-sem",
        _ => "",
    };
    let (method, seed, fold) = (profile.model.method, profile.train.seed, profile.data.fold);
    Ok(format!("{method}{background}-seed{seed}-fold{fold}-{}", hash.get(..12).unwrap_or_default()))
}

#[derive(Deserialize)]
struct RunJson {
    state: String,
}

fn finished(run_json: &Path) -> bool {
    let run = std::fs::read(run_json).ok().and_then(|bytes| serde_json::from_slice::<RunJson>(&bytes).ok());
    run.is_some_and(|run| run.state == "finished")
}
