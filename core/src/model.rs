//! The max-min model: one backbone, a localizer and a classifier on top (`spec` §1, Fig. 2 of the paper).

use burn::module::Module;
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};

use crate::backbone::{Backbone, FeatureExtractor};
use crate::config::{ClassFrom, Hole, MapSource, MaskConfig, MinMax, ModelConfig};
use crate::head::{CamHead, ClassMaps};
use crate::kernel::{MaskSpec, mask_images, mask_images_within, soft_mask};
use crate::mask::{RegionSizes, masked, posterior_map, region_sizes};
use crate::resample::bilinear;

/// Modality maps of the released Camelyon16 code's one-class head (`spec` §1.7).
const PULL_MODALITIES: usize = 5;

/// Localizer and classifier on a shared backbone.
#[derive(Module, Debug)]
pub struct MaxMin<B: FeatureExtractor> {
    /// Shared feature extractor.
    pub backbone: B,
    /// Head whose maps make the mask.
    pub localizer: CamHead,
    /// Head that judges the masked images.
    pub classifier: CamHead,
    /// One-class head of [`MapSource::PullHead`].
    pub pull: Option<CamHead>,
    #[module(skip)]
    mask: MaskConfig,
    #[module(skip)]
    class_from: ClassFrom,
}

/// What one forward pass yields.
#[derive(Debug)]
pub struct MaxMinOutput {
    /// The localizer's class activation maps, `[B, C, h, w]`.
    pub class_maps: Tensor<4>,
    /// The localizer's scores on the full image, logits `[B, C]`.
    pub scores: Tensor<2>,
    /// The raw foreground map before resampling, `[B, 1, h, w]`.
    pub map: Tensor<4>,
    /// Soft sizes of foreground and background, `[B]` each (Eq. 10–11).
    pub sizes: RegionSizes,
    /// The classifier's scores on foreground and background; absent with [`ClassFrom::FullImage`].
    pub regions: Option<RegionScores>,
    spec: MaskSpec,
}

/// The soft mask `[B, 1, H, W]` as each of its uses sees it: equal values, a gradient each.
pub(crate) struct MaskUses {
    /// In X⁺.
    pub(crate) foreground: Tensor<4>,
    /// In X⁻.
    pub(crate) background: Tensor<4>,
    /// In the sizes of both regions.
    pub(crate) sizes: Tensor<4>,
}

/// What the localizer finds: fields of [`MaxMinOutput`].
struct Localised {
    class_maps: Tensor<4>,
    scores: Tensor<2>,
    map: Tensor<4>,
    spec: MaskSpec,
}

/// The classifier's logits on the two masked images, `[B, C]` each.
#[derive(Debug)]
pub struct RegionScores {
    /// On X⁺.
    pub foreground: Tensor<2>,
    /// On X⁻.
    pub background: Tensor<2>,
}

impl ModelConfig {
    /// The max-min model with random weights for `classes` classes, whatever [`ModelConfig::method`] says;
    /// [`ModelConfig::init`] makes the network of that method.
    #[must_use]
    pub fn init_max_min(&self, classes: usize, device: &Device) -> MaxMin<Backbone> {
        MaxMin::new(self.backbone(device), classes, self, device)
    }
}

impl<B: FeatureExtractor> MaxMin<B> {
    /// Heads for `classes` classes on a backbone of one's own.
    #[must_use]
    pub fn new(backbone: B, classes: usize, config: &ModelConfig, device: &Device) -> Self {
        let features = backbone.features();
        let head = |classes| CamHead::wildcat(features, classes, &config.pooling, device);
        let pull_pooling = crate::config::PoolingConfig { modalities: PULL_MODALITIES, ..config.pooling.clone() };
        Self {
            localizer: head(classes),
            classifier: head(classes),
            pull: (config.mask.source == MapSource::PullHead)
                .then(|| CamHead::wildcat(features, 1, &pull_pooling, device)),
            backbone,
            mask: config.mask.clone(),
            class_from: config.class_from,
        }
    }

    /// The model for use alone ([`FeatureExtractor::fold`]).
    #[must_use]
    pub fn fold(self) -> Self {
        Self { backbone: self.backbone.fold(), ..self }
    }

    /// Runs the whole model on normalised images; on an autodiff device in training mode.
    ///
    /// `sigma` is Eq. 12's threshold in this epoch ([`MaskConfig::sigma_at`]).
    ///
    /// # Shapes
    ///
    /// `[B, 3, H, W]` with sides of at least 32.
    pub fn forward(&self, images: Tensor<4>, sigma: f64) -> MaxMinOutput {
        self.forward_in_training(images, sigma, 1.0, None)
    }

    /// As [`MaxMin::forward`]; what comes back from the classifier to X⁻ is multiplied by `background_gradient` before it
    /// goes on to the mask, and the mask is background where `tissue` `[B, 1, H, W]` is 0.
    pub(crate) fn forward_in_training(
        &self,
        images: Tensor<4>,
        sigma: f64,
        background_gradient: f64,
        tissue: Option<Tensor<4>>,
    ) -> MaxMinOutput {
        let [_, _, height, width] = images.dims();
        let Localised { class_maps, scores, map, spec } = self.localise(images.clone(), sigma);
        let (sizes, regions) = match self.class_from {
            ClassFrom::Foreground => {
                let hole = self.hole(&images);
                let images = less(images, hole.as_ref());
                let masked = match tissue {
                    None => mask_images(map.clone(), images, spec),
                    Some(tissue) => mask_images_within(map.clone(), images, tissue, spec),
                };
                let sizes = RegionSizes::new(masked.foreground_size, height * width);
                let regions = regions_seen(masked.regions, hole, background_gradient);
                (sizes, Some(self.classify(regions)))
            }
            ClassFrom::FullImage => (region_sizes(within(soft_mask(map.clone(), spec), tissue)), None),
        };
        MaxMinOutput { class_maps, scores, map, sizes, regions, spec }
    }

    /// As [`MaxMin::forward`] on an autodiff device, but with the mask cut off from the localizer and given once to each
    /// of its uses, so that one backward tells apart what each of them sends to it.
    ///
    /// # Shapes
    ///
    /// `[B, 3, H, W]` with sides of at least 32.
    pub(crate) fn forward_apart(
        &self,
        images: Tensor<4>,
        sigma: f64,
        background_gradient: f64,
        tissue: Option<Tensor<4>>,
    ) -> (MaxMinOutput, MaskUses) {
        let Localised { class_maps, scores, map, spec } = self.localise(images.clone(), sigma);
        let mask = soft_mask(map.clone(), spec).inner();
        let leaf = || Tensor::from_inner(mask.clone()).require_grad();
        let uses = MaskUses { foreground: leaf(), background: leaf(), sizes: leaf() };
        let hole = self.hole(&images);
        let images = less(images, hole.as_ref());
        let seen = |mask: &Tensor<4>| within(mask.clone(), tissue.clone());
        let parts = |mask: &Tensor<4>| masked(images.clone(), seen(mask), spec.region, spec.align_corners);
        let regions = (self.class_from == ClassFrom::Foreground).then(|| {
            let regions = vec![parts(&uses.foreground).foreground, parts(&uses.background).background];
            self.classify(regions_seen(Tensor::stack(regions, 1), hole, background_gradient))
        });
        let sizes = region_sizes(seen(&uses.sizes));
        (MaxMinOutput { class_maps, scores, map, sizes, regions, spec }, uses)
    }

    /// The localizer's part of a pass.
    fn localise(&self, images: Tensor<4>, sigma: f64) -> Localised {
        let [_, _, height, width] = images.dims();
        let min_max = self.min_max_here(&images);
        let features = self.backbone.forward(images, 1);
        let ClassMaps { maps: class_maps, scores } = self.localizer.forward(features.clone());
        let map = match &self.pull {
            Some(pull) => pull.class_maps(features),
            None => posterior_map(class_maps.clone(), softmax(scores.clone(), 1)),
        };
        let spec = MaskSpec { min_max, ..MaskSpec::new(&self.mask, [height, width], sigma) };
        Localised { class_maps, scores, map, spec }
    }

    /// What the mask is made of before anything is scaled over an image: the localizer's class maps, which its posterior
    /// then weighs, or the one map of [`MapSource::PullHead`].
    ///
    /// # Shapes
    ///
    /// `[B, 3, H, W]` to `[B, C, h, w]` or `[B, 1, h, w]`.
    pub fn local_maps(&self, images: Tensor<4>) -> Tensor<4> {
        let features = self.backbone.forward(images, 1);
        self.pull.as_ref().unwrap_or(&self.localizer).class_maps(features)
    }

    /// Whether maps are resampled with aligned corners.
    pub(crate) fn align_corners(&self) -> bool {
        self.mask.align_corners
    }

    /// Colour of pixels that a region leaves out, `[B, 3, 1, 1]`; none for 0.
    fn hole(&self, images: &Tensor<4>) -> Option<Tensor<4>> {
        match self.mask.hole {
            Hole::Zero => None,
            Hole::Mean => Some(images.clone().mean_dim(2).mean_dim(3)),
        }
    }

    /// Values of the largest feature map of a training step per pixel of its images: both regions go through the
    /// backbone together.
    pub(crate) fn values_per_pixel(&self) -> usize {
        let regions = 2.0 * self.mask.classifier_scale * self.mask.classifier_scale;
        (self.backbone.values_per_pixel() as f64 * regions.max(1.0)).ceil() as usize
    }

    /// The whole batch's minimum and maximum belong to training alone (`spec` §1.5).
    fn min_max_here(&self, images: &Tensor<4>) -> MinMax {
        match self.mask.min_max {
            MinMax::WholeBatch if !images.device().is_autodiff() => MinMax::PerSample,
            over => over,
        }
    }

    /// Both regions `[B, 2, 3, H', W']` in one backbone call, interleaved so that each keeps batch statistics of its own.
    fn classify(&self, regions: Tensor<5>) -> RegionScores {
        let [batch, _, channels, height, width] = regions.dims();
        let features = self.backbone.forward(regions.reshape([2 * batch, channels, height, width]), 2);
        let scores = self.classifier.forward(features).scores;
        let classes = scores.dims()[1];
        let scores = scores.reshape([batch, 2, classes]);
        let of = |region: usize| scores.clone().narrow(1, region, 1).reshape([batch, classes]);
        RegionScores { foreground: of(0), background: of(1) }
    }
}

/// A mask that is 0 where there is no tissue.
fn within(mask: Tensor<4>, tissue: Option<Tensor<4>>) -> Tensor<4> {
    match tissue {
        Some(tissue) => mask * tissue,
        None => mask,
    }
}

/// Images whose removed pixels, which are 0, are to mean the colour of the hole.
fn less(images: Tensor<4>, hole: Option<&Tensor<4>>) -> Tensor<4> {
    hole.map_or_else(|| images.clone(), |hole| images.clone() - hole.clone())
}

/// Both regions `[B, 2, 3, H', W']` as the classifier sees them: holes have their colour, and the gradient to X⁻ is
/// multiplied by `background_gradient`.
fn regions_seen(regions: Tensor<5>, hole: Option<Tensor<4>>, background_gradient: f64) -> Tensor<5> {
    let regions = match hole {
        Some(hole) => regions + hole.unsqueeze_dim(1),
        None => regions,
    };
    if background_gradient == 1.0 {
        return regions;
    }
    let (foreground, background) = (regions.clone().narrow(1, 0, 1), regions.narrow(1, 1, 1));
    // the same values, another gradient
    let seen = background.clone().detach() * (1.0 - background_gradient) + background * background_gradient;
    Tensor::cat(vec![foreground, seen], 1)
}

impl MaxMinOutput {
    /// The soft foreground mask M⁺ at the image's size, `[B, 1, H, W]`, in `(0, 1)`.
    #[must_use]
    pub fn mask(&self) -> Tensor<4> {
        soft_mask(self.map.clone(), self.spec)
    }

    /// The raw foreground map at the image's size, before normalisation, `[B, 1, H, W]`.
    #[must_use]
    pub fn raw_map(&self) -> Tensor<4> {
        bilinear(self.map.clone(), self.spec.size, self.spec.align_corners)
    }

    /// The logits that name the class, `[B, C]` (`spec` §4).
    #[must_use]
    pub fn class_scores(&self) -> Tensor<2> {
        self.regions.as_ref().map_or_else(|| self.scores.clone(), |regions| regions.foreground.clone())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn a_hole_of_the_mean_colour_is_not_seen_in_an_image_of_one_colour() {
        let device = Device::flex();
        device.seed(1);
        let colour = Tensor::<1>::from_floats([0.5, -0.25, 0.75], &device).reshape([1, 3, 1, 1]);
        let image = colour.expand([1, 3, 64, 64]);
        // how far apart the classifier's scores of the two regions are
        let apart = |hole| {
            let mask = MaskConfig { hole, ..MaskConfig::default() };
            let config = ModelConfig { mask, backbone_blocks: 3, backbone_channels: 8, ..ModelConfig::default() };
            let RegionScores { foreground, background } =
                config.init_max_min(2, &device).forward(image.clone(), 0.15).regions.unwrap();
            (foreground - background).abs().max().into_scalar::<f32>()
        };
        let (mean, zero) = (apart(Hole::Mean), apart(Hole::Zero));
        assert!(mean < 1e-5 && zero > 100.0 * mean.max(1e-6), "{mean}, {zero}");
    }
}
