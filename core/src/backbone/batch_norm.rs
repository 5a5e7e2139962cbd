use burn::module::{Module, Param, RunningState};
use burn::tensor::module::batch_norm;
use burn::tensor::{Device, Tensor};

use super::folded::Folded;
use crate::kernel::{Activation, batch_norm_act};

/// Batch normalisation with PyTorch's statistics and parameter names.
///
/// It differs from burn's in two ways: the running variance is the unbiased one, as in PyTorch's checkpoints, and
/// one forward can hold several passes with batch statistics of their own (`spec` §1.2).
#[derive(Module, Debug)]
pub struct BatchNorm {
    /// Scale, `[C]`.
    pub weight: Param<Tensor<1>>,
    /// Shift, `[C]`.
    pub bias: Param<Tensor<1>>,
    /// Mean used at evaluation, `[C]`.
    pub running_mean: RunningState<Tensor<1>>,
    /// Variance used at evaluation, `[C]`.
    pub running_var: RunningState<Tensor<1>>,
    momentum: f64,
    epsilon: f64,
    /// The convolution in front with this normalisation folded in, of a network in use.
    pub(super) folded: Folded,
}

impl BatchNorm {
    /// `momentum` is the weight of the newest batch (PyTorch's convention), `epsilon` is added to the variance.
    #[must_use]
    pub fn new(channels: usize, momentum: f64, epsilon: f64, device: &Device) -> Self {
        Self {
            weight: Param::from_tensor(Tensor::ones([channels], device)),
            bias: Param::from_tensor(Tensor::zeros([channels], device)),
            running_mean: RunningState::new(Tensor::zeros([channels], device)),
            running_var: RunningState::new(Tensor::ones([channels], device)),
            momentum,
            epsilon,
            folded: Folded::default(),
        }
    }

    /// Normalises `[B, C, H, W]` and activates it; on an autodiff device with the batch's statistics, otherwise with
    /// the running ones.
    ///
    /// With `passes > 1` the batch is interleaved as in [`FeatureExtractor::forward`](super::FeatureExtractor::forward).
    /// Seen as `[B / passes, passes * C, H, W]`, every pass has channels, hence statistics, of its own.
    pub fn forward(&self, x: Tensor<4>, passes: usize, activation: Activation) -> Tensor<4> {
        if !x.device().is_autodiff() {
            let (mean, var) = (self.running_mean.value(), self.running_var.value());
            let normalised = batch_norm(x, self.weight.val(), self.bias.val(), mean, var, self.epsilon);
            return activation.forward(normalised);
        }
        let [batch, channels, height, width] = x.dims();
        let (weight, bias) = (self.weight.val().repeat(&[passes]), self.bias.val().repeat(&[passes]));
        let x = x.reshape([batch / passes, passes * channels, height, width]);
        let normalised = batch_norm_act(x, weight, bias, self.epsilon, activation);

        let samples = (batch / passes * height * width) as f64;
        let unbias = samples / (samples - 1.0).max(1.0);
        for pass in 0..passes {
            let of_pass = pass * channels..(pass + 1) * channels;
            self.running_mean.update(self.blend(&self.running_mean, normalised.mean.clone().slice([of_pass.clone()])));
            self.running_var
                .update(self.blend(&self.running_var, normalised.variance.clone().slice([of_pass]) * unbias));
        }
        // an update is pending until it is synchronised, and a checkpoint would miss it
        self.running_mean.value_sync();
        self.running_var.value_sync();
        normalised.output.reshape([batch, channels, height, width])
    }

    /// What evaluation does to a channel: a factor and a shift, `[C]` each.
    pub(super) fn scale_and_shift(&self) -> (Tensor<1>, Tensor<1>) {
        let factor = self.weight.val() / (self.running_var.value() + self.epsilon).sqrt();
        let shift = self.bias.val() - self.running_mean.value() * factor.clone();
        (factor, shift)
    }

    fn blend(&self, running: &RunningState<Tensor<1>>, newest: Tensor<1>) -> Tensor<1> {
        (running.value_sync() * (1.0 - self.momentum) + newest.detach() * self.momentum).detach()
    }
}
