use std::io::{Read, Seek};

use image::RgbImage;

use super::grid::Grid;
use super::layout::{self, Vendor};
use super::other::{OtherPixels, OtherSlide};
use super::source::Source;
use super::tiled::{MOST_PIXELS, Tiled};
use super::{SlideError, other, scale};

/// Bytes of decoded tiles that are kept unless asked otherwise.
const CACHE: usize = 128 << 20;
/// Longest side of what is taken for a picture although it has tiles, or smaller copies of itself.
const LONGEST_PICTURE: u32 = 4096;

/// One resolution of a slide.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Level {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Pixels of level 0 in one of this level, across and down.
    pub downsample: [f64; 2],
    /// Width and height of a tile (of a strip, where there are no tiles).
    pub tile: [u32; 2],
    /// Whether it has tiles in place of strips.
    pub tiled: bool,
    /// How tiles are compressed.
    pub codec: &'static str,
}

/// A slide. Several threads may read it at once: they wait for each other while bytes are fetched, not while tiles are
/// decoded.
pub struct Slide<R> {
    pixels: Pixels<R>,
    vendor: Vendor,
    levels: Vec<Level>,
    associated: Vec<String>,
    mpp: Option<[f64; 2]>,
    magnification: Option<f64>,
}

/// Who reads a slide's pixels.
enum Pixels<R> {
    Tiled(Box<Tiled<R>>),
    Other(Box<dyn OtherPixels>),
}

impl<R: Read + Seek> Slide<R> {
    /// Reads what the file says of itself; no pixel yet.
    ///
    /// # Errors
    /// [`SlideError`]: no TIFF, cut off, damaged, or of a kind that is not read.
    pub fn open(reader: R) -> Result<Self, SlideError> {
        Self::open_cached(reader, CACHE)
    }

    /// [`Slide::open`], keeping at most `cache` bytes of decoded tiles.
    ///
    /// # Errors
    /// As [`Slide::open`].
    pub fn open_cached(reader: R, cache: usize) -> Result<Self, SlideError> {
        let source = Source::new(reader)?;
        let layout = layout::read(&source)?;
        let full = layout.levels.first().map(|grid| [grid.width, grid.height]).unwrap_or([1, 1]);
        let level = |grid: &Grid| Level {
            width: grid.width,
            height: grid.height,
            downsample: [f64::from(full[0]) / f64::from(grid.width), f64::from(full[1]) / f64::from(grid.height)],
            tile: grid.tile,
            tiled: grid.is_tiled,
            codec: grid.codec.name(),
        };
        Ok(Self {
            vendor: layout.vendor,
            levels: layout.levels.iter().map(level).collect(),
            associated: layout.associated.iter().map(|(name, _)| name.clone()).collect(),
            mpp: layout.mpp,
            magnification: layout.magnification,
            pixels: Pixels::Tiled(Box::new(Tiled::new(source, layout.levels, layout.associated, cache))),
        })
    }

    /// A slide that something else reads.
    #[must_use]
    pub fn other(slide: OtherSlide) -> Self {
        let OtherSlide { format, levels, associated, mpp, magnification, pixels } = slide;
        let vendor = Vendor::Other(format);
        Self { pixels: Pixels::Other(pixels), vendor, levels, associated, mpp, magnification }
    }

    /// Has tiles that are damaged or missing read as white from now on; [`Slide::passed_over`] says which. A file that
    /// the system cannot read stays an error, and so does damage that another reader finds.
    pub fn pass_over_damage(&mut self) {
        if let Pixels::Tiled(tiled) = &mut self.pixels {
            tiled.pass_over_damage();
        }
    }

    /// What was wrong with tiles that were read as white so far, without the `known` first of them.
    #[must_use]
    pub fn passed_over(&self, known: usize) -> Vec<String> {
        match &self.pixels {
            Pixels::Tiled(tiled) => tiled.passed_over(known),
            Pixels::Other(_) => Vec::new(),
        }
    }

    /// Whether this is a slide rather than a picture that happens to be a TIFF, perhaps with a thumbnail: a scanner's,
    /// or one with two of tiles, levels and a side of more than 4096 pixels.
    #[must_use]
    pub fn is_whole_slide(&self) -> bool {
        let scanner = matches!(self.vendor, Vendor::Aperio | Vendor::Philips | Vendor::Other(_));
        let tiled = self.levels.first().is_some_and(|level| level.tiled);
        let long = self.size().into_iter().max() > Some(LONGEST_PICTURE);
        scanner || [tiled, long, self.levels.len() > 1].into_iter().filter(|sign| *sign).count() >= 2
    }

    /// Who wrote it.
    #[must_use]
    pub fn vendor(&self) -> Vendor {
        self.vendor
    }

    /// Its resolutions, the finest first.
    #[must_use]
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// Width and height of level 0 in pixels.
    #[must_use]
    pub fn size(&self) -> [u32; 2] {
        self.levels.first().map(|level| [level.width, level.height]).unwrap_or_default()
    }

    /// Microns per pixel of level 0, across and down, where the file says so.
    #[must_use]
    pub fn mpp(&self) -> Option<[f64; 2]> {
        self.mpp
    }

    /// Says what the file does not, or says wrongly: microns per pixel of level 0.
    pub fn set_mpp(&mut self, mpp: f64) {
        self.mpp = Some([mpp; 2]);
    }

    /// Magnification of the objective, where the file says so.
    #[must_use]
    pub fn magnification(&self) -> Option<f64> {
        self.magnification
    }

    /// Names of the images beside the slide: thumbnail, label, macro.
    pub fn associated(&self) -> impl Iterator<Item = &str> {
        self.associated.iter().map(String::as_str)
    }

    /// An image beside the slide. Labels and macros may show a patient's name.
    ///
    /// # Errors
    /// [`SlideError`]: absent, damaged or too large.
    pub fn associated_image(&self, name: &str) -> Result<RgbImage, SlideError> {
        match &self.pixels {
            Pixels::Tiled(tiled) => tiled.associated_image(name),
            Pixels::Other(pixels) => pixels.associated_image(name),
        }
    }

    /// `width × height` pixels of a level, whose upper left one is `(x, y)` of that level. White beyond the slide, and
    /// where it has no tile.
    ///
    /// # Errors
    /// [`SlideError`]: no such level, too large, a tile that is damaged, a file that cannot be read.
    pub fn region(&self, level: usize, [x, y]: [i64; 2], [width, height]: [u32; 2]) -> Result<RgbImage, SlideError> {
        match &self.pixels {
            Pixels::Tiled(tiled) => tiled.region(level, [x, y], [width, height]),
            Pixels::Other(pixels) => {
                let of = self.levels.get(level).ok_or_else(|| SlideError::Absent(format!("level {level}")))?;
                other::region(&**pixels, level, of, [x, y], [width, height])
            }
        }
    }

    /// `width × height` pixels at any scale: one is the mean over `downsample` pixels of level 0 in each direction, made
    /// from the next finer level. `(x, y)` counts in such pixels from the upper left corner of the slide.
    ///
    /// # Errors
    /// As [`Slide::region`].
    pub fn region_scaled(
        &self,
        downsample: [f64; 2],
        [x, y]: [i64; 2],
        [width, height]: [u32; 2],
    ) -> Result<RgbImage, SlideError> {
        if u64::from(width) * u64::from(height) > MOST_PIXELS || downsample.iter().any(|d| !d.is_finite() || *d <= 0.0)
        {
            return Err(SlideError::TooLarge { width: width.into(), height: height.into() });
        }
        let fits = |level: &&Level| (0..2).all(|axis| level.downsample[axis] <= downsample[axis] * 1.001);
        let level = self.levels.iter().filter(fits).count().saturating_sub(1);
        let Some(chosen) = self.levels.get(level) else { return Err(SlideError::Absent(format!("level {level}"))) };
        let step = [downsample[0] / chosen.downsample[0], downsample[1] / chosen.downsample[1]];
        scale::averaged(step, [x, y], [width, height], |at, size| self.region(level, at, size))
    }

    /// `width × height` pixels of `mpp` microns, from `(x, y)` on, which counts in such pixels.
    ///
    /// # Errors
    /// [`SlideError::NoMpp`], and as [`Slide::region`].
    pub fn region_at_mpp(&self, mpp: f64, at: [i64; 2], size: [u32; 2]) -> Result<RgbImage, SlideError> {
        let own = self.mpp.ok_or(SlideError::NoMpp)?;
        self.region_scaled(own.map(|own| mpp / own), at, size)
    }

    /// The whole slide with at most `side` pixels on its longer side.
    ///
    /// # Errors
    /// As [`Slide::region`].
    pub fn thumbnail(&self, side: u32) -> Result<RgbImage, SlideError> {
        let [width, height] = self.size().map(f64::from);
        let downsample = (width.max(height) / f64::from(side.max(1))).max(1.0);
        let size = [width, height].map(|full| (full / downsample).round().max(1.0));
        self.region_scaled([width / size[0], height / size[1]], [0, 0], size.map(|side| side as u32))
    }
}
