//! Data sets of labelled image patches: which files belong to which split and class, and reading them.
//!
//! [`Dataset::open`] only lists files; [`check::check`] then reads every one of them before a training run starts.

mod alike;
mod by_split;
mod caution;
pub(crate) mod cells;
pub mod check;
mod config;
mod error;
mod folders;
pub mod geojson;
mod glas;
mod glas_folds;
mod groups;
pub mod image;
mod labels;
mod left_out;
#[cfg(feature = "openslide")]
mod openslide;
pub(crate) mod results;
pub mod slides;
mod source;
mod split_choice;
mod splits;
mod table;
mod unnamed;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use self::caution::{Cautions, foreground_percent};
pub use self::config::{DataConfig, Folds, Layout};
pub use self::error::DataError;
pub(crate) use self::labels::nfc;
pub use self::left_out::{LeftOut, Reason};
pub use self::source::{Source, place};
pub(crate) use self::split_choice::SplitChoice;

/// One labelled image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Unique in its data set: the name in `Grade.csv` for GlaS, else the image's path below the root with `/`
    /// between its parts.
    pub id: String,
    /// The image file.
    pub image: PathBuf,
    /// Index into [`Dataset::classes`].
    pub label: usize,
    /// The true mask, used for evaluation only.
    pub mask: Option<PathBuf>,
    /// The patient or slide it comes from, where the data set says so.
    pub group: Option<String>,
}

/// What a sample is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    /// Learning.
    Train,
    /// Choosing the epoch to keep.
    Valid,
    /// Reporting.
    Test,
}

impl Split {
    /// The three splits in their usual order.
    pub const ALL: [Self; 3] = [Self::Train, Self::Valid, Self::Test];

    /// `train`, `valid` or `test`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Valid => "valid",
            Self::Test => "test",
        }
    }

    /// Understands the usual names of a split (`train`, `valid`, `val`, `validation`, `test`) in any case.
    pub fn parse(name: &str) -> Option<Self> {
        match name.to_lowercase().as_str() {
            "train" | "training" => Some(Self::Train),
            "valid" | "val" | "validation" => Some(Self::Valid),
            "test" | "testing" => Some(Self::Test),
            _ => None,
        }
    }
}

impl std::fmt::Display for Split {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The files of a data set, sorted into splits and classes. Nothing has been decoded yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// The folder the data set was found in.
    pub root: PathBuf,
    /// How it is laid out; never [`Layout::Auto`].
    pub layout: Layout,
    /// Class names; a label is an index into them.
    pub classes: Vec<String>,
    /// Samples to learn from.
    pub train: Vec<Sample>,
    /// Samples that choose the epoch to keep.
    pub valid: Vec<Sample>,
    /// Samples to report on; may be empty.
    pub test: Vec<Sample>,
    /// What is sound enough to go on with and should be known: sentences for the user.
    pub warnings: Vec<String>,
    /// Files that are there and not used.
    pub left_out: LeftOut,
}

impl Dataset {
    /// The name of its folder.
    pub fn name(&self) -> String {
        let root = std::path::absolute(&self.root).unwrap_or_else(|_| self.root.clone());
        root.file_name().map_or_else(|| "data".into(), |name| name.to_string_lossy().into_owned())
    }

    /// Lists the data set at `path`: a GlaS folder, a class-per-folder tree, a `labels.csv` or a folder with one.
    ///
    /// # Errors
    /// A fold that there is not, a layout that is not recognised, a list that cannot be read or names a file, class or
    /// split that does not exist, or a class too small to be divided. The message names the file and the row.
    pub fn open(path: &Path, config: &DataConfig) -> Result<Self, DataError> {
        if !path.exists() {
            return Err(DataError::Missing { path: path.to_owned() });
        }
        let mut dataset = match config.layout {
            Layout::Auto => Self::open_detected(path, config),
            Layout::Glas => glas::open(path, config),
            Layout::Folders => folders::open(path, config),
            Layout::Table => table::open(path, config),
        }?;
        if let Some(reason) = labels::alike(&config.class_names, &dataset.classes) {
            return Err(DataError::Layout { path: path.to_owned(), reason });
        }
        let without: Vec<_> = dataset.samples().filter(|(_, sample)| sample.mask.is_none()).collect();
        if 2 * without.len() < dataset.samples().count() {
            let without: Vec<_> = without.into_iter().map(|(_, sample)| sample.image.clone()).collect();
            without.iter().for_each(|image| dataset.left_out.add(Reason::NoMask, image));
        }
        Ok(dataset)
    }

    fn open_detected(path: &Path, config: &DataConfig) -> Result<Self, DataError> {
        if path.is_file() || path.join(table::FILE_NAME).is_file() {
            table::open(path, config)
        } else if glas::find_root(path)?.is_some() {
            glas::open(path, config)
        } else {
            folders::open(path, config)
        }
    }

    /// The samples of one split.
    pub fn split(&self, split: Split) -> &[Sample] {
        match split {
            Split::Train => &self.train,
            Split::Valid => &self.valid,
            Split::Test => &self.test,
        }
    }

    /// [`Self::open`] for a model: where the data have some of its classes only, or in another order, the model's count.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_for(path: &Path, config: &DataConfig, classes: &[String]) -> Result<Self, DataError> {
        let dataset = Self::open(path, config)?;
        if dataset.classes == classes
            || dataset.layout == Layout::Glas
            || !dataset.classes.iter().all(|class| classes.contains(class))
        {
            return Ok(dataset);
        }
        Self::open(path, &DataConfig { class_names: classes.to_vec(), ..config.clone() })
    }

    /// How many groups a split's samples come from; 0 where they have none.
    pub fn groups(&self, split: Split) -> usize {
        self.split(split).iter().filter_map(|sample| sample.group.as_deref()).collect::<BTreeSet<_>>().len()
    }

    /// Every sample with its split: train, then valid, then test.
    pub fn samples(&self) -> impl Iterator<Item = (Split, &Sample)> {
        Split::ALL.into_iter().flat_map(|split| self.split(split).iter().map(move |sample| (split, sample)))
    }
}

/// What a folder contains, sorted by name so that no result depends on the file system's order.
fn list_folder(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut paths = std::fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>())
        .map_err(|error| DataError::io(folder, error))?;
    // the same order whatever form a system stores letters in
    paths.sort_by_cached_key(|path| (labels::nfc(&path.to_string_lossy()), path.clone()));
    Ok(paths)
}
