//! A training step beside the loaders that bring its images.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use burn::tensor::Device;

use super::median;
use super::step::{BATCH, Inputs, Trained};
use crate::augment::{Augmenter, InputConfig};
use crate::data::{DataConfig, Dataset, Sample};
use crate::profile::Profile;
use crate::synth::{SynthConfig, write_dataset};
use crate::train::loader::{TrainLoader, WORKERS};

/// Side of the synthetic patches, about a GlaS image's.
pub(super) const PATCH: u32 = 640;
/// Turns of steps with and without loaders.
const ROUNDS: u64 = 3;

/// Median seconds of a step.
pub(super) struct Steps {
    /// On one batch that is in memory.
    pub(super) alone: f64,
    /// On the batches of the loaders, which share the processor with it; the waiting included.
    pub(super) with_loaders: f64,
    /// Of which the wait for the next batch.
    pub(super) waiting: f64,
}

/// Steps of a profile whose images are prepared as `input` says.
pub(super) fn steps(
    profile: &Profile,
    input: InputConfig,
    samples: &Arc<[Sample]>,
    repeats: u32,
    device: &Device,
) -> anyhow::Result<Steps> {
    let side = input.crop as usize;
    let loader = TrainLoader::new(Arc::clone(samples), Augmenter::new(input), BATCH, 0, WORKERS);
    let from_masks = profile.model.method.learns_from_masks();
    let loader = if from_masks { loader.with_masks() } else { loader };
    let mut trained = Trained::new(profile, device);
    let inputs = trained.random_inputs(side);
    trained.step(inputs.clone(), device)?;
    let (mut alone, mut with_loaders, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
    let autodiff = device.clone().autodiff();
    // in turns, so that both see the same machine
    for epoch in 0..ROUNDS {
        let mut batches = loader.epoch(epoch);
        for _ in 0..repeats.div_ceil(ROUNDS as u32) {
            let start = Instant::now();
            let mut batch = batches.next().context("the loaders stopped")??;
            let waited = start.elapsed().as_secs_f64();
            let loaded = batch.on_device(&autodiff);
            trained.step(Inputs { images: loaded.images, masks: loaded.masks }, device)?;
            with_loaders.push(start.elapsed().as_secs_f64());
            waiting.push(waited);
        }
        drop(batches);
        for _ in 0..repeats.div_ceil(ROUNDS as u32) {
            alone.push(trained.step(inputs.clone(), device)?.iter().sum());
        }
    }
    Ok(Steps { alone: median(alone), with_loaders: median(with_loaders), waiting: median(waiting) })
}

/// Synthetic patches, enough of them for one epoch of the measurement.
pub(super) fn samples(folder: &std::path::Path, repeats: u32) -> anyhow::Result<Arc<[Sample]>> {
    let per_class = (repeats as usize * BATCH).div_ceil(2).max(2);
    let config = SynthConfig { size: PATCH, per_class, valid: 0.0, test: 0.0, ..SynthConfig::default() };
    write_dataset(folder, &config)?;
    Ok(Dataset::open(folder, &DataConfig::default())?.train.into())
}
