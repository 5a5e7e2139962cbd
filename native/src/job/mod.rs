//! Work as a whole, from resolved settings to files: what a command asks for, without command line or console.

mod evaluate;
mod finish;
mod inputs;
mod judge;
mod lost_device;
mod model_file;
mod predict;
mod results;
mod slides;
mod study;
mod study_file;
mod tiles;
mod train;
mod training_report;
mod watch;

pub(crate) use evaluate::Evaluate;
pub(crate) use inputs::{Input, inputs, refuse_folder_of_inputs};
pub(crate) use lost_device::lost_device;
pub(crate) use model_file::ModelFile;
pub(crate) use predict::Predict;
pub(crate) use results::{confusions, gallery, mask_table, summary, threshold_curve, verdict};
pub(crate) use slides::{MapRange, PredictSlides, SlideSettings};
pub(crate) use study::{announce, make, open};
pub(crate) use study_file::{Compare, Ended};
pub(crate) use tiles::{TileSettings, cut as cut_slide, png};
pub(crate) use train::{Run, check_data};
pub(crate) use training_report::curves;
pub(crate) use watch::{Count, Watch};
