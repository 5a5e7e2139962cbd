//! Dividing samples into splits where the data set does not do so itself.

use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;

use super::by_split::Splits;
use super::{DataConfig, DataError, Sample, Split, groups};

impl Splits {
    /// Fills the splits that are still empty from the training samples as [`DataConfig`] asks: group by group where
    /// samples have one, else class by class. Samples keep their order; without any to train on nothing is drawn.
    ///
    /// # Errors
    /// [`DataError::TooFewImages`] for a class that cannot be divided, [`DataError::TooFewGroups`] likewise,
    /// [`DataError::Setting`] for a fold that there is not.
    pub(super) fn fill_empty(self, classes: &[String], config: &DataConfig) -> Result<Self, DataError> {
        if self.train.is_empty() {
            Ok(self)
        } else if self.train.iter().any(|sample| sample.group.is_some()) {
            self.fill_by_group(classes.len(), config)
        } else {
            self.fill_by_class(classes, config)
        }
    }

    /// Draws whole groups. Of the folds that `valid_fraction` makes, `fold` is the validation split.
    fn fill_by_group(mut self, classes: usize, config: &DataConfig) -> Result<Self, DataError> {
        if self.test.is_empty() && config.test_fraction > 0.0 {
            // the same images whichever fold is validated on, and other ones than the first fold
            let seed = config.seed ^ 0x7e57_7e57;
            let (fold_of, _) = groups::deal(&self.train, classes, groups::folds_of(config.test_fraction), seed)?;
            self.draw(&fold_of, 0, Split::Test);
        }
        if self.valid.is_empty() && config.valid_fraction > 0.0 {
            let folds = groups::folds_of(config.valid_fraction);
            let (fold_of, folds) = groups::deal(&self.train, classes, folds, config.seed)?;
            if config.fold >= folds {
                let reason = format!(
                    "{} is not one of the folds 0 to {} that the groups and `valid_fraction` make",
                    config.fold,
                    folds - 1
                );
                return Err(DataError::Setting { setting: "fold", reason });
            }
            self.draw(&fold_of, config.fold, Split::Valid);
        }
        Ok(self)
    }

    /// Moves the training samples of one fold to a split.
    fn draw(&mut self, fold_of: &[usize], fold: usize, split: Split) {
        for (sample, &of) in std::mem::take(&mut self.train).into_iter().zip(fold_of) {
            self.push(if of == fold { split } else { Split::Train }, sample);
        }
    }

    /// Every class keeps at least one sample in each split that is filled and in train.
    fn fill_by_class(mut self, classes: &[String], config: &DataConfig) -> Result<Self, DataError> {
        let share = |split: &[Sample], fraction: f64| if split.is_empty() { fraction } else { 0.0 };
        let (valid, test) = (share(&self.valid, config.valid_fraction), share(&self.test, config.test_fraction));
        let needed = 1 + usize::from(valid > 0.0) + usize::from(test > 0.0);
        let mut target = vec![Split::Train; self.train.len()];
        for (label, class) in classes.iter().enumerate() {
            let mut members: Vec<_> = (0..self.train.len()).filter(|&i| self.train[i].label == label).collect();
            let found = members.len();
            if found < needed && needed > 1 {
                return Err(DataError::TooFewImages { class: class.clone(), found, needed });
            }
            let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
            rng.set_stream(label as u64);
            members.shuffle(&mut rng);
            let count = |fraction: f64| {
                if fraction > 0.0 { ((fraction * found as f64).round() as usize).max(1) } else { 0 }
            };
            let for_test = count(test).min(found.saturating_sub(needed - 1));
            let for_valid = count(valid).min(found.saturating_sub(for_test + 1));
            for (rank, member) in members.into_iter().enumerate() {
                if rank < for_test {
                    target[member] = Split::Test;
                } else if rank < for_test + for_valid {
                    target[member] = Split::Valid;
                }
            }
        }
        for (sample, split) in std::mem::take(&mut self.train).into_iter().zip(target) {
            self.push(split, sample);
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::*;

    fn samples(counts: &[usize]) -> Splits {
        let train = counts.iter().enumerate().flat_map(|(label, &count)| {
            (0..count).map(move |i| Sample {
                id: format!("{label}/{i}"),
                image: "x".into(),
                label,
                mask: None,
                group: None,
            })
        });
        Splits { train: train.collect(), ..Splits::default() }
    }

    fn divide(counts: &[usize], config: &DataConfig) -> Result<Splits, DataError> {
        let classes: Vec<_> = (0..counts.len()).map(|i| i.to_string()).collect();
        samples(counts).fill_empty(&classes, config)
    }

    #[test]
    fn every_class_keeps_its_share_and_the_seed_decides() {
        let config = DataConfig { test_fraction: 0.1, ..DataConfig::default() };
        let splits = divide(&[37, 48, 3], &config).unwrap();
        let count = |split: &[Sample], label| split.iter().filter(|s| s.label == label).count();
        assert_eq!([0, 1, 2].map(|label| count(&splits.valid, label)), [7, 10, 1]);
        assert_eq!([0, 1, 2].map(|label| count(&splits.test, label)), [4, 5, 1]);
        assert_eq!(splits.train.len(), 88 - 18 - 10);
        assert_eq!(divide(&[37, 48, 3], &config).unwrap().valid, splits.valid);
        let other = divide(&[37, 48, 3], &DataConfig { seed: 1, ..config }).unwrap();
        assert_ne!(other.valid, splits.valid);
    }

    #[test]
    fn groups_stay_whole_and_each_fold_is_validated_once() {
        let mut grouped = samples(&[30, 30]);
        for (i, sample) in grouped.train.iter_mut().enumerate() {
            sample.group = Some(format!("patient {}", i % 12));
        }
        let all = grouped.train.clone();
        let classes = ["a".to_owned(), "b".to_owned()];
        let mut validated = Vec::new();
        for fold in 0..5 {
            let config = DataConfig { fold, test_fraction: 0.2, ..DataConfig::default() };
            let splits = Splits { train: all.clone(), ..Splits::default() }.fill_empty(&classes, &config).unwrap();
            assert!(groups::divided(&splits).is_empty());
            assert!(!splits.train.is_empty() && !splits.valid.is_empty() && !splits.test.is_empty());
            validated.extend(splits.valid.iter().map(|sample| sample.id.clone()));
            validated.extend(splits.test.iter().filter(|_| fold == 0).map(|sample| sample.id.clone()));
        }
        validated.sort();
        let mut ids: Vec<_> = all.into_iter().map(|sample| sample.id).collect();
        ids.sort();
        assert_eq!(validated, ids, "the folds and the test images are the whole set, each image once");
    }

    #[test]
    fn a_class_of_one_cannot_be_divided() {
        let error = divide(&[5, 1], &DataConfig::default()).err().unwrap();
        assert!(matches!(error, DataError::TooFewImages { found: 1, needed: 2, .. }), "{error}");
        // a large share still leaves one image to train on
        let splits = divide(&[2, 2], &DataConfig { valid_fraction: 0.9, ..DataConfig::default() }).unwrap();
        assert_eq!((splits.train.len(), splits.valid.len()), (2, 2));
    }
}
