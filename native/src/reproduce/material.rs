//! The data sets behind the artefacts: opened and checked once per fold.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::data::SplitChoice;
use crate::data::check::{Summary, check};
use crate::data::{DataConfig, DataError, Dataset, Layout, Sample};

/// The two data sets of the paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// GlaS (`spec` §6.1).
    Glas,
    /// Camelyon16 as patches of 512 × 512 pixels (`spec` §6.2).
    Camelyon,
}

impl Source {
    /// Its name in tables and messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Glas => "GlaS",
            Self::Camelyon => "Camelyon16-P512",
        }
    }

    /// The flag that names its folder.
    pub(crate) fn flag(self) -> &'static str {
        match self {
            Self::Glas => "--data",
            Self::Camelyon => "--camelyon",
        }
    }

    /// What to get and where to put it.
    pub(crate) fn directions(self) -> &'static str {
        match self {
            Self::Glas => {
                "get the GlaS challenge data (Warwick-QU; K. Sirinukunwattana et al., arXiv:1603.00275), unpack the \
                 archive and name its folder with --data <folder>: the one with Grade.csv, train_1.bmp, \
                 train_1_anno.bmp, …; any other labelled patches with masks do as well (docs/FORMATS.md)"
            }
            Self::Camelyon => {
                "get the whole slides of Camelyon16 (camelyon16.grand-challenge.org), have `histomask camelyon16 sample` \
                 cut the paper's patches of 512 x 512 pixels from them (docs/CAMELYON.md), and name their folder with \
                 --camelyon <folder>. Patches of your own do as well: train|valid|test/normal/*.png and \
                 train|valid|test/tumor/*.png with masks/<the same path>, or a labels.csv with the columns \
                 path,label,mask,split. One class must be called normal; its patches need all-black masks to count in \
                 F1- (one file may serve all rows of the table). Without any slides: `histomask demo camelyon`"
            }
        }
    }
}

/// A data set that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MaterialError {
    #[error("{artefact} needs {}, and {} was not given: {}", .needed.name(), .needed.flag(), .needed.directions())]
    NotGiven { artefact: &'static str, needed: Source },
    #[error("{}: no such folder. {artefact} needs {}: {}", .path.display(), .needed.name(), .needed.directions())]
    Missing { artefact: &'static str, needed: Source, path: PathBuf },
    #[error("--folds {fold}: only GlaS has published folds, and {} is not laid out as GlaS; leave --folds out", .path.display())]
    NoFolds { fold: usize, path: PathBuf },
    #[error(
        "{}: the classes are {classes}; the Camelyon16 artefacts need one called `normal`, whose patches have no \
         foreground. Rename the folders or labels", .path.display()
    )]
    NoNormal { path: PathBuf, classes: String },
    #[error(transparent)]
    Data(#[from] DataError),
}

/// A data set, opened and checked for each fold.
#[derive(Debug)]
pub(crate) struct Material {
    pub(crate) source: Source,
    pub(crate) path: PathBuf,
    pub(crate) folds: BTreeMap<usize, (Dataset, Summary)>,
}

impl Material {
    /// Opens and decodes all of it; `config` is the profile's `[data]` table.
    pub(crate) fn open(
        source: Source,
        path: &Path,
        config: &DataConfig,
        folds: &[usize],
    ) -> Result<Self, MaterialError> {
        let mut opened = BTreeMap::new();
        for &fold in folds {
            let dataset = Dataset::open(path, &DataConfig { fold, ..config.clone() })?;
            if fold > 0 && dataset.layout != Layout::Glas {
                return Err(MaterialError::NoFolds { fold, path: path.to_owned() });
            }
            if source == Source::Camelyon && normal_class(&dataset).is_none() {
                return Err(MaterialError::NoNormal { path: path.to_owned(), classes: dataset.classes.join(", ") });
            }
            let summary = check(&dataset, &|_, _| ())?;
            opened.insert(fold, (dataset, summary));
        }
        Ok(Self { source, path: path.to_owned(), folds: opened })
    }

    /// Index of the class without foreground, of data that has one.
    pub(crate) fn normal_class(&self) -> Option<usize> {
        let (dataset, _) = self.folds.values().next()?;
        (self.source == Source::Camelyon).then(|| normal_class(dataset)).flatten()
    }

    /// Name of that class.
    pub(crate) fn normal_name(&self) -> Option<&str> {
        let (dataset, _) = self.folds.values().next()?;
        self.normal_class().and_then(|normal| dataset.classes.get(normal)).map(String::as_str)
    }

    /// The images that results are reported on: the test images if there are any, else the validation images.
    pub(crate) fn judged(&self, asked: Option<SplitChoice>) -> SplitChoice {
        let any_test = self.folds.values().any(|(dataset, _)| !dataset.test.is_empty());
        asked.unwrap_or(if any_test { SplitChoice::Test } else { SplitChoice::Valid })
    }
}

fn normal_class(dataset: &Dataset) -> Option<usize> {
    dataset.classes.iter().position(|class| class.eq_ignore_ascii_case("normal"))
}

/// Changes whenever masks are added, removed or replaced by others of another size in bytes.
pub(crate) fn mask_state(samples: &[Sample]) -> String {
    let state = |sample: &Sample| {
        let mask = sample.mask.as_ref()?;
        let bytes = std::fs::metadata(mask).map_or(0, |data| data.len());
        Some(format!("{}\t{bytes}\n", sample.id))
    };
    blake3::hash(samples.iter().filter_map(state).collect::<String>().as_bytes()).to_string()
}
