//! The profiles that are part of the program.

use super::Profile;

/// Name and text of each complete profile.
pub(super) const SHIPPED: [(&str, &str); 5] = [
    ("released-glas", include_str!("profiles/released-glas.toml")),
    ("paper-glas", include_str!("profiles/paper-glas.toml")),
    ("released-camelyon", include_str!("profiles/released-camelyon.toml")),
    ("paper-camelyon", include_str!("profiles/paper-camelyon.toml")),
    ("demo", include_str!("profiles/demo.toml")),
];

/// Name and text of those that say only what they change in one of the above (`extends`).
const VARIANTS: [(&str, &str); 7] = [
    ("histomask", include_str!("profiles/histomask.toml")),
    ("baseline-glas", include_str!("profiles/baseline-glas.toml")),
    ("pn-erase-glas", include_str!("profiles/pn-erase-glas.toml")),
    ("u-net-glas", include_str!("profiles/u-net-glas.toml")),
    ("baseline-camelyon", include_str!("profiles/baseline-camelyon.toml")),
    ("pn-erase-camelyon", include_str!("profiles/pn-erase-camelyon.toml")),
    ("u-net-camelyon", include_str!("profiles/u-net-camelyon.toml")),
];

impl Profile {
    /// The profile used when none is named, and the one a file extends when it does not say.
    pub const DEFAULT: &'static str = SHIPPED[0].0;

    /// Names of the profiles that are part of the program.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        SHIPPED.iter().chain(&VARIANTS).map(|(name, _)| *name).collect()
    }
}

/// The partial text of a shipped profile that changes another, if `name` is one.
pub(super) fn variant(name: &str) -> Option<&'static str> {
    VARIANTS.iter().find(|(variant, _)| *variant == name).map(|(_, text)| *text)
}

/// The commented text of a complete shipped profile, if `name` is one.
pub(super) fn text(name: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|(shipped, _)| *shipped == name).map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use histomask_core::config::{BackgroundTerm, LossConfig, MapSource, MinMax, ModelConfig};

    use super::*;
    use crate::augment::InputConfig;
    use crate::data::DataConfig;

    #[test]
    fn every_shipped_profile_is_valid_and_bears_its_name() {
        for name in Profile::names() {
            let profile = Profile::named(name).unwrap();
            assert_eq!(profile.name, name);
            profile.validate().unwrap();
        }
    }

    #[test]
    fn the_default_profile_holds_the_default_values_of_the_code() {
        let profile = Profile::named(Profile::DEFAULT).unwrap();
        assert_eq!(profile.model, ModelConfig::default());
        assert_eq!(profile.loss, LossConfig::default());
        assert_eq!(profile.input, InputConfig::default());
        assert_eq!(profile.data, DataConfig::default());
    }

    #[test]
    fn paper_and_code_differ_where_the_specification_says_so() {
        let [paper_glas, released_camelyon, paper_camelyon] =
            ["paper-glas", "released-camelyon", "paper-camelyon"].map(|name| Profile::named(name).unwrap());
        // D4, D6, D11
        assert_eq!(paper_glas.model.mask.min_max, MinMax::None);
        assert_eq!(paper_glas.model.mask.classifier_scale, 1.0);
        assert_eq!((paper_glas.input.size, paper_glas.input.crop), (416, 416));
        // D15, D16
        assert_eq!(released_camelyon.model.mask.source, MapSource::PullHead);
        assert_eq!(released_camelyon.loss.background, BackgroundTerm::None);
        // D18, D19, D20
        let loss = &paper_camelyon.loss;
        assert_eq!((loss.t, loss.t_factor, loss.t_max), (10.0, 1.1, 30.0));
        assert_eq!((paper_camelyon.train.batch_size, paper_camelyon.train.head_learning_rate_factor), (8, 10.0));
    }
}
