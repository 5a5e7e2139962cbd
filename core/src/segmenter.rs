//! A trained model at work: image in, class and mask out.

use burn::module::Module;
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor, TensorData, Transaction};

use crate::card::ModelCard;
use crate::config::{MaskOf, MethodKind};
use crate::error::Error;
use crate::method::{Decision, Method as _, Network, Reading, Target};
use crate::preprocess::{RgbView, resize};
use crate::refine::refine;
use crate::resample::bilinear;
use crate::weights::{StateDict, load_state_dict, read_checkpoint};

/// A model and its card, ready for images.
#[derive(Debug)]
pub struct Segmenter {
    model: Network,
    card: ModelCard,
    device: Device,
}

/// What the model says of one image.
#[derive(Clone, Debug, PartialEq)]
pub struct Segmentation {
    /// Index of the most probable class; absent for methods that name none (U-Net, All-ones).
    pub class: Option<usize>,
    /// Posterior of every class, summing to 1; empty for methods that name none.
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

/// What the model makes of one image, before anyone has asked for the mask of a class.
#[derive(Clone, Debug)]
pub struct Observation {
    /// Index of the most probable class; absent for methods that name none.
    pub class: Option<usize>,
    /// Posterior of every class; empty for methods that name none.
    pub probabilities: Vec<f32>,
    /// As [`Segmentation::background_uncertainty`].
    pub background_uncertainty: Option<f32>,
    /// Width of the image in pixels.
    pub width: usize,
    /// Height of the image in pixels.
    pub height: usize,
    /// `[1, N, h, w]`, on the model's device and in memory.
    maps: Tensor<4>,
    map_values: Vec<f32>,
    decision: Decision,
    align_corners: bool,
    classes: usize,
    /// The class without foreground, where masks are of the abnormal region.
    normal_class: Option<usize>,
}

impl Segmenter {
    /// Loads a checkpoint written by `histomask train`.
    ///
    /// # Errors
    ///
    /// [`Error::Weights`] or [`Error::Card`] if the bytes are no such file.
    pub fn from_safetensors(bytes: &[u8], device: &Device) -> Result<Self, Error> {
        let (card, state) = read_checkpoint(bytes)?;
        Self::from_checkpoint(card, &state, device)
    }

    /// A segmenter from a card and the weights it describes.
    ///
    /// # Errors
    ///
    /// [`Error::Weights`] if the weights are another network's.
    pub fn from_checkpoint(card: ModelCard, state: &StateDict, device: &Device) -> Result<Self, Error> {
        // its random weights are never looked at: drawn on a GPU, they would have kernels compiled
        #[cfg(all(feature = "cpu", not(target_family = "wasm")))]
        let drawn = Device::flex();
        #[cfg(not(all(feature = "cpu", not(target_family = "wasm"))))]
        let drawn = device.clone();
        let model = load_state_dict(card.model.init(card.classes.len(), &drawn), state)?;
        Ok(Self::new(model.to_device(device), card, device))
    }

    /// A segmenter around a model in memory, whose training side (if any) is dropped; `device` is the model's.
    #[must_use]
    pub fn new(model: Network, card: ModelCard, device: &Device) -> Self {
        Self { model: model.valid().fold(), card, device: device.clone().inner() }
    }

    /// The model's card.
    #[must_use]
    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// The device that the model computes on.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The network, without its training side.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.model
    }

    /// Classifies and segments one image; the mask is that of the predicted class.
    ///
    /// # Errors
    ///
    /// [`Error::ImageSize`] for an image the model cannot take, [`Error::Limit`] for one the adapter cannot,
    /// [`Error::NotFinite`] if the model computes no number.
    pub fn segment(&self, image: RgbView<'_>) -> Result<Segmentation, Error> {
        let observation = self.observe(image)?;
        let mask = observation.mask(None)?;
        let Observation { class, probabilities, background_uncertainty, width, height, .. } = observation;
        Ok(Segmentation { class, probabilities, mask, width, height, background_uncertainty })
    }

    /// Runs the model on one image, once for all masks that may be asked for.
    ///
    /// # Errors
    ///
    /// As [`Segmenter::segment`].
    pub fn observe(&self, image: RgbView<'_>) -> Result<Observation, Error> {
        let (reading, transfer) = self.queue(image)?;
        let values = transfer.try_execute().map_err(|error| Error::Device(error.to_string()))?;
        self.observation(image, reading, values)
    }

    /// [`Segmenter::observe`] where nothing may wait for the device, as in a browser.
    ///
    /// # Errors
    ///
    /// As [`Segmenter::segment`].
    pub async fn observe_async(&self, image: RgbView<'_>) -> Result<Observation, Error> {
        let (reading, transfer) = self.queue(image)?;
        let values = transfer.execute_async().await.map_err(|error| Error::Device(error.to_string()))?;
        self.observation(image, reading, values)
    }

    /// Queues the model's work, and the transfer of its maps and of whichever posteriors it has.
    fn queue(&self, image: RgbView<'_>) -> Result<(Reading, Transaction), Error> {
        let [width, height] = self.card.input.size(image.width(), image.height())?;
        // before anything is allocated
        self.model.check_batch(&self.device, 1, [height, width])?;
        let input = self.card.input.tensor(image, &self.device)?;
        let reading = self.model.read(input, self.card.sigma);
        let posteriors = [&reading.scores, &reading.background].into_iter().flatten();
        let transfer = posteriors.fold(Transaction::default().register(reading.maps.clone()), |transfer, scores| {
            transfer.register(softmax(scores.clone(), 1))
        });
        Ok((reading, transfer))
    }

    fn observation(
        &self,
        image: RgbView<'_>,
        reading: Reading,
        transferred: Vec<TensorData>,
    ) -> Result<Observation, Error> {
        let mut transferred = transferred.into_iter().map(values);
        let mut next = || transferred.next().unwrap_or_else(|| Err(Error::Device("a result is missing".into())));
        let map_values = next()?;
        let probabilities = reading.scores.map(|_| next()).transpose()?;
        let background = reading.background.map(|_| next()).transpose()?;
        if !probabilities.iter().flatten().chain(&map_values).all(|value| value.is_finite()) {
            return Err(Error::NotFinite);
        }
        let (maps, map_values) = self.refined(image, reading.maps, map_values);
        Ok(Observation {
            class: probabilities.as_deref().map(argmax),
            probabilities: probabilities.unwrap_or_default(),
            background_uncertainty: background.map(|p| relative_entropy(&p)),
            width: image.width(),
            height: image.height(),
            maps,
            map_values,
            decision: reading.decision,
            align_corners: reading.align_corners,
            classes: self.card.classes.len(),
            normal_class: (self.card.model.mask_of == MaskOf::Abnormal).then_some(self.card.normal_class),
        })
    }
}

impl Segmenter {
    /// Max-min's mask with what the card's settings take from the image itself; other methods' maps as they are.
    fn refined(&self, image: RgbView<'_>, maps: Tensor<4>, mut values: Vec<f32>) -> (Tensor<4>, Vec<f32>) {
        let ModelCard { model, .. } = &self.card;
        if model.method != MethodKind::MaxMin || !model.mask.refines() {
            return (maps, values);
        }
        let [_, _, height, width] = maps.dims();
        refine(&mut values, &resize(image, width, height), [height, width], &model.mask);
        let refined = Tensor::from_data(TensorData::new(values.clone(), [1, 1, height, width]), &maps.device());
        (refined, values)
    }
}

impl Observation {
    /// Values of its maps: what it takes of memory, twice.
    #[must_use]
    pub fn map_values(&self) -> usize {
        self.map_values.len()
    }

    /// The soft mask of a class, or without one of the predicted class: `width * height` values in `[0, 1]`.
    ///
    /// Max-min, U-Net and All-ones have one mask whatever the class, and so have models whose masks mark the abnormal
    /// region ([`MaskOf::Abnormal`]).
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchClass`].
    pub fn mask(&self, class: Option<usize>) -> Result<Vec<f32>, Error> {
        let class = class.or(self.class).unwrap_or_default();
        if class >= self.classes {
            return Err(Error::NoSuchClass { class, classes: self.classes });
        }
        let of = self.normal_class.map_or(Target::Class(class), Target::AnyBut);
        let [_, _, map_height, map_width] = self.maps.dims();
        let size = [self.height, self.width];
        Ok(self.decision.mask(&self.map_values, [map_height, map_width], self.classes, of, size, self.align_corners))
    }

    /// [`Observation::mask`] as a tensor `[H, W]` on the model's device, to be painted there. Of methods whose map is
    /// the mask (max-min) it has never left the device.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchClass`].
    pub fn mask_on_device(&self, class: Option<usize>) -> Result<Tensor<2>, Error> {
        let size = [self.height, self.width];
        if self.decision == Decision::Soft {
            return Ok(bilinear(self.maps.clone(), size, self.align_corners).reshape(size));
        }
        Ok(Tensor::from_data(TensorData::new(self.mask(class)?, size), &self.maps.device()))
    }
}

pub(crate) fn values(data: TensorData) -> Result<Vec<f32>, Error> {
    data.convert::<f32>().try_into_vec::<f32>().map_err(|error| Error::Device(format!("{error:?}")))
}

fn argmax(values: &[f32]) -> usize {
    let best = values.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0)));
    best.map_or(0, |(index, _)| index)
}

/// Shannon entropy over its maximum, `H(p) / ln c`.
pub(crate) fn relative_entropy(p: &[f32]) -> f32 {
    let entropy: f32 = p.iter().filter(|&&p| p > 0.0).map(|p| -p * p.ln()).sum();
    (entropy / (p.len() as f32).ln()).clamp(0.0, 1.0)
}
