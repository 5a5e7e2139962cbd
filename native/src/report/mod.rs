//! What a person looks at after a run: charts, confusion matrices, mask overlays, and one HTML page with all of it.
//!
//! The trainer and the evaluator fill plain data ([`Report`], [`Chart`], [`ConfusionFigure`]); [`render`] makes a
//! page that needs no other file and no network.

mod chart;
mod colormap;
mod confusion;
mod drawing;
mod html;
mod overlay;
mod panels;
mod picture;
mod picture_grid;
mod scale;

pub use chart::{Axis, Chart, Series, Style};
pub use colormap::{Colormap, color};
pub use confusion::ConfusionFigure;
pub use html::{page, render, table};
pub use overlay::{OverlayStyle, PREDICTED_EDGE, TRUE_EDGE, mask_png, overlay, soft_png};
pub use panels::{chart_panels, confusion_panels};
pub use picture_grid::PictureGrid;
pub use scale::Scale;

use image::RgbImage;
use serde::{Deserialize, Serialize};

/// Style of the drawings alone, light and dark; part of every SVG file and of the page.
const PLOT_CSS: &str = include_str!("plot.css");

/// Everything on a report page, in reading order. Empty parts are left out. As JSON it holds all but the pictures.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// Heading of the page and title of the browser's tab.
    pub title: String,
    /// One line below it: data set, model, date.
    pub subtitle: String,
    /// The result in sentences with numbers and what they compare with: "F1+ 84.2 vs 61.0 for All-ones".
    pub verdict: Vec<String>,
    /// Tables of numbers.
    pub tables: Vec<Table>,
    /// Confusion matrices.
    pub confusion: Vec<ConfusionFigure>,
    /// Line charts.
    pub curves: Vec<Chart>,
    /// Pictures, case by case.
    pub gallery: Vec<Case>,
    /// Colours of the heat overlays in the gallery, explained above it where given.
    pub colormap: Option<Colormap>,
    /// How it was made: name and value (device, duration, command, data hash).
    pub facts: Vec<(String, String)>,
    /// What to keep in mind when reading the numbers.
    pub notes: Vec<String>,
}

/// A table of text; cells that read as numbers are set flush right.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// What the table shows.
    pub caption: String,
    /// Column names.
    pub header: Vec<String>,
    /// Rows, each as long as the header.
    pub rows: Vec<Vec<String>>,
}

/// One case of the gallery: pictures of the same patch, side by side.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Case {
    /// Name of the case, such as its file's.
    pub title: String,
    /// True and predicted class, scores.
    pub caption: String,
    /// Label and picture: input, overlay, mask. Large ones are shrunk to 640 pixels for the page.
    #[serde(skip)]
    pub images: Vec<(String, RgbImage)>,
}

/// Why a figure or page could not be made: always the caller's data, never the file system.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A mask that does not fit its picture.
    #[error(
        "the {what} has {got} values but the picture is {width} × {height}: resample it to the picture's size first"
    )]
    Size {
        /// Which input.
        what: &'static str,
        /// Values it has.
        got: usize,
        /// Width of the picture, pixels.
        width: u32,
        /// Height of the picture, pixels.
        height: u32,
    },
    /// A row of another length than the header.
    #[error(
        "table '{caption}': row {row} has {got} cells and the header {expected}: give every row one cell per column"
    )]
    Row {
        /// The table's caption.
        caption: String,
        /// The row, from 1.
        row: usize,
        /// Cells in it.
        got: usize,
        /// Columns in the header.
        expected: usize,
    },
    /// A confusion matrix that is not square or does not fit its class names.
    #[error("confusion matrix '{title}': {classes} class names need {classes} rows of {classes} counts")]
    NotSquare {
        /// The figure's title.
        title: String,
        /// Number of class names.
        classes: usize,
    },
    /// A picture without pixels or one the encoder refuses.
    #[error("picture '{label}' cannot be encoded: {source}; leave it out of the gallery")]
    Picture {
        /// The picture's label.
        label: String,
        /// The encoder's reason.
        source: image::ImageError,
    },
}
