//! From a name or a file to a checked profile.

use std::path::Path;

use serde::Deserialize;
use toml::{Table, Value};
use toml_edit::{ImDocument, TableLike};

use super::check::lookup_mut;
use super::key::{KEYS, Key, nearest_key};
use super::kind::Kind;
use super::shipped::variant;
use super::{Origin, Profile, ProfileError};

/// The one key of a profile file that is no setting: the shipped profile that the file changes.
const EXTENDS: &str = "extends";

impl Profile {
    /// The shipped profile of this name.
    ///
    /// # Errors
    /// [`ProfileError::UnknownProfile`], naming the nearest of [`Profile::names`].
    pub fn named(name: &str) -> Result<Self, ProfileError> {
        match variant(name) {
            Some(partial) => Self::from_text(Path::new(name), partial),
            None if name == Self::DEFAULT => Ok(Self::default()),
            None => Err(unknown_profile(name)),
        }
    }

    /// Reads a profile file. It may be partial: `extends = "paper-glas"` says which shipped profile gives the settings
    /// that the file leaves out ([`Profile::DEFAULT`] when it does not say). A file without `name` is named after itself.
    ///
    /// # Errors
    /// A file that is missing, no TOML, or has an unknown setting or a bad value; file, line and setting are named.
    pub fn from_file(path: &Path) -> Result<Self, ProfileError> {
        let text = std::fs::read_to_string(path).map_err(|reason| ProfileError::Read { path: path.into(), reason })?;
        Self::from_text(path, &text)
    }

    /// [`Profile::from_file`] of a text; `path` is what messages call it.
    fn from_text(path: &Path, text: &str) -> Result<Self, ProfileError> {
        let document = ImDocument::parse(text)
            .map_err(|error| ProfileError::Syntax { path: path.into(), reason: error.to_string() })?;
        // the same text once more: `document` knows the lines, `values` the plain values
        let values: Table = toml::from_str(text)
            .map_err(|error| ProfileError::Syntax { path: path.into(), reason: error.to_string() })?;
        let file = File { path, text };

        let mut profile = match values.get(EXTENDS) {
            None => Self::default(),
            Some(value) => Self::extended(value, file.line(document.as_table(), EXTENDS))?,
        };
        profile.name = path.file_stem().map_or(profile.name, |stem| stem.to_string_lossy().into_owned());
        let mut given = Vec::new();
        for (key, value, origin) in file.settings(document.as_table(), &values, "")? {
            profile = profile.with_given(key, value, &origin)?;
            given.push((key, origin));
        }
        profile.validate_given(&given)?;
        Ok(profile)
    }

    /// A shipped profile by its name, or else a profile file by its path.
    ///
    /// # Errors
    /// As [`Profile::named`] and [`Profile::from_file`].
    pub fn resolve(name_or_path: &str) -> Result<Self, ProfileError> {
        let path = Path::new(name_or_path);
        let names_a_file = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
        if !Self::names().contains(&name_or_path) && (names_a_file || path.is_file()) {
            Self::from_file(path)
        } else {
            Self::named(name_or_path)
        }
    }

    fn extended(value: &Value, origin: Origin) -> Result<Self, ProfileError> {
        value.as_str().and_then(|name| Self::named(name).ok()).ok_or_else(|| ProfileError::Value {
            origin,
            key: EXTENDS.to_owned(),
            value: value.to_string(),
            reason: format!("give one of {}", Self::names().join(", ")),
        })
    }

    /// The profile with one setting changed; the error is the refused value and what is allowed.
    /// Ranges are left to [`Profile::validate`].
    pub(super) fn with(&self, key: &Key, value: Value) -> Result<Self, (String, String)> {
        let shown = value.to_string();
        if !key.kind.accepts(&value) {
            return Err((shown, format!("give {}", key.wanted())));
        }
        let changed = || {
            let mut values = self.to_table().map_err(|error| error.to_string())?;
            if let Some(place) = lookup_mut(&mut values, &key.path) {
                *place = value;
            }
            Self::deserialize(values).map_err(|error| error.message().to_owned())
        };
        // of a text, the words that go; of a number, only what Rust calls its type
        let told = |reason| if key.kind == Kind::Text { reason } else { format!("give {}", key.wanted()) };
        changed().map_err(|reason| (shown, told(reason)))
    }

    /// [`Profile::with`], its error naming where the setting was given.
    pub(super) fn with_given(&self, key: &Key, value: Value, origin: &Origin) -> Result<Self, ProfileError> {
        self.with(key, value).map_err(|(value, reason)| ProfileError::Value {
            origin: origin.clone(),
            key: key.path.clone(),
            value,
            reason,
        })
    }

    /// All settings as a TOML table.
    pub(super) fn to_table(&self) -> Result<Table, ProfileError> {
        Table::try_from(self)
            .map_err(|error| ProfileError::NotToml { name: self.name.clone(), reason: error.to_string() })
    }
}

fn unknown_profile(name: &str) -> ProfileError {
    let likeness = |known: &&str| strsim::normalized_damerau_levenshtein(name, known);
    let nearest = Profile::names().into_iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    ProfileError::UnknownProfile {
        name: name.to_owned(),
        nearest: nearest.unwrap_or(Profile::DEFAULT),
        known: Profile::names().join(", "),
    }
}

/// A profile file, for messages that name its lines.
struct File<'a> {
    path: &'a Path,
    text: &'a str,
}

impl File<'_> {
    /// The settings of one of its tables, in the order of the file; `prefix` is the table's path with a dot behind it.
    fn settings(
        &self,
        table: &dyn TableLike,
        values: &Table,
        prefix: &str,
    ) -> Result<Vec<(&'static Key, Value, Origin)>, ProfileError> {
        let mut found = Vec::new();
        for (name, item) in table.iter().filter(|(name, _)| !(prefix.is_empty() && *name == EXTENDS)) {
            let origin = self.line(table, name);
            let path = format!("{prefix}{name}");
            let inside = format!("{path}.");
            let value = values.get(name);
            if let (Some(key), Some(value)) = (Key::find(&path), value) {
                found.push((key, value.clone(), origin));
            } else if !KEYS.iter().any(|key| key.path.starts_with(&inside)) {
                // in a misspelt table the first setting shows best what was meant
                let first =
                    item.as_table_like().and_then(|table| table.iter().next().map(|(first, _)| first.to_owned()));
                let key = first.map_or(path, |first| inside + &first);
                return Err(ProfileError::UnknownKey { origin, nearest: nearest_key(&key).path.clone(), key });
            } else if let (Some(inner), Some(Value::Table(values))) = (item.as_table_like(), value) {
                found.extend(self.settings(inner, values, &inside)?);
            } else {
                let reason = format!("it is a table: write [{path}] with its settings below");
                let value = item.to_string().trim().to_owned();
                return Err(ProfileError::Value { origin, key: path, value, reason });
            }
        }
        Ok(found)
    }

    /// The line of a key, or line 1 when the parser did not keep it.
    fn line(&self, table: &dyn TableLike, name: &str) -> Origin {
        let start = table.key(name).and_then(toml_edit::Key::span).map_or(0, |span| span.start);
        let above = self.text.bytes().take(start).filter(|byte| *byte == b'\n').count();
        Origin::Line(self.path.to_owned(), above + 1)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    /// Reads `text` as the file `mine.toml`; the folder's name is taken out of messages.
    fn read(text: &str) -> Result<Profile, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        std::fs::write(&path, text).unwrap();
        Profile::from_file(&path)
            .map_err(|error| error.to_string().replace(&format!("{}", folder.path().join("").display()), ""))
    }

    #[test]
    fn a_file_changes_only_what_it_names() {
        let profile = read("extends = \"paper-camelyon\"\n[loss]\nt = 12\n[model]\nmask.omega = 8\n").unwrap();
        let mut expected = Profile::named("paper-camelyon").unwrap();
        expected.name = "mine".into();
        expected.loss.t = 12.0;
        expected.model.mask.omega = 8.0;
        assert_eq!(profile, expected);
        assert_eq!(read("name = \"other\"").unwrap().name, "other");
        assert_eq!(read("").unwrap().loss, Profile::named("released-glas").unwrap().loss);
    }

    #[test]
    fn unknown_settings_are_named_with_file_line_and_nearest() {
        let expected = "mine.toml, line 3: there is no setting `loss.backgroud_weight`; \
                        did you mean `loss.background_weight`?";
        assert_eq!(read("# mine\n[loss]\nbackgroud_weight = 1\n").unwrap_err(), expected);
        assert!(
            read("[los]\nt = 2\n")
                .unwrap_err()
                .contains("mine.toml, line 1: there is no setting `los.t`; did you mean `loss.t`")
        );
        assert!(read("[whatever]\n").unwrap_err().contains("there is no setting `whatever`"));
        assert!(read("[[loss]]\nt = 1\n").unwrap_err().contains("it is a table: write [loss]"));
        assert!(read("loss = 3").unwrap_err().contains("`loss` cannot be 3; it is a table: write [loss]"));
    }

    #[test]
    fn bad_values_are_named_with_what_is_allowed() {
        for (text, expected) in [
            ("[loss]\nt = \"a\"", "mine.toml, line 2: `loss.t` cannot be \"a\"; give a number above 0"),
            ("[loss]\n\nt = -1.0", "mine.toml, line 3: `loss.t` cannot be -1.0; give a number above 0"),
            (
                "[train]\nepochs = 2.5",
                "mine.toml, line 2: `train.epochs` cannot be 2.5; give a whole number at least 1",
            ),
            ("train.nesterov = 1", "mine.toml, line 1: `train.nesterov` cannot be 1; give true or false"),
            ("extends = \"papr\"", "mine.toml, line 1: `extends` cannot be \"papr\"; give one of released-glas, "),
        ] {
            let message = read(text).unwrap_err();
            assert!(message.starts_with(expected), "{message}");
        }
        for (text, choices) in [
            ("[loss]\nbackground = \"semm\"", "expected one of `eem`, `sem`, `reversal`, `none`"),
            ("[input]\nmean = [0.5, 0.5]", "give three numbers"),
            ("[train]\nseed = -1", "`train.seed` cannot be -1"),
            ("[loss]\nt = 3\nt = 4", "mine.toml: not valid TOML"),
        ] {
            let message = read(text).unwrap_err();
            assert!(message.contains(choices), "{message}");
        }
    }

    #[test]
    fn a_contradiction_is_blamed_on_the_line_that_made_it() {
        let message = read("[model.mask]\nsigma = 0.3\n").unwrap_err();
        assert!(message.starts_with("mine.toml, line 2: `model.mask.sigma` cannot be 0.3;"), "{message}");
        assert!(read("[model.mask]\nsigma = 0.3\nsigma_max = 0.3\n").is_ok());
    }

    #[test]
    fn a_mistyped_profile_name_leads_to_the_nearest() {
        let message = Profile::resolve("relased-glas").unwrap_err().to_string();
        assert!(
            message.contains("did you mean `released-glas`?") && message.contains("paper-camelyon, demo"),
            "{message}"
        );
        let message = Profile::resolve("no/such/file.toml").unwrap_err().to_string();
        assert!(message.starts_with("no/such/file.toml: cannot read this profile"), "{message}");
        assert_eq!(Profile::resolve("demo").unwrap().name, "demo");
    }
}
