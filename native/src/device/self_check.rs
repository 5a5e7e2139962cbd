//! A second's comparison of a device with the CPU, by the model that will be used.

use std::time::{Duration, Instant};

use burn::tensor::{Device, TensorData};
use histomask_core::self_check::{TOLERANCE, difference};
use histomask_core::weights::{StateDict, read_checkpoint, state_dict};
use histomask_core::{Error, ModelCard, Segmenter};

use crate::panics;
use crate::profile::Profile;
use crate::weights::default_model;

/// The model that a device is tried with.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Its card.
    pub card: ModelCard,
    /// Its weights.
    pub weights: StateDict,
}

impl Trial {
    /// The embedded model, where no other will be used.
    ///
    /// # Errors
    ///
    /// [`Error`] if the embedded file cannot be read.
    pub fn embedded() -> Result<Self, Error> {
        let (card, weights) = read_checkpoint(default_model())?;
        Ok(Self { card, weights })
    }

    /// A profile's network before it is trained.
    #[must_use]
    pub fn untrained(profile: &Profile, classes: &[String]) -> Self {
        let weights = state_dict(&profile.model.init(classes.len(), &Device::flex()));
        let none = ModelCard::all_ones(classes.to_vec(), profile.input.preprocess());
        let sigma = profile.model.mask.sigma_at(0);
        Self { card: ModelCard { model: profile.model.clone(), sigma, ..none }, weights }
    }

    fn on(&self, device: &Device) -> Result<Vec<TensorData>, SelfCheckError> {
        let run = || {
            let segmenter = Segmenter::from_checkpoint(self.card.clone(), &self.weights, device)?;
            segmenter.trial().try_execute().map_err(|error| Error::Device(error.to_string()))
        };
        let caught = panics::caught(run).map_err(SelfCheckError::Broken)?;
        Ok(caught?)
    }
}

/// The check failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SelfCheckError {
    /// Wrong numbers.
    #[error("its results differ from the CPU's by {0:.1e} (at most {TOLERANCE:.0e} passes)")]
    Wrong(f32),
    /// A kernel or the driver broke down.
    #[error("it broke down: {0}")]
    Broken(String),
    /// The model, or its results.
    #[error(transparent)]
    Model(#[from] Error),
}

/// What a passed check saw.
#[derive(Clone, Copy, Debug)]
pub struct SelfCheck {
    /// Largest difference to the CPU, as [`difference`] counts.
    pub difference: f32,
    /// Time that it took, kernels compiled within it.
    pub time: Duration,
}

/// Runs the model on a small picture on `device` and on the CPU.
///
/// # Errors
///
/// [`SelfCheckError`] if the numbers differ or the device cannot run it.
pub fn self_check(device: &Device, trial: &Trial) -> Result<SelfCheck, SelfCheckError> {
    let start = Instant::now();
    let ours = trial.on(device)?;
    let difference = difference(&ours, &trial.on(&Device::flex())?);
    if difference > TOLERANCE {
        return Err(SelfCheckError::Wrong(difference));
    }
    Ok(SelfCheck { difference, time: start.elapsed() })
}
