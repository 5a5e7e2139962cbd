//! Commands on whole slides.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Slides {
    /// Show what slides hold: levels, microns per pixel, how they are compressed, images beside them
    Info(SlidesInfo),
}

#[derive(Debug, Args)]
pub(crate) struct SlidesInfo {
    /// Slide files (SVS, TIFF, BigTIFF, OME-TIFF, Philips TIFF) or folders of them
    #[arg(required = true)]
    pub(crate) inputs: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Write a thumbnail of each into this folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) thumbnails: Option<PathBuf>,
    /// Write the images beside each slide (label, macro) into this folder; labels may show names of patients
    #[arg(long, value_name = "FOLDER")]
    pub(crate) associated: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Tiles {
    /// Slide files or folders of them
    #[arg(required = true)]
    pub(crate) inputs: Vec<PathBuf>,
    /// Microns per pixel of the patches
    #[arg(long)]
    pub(crate) mpp: f64,
    /// Microns per pixel at full resolution of slides that do not say it
    #[arg(long, value_name = "MPP")]
    pub(crate) slide_mpp: Option<f64>,
    /// Side of a patch in pixels
    #[arg(long, default_value_t = 512, value_parser = clap::value_parser!(u32).range(16..=8192))]
    pub(crate) size: u32,
    /// Pixels from one patch to the next [default: --size, no overlap]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=8192))]
    pub(crate) stride: Option<u32>,
    /// Least share of tissue in a patch, 0 to 1
    #[arg(long, default_value_t = 0.5, value_name = "SHARE")]
    pub(crate) tissue: f64,
    /// CSV file with the columns slide,label [default: the name of the slide's folder below the one given]
    #[arg(long, value_name = "CSV")]
    pub(crate) labels: Option<PathBuf>,
    /// Folder for patches and labels.csv; slides that are finished in it are not cut again
    #[arg(long, default_value = "tiles")]
    pub(crate) out: PathBuf,
}
