//! A slide's mask beside what someone drew.

use histomask_core::metric::{EmptyRule, Overlap, PixelCounts};
use histomask_core::outline::{ShapeRows, Shapes};

/// Counts a mask's pixels by what was drawn, row by row, where the mask could have said something (tissue within the
/// regions of interest) or should have.
pub(super) struct TruthRows {
    rows: ShapeRows,
    row: usize,
    drawn: Vec<bool>,
    pub(super) counts: PixelCounts,
}

impl TruthRows {
    /// Of a mask `width` pixels wide, each `step` pixels of level 0.
    pub(super) fn new(truth: &Shapes, width: usize, step: [f64; 2]) -> Self {
        Self { rows: truth.rows(step), row: 0, drawn: vec![false; width], counts: PixelCounts::default() }
    }

    pub(super) fn row(&mut self, values: &[u8], covered: &[bool], threshold: u8) {
        self.drawn.fill(false);
        self.rows.fill(self.row, &mut self.drawn);
        self.row += 1;
        let counts = &mut self.counts;
        for ((&value, &covered), &drawn) in values.iter().zip(covered).zip(&self.drawn) {
            match (value >= threshold, drawn) {
                (true, true) => counts.true_positive += 1,
                (true, false) => counts.false_positive += 1,
                (false, true) => counts.false_negative += 1,
                (false, false) => counts.true_negative += u64::from(covered),
            }
        }
    }
}

/// Names of the columns that [`cells`] fills, in percent.
pub(super) const COLUMNS: [&str; 4] = ["f1_plus", "f1_minus", "iou_plus", "iou_minus"];

/// F1 and IoU of foreground and background in percent; nothing for a region that nobody drew.
pub(super) fn scores(counts: PixelCounts) -> [Option<f64>; 4] {
    let Overlap { f1_plus, f1_minus, iou_plus, iou_minus } = Overlap::of(counts, EmptyRule::SkipEmpty);
    [f1_plus, f1_minus, iou_plus, iou_minus].map(|score| score.map(|score| 100.0 * score))
}

/// The first two in words.
pub(super) fn words([plus, minus, ..]: [Option<f64>; 4]) -> String {
    let percent = |score: Option<f64>| score.map_or_else(|| "none".into(), |score| format!("{score:.1} %"));
    format!("F1+ {}, F1- {}", percent(plus), percent(minus))
}

/// The same as cells, empty without a truth.
pub(super) fn cells(counts: Option<PixelCounts>) -> [String; 4] {
    counts.map_or([None; 4], scores).map(|score| score.map_or_else(String::new, |score| format!("{score:.4}")))
}
