//! The max-min model: one backbone, a localizer and a classifier on top (`spec` §1, Fig. 2 of the paper).

use burn::module::Module;
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};

use crate::backbone::{Backbone, FeatureExtractor};
use crate::config::{ClassFrom, MapSource, MaskConfig, MinMax, ModelConfig};
use crate::head::WildcatHead;
use crate::mask::{masked, min_max, posterior_map, soft_threshold};
use crate::resample::bilinear;

/// Modality maps of the released Camelyon16 code's one-class head (`spec` §1.7).
const PULL_MODALITIES: usize = 5;

/// Localizer and classifier on a shared backbone.
#[derive(Module, Debug)]
pub struct MaxMin<B: FeatureExtractor> {
    /// Shared feature extractor.
    pub backbone: B,
    /// Head whose maps make the mask.
    pub localizer: WildcatHead,
    /// Head that judges the masked images.
    pub classifier: WildcatHead,
    /// One-class head of [`MapSource::PullHead`].
    pub pull: Option<WildcatHead>,
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
    /// The raw foreground map at the image's size, before normalisation, `[B, 1, H, W]`.
    pub raw_map: Tensor<4>,
    /// The soft foreground mask M⁺ at the image's size, `[B, 1, H, W]`, in `(0, 1)`.
    pub mask: Tensor<4>,
    /// The classifier's scores on foreground and background; absent with [`ClassFrom::FullImage`].
    pub regions: Option<RegionScores>,
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
        MaxMin::new(self.backbone.init(device), classes, self, device)
    }
}

impl<B: FeatureExtractor> MaxMin<B> {
    /// Heads for `classes` classes on a backbone of one's own.
    #[must_use]
    pub fn new(backbone: B, classes: usize, config: &ModelConfig, device: &Device) -> Self {
        let features = backbone.features();
        let head = |classes| WildcatHead::new(features, classes, &config.pooling, device);
        let pull_pooling = crate::config::PoolingConfig { modalities: PULL_MODALITIES, ..config.pooling.clone() };
        Self {
            localizer: head(classes),
            classifier: head(classes),
            pull: (config.mask.source == MapSource::PullHead)
                .then(|| WildcatHead::new(features, 1, &pull_pooling, device)),
            backbone,
            mask: config.mask.clone(),
            class_from: config.class_from,
        }
    }

    /// Runs the whole model on normalised images; on an autodiff device in training mode.
    ///
    /// `sigma` is Eq. 12's threshold in this epoch ([`MaskConfig::sigma_at`]).
    ///
    /// # Shapes
    ///
    /// `[B, 3, H, W]` with sides of at least 32.
    pub fn forward(&self, images: Tensor<4>, sigma: f64) -> MaxMinOutput {
        let [_, _, height, width] = images.dims();
        let features = self.backbone.forward(images.clone(), 1);
        let class_maps = self.localizer.class_maps(features.clone());
        let scores = self.localizer.scores(class_maps.clone());

        let raw = match &self.pull {
            Some(pull) => pull.class_maps(features),
            None => posterior_map(class_maps.clone(), softmax(scores.clone(), 1)),
        };
        let raw_map = bilinear(raw, [height, width], self.mask.align_corners);
        let normalised = min_max(raw_map.clone(), self.min_max_here(&images));
        let mask = soft_threshold(normalised, self.mask.omega, sigma);

        let regions = (self.class_from == ClassFrom::Foreground).then(|| self.classify(images, mask.clone()));
        MaxMinOutput { class_maps, scores, raw_map, mask, regions }
    }

    /// Whether maps are resampled with aligned corners.
    pub(crate) fn align_corners(&self) -> bool {
        self.mask.align_corners
    }

    /// The whole batch's minimum and maximum belong to training alone (`spec` §1.5).
    fn min_max_here(&self, images: &Tensor<4>) -> MinMax {
        match self.mask.min_max {
            MinMax::WholeBatch if !images.device().is_autodiff() => MinMax::PerSample,
            over => over,
        }
    }

    /// Both regions in one backbone call, interleaved so that each keeps batch statistics of its own.
    fn classify(&self, images: Tensor<4>, mask: Tensor<4>) -> RegionScores {
        let regions = masked(images, mask, self.mask.classifier_scale, self.mask.align_corners);
        let [batch, channels, height, width] = regions.foreground.dims();
        let pairs: Tensor<5> = Tensor::stack(vec![regions.foreground, regions.background], 1);
        let features = self.backbone.forward(pairs.reshape([2 * batch, channels, height, width]), 2);

        let scores = self.classifier.scores(self.classifier.class_maps(features));
        let classes = scores.dims()[1];
        let scores = scores.reshape([batch, 2, classes]);
        let of = |region: usize| scores.clone().narrow(1, region, 1).reshape([batch, classes]);
        RegionScores { foreground: of(0), background: of(1) }
    }
}

impl MaxMinOutput {
    /// The logits that name the class, `[B, C]` (`spec` §4).
    #[must_use]
    pub fn class_scores(&self) -> Tensor<2> {
        self.regions.as_ref().map_or_else(|| self.scores.clone(), |regions| regions.foreground.clone())
    }
}
