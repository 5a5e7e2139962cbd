//! The `[input]` settings.

use histomask_core::preprocess::{Preprocess, ResizeRule};
use serde::{Deserialize, Serialize};

/// How an image becomes the network's input; ranges and defaults stand in `profile/profiles/released-glas.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputConfig {
    /// How images are resized: `short-side`, `short-side-up`, `square` or `none`.
    pub resize: ResizeRule,
    /// Side length in pixels that `resize` aims at.
    pub size: u32,
    /// Side length in pixels of the random square cut out for training; smaller images are padded by reflection.
    pub crop: u32,
    /// Mean of red, green and blue, on a scale from 0 to 1, subtracted from the input.
    pub mean: [f64; 3],
    /// Standard deviation of red, green and blue that the input is divided by.
    pub std: [f64; 3],
    /// Brightness is multiplied by a random factor from `[1 - x, 1 + x]`; 0 switches it off. For training only, like
    /// everything below.
    pub brightness: f64,
    /// Contrast is multiplied by a random factor from `[1 - x, 1 + x]`; 0 switches it off.
    pub contrast: f64,
    /// Colour saturation is multiplied by a random factor from `[1 - x, 1 + x]`; 0 switches it off.
    pub saturation: f64,
    /// Hue is turned by a random share of the colour circle from `[-x, x]`, x at most 0.5; 0 switches it off.
    pub hue: f64,
    /// Each stain's optical density is multiplied by a random factor from `[1 - x, 1 + x]` and shifted by a value from
    /// `[-x / 4, x / 4]`, x below 1; 0 switches it off.
    pub stain: f64,
    /// The crop is cut out of the image enlarged by a random factor from `[1 / x, x]`, x at least 1; 1 switches it off.
    pub zoom: f64,
    /// Mirror every other image left to right.
    pub hflip: bool,
    /// Mirror every other image top to bottom.
    pub vflip: bool,
    /// Turn by a random multiple of 90 degrees.
    pub rotate90: bool,
}

impl InputConfig {
    /// The part that a trained model needs again, for its card.
    pub fn preprocess(&self) -> Preprocess {
        Preprocess { resize: self.resize, size: self.size as usize, mean: self.mean, std: self.std }
    }
}
