//! How long runs will take: by runs that are there, else by a step that is timed.

use std::collections::BTreeMap;
use std::time::Instant;

use burn::tensor::{Distribution, Int, Tensor};
use histomask_core::MethodKind;
use histomask_core::config::BackboneKind;
use histomask_core::method::{Batch, Method as _, Objective};

use super::material::Source;
use super::runs::{Run, State};
use super::study::Study;
use crate::data::Dataset;
use crate::device::Chosen;
use crate::profile::Profile;
use crate::train::read_history;

/// Images in a timed step on the CPU, where time grows with their number.
const CPU_BATCH: usize = 2;
/// Time of a whole image without learning, relative to a crop in training.
const EVALUATION_SHARE: f64 = 0.5;

/// What the time of an epoch depends on.
type Kind = (Source, MethodKind, BackboneKind, u32, usize);

/// Knows how long an epoch takes.
#[derive(Debug, Default)]
pub(crate) struct Estimator {
    epochs: BTreeMap<String, f64>,
}

impl Estimator {
    /// Learns from the epochs of runs that are finished or begun.
    pub(crate) fn learn(&mut self, runs: &[Run]) {
        for run in runs {
            let Ok(history) = read_history(&run.folder) else { continue };
            let seconds: f64 = history.iter().map(|row| row.train_seconds + row.valid_seconds).sum();
            if !history.is_empty() {
                self.epochs.insert(key(run), seconds / history.len() as f64);
            }
        }
    }

    /// Seconds that are left of a run.
    pub(crate) fn seconds(&mut self, study: &Study, run: &Run) -> anyhow::Result<f64> {
        let done = match run.state() {
            State::Ready => return Ok(0.0),
            State::Begun => read_history(&run.folder).map_or(0, |history| history.len()),
            State::Missing => 0,
        };
        let key = key(run);
        let epoch = match self.epochs.get(&key) {
            Some(seconds) => *seconds,
            None => {
                let Some((dataset, _)) = study.material(run.source)?.folds.get(&run.fold()) else { return Ok(0.0) };
                let seconds = timed_epoch(&run.profile, &study.chosen, dataset)?;
                self.epochs.insert(key, seconds);
                seconds
            }
        };
        Ok(epoch * run.profile.train.epochs.saturating_sub(done) as f64)
    }
}

fn key(run: &Run) -> String {
    let profile = &run.profile;
    let kind: Kind =
        (run.source, profile.model.method, profile.model.backbone, profile.input.crop, profile.train.batch_size);
    format!("{kind:?}")
}

/// Seconds of an epoch with its validation, from one step of forward and backward on noise.
pub(crate) fn timed_epoch(profile: &Profile, chosen: &Chosen, dataset: &Dataset) -> anyhow::Result<f64> {
    let device = chosen.device.clone().autodiff();
    let batch = if chosen.is_cpu { profile.train.batch_size.min(CPU_BATCH) } else { profile.train.batch_size };
    let side = profile.input.crop as usize;
    let network = profile.model.init(dataset.classes.len(), &device);
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
    let image = step()? / batch as f64;
    let count = |samples: usize| samples as f64;
    Ok(image * (count(dataset.train.len()) + EVALUATION_SHARE * count(dataset.valid.len())))
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
