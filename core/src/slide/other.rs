//! Slides whose pixels something else reads, such as OpenSlide for the kinds that this reader refuses.

use image::RgbImage;

use super::tile::GLASS;
use super::tiled::MOST_PIXELS;
use super::{Level, SlideError};

/// The pixels of such a slide, for several threads at once.
pub trait OtherPixels: Send + Sync {
    /// `width × height` pixels of a level from `(x, y)` of that level on; all of them lie on it.
    ///
    /// # Errors
    /// [`SlideError::Other`].
    fn region(&self, level: usize, at: [u32; 2], size: [u32; 2]) -> Result<RgbImage, SlideError>;

    /// An image beside the slide.
    ///
    /// # Errors
    /// [`SlideError::Other`].
    fn associated_image(&self, name: &str) -> Result<RgbImage, SlideError>;
}

/// What something else says of a slide; [`Slide::other`](super::Slide::other) makes it one like all others.
pub struct OtherSlide {
    /// Its kind, as people call it.
    pub format: &'static str,
    /// Its resolutions, the finest first.
    pub levels: Vec<Level>,
    /// Names of the images beside it.
    pub associated: Vec<String>,
    /// Microns per pixel of level 0, across and down.
    pub mpp: Option<[f64; 2]>,
    /// Magnification of the objective.
    pub magnification: Option<f64>,
    /// Its pixels.
    pub pixels: Box<dyn OtherPixels>,
}

impl Level {
    /// A level of [`OtherSlide`]; `downsample` pixels of level 0 are one of it. How it is stored is not known.
    #[must_use]
    pub fn other([width, height]: [u32; 2], downsample: f64) -> Self {
        Self { width, height, downsample: [downsample; 2], tile: [0, 0], tiled: true, codec: "OpenSlide" }
    }
}

/// A region that may reach beyond the level, where it is white.
pub(super) fn region(
    pixels: &dyn OtherPixels,
    level: usize,
    of: &Level,
    at: [i64; 2],
    size: [u32; 2],
) -> Result<RgbImage, SlideError> {
    if u64::from(size[0]) * u64::from(size[1]) > MOST_PIXELS {
        return Err(SlideError::TooLarge { width: size[0].into(), height: size[1].into() });
    }
    let full = [of.width, of.height].map(i64::from);
    let low = [0, 1].map(|axis| at[axis].clamp(0, full[axis]));
    let high = [0, 1].map(|axis| at[axis].saturating_add(size[axis].into()).clamp(0, full[axis]));
    let mut whole = RgbImage::from_pixel(size[0], size[1], image::Rgb([GLASS; 3]));
    if low[0] < high[0] && low[1] < high[1] {
        let part =
            pixels.region(level, low.map(|low| low as u32), [0, 1].map(|axis| (high[axis] - low[axis]) as u32))?;
        image::imageops::replace(&mut whole, &part, low[0] - at[0], low[1] - at[1]);
    }
    Ok(whole)
}
