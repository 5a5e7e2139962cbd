//! The second pass: from the units' results to rows of the slide's mask, band by band.

use std::collections::HashMap;

use anyhow::Context as _;
use histomask_core::Segmenter;
use histomask_core::config::{MaskConfig, MinMax};
use histomask_core::mosaic::{Cells, MapScale, normalised, soft_pixels};
use histomask_core::refine::Wide;
use rayon::prelude::*;

use super::compute::to_byte;
use super::coverage::Coverage;
use super::plan::{Plan, Unit, Whole};
use super::record::{Mapped, Seen};
use super::state::State;
use crate::interrupt;

/// What the second pass needs.
pub(super) struct Compose<'a> {
    pub(super) plan: &'a Plan,
    pub(super) segmenter: &'a Segmenter,
    pub(super) mask: &'a MaskConfig,
    pub(super) sigma: f64,
    pub(super) wide: Option<&'a Wide>,
    pub(super) coverage: &'a Coverage,
    /// One scale for the whole slide, in place of one for each window.
    pub(super) scale: Option<MapScale>,
}

/// Column and row of a window, and its maps' values.
type WindowValues = ((usize, usize), Vec<f32>);

/// A part of the mask.
struct Piece {
    at: [usize; 2],
    size: [usize; 2],
    values: Vec<u8>,
}

impl Compose<'_> {
    /// Gives every row of the mask and where it is covered, from the top; false if the user stopped it.
    ///
    /// # Errors
    /// The state cannot be read; or what `row` says.
    pub(super) fn run(
        &self,
        state: &mut State,
        mut row: impl FnMut(&[u8], &[bool]) -> anyhow::Result<()>,
    ) -> anyhow::Result<bool> {
        let [width, height] = self.plan.size();
        let mut covered = self.coverage.rows();
        let mut inside = vec![false; width];
        for top in (0..height).step_by(self.plan.band) {
            if interrupt::asked() {
                return Ok(false);
            }
            let rows = self.plan.band.min(height - top);
            let mut band = vec![0_u8; width * rows];
            let pieces = match self.plan.whole {
                Some(whole) => self.of_blocks(state, whole, top, rows)?,
                None => vec![self.of_windows(state, top, rows)?],
            };
            for Piece { at, size, values } in pieces {
                for (y, line) in values.chunks(size[0].max(1)).enumerate() {
                    let to = (at[1] - top + y) * width + at[0];
                    if let Some(to) = band.get_mut(to..to + size[0]) {
                        to.copy_from_slice(line);
                    }
                }
            }
            for (y, values) in band.chunks_mut(width.max(1)).enumerate() {
                covered.row(top + y, &mut inside);
                values.iter_mut().zip(&inside).for_each(|(value, inside)| *value *= u8::from(*inside));
                row(values, &inside)?;
            }
        }
        Ok(true)
    }

    /// Blocks whose rows meet `from..end`.
    fn blocks(&self, from: usize, end: usize) -> Vec<(usize, [usize; 2], [usize; 2])> {
        let units = self.plan.units.iter().enumerate();
        let blocks = units.filter_map(|(number, unit)| match unit {
            Unit::Block { at, size } if at[1] < end && at[1] + size[1] > from => Some((number, *at, *size)),
            _ => None,
        });
        blocks.collect()
    }

    fn mapped(&self, state: &mut State, number: usize, size: [usize; 2]) -> anyhow::Result<Mapped> {
        let pixels = if self.wide.is_some() { size[0] * size[1] } else { 0 };
        let bytes = state.get(number)?;
        bytes.and_then(|bytes| Mapped::of_bytes(&bytes, pixels)).context("a result is missing in the state file")
    }

    fn of_blocks(&self, state: &mut State, whole: Whole, top: usize, rows: usize) -> anyhow::Result<Vec<Piece>> {
        let Whole { stride, .. } = whole;
        let [width, height] = self.plan.size();
        // windows around the band's rows, and a position more for what lies between two
        let reach = self.plan.rows.side + 2 * stride;
        let (from, end) = (top.saturating_sub(reach) / stride * stride, (top + rows + reach).min(height));
        let mut cells: Option<Cells> = None;
        let mut own = Vec::new();
        for (number, at, size) in self.blocks(from, end) {
            let mapped = self.mapped(state, number, size)?;
            let part = size.map(|side| side.div_ceil(stride));
            let count = mapped.maps.len() / (part[0] * part[1]).max(1);
            let cells = cells.get_or_insert_with(|| {
                Cells::new(count, [0, from / stride], width.div_ceil(stride), (end - from).div_ceil(stride))
            });
            cells.put(at.map(|place| place / stride), part, &mapped.maps);
            if at[1] >= top && at[1] < top + rows {
                own.push((at, size, mapped.flags));
            }
        }
        let Some(cells) = cells.filter(|_| !own.is_empty()) else { return Ok(Vec::new()) };
        let scales = match &self.scale {
            Some(_) => HashMap::new(),
            None => self.scales(&cells, stride, top.saturating_sub(stride), (top + rows + stride).min(height))?,
        };
        let map = normalised(&cells, [&self.plan.columns, &self.plan.rows], stride, |column, row| {
            self.scale.as_ref().or_else(|| scales.get(&(column, row)))
        });
        let eq12 = [self.mask.omega as f32, self.sigma as f32];
        let piece = |(at, size, flags): ([usize; 2], [usize; 2], Vec<u8>)| {
            let soft = soft_pixels(&map, &cells, stride, at, size, eq12);
            let values = match self.wide {
                Some(wide) => soft.iter().zip(flags).map(|(&soft, flag)| to_byte(wide.refined(soft, flag))).collect(),
                None => soft.into_iter().map(to_byte).collect(),
            };
            Piece { at, size, values }
        };
        Ok(own.into_par_iter().map(piece).collect())
    }

    /// The scale of each window that has a say in rows `from..end`.
    fn scales(
        &self,
        cells: &Cells,
        stride: usize,
        from: usize,
        end: usize,
    ) -> anyhow::Result<HashMap<(usize, usize), MapScale>> {
        let (first, last) = (self.plan.rows.around(from as f64).0, self.plan.rows.around(end as f64).1);
        let side = self.plan.side();
        let mut by_count: HashMap<usize, Vec<WindowValues>> = HashMap::new();
        for row in first..=last {
            for column in 0..self.plan.columns.starts.len() {
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
            let weights = self.segmenter.map_weights(values, windows.len(), n)?;
            let each = weights.len() / windows.len().max(1);
            for ((place, values), weights) in windows.into_iter().zip(weights.chunks(each.max(1))) {
                scales.insert(place, MapScale::over(&values, weights.to_vec(), self.ranged()));
            }
        }
        Ok(scales)
    }

    fn ranged(&self) -> bool {
        self.mask.min_max != MinMax::None
    }

    /// One scale for all of the slide: by the posterior `weights` (none for models with one map), over all blocks.
    ///
    /// # Errors
    /// The state cannot be read.
    pub(super) fn scale_of_slide(&self, state: &mut State, weights: Vec<f32>) -> anyhow::Result<MapScale> {
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        for (number, _, size) in self.blocks(0, usize::MAX) {
            let maps = self.mapped(state, number, size)?.maps;
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

    /// Windows blended, each pixel by how far the middles of those around it are away.
    fn of_windows(&self, state: &mut State, top: usize, rows: usize) -> anyhow::Result<Piece> {
        let [width, _] = self.plan.size();
        let [side_x, side_y] = self.plan.side();
        let mut sums = vec![0_f32; width * rows];
        let mut weights = vec![0_f32; width * rows];
        for (number, unit) in self.plan.units.iter().enumerate() {
            let Unit::Window { column, row } = unit else { continue };
            let [left, upper] = self.plan.corner(*column, *row);
            let lines = upper.max(top)..(upper + side_y).min(top + rows);
            if lines.is_empty() {
                continue;
            }
            let seen = state.get(number)?.and_then(|bytes| Seen::of_bytes(&bytes, side_x * side_y));
            let seen = seen.context("a result is missing in the state file")?;
            let across: Vec<f32> = (left..left + side_x).map(|x| share(&self.plan.columns, *column, x)).collect();
            for y in lines {
                let down = share(&self.plan.rows, *row, y);
                let from = &seen.mask[(y - upper) * side_x..][..side_x];
                let to = (y - top) * width + left;
                let places = sums[to..to + side_x].iter_mut().zip(&mut weights[to..to + side_x]);
                for (((sum, all), &value), across) in places.zip(from).zip(&across) {
                    *sum += across * down * f32::from(value);
                    *all += across * down;
                }
            }
        }
        let value = |(sum, weight): (f32, f32)| if weight > 0.0 { (sum / weight).round() as u8 } else { 0 };
        let values = sums.into_iter().zip(weights).map(value).collect();
        Ok(Piece { at: [0, top], size: [width, rows], values })
    }
}

/// How much a window counts at a pixel of an axis.
fn share(axis: &histomask_core::mosaic::Axis, window: usize, pixel: usize) -> f32 {
    let (first, second, share) = axis.around(pixel as f64 + 0.5);
    let weight = |at: usize, weight: f32| if at == window { weight } else { 0.0 };
    if first == second { weight(first, 1.0) } else { weight(first, 1.0 - share) + weight(second, share) }
}
