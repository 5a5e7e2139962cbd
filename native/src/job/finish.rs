//! A run of a study or of the paper's artefacts brought to its end.

use super::train::Run;
use super::watch::Watch;
use crate::profile::Profile;
use crate::reproduce::{State, tidy};
use crate::told_once::told_once;
use crate::train::{Outcome, TrainError};

/// How that ended.
pub(super) enum Trained {
    Finished,
    /// The user stopped it.
    Interrupted,
    /// Why this run cannot be had; others can.
    Failed(String),
}

/// Trains a run, from where it was left if it was begun.
pub(super) fn finish(mut run: Run, watch: &dyn Watch) -> anyhow::Result<Trained> {
    run.resume = State::of(&run.folder) == State::Begun;
    if run.resume
        && let Ok(begun) = Profile::from_file(&run.folder.profile())
    {
        // no part of what makes it this run: another study may have begun it, from another copy of the weights
        (run.profile.name, run.profile.weights) = (begun.name, begun.weights);
    }
    match run.run(watch) {
        Ok(Outcome::Finished) => {
            tidy(&run.folder);
            Ok(Trained::Finished)
        }
        Ok(Outcome::Interrupted) => Ok(Trained::Interrupted),
        Err(error) if error.downcast_ref().is_some_and(TrainError::is_of_one_run) => {
            Ok(Trained::Failed(told_once(&error)))
        }
        Err(error) => Err(error),
    }
}
