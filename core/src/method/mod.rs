//! The methods of the paper's Tables 1 and 2, one file each with its formula and source (`spec` §5).
//!
//! All share backbone, data, training loop and evaluation through the trait [`Method`]: on a training batch a method
//! yields the terms of its loss, on an image its class scores and class maps. How maps become a mask is its
//! [`Decision`]. [`Network`] holds any of them.

mod all_ones;
mod cam;
mod decision;
mod deep_mil;
mod erase;
mod grad_cam;
mod mask_gradients;
mod max_min;
mod network;
mod pn;
mod u_net;

use burn::tensor::{Int, Tensor};

pub use all_ones::AllOnes;
pub use cam::Cam;
pub use decision::{Decision, Target};
pub use deep_mil::{AttentionHead, DeepMil};
pub use erase::{Erase, fill, heat, peak};
pub use grad_cam::{GradCam, grad_cam};
pub use mask_gradients::MaskGradients;
pub use network::Network;
pub use pn::{Pn, size_penalty};
pub use u_net::UNet;

use crate::config::LossConfig;
use crate::loss::Terms;

/// What a method learns from in one step.
#[derive(Debug)]
pub struct Batch<'a> {
    /// Normalised images, `[B, 3, H, W]`.
    pub images: Tensor<4>,
    /// Classes, `[B]`.
    pub labels: Tensor<1, Int>,
    /// The same on the host.
    pub label_values: &'a [usize],
    /// True masks of 0 and 1, `[B, 1, H, W]`; there for [`MethodKind::learns_from_masks`](crate::config::MethodKind::learns_from_masks) alone.
    pub masks: Option<Tensor<4>>,
    /// 0 where large empty glass is ([`crate::refine::tissue`]), 1 elsewhere, `[B, 1, H, W]`: there the mask that max-min
    /// learns is background. Absent where the batch has none or it is not asked for.
    pub tissue: Option<Tensor<4>>,
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
    /// Index of the class without foreground of interest, if there is one ([`LossConfig::normal_index`]).
    pub normal: Option<usize>,
}

/// What a step is made of.
#[derive(Debug)]
pub struct Learning {
    /// The terms of the loss that are on.
    pub terms: Terms,
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
