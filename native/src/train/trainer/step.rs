//! One step of a run (`spec` §3).

use burn::module::Module as _;
use burn::tensor::Tensor;
use histomask_core::method::{self, Method as _, Network};

use super::Trainer;
use crate::train::loader::Batch;
use crate::train::mean_gradient::MeanGradient;
use crate::train::{StepRow, TrainError};

impl Trainer<'_> {
    /// Batches forward and backward, one after the other, then once down the mean gradient over their images; returns the
    /// loss of the last.
    pub(super) fn step(&mut self, batches: Vec<Batch>) -> Result<f64, TrainError> {
        let mut gradient = MeanGradient::over(batches.iter().map(|batch| batch.batch).sum());
        let mut loss = 0.0;
        for batch in batches {
            loss = self.learn(batch, &mut gradient)?;
        }
        let epoch = self.progress.epoch;
        let train = &self.job.profile.train;
        self.model = self.sgd.step(self.model.clone(), gradient.take(), train.learning_rate.at(epoch, train.epochs));
        if let Some(average) = &mut self.average {
            average.update(&self.model.valid());
        }
        Ok(loss)
    }

    /// Takes in what one batch says and returns its loss.
    fn learn(&mut self, mut batch: Batch, gradient: &mut MeanGradient<Network>) -> Result<f64, TrainError> {
        let (epoch, step) = (self.progress.epoch, self.progress.step);
        let profile = self.job.profile;
        let device = self.job.device.clone().autodiff();
        // a seed per batch, so that a resumed run draws the same dropout (as the released code does, `spec` §3.1)
        device.seed(mix(profile.train.seed, epoch as u64, step as u64));

        let learning = self.model.learn(batch.on_device(&device), self.objective(epoch));
        let total = learning.total().ok_or(TrainError::NoLoss)?;
        // before the loss is waited for, so that a GPU has work while it comes back
        gradient.add(total, batch.labels.len(), &self.model);
        let (values, wrong) = read_back(&learning, &batch.labels)?;
        let loss: f32 = values.iter().sum();
        if !loss.is_finite() {
            let folder = self.job.folder.path().to_owned();
            return Err(TrainError::Diverged { value: loss, epoch: epoch + 1, step: step + 1, folder });
        }

        let images = batch.labels.len();
        self.progress.step += 1;
        self.progress.images += images;
        self.progress.wrong += wrong;
        for (&(term, _), value) in learning.terms.iter().zip(values) {
            *self.progress.sums.entry(term).or_default() += f64::from(value) * images as f64;
        }
        let wrong = profile.model.method.names_class().then_some(wrong);
        self.steps.push(StepRow { epoch: epoch + 1, step: step + 1, images, wrong, loss: f64::from(loss) });
        Ok(f64::from(loss))
    }
}

/// Loss terms and the number of misclassified images in one transfer from the device.
///
/// A method that names no class misclassifies none.
fn read_back(learning: &method::Learning, labels: &[usize]) -> Result<(Vec<f32>, usize), TrainError> {
    let terms = learning.terms.len();
    let mut parts: Vec<Tensor<1>> = learning.terms.iter().map(|(_, term)| term.clone().inner()).collect();
    let classes = learning.scores.as_ref().map(|scores| scores.dims()[1]);
    parts.extend(learning.scores.as_ref().map(|scores| scores.clone().inner().flatten(0, 1)));
    let mut values = Tensor::cat(parts, 0)
        .into_data()
        .convert::<f32>()
        .try_into_vec::<f32>()
        .map_err(|error| TrainError::Device(format!("{error:?}")))?;
    let scores = values.split_off(terms);
    let Some(classes) = classes else { return Ok((values, 0)) };
    let right = |(scores, &label): (&[f32], &usize)| {
        scores.get(label).is_some_and(|score| scores.iter().all(|other| other <= score))
    };
    let wrong = labels.len() - scores.chunks(classes).zip(labels).filter(|&pair| right(pair)).count();
    Ok((values, wrong))
}

/// SplitMix64's finaliser over three numbers: seeds that are unlike each other for neighbouring steps.
fn mix(seed: u64, epoch: u64, step: u64) -> u64 {
    let mut z = seed ^ epoch.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ step.wrapping_mul(0xd1b5_4a32_d192_ed03);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
