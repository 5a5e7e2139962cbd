//! What two profiles differ in.

use toml::Table;

use super::check::lookup;
use super::key::{KEYS, Key};
use super::{Profile, ProfileError};

impl Profile {
    /// Dotted paths of the settings whose value is another one in `text`, a profile that [`Profile::to_toml`] wrote. A
    /// setting that `text` lacks differs; all do when it is not TOML.
    #[must_use]
    pub fn differing_keys(&self, text: &str) -> Vec<String> {
        let (ours, theirs) = (self.to_table().unwrap_or_default(), toml::from_str(text).unwrap_or_default());
        differing(&ours, &theirs).map(|key| key.path.clone()).collect()
    }

    /// All settings but the name, one `path = value` a line, sorted: equal for equal values, however a file orders,
    /// writes or comments them.
    ///
    /// # Errors
    /// [`ProfileError::NotToml`].
    pub(crate) fn values(&self) -> Result<String, ProfileError> {
        let table = self.to_table()?;
        let of = |key: &Key| Some(format!("{} = {}\n", key.path, lookup(&table, &key.path)?));
        let mut lines: Vec<_> = KEYS.iter().filter(|key| key.path != "name").filter_map(of).collect();
        lines.sort();
        Ok(lines.concat())
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
    fn values_do_not_depend_on_comments_order_or_name() {
        let folder = tempfile::tempdir().unwrap();
        let read = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            Profile::from_file(&path).unwrap().values().unwrap()
        };
        let one = read("one.toml", "[train]\nepochs = 3\nseed = 1\n[loss]\nt = 6\n");
        assert_eq!(read("two.toml", "# mine\n[loss]\nt = 6.0\n[train] # few\nseed = 1\nepochs = 3\n"), one);
        assert_ne!(read("three.toml", "[train]\nepochs = 3\nseed = 2\n[loss]\nt = 6\n"), one);
        assert_eq!(one.lines().count(), KEYS.len() - 1);
    }

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
