//! The profiles that are part of the program.

use toml_edit::{DocumentMut, Item, Table, TomlError};

use super::Profile;
use crate::augment::InputConfig;
use crate::data::DataConfig;

/// The profile that holds every setting, with its comment.
pub(super) const COMPLETE: &str = include_str!("profiles/released-glas.toml");

/// Name and text of those that say only what they change in another (`extends`).
const VARIANTS: [(&str, &str); 11] = [
    ("paper-glas", include_str!("profiles/paper-glas.toml")),
    ("released-camelyon", include_str!("profiles/released-camelyon.toml")),
    ("paper-camelyon", include_str!("profiles/paper-camelyon.toml")),
    ("demo", include_str!("profiles/demo.toml")),
    ("histomask", include_str!("profiles/histomask.toml")),
    ("baseline-glas", include_str!("profiles/baseline-glas.toml")),
    ("pn-erase-glas", include_str!("profiles/pn-erase-glas.toml")),
    ("u-net-glas", include_str!("profiles/u-net-glas.toml")),
    ("baseline-camelyon", include_str!("profiles/baseline-camelyon.toml")),
    ("pn-erase-camelyon", include_str!("profiles/pn-erase-camelyon.toml")),
    ("u-net-camelyon", include_str!("profiles/u-net-camelyon.toml")),
];

/// The profiles that others are printed as variants of.
pub(super) const PRINTED: [&str; 5] = [Profile::DEFAULT, "paper-glas", "released-camelyon", "paper-camelyon", "demo"];

impl Profile {
    /// The profile that holds every setting, and the one a file extends when it does not say.
    pub const DEFAULT: &'static str = "released-glas";
    /// What `train` uses when neither profile nor method is named; the shipped model was trained by it.
    pub const RECIPE: &'static str = "histomask";

    /// Names of the profiles that are part of the program.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        std::iter::once(Self::DEFAULT).chain(VARIANTS.iter().map(|(name, _)| *name)).collect()
    }
}

#[expect(clippy::expect_used, reason = "the text is part of the program and every test parses it")]
impl Default for Profile {
    fn default() -> Self {
        toml::from_str(COMPLETE).expect("the default profile is one")
    }
}

impl Default for InputConfig {
    fn default() -> Self {
        Profile::default().input
    }
}

impl Default for DataConfig {
    fn default() -> Self {
        Profile::default().data
    }
}

/// The partial text of a shipped profile that changes another, if `name` is one.
pub(super) fn variant(name: &str) -> Option<&'static str> {
    VARIANTS.iter().find(|(variant, _)| *variant == name).map(|(_, text)| *text)
}

/// All settings of one of [`PRINTED`] with their comments: those of the default profile, with the opening comment and
/// what the profile of this name changes put in.
pub(super) fn text(name: &str) -> Result<String, TomlError> {
    let Some(partial) = variant(name) else { return Ok(COMPLETE.to_owned()) };
    let mut document: DocumentMut = COMPLETE.parse()?;
    let changes: DocumentMut = partial.parse()?;
    put(changes.as_table(), document.as_table_mut());
    if let Some(place) = document.get_mut("name") {
        *place = toml_edit::value(name);
    }
    let (opening, printed) = (partial.split("\n\n").next().unwrap_or_default(), document.to_string());
    let settings = printed.split_once("\n\n").map_or(printed.as_str(), |(_, settings)| settings);
    Ok(format!("{opening}\n\n{settings}"))
}

/// Puts each value of `changes`, as it is written there and with its comment if it has one, in the place of ours.
fn put(changes: &Table, ours: &mut Table) {
    for (name, change) in changes {
        match (change, ours.get_mut(name)) {
            (Item::Table(inner), Some(Item::Table(place))) => put(inner, place),
            (Item::Value(value), Some(place)) => {
                *place = Item::Value(value.clone());
                let above = changes.key(name).and_then(|key| key.leaf_decor().prefix()?.as_str());
                if let (Some(comment), Some(mut key)) = (above.filter(|text| text.contains('#')), ours.key_mut(name)) {
                    key.leaf_decor_mut().set_prefix(comment);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use histomask_core::config::{BackgroundTerm, LossConfig, MapSource, MinMax, ModelConfig};

    use super::*;

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
        let profile = Profile::default();
        assert_eq!(profile.model, ModelConfig::default());
        assert_eq!(profile.loss, LossConfig::default());
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
