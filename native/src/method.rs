//! `--method`: a row of the paper's tables by name, and what it changes in a profile.

use clap::ValueEnum;
use histomask_core::MethodKind;
use histomask_core::config::{BackgroundTerm, PoolingConfig, PoolingFormula};

use crate::profile::{Profile, Selection};

/// The rows of Tables 1 and 2. `max-min` leaves the background term as the profile has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub enum MethodChoice {
    /// Every pixel is foreground; nothing to train
    AllOnes,
    /// Presence and non-presence bounds on region sizes
    Pn,
    /// Adversarial erasing
    Erase,
    /// Class maps under a global maximum
    CamMax,
    /// Class maps under log-sum-exp
    CamLse,
    /// A network trained as cam-avg, read by its gradients
    GradCam,
    /// Class maps under a global average
    CamAvg,
    /// Class maps under the mean of extreme activations
    Wildcat,
    /// Attention over positions
    DeepMil,
    /// Max-min uncertainty, explicit entropy maximisation
    MaxMinEem,
    /// Max-min uncertainty, surrogate for entropy maximisation
    MaxMinSem,
    /// Max-min uncertainty, background term as in the profile
    MaxMin,
    /// Supervised by masks
    UNet,
}

impl MethodChoice {
    /// The twelve rows of Tables 1 and 2 in their order.
    pub const ROWS: [Self; 12] = [
        Self::AllOnes,
        Self::Pn,
        Self::Erase,
        Self::CamMax,
        Self::CamLse,
        Self::GradCam,
        Self::CamAvg,
        Self::Wildcat,
        Self::DeepMil,
        Self::MaxMinEem,
        Self::MaxMinSem,
        Self::UNet,
    ];

    /// The network and its training.
    #[must_use]
    pub fn kind(self) -> MethodKind {
        match self {
            Self::AllOnes => MethodKind::AllOnes,
            Self::Pn => MethodKind::Pn,
            Self::Erase => MethodKind::Erase,
            Self::CamMax => MethodKind::CamMax,
            Self::CamLse => MethodKind::CamLse,
            Self::GradCam => MethodKind::GradCam,
            Self::CamAvg => MethodKind::CamAvg,
            Self::Wildcat => MethodKind::Wildcat,
            Self::DeepMil => MethodKind::DeepMil,
            Self::MaxMinEem | Self::MaxMinSem | Self::MaxMin => MethodKind::MaxMin,
            Self::UNet => MethodKind::UNet,
        }
    }

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MaxMinEem => "max-min-eem",
            Self::MaxMinSem => "max-min-sem",
            other => other.kind().name(),
        }
    }

    /// The shipped profile with its published training on GlaS (`spec` §3.1).
    #[must_use]
    pub fn default_profile(self) -> &'static str {
        match self.kind() {
            MethodKind::MaxMin => Profile::DEFAULT,
            MethodKind::Pn | MethodKind::Erase => "pn-erase-glas",
            MethodKind::UNet => "u-net-glas",
            _ => "baseline-glas",
        }
    }

    /// A profile changed in what makes it this method: the network, its own pooling or loss, its threshold, and by what
    /// an epoch can be selected. The training's numbers stay the profile's.
    #[must_use]
    pub fn apply(self, mut profile: Profile) -> Profile {
        profile.model.method = self.kind();
        if self.kind() != MethodKind::MaxMin {
            // where the soft masks of the baselines meet their published rules
            profile.evaluation.threshold = 0.5;
        }
        profile.evaluation.selection =
            if self.kind().learns_from_masks() { Selection::PixelLoss } else { Selection::ClassAccuracy };
        match self {
            Self::MaxMinEem => profile.loss.background = BackgroundTerm::Eem,
            Self::MaxMinSem => profile.loss.background = BackgroundTerm::Sem,
            Self::Wildcat => {
                profile.model.pooling = PoolingConfig {
                    modalities: 4,
                    kmax: 0.1,
                    kmin: 0.1,
                    alpha: 0.6,
                    dropout: 0.0,
                    formula: PoolingFormula::Survey,
                }
            }
            _ => {}
        }
        profile
    }
}

impl std::fmt::Display for MethodChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn every_method_fits_every_shipped_profile() {
        for choice in MethodChoice::value_variants() {
            assert_eq!(choice.to_possible_value().unwrap().get_name(), choice.name());
            for name in Profile::names() {
                let profile = choice.apply(Profile::named(name).unwrap());
                assert_eq!(profile.model.method, choice.kind());
                // the released Camelyon16 model classifies no masked image: it has no background term at all
                let no_background = name == "released-camelyon" && choice.kind() == MethodKind::MaxMin;
                assert!(profile.validate().is_ok() || no_background, "{choice} on {name}");
            }
            assert!(Profile::named(choice.default_profile()).is_ok());
        }
    }
}
