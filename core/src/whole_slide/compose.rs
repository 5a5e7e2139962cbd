//! From the parts' results to rows of the slide's mask, band by band.

use std::collections::HashMap;

use super::coverage::{Coverage, CoveredRows};
use super::model::SlideModel;
use super::parts::to_byte;
use super::plan::{Plan, Unit, Whole};
use super::record::Mapped;
use crate::config::{MapSource, MinMax};
use crate::error::Error;
use crate::mosaic::{Cells, MapScale, normalised, soft_pixels};
use crate::parallel;
use crate::refine::Wide;

/// Results of parts, by number, as [`Parts::observe`](super::Parts::observe) made them.
pub trait Results {
    /// Why one cannot be read.
    type Error: std::error::Error + 'static;

    /// A result; nothing if the part was not computed yet.
    ///
    /// # Errors
    /// It cannot be read.
    fn get(&mut self, number: usize) -> Result<Option<Vec<u8>>, Self::Error>;
}

/// Why a mask could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError<S: std::error::Error + 'static> {
    /// Results cannot be read.
    #[error("results of parts cannot be read")]
    Results(#[source] S),
    /// A part was not computed, or its result is not one of this plan.
    #[error("a result of a part is missing or damaged")]
    Missing,
    /// The device fails.
    #[error(transparent)]
    Model(#[from] Error),
}

/// What a mask is put together with.
#[derive(Clone, Debug)]
pub struct Compose<'a> {
    /// Which parts there are.
    pub plan: &'a Plan,
    /// The model.
    pub model: &'a SlideModel,
    /// What is known of the slide's colours.
    pub wide: Option<&'a Wide>,
    /// Beyond which the mask is 0.
    pub coverage: &'a Coverage,
    /// One scale for the whole slide, in place of one for each window.
    pub scale: Option<MapScale>,
}

/// Some rows of the mask.
#[derive(Clone, Debug)]
pub struct Band {
    width: usize,
    values: Vec<u8>,
    covered: Vec<bool>,
}

impl Band {
    /// Each row, from the top: the mask, 255 for 1, and where it is covered.
    pub fn rows(&self) -> impl Iterator<Item = (&[u8], &[bool])> {
        let width = self.width.max(1);
        self.values.chunks(width).zip(self.covered.chunks(width))
    }
}

/// The bands of a mask, from the top.
#[derive(Debug)]
pub struct Bands<'a> {
    compose: &'a Compose<'a>,
    covered: CoveredRows,
    top: usize,
}

/// A part of the mask.
pub(super) struct Piece {
    pub(super) at: [usize; 2],
    pub(super) size: [usize; 2],
    pub(super) values: Vec<u8>,
}

/// A block with what is known of its pixels.
type Flagged = ([usize; 2], [usize; 2], Vec<u8>);
/// Column and row of a window, and its maps' values.
type WindowValues = ((usize, usize), Vec<f32>);

impl<'a> Compose<'a> {
    /// The mask, band by band.
    #[must_use]
    pub fn bands(&'a self) -> Bands<'a> {
        Bands { compose: self, covered: self.coverage.rows(), top: 0 }
    }

    /// The mask of a block, 255 for 1, as far as its surroundings are computed; nothing for windows beside blocks.
    ///
    /// # Errors
    /// [`ComposeError`].
    pub async fn glimpse<S: Results>(
        &self,
        results: &mut S,
        number: usize,
    ) -> Result<Option<Vec<u8>>, ComposeError<S::Error>> {
        let Some(unit) = self.plan.units.get(number) else { return Ok(None) };
        let (at, size) = self.plan.place(unit);
        let pieces = match (unit, self.plan.whole) {
            (Unit::Block { .. }, Some(whole)) => {
                self.of_blocks(results, whole, at, [0, 1].map(|axis| at[axis] + size[axis]), false).await?
            }
            (Unit::Window { .. }, None) => vec![self.window_mask(results, number, at, size)?],
            _ => return Ok(None),
        };
        let piece = pieces.into_iter().find(|piece| piece.at == at);
        Ok(piece.map(|Piece { mut values, .. }| {
            self.coverage.keep(&mut values, at, size);
            values
        }))
    }

    /// Blocks that meet a rectangle.
    fn blocks(&self, from: [usize; 2], end: [usize; 2]) -> Vec<(usize, [usize; 2], [usize; 2])> {
        let units = self.plan.units.iter().enumerate();
        let blocks = units.filter_map(|(number, unit)| match unit {
            Unit::Block { at, size } => {
                let meets = (0..2).all(|axis| at[axis] < end[axis] && at[axis] + size[axis] > from[axis]);
                meets.then_some((number, *at, *size))
            }
            Unit::Window { .. } => None,
        });
        blocks.collect()
    }

    fn mapped<S: Results>(
        &self,
        results: &mut S,
        number: usize,
        size: [usize; 2],
    ) -> Result<Option<Mapped>, ComposeError<S::Error>> {
        let pixels = if self.wide.is_some() { size[0] * size[1] } else { 0 };
        let Some(bytes) = results.get(number).map_err(ComposeError::Results)? else { return Ok(None) };
        Mapped::of_bytes(&bytes, pixels).ok_or(ComposeError::Missing).map(Some)
    }

    /// The pieces of the blocks that start in a rectangle; without `all`, a block that is missing around them has no say.
    async fn of_blocks<S: Results>(
        &self,
        results: &mut S,
        whole: Whole,
        from: [usize; 2],
        end: [usize; 2],
        all: bool,
    ) -> Result<Vec<Piece>, ComposeError<S::Error>> {
        let Whole { stride, .. } = whole;
        let (length, side) = (self.plan.size(), self.plan.side());
        // windows around the pixels, and a position more for what lies between two
        let reach = side.map(|side| side + 2 * stride);
        let low = [0, 1].map(|axis| from[axis].saturating_sub(reach[axis]) / stride * stride);
        let high = [0, 1].map(|axis| (end[axis] + reach[axis]).min(length[axis]));
        let mut cells: Option<Cells> = None;
        let mut own: Vec<Flagged> = Vec::new();
        for (number, at, size) in self.blocks(low, high) {
            let Some(mapped) = self.mapped(results, number, size)? else {
                if all {
                    return Err(ComposeError::Missing);
                }
                continue;
            };
            let part = size.map(|side| side.div_ceil(stride));
            let count = mapped.maps.len() / (part[0] * part[1]).max(1);
            let cells = cells.get_or_insert_with(|| {
                let [width, height] = [0, 1].map(|axis| (high[axis] - low[axis]).div_ceil(stride));
                Cells::new(count, low.map(|place| place / stride), width, height)
            });
            cells.put(at.map(|place| place / stride), part, &mapped.maps);
            if (0..2).all(|axis| (from[axis]..end[axis]).contains(&at[axis])) {
                own.push((at, size, mapped.flags));
            }
        }
        let Some(cells) = cells.filter(|_| !own.is_empty()) else { return Ok(Vec::new()) };
        let scales = match &self.scale {
            Some(_) => HashMap::new(),
            None => {
                let from = from.map(|place| place.saturating_sub(stride));
                let end = [0, 1].map(|axis| (end[axis] + stride).min(length[axis]));
                self.scales(&cells, stride, from, end).await?
            }
        };
        let map = normalised(&cells, [&self.plan.columns, &self.plan.rows], stride, |column, row| {
            self.scale.as_ref().or_else(|| scales.get(&(column, row)))
        });
        let eq12 = [self.model.card.model.mask.omega as f32, self.model.card.sigma as f32];
        let piece = |(at, size, flags): Flagged| {
            let soft = soft_pixels(&map, &cells, stride, at, size, eq12);
            let values = match self.wide {
                Some(wide) => soft.iter().zip(flags).map(|(&soft, flag)| to_byte(wide.refined(soft, flag))).collect(),
                None => soft.into_iter().map(to_byte).collect(),
            };
            Piece { at, size, values }
        };
        Ok(parallel::map(own, piece))
    }

    /// The scale of each window that has a say in a rectangle.
    async fn scales(
        &self,
        cells: &Cells,
        stride: usize,
        from: [usize; 2],
        end: [usize; 2],
    ) -> Result<HashMap<(usize, usize), MapScale>, Error> {
        let (columns, rows) = (&self.plan.columns, &self.plan.rows);
        let side = self.plan.side();
        let mut by_count: HashMap<usize, Vec<WindowValues>> = HashMap::new();
        for row in rows.around(from[1] as f64).0..=rows.around(end[1] as f64).1 {
            for column in columns.around(from[0] as f64).0..=columns.around(end[0] as f64).1 {
                let corner = self.plan.corner(column, row);
                let end = [0, 1].map(|axis| (corner[axis] + side[axis]).div_ceil(stride));
                let at = cells.within(corner.map(|place| place / stride), end);
                if !at.is_empty() {
                    by_count.entry(at.len()).or_default().push(((column, row), cells.values(&at)));
                }
            }
        }
        let mut scales = HashMap::new();
        for (n, windows) in by_count {
            let values = windows.iter().flat_map(|(_, values)| values.iter().copied()).collect();
            let weights = self.model.segmenter.map_weights(values, windows.len(), n).await?;
            let each = weights.len() / windows.len().max(1);
            for ((place, values), weights) in windows.into_iter().zip(weights.chunks(each.max(1))) {
                scales.insert(place, MapScale::over(&values, weights.to_vec(), self.ranged()));
            }
        }
        Ok(scales)
    }

    fn ranged(&self) -> bool {
        self.model.card.model.mask.min_max != MinMax::None
    }

    /// One scale for all of the slide: by the slide's posterior (1 for models with one map), over all blocks.
    ///
    /// # Errors
    /// [`ComposeError`].
    pub fn scale_of_slide<S: Results>(
        &self,
        results: &mut S,
        posterior: &[f64],
    ) -> Result<MapScale, ComposeError<S::Error>> {
        let weights = match self.model.card.model.mask.source {
            MapSource::PullHead => vec![1.0],
            _ => posterior.iter().map(|&p| p as f32).collect(),
        };
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        for (number, _, size) in self.blocks([0; 2], [usize::MAX; 2]) {
            let maps = self.mapped(results, number, size)?.ok_or(ComposeError::Missing)?.maps;
            let plain = MapScale::over(&maps, weights.clone(), true);
            let range = if plain.inverse > 0.0 { 1.0 / plain.inverse } else { 0.0 };
            (low, high) = (low.min(plain.low), high.max(plain.low + range));
        }
        if !self.ranged() {
            return Ok(MapScale { weights, low: 0.0, inverse: 1.0 });
        }
        let inverse = if high > low { 1.0 / (high - low) } else { 0.0 };
        Ok(MapScale { weights, low, inverse })
    }
}

impl Bands<'_> {
    /// The next band; nothing after the last.
    ///
    /// # Errors
    /// [`ComposeError`].
    pub async fn next<S: Results>(&mut self, results: &mut S) -> Result<Option<Band>, ComposeError<S::Error>> {
        let plan = self.compose.plan;
        let ([width, height], top) = (plan.size(), self.top);
        if top >= height {
            return Ok(None);
        }
        let rows = plan.band.min(height - top);
        self.top += rows;
        let pieces = match plan.whole {
            Some(whole) => self.compose.of_blocks(results, whole, [0, top], [width, top + rows], true).await?,
            None => vec![self.compose.of_windows(results, top, rows)?],
        };
        let mut band = Band { width, values: vec![0; width * rows], covered: vec![false; width * rows] };
        for Piece { at, size, values } in pieces {
            for (y, line) in values.chunks(size[0].max(1)).enumerate() {
                let to = (at[1] - top + y) * width + at[0];
                if let Some(to) = band.values.get_mut(to..to + size[0]) {
                    to.copy_from_slice(line);
                }
            }
        }
        let lines = band.values.chunks_mut(width.max(1)).zip(band.covered.chunks_mut(width.max(1)));
        for (y, (values, covered)) in lines.enumerate() {
            self.covered.row(top + y, covered);
            values.iter_mut().zip(covered).for_each(|(value, inside)| *value *= u8::from(*inside));
        }
        Ok(Some(band))
    }
}
