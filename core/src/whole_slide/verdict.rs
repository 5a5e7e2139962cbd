//! What the tiles of a slide come to.

use serde::{Deserialize, Serialize};

use super::compose::{ComposeError, Results};
use super::coverage::Coverage;
use super::plan::{Plan, Unit};
use super::record::Seen;

/// A tile of a slide, with tissue in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Tile {
    /// Upper left corner in pixels of level 0.
    pub at: [f64; 2],
    /// Share of tissue, within the regions of interest.
    pub tissue: f64,
    /// Posterior of each class; empty for methods that name none.
    pub probabilities: Vec<f32>,
    /// Entropy of the classifier on the background, 0 to 1.
    pub uncertainty: Option<f32>,
}

/// A slide's posterior and what goes with it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Mean of the tiles' posteriors over tissue; empty for methods that name no class.
    pub probabilities: Vec<f64>,
    /// Of each class the mean of the top tenth of the tiles that are at least half tissue.
    pub top_decile: Vec<f64>,
    /// Mean of the tiles' background uncertainty over tissue.
    pub uncertainty: Option<f64>,
}

impl Tile {
    /// The tiles of a slide, side by side, with what was seen of each; `step` is the plan's frame's.
    ///
    /// # Errors
    /// Results that are missing or cannot be read.
    pub fn all<S: Results>(
        plan: &Plan,
        coverage: &Coverage,
        step: [f64; 2],
        results: &mut S,
    ) -> Result<Vec<Self>, ComposeError<S::Error>> {
        let side = plan.side();
        let pixels = if plan.whole.is_some() { 0 } else { side[0] * side[1] };
        let mut tiles = Vec::new();
        for (number, unit) in plan.units.iter().enumerate() {
            let Unit::Window { column, row } = unit else { continue };
            if !plan.columns.is_tile(*column) || !plan.rows.is_tile(*row) {
                continue;
            }
            let seen = results.get(number).map_err(ComposeError::Results)?;
            let seen = seen.and_then(|bytes| Seen::of_bytes(&bytes, pixels)).ok_or(ComposeError::Missing)?;
            let corner = plan.corner(*column, *row);
            tiles.push(Self {
                at: [0, 1].map(|axis| corner[axis] as f64 * step[axis]),
                tissue: coverage.share_within(corner, side),
                probabilities: seen.probabilities,
                uncertainty: seen.uncertainty,
            });
        }
        Ok(tiles)
    }

    /// Names of its cells in a table.
    #[must_use]
    pub fn header(classes: &[String]) -> Vec<String> {
        let mut header: Vec<String> = ["x", "y", "tissue"].map(String::from).to_vec();
        header.extend(classes.iter().map(|class| format!("p_{class}")));
        header.push("background_uncertainty".into());
        header
    }

    /// Its cells.
    #[must_use]
    pub fn cells(&self) -> Vec<String> {
        let mut cells: Vec<String> = self.at.map(|at| format!("{at:.2}")).to_vec();
        cells.push(format!("{:.4}", self.tissue));
        cells.extend(self.probabilities.iter().map(|p| format!("{p:.6}")));
        cells.push(self.uncertainty.map_or_else(String::new, |value| format!("{value:.6}")));
        cells
    }
}

impl Verdict {
    /// Of the tiles of a slide.
    #[must_use]
    pub fn of(tiles: &[Tile]) -> Self {
        let mean = |value: &dyn Fn(&Tile) -> Option<f64>| {
            let known = tiles.iter().filter_map(|tile| Some((value(tile)?, tile.tissue)));
            let (sum, weight) =
                known.fold((0.0, 0.0), |(sum, all), (value, weight)| (sum + value * weight, all + weight));
            (weight > 0.0).then(|| sum / weight)
        };
        let classes = tiles.first().map_or(0, |tile| tile.probabilities.len());
        let of = |class: usize| move |tile: &Tile| tile.probabilities.get(class).map(|&p| f64::from(p));
        let half: Vec<&Tile> = tiles.iter().filter(|tile| tile.tissue >= 0.5).collect();
        let chosen = if half.is_empty() { tiles.iter().collect() } else { half };
        let top = |class: usize| {
            let mut values: Vec<f64> = chosen.iter().filter_map(|tile| of(class)(tile)).collect();
            values.sort_by(|a, b| b.total_cmp(a));
            values.truncate(values.len().div_ceil(10));
            values.iter().sum::<f64>() / values.len().max(1) as f64
        };
        Self {
            probabilities: (0..classes).filter_map(|class| mean(&of(class))).collect(),
            top_decile: (0..classes).map(top).collect(),
            uncertainty: mean(&|tile| tile.uncertainty.map(f64::from)),
        }
    }

    /// The most probable class, the first of equals.
    #[must_use]
    pub fn class(&self) -> Option<usize> {
        let best = self.probabilities.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0)));
        best.map(|(class, _)| class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slide_is_the_mean_of_its_tiles_over_tissue() {
        let tile = |p: f32, tissue: f64| Tile {
            at: [0.0; 2],
            tissue,
            probabilities: vec![p, 1.0 - p],
            uncertainty: Some(p / 2.0),
        };
        let verdict = Verdict::of(&[tile(0.9, 1.0), tile(0.1, 0.25), tile(0.4, 0.75)]);
        let mean = (0.9 + 0.025 + 0.3) / 2.0;
        assert!((verdict.probabilities[0] - mean).abs() < 1e-6 && verdict.class() == Some(0));
        assert!((verdict.top_decile[0] - 0.9).abs() < 1e-6 && (verdict.top_decile[1] - 0.6).abs() < 1e-6);
        assert!(verdict.uncertainty.is_some_and(|value| (value - mean / 2.0).abs() < 1e-6));
        let few = Verdict::of(&[tile(0.3, 0.1)]);
        assert!((few.top_decile[1] - 0.7).abs() < 1e-6, "without any tile of tissue, all count");
        assert_eq!(Verdict::of(&[]), Verdict::default());
    }
}
