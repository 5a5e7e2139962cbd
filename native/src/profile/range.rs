//! Which values make sense: the range of each number, and what two settings must agree on.

use std::ops::Bound::{self, Excluded, Included, Unbounded};
use std::ops::RangeBounds;

use histomask_core::MethodKind;
use histomask_core::card::MOST_ROUNDS;
use histomask_core::config::{BackgroundTerm, ClassFrom};
use toml::Value;

use super::key::{KEYS, Key};
use super::{Origin, Profile, ProfileError, Selection};
use crate::augment::ResizeRule;

/// The values a number may take.
type Range = (Bound<f64>, Bound<f64>);

const POSITIVE: Range = (Excluded(0.0), Unbounded);
const NOT_NEGATIVE: Range = (Included(0.0), Unbounded);
const AT_LEAST_ONE: Range = (Included(1.0), Unbounded);
/// A probability or share that may be 0 but not 1.
const BELOW_ONE: Range = (Included(0.0), Excluded(1.0));
/// A share that may be 1 but not 0.
const UP_TO_ONE: Range = (Excluded(0.0), Included(1.0));

/// Ranges by path; a number that is not listed may be any finite one.
const RANGES: &[(&str, Range)] = &[
    ("model.backbone_blocks", (Included(0.0), Included(16.0))),
    ("model.backbone_channels", (Included(0.0), Included(4096.0))),
    ("model.pooling.modalities", AT_LEAST_ONE),
    ("model.pooling.kmax", UP_TO_ONE),
    ("model.pooling.kmin", (Included(0.0), Included(1.0))),
    ("model.pooling.alpha", NOT_NEGATIVE),
    ("model.pooling.dropout", BELOW_ONE),
    ("model.erase.threshold", UP_TO_ONE),
    ("model.erase.rounds", (Included(1.0), Included(MOST_ROUNDS as f64))),
    ("model.erase.round_epochs", AT_LEAST_ONE),
    ("model.mask.omega", POSITIVE),
    ("model.mask.sigma_step", NOT_NEGATIVE),
    ("model.mask.classifier_scale", UP_TO_ONE),
    ("model.mask.prior", (Included(0.0), Included(1.0))),
    ("loss.full_weight", NOT_NEGATIVE),
    ("loss.foreground_weight", NOT_NEGATIVE),
    ("loss.background_weight", NOT_NEGATIVE),
    ("loss.t", POSITIVE),
    ("loss.t_factor", AT_LEAST_ONE),
    ("loss.t_max", POSITIVE),
    ("loss.normal_empty_weight", NOT_NEGATIVE),
    ("loss.size_penalty_weight", NOT_NEGATIVE),
    ("train.epochs", AT_LEAST_ONE),
    ("train.batch_size", AT_LEAST_ONE),
    ("train.seed", NOT_NEGATIVE),
    ("train.momentum", BELOW_ONE),
    ("train.weight_decay", NOT_NEGATIVE),
    ("train.head_learning_rate_factor", POSITIVE),
    ("train.average", BELOW_ONE),
    ("train.workers", AT_LEAST_ONE),
    ("train.save_minutes", NOT_NEGATIVE),
    ("train.learning_rate.initial", POSITIVE),
    ("train.learning_rate.step_epochs", AT_LEAST_ONE),
    ("train.learning_rate.gamma", UP_TO_ONE),
    ("train.learning_rate.floor", NOT_NEGATIVE),
    // 32 pixels are one cell of the backbones' last map
    ("input.size", (Included(32.0), Included(8192.0))),
    ("input.crop", (Included(32.0), Included(8192.0))),
    ("input.std", POSITIVE),
    ("input.brightness", NOT_NEGATIVE),
    ("input.contrast", NOT_NEGATIVE),
    ("input.saturation", NOT_NEGATIVE),
    ("input.hue", (Included(0.0), Included(0.5))),
    ("input.stain", BELOW_ONE),
    ("input.zoom", (Included(1.0), Included(4.0))),
    ("data.fold", (Included(0.0), Included(4.0))),
    ("data.valid_fraction", BELOW_ONE),
    ("data.test_fraction", BELOW_ONE),
    ("data.seed", NOT_NEGATIVE),
    ("evaluation.threshold", (Excluded(0.0), Excluded(1.0))),
];

/// What is wrong with a profile.
struct Violation {
    /// The settings involved; each of them could be changed.
    keys: Vec<&'static str>,
    /// What is allowed.
    reason: String,
}

impl Profile {
    /// Checks every number's range and what settings must agree on. Profiles from [`Profile::named`],
    /// [`Profile::from_file`] and [`super::apply`] have passed this already.
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

/// The range of a setting in words, empty when any value goes.
pub(super) fn allowed(path: &str) -> String {
    let Some((_, (low, high))) = RANGES.iter().find(|(listed, _)| *listed == path) else { return String::new() };
    let low = match low {
        Included(low) => format!("at least {low}"),
        Excluded(low) => format!("above {low}"),
        Unbounded => String::new(),
    };
    let high = match high {
        Included(high) => format!("at most {high}"),
        Excluded(high) => format!("below {high}"),
        Unbounded => String::new(),
    };
    [low, high].into_iter().filter(|side| !side.is_empty()).collect::<Vec<_>>().join(" and ")
}

fn out_of_range(values: &toml::Table) -> Option<Violation> {
    KEYS.iter().find_map(|key| {
        let range =
            RANGES.iter().find(|(path, _)| *path == key.path).map_or((Unbounded, Unbounded), |(_, range)| *range);
        let value = lookup(values, &key.path)?;
        let numbers = value.as_array().map_or_else(|| vec![number(value)], |items| items.iter().map(number).collect());
        let wrong = numbers.into_iter().flatten().any(|number| !number.is_finite() || !range.contains(&number));
        let wanted = [key.kind.wanted(), &allowed(&key.path)].join(" ");
        wrong.then(|| Violation { keys: vec![&key.path], reason: format!("give {}", wanted.trim()) })
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

    use super::*;

    #[test]
    fn every_range_belongs_to_a_setting() {
        for (path, _) in RANGES {
            assert!(Key::find(path).is_some(), "{path}");
        }
    }

    #[test]
    fn numbers_out_of_range_are_named_with_what_is_allowed() {
        let profile = Profile::named(Profile::DEFAULT).unwrap();
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
        let profile = Profile::named(Profile::DEFAULT).unwrap();
        let refused = |change: fn(&mut Profile)| {
            let mut profile = profile.clone();
            change(&mut profile);
            profile.validate().unwrap_err().to_string()
        };
        assert!(refused(|profile| profile.model.mask.sigma = 0.3).contains("must not exceed sigma_max (0.2)"));
        assert!(refused(|profile| profile.input.crop = 433).contains("must not exceed size (432)"));
        assert!(refused(|profile| profile.model.class_from = ClassFrom::FullImage).contains("foreground_weight to 0"));
        assert!(refused(|profile| profile.data.class_names = vec!["a".into(), "a".into()]).contains("twice"));
    }
}
