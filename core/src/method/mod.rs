//! The methods of the paper's Tables 1 and 2, one file each with its formula and source (`spec` §5).
//!
//! All share backbone, data, training loop and evaluation through the trait [`Method`]: on a training batch a method
//! yields the terms of its loss, on an image its class scores and class maps. How maps become a mask is its
//! [`Decision`]. [`Network`] holds any of them.

mod all_ones;
mod cam;
mod cam_avg;
mod cam_lse;
mod cam_max;
mod decision;
mod deep_mil;
mod erase;
mod grad_cam;
mod max_min;
mod network;
mod pn;
mod u_net;
mod wildcat;

use burn::tensor::{Int, Tensor};
use serde::{Deserialize, Serialize};

pub use all_ones::AllOnes;
pub use cam::{Cam, CamHead, Pooling};
pub use cam_avg::average;
pub use cam_lse::log_sum_exp;
pub use cam_max::maximum;
pub use decision::{Decision, Target};
pub use deep_mil::{AttentionHead, DeepMil};
pub use erase::{Erase, fill, heat, peak};
pub use grad_cam::{GradCam, grad_cam};
pub use network::Network;
pub use pn::{Pn, size_penalty};
pub use u_net::UNet;

use crate::config::LossConfig;

/// A row of the paper's tables. EEM and SEM are one method with two [`BackgroundTerm`](crate::config::BackgroundTerm)s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MethodKind {
    /// Every pixel is foreground.
    AllOnes,
    /// Presence and non-presence bounds on region sizes.
    Pn,
    /// Adversarial erasing.
    Erase,
    /// Class maps under a global maximum.
    CamMax,
    /// Class maps under log-sum-exp.
    CamLse,
    /// Gradient-weighted feature maps of a network trained as CAM-Avg.
    GradCam,
    /// Class maps under a global average.
    CamAvg,
    /// Class maps under the mean of extreme activations.
    Wildcat,
    /// Attention over positions.
    DeepMil,
    /// Max-min uncertainty, the paper's method.
    #[default]
    MaxMin,
    /// Supervised by masks.
    UNet,
}

impl MethodKind {
    /// All methods in the order of Tables 1 and 2.
    pub const ALL: [Self; 11] = [
        Self::AllOnes,
        Self::Pn,
        Self::Erase,
        Self::CamMax,
        Self::CamLse,
        Self::GradCam,
        Self::CamAvg,
        Self::Wildcat,
        Self::DeepMil,
        Self::MaxMin,
        Self::UNet,
    ];

    /// The name used in profiles, model cards and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AllOnes => "all-ones",
            Self::Pn => "pn",
            Self::Erase => "erase",
            Self::CamMax => "cam-max",
            Self::CamLse => "cam-lse",
            Self::GradCam => "grad-cam",
            Self::CamAvg => "cam-avg",
            Self::Wildcat => "wildcat",
            Self::DeepMil => "deep-mil",
            Self::MaxMin => "max-min",
            Self::UNet => "u-net",
        }
    }

    /// The name in the paper's tables.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::AllOnes => "All-ones",
            Self::Pn => "PN",
            Self::Erase => "ERASE",
            Self::CamMax => "CAM-Max",
            Self::CamLse => "CAM-LSE",
            Self::GradCam => "Grad-CAM",
            Self::CamAvg => "CAM-Avg",
            Self::Wildcat => "Wildcat",
            Self::DeepMil => "Deep MIL",
            Self::MaxMin => "Max-min",
            Self::UNet => "U-Net",
        }
    }

    /// Whether there is anything to train.
    #[must_use]
    pub fn is_trained(self) -> bool {
        self != Self::AllOnes
    }

    /// Whether it learns from masks rather than from image-level labels.
    #[must_use]
    pub fn learns_from_masks(self) -> bool {
        self == Self::UNet
    }

    /// Whether it says which class an image belongs to.
    #[must_use]
    pub fn names_class(self) -> bool {
        !matches!(self, Self::AllOnes | Self::UNet)
    }

    /// Whether its mask depends on the class that is asked for.
    #[must_use]
    pub fn masks_by_class(self) -> bool {
        !matches!(self, Self::AllOnes | Self::UNet | Self::MaxMin)
    }

    /// Whether a model trained as `self` can be used as `other`: the two share network and training.
    #[must_use]
    pub fn can_be_used_as(self, other: Self) -> bool {
        let cam_avg = |method| matches!(method, Self::CamAvg | Self::GradCam);
        self == other || (cam_avg(self) && cam_avg(other))
    }
}

impl std::fmt::Display for MethodKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What a method learns from in one step.
#[derive(Debug)]
pub struct Batch<'a> {
    /// Normalised images, `[B, 3, H, W]`.
    pub images: Tensor<4>,
    /// Classes, `[B]`.
    pub labels: Tensor<1, Int>,
    /// The same on the host.
    pub label_values: &'a [usize],
    /// True masks of 0 and 1, `[B, 1, H, W]`; there for [`MethodKind::learns_from_masks`] alone.
    pub masks: Option<Tensor<4>>,
}

/// What is minimised in one epoch.
#[derive(Clone, Copy, Debug)]
pub struct Objective<'a> {
    /// Terms and weights.
    pub loss: &'a LossConfig,
    /// Eq. 12's sigma in this epoch.
    pub sigma: f64,
    /// The barrier's t in this epoch.
    pub t: f64,
}

/// What a step is made of.
#[derive(Debug)]
pub struct Learning {
    /// The terms of the loss that are on, weighted, by name, `[1]` each.
    pub terms: Vec<(&'static str, Tensor<1>)>,
    /// Class scores (logits) on the images, `[B, C]`, of methods that name a class.
    pub scores: Option<Tensor<2>>,
}

impl Learning {
    /// Sum of all terms, in their order; `None` if every term is off.
    #[must_use]
    pub fn total(&self) -> Option<Tensor<1>> {
        self.terms.iter().map(|(_, term)| term.clone()).reduce(|sum, term| sum + term)
    }
}

/// What a method makes of one image.
#[derive(Debug)]
pub struct Reading {
    /// Class scores (logits), `[1, C]`, of methods that name a class.
    pub scores: Option<Tensor<2>>,
    /// The classifier's scores on the background, `[1, C]`; max-min alone.
    pub background: Option<Tensor<2>>,
    /// Maps, `[1, N, h, w]`, which `decision` turns into a mask.
    pub maps: Tensor<4>,
    /// How.
    pub decision: Decision,
    /// Whether the maps are resampled with aligned corners.
    pub align_corners: bool,
}

/// What training loop and evaluation ask of a method.
pub trait Method {
    /// Loss terms and scores of a batch, on an autodiff device.
    fn learn(&self, batch: Batch<'_>, objective: Objective<'_>) -> Learning;

    /// Scores and maps of one normalised image, `[1, 3, H, W]`; `sigma` is Eq. 12's at which the model was selected.
    fn read(&self, image: Tensor<4>, sigma: f64) -> Reading;
}
