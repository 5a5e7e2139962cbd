//! One training step of the max-min model, timed in parts.

use std::time::Instant;

use anyhow::Context as _;
use burn::tensor::{Device, Distribution, Int, Tensor};
use histomask_core::backbone::Backbone;
use histomask_core::config::{BackboneKind, LossConfig, ModelConfig};
use histomask_core::model::MaxMin;

use super::sync;
use crate::train::Sgd;

/// Training batch, the released code's (`spec` §3.1).
pub(super) const BATCH: usize = 4;
/// Its labels.
pub(super) const LABELS: [usize; BATCH] = [0, 1, 0, 1];

/// A model in training, with random weights: speed does not depend on them.
pub(super) struct Trained {
    model: MaxMin<Backbone>,
    sgd: Sgd,
    labels: Tensor<1, Int>,
    autodiff: Device,
}

impl Trained {
    pub(super) fn new(backbone: BackboneKind, device: &Device) -> Self {
        let autodiff = device.clone().autodiff();
        Self {
            model: ModelConfig { backbone, ..ModelConfig::default() }.init_max_min(2, &autodiff),
            sgd: Sgd::new(0.9, true, 1e-4, 1.0),
            labels: Tensor::from_ints(LABELS.map(|label| label as i32), &autodiff),
            autodiff,
        }
    }

    /// A batch of square crops.
    pub(super) fn random_images(&self, side: usize) -> Tensor<4> {
        Tensor::random([BATCH, 3, side, side], Distribution::Uniform(-1.0, 1.0), &self.autodiff)
    }

    /// Seconds of forward, of loss with backward, and of the update.
    pub(super) fn step(&mut self, images: Tensor<4>, device: &Device) -> anyhow::Result<[f64; 3]> {
        let start = Instant::now();
        let output = self.model.forward(images, 0.15);
        sync(device)?;
        let forward = start.elapsed().as_secs_f64();
        let total = LossConfig::default().terms(&output, &self.labels, &LABELS, 5.0).total().context("no loss")?;
        drop(output);
        let gradients = total.backward();
        sync(device)?;
        let backward = start.elapsed().as_secs_f64();
        self.model = self.sgd.step(self.model.clone(), gradients, 1e-3);
        sync(device)?;
        Ok([forward, backward - forward, start.elapsed().as_secs_f64() - backward])
    }
}
