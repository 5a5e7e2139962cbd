//! ERASE: adversarial erasing (Wei et al., AE-PSL, CVPR 2017; `spec` §5.7).
//!
//! Rounds of: train a classifier (CAM-Avg without bias); on every training image erase what the true class's map marks,
//! `max(map, 0) / max >= threshold`, by the mean colour; go on with the erased images. The mask is the union over
//! rounds. The paper's wording allows the threshold 0.8 (the top fifth of the scale) and 0.2; both are settings of
//! [`EraseConfig`]. The construction is inferred: no code was published.

use burn::module::{Module, RunningState};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor, TensorData};

use super::cam::classification;
use super::{Batch, Decision, Learning, Method, Objective, Reading};
use crate::Error;
use crate::backbone::{Backbone, FeatureExtractor};
use crate::config::EraseConfig;
use crate::head::{CamHead, ClassMaps};
use crate::resample::bilinear;

/// The network, and the colour it erases with.
#[derive(Module, Debug)]
pub struct Erase {
    /// Feature extractor.
    pub backbone: Backbone,
    /// Head without bias under the global average.
    pub head: CamHead,
    /// Mean colour of the training images in the scale of the input, `[3]`.
    pub running_mean_colour: RunningState<Tensor<1>>,
    #[module(skip)]
    config: EraseConfig,
}

/// A class map relative to its image's maximum, negative values cut off; 0 everywhere if none is positive.
/// [`Decision::Peak`] is the same on the host, where masks are made.
///
/// # Shapes
///
/// `[B, 1, H, W]` to `[B, 1, H, W]`, values in `[0, 1]`.
pub fn heat(class_map: Tensor<4>) -> Tensor<4> {
    let positive = relu(class_map);
    let [batch, _, height, width] = positive.dims();
    let highest = positive.clone().reshape([batch, height * width]).max_dim(1).reshape([batch, 1, 1, 1]);
    positive / highest.clamp_min(f64::from(f32::MIN_POSITIVE))
}

/// 1 where a [`heat`] map reaches `threshold`, else 0; any shape.
pub fn peak(heat: Tensor<4>, threshold: f64) -> Tensor<4> {
    heat.greater_equal_elem(threshold).float()
}

/// Images with a region of 0 and 1 replaced by a colour.
///
/// # Shapes
///
/// `[B, 3, H, W]`, `[B, 1, H, W]` and `[3]` to `[B, 3, H, W]`.
pub fn fill(images: Tensor<4>, region: Tensor<4>, colour: Tensor<1>) -> Tensor<4> {
    images * (-region.clone() + 1.0) + region * colour.reshape([1, 3, 1, 1])
}

impl Erase {
    /// The network with a random head; it erases with 0, mid-grey at best, until it is told the mean colour.
    pub(super) fn new(backbone: Backbone, classes: usize, config: EraseConfig, device: &Device) -> Self {
        Self {
            head: CamHead::without_bias(backbone.features(), classes, device),
            running_mean_colour: RunningState::new(Tensor::zeros([3], device)),
            backbone,
            config,
        }
    }

    /// Sets the colour to erase with, normalised as the input is.
    #[must_use]
    pub fn with_mean_colour(mut self, colour: [f32; 3], device: &Device) -> Self {
        self.running_mean_colour = RunningState::new(Tensor::from_data(TensorData::new(colour.to_vec(), [3]), device));
        self
    }

    /// How many classes it tells apart.
    pub(super) fn classes(&self) -> usize {
        self.head.classes()
    }

    /// What is to be erased of one normalised image `[1, 3, H, W]`: `H * W` values.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchClass`], or [`Error::Device`] if it gave no numbers back.
    pub fn region(&self, image: Tensor<4>, class: usize) -> Result<Vec<bool>, Error> {
        let [_, _, height, width] = image.dims();
        let maps = self.head.class_maps(self.backbone.forward(image, 1));
        let classes = maps.dims()[1];
        if class >= classes {
            return Err(Error::NoSuchClass { class, classes });
        }
        let region = self.peaks(maps.narrow(1, class, 1), [height, width]).into_data().convert::<f32>();
        let values = region.try_into_vec::<f32>().map_err(|error| Error::Device(format!("{error:?}")))?;
        Ok(values.into_iter().map(|value| value > 0.5).collect())
    }

    fn peaks(&self, class_maps: Tensor<4>, size: [usize; 2]) -> Tensor<4> {
        peak(heat(bilinear(class_maps, size, true)), self.config.threshold)
    }
}

impl Method for Erase {
    fn learn(&self, batch: Batch<'_>, objective: Objective<'_>) -> Learning {
        classification(self.head.of_images(&self.backbone, batch.images).scores, batch.labels, objective)
    }

    fn read(&self, image: Tensor<4>, _: f64) -> Reading {
        let [_, _, height, width] = image.dims();
        let ClassMaps { maps: first, scores } = self.head.of_images(&self.backbone, image.clone());
        let [_, classes, h, w] = first.dims();

        // a copy of the image for each class, from which that class alone is erased
        let mut copies = image.repeat(&[classes, 1, 1, 1]);
        let mut own = first.reshape([classes, 1, h, w]);
        let mut rounds = vec![own.clone()];
        for _ in 1..self.config.rounds {
            copies = fill(copies, self.peaks(own, [height, width]), self.running_mean_colour.value());
            let maps = self.head.class_maps(self.backbone.forward(copies.clone(), 1));
            let of_itself = (0..classes).map(|class| maps.clone().narrow(0, class, 1).narrow(1, class, 1));
            own = Tensor::cat(of_itself.collect(), 0);
            rounds.push(own.clone());
        }
        let maps = Tensor::cat(rounds, 0).reshape([1, self.config.rounds.max(1) * classes, h, w]);
        let decision = Decision::Peak(self.config.threshold as f32);
        Reading { scores: Some(scores), background: None, maps, decision, align_corners: true }
    }
}
