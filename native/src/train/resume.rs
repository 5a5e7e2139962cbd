use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use histomask_core::loss::Term;
use histomask_core::weights::{Precision, StateDict, WeightsError, read_metadata, read_weights, write_weights};
use serde::{Deserialize, Serialize};

use super::EpochRow;
use crate::weights::read_bytes;

/// Where a run stands between two steps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Epochs finished.
    pub epoch: usize,
    /// Steps finished in the epoch under way.
    pub step: usize,
    /// Steps that the average of weights has taken in.
    #[serde(default)]
    pub averaged: usize,
    /// Images seen in it.
    pub images: usize,
    /// Of those, classified wrongly.
    pub wrong: usize,
    /// Seconds spent in it.
    pub seconds: f64,
    /// Hash of the data set.
    pub data_hash: String,
    /// The profile, which a resumed run must share but for its number of epochs.
    pub profile: String,
    /// Where the backbone's first weights came from.
    pub initial_weights: String,
    /// Loss terms summed over its images.
    pub sums: BTreeMap<Term, f64>,
    /// The epochs so far.
    pub history: Vec<EpochRow>,
}

/// A run cannot be resumed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResumeError {
    /// No state file.
    #[error("{path}: cannot read ({source}); there is no run to resume in this folder")]
    Missing {
        /// The state file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not a state file.
    #[error("{path}: not the state of a histomask run ({reason}); start a new run in another folder")]
    Damaged {
        /// The state file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Other data.
    #[error("the data set has changed since this run began (hash {now}, was {then}); start a new run for the new data")]
    OtherData {
        /// Hash now.
        now: String,
        /// Hash then.
        then: String,
    },
    /// Another profile.
    #[error(
        "the profile differs from this run's in {keys}; only train.epochs, train.workers and train.save_minutes may change on \
         --resume, start a new run in another folder"
    )]
    OtherProfile {
        /// The keys that differ.
        keys: String,
    },
}

/// The tensors of a run between two steps.
pub(super) struct Tensors {
    /// Weights and running statistics.
    pub(super) model: StateDict,
    /// Momentum.
    pub(super) velocity: StateDict,
    /// Average of weights, empty where none is kept.
    pub(super) average: StateDict,
}

/// One file of weights, momentum, average and progress, so that a crash leaves all of one moment.
pub(super) fn write(tensors: Tensors, progress: &Progress) -> Result<Vec<u8>, WeightsError> {
    let prefixed = |prefix: &'static str, state: StateDict| {
        state.into_iter().map(move |(name, data)| (format!("{prefix}{name}"), data))
    };
    let Tensors { model, velocity, average } = tensors;
    let all = prefixed("model.", model).chain(prefixed("velocity.", velocity)).chain(prefixed("average.", average));
    // TOML rather than JSON: its numbers are read back to the last bit
    let text = toml::to_string(progress).map_err(|error| WeightsError::Format(error.to_string()))?;
    write_weights(&all.collect(), Some(text), Precision::Full)
}

/// Tensors and progress of the run whose state is at `path`.
pub(super) fn read(path: &Path) -> Result<(Tensors, Progress), ResumeError> {
    let damaged = |reason: String| ResumeError::Damaged { path: path.to_owned(), reason };
    let bytes = read_bytes(path).map_err(|source| ResumeError::Missing { path: path.to_owned(), source })?;
    let text = read_metadata(&bytes).map_err(|error| damaged(error.to_string()))?;
    let text = text.ok_or_else(|| damaged("it has no progress".into()))?;
    let progress = toml::from_str(&text).map_err(|error| damaged(error.to_string()))?;
    let all = read_weights(&bytes).map_err(|error| damaged(error.to_string()))?;
    let with = |prefix: &str| -> StateDict {
        all.iter().filter_map(|(name, data)| Some((name.strip_prefix(prefix)?.to_owned(), data.clone()))).collect()
    };
    Ok((Tensors { model: with("model."), velocity: with("velocity."), average: with("average.") }, progress))
}
