//! Commands on Camelyon16.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::camelyon::{Calibration, Holes, SampleSettings};

#[derive(Debug, Subcommand)]
pub(crate) enum Camelyon16 {
    /// Cut Camelyon16's slides into the paper's patches (Camelyon16-P512), listed as `train` takes them
    Sample(CamelyonSample),
}

#[derive(Debug, Args)]
pub(crate) struct CamelyonSample {
    /// Folders with the slides (normal_001.tif, tumor_001.tif, test_001.tif, …) and their annotations (tumor_001.xml, …)
    #[arg(required = true)]
    pub(crate) slides: Vec<PathBuf>,
    /// Folder for patches and lists; slides that are finished in it are not sampled again
    #[arg(long, default_value = "camelyon16-p512")]
    pub(crate) out: PathBuf,
    /// Which fold is validated on, 0 to 4; the paper's is 0
    #[arg(long, default_value_t = 0)]
    pub(crate) fold: usize,
    /// Seed of everything that is drawn
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Side of a patch in pixels of level 0
    #[arg(long, default_value_t = 512)]
    pub(crate) size: u32,
    /// Least share of tumour in a patch of tumour
    #[arg(long, default_value_t = 0.2)]
    pub(crate) p0: f64,
    /// Share of tumour up to which all patches are kept
    #[arg(long, default_value_t = 0.5)]
    pub(crate) p1: f64,
    /// Least share of tissue in a patch
    #[arg(long, default_value_t = 0.1)]
    pub(crate) tissue: f64,
    /// What becomes of annotations of group _2, which mark holes in tumour
    #[arg(long, value_enum, default_value_t)]
    pub(crate) holes: Holes,
    /// Patches kept of those above p1: as published, or as the published README describes it
    #[arg(long, value_enum, default_value_t)]
    pub(crate) calibration: Calibration,
    /// Rounds of the calibration, as a share of the patches from p0 to p1
    #[arg(long, default_value_t = 0.01)]
    pub(crate) rounds: f64,
    /// Tissue is brighter than this in red, green and blue; the published README means 10, its code has 0.1
    #[arg(long, default_value_t = 0.1)]
    pub(crate) darkest: f64,
    /// Chains of normal slides along which a lack of tissue is made up; the published run had 48
    #[arg(long, default_value_t = 48)]
    pub(crate) chains: usize,
}

impl CamelyonSample {
    pub(crate) fn settings(&self) -> SampleSettings {
        SampleSettings {
            size: self.size,
            p0: self.p0,
            p1: self.p1,
            share: self.rounds,
            tissue: self.tissue,
            darkest: self.darkest,
            holes: self.holes,
            calibration: self.calibration,
            chains: self.chains,
            fold: self.fold,
            seed: self.seed,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct DemoCamelyon {
    /// Folder for the slides and their annotations
    #[arg(long, default_value = "synthetic-camelyon")]
    pub(crate) out: PathBuf,
    /// Training slides of each class, with tumour and without; half as many test slides are drawn
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) slides: u16,
    /// Side of a slide in pixels
    #[arg(long, default_value_t = 4096)]
    pub(crate) side: u32,
    /// Microns per pixel; with larger pixels, sample smaller patches
    #[arg(long, default_value_t = 0.25)]
    pub(crate) mpp: f64,
    /// Seed of the tissue
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
}
