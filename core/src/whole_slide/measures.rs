//! What a slide comes to, in numbers: the middle of its row in a table.

use serde::{Deserialize, Serialize};

use super::verdict::Verdict;

/// Of a slide whose mask is put together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    /// Its posterior.
    pub verdict: Verdict,
    /// Tiles that were classified.
    pub tiles: usize,
    /// Regions of the foreground.
    pub polygons: u64,
    /// mm² of foreground.
    pub foreground_mm2: f64,
    /// mm² of tissue within the regions of interest.
    pub tissue_mm2: f64,
    /// The same as a share of the slide, 0 to 1.
    pub tissue_share: f64,
    /// Pixels of level 0.
    pub size: [u32; 2],
    /// Microns per pixel of the slide.
    pub slide_mpp: [f64; 2],
    /// Microns per pixel of the mask.
    pub mpp: [f64; 2],
}

impl Measures {
    /// Names of its cells.
    #[must_use]
    pub fn header(classes: &[String]) -> Vec<String> {
        let mut header = vec!["probability".to_owned()];
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
        ];
        header.extend(rest.map(String::from));
        header
    }

    /// Its cells; `classes` is the number of columns of each kind.
    #[must_use]
    pub fn cells(&self, classes: usize) -> Vec<String> {
        let number = |value: f64| format!("{value:.6}");
        let Verdict { probabilities, top_decile, uncertainty } = &self.verdict;
        let named = self.verdict.class().and_then(|class| probabilities.get(class).copied());
        let mut cells = vec![named.map_or_else(String::new, number)];
        for values in [probabilities, top_decile] {
            cells.extend((0..classes).map(|class| values.get(class).copied().map_or_else(String::new, number)));
        }
        cells.push(uncertainty.map_or_else(String::new, number));
        cells.push(number(self.foreground_mm2));
        let share = if self.tissue_mm2 > 0.0 { 100.0 * self.foreground_mm2 / self.tissue_mm2 } else { 0.0 };
        cells.push(format!("{share:.4}"));
        cells.push(number(self.tissue_mm2));
        cells.push(format!("{:.4}", 100.0 * self.tissue_share));
        cells.extend([self.tiles.to_string(), self.polygons.to_string()]);
        cells.extend(self.size.map(|side| side.to_string()));
        cells.extend([number(self.slide_mpp[0]), number(self.mpp[0])]);
        cells
    }
}
