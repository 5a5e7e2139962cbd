//! Commands on whole slides.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::job::MapRange;

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

// Of `predict`, for whole slides.
#[derive(Debug, Args)]
#[command(next_help_heading = "Whole slides")]
pub(crate) struct WholeSlides {
    /// Microns per pixel that the model is shown slides at [default: what its card says it was trained at]
    #[arg(long)]
    pub(crate) mpp: Option<f64>,
    /// Microns per pixel at full resolution of slides that do not say it
    #[arg(long, value_name = "MPP")]
    pub(crate) slide_mpp: Option<f64>,
    /// Tissue to look at, as GeoJSON in pixels of full resolution: a file, or a folder with <slide>_tissue.geojson
    /// [default: found at a thumbnail]
    #[arg(long, value_name = "FILE|FOLDER")]
    pub(crate) tissue: Option<PathBuf>,
    /// Regions of interest, beyond which nothing is looked at: a file as for --tissue, or a folder with
    /// <slide>_roi.geojson
    #[arg(long, value_name = "FILE|FOLDER")]
    pub(crate) roi: Option<PathBuf>,
    /// What someone drew, as GeoJSON in pixels of full resolution, to score masks with: a file as for --tissue, or a
    /// folder with <slide>_truth.geojson; without any polygon it says that the slide holds nothing
    #[arg(long, value_name = "FILE|FOLDER")]
    pub(crate) truth: Option<PathBuf>,
    /// Side of a window in pixels of the model [default: that of its training images; 512 where they had none]
    #[arg(long, value_parser = clap::value_parser!(u32).range(64..=2048))]
    pub(crate) tile: Option<u32>,
    /// Over what class maps are scaled to a mask
    #[arg(long, value_enum, default_value_t)]
    pub(crate) range: MapRange,
    /// Only every n-th image and slide, beginning with the i-th: 1/4, 2/4, 3/4 and 4/4 are all of them, each once
    #[arg(long, value_name = "I/N", value_parser = shard)]
    pub(crate) shard: Option<[usize; 2]>,
}

fn shard(text: &str) -> Result<[usize; 2], String> {
    let parts = text.split_once('/').and_then(|(i, n)| Some([i.parse().ok()?, n.parse().ok()?]));
    parts.filter(|[i, n]| (1..=*n).contains(i)).ok_or_else(|| "a shard is named as 2/4: the second of four".into())
}
