//! What a run needs, and who hears of it.

use std::path::PathBuf;

use histomask_core::Device;

use super::{EpochRow, RunFolder, UntrainedRow};
use crate::data::Dataset;
use crate::profile::Profile;

/// A run to be made.
pub struct TrainJob<'a> {
    /// How to train.
    pub profile: &'a Profile,
    /// What to train on, checked.
    pub dataset: &'a Dataset,
    /// Its hash.
    pub data_hash: &'a str,
    /// Width and height of its validation images, in pixels.
    pub valid_sizes: &'a [(PathBuf, (u32, u32))],
    /// Terms under which the weights may be used, from the data set.
    pub licence: &'a str,
    /// Where to compute.
    pub device: &'a Device,
    /// Where the results go.
    pub folder: &'a RunFolder,
    /// Whether to go on with the run in `folder`.
    pub resume: bool,
    /// Who is told.
    pub observer: &'a dyn Observer,
}

/// Hears of a run's progress.
pub trait Observer {
    /// The model was validated before its first step.
    fn untrained(&self, row: &UntrainedRow);
    /// Training begins (or goes on) at this epoch and step, counted from 0.
    fn begin(&self, epoch: usize, step: usize, steps: usize);
    /// A step is done: epoch and step from 1, the loss of its batch.
    fn step(&self, epoch: usize, step: usize, steps: usize, loss: f64);
    /// An epoch is done and its checkpoint written.
    fn epoch(&self, row: &EpochRow);
    /// All validation masks of this epoch are foreground everywhere (true) or nowhere (false).
    fn masks_all_alike(&self, epoch: usize, foreground: bool);
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All epochs are done.
    Finished,
    /// The user stopped it; `--resume` goes on from the very step.
    Interrupted,
}
