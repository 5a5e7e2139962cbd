//! The `[input]` settings.

use histomask_core::preprocess::{Preprocess, ResizeRule};
use serde::{Deserialize, Serialize};

use super::AugmentError;

/// Largest `size` and `crop`, in pixels.
const MAX_SIZE: u32 = 8192;

/// How an image becomes the network's input. The defaults are the released GlaS code's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
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

impl Default for InputConfig {
    fn default() -> Self {
        Self {
            resize: ResizeRule::ShortSide,
            size: 432,
            crop: 416,
            mean: [0.5; 3],
            std: [0.5; 3],
            brightness: 0.5,
            contrast: 0.5,
            saturation: 0.5,
            hue: 0.05,
            stain: 0.0,
            zoom: 1.0,
            hflip: true,
            vflip: true,
            rotate90: false,
        }
    }
}

impl InputConfig {
    /// Refuses values out of range.
    ///
    /// # Errors
    /// [`AugmentError::Setting`] naming the first bad setting.
    pub fn validate(&self) -> Result<(), AugmentError> {
        let bad = |setting, reason: String| Err(AugmentError::Setting { setting, reason });
        for (setting, value) in [("size", self.size), ("crop", self.crop)] {
            if !(1..=MAX_SIZE).contains(&value) {
                return bad(setting, format!("{value} is not in 1 to {MAX_SIZE}"));
            }
        }
        for (setting, value, max) in [
            ("brightness", self.brightness, f64::MAX),
            ("contrast", self.contrast, f64::MAX),
            ("saturation", self.saturation, f64::MAX),
            ("hue", self.hue, 0.5),
            ("stain", self.stain, 1.0),
        ] {
            if !(0.0..=max).contains(&value) {
                return bad(setting, format!("{value} is out of range; 0 switches it off"));
            }
        }
        if !(1.0..=4.0).contains(&self.zoom) {
            return bad("zoom", format!("{} is not in 1 to 4; 1 switches it off", self.zoom));
        }
        if let Some(value) = self.mean.iter().find(|value| !value.is_finite()) {
            return bad("mean", format!("{value} is not a number"));
        }
        if let Some(value) = self.std.iter().find(|value| !value.is_finite() || **value <= 0.0) {
            return bad("std", format!("{value} is not above 0"));
        }
        Ok(())
    }
}
