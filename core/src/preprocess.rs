//! From an RGB image to the model's input (`spec` §3.2, evaluation input).

use burn::tensor::{Device, Tensor, TensorData};
use histomask_shaders::MAX_SIDE;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::kernel::{limits, model_input, pixels};

/// Smallest and largest side of the model's input in pixels: below, the stride-32 map has no position; above,
/// memory grows past what one pass should take.
const SIDES: [usize; 2] = [32, 4096];

/// 8-bit RGB pixels in row order, 3 bytes each.
#[derive(Clone, Copy, Debug)]
pub struct RgbView<'a> {
    pixels: &'a [u8],
    width: usize,
    height: usize,
}

impl<'a> RgbView<'a> {
    /// A view of `width * height * 3` bytes.
    ///
    /// # Errors
    ///
    /// [`Error::ImageBytes`] if the number of bytes is another one, or a side is 0.
    pub fn new(pixels: &'a [u8], width: usize, height: usize) -> Result<Self, Error> {
        let expected = width.checked_mul(height).and_then(|n| n.checked_mul(3));
        if expected != Some(pixels.len()) || pixels.is_empty() {
            return Err(Error::ImageBytes { bytes: pixels.len(), width, height });
        }
        Ok(Self { pixels, width, height })
    }

    /// Width in pixels.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// 3 bytes a pixel, row by row.
    #[must_use]
    pub fn pixels(&self) -> &'a [u8] {
        self.pixels
    }

    /// One 32-bit word a pixel, red in the lowest byte.
    fn words(&self) -> Vec<u32> {
        self.pixels.chunks_exact(3).map(|rgb| u32::from_le_bytes([rgb[0], rgb[1], rgb[2], u8::MAX])).collect()
    }
}

/// How an image is brought to the model's scale (`spec` §3.2, D11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ResizeRule {
    /// The short side becomes `size`, the aspect is kept, both sides truncated (released GlaS code).
    ShortSide,
    /// As above, but only images whose short side is below `size` are scaled (first public code).
    ShortSideUp,
    /// `size × size`, whatever the aspect (the paper's text).
    Square,
    /// Native resolution.
    None,
}

impl ResizeRule {
    /// The `[width, height]` of an image after the rule.
    #[must_use]
    pub fn target(self, width: usize, height: usize, size: usize) -> [usize; 2] {
        let short = width.min(height).max(1);
        match self {
            Self::Square => [size, size],
            Self::None => [width, height],
            Self::ShortSideUp if short >= size => [width, height],
            // in whole numbers, so that the short side is exactly `size`
            Self::ShortSide | Self::ShortSideUp => {
                let scale = |side: usize| (side as u128 * size as u128 / short as u128) as usize;
                [scale(width), scale(height)]
            }
        }
    }
}

/// The model's input: scale and normalisation, part of every model card.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preprocess {
    /// Rule that brings an image to the model's scale.
    pub resize: ResizeRule,
    /// The rule's size in pixels.
    pub size: usize,
    /// Subtracted from each channel of the image in `[0, 1]`.
    pub mean: [f64; 3],
    /// Each channel is then divided by this.
    pub std: [f64; 3],
}

impl Preprocess {
    /// The `[width, height]` that an image has in the model.
    ///
    /// # Errors
    ///
    /// [`Error::ImageSize`] if the model cannot take a side.
    pub fn size(&self, width: usize, height: usize) -> Result<[usize; 2], Error> {
        let [model_width, model_height] = self.resize.target(width, height, self.size);
        let [min, max] = SIDES;
        if model_width.min(model_height) < min || model_width.max(model_height) > max {
            return Err(Error::ImageSize { width, height, model_width, model_height, min, max });
        }
        Ok([model_width, model_height])
    }

    /// The model's input for one image, `[1, 3, H, W]`: Pillow's bilinear resize and the normalisation, on the device.
    ///
    /// # Errors
    ///
    /// [`Error::ImageSize`] if the resized image has a side the model cannot take.
    pub fn tensor(&self, image: RgbView<'_>, device: &Device) -> Result<Tensor<4>, Error> {
        let [width, height] = self.size(image.width, image.height)?;
        // the original is uploaded whole; what does not fit there is resized here
        let bytes = 4 * image.width as u64 * image.height as u64;
        let fits = limits(device).is_none_or(|limits| limits.check_binding("the image", bytes).is_ok());
        if !fits || image.width.max(image.height) > MAX_SIDE {
            let resized = resize(image, width, height);
            let planar = normalise(&resized, &self.mean, &self.std);
            return Ok(Tensor::from_data(TensorData::new(planar, [1, 3, height, width]), device));
        }
        let pixels = pixels(image.words(), [image.height, image.width], device)?;
        model_input(pixels, [height, width], self.mean, self.std)
    }
}

/// Bilinear resize with anti-aliasing, Pillow's to the byte; RGB bytes in and out. For training, and for images too
/// large for the kernel, whose levels are the same.
#[must_use]
pub fn resize(image: RgbView<'_>, width: usize, height: usize) -> Vec<u8> {
    if [image.width, image.height] == [width, height] {
        return image.pixels.to_vec();
    }
    let planes = histomask_shaders::resize(&image.words(), [image.height, image.width], [height, width]);
    let (red, rest) = planes.split_at(width * height);
    let (green, blue) = rest.split_at(width * height);
    red.iter().zip(green).zip(blue).flat_map(|((&red, &green), &blue)| [red, green, blue]).collect()
}

/// Interleaved RGB bytes to planar `(x / 255 - mean) / std`, `[3, H, W]`.
#[must_use]
pub fn normalise(rgb: &[u8], mean: &[f64; 3], std: &[f64; 3]) -> Vec<f32> {
    let mut planar = Vec::with_capacity(rgb.len());
    for (channel, (mean, std)) in mean.iter().zip(std).enumerate() {
        let table: [f32; 256] = std::array::from_fn(|value| ((value as f64 / 255.0 - mean) / std) as f32);
        planar.extend(rgb.iter().skip(channel).step_by(3).map(|&value| table[usize::from(value)]));
    }
    planar
}
