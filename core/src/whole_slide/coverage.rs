//! Where on a slide there is something to look at: tissue within the regions of interest.

use crate::outline::{ShapeRows, Shapes};

/// Pixels of the model in one of the coverage.
const COARSE: usize = 16;

/// Tissue and regions of interest as pixels of the model.
#[derive(Debug)]
pub struct Coverage {
    tissue: Shapes,
    roi: Option<Shapes>,
    /// Pixels of level 0 in one of the model.
    step: [f64; 2],
    width: usize,
    height: usize,
    mask: Vec<bool>,
}

/// The same row by row at full size.
#[derive(Debug)]
pub struct CoveredRows {
    tissue: ShapeRows,
    roi: Option<ShapeRows>,
    inside: Vec<bool>,
}

impl Coverage {
    /// Of a slide of `size` pixels of the model; polygons are in pixels of level 0.
    #[must_use]
    pub fn new(tissue: Shapes, roi: Option<Shapes>, step: [f64; 2], size: [usize; 2]) -> Self {
        let [width, height] = size.map(|side| side.div_ceil(COARSE));
        let scale = step.map(|step| step * COARSE as f64);
        let mut mask = tissue.mask(width, height, scale);
        if let Some(roi) = &roi {
            mask.iter_mut().zip(roi.mask(width, height, scale)).for_each(|(inside, roi)| *inside &= roi);
        }
        Self { tissue, roi, step, width, height, mask }
    }

    /// Share of a rectangle of the model's pixels that is covered.
    #[must_use]
    pub fn share_within(&self, [x, y]: [usize; 2], [width, height]: [usize; 2]) -> f64 {
        let columns = (x / COARSE).min(self.width)..(x + width).div_ceil(COARSE).min(self.width);
        let rows = (y / COARSE).min(self.height)..(y + height).div_ceil(COARSE).min(self.height);
        let all = columns.len() * rows.len();
        let row = |row: usize| {
            let line = self.mask.get(row * self.width + columns.start..row * self.width + columns.end);
            line.unwrap_or_default().iter().filter(|&&inside| inside).count()
        };
        rows.map(row).sum::<usize>() as f64 / all.max(1) as f64
    }

    /// Sets values of a rectangle of the model's pixels to 0 where it is not covered, by the coverage's own coarse pixels.
    pub(super) fn keep(&self, values: &mut [u8], [x, y]: [usize; 2], [width, _]: [usize; 2]) {
        for (row, line) in values.chunks_mut(width.max(1)).enumerate() {
            let at = (y + row) / COARSE * self.width;
            for (column, value) in line.iter_mut().enumerate() {
                *value *= u8::from(self.mask.get(at + (x + column) / COARSE) == Some(&true));
            }
        }
    }

    /// Its rows, from the top.
    #[must_use]
    pub fn rows(&self) -> CoveredRows {
        let rows = |shapes: &Shapes| shapes.rows(self.step);
        CoveredRows { tissue: rows(&self.tissue), roi: self.roi.as_ref().map(rows), inside: Vec::new() }
    }
}

impl CoveredRows {
    /// Whether each pixel of a row is covered; rows come from the top.
    pub fn row(&mut self, y: usize, covered: &mut [bool]) {
        covered.fill(false);
        self.tissue.fill(y, covered);
        if let Some(roi) = &mut self.roi {
            self.inside.clear();
            self.inside.resize(covered.len(), false);
            roi.fill(y, &mut self.inside);
            covered.iter_mut().zip(&self.inside).for_each(|(covered, inside)| *covered &= inside);
        }
    }
}
