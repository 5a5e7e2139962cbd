//! Training: the loop, its optimizer, and everything a run leaves behind.

mod average;
mod erasing;
mod fitness;
mod history;
mod job;
pub mod loader;
mod resume;
mod run_folder;
mod save_clock;
mod scale;
mod sgd;
mod trainer;

use std::path::PathBuf;

pub use average::Average;
pub use history::{EpochRow, StepRow, UntrainedRow, read_history, read_steps, read_untrained};
pub use job::{Observer, Outcome, TrainJob};
pub use resume::{Progress, ResumeError};
pub use run_folder::RunFolder;
pub use sgd::Sgd;
pub use trainer::train;

/// Training could not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// An image of the training set.
    #[error(transparent)]
    Data(#[from] crate::data::DataError),
    /// The input settings.
    #[error(transparent)]
    Input(#[from] crate::augment::AugmentError),
    /// The profile.
    #[error(transparent)]
    Profile(#[from] crate::profile::ProfileError),
    /// The initial weights.
    #[error(transparent)]
    InitialWeights(#[from] crate::weights::InitialWeightsError),
    /// The run to be resumed.
    #[error(transparent)]
    Resume(#[from] ResumeError),
    /// Nothing to choose an epoch by.
    #[error(
        "there are no validation images, by which an epoch is chosen: add some, set data.valid_fraction, or keep the \
         last epoch with --evaluation.selection last"
    )]
    NoValidation,
    /// A result could not be kept.
    #[error(transparent)]
    Write(#[from] crate::atomic::WriteError),
    /// A model file or its use.
    #[error(transparent)]
    Core(#[from] histomask_core::Error),
    /// A validation image that the model or the adapter cannot take.
    #[error(
        "{path}: {source}. It is a validation image, which the model sees whole: change --input.size or --input.resize, \
         cut the image into tiles, or take it out"
    )]
    ValidSize {
        /// The image.
        path: PathBuf,
        /// Why.
        source: histomask_core::Error,
    },
    /// A validation image could not be evaluated.
    #[error("validation after epoch {epoch}: {source}")]
    Validation {
        /// Epoch, from 1.
        epoch: usize,
        /// Why; it names the file.
        source: std::sync::Arc<crate::evaluate::EvaluateError>,
    },
    /// The class without foreground is none of the data's.
    #[error(
        "loss.normal_class is `{name}`, and the classes are {classes}; name the class without foreground with \
         --loss.normal-class"
    )]
    NormalClass {
        /// The setting.
        name: String,
        /// The classes of the data.
        classes: String,
    },
    /// The device gave no numbers back.
    #[error("the device stopped answering: {0}")]
    Device(String),
    /// Nothing to learn from.
    #[error(
        "u-net learns from masks, and no training image has one; add masks to the data set (docs/FORMATS.md), or choose \
         a --method that learns from image-level labels"
    )]
    NoMasks,
    /// Every term of the loss is switched off.
    #[error("every term of the loss is switched off or has weight 0: there is nothing to learn; see the [loss] table")]
    NoLoss,
    /// Loss or weights are no longer numbers.
    #[error(
        "the loss became {value} in epoch {epoch}, step {step}: training diverged. {}; try a smaller \
         --train.learning-rate.initial",
        if *epoch > 1 { format!("{} keeps the last good checkpoint", folder.display()) }
        else { "No epoch was finished, so there is no checkpoint".into() }
    )]
    Diverged {
        /// NaN or infinity.
        value: f32,
        /// Epoch, from 1.
        epoch: usize,
        /// Step, from 1.
        step: usize,
        /// The run's folder.
        folder: PathBuf,
    },
}

impl TrainError {
    /// What the device said, if it is to blame.
    #[must_use]
    pub fn device(&self) -> Option<&str> {
        match self {
            Self::Device(reason) | Self::Core(histomask_core::Error::Device(reason)) => Some(reason),
            Self::Validation { source, .. } => source.device(),
            _ => None,
        }
    }
}
