//! Between the rounds of ERASE: what the network marks on the training images is painted over (`spec` §5.7).

use std::path::Path;

use burn::tensor::{Tensor, TensorData};
use histomask_core::Device;
use histomask_core::method::Erase;
use histomask_core::preprocess::{Preprocess, normalise};
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, GrayImage, ImageEncoder as _, Luma};
use rayon::prelude::*;

use super::loader::{Erasure, resized};
use super::{RunFolder, TrainError};
use crate::atomic::{self, WriteError};
use crate::augment::Augmenter;
use crate::data::image::read_rgb;
use crate::data::{DataError, Sample};
use crate::interrupt;

/// Mean colour of all pixels of the training images.
pub(super) fn mean_colour(samples: &[Sample]) -> Result<[u8; 3], DataError> {
    let sum = |sample: &Sample| {
        let image = read_rgb(&sample.image)?;
        let pixels = image.pixels().len() as u64;
        Ok(image.pixels().fold([0, 0, 0, pixels], |sum: [u64; 4], pixel| {
            let [red, green, blue] = pixel.0.map(u64::from);
            [sum[0] + red, sum[1] + green, sum[2] + blue, sum[3]]
        }))
    };
    // whole numbers, so that their sum does not depend on the order
    let add = |a: [u64; 4], b: [u64; 4]| Ok(std::array::from_fn(|i| a[i] + b[i]));
    let [red, green, blue, pixels] = samples.par_iter().map(sum).try_reduce(|| [0; 4], add)?;
    let pixels = pixels.max(1);
    Ok([red, green, blue].map(|sum| ((sum + pixels / 2) / pixels).min(255) as u8))
}

/// A colour in the scale of the network's input.
pub(super) fn normalised(colour: [u8; 3], augmenter: &Augmenter) -> [f32; 3] {
    let planar = normalise(&colour, &augmenter.config().mean, &augmenter.config().std);
    std::array::from_fn(|channel| planar.get(channel).copied().unwrap_or_default())
}

/// A network between two rounds, and the images it is asked about.
pub(super) struct Erasing<'a> {
    pub(super) network: &'a Erase,
    pub(super) samples: &'a [Sample],
    pub(super) augmenter: &'a Augmenter,
    pub(super) device: &'a Device,
    pub(super) folder: &'a RunFolder,
}

impl Erasing<'_> {
    /// Writes what is erased in `round` into the run's folder: everything of the rounds `before`, and what the network
    /// now marks of each image's class. False if the user asked to stop.
    pub(super) fn write(&self, before: &Erasure, round: usize) -> Result<bool, TrainError> {
        for (index, sample) in self.samples.iter().enumerate() {
            if interrupt::asked() {
                return Ok(false);
            }
            let image = resized(self.augmenter, &read_rgb(&sample.image)?, &sample.image)?;
            let (width, height) = image.dimensions();
            let Preprocess { mean, std, .. } = self.augmenter.config().preprocess();
            let input = normalise(before.of(index, &image)?.as_raw(), &mean, &std);
            let shape = [1, 3, height as usize, width as usize];
            let input = Tensor::<4>::from_data(TensorData::new(input, shape), self.device);
            let marked = self.network.region(input, sample.label)?;
            let mut region = before.region(index, (width, height))?.unwrap_or_else(|| GrayImage::new(width, height));
            let marked = region.pixels_mut().zip(marked).filter(|(_, marked)| *marked);
            marked.for_each(|(pixel, _)| *pixel = Luma([255]));
            write_png(&self.folder.erased(round, index), &region)?;
        }
        Ok(true)
    }
}

/// What was erased in `round`; nothing in the first.
pub(super) fn erasure(folder: &RunFolder, round: usize, samples: usize, colour: [u8; 3]) -> Erasure {
    let samples = if round == 0 { 0 } else { samples };
    Erasure { regions: (0..samples).map(|index| folder.erased(round, index)).collect(), colour }
}

fn write_png(path: &Path, region: &GrayImage) -> Result<(), WriteError> {
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes)
        .write_image(region.as_raw(), region.width(), region.height(), ExtendedColorType::L8)
        .map_err(|error| WriteError { path: path.to_owned(), source: std::io::Error::other(error) })?;
    atomic::write(path, &bytes)
}
