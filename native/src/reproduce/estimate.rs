//! How long runs will take: by runs that are there, else by a step that is timed.

use std::collections::BTreeMap;
use std::time::Instant;

use burn::tensor::{Distribution, Int, Tensor};
use histomask_core::method::{Batch, Method as _, Objective};

use super::runs::State;
use crate::data::Dataset;
use crate::device::Chosen;
use crate::profile::Profile;
use crate::train::{RunFolder, read_history};

/// Images in a timed step on the CPU, where time grows with their number.
const CPU_BATCH: usize = 2;
/// Time of a whole image without learning, relative to a crop in training.
const EVALUATION_SHARE: f64 = 0.5;

/// A run that is asked about.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) folder: &'a RunFolder,
    pub(crate) profile: &'a Profile,
    pub(crate) dataset: &'a Dataset,
}

/// Knows how long an image takes in training, by what that depends on.
#[derive(Debug, Default)]
pub(crate) struct Estimator {
    seconds: BTreeMap<String, f64>,
}

impl Estimator {
    /// Learns from the epochs of a run that is finished or begun.
    pub(crate) fn learn(&mut self, run: Asked<'_>) {
        let Ok(history) = read_history(run.folder) else { return };
        let seconds: f64 = history.iter().map(|row| row.train_seconds + row.valid_seconds).sum();
        if !history.is_empty() {
            self.seconds.insert(run.kind(), seconds / history.len() as f64 / run.images());
        }
    }

    /// Seconds of training that are left of a run.
    pub(crate) fn left(&mut self, run: Asked<'_>, chosen: &Chosen) -> anyhow::Result<f64> {
        let done = match State::of(run.folder) {
            State::Ready => return Ok(0.0),
            State::Begun => read_history(run.folder).map_or(0, |history| history.len()),
            State::Missing => 0,
        };
        let kind = run.kind();
        let image = match self.seconds.get(&kind) {
            Some(seconds) => *seconds,
            None => *self.seconds.entry(kind).or_insert(timed_image(run, chosen)?),
        };
        Ok(image * run.images() * run.profile.train.epochs.saturating_sub(done) as f64)
    }
}

impl Asked<'_> {
    /// What the time of an image depends on.
    fn kind(&self) -> String {
        let Profile { model, train, input, .. } = self.profile;
        let network = (model.method, model.backbone, model.backbone_blocks, model.backbone_channels);
        format!("{network:?} {} {} {}", train.batch_size, input.crop, self.dataset.root.display())
    }

    /// The images of an epoch, each by its time.
    fn images(&self) -> f64 {
        let images = self.dataset.train.len() as f64 + EVALUATION_SHARE * self.dataset.valid.len() as f64;
        images.max(1.0)
    }
}

/// Seconds of a training image, from one step of forward and backward on noise.
fn timed_image(run: Asked<'_>, chosen: &Chosen) -> anyhow::Result<f64> {
    let Asked { profile, dataset, .. } = run;
    let device = chosen.device.clone().autodiff();
    let batch = if chosen.is_cpu { profile.train.batch_size.min(CPU_BATCH) } else { profile.train.batch_size };
    let side = profile.input.crop as usize;
    let network = profile.model.init(dataset.classes.len(), &device);
    if network.check_batch(&device, batch, [side; 2]).is_err() {
        // told by training
        return Ok(0.0);
    }
    let labels = vec![0usize; batch];
    let step = || -> anyhow::Result<f64> {
        let clock = Instant::now();
        let noise =
            |channels| Tensor::<4>::random([batch, channels, side, side], Distribution::Uniform(0.0, 1.0), &device);
        let learning = network.learn(
            Batch {
                images: noise(3),
                labels: Tensor::<1, Int>::zeros([batch], &device),
                label_values: &labels,
                masks: profile.model.method.learns_from_masks().then(|| noise(1)),
                tissue: None,
            },
            Objective {
                loss: &profile.loss,
                sigma: profile.model.mask.sigma,
                t: profile.loss.t,
                normal: profile.loss.normal_index(&dataset.classes),
            },
        );
        if let Some(total) = learning.total() {
            let _ = total.backward();
        }
        device.sync().map_err(|error| anyhow::anyhow!("the device stopped answering: {error:?}"))?;
        Ok(clock.elapsed().as_secs_f64())
    };
    step()?;
    Ok(step()? / batch as f64)
}

/// A duration as people say it.
pub(crate) fn in_words(seconds: f64) -> String {
    let minutes = seconds / 60.0;
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        _ if minutes < 90.0 => format!("{minutes:.0} min"),
        _ if minutes < 48.0 * 60.0 => format!("{:.1} hours", minutes / 60.0),
        _ => format!("{:.1} days", minutes / 1440.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_rounded_to_what_is_meant() {
        let words = [4.0, 600.0, 4.0 * 3600.0, 72.0 * 3600.0].map(in_words);
        assert_eq!(words, ["4 s", "10 min", "4.0 hours", "3.0 days"]);
    }
}
