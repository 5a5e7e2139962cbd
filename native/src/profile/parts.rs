//! Settings given in parts of another file: those of a study, for all its variants and for one.

use serde::Deserialize as _;
use toml::{Table, Value};

use super::check::{lookup, lookup_mut};
use super::compare::differing;
use super::key::{Key, nearest_key};
use super::{Origin, Profile, ProfileError};

impl Profile {
    /// The profile with the settings of all parts, later ones over earlier ones, checked as a whole. A setting's path
    /// may be one quoted key (`"loss.t" = 2`) or tables (`loss.t = 2`). `refused` holds settings that have another place
    /// there, with what to do in place of them.
    ///
    /// # Errors
    /// As [`Profile::from_file`], naming the part.
    pub(crate) fn with_parts(
        mut self,
        parts: &[(&Table, Origin)],
        refused: &[(&str, &str)],
    ) -> Result<Self, ProfileError> {
        let mut given = Vec::new();
        for (table, origin) in parts {
            let mut found = Vec::new();
            settings(table, "", origin, &mut found)?;
            for (index, (key, value)) in found.iter().enumerate() {
                let twice = found.iter().take(index).any(|(other, _)| other.path == key.path);
                let elsewhere = refused.iter().find(|(path, _)| *path == key.path).map(|(_, reason)| *reason);
                if let Some(reason) = elsewhere.or(twice.then_some("it is given twice here: take one away")) {
                    return Err(ProfileError::Value {
                        origin: origin.clone(),
                        key: key.path.clone(),
                        value: value.to_string(),
                        reason: reason.to_owned(),
                    });
                }
                self = self.with_given(key, (*value).clone(), origin)?;
                given.push((*key, origin.clone()));
            }
        }
        self.validate_given(&given)?;
        Ok(self)
    }

    /// The profile with the default's values of these settings; paths that are no settings are passed over.
    pub(crate) fn with_defaults_of(&self, paths: &[&str]) -> Result<Self, ProfileError> {
        let (mut values, defaults) = (self.to_table()?, Self::default().to_table()?);
        for path in paths {
            if let (Some(place), Some(default)) = (lookup_mut(&mut values, path), lookup(&defaults, path)) {
                *place = default.clone();
            }
        }
        Self::deserialize(values)
            .map_err(|error| ProfileError::NotToml { name: self.name.clone(), reason: error.message().to_owned() })
    }

    /// The settings that are not the default's, as `path = value`, in the order of the profile.
    pub(crate) fn changes(&self) -> Result<Vec<String>, ProfileError> {
        let (values, defaults) = (self.to_table()?, Self::default().to_table()?);
        let line = |key: &Key| Some(format!("{} = {}", key.path, lookup(&values, &key.path)?));
        Ok(differing(&values, &defaults).filter_map(line).collect())
    }
}

/// The settings below a table whose path is `prefix`.
fn settings<'a>(
    table: &'a Table,
    prefix: &str,
    origin: &Origin,
    found: &mut Vec<(&'static Key, &'a Value)>,
) -> Result<(), ProfileError> {
    for (name, value) in table {
        let path = format!("{prefix}{name}");
        match (Key::find(&path), value) {
            (Some(key), _) => found.push((key, value)),
            (None, Value::Table(inner)) if !inner.is_empty() => settings(inner, &format!("{path}."), origin, found)?,
            (None, _) => {
                let nearest = nearest_key(&path).path.clone();
                return Err(ProfileError::UnknownKey { origin: origin.clone(), key: path, nearest });
            }
        }
    }
    Ok(())
}
