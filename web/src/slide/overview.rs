//! The whole of a slide that has no small levels, made smaller once, so that looking at it does not decode all of it again
//! and again.

use std::io::{Read, Seek};

use histomask_core::slide::{Slide, SlideError};
use image::{GenericImage as _, GenericImageView as _, Rgb, RgbImage, imageops};

/// Longest side of a smallest level that is quickly read.
const QUICK: u32 = 8192;
/// Most pixels of an overview.
const MOST: u64 = 16_000_000;

/// A slide at a power of two of its size, read strip by strip.
pub(super) struct Overview {
    /// Pixels of level 0 in one.
    by: u32,
    size: [u32; 2],
    /// Empty before the first strip.
    picture: RgbImage,
    /// Rows that are read.
    rows: u32,
    /// Rows that are read at once: about those of a row of tiles.
    strip: u32,
}

impl Overview {
    /// Nothing for slides with a small level.
    pub(super) fn needed<R: Read + Seek>(slide: &Slide<R>) -> Option<Self> {
        let smallest = slide.levels().last()?;
        if smallest.width.max(smallest.height) <= QUICK {
            return None;
        }
        let small = |by: &u32| slide.size().map(|side| u64::from(side.div_ceil(*by))).iter().product::<u64>() <= MOST;
        let by = (1..31).map(|power| 1_u32 << power).find(small)?;
        let size = slide.size().map(|side| side.div_ceil(by));
        let tile = f64::from(smallest.tile[1]) * smallest.downsample[1];
        let strip = ((tile / f64::from(by)) as u32).max(1);
        Some(Self { by, size, picture: RgbImage::default(), rows: 0, strip })
    }

    /// Pixels of level 0 in one of its own.
    pub(super) fn downsample(&self) -> f64 {
        f64::from(self.by)
    }

    /// Reads the next strip; returns the share that is done.
    pub(super) fn read_on<R: Read + Seek>(&mut self, slide: &Slide<R>) -> Result<f64, SlideError> {
        let [width, height] = self.size;
        if self.rows == 0 {
            self.picture = RgbImage::from_pixel(width, height, Rgb([u8::MAX; 3]));
        }
        let rows = self.strip.min(height - self.rows);
        if rows > 0 {
            let strip = slide.region_scaled([self.downsample(); 2], [0, self.rows.into()], [width, rows])?;
            // it has the strip's width, and its rows end within
            let _ = self.picture.copy_from(&strip, 0, self.rows);
            self.rows += rows;
        }
        Ok(f64::from(self.rows) / f64::from(height.max(1)))
    }

    /// As [`Slide::region_scaled`], for a downsample that is a multiple of its own.
    pub(super) fn region(&self, downsample: f64, at: [i64; 2], size: [u32; 2]) -> Result<RgbImage, SlideError> {
        let step = (downsample / self.downsample()) as u32;
        let [left, top] = at.map(|place| u32::try_from(place).unwrap_or(0).saturating_mul(step));
        let (width, height) = self.picture.dimensions();
        if left >= width || top >= height {
            return Ok(RgbImage::from_pixel(size[0], size[1], Rgb([u8::MAX; 3])));
        }
        let part = self.picture.view(
            left,
            top,
            size[0].saturating_mul(step).min(width - left),
            size[1].saturating_mul(step).min(height - top),
        );
        Ok(imageops::thumbnail(&part.to_image(), size[0].max(1), size[1].max(1)))
    }
}
