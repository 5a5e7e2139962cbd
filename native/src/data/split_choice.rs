use clap::ValueEnum;

use super::{Dataset, Sample, Split};

/// Images to judge: a split, or all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SplitChoice {
    Train,
    Valid,
    Test,
    /// Every image of the set
    All,
}

impl SplitChoice {
    /// Its name on the command line and of folders.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Valid => "valid",
            Self::Test => "test",
            Self::All => "all",
        }
    }

    /// Its images.
    pub(crate) fn samples(self, dataset: &Dataset) -> Vec<Sample> {
        match self {
            Self::Train => dataset.train.clone(),
            Self::Valid => dataset.valid.clone(),
            Self::Test => dataset.test.clone(),
            Self::All => Split::ALL.iter().flat_map(|&split| dataset.split(split).to_vec()).collect(),
        }
    }
}
