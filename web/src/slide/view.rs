//! What the viewer shows of a slide: tiles at any scale, as they are or under a mask.

use std::io::Cursor;

use histomask_core::shaders;
use histomask_core::shaders::OverlayParams;
use histomask_core::shaders::colormap::{Colormap, packed};
use histomask_core::slide::{Slide, SlideError};
use image::RgbImage;
use serde_json::json;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::{Blob, ImageBitmap};

use super::FileSlide;
use super::blob::BlobReader;
use super::outlines::Outlines;
use super::overview::Overview;
use crate::canvas;
use crate::error::Failure;

/// Bytes of decoded tiles that are kept.
const CACHE: usize = 40 << 20;
/// Pixels of a mask's edge.
const EDGE: u32 = 2;

/// A slide to look at.
#[wasm_bindgen]
pub struct SlideView {
    slide: FileSlide,
    /// Of a slide without small levels.
    overview: Option<Overview>,
    mask: Option<Mask>,
}

/// A slide's mask, as the probability map of [`SlideOutcome`](super::SlideOutcome).
struct Mask {
    pyramid: Slide<Cursor<Vec<u8>>>,
    /// Pixels of level 0 in one of the mask.
    step: [f64; 2],
}

#[wasm_bindgen]
impl SlideView {
    /// Opens a slide; no pixel is read yet.
    ///
    /// # Errors
    ///
    /// If it is none, or damaged.
    pub fn open(file: Blob) -> Result<SlideView, Failure> {
        let mut slide = Slide::open_cached(BlobReader::new(file), CACHE)?;
        slide.pass_over_damage();
        let overview = Overview::needed(&slide);
        Ok(Self { slide, overview, mask: None })
    }

    /// JSON: `width` and `height` in pixels, `mpp` (two microns per pixel, or null), `magnification`, `vendor`, `codec`,
    /// `levels`, `whole` (whether it is a slide rather than a picture), the names of images beside it, which are not
    /// decoded: `beside`, and `overview`: the downsample from which on [`Self::read_overview`] must be done, or null.
    #[must_use]
    pub fn about(&self) -> String {
        let [width, height] = self.slide.size();
        json!({
            "width": width,
            "height": height,
            "mpp": self.slide.mpp(),
            "magnification": self.slide.magnification(),
            "vendor": self.slide.vendor().name(),
            "codec": self.slide.levels().first().map(|level| level.codec),
            "levels": self.slide.levels().len(),
            "whole": self.slide.is_whole_slide(),
            "beside": self.slide.associated().collect::<Vec<_>>(),
            "overview": self.overview.as_ref().map(Overview::downsample),
        })
        .to_string()
    }

    /// Reads on for the overview of a slide without small levels; returns the share that is done.
    ///
    /// # Errors
    ///
    /// If the file can no longer be read.
    pub fn read_overview(&mut self) -> Result<f64, Failure> {
        let Self { slide, overview, .. } = self;
        Ok(overview.as_mut().map_or(Ok(1.0), |overview| overview.read_on(slide))?)
    }

    /// JSON of the polygons of a GeoJSON text in pixels of this slide: `polygons`, each a list of rings of points; `tissue`,
    /// whether all are called so; `doubts`, sentences.
    ///
    /// # Errors
    ///
    /// If it holds none, or those of another slide.
    pub fn outlines(&self, text: &str) -> Result<String, Failure> {
        Ok(Outlines::read(text, self.slide.size())?.json())
    }

    /// Damaged tiles that were read as white so far.
    #[must_use]
    pub fn damaged(&self) -> u32 {
        self.slide.passed_over(0).len() as u32
    }

    /// From now on [`Self::painted`] shows this mask, a probability map of this slide.
    ///
    /// # Errors
    ///
    /// If it is none.
    pub fn set_mask(&mut self, map: Vec<u8>) -> Result<(), Failure> {
        let pyramid = Slide::open_cached(Cursor::new(map), CACHE / 4)?;
        let (full, own) = (self.slide.size().map(f64::from), pyramid.size().map(f64::from));
        self.mask = Some(Mask { pyramid, step: [full[0] / own[0], full[1] / own[1]] });
        Ok(())
    }

    /// A part of the slide, each pixel the mean over `downsample` of level 0 in each direction; `x` and `y` count in such
    /// pixels.
    ///
    /// # Errors
    ///
    /// If the file can no longer be read.
    pub fn tile(&self, downsample: f64, x: u32, y: u32, width: u32, height: u32) -> Result<ImageBitmap, Failure> {
        let region = self.region(downsample, [x, y], [width, height])?;
        canvas::show(&rgba(&region), width, height)
    }

    /// [`Self::tile`] with the mask painted over it; without a mask, as it is.
    ///
    /// # Errors
    ///
    /// As [`Self::tile`].
    #[expect(clippy::too_many_arguments, reason = "JavaScript's numbers; a struct would be an object to free")]
    pub fn painted(
        &self,
        downsample: f64,
        x: u32,
        y: u32,
        width: u32,
        height: u32,
        threshold: f32,
        opacity: f32,
        dim: f32,
        colormap: &str,
        contour: bool,
    ) -> Result<ImageBitmap, Failure> {
        let Some(mask) = &self.mask else { return self.tile(downsample, x, y, width, height) };
        // with what lies around, so that edges go on from tile to tile
        let full = self.slide.size().map(|side| (f64::from(side) / downsample).ceil() as u32);
        let from = [x, y].map(|place| place.saturating_sub(EDGE));
        let end = [(x + width + EDGE).min(full[0]), (y + height + EDGE).min(full[1])];
        let size = [end[0].saturating_sub(from[0]), end[1].saturating_sub(from[1])];
        let region = self.region(downsample, from, size)?;
        let values = mask.values(downsample, from, size)?;
        let params = OverlayParams {
            height: size[1],
            width: size[0],
            row_stride: size[0],
            has_truth: 0,
            contour: contour.into(),
            thickness: EDGE,
            threshold,
            opacity: opacity.clamp(0.0, 1.0),
        };
        let pixels: Vec<u32> = rgba(&region).as_chunks::<4>().0.iter().map(|p| u32::from_le_bytes(*p)).collect();
        let colors = packed(if colormap == "cividis" { Colormap::Cividis } else { Colormap::Viridis });
        let mut painted = vec![0; pixels.len()];
        shaders::overlay(&params, &pixels, &values, &[], &colors, &mut painted);
        let inner = (from_row(x, from[0])..).take(width as usize);
        let columns = inner.collect::<Vec<_>>();
        let mut tile = Vec::with_capacity(4 * width as usize * height as usize);
        for row in (from_row(y, from[1])..).take(height as usize) {
            for &column in &columns {
                let at = row * size[0] as usize + column;
                let mut pixel = painted.get(at).copied().unwrap_or_default().to_le_bytes();
                if dim > 0.0 && values.get(at).is_some_and(|&value| value < threshold) {
                    pixel.iter_mut().take(3).for_each(|level| *level = (f32::from(*level) * (1.0 - dim)).round() as u8);
                }
                tile.extend(pixel);
            }
        }
        canvas::show(&tile, width, height)
    }

    /// The mask at a pixel of level 0, in `[0, 1]`; not a number where there is none.
    ///
    /// # Errors
    ///
    /// As [`Self::tile`].
    pub fn value(&self, x: u32, y: u32) -> Result<f32, Failure> {
        let Some(mask) = &self.mask else { return Ok(f32::NAN) };
        Ok(mask.values(1.0, [x, y], [1, 1])?.first().copied().unwrap_or(f32::NAN))
    }
}

impl SlideView {
    fn region(&self, downsample: f64, at: [u32; 2], size: [u32; 2]) -> Result<RgbImage, SlideError> {
        let overview = self.overview.as_ref().filter(|overview| downsample >= overview.downsample());
        match overview {
            Some(overview) => overview.region(downsample, at.map(i64::from), size),
            None => self.slide.region_scaled([downsample; 2], at.map(i64::from), size),
        }
    }
}

impl Mask {
    /// The mask under pixels of a tile: a mean where they are larger than its own, else the one that they lie in.
    fn values(&self, downsample: f64, at: [u32; 2], size: [u32; 2]) -> Result<Vec<f32>, SlideError> {
        let ratio = self.step.map(|step| downsample / step);
        let grey = |image: &RgbImage| image.pixels().map(|pixel| f32::from(pixel[0]) / 255.0).collect::<Vec<_>>();
        if ratio.iter().all(|&ratio| ratio >= 1.0) {
            return Ok(grey(&self.pyramid.region_scaled(ratio, at.map(i64::from), size)?));
        }
        let full = self.pyramid.size();
        let place = |axis: usize, pixel: u32| {
            let own = (f64::from(pixel) + 0.5) * ratio[axis];
            (own as u32).min(full[axis].saturating_sub(1))
        };
        let first = [place(0, at[0]), place(1, at[1])];
        let last = [0, 1].map(|axis| place(axis, at[axis] + size[axis].saturating_sub(1)));
        let [width, height] = [0, 1].map(|axis| last[axis] - first[axis] + 1);
        let own = grey(&self.pyramid.region(0, first.map(i64::from), [width, height])?);
        let columns: Vec<usize> = (0..size[0]).map(|x| (place(0, at[0] + x) - first[0]) as usize).collect();
        let rows = (0..size[1]).map(|y| (place(1, at[1] + y) - first[1]) as usize * width as usize);
        let values = rows.flat_map(|row| columns.iter().map(move |column| row + column));
        Ok(values.map(|at| own.get(at).copied().unwrap_or_default()).collect())
    }
}

/// Where a tile's first pixel lies in what was read around it.
fn from_row(tile: u32, read: u32) -> usize {
    tile.saturating_sub(read) as usize
}

fn rgba(image: &RgbImage) -> Vec<u8> {
    image.pixels().flat_map(|pixel| [pixel[0], pixel[1], pixel[2], u8::MAX]).collect()
}
