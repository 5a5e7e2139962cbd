//! From a decoded image to the network's input: resize, crop, jitter, flips and rotations, normalisation (`spec` §3.2).

mod config;
mod geometry;
mod jitter;
mod resize;
mod stain;

use histomask_core::preprocess::normalise;
use image::{GrayImage, RgbImage, imageops};
use rand::Rng;
use thiserror::Error;

pub use self::config::InputConfig;
use self::geometry::{Crop, Flips};
pub use histomask_core::preprocess::ResizeRule;

/// An input that cannot be prepared.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AugmentError {
    /// An image so elongated that resizing its short side makes the long one enormous.
    #[error("resizing it from {}×{} would make it {}×{} pixels; cut it into patches", .from.0, .from.1, .to.0, .to.1)]
    TooElongated {
        /// Width and height of the image.
        from: (u32, u32),
        /// Width and height asked for.
        to: (u32, u32),
    },
    /// The resizing library refused.
    #[error("it cannot be resized: {reason}")]
    Resize {
        /// The library's answer.
        reason: String,
    },
}

/// Prepares inputs as one [`InputConfig`] says. All results are planar `[3, H, W]`, red first, row by row.
#[derive(Clone, Debug)]
pub struct Augmenter {
    config: InputConfig,
}

impl Augmenter {
    /// For settings in range, as those of a profile are.
    #[must_use]
    pub fn new(config: InputConfig) -> Self {
        Self { config }
    }

    /// The settings it was made from.
    pub fn config(&self) -> &InputConfig {
        &self.config
    }

    /// The first, deterministic step of [`Self::train`]; worth keeping between epochs.
    ///
    /// # Errors
    /// [`AugmentError::TooElongated`] for extreme aspect ratios.
    pub fn resize(&self, image: &RgbImage) -> Result<RgbImage, AugmentError> {
        resize::resize(image, self.config.resize, self.config.size)
    }

    /// A training input `[3, crop, crop]`: resize, random crop, jitter, flips, rotation, normalisation, in this order.
    ///
    /// # Errors
    /// As [`Self::resize`].
    pub fn train(&self, image: &RgbImage, rng: &mut impl Rng) -> Result<Vec<f32>, AugmentError> {
        Ok(self.train_resized(&self.resize(image)?, rng))
    }

    /// [`Self::train`] for an image that went through [`Self::resize`] before.
    pub fn train_resized(&self, resized: &RgbImage, rng: &mut impl Rng) -> Vec<f32> {
        self.train_pair(resized, None, rng).0
    }

    /// [`Self::train_resized`] of an image together with its mask, which shares crop, flips and turns but not the
    /// jitter: the input `[3, crop, crop]` and the mask's values, `[crop, crop]` (empty without a mask).
    pub fn train_pair(&self, resized: &RgbImage, mask: Option<&GrayImage>, rng: &mut impl Rng) -> (Vec<f32>, Vec<u8>) {
        let config = &self.config;
        let place = Crop::draw(resized.dimensions(), geometry::side(config, rng), rng);
        let mut crop = zoomed(place.of(resized), config.crop);
        stain::jitter(&mut crop, config.stain, rng);
        jitter::jitter(&mut crop, config, rng);
        let flips = Flips::draw(config, rng);
        let input = normalise(flips.of(crop).as_raw(), &config.mean, &config.std);
        let mask = mask.map(|mask| self.resize_mask(&place.of(mask), (config.crop, config.crop)));
        (input, mask.map(|mask| flips.of(mask).into_raw()).unwrap_or_default())
    }

    /// A mask brought to the size of its image after [`Self::resize`], by the nearest pixel.
    pub fn resize_mask(&self, mask: &GrayImage, (width, height): (u32, u32)) -> GrayImage {
        imageops::resize(mask, width, height, imageops::FilterType::Nearest)
    }
}

/// A square crop brought to `side`; as it is if it cannot be, which a side of at least 1 rules out.
fn zoomed(crop: RgbImage, side: u32) -> RgbImage {
    if crop.width() == side {
        return crop;
    }
    resize::resize(&crop, ResizeRule::Square, side).unwrap_or(crop)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use image::Rgb;
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn shapes_ranges_and_determinism() {
        let image = RgbImage::from_fn(775, 522, |x, y| Rgb([x as u8, y as u8, (x ^ y) as u8]));
        let augmenter = Augmenter::new(InputConfig { rotate90: true, ..InputConfig::default() });
        let train = |seed| augmenter.train(&image, &mut ChaCha8Rng::seed_from_u64(seed)).unwrap();
        let input = train(0);
        assert_eq!(input.len(), 3 * 416 * 416);
        assert!(input.iter().all(|value| (-1.0..=1.0).contains(value)));
        assert_eq!(input, train(0));
        assert_ne!(input, train(1));
        assert_eq!(augmenter.resize(&image).unwrap().dimensions(), (641, 432));
    }

    #[test]
    fn a_mask_goes_where_its_image_goes() {
        // white glands on black, no jitter: the mask must equal the image's own brightness
        let image = RgbImage::from_fn(50, 40, |x, y| Rgb([if (x / 7 + y / 5) % 3 == 0 { 255 } else { 0 }; 3]));
        let mask = GrayImage::from_fn(50, 40, |x, y| image::Luma([image.get_pixel(x, y).0[0]]));
        let config = InputConfig {
            resize: ResizeRule::None,
            crop: 48,
            mean: [0.0; 3],
            std: [1.0; 3],
            brightness: 0.0,
            contrast: 0.0,
            saturation: 0.0,
            hue: 0.0,
            rotate90: true,
            ..InputConfig::default()
        };
        let augmenter = Augmenter::new(config);
        for seed in 0..20 {
            let (input, mask) = augmenter.train_pair(&image, Some(&mask), &mut ChaCha8Rng::seed_from_u64(seed));
            assert_eq!(mask.len(), 48 * 48);
            assert!(input.iter().zip(&mask).all(|(&value, &mask)| (value * 255.0).round() as u8 == mask));
        }
        assert_eq!(augmenter.resize_mask(&mask, (25, 20)).dimensions(), (25, 20));
    }
}
