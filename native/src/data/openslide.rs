//! Slides that OpenSlide reads and our reader does not (`--features openslide`). Its library is the system's.

use std::fs::File;
use std::path::Path;

use histomask_core::slide::{Level, OtherPixels, OtherSlide, Slide, SlideError};
use image::RgbImage;
use openslide_rs::errors::OpenSlideError;
use openslide_rs::{Address, OpenSlide, Region, Size};

/// Opens a slide; nothing if OpenSlide does not know its kind.
///
/// # Errors
/// [`SlideError::Other`]: it knows the kind and cannot read the file.
pub(super) fn open(path: &Path) -> Result<Option<Slide<File>>, SlideError> {
    let slide = match OpenSlide::new(path) {
        Err(OpenSlideError::UnsupportedFile(_)) => return Ok(None),
        opened => opened.map_err(said)?,
    };
    let sizes = slide.all_level_dimensions().iter().zip(slide.all_level_downsamples());
    let levels: Vec<Level> = sizes.map(|(size, &downsample)| Level::other([size.w, size.h], downsample)).collect();
    // a text that is no number says nothing
    let number = |name: &str| slide.property_value(name).ok().and_then(|text| text.parse::<f64>().ok());
    let plausible = |name: &str| number(name).filter(|value| value.is_finite() && *value > 0.0);
    let mpp = plausible("openslide.mpp-x").zip(plausible("openslide.mpp-y"));
    Ok(Some(Slide::other(OtherSlide {
        format: format_of(&slide.property_value("openslide.vendor").unwrap_or_default()),
        associated: slide.associated_image_names().map_err(said)?,
        mpp: mpp.map(|(x, y)| [x, y]),
        magnification: plausible("openslide.objective-power"),
        pixels: Box::new(Reader { downsamples: levels.iter().map(|level| level.downsample[0]).collect(), slide }),
        levels,
    })))
}

struct Reader {
    slide: OpenSlide,
    downsamples: Vec<f64>,
}

impl OtherPixels for Reader {
    fn region(&self, level: usize, at: [u32; 2], [w, h]: [u32; 2]) -> Result<RgbImage, SlideError> {
        let downsample = self.downsamples.get(level).copied().unwrap_or(1.0);
        // places count in pixels of level 0
        let [x, y] = at.map(|place| (f64::from(place) * downsample).round() as u32);
        let region = Region { address: Address { x, y }, level: level as u32, size: Size { w, h } };
        on_white([w, h], &self.slide.read_region(&region).map_err(said)?)
    }

    fn associated_image(&self, name: &str) -> Result<RgbImage, SlideError> {
        let (size, pixels) = self.slide.read_associated_buffer(name).map_err(said)?;
        on_white([size.w, size.h], &pixels)
    }
}

fn said(error: OpenSlideError) -> SlideError {
    SlideError::Other(format!("OpenSlide: {error}"))
}

/// Colours multiplied by their opacity, as whole numbers of the machine's byte order: opacity, red, green, blue.
fn on_white([width, height]: [u32; 2], pixels: &[u8]) -> Result<RgbImage, SlideError> {
    let rgb = pixels.as_chunks::<4>().0.iter().flat_map(|pixel| {
        let [opacity, colours @ ..] = u32::from_ne_bytes(*pixel).to_be_bytes();
        colours.map(|colour| colour.saturating_add(255 - opacity))
    });
    let image = RgbImage::from_raw(width, height, rgb.collect());
    image.ok_or(SlideError::TooLarge { width: width.into(), height: height.into() })
}

fn format_of(vendor: &str) -> &'static str {
    match vendor {
        "aperio" => "Aperio, read by OpenSlide",
        "dicom" => "DICOM, read by OpenSlide",
        "generic-tiff" => "TIFF, read by OpenSlide",
        "hamamatsu" => "Hamamatsu, read by OpenSlide",
        "leica" => "Leica SCN, read by OpenSlide",
        "mirax" => "MIRAX, read by OpenSlide",
        "philips" => "Philips, read by OpenSlide",
        "sakura" => "Sakura, read by OpenSlide",
        "trestle" => "Trestle, read by OpenSlide",
        "ventana" => "Ventana, read by OpenSlide",
        "zeiss" => "Zeiss CZI, read by OpenSlide",
        _ => "read by OpenSlide",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::*;

    #[test]
    fn what_is_not_there_is_white() {
        let pixels = [0_u32, 0xff01_0203, 0x8040_2010].map(u32::to_ne_bytes).concat();
        assert_eq!(on_white([3, 1], &pixels).unwrap().as_raw(), &[255, 255, 255, 1, 2, 3, 191, 159, 143]);
        assert!(on_white([4, 1], &pixels).is_err());
    }
}
