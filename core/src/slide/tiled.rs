//! The pixels of a slide that this reader reads: tiles, fetched where they are asked for and kept for a while.

use std::collections::HashSet;
use std::io::{Read, Seek};
use std::sync::{Arc, Mutex, PoisonError};

use image::RgbImage;

use super::SlideError;
use super::cache::TileCache;
use super::grid::Grid;
use super::source::Source;
use super::tile::{self, GLASS, TileFailure};

/// Most pixels of one region.
pub(super) const MOST_PIXELS: u64 = 1 << 28;

/// Levels and associated images as grids of tiles.
pub(super) struct Tiled<R> {
    source: Source<R>,
    grids: Vec<Grid>,
    associated: Vec<(String, Grid)>,
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

impl<R: Read + Seek> Tiled<R> {
    /// Keeps at most `cache` bytes of decoded tiles.
    pub(super) fn new(source: Source<R>, grids: Vec<Grid>, associated: Vec<(String, Grid)>, cache: usize) -> Self {
        Self { source, grids, associated, cache: Mutex::new(TileCache::new(cache)), passed_over: None }
    }

    /// [`super::Slide::pass_over_damage`].
    pub(super) fn pass_over_damage(&mut self) {
        self.passed_over = Some(Mutex::default());
    }

    /// [`super::Slide::passed_over`].
    pub(super) fn passed_over(&self, known: usize) -> Vec<String> {
        let Some(passed_over) = &self.passed_over else { return Vec::new() };
        let passed_over = passed_over.lock().unwrap_or_else(PoisonError::into_inner);
        passed_over.reasons.get(known..).unwrap_or_default().to_vec()
    }

    /// [`super::Slide::associated_image`].
    pub(super) fn associated_image(&self, name: &str) -> Result<RgbImage, SlideError> {
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

    /// [`super::Slide::region`].
    pub(super) fn region(&self, level: usize, at: [i64; 2], size: [u32; 2]) -> Result<RgbImage, SlideError> {
        let grid = self.grids.get(level).ok_or_else(|| SlideError::Absent(format!("level {level}")))?;
        compose(grid, at, size, |column, row| self.tile(level, grid, column, row))
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
