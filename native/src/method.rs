//! `--method`: a row of the paper's tables by name, and what it changes in a profile.

use std::sync::LazyLock;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use histomask_core::MethodKind;
use histomask_core::config::{BackgroundTerm, PoolingConfig, PoolingFormula};

use crate::profile::{Profile, ProfileError, Selection};

/// A method, or one of the two background terms of max-min. `max-min` leaves that term as the profile has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MethodChoice {
    /// A method as it is.
    Of(MethodKind),
    /// Max-min uncertainty with explicit entropy maximisation.
    MaxMinEem,
    /// Max-min uncertainty with the surrogate for it.
    MaxMinSem,
}

/// Everything that `--method` takes, in the order of Tables 1 and 2.
static CHOICES: LazyLock<Vec<MethodChoice>> = LazyLock::new(|| {
    let with_terms = |&kind: &MethodKind| match kind {
        MethodKind::MaxMin => vec![MethodChoice::MaxMinEem, MethodChoice::MaxMinSem, MethodChoice::Of(kind)],
        _ => vec![MethodChoice::Of(kind)],
    };
    MethodKind::ALL.iter().flat_map(with_terms).collect()
});

impl ValueEnum for MethodChoice {
    fn value_variants<'a>() -> &'a [Self] {
        &CHOICES
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()).help(match self {
            Self::MaxMinEem => "Max-min uncertainty, explicit entropy maximisation",
            Self::MaxMinSem => "Max-min uncertainty, surrogate for entropy maximisation",
            Self::Of(kind) => kind.about(),
        }))
    }
}

impl MethodChoice {
    /// The twelve rows of Tables 1 and 2 in their order.
    pub fn rows() -> impl Iterator<Item = Self> {
        CHOICES.iter().copied().filter(|choice| *choice != Self::Of(MethodKind::MaxMin))
    }

    /// The network and its training.
    #[must_use]
    pub fn kind(self) -> MethodKind {
        match self {
            Self::Of(kind) => kind,
            Self::MaxMinEem | Self::MaxMinSem => MethodKind::MaxMin,
        }
    }

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MaxMinEem => "max-min-eem",
            Self::MaxMinSem => "max-min-sem",
            Self::Of(kind) => kind.name(),
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

    /// Its published training.
    ///
    /// # Errors
    /// None: the profile is part of the program.
    pub fn profile(self) -> Result<Profile, ProfileError> {
        profile(Some(self), None)
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
            Self::Of(MethodKind::Wildcat) => {
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

/// `--method` and `--profile` as one profile: the one asked for, else the one made for the method (our own recipe if none is named), with what the method
/// changes in it.
///
/// # Errors
/// As [`Profile::resolve`].
pub fn profile(method: Option<MethodChoice>, profile: Option<&str>) -> Result<Profile, ProfileError> {
    let of_method = || method.map_or(Profile::RECIPE, MethodChoice::default_profile);
    let base = Profile::resolve(profile.unwrap_or_else(of_method))?;
    Ok(match method {
        Some(method) => method.apply(base),
        None => base,
    })
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
        for &choice in MethodChoice::value_variants() {
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
