use burn::tensor::{Tensor, TensorData};
use histomask_core::backbone::{Backbone, FeatureExtractor as _, Tiling};
use histomask_core::config::BackboneKind;
use histomask_core::kernel::{check_pass, limits};
use histomask_core::mask::masked;
use histomask_core::preprocess::Preprocess;
use histomask_core::resample::bilinear;
use histomask_core::weights::load_state_dict;
use histomask_core::{Device, RgbView};
use image::RgbImage;

use super::TrustError;
use crate::weights::embedded_backbone;

/// Globally average-pooled features of one image: a vector each.
#[derive(Clone, Debug, PartialEq)]
pub struct Regions {
    /// Of the whole image.
    pub whole: Vec<f64>,
    /// Of `X⁺ = X ⊙ M⁺`.
    pub foreground: Vec<f64>,
    /// Of `X⁻ = X ⊙ (1 - M⁺)`.
    pub background: Vec<f64>,
}

/// The image, what the mask keeps and what it leaves out, which pass the network together.
const PARTS: usize = 3;

/// EfficientNet-Lite0 as ImageNet left it: it never saw the labels, the mask, or the model that made the mask.
#[derive(Debug)]
pub struct FrozenFeatures {
    backbone: Backbone,
    device: Device,
    input: Preprocess,
}

impl FrozenFeatures {
    /// The embedded weights on a device. Images come to the scale of `input`; they are normalised by mean 0.5 and
    /// deviation 0.5, so that 0, which a removed pixel becomes, is mid-grey.
    ///
    /// # Errors
    ///
    /// [`TrustError`] if the embedded weights cannot be used.
    pub fn new(input: &Preprocess, device: &Device) -> Result<Self, TrustError> {
        let device = device.clone().inner();
        let weights = embedded_backbone(BackboneKind::EfficientnetLite0)?.state.unwrap_or_default();
        let backbone = load_state_dict(BackboneKind::EfficientnetLite0.init(&device), &weights)
            .map_err(histomask_core::Error::from)?;
        let input = Preprocess { mean: [0.5; 3], std: [0.5; 3], ..input.clone() };
        Ok(Self { backbone: backbone.fold(), device, input })
    }

    /// Features of an image, of what a soft mask keeps of it and of what it leaves out; `mask` holds
    /// `width * height` values in `[0, 1]`, rows first.
    ///
    /// # Errors
    ///
    /// [`TrustError`] for an image or mask of another size than the model takes, or a device that fails.
    pub fn regions(&self, image: &RgbImage, mask: &[f32]) -> Result<Regions, TrustError> {
        let [width, height] = [image.width() as usize, image.height() as usize];
        if mask.len() != width * height {
            return Err(TrustError::MaskSize { mask: mask.len(), width, height });
        }
        let [model_width, model_height] = self.input.size(width, height)?;
        let size = [model_height, model_width];
        if let Some(limits) = limits(&self.device) {
            let core = |error| histomask_core::Error::Limit(error);
            check_pass(limits, self.backbone.values_per_pixel(), PARTS, Tiling::default().largest(size))
                .map_err(core)?;
            check_pass(limits, 0, PARTS, size).map_err(core)?;
            limits.check_binding("the mask", 4 * width as u64 * height as u64).map_err(core)?;
        }
        let input = self.input.tensor(RgbView::new(image.as_raw(), width, height)?, &self.device)?;
        let mask = Tensor::from_data(TensorData::new(mask.to_vec(), [1, 1, height, width]), &self.device);
        let parts = masked(input.clone(), bilinear(mask, size, true), size, true);
        let batch = Tensor::cat(vec![input, parts.foreground, parts.background], 0);
        let pooled = self.backbone.forward(batch, 1).mean_dim(3).mean_dim(2);
        let values = pooled.try_into_data().map_err(|error| histomask_core::Error::Device(error.to_string()))?;
        let values = values
            .convert::<f64>()
            .try_into_vec::<f64>()
            .map_err(|error| histomask_core::Error::Device(format!("{error:?}")))?;
        if !values.iter().all(|value| value.is_finite()) {
            return Err(histomask_core::Error::NotFinite.into());
        }
        let mut vectors = values.chunks(self.backbone.features()).map(<[f64]>::to_vec);
        let mut next = || vectors.next().unwrap_or_default();
        Ok(Regions { whole: next(), foreground: next(), background: next() })
    }
}
