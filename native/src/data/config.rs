//! The `[data]` settings.

use serde::{Deserialize, Serialize};

use super::DataError;
use super::glas_folds::FOLDS;

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
#[serde(default, deny_unknown_fields)]
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
}

impl Default for DataConfig {
    fn default() -> Self {
        Self {
            layout: Layout::Auto,
            fold: 0,
            folds: Folds::Published,
            valid_fraction: 0.2,
            test_fraction: 0.0,
            class_names: Vec::new(),
            seed: 0,
        }
    }
}

impl DataConfig {
    /// Refuses values out of range.
    ///
    /// # Errors
    /// [`DataError::Setting`] naming the first bad setting.
    pub fn validate(&self) -> Result<(), DataError> {
        let bad = |setting, reason: String| Err(DataError::Setting { setting, reason });
        if self.fold >= FOLDS {
            return bad("fold", format!("{} is not one of the folds 0 to {}", self.fold, FOLDS - 1));
        }
        for (setting, value) in [("valid_fraction", self.valid_fraction), ("test_fraction", self.test_fraction)] {
            if !(0.0..1.0).contains(&value) {
                return bad(setting, format!("{value} is not in [0, 1)"));
            }
        }
        if self.valid_fraction + self.test_fraction >= 1.0 {
            return bad("valid_fraction", "together with test_fraction it leaves nothing to train on".into());
        }
        let mut names: Vec<_> = self.class_names.iter().collect();
        names.sort();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return bad("class_names", format!("`{}` is listed twice", pair[0]));
        }
        Ok(())
    }
}
