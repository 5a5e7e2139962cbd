//! Profiles: every setting of a training run as one commented TOML file.
//!
//! Several profiles are part of the program ([`Profile::names`]). A file of one's own names only what it changes
//! ([`Profile::from_file`]), every setting is also a flag of the command line ([`Overrides`]), and
//! [`Profile::to_toml`] prints all of them with their comments. All three end in the same checks
//! ([`Profile::validate`]).

mod check;
mod compare;
mod error;
mod key;
mod kind;
mod load;
mod overrides;
mod parts;
mod print;
mod range;
mod shipped;

use histomask_core::config::{LossConfig, ModelConfig};
use histomask_core::schedule::LearningRate;
use serde::{Deserialize, Serialize};

use crate::augment::InputConfig;
use crate::data::DataConfig;

pub use self::error::{Origin, ProfileError};
pub use self::overrides::{Overrides, with_nearest_flag};

/// All settings of a training run. The fields' meaning, sources and allowed values stand in the comments of
/// `profiles/released-glas.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Name of the profile, written into the model card.
    pub name: String,
    /// Weights that the backbone starts from: `embedded`, `none`, or the path of a weights file.
    pub weights: String,
    /// The network.
    pub model: ModelConfig,
    /// The total loss.
    pub loss: LossConfig,
    /// The optimisation.
    pub train: TrainConfig,
    /// From image file to network input.
    pub input: InputConfig,
    /// Where samples come from and how they are divided.
    pub data: DataConfig,
    /// How masks are scored and the epoch is chosen.
    pub evaluation: EvaluationConfig,
}

/// Stochastic gradient descent over epochs (`spec` §3.1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// Passes over the training images, at least 1.
    pub epochs: usize,
    /// Images per step, at least 1; the last batch of an epoch may be smaller.
    pub batch_size: usize,
    /// Batches whose mean gradient makes one change of the weights, at least 1.
    pub accumulate: usize,
    /// Seed of initialisation, order and augmentation.
    pub seed: u64,
    /// Momentum, in `[0, 1)`.
    pub momentum: f64,
    /// Nesterov's form of the momentum.
    pub nesterov: bool,
    /// L2 penalty on all weights, at least 0.
    pub weight_decay: f64,
    /// Learning rate of the heads relative to the backbone, above 0 (10 in the paper's Camelyon16 runs, footnote 5).
    pub head_learning_rate_factor: f64,
    /// Decay of the average of weights that is evaluated and saved, in `[0, 1)`; 0 keeps the weights themselves.
    pub average: f64,
    /// Whether large empty glass is background in training too, for max-min's mask.
    pub tissue: bool,
    /// Batches of training images on which the gradients that the loss sends to max-min's mask are measured after every
    /// epoch; 0 for none.
    pub mask_gradients: usize,
    /// Epochs from one checkpoint that stays to the next; 0 keeps none but the newest and the best.
    pub keep_every: usize,
    /// Threads that read and augment images, at least 1.
    pub workers: usize,
    /// Minutes between two saves of the state within an epoch, at least 0; 0 for none.
    pub save_minutes: f64,
    /// Learning rate of the backbone over the epochs.
    pub learning_rate: LearningRate,
}

/// How masks are scored and the epoch is chosen (`spec` §3.1, §4).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationConfig {
    /// A pixel is foreground when its mask value reaches this, in `(0, 1)`.
    pub threshold: f64,
    /// What becomes of images whose true region is empty.
    pub empty_masks: EmptyMasks,
    /// Which epoch is kept.
    pub selection: Selection,
}

/// What becomes of images whose true region is empty, in the means of F1+ and F1- (`spec` §4, D26).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EmptyMasks {
    /// Scored like all others.
    Raw,
    /// Left out of that region's mean: the Camelyon16 rule.
    Skip,
}

/// Which epoch of a run is kept. Image-level labels decide; pixel labels are never looked at by a method that does not
/// learn from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Selection {
    /// The highest classification accuracy on the validation images; of equals the latest.
    ClassAccuracy,
    /// The lowest cross-entropy on the validation masks; of equals the latest. For U-Net.
    PixelLoss,
    /// The last one: for validation sets too small to choose by.
    Last,
}
