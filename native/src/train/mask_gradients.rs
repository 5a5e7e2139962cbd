//! Over training: how strongly each term of max-min's loss pulls at the soft mask.

use burn::tensor::Tensor;
use histomask_core::Device;
use histomask_core::method::{MaskGradients, Network, Objective};
use histomask_core::weights::{load_state_dict, state_dict};
use serde::{Deserialize, Serialize};

use super::loader::Batch;
use super::{RunFolder, TrainError};
use crate::data::DataError;
use crate::profile::Profile;

/// Euclidean norms of `d(term) / d(M⁺)` over all pixels of a batch, terms weighted as in the loss, mean over the batches; a
/// line of `mask-gradients.csv`. The loss has no unit and mask values are in `(0, 1)`, so norms have none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MaskGradientRow {
    /// Epoch, from 1; 0 is the network before its first step.
    pub epoch: usize,
    /// Of the cross-entropy on the foreground.
    pub foreground: f64,
    /// Of the background term.
    pub background: f64,
    /// Of the size barrier.
    pub barrier: f64,
    /// Of all terms but the background's, added up before the norm is taken.
    pub others: f64,
}

/// The lines of a run so far; none where nothing was measured.
#[must_use]
pub fn read_mask_gradients(folder: &RunFolder) -> Vec<MaskGradientRow> {
    let Ok(mut reader) = csv::Reader::from_path(folder.mask_gradients()) else { return Vec::new() };
    reader.deserialize().map_while(Result::ok).collect()
}

/// A network as it stands, in training mode as in a step.
pub(super) struct Measured<'a> {
    pub(super) network: &'a Network,
    pub(super) classes: usize,
    pub(super) profile: &'a Profile,
    pub(super) device: &'a Device,
    pub(super) objective: Objective<'a>,
}

impl Measured<'_> {
    /// The line of `epoch` from these batches; none of other methods, whose losses see no soft mask.
    pub(super) fn row(
        &self,
        epoch: usize,
        batches: impl Iterator<Item = Result<Batch, DataError>>,
    ) -> Result<Option<MaskGradientRow>, TrainError> {
        // A pass in training mode changes running statistics, which clones of a module share: weights are copied.
        let device = self.device.clone().autodiff();
        let copy = self.profile.model.init(self.classes, &device);
        let copy = load_state_dict(copy, &state_dict(self.network)).map_err(histomask_core::Error::from)?;
        let Network::MaxMin(network) = copy else { return Ok(None) };
        let network = burn::module::Module::no_grad(network);
        let (mut row, mut measured) = (MaskGradientRow { epoch, ..MaskGradientRow::default() }, 0.0);
        for batch in batches {
            // the same dropout in every epoch
            device.seed(self.profile.train.seed);
            let gradients = network.mask_gradients(batch?.on_device(&device), self.objective);
            let [foreground, background, barrier, others] = norms(gradients)?;
            row.foreground += foreground;
            row.background += background;
            row.barrier += barrier;
            row.others += others;
            measured += 1.0;
        }
        let sums = [&mut row.foreground, &mut row.background, &mut row.barrier, &mut row.others];
        sums.into_iter().for_each(|sum| *sum /= f64::max(measured, 1.0));
        Ok(Some(row))
    }
}

/// Norms of foreground, background, barrier and of all but the background.
fn norms(gradients: MaskGradients) -> Result<[f64; 4], TrainError> {
    let others = gradients.others();
    let norm = |gradient: Tensor<4>| -> Result<f64, TrainError> {
        let data = gradient.try_into_data().map_err(|error| TrainError::Device(error.to_string()))?;
        let values = data.convert::<f64>().try_into_vec::<f64>();
        let values = values.map_err(|error| TrainError::Device(format!("{error:?}")))?;
        // in 64 bits: squares of a term weighted by 1e-7 are below what 32 bits hold
        Ok(values.iter().map(|value| value * value).sum::<f64>().sqrt())
    };
    Ok([norm(gradients.foreground)?, norm(gradients.background)?, norm(gradients.barrier)?, norm(others)?])
}
