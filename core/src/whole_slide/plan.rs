//! What is computed of a slide, and in which order.

use crate::mosaic::Axis;

use super::coverage::Coverage;

/// A part of the work; each has a result of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Class maps of a rectangle of the model's pixels.
    Block {
        /// Left and top.
        at: [usize; 2],
        /// Width and height.
        size: [usize; 2],
    },
    /// A window seen as an image of its own.
    Window {
        /// Column of the window.
        column: usize,
        /// Row of the window.
        row: usize,
    },
}

/// How class maps of blocks become those of one pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole {
    /// Pixels of a position.
    pub stride: usize,
    /// Pixels around a block that its maps depend on.
    pub margin: usize,
}

/// A slide's windows and units, in pixels of the model.
#[derive(Debug)]
pub struct Plan {
    /// Windows across.
    pub columns: Axis,
    /// Windows down.
    pub rows: Axis,
    /// Side of a block.
    pub block: usize,
    /// Rows that are put together at once.
    pub band: usize,
    /// Absent where windows are blended.
    pub whole: Option<Whole>,
    /// What is computed, by number.
    pub units: Vec<Unit>,
}

impl Plan {
    /// For a slide of `size` pixels of the model and patches of `patch`. Blocks have sides of about `at_once` pixels:
    /// what the network holds at once.
    #[must_use]
    pub fn new(size: [usize; 2], patch: usize, at_once: usize, whole: Option<Whole>, coverage: &Coverage) -> Self {
        let [columns, rows] = size.map(|length| Axis::new(length, patch));
        let block = patch * (at_once / patch).max(1);
        let band = if whole.is_some() { block } else { patch };
        let mut plan = Self { columns, rows, block, band, whole, units: Vec::new() };
        for top in (0..size[1]).step_by(block) {
            for left in (0..size[0]).step_by(block) {
                if whole.is_some() {
                    plan.units.extend(covered(size, [left, top], [block, patch], coverage));
                }
                plan.add_windows([left, top], coverage);
            }
        }
        plan
    }

    /// `parts` of this plan as they are best computed: blocks alone, windows as many as a block has room for.
    #[must_use]
    pub fn batches<'a>(&self, parts: &[(usize, &'a Unit)]) -> Vec<Vec<(usize, &'a Unit)>> {
        let at_once = (self.block * self.block / (self.side()[0] * self.side()[1]).max(1)).max(1);
        let is_window = |unit: &Unit| matches!(unit, Unit::Window { .. });
        let alike = parts.chunk_by(|(_, one), (_, other)| is_window(one) && is_window(other));
        alike.flat_map(|parts| parts.chunks(at_once).map(<[_]>::to_vec)).collect()
    }

    /// Where a part lies: upper left corner and size.
    #[must_use]
    pub fn place(&self, unit: &Unit) -> ([usize; 2], [usize; 2]) {
        match unit {
            Unit::Window { column, row } => (self.corner(*column, *row), self.side()),
            Unit::Block { at, size } => (*at, *size),
        }
    }

    /// The windows that start in a block: all of them, or where blocks have the class maps those side by side.
    fn add_windows(&mut self, [left, top]: [usize; 2], coverage: &Coverage) {
        let inside = |axis: &Axis, from: usize| -> Vec<usize> {
            let wanted = |window: &usize| (from..from + self.block).contains(&axis.starts[*window]);
            (0..axis.starts.len())
                .filter(wanted)
                .filter(|&window| self.whole.is_none() || axis.is_tile(window))
                .collect()
        };
        let (columns, rows) = (inside(&self.columns, left), inside(&self.rows, top));
        for &row in &rows {
            for &column in &columns {
                if coverage.share_within(self.corner(column, row), self.side()) > 0.0 {
                    self.units.push(Unit::Window { column, row });
                }
            }
        }
    }

    /// Upper left corner of a window.
    #[must_use]
    pub fn corner(&self, column: usize, row: usize) -> [usize; 2] {
        [self.columns.starts[column], self.rows.starts[row]]
    }

    /// Width and height of a window.
    #[must_use]
    pub fn side(&self) -> [usize; 2] {
        [self.columns.side, self.rows.side]
    }

    /// Width and height of the slide.
    #[must_use]
    pub fn size(&self) -> [usize; 2] {
        [self.columns.length, self.rows.length]
    }
}

/// The part of a block that holds its covered squares of a patch's side; nothing if none is covered.
fn covered(size: [usize; 2], at: [usize; 2], [block, patch]: [usize; 2], coverage: &Coverage) -> Option<Unit> {
    let end = [0, 1].map(|axis| (at[axis] + block).min(size[axis]));
    let (mut low, mut high) = ([usize::MAX; 2], [0; 2]);
    for y in (at[1]..end[1]).step_by(patch) {
        for x in (at[0]..end[0]).step_by(patch) {
            let square = [(x + patch).min(end[0]), (y + patch).min(end[1])];
            if coverage.share_within([x, y], [square[0] - x, square[1] - y]) > 0.0 {
                low = [low[0].min(x), low[1].min(y)];
                high = [high[0].max(square[0]), high[1].max(square[1])];
            }
        }
    }
    (high[0] > 0).then(|| Unit::Block { at: low, size: [high[0] - low[0], high[1] - low[1]] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outline::Shapes;

    #[test]
    fn blocks_are_alone_and_windows_as_many_as_a_block_holds() {
        let all = r#"{"type":"Polygon","coordinates":[[[0,0],[300,0],[300,200],[0,200],[0,0]]]}"#;
        let Ok(tissue) = Shapes::from_geojson(all) else { panic!("a polygon") };
        let size = [300, 200];
        let coverage = Coverage::new(tissue, None, [1.0; 2], size);
        let plan = Plan::new(size, 50, 100, Some(Whole { stride: 16, margin: 16 }), &coverage);
        let parts: Vec<_> = plan.units.iter().enumerate().collect();
        let batches = plan.batches(&parts);
        assert_eq!(batches.concat(), parts, "each part once, in order");
        let windows =
            |batch: &[(usize, &Unit)]| batch.iter().filter(|part| matches!(part.1, Unit::Window { .. })).count();
        assert!(batches.iter().all(|batch| [0, batch.len()].contains(&windows(batch)) && batch.len() <= 4));
        let count = |length| batches.iter().filter(|batch| batch.len() == length && windows(batch) > 0).count();
        assert_eq!((count(4), batches.iter().filter(|batch| windows(batch) == 0).count()), (6, 6));
        // what a killed run left of a block
        assert_eq!(plan.batches(&parts[2..4]).len(), 1);
    }
}
