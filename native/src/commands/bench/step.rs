//! One training step of a method, timed in parts.

use std::time::Instant;

use anyhow::Context as _;
use burn::module::Module as _;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Distribution, Int, Tensor};
use histomask_core::method::{Batch, Method as _, Network, Objective};

use super::sync;
use crate::profile::Profile;
use crate::train::{Average, Sgd};

/// Training batch, the released code's (`spec` §3.1).
pub(super) const BATCH: usize = 4;
/// Its labels.
pub(super) const LABELS: [usize; BATCH] = [0, 1, 0, 1];

/// A network in training, with random weights: speed does not depend on them.
pub(super) struct Trained<'a> {
    profile: &'a Profile,
    network: Network,
    sgd: Sgd,
    average: Option<Average>,
    labels: Tensor<1, Int>,
    autodiff: Device,
}

/// What a step learns from.
#[derive(Clone)]
pub(super) struct Inputs {
    /// `[4, 3, H, W]`.
    pub(super) images: Tensor<4>,
    /// `[4, 1, H, W]`, for methods that learn from masks.
    pub(super) masks: Option<Tensor<4>>,
}

impl<'a> Trained<'a> {
    pub(super) fn new(profile: &'a Profile, device: &Device) -> Self {
        let autodiff = device.clone().autodiff();
        Self {
            profile,
            network: profile.model.init(2, &autodiff),
            sgd: Sgd::new(0.9, true, 1e-4, 1.0),
            average: (profile.train.average > 0.0).then(|| Average::new(profile.train.average)),
            labels: Tensor::from_ints(LABELS.map(|label| label as i32), &autodiff),
            autodiff,
        }
    }

    /// A batch of square crops.
    pub(super) fn random_inputs(&self, side: usize) -> Inputs {
        let uniform = |channels: usize, low: f64| {
            Tensor::<4>::random([BATCH, channels, side, side], Distribution::Uniform(low, 1.0), &self.autodiff)
        };
        let masks = self.profile.model.method.learns_from_masks();
        Inputs { images: uniform(3, -1.0), masks: masks.then(|| uniform(1, 0.0).greater_elem(0.5).float()) }
    }

    /// Seconds of forward with loss, of backward, and of the update.
    pub(super) fn step(&mut self, inputs: Inputs, device: &Device) -> anyhow::Result<[f64; 3]> {
        let start = Instant::now();
        let learning = self.network.learn(
            Batch {
                images: inputs.images,
                labels: self.labels.clone(),
                label_values: &LABELS,
                masks: inputs.masks,
                tissue: None,
            },
            Objective {
                loss: &self.profile.loss,
                sigma: self.profile.model.mask.sigma,
                t: self.profile.loss.t,
                normal: Some(0),
            },
        );
        let total = learning.total().context("no loss")?;
        drop(learning);
        sync(device)?;
        let forward = start.elapsed().as_secs_f64();
        let gradients = total.backward();
        sync(device)?;
        let backward = start.elapsed().as_secs_f64();
        let gradients = GradientsParams::from_grads(gradients, &self.network);
        self.network = self.sgd.step(self.network.clone(), gradients, 1e-3);
        if let Some(average) = &mut self.average {
            average.update(&self.network.valid());
        }
        sync(device)?;
        Ok([forward, backward - forward, start.elapsed().as_secs_f64() - backward])
    }
}
