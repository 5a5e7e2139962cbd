use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// What becomes of polygons of group `_2`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Holes {
    /// Ignored, as in the published sampler: a hole counts as tumour
    #[default]
    Ignored,
    /// Cut out of the tumour, as Camelyon16 means it
    Cut,
}

/// How many patches with more tumour than p1 are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Calibration {
    /// Up to 100 in each round, as the published sampler does, which the published counts need
    #[default]
    AsCoded,
    /// One in each round, as its README says
    Documented,
}

/// The protocol's numbers (`spec` §6.2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SampleSettings {
    /// Side of a patch in pixels of level 0, which is the stride too.
    pub(crate) size: u32,
    /// Least share of tumour in a metastatic patch.
    pub(crate) p0: f64,
    /// Share of tumour up to which all patches are kept.
    pub(crate) p1: f64,
    /// Rounds of the calibration, as a share of the patches from p0 to p1.
    pub(crate) share: f64,
    /// Least share of tissue.
    pub(crate) tissue: f64,
    /// A pixel of tissue is above this in each channel.
    pub(crate) darkest: f64,
    pub(crate) holes: Holes,
    pub(crate) calibration: Calibration,
    /// Chains of normal slides along which a shortfall is passed on: the processes of the published run.
    pub(crate) chains: usize,
    /// Which fifth of the training slides is validated on.
    pub(crate) fold: usize,
    pub(crate) seed: u64,
}

impl Default for SampleSettings {
    fn default() -> Self {
        Self {
            size: 512,
            p0: 0.2,
            p1: 0.5,
            share: 0.01,
            tissue: 0.1,
            darkest: 0.1,
            holes: Holes::default(),
            calibration: Calibration::default(),
            chains: 48,
            fold: 0,
            seed: 0,
        }
    }
}

impl SampleSettings {
    /// Says what is out of range.
    pub(crate) fn refusal(&self) -> Option<String> {
        let share = |value: f64| (0.0..=1.0).contains(&value);
        if !(16..=4096).contains(&self.size) || !self.size.is_multiple_of(8) {
            Some(format!("a size of {} is not a multiple of 8 from 16 to 4096", self.size))
        } else if !(share(self.p0) && share(self.p1) && self.p0 > 0.0 && self.p0 <= self.p1) {
            Some(format!("p0 {} and p1 {} must be shares with 0 < p0 <= p1 <= 1", self.p0, self.p1))
        } else if !(share(self.share) && share(self.tissue) && (0.0..255.0).contains(&self.darkest)) {
            Some("the shares of rounds and tissue go from 0 to 1, the darkest value from 0 to 255".into())
        } else if self.chains == 0 || self.fold > 4 {
            Some(format!(
                "{} chains in fold {}: there is at least one chain, and folds are 0 to 4",
                self.chains, self.fold
            ))
        } else {
            None
        }
    }

    /// Pixels of level 0 in one of the level at which normal patches are looked for: 64 (level 6) for 512 pixels and
    /// more, so that a smaller patch has eight pixels there too.
    pub(crate) fn search_downsample(&self) -> f64 {
        f64::from((self.size / 8).min(64))
    }

    /// The folder of patches of this size.
    pub(crate) fn folder(&self) -> String {
        format!("w-{0}xh-{0}", self.size)
    }
}
