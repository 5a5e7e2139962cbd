//! A trained model at work: image in, class and mask out.

use burn::module::Module;
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};

use crate::backbone::Backbone;
use crate::card::ModelCard;
use crate::error::Error;
use crate::model::MaxMin;
use crate::preprocess::RgbView;
use crate::resample::bilinear_slice;
use crate::weights::{load_state_dict, read_checkpoint};

/// A model and its card, ready for images.
#[derive(Debug)]
pub struct Segmenter {
    model: MaxMin<Backbone>,
    card: ModelCard,
    device: Device,
}

/// What the model says of one image.
#[derive(Clone, Debug, PartialEq)]
pub struct Segmentation {
    /// Index of the most probable class.
    pub class: usize,
    /// Posterior of every class, summing to 1.
    pub probabilities: Vec<f32>,
    /// Soft foreground mask at the image's own resolution, rows first, `width * height` values in `[0, 1]`.
    pub mask: Vec<f32>,
    /// Width of the mask in pixels.
    pub width: usize,
    /// Height of the mask in pixels.
    pub height: usize,
    /// Entropy of the classifier on the background relative to its maximum, in `[0, 1]`: 1 means that what the mask
    /// leaves out tells nothing about the class. Absent for models that do not classify the masked images.
    pub background_uncertainty: Option<f32>,
}

impl Segmenter {
    /// Loads a checkpoint written by `histomask train`.
    ///
    /// # Errors
    ///
    /// [`Error::Weights`] or [`Error::Card`] if the bytes are no such file.
    pub fn from_safetensors(bytes: &[u8], device: &Device) -> Result<Self, Error> {
        let (card, state) = read_checkpoint(bytes)?;
        let model = load_state_dict(card.model.init(card.classes.len(), device), &state)?;
        Ok(Self::new(model, card, device))
    }

    /// A segmenter around a model in memory, whose training side (if any) is dropped; `device` is the model's.
    #[must_use]
    pub fn new(model: MaxMin<Backbone>, card: ModelCard, device: &Device) -> Self {
        Self { model: model.valid(), card, device: device.clone().inner() }
    }

    /// The model's card.
    #[must_use]
    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// Classifies and segments one image.
    ///
    /// # Errors
    ///
    /// [`Error::ImageSize`] for an image the model cannot take, [`Error::Limit`] for one its adapter cannot, [`Error::NotFinite`] if it computes no number.
    pub fn segment(&self, image: RgbView<'_>) -> Result<Segmentation, Error> {
        let input = self.card.input.tensor(image, &self.device)?;
        let [_, _, height, width] = input.dims();
        self.model.check_batch(&self.device, 1, [height, width])?;
        let output = self.model.forward(input, self.card.sigma);

        let probabilities = values(softmax(output.class_scores(), 1))?;
        let mask = values(output.mask())?;
        let background = output.regions.map(|scores| values(softmax(scores.background, 1))).transpose()?;
        if !probabilities.iter().chain(&mask).all(|value| value.is_finite()) {
            return Err(Error::NotFinite);
        }
        let align_corners = self.card.model.mask.align_corners;
        Ok(Segmentation {
            class: argmax(&probabilities),
            mask: bilinear_slice(&mask, [height, width], [image.height(), image.width()], align_corners),
            width: image.width(),
            height: image.height(),
            background_uncertainty: background.map(|p| relative_entropy(&p)),
            probabilities,
        })
    }
}

fn values<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, Error> {
    tensor.into_data().convert::<f32>().try_into_vec::<f32>().map_err(|error| Error::Device(format!("{error:?}")))
}

fn argmax(values: &[f32]) -> usize {
    let best = values.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0)));
    best.map_or(0, |(index, _)| index)
}

/// Shannon entropy over its maximum, `H(p) / ln c`.
fn relative_entropy(p: &[f32]) -> f32 {
    let entropy: f32 = p.iter().filter(|&&p| p > 0.0).map(|p| -p * p.ln()).sum();
    (entropy / (p.len() as f32).ln()).clamp(0.0, 1.0)
}
