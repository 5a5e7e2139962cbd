//! What a slide comes to: its row of `slides.csv`.

use serde::{Deserialize, Serialize};

use histomask_core::metric::PixelCounts;
use histomask_core::whole_slide::Measures;

use super::output::{Names, Written};
use super::truth;
use crate::data::Source;

/// A finished slide.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Summary {
    /// Hash of all that the results depend on.
    pub(super) key: String,
    pub(super) path: String,
    pub(super) source: Source,
    pub(super) class: Option<String>,
    #[serde(flatten)]
    pub(super) measures: Measures,
    /// Hash of the tissue's file, where tissue was found.
    pub(super) tissue_hash: Option<String>,
    pub(super) cautions: Vec<String>,
    pub(super) damaged: Vec<String>,
    /// Pixels of the mask by what was drawn, where something was.
    #[serde(default)]
    pub(super) truth: Option<PixelCounts>,
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
        let mut header: Vec<String> = ["path", "class"].map(String::from).to_vec();
        header.extend(Measures::header(classes));
        header.push("damaged_tiles".into());
        header.extend(truth::COLUMNS.map(String::from));
        header.extend(["probability_map", "overlay", "geojson", "tissue"].map(String::from));
        header
    }

    /// `classes` is the number of columns of each kind.
    pub(super) fn row(&self, classes: usize) -> Vec<String> {
        let mut row = vec![self.path.clone(), self.class.clone().unwrap_or_default()];
        row.extend(self.measures.cells(classes));
        row.push(self.damaged.len().to_string());
        row.extend(truth::cells(self.truth));
        let Names { probability, overlay, geojson, tissue, .. } = &self.files;
        row.extend([probability, overlay, geojson, tissue].map(Clone::clone));
        row
    }
}
