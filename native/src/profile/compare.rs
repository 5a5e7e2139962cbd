//! What two profiles differ in.

use toml::Table;

use super::Profile;
use super::check::lookup;
use super::key::{KEYS, Key};

impl Profile {
    /// Dotted paths of the settings whose value is another one in `text`, a profile that [`Profile::to_toml`] wrote. A
    /// setting that `text` lacks differs; all do when it is not TOML.
    #[must_use]
    pub fn differing_keys(&self, text: &str) -> Vec<String> {
        let (ours, theirs) = (self.to_table().unwrap_or_default(), toml::from_str(text).unwrap_or_default());
        differing(&ours, &theirs).map(|key| key.path.clone()).collect()
    }
}

/// The settings whose values differ.
pub(super) fn differing(ours: &Table, theirs: &Table) -> impl Iterator<Item = &'static Key> {
    KEYS.iter().filter(|key| lookup(ours, &key.path) != lookup(theirs, &key.path))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn only_changed_settings_differ() {
        let profile = Profile::default();
        let mut changed = profile.clone();
        changed.train.epochs = 3;
        changed.train.learning_rate.gamma = 0.5;
        let text = changed.to_toml().unwrap();
        assert_eq!(profile.differing_keys(&text), ["train.epochs", "train.learning_rate.gamma"]);
        assert!(changed.differing_keys(&text).is_empty());
        assert_eq!(profile.differing_keys("[").len(), KEYS.len());
    }
}
