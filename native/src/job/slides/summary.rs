//! What a slide comes to: its row of `slides.csv`.

use serde::{Deserialize, Serialize};

use super::output::{Names, Written};
use crate::data::Source;

/// A tile of a slide, with tissue in it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tile {
    /// Upper left corner in pixels of level 0.
    pub(super) at: [f64; 2],
    /// Share of tissue, within the regions of interest.
    pub(super) tissue: f64,
    pub(super) probabilities: Vec<f32>,
    pub(super) uncertainty: Option<f32>,
}

/// A slide's posterior and what goes with it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Verdict {
    /// Mean of the tiles' posteriors over tissue; empty for methods that name no class.
    pub(super) probabilities: Vec<f64>,
    /// Of each class the mean of the top tenth of the tiles that are at least half tissue.
    pub(super) top_decile: Vec<f64>,
    /// Mean of the tiles' background uncertainty over tissue.
    pub(super) uncertainty: Option<f64>,
}

impl Verdict {
    pub(super) fn of(tiles: &[Tile]) -> Self {
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
    pub(super) fn class(&self) -> Option<usize> {
        let best = self.probabilities.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0)));
        best.map(|(class, _)| class)
    }
}

/// A finished slide.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Summary {
    /// Hash of all that the results depend on.
    pub(super) key: String,
    pub(super) path: String,
    pub(super) source: Source,
    pub(super) class: Option<String>,
    pub(super) verdict: Verdict,
    pub(super) tiles: usize,
    pub(super) polygons: u64,
    /// Areas in mm²; of tissue within the regions of interest.
    pub(super) foreground_mm2: f64,
    pub(super) tissue_mm2: f64,
    /// Share of the slide.
    pub(super) tissue_share: f64,
    /// Pixels of level 0.
    pub(super) size: [u32; 2],
    /// Microns per pixel of the slide and of the mask.
    pub(super) slide_mpp: [f64; 2],
    pub(super) mpp: [f64; 2],
    /// Hash of the tissue's file, where tissue was found.
    pub(super) tissue_hash: Option<String>,
    pub(super) cautions: Vec<String>,
    pub(super) damaged: Vec<String>,
    pub(super) files: Names,
    /// Of the run that finished it.
    pub(super) seconds: Seconds,
}

/// What a run's seconds went to, one after the other but for `reading`.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Seconds {
    /// Finding tissue and the slide's colours.
    pub(super) preparing: f64,
    /// Reading regions, beside all that follows.
    pub(super) reading: f64,
    /// Waiting for regions.
    pub(super) waiting: f64,
    /// The network, and what is known of colours.
    pub(super) inferring: f64,
    /// Keeping results for a run that goes on.
    pub(super) keeping: f64,
    /// Putting the mask together and writing it.
    pub(super) composing: f64,
}

impl Seconds {
    /// From the beginning to the end.
    pub(super) fn all(&self) -> f64 {
        let Self { preparing, reading: _, waiting, inferring, keeping, composing } = self;
        preparing + waiting + inferring + keeping + composing
    }
}

impl Summary {
    /// Areas from counts of the mask's pixels.
    pub(super) fn areas(written: &Written, mpp: [f64; 2], all: f64) -> [f64; 3] {
        let pixel = mpp[0] * mpp[1] / 1e6;
        [written.foreground as f64 * pixel, written.covered as f64 * pixel, written.covered as f64 / all]
    }

    pub(super) fn header(classes: &[String]) -> Vec<String> {
        let mut header: Vec<String> = ["path", "class", "probability"].map(String::from).to_vec();
        header.extend(classes.iter().map(|class| format!("p_{class}")));
        header.extend(classes.iter().map(|class| format!("top_decile_{class}")));
        let rest = [
            "background_uncertainty",
            "foreground_mm2",
            "foreground_percent",
            "tissue_mm2",
            "tissue_percent",
            "tiles",
            "regions",
            "width",
            "height",
            "slide_mpp",
            "mpp",
            "damaged_tiles",
            "probability_map",
            "overlay",
            "geojson",
            "tissue",
        ];
        header.extend(rest.map(String::from));
        header
    }

    /// `classes` is the number of columns of each kind.
    pub(super) fn row(&self, classes: usize) -> Vec<String> {
        let number = |value: f64| format!("{value:.6}");
        let Verdict { probabilities, top_decile, uncertainty } = &self.verdict;
        let named = self.verdict.class().and_then(|class| probabilities.get(class).copied());
        let mut row = vec![self.path.clone(), self.class.clone().unwrap_or_default()];
        row.push(named.map_or_else(String::new, number));
        for values in [probabilities, top_decile] {
            row.extend((0..classes).map(|class| values.get(class).copied().map_or_else(String::new, number)));
        }
        row.push(uncertainty.map_or_else(String::new, number));
        row.push(number(self.foreground_mm2));
        let share = if self.tissue_mm2 > 0.0 { 100.0 * self.foreground_mm2 / self.tissue_mm2 } else { 0.0 };
        row.push(format!("{share:.4}"));
        row.push(number(self.tissue_mm2));
        row.push(format!("{:.4}", 100.0 * self.tissue_share));
        row.extend([self.tiles.to_string(), self.polygons.to_string()]);
        row.extend(self.size.map(|side| side.to_string()));
        row.extend([number(self.slide_mpp[0]), number(self.mpp[0])]);
        row.push(self.damaged.len().to_string());
        let Names { probability, overlay, geojson, tissue, .. } = &self.files;
        row.extend([probability, overlay, geojson, tissue].map(Clone::clone));
        row
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
