//! The mask of windows that were seen one by one.

use super::compose::{Compose, ComposeError, Piece, Results};
use super::plan::Unit;
use super::record::Seen;
use crate::mosaic::Axis;

impl Compose<'_> {
    /// The mask that a window showed.
    pub(super) fn window_mask<S: Results>(
        &self,
        results: &mut S,
        number: usize,
        at: [usize; 2],
        size: [usize; 2],
    ) -> Result<Piece, ComposeError<S::Error>> {
        let bytes = results.get(number).map_err(ComposeError::Results)?;
        let seen = bytes.and_then(|bytes| Seen::of_bytes(&bytes, size[0] * size[1])).ok_or(ComposeError::Missing)?;
        Ok(Piece { at, size, values: seen.mask })
    }

    /// Windows blended, each pixel by how far the middles of those around it are away.
    pub(super) fn of_windows<S: Results>(
        &self,
        results: &mut S,
        top: usize,
        rows: usize,
    ) -> Result<Piece, ComposeError<S::Error>> {
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
            let mask = self.window_mask(results, number, [left, upper], [side_x, side_y])?.values;
            let across: Vec<f32> = (left..left + side_x).map(|x| share(&self.plan.columns, *column, x)).collect();
            for y in lines {
                let down = share(&self.plan.rows, *row, y);
                let from = &mask[(y - upper) * side_x..][..side_x];
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
fn share(axis: &Axis, window: usize, pixel: usize) -> f32 {
    let (first, second, share) = axis.around(pixel as f64 + 0.5);
    let weight = |at: usize, weight: f32| if at == window { weight } else { 0.0 };
    if first == second { weight(first, 1.0) } else { weight(first, 1.0 - share) + weight(second, share) }
}
