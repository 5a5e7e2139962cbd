//! Work as a whole, from resolved settings to files: what a command asks for, without command line or console.

mod model_file;
mod results;
mod tiles;
mod train;

pub(crate) use model_file::ModelFile;
pub(crate) use results::{
    confusions, curves, evaluation_report, gallery, mask_table, summary, threshold_curve, verdict,
};
pub(crate) use tiles::{TileSettings, cut as cut_slide, png};
pub(crate) use train::{Run, Watch, check_data, run_job};
