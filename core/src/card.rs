//! The model card every checkpoint carries in its metadata: what the model is, what it saw, what it is for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::config::{MethodKind, ModelConfig};
use crate::preprocess::Preprocess;

/// Most classes and modality maps a model may have: far above any use, low enough to multiply safely.
const MOST: usize = 1000;

/// Most rounds of adversarial erasing: each is a pass over the image.
pub const MOST_ROUNDS: usize = 20;

/// The newest card format this version reads and the one it writes.
pub const CARD_FORMAT: u32 = 1;

/// Everything needed to use a model, and to judge whether one should.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// Card format, [`CARD_FORMAT`].
    pub format: u32,
    /// The histomask version that wrote the file.
    pub version: String,
    /// Class names by index.
    pub classes: Vec<String>,
    /// Name of the training profile.
    pub profile: String,
    /// The network.
    pub model: ModelConfig,
    /// Input scale and normalisation.
    pub input: Preprocess,
    /// Microns per pixel of what the network sees, after [`ModelCard::input`]'s resize; absent where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mpp: Option<f64>,
    /// Eq. 12's sigma at which this checkpoint was selected.
    pub sigma: f64,
    /// Mask values at or above this are foreground.
    pub threshold: f64,
    /// Index of the class without foreground of interest; used where [`ModelConfig::mask_of`] says so.
    #[serde(default)]
    pub normal_class: usize,
    /// Epochs trained when it was saved.
    pub epoch: usize,
    /// Where the backbone's initial weights came from, with their SHA-256.
    pub initial_weights: String,
    /// What it was trained on.
    pub data: DataCard,
    /// Metrics on the validation split at that epoch, by name.
    pub metrics: BTreeMap<String, f64>,
    /// What the model may be used for.
    pub intended_use: String,
    /// Terms of the weights, set by the training data.
    pub licence: String,
}

/// The training data in a model card.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DataCard {
    /// The data set's name.
    pub name: String,
    /// BLAKE3 over all images, labels and splits.
    pub hash: String,
    /// Images in the training split.
    pub train_images: usize,
    /// Images in the validation split.
    pub valid_images: usize,
}

impl ModelCard {
    /// The card of [`MethodKind::AllOnes`], which is no file: for evaluations next to trained models.
    #[must_use]
    pub fn all_ones(classes: Vec<String>, input: Preprocess) -> Self {
        Self {
            format: CARD_FORMAT,
            version: env!("CARGO_PKG_VERSION").into(),
            classes,
            profile: "none".into(),
            model: ModelConfig { method: MethodKind::AllOnes, ..ModelConfig::default() },
            input,
            mpp: None,
            sigma: 0.0,
            threshold: 0.5,
            normal_class: 0,
            epoch: 0,
            initial_weights: "none".into(),
            data: DataCard { name: "nothing".into(), ..DataCard::default() },
            metrics: BTreeMap::new(),
            intended_use: "A bound to compare masks with.".into(),
            licence: "none".into(),
        }
    }

    /// Checks that every number is one a model can have, so that a damaged or made-up card cannot exhaust memory.
    ///
    /// # Errors
    ///
    /// [`Error::Card`] naming the first that is not.
    pub fn validate(&self) -> Result<(), Error> {
        let ModelConfig { pooling, mask, erase, .. } = &self.model;
        let share = |value: f64| (0.0..=1.0).contains(&value);
        let checks = [
            ("classes", (2..=MOST).contains(&self.classes.len())),
            ("model.pooling.modalities", (1..=MOST).contains(&pooling.modalities)),
            ("model.pooling.kmax", share(pooling.kmax)),
            ("model.pooling.kmin", share(pooling.kmin)),
            ("model.pooling.alpha", pooling.alpha.is_finite()),
            ("model.pooling.dropout", (0.0..1.0).contains(&pooling.dropout)),
            ("model.mask.omega", mask.omega.is_finite()),
            ("model.mask.classifier_scale", mask.classifier_scale > 0.0 && mask.classifier_scale <= 1.0),
            ("model.mask.prior", share(mask.prior)),
            ("model.erase.threshold", erase.threshold > 0.0 && erase.threshold <= 1.0),
            ("model.erase.rounds", (1..=MOST_ROUNDS).contains(&erase.rounds)),
            ("mpp", self.mpp.is_none_or(|mpp| mpp.is_finite() && mpp > 0.0)),
            ("sigma", self.sigma.is_finite()),
            ("threshold", share(self.threshold)),
            ("input.size", self.input.size >= 1 && self.input.size <= u16::MAX.into()),
            ("input.mean", self.input.mean.iter().all(|mean| mean.is_finite())),
            ("input.std", self.input.std.iter().all(|&std| std.is_finite() && std > 0.0)),
        ];
        match checks.into_iter().find(|&(_, fine)| !fine) {
            Some((name, _)) => Err(Error::Card(format!("its {name} is out of range"))),
            None => Ok(()),
        }
    }
}
