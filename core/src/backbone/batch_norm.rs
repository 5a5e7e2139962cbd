use burn::module::{Module, Param, RunningState};
use burn::tensor::module::batch_norm;
use burn::tensor::{Device, Tensor};

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
        }
    }

    /// Normalises `[B, C, H, W]` and activates it; on an autodiff device with the batch's statistics, otherwise with
    /// the running ones.
    ///
    /// With `passes > 1` the batch is interleaved as in [`FeatureExtractor::forward`](super::FeatureExtractor::forward).
    /// Seen as `[B / passes, passes * C, H, W]`, every pass has channels, hence statistics, of its own.
    pub fn forward(&self, x: Tensor<4>, passes: usize, activation: Activation) -> Tensor<4> {
        self.forward_with(x, None, passes, activation)
    }

    /// The same with a shortcut of the same shape, added before the activation.
    pub(super) fn forward_with(
        &self,
        x: Tensor<4>,
        shortcut: Option<Tensor<4>>,
        passes: usize,
        activation: Activation,
    ) -> Tensor<4> {
        if !x.device().is_autodiff() {
            let (mean, var) = (self.running_mean.value(), self.running_var.value());
            let normalised = batch_norm(x, self.weight.val(), self.bias.val(), mean, var, self.epsilon);
            return activation.forward(match shortcut {
                Some(shortcut) => normalised + shortcut,
                None => normalised,
            });
        }
        let [batch, channels, height, width] = x.dims();
        let (weight, bias) = (self.weight.val().repeat(&[passes]), self.bias.val().repeat(&[passes]));
        let apart = |x: Tensor<4>| x.reshape([batch / passes, passes * channels, height, width]);
        let normalised = batch_norm_act(apart(x), weight, bias, self.epsilon, shortcut.map(apart), activation);

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

#[cfg(test)]
mod tests {
    use super::*;

    fn close(what: &str, found: Tensor<1>, expected: &[f32]) {
        let found = found.into_data().convert::<f32>().try_into_vec::<f32>().unwrap_or_default();
        let near = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-5;
        assert!(found.len() == expected.len() && found.iter().zip(expected).all(near), "{what}: {found:?}");
    }

    fn statistics(norm: &BatchNorm) -> [Tensor<1>; 2] {
        [&norm.running_mean, &norm.running_var].map(|state| state.value().inner())
    }

    /// PyTorch's `BatchNorm2d(1, momentum=0.1)` on these values: means 3 and 7, unbiased variances 14/3 and 56/3.
    #[test]
    fn running_statistics_are_pytorchs() {
        let device = Device::flex().autodiff();
        let norm = BatchNorm::new(1, 0.1, 1e-5, &device);
        let x = Tensor::<4>::from_data([[[[1.0, 2.0]]], [[[3.0, 6.0]]]], &device);
        let output = norm.forward(x.clone(), 1, Activation::Identity);
        let [mean, var] = statistics(&norm);
        close("mean", mean, &[0.3]);
        close("variance", var, &[0.9 + 1.4 / 3.0]);
        // the output takes the biased variance, 3.5
        let expected = [-2.0_f32, -1.0, 0.0, 3.0].map(|value| value / 3.500_01_f32.sqrt());
        close("output", output.inner().flatten(0, 3), &expected);
        norm.forward(x * 2.0 + 1.0, 1, Activation::Identity);
        let [mean, var] = statistics(&norm);
        close("mean after two", mean, &[0.97]);
        close("variance after two", var, &[0.9 * (0.9 + 1.4 / 3.0) + 5.6 / 3.0]);
    }

    #[test]
    fn interleaved_passes_are_separate_ones_one_after_the_other() {
        let device = Device::flex().autodiff();
        device.seed(5);
        let uniform = burn::tensor::Distribution::Uniform(-2.0, 3.0);
        let [first, second] = [1.0, 4.0].map(|scale| Tensor::<4>::random([3, 2, 4, 5], uniform, &device) * scale);
        let (apart, together) = (BatchNorm::new(2, 0.3, 1e-5, &device), BatchNorm::new(2, 0.3, 1e-5, &device));
        let outputs = [&first, &second].map(|pass| apart.forward(pass.clone(), 1, Activation::Relu));
        // a1 b1 a2 b2 a3 b3
        let interleaved = Tensor::stack::<5>(vec![first, second], 1).reshape([6, 2, 4, 5]);
        let output = together.forward(interleaved, 2, Activation::Relu).reshape([3, 2, 2, 20]).reshape([3, 2, 40]);
        for (pass, expected) in outputs.into_iter().enumerate() {
            let found: Tensor<3> = output.clone().slice([0..3, pass..pass + 1]);
            let values =
                |tensor: Tensor<1>| tensor.into_data().convert::<f32>().try_into_vec::<f32>().unwrap_or_default();
            let expected = values(expected.inner().flatten(0, 3));
            close("output", found.inner().flatten(0, 2), &expected);
        }
        for (found, expected) in statistics(&together).into_iter().zip(statistics(&apart)) {
            let expected = expected.into_data().convert::<f32>().try_into_vec::<f32>().unwrap_or_default();
            close("running statistics", found, &expected);
        }
    }
}
