//! The `[data]` settings.

use serde::{Deserialize, Serialize};

/// How a data set is laid out on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Layout {
    /// Recognise it: a CSV file or `labels.csv`, else `Grade.csv`, else class folders.
    #[default]
    Auto,
    /// The GlaS (Warwick-QU) challenge folder with `Grade.csv`.
    Glas,
    /// One folder per class, optionally below `train`, `valid` and `test`.
    Folders,
    /// A CSV file with the columns `path,label[,mask][,split]`.
    Table,
}

/// Which folds divide GlaS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Folds {
    /// The paper's five. They put images of one patient on both sides.
    #[default]
    Published,
    /// Drawn so that no patient is divided.
    Patients,
}

/// Where samples come from and how they are divided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// How the data set is laid out: `auto`, `glas`, `folders` or `table`.
    pub layout: Layout,
    /// Which fold is validated on, 0 to 4, of GlaS and of data with groups. Other data ignore it.
    pub fold: usize,
    /// Whose folds divide GlaS. Other data with groups are always divided by group.
    pub folds: Folds,
    /// Share of each class kept for validation where the data set names no validation images, in `[0, 1)`.
    pub valid_fraction: f64,
    /// Share of each class kept for testing where the data set names no test images, in `[0, 1)`.
    pub test_fraction: f64,
    /// Class names in the order of their labels; empty means sorted by name.
    pub class_names: Vec<String>,
    /// Seed of the division into splits.
    pub seed: u64,
    /// Microns per pixel of the images, for the model's card; 0 where it is not known. GlaS's is.
    pub mpp: f64,
}
