//! Which values make sense: the range of each number, as its comment says it, and what two settings must agree on.

use std::ops::RangeBounds as _;

use histomask_core::MethodKind;
use histomask_core::config::{BackgroundTerm, ClassFrom};
use toml::Value;

use super::key::{KEYS, Key};
use super::{Origin, Profile, ProfileError, Selection};
use crate::augment::ResizeRule;

/// What is wrong with a profile.
struct Violation {
    /// The settings involved; each of them could be changed.
    keys: Vec<&'static str>,
    /// What is allowed.
    reason: String,
}

impl Profile {
    /// Checks every number's range and what settings must agree on. Profiles from [`Profile::named`],
    /// [`Profile::from_file`] and [`super::Overrides`] have passed this already.
    ///
    /// # Errors
    /// [`ProfileError::Value`] naming the first bad setting and what it may be; [`ProfileError::NotToml`] when a whole
    /// number exceeds TOML's range.
    pub fn validate(&self) -> Result<(), ProfileError> {
        self.validate_given(&[])
    }

    /// [`Profile::validate`] with errors that name where the setting was given.
    pub(super) fn validate_given(&self, given: &[(&'static Key, Origin)]) -> Result<(), ProfileError> {
        let values = self.to_table()?;
        let Some(Violation { keys, reason }) = out_of_range(&values).or_else(|| self.disagreement()) else {
            return Ok(());
        };
        // of the settings involved, talk about the one that was given
        let blamed = keys.iter().find_map(|path| given.iter().rev().find(|(key, _)| key.path == *path));
        let key = blamed.map_or_else(|| keys.first().copied().unwrap_or_default(), |(key, _)| &key.path);
        let origin = blamed.map_or_else(|| Origin::Profile(self.name.clone()), |(_, origin)| origin.clone());
        let value = lookup(&values, key).map_or_else(String::new, Value::to_string);
        Err(ProfileError::Value { origin, key: key.to_owned(), value, reason })
    }

    fn disagreement(&self) -> Option<Violation> {
        let (mask, loss, train, input, data) = (&self.model.mask, &self.loss, &self.train, &self.input, &self.data);
        let resizes = input.resize != ResizeRule::None;
        let max_min = self.model.method == MethodKind::MaxMin;
        let full_image = max_min && self.model.class_from == ClassFrom::FullImage;
        let from_masks = self.model.method.learns_from_masks();
        let masked_terms = loss.foreground_weight > 0.0 || loss.background != BackgroundTerm::None;
        let names = &data.class_names;
        let twice = names.iter().enumerate().any(|(i, name)| names.iter().skip(i + 1).any(|other| other == name));
        [
            (self.name.trim().is_empty(), &["name"][..], "give a name".to_owned()),
            (self.weights.trim().is_empty(), &["weights"], "give embedded, none, or the path of a weights file".into()),
            (
                mask.sigma > mask.sigma_max,
                &["model.mask.sigma", "model.mask.sigma_max"],
                format!("sigma ({}) must not exceed sigma_max ({})", mask.sigma, mask.sigma_max),
            ),
            (
                loss.t > loss.t_max,
                &["loss.t", "loss.t_max"],
                format!("t ({}) must not exceed t_max ({})", loss.t, loss.t_max),
            ),
            (
                full_image && masked_terms,
                &["model.class_from", "loss.foreground_weight", "loss.background"],
                "with class_from full-image the masked images are not classified: set loss.foreground_weight to 0 and \
                 loss.background to none"
                    .into(),
            ),
            (
                self.evaluation.selection == if from_masks { Selection::ClassAccuracy } else { Selection::PixelLoss },
                &["model.method", "evaluation.selection"],
                "u-net, which learns from masks and names no class, is selected by pixel-loss; all other methods by \
                 class-accuracy, as they never see a mask; both may keep the last epoch"
                    .into(),
            ),
            (
                train.nesterov && train.momentum == 0.0,
                &["train.momentum", "train.nesterov"],
                "Nesterov's form needs a momentum above 0".into(),
            ),
            (
                train.tissue && !max_min,
                &["train.tissue", "model.method"],
                "max-min alone learns a mask that can be kept off glass; for the masks of any method in use there is \
                 model.mask.tissue"
                    .into(),
            ),
            (
                train.learning_rate.floor > train.learning_rate.initial,
                &["train.learning_rate.floor", "train.learning_rate.initial"],
                "the floor must not exceed the initial learning rate".into(),
            ),
            (
                resizes && input.crop > input.size,
                &["input.crop", "input.size"],
                format!("crop ({}) must not exceed size ({})", input.crop, input.size),
            ),
            (
                data.valid_fraction + data.test_fraction >= 1.0,
                &["data.valid_fraction", "data.test_fraction"],
                "together the two fractions must stay below 1, or nothing is left to train on".into(),
            ),
            (twice, &["data.class_names"], "no name may be listed twice".into()),
        ]
        .into_iter()
        .find(|(wrong, ..)| *wrong)
        .map(|(_, keys, reason)| Violation { keys: keys.to_vec(), reason })
    }
}

fn out_of_range(values: &toml::Table) -> Option<Violation> {
    KEYS.iter().find_map(|key| {
        let value = lookup(values, &key.path)?;
        let numbers = value.as_array().map_or_else(|| vec![number(value)], |items| items.iter().map(number).collect());
        let fine = |number: f64| number.is_finite() && key.range.bounds.contains(&number);
        let wrong = numbers.into_iter().flatten().any(|number| !fine(number));
        wrong.then(|| Violation { keys: vec![&key.path], reason: format!("give {}", key.wanted()) })
    })
}

fn number(value: &Value) -> Option<f64> {
    value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64))
}

/// The value at a dotted path.
pub(super) fn lookup<'a>(values: &'a toml::Table, path: &str) -> Option<&'a Value> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let value = values.get(first)?;
    rest.map_or(Some(value), |rest| lookup(value.as_table()?, rest))
}

/// [`lookup`], to change it.
pub(super) fn lookup_mut<'a>(values: &'a mut toml::Table, path: &str) -> Option<&'a mut Value> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let value = values.get_mut(first)?;
    match rest {
        None => Some(value),
        Some(rest) => lookup_mut(value.as_table_mut()?, rest),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use std::ops::Bound::{Included, Unbounded};

    use histomask_core::card::MOST_ROUNDS;

    use super::*;

    #[test]
    fn every_range_that_a_comment_has_is_read() {
        let ranged: Vec<_> = KEYS.iter().filter(|key| !key.range.words.is_empty()).collect();
        assert_eq!(ranged.len(), 56);
        assert!(ranged.iter().all(|key| key.range.bounds.0 != Unbounded), "{ranged:?}");
        let most = KEYS.iter().find(|key| key.path == "model.erase.rounds").unwrap();
        assert_eq!(most.range.bounds, (Included(1.0), Included(MOST_ROUNDS as f64)), "what a card may say");
    }

    #[test]
    fn numbers_out_of_range_are_named_with_what_is_allowed() {
        let profile = Profile::default();
        let message = |change: fn(&mut Profile)| {
            let mut profile = profile.clone();
            change(&mut profile);
            profile.validate().unwrap_err().to_string()
        };
        assert_eq!(
            message(|profile| profile.model.pooling.kmax = 0.0),
            "profile `released-glas`: `model.pooling.kmax` cannot be 0.0; give a number above 0 and at most 1"
        );
        assert!(message(|profile| profile.model.pooling.dropout = 1.0).ends_with("at least 0 and below 1"));
        assert!(message(|profile| profile.model.mask.sigma = f64::NAN).contains("model.mask.sigma"));
        assert!(message(|profile| profile.input.std[1] = 0.0).contains("[0.5, 0.0, 0.5]"));
        assert!(message(|profile| profile.train.epochs = 0).ends_with("give a whole number at least 1"));
        assert!(message(|profile| profile.data.fold = 5).ends_with("at least 0 and at most 4"));
        assert!(message(|profile| profile.train.seed = u64::MAX).contains("9223372036854775807"));
    }

    #[test]
    fn settings_that_contradict_each_other_are_refused() {
        let profile = Profile::default();
        let refused = |change: fn(&mut Profile)| {
            let mut profile = profile.clone();
            change(&mut profile);
            profile.validate().unwrap_err().to_string()
        };
        assert!(refused(|profile| profile.model.mask.sigma = 0.3).contains("must not exceed sigma_max (0.2)"));
        let cam = |profile: &mut Profile| (profile.model.method, profile.train.tissue) = (MethodKind::CamAvg, true);
        assert!(refused(cam).contains("model.mask.tissue"));
        assert!(refused(|profile| profile.input.crop = 433).contains("must not exceed size (432)"));
        assert!(refused(|profile| profile.model.class_from = ClassFrom::FullImage).contains("foreground_weight to 0"));
        assert!(refused(|profile| profile.data.class_names = vec!["a".into(), "a".into()]).contains("twice"));
    }
}
