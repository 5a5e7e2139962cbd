use std::collections::HashSet;
use std::io::{Read, Seek};
use std::sync::{Arc, Mutex, PoisonError};

use image::RgbImage;

use super::cache::TileCache;
use super::grid::Grid;
use super::layout::{self, Vendor};
use super::source::Source;
use super::tile::{self, GLASS, TileFailure};
use super::{SlideError, scale};

/// Bytes of decoded tiles that are kept unless asked otherwise.
const CACHE: usize = 128 << 20;
/// Longest side of a tiled TIFF of one level that is taken for a picture.
const LONGEST_PICTURE: u32 = 4096;
/// Most pixels of one region.
const MOST_PIXELS: u64 = 1 << 28;

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
    source: Source<R>,
    vendor: Vendor,
    grids: Vec<Grid>,
    levels: Vec<Level>,
    associated: Vec<(String, Grid)>,
    mpp: Option<[f64; 2]>,
    magnification: Option<f64>,
    cache: Mutex<TileCache>,
    /// Nothing where damaged tiles are errors.
    passed_over: Option<Mutex<PassedOver>>,
}

/// Damaged tiles that were read as white.
#[derive(Default)]
struct PassedOver {
    /// Level, column and row of each.
    tiles: HashSet<(usize, u32, u32)>,
    /// What was wrong with each, in the order in which they were found.
    reasons: Vec<String>,
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
            source,
            vendor: layout.vendor,
            levels: layout.levels.iter().map(level).collect(),
            grids: layout.levels,
            associated: layout.associated,
            mpp: layout.mpp,
            magnification: layout.magnification,
            cache: Mutex::new(TileCache::new(cache)),
            passed_over: None,
        })
    }

    /// Has tiles that are damaged or missing read as white from now on; [`Slide::passed_over`] says which. A file that
    /// the system cannot read stays an error.
    pub fn pass_over_damage(&mut self) {
        self.passed_over = Some(Mutex::default());
    }

    /// What was wrong with tiles that were read as white so far, without the `known` first of them.
    #[must_use]
    pub fn passed_over(&self, known: usize) -> Vec<String> {
        let Some(passed_over) = &self.passed_over else { return Vec::new() };
        let passed_over = passed_over.lock().unwrap_or_else(PoisonError::into_inner);
        passed_over.reasons.get(known..).unwrap_or_default().to_vec()
    }

    /// Whether this is a slide rather than a picture that happens to be a TIFF: a scanner's, one with levels, or one of
    /// tiles that is longer than 4096 pixels.
    #[must_use]
    pub fn is_whole_slide(&self) -> bool {
        let scanner = matches!(self.vendor, Vendor::Aperio | Vendor::Philips);
        let tiled = self.levels.first().is_some_and(|level| level.tiled);
        scanner || self.levels.len() > 1 || (tiled && self.size().into_iter().max() > Some(LONGEST_PICTURE))
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
        self.associated.iter().map(|(name, _)| name.as_str())
    }

    /// An image beside the slide. Labels and macros may show a patient's name.
    ///
    /// # Errors
    /// [`SlideError`]: absent, damaged or too large.
    pub fn associated_image(&self, name: &str) -> Result<RgbImage, SlideError> {
        let found = self.associated.iter().find(|(other, _)| other == name);
        let (_, grid) = found.ok_or_else(|| SlideError::Absent(format!("image `{name}`")))?;
        let read = |column, row| {
            let tile = tile::read(&self.source, grid, column, row);
            tile.map(Arc::new).map_err(|failure| match failure {
                TileFailure::Io(error) => SlideError::Io(error),
                TileFailure::Damaged(reason) => SlideError::Associated { name: name.to_owned(), reason },
            })
        };
        compose(grid, [0, 0], [grid.width, grid.height], read)
    }

    /// `width × height` pixels of a level, whose upper left one is `(x, y)` of that level. White beyond the slide, and
    /// where it has no tile.
    ///
    /// # Errors
    /// [`SlideError`]: no such level, too large, a tile that is damaged, a file that cannot be read.
    pub fn region(&self, level: usize, [x, y]: [i64; 2], [width, height]: [u32; 2]) -> Result<RgbImage, SlideError> {
        let grid = self.grids.get(level).ok_or_else(|| SlideError::Absent(format!("level {level}")))?;
        compose(grid, [x, y], [width, height], |column, row| self.tile(level, grid, column, row))
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

    fn tile(&self, level: usize, grid: &Grid, column: u32, row: u32) -> Result<Arc<Vec<u8>>, SlideError> {
        let key = (level, row as usize * grid.across as usize + column as usize);
        let cache = || self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tile) = cache().get(key) {
            return Ok(tile);
        }
        let tile = match tile::read(&self.source, grid, column, row) {
            Ok(tile) => tile,
            Err(TileFailure::Io(error)) => return Err(SlideError::Io(error)),
            Err(TileFailure::Damaged(reason)) => {
                let error = SlideError::Tile { level, column, row, reason };
                let Some(passed_over) = &self.passed_over else { return Err(error) };
                let mut passed_over = passed_over.lock().unwrap_or_else(PoisonError::into_inner);
                if passed_over.tiles.insert((level, column, row)) {
                    passed_over.reasons.push(error.to_string());
                }
                let [width, height] = grid.stored(row);
                vec![GLASS; 3 * width as usize * height as usize]
            }
        };
        let tile = Arc::new(tile);
        cache().put(key, Arc::clone(&tile));
        Ok(tile)
    }
}

/// A region put together from tiles.
fn compose(
    grid: &Grid,
    [x, y]: [i64; 2],
    [width, height]: [u32; 2],
    mut tile: impl FnMut(u32, u32) -> Result<Arc<Vec<u8>>, SlideError>,
) -> Result<RgbImage, SlideError> {
    let too_large = || SlideError::TooLarge { width: width.into(), height: height.into() };
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(too_large());
    }
    let mut pixels = vec![GLASS; 3 * width as usize * height as usize];
    // the part of the region that lies on the slide, and the tiles that cover it
    let cut = |from: i64, length: u32, full: u32| {
        (from.clamp(0, full.into()) as u32, from.saturating_add(length.into()).clamp(0, full.into()) as u32)
    };
    let ((left, right), (top, bottom)) = (cut(x, width, grid.width), cut(y, height, grid.height));
    if left < right && top < bottom {
        let [tile_width, tile_height] = grid.tile;
        for row in top / tile_height..=(bottom - 1) / tile_height {
            for column in left / tile_width..=(right - 1) / tile_width {
                let values = tile(column, row)?;
                let (from_x, from_y) = (column * tile_width, row * tile_height);
                let (start, end) = (left.max(from_x), right.min(from_x.saturating_add(tile_width)));
                for line in top.max(from_y)..bottom.min(from_y.saturating_add(tile_height)) {
                    let from = 3 * ((line - from_y) as usize * tile_width as usize + (start - from_x) as usize);
                    let to = 3 * ((i64::from(line) - y) as usize * width as usize + (i64::from(start) - x) as usize);
                    let length = 3 * (end - start) as usize;
                    if let (Some(to), Some(from)) = (pixels.get_mut(to..to + length), values.get(from..from + length)) {
                        to.copy_from_slice(from);
                    }
                }
            }
        }
    }
    RgbImage::from_raw(width, height, pixels).ok_or_else(too_large)
}
