use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::atomic::{self, WriteError};

/// The files of one run.
#[derive(Clone, Debug)]
pub struct RunFolder(PathBuf);

impl RunFolder {
    /// The run in `folder`, which need not exist yet.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Checkpoint of the newest epoch.
    #[must_use]
    pub fn last(&self) -> PathBuf {
        self.0.join("last.safetensors")
    }

    /// Checkpoint of the epoch with the best validation accuracy.
    #[must_use]
    pub fn best(&self) -> PathBuf {
        self.0.join("best.safetensors")
    }

    /// Checkpoint of an epoch that `train.keep_every` keeps.
    #[must_use]
    pub fn kept(&self, epoch: usize) -> PathBuf {
        self.0.join(format!("epoch-{epoch:03}.safetensors"))
    }

    /// What ERASE has erased of training image `index` when this round begins.
    #[must_use]
    pub fn erased(&self, round: usize, index: usize) -> PathBuf {
        self.0.join("erased").join(format!("round-{round}")).join(format!("{index:06}.png"))
    }

    /// Everything `--resume` needs.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.0.join("state.safetensors")
    }

    /// The resolved profile.
    #[must_use]
    pub fn profile(&self) -> PathBuf {
        self.0.join("profile.toml")
    }

    /// One line an epoch.
    #[must_use]
    pub fn epochs(&self) -> PathBuf {
        self.0.join("epochs.csv")
    }

    /// Validation before the first step, one line.
    #[must_use]
    pub fn untrained(&self) -> PathBuf {
        self.0.join("untrained.csv")
    }

    /// One line a step.
    #[must_use]
    pub fn steps(&self) -> PathBuf {
        self.0.join("steps.csv")
    }

    /// Gradients at the mask, one line an epoch, where they are measured.
    #[must_use]
    pub fn mask_gradients(&self) -> PathBuf {
        self.0.join("mask-gradients.csv")
    }

    /// Versions, command, data, device, timings.
    #[must_use]
    pub fn run_json(&self) -> PathBuf {
        self.0.join("run.json")
    }

    /// The report for a browser.
    #[must_use]
    pub fn report(&self) -> PathBuf {
        self.0.join("report.html")
    }

    /// Writes `run.json`.
    ///
    /// # Errors
    ///
    /// [`WriteError`] if it cannot be written.
    pub fn write_run(&self, run: &impl Serialize) -> Result<(), WriteError> {
        let json = serde_json::to_vec_pretty(run)
            .map_err(|error| WriteError { path: self.run_json(), source: error.into() })?;
        atomic::write(&self.run_json(), &json)
    }
}
