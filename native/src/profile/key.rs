//! The settings that exist, read from the text of the default profile: path, kind, default and comment.

use std::sync::LazyLock;

use toml_edit::{DocumentMut, Item, Table};

use super::kind::Kind;
use super::range::Range;
use super::shipped::COMPLETE;

/// All settings in the order of the file.
pub(super) static KEYS: LazyLock<Vec<Key>> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the text is part of the program and every test parses it")]
    let document: DocumentMut = COMPLETE.parse().expect("the default profile is TOML");
    let mut keys = Vec::new();
    collect(document.as_table(), "", &mut keys);
    keys
});

/// One setting.
#[derive(Debug)]
pub(super) struct Key {
    /// Dotted path, `loss.background_weight`.
    pub(super) path: String,
    /// What kind of value it takes.
    pub(super) kind: Kind,
    /// Its value in the default profile, as TOML.
    pub(super) default: String,
    /// The comment above it, without the range.
    pub(super) help: String,
    /// The values it may take.
    pub(super) range: Range,
}

impl Key {
    /// The setting of exactly this path.
    pub(super) fn find(path: &str) -> Option<&'static Self> {
        KEYS.iter().find(|key| key.path == path)
    }

    /// The flag's name without its dashes: `loss.background-weight`.
    pub(super) fn flag(&self) -> String {
        self.path.replace('_', "-")
    }

    /// What to give, for messages.
    pub(super) fn wanted(&self) -> String {
        [self.kind.wanted(), &self.range.words].join(" ").trim().to_owned()
    }

    /// The table it stands in; empty at the top.
    pub(super) fn table(&self) -> &str {
        self.path.rsplit_once('.').map_or("", |(table, _)| table)
    }
}

/// The setting whose path is most like `wanted`.
pub(super) fn nearest_key(wanted: &str) -> &'static Key {
    let most = KEYS.iter().max_by(|a, b| likeness(wanted, &a.path).total_cmp(&likeness(wanted, &b.path)));
    most.unwrap_or(&KEYS[0])
}

/// How much `wanted` is like a setting's path, from 0 to 1: like the whole of it, or like its last part (a setting
/// given in the wrong table). Dashes count as underscores.
pub(super) fn likeness(wanted: &str, path: &str) -> f64 {
    let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
    let wanted = wanted.replace('-', "_");
    let whole = strsim::normalized_damerau_levenshtein(&wanted, path);
    whole.max(0.9 * strsim::normalized_damerau_levenshtein(&last(&wanted), &last(path)) + 0.1 * whole)
}

fn collect(table: &Table, path: &str, keys: &mut Vec<Key>) {
    for (name, item) in table {
        let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        match item {
            Item::Table(inner) => collect(inner, &path, keys),
            Item::Value(value) => {
                let comment = comment(table, name);
                let (help, range) = Range::split(&comment);
                let default = value.to_string().trim().to_owned();
                keys.push(Key { path, kind: Kind::of(value), default, help: help.to_owned(), range });
            }
            Item::None | Item::ArrayOfTables(_) => {}
        }
    }
}

/// The comment lines right above a setting, as one line.
fn comment(table: &Table, name: &str) -> String {
    let above = table.key(name).and_then(|key| key.leaf_decor().prefix()).and_then(|prefix| prefix.as_str());
    let lines = above.unwrap_or_default().rsplit("\n\n").next().unwrap_or_default().lines();
    lines.map(|line| line.trim_start_matches('#').trim()).collect::<Vec<_>>().join(" ").trim().to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use toml::Value;

    use super::*;
    use crate::profile::Profile;
    use crate::profile::shipped::{PRINTED, text};

    #[test]
    fn each_setting_has_its_kind_default_and_comment() {
        let key = Key::find("loss.background_weight").unwrap();
        assert_eq!((key.kind, key.default.as_str(), key.table()), (Kind::Number, "1e-7", "loss"));
        assert!(key.help.starts_with("Lambda"), "{}", key.help);
        assert_eq!(key.flag(), "loss.background-weight");
        for key in KEYS.iter() {
            assert!(key.help.len() > 20, "{} has no comment", key.path);
        }
        assert_eq!(KEYS[0].help, "Name of the profile; it is written into the model card and names the run.");
    }

    #[test]
    fn all_shipped_profiles_have_the_same_settings_all_commented() {
        for name in PRINTED {
            let document: DocumentMut = text(name).unwrap().parse().unwrap();
            let mut keys = Vec::new();
            collect(document.as_table(), "", &mut keys);
            assert!(keys.iter().map(|key| &key.path).eq(KEYS.iter().map(|key| &key.path)), "{name}");
            assert!(keys.iter().zip(KEYS.iter()).all(|(key, other)| key.kind == other.kind), "{name}");
            assert!(keys.iter().all(|key| !key.help.is_empty()), "{name}");
        }
    }

    #[test]
    fn comments_name_every_choice() {
        let profile = Profile::default();
        for key in KEYS.iter().filter(|key| key.kind == Kind::Text) {
            // an enumeration refuses a nonsense value by listing its variants between backticks
            let Err((_, reason)) = profile.with(key, Value::String("?".into())) else { continue };
            for choice in reason.split('`').skip(3).step_by(2) {
                assert!(key.help.contains(choice), "the comment of {} lacks {choice}", key.path);
            }
        }
    }

    #[test]
    fn typing_errors_lead_to_the_nearest_setting() {
        for (typed, meant) in [
            ("loss.backgrund_weight", "loss.background_weight"),
            ("background_weight", "loss.background_weight"),
            ("train.background-weight", "loss.background_weight"),
            ("train.learning_rate.intial", "train.learning_rate.initial"),
            ("los.t", "loss.t"),
            ("train.seeds", "train.seed"),
            ("data.sed", "data.seed"),
            ("sigma", "model.mask.sigma"),
        ] {
            assert_eq!(nearest_key(typed).path, meant);
        }
    }
}
