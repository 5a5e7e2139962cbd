//! Training: the loop, its optimizer, and everything a run leaves behind.

mod average;
mod erasing;
mod fitness;
mod history;
mod job;
pub mod loader;
mod mask_gradients;
mod mean_gradient;
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
pub use mask_gradients::{MaskGradientRow, read_mask_gradients};
pub use resume::{Progress, ResumeError};
pub use run_folder::RunFolder;
pub use sgd::Sgd;
pub use trainer::train;

use crate::weights::InitialWeightsError;

/// Settings of training that change no result.
pub(crate) const CHANGE_NO_RESULT: [&str; 2] = ["train.workers", "train.save_minutes"];

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
    InitialWeights(#[from] InitialWeightsError),
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
    /// Whether it says that this run cannot be had, for its settings or by their outcome, while others on the same data,
    /// device and disk can.
    #[must_use]
    pub fn is_of_one_run(&self) -> bool {
        use crate::evaluate::{EvaluateError, SegmentFileError};
        match self {
            Self::Input(_)
            | Self::Profile(_)
            | Self::Resume(_)
            | Self::NoValidation
            | Self::ValidSize { .. }
            | Self::NormalClass { .. }
            | Self::NoMasks
            | Self::NoLoss
            | Self::Diverged { .. } => true,
            Self::InitialWeights(error) => !matches!(error, InitialWeightsError::Write(_)),
            Self::Core(error) => !matches!(error, histomask_core::Error::Device(_)),
            Self::Validation { source, .. } => match &**source {
                EvaluateError::Data(_) | EvaluateError::File(SegmentFileError::Data(_)) => false,
                error => error.device().is_none(),
            },
            Self::Data(_) | Self::Write(_) | Self::Device(_) => false,
        }
    }

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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use histomask_core::Error;

    use super::*;
    use crate::data::DataError;
    use crate::evaluate::{EvaluateError, SegmentFileError};

    #[test]
    fn settings_and_their_outcome_concern_one_run_data_disk_and_device_all() {
        let path = || PathBuf::from("a.png");
        let missing = || DataError::Missing { path: path() };
        let validation = |source: EvaluateError| TrainError::Validation { epoch: 1, source: Arc::new(source) };
        let of_image = |source: Error| validation(SegmentFileError::Core { path: path(), source }.into());
        let written = || crate::atomic::WriteError { path: path(), source: std::io::ErrorKind::StorageFull.into() };
        let of_one = [
            TrainError::Diverged { value: f32::NAN, epoch: 1, step: 1, folder: path() },
            TrainError::NormalClass { name: "normal".into(), classes: "a, b".into() },
            TrainError::InitialWeights(InitialWeightsError::NotEmbedded { backbone: "resnet18" }),
            TrainError::Core(Error::ImageBytes { bytes: 1, width: 1, height: 1 }),
            of_image(Error::NotFinite),
        ];
        for error in of_one {
            assert!(error.is_of_one_run(), "{error}");
        }
        let of_all = [
            TrainError::Data(missing()),
            validation(missing().into()),
            validation(SegmentFileError::Data(missing()).into()),
            TrainError::Write(written()),
            TrainError::InitialWeights(written().into()),
            TrainError::Device("Parent device is lost".into()),
            TrainError::Core(Error::Device("Parent device is lost".into())),
            of_image(Error::Device("out of memory".into())),
        ];
        for error in of_all {
            assert!(!error.is_of_one_run(), "{error}");
        }
    }
}
