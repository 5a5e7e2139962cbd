//! A profile as a commented TOML file.

use toml::{Table, Value};
use toml_edit::{DocumentMut, Item, TomlError};

use super::check::lookup;
use super::compare::differing;
use super::shipped::{PRINTED, text};
use super::{Profile, ProfileError};

impl Profile {
    /// All settings as a TOML file with a comment above each. A shipped profile is printed as it is; of a changed one
    /// the opening comment is replaced and the changed values are put in. Reading the text back gives this profile.
    ///
    /// # Errors
    /// [`ProfileError::NotToml`] when a whole number exceeds TOML's range.
    pub fn to_toml(&self) -> Result<String, ProfileError> {
        let not_toml = |reason: String| ProfileError::NotToml { name: self.name.clone(), reason };
        let values = self.to_table()?;
        let (base, shipped_values) = nearest_shipped(&self.name, &values)?;
        let mut document: DocumentMut =
            text(base).and_then(|text| text.parse()).map_err(|error: TomlError| not_toml(error.to_string()))?;

        let mut changed = false;
        for key in differing(&values, &shipped_values) {
            let value = lookup(&values, &key.path);
            let place = key.path.split('.').try_fold(document.as_item_mut(), |item, part| item.get_mut(part));
            if let (Some(place), Some(value)) = (place, value) {
                *place = Item::Value(written(value).ok_or_else(|| not_toml(format!("{} is {value}", key.path)))?);
                changed = true;
            }
        }

        let printed = document.to_string();
        if !changed {
            return Ok(printed);
        }
        let settings = printed.split_once("\n\n").map_or(printed.as_str(), |(_, settings)| settings);
        Ok(format!(
            "# A variant of {base}: the comments tell what each setting means, the values are its own.\n\n{settings}"
        ))
    }
}

/// The complete shipped profile of this name, or else the one that shares most values with `values`; its name and its values.
fn nearest_shipped(name: &str, values: &Table) -> Result<(&'static str, Table), ProfileError> {
    let (mut best, mut fewest) = ((Profile::DEFAULT, Table::new()), usize::MAX);
    for shipped in PRINTED {
        let other = Profile::named(shipped)?.to_table()?;
        let count = if shipped == name { 0 } else { differing(values, &other).count() };
        if count < fewest {
            (best, fewest) = ((shipped, other), count);
        }
    }
    Ok(best)
}

/// The value for writing; `None` for what no setting holds (dates, tables).
fn written(value: &Value) -> Option<toml_edit::Value> {
    match value {
        Value::String(text) => Some(text.into()),
        Value::Integer(whole) => Some((*whole).into()),
        Value::Float(number) => Some((*number).into()),
        Value::Boolean(switch) => Some((*switch).into()),
        Value::Array(items) => items.iter().map(written).collect::<Option<toml_edit::Array>>().map(Into::into),
        Value::Datetime(_) | Value::Table(_) => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn shipped_profiles_are_printed_as_they_are() {
        for name in PRINTED {
            assert_eq!(Profile::named(name).unwrap().to_toml().unwrap(), text(name).unwrap());
        }
    }

    #[test]
    fn a_changed_profile_comes_back_from_its_own_print() {
        let mut profile = Profile::named("paper-glas").unwrap();
        profile.name = "a \"quoted\" name".into();
        profile.loss.background_weight = 0.1 + 0.2;
        profile.train.weight_decay = 1e-12;
        profile.train.seed = 7;
        profile.data.class_names = vec!["benign".into(), "malignant".into()];
        profile.input.mean = [0.1, 0.2, 0.3];
        let printed = profile.to_toml().unwrap();
        assert!(printed.starts_with("# A variant of paper-glas"), "{printed}");
        assert!(printed.contains("# Lambda, weight of the background term."), "{printed}");
        let comments = |text: &str| text.matches("\n# ").count();
        assert_eq!(comments(&printed), comments(&text("released-glas").unwrap()));

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        std::fs::write(&path, printed).unwrap();
        assert_eq!(Profile::from_file(&path).unwrap(), profile);
    }
}
