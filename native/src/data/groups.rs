//! Groups: what the images of one patient or one slide have in common. A model that has seen some of them knows the
//! others too well, so splits that are drawn here never divide a group, and given ones are checked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;

use super::by_split::Splits;
use super::{DataError, Sample, Split};

/// Group names that a message lists.
const LISTED: usize = 5;

/// A group that stands in two splits.
pub(super) struct Divided {
    pub(super) group: String,
    pub(super) first: (Split, String),
    pub(super) second: (Split, String),
}

/// The groups that stand in more than one split, in the order of their names.
pub(super) fn divided(splits: &Splits) -> Vec<Divided> {
    let mut seen: BTreeMap<&str, (Split, &str)> = BTreeMap::new();
    let mut divided: BTreeMap<&str, Divided> = BTreeMap::new();
    for (split, samples) in [(Split::Train, &splits.train), (Split::Valid, &splits.valid), (Split::Test, &splits.test)]
    {
        for sample in samples {
            let Some(group) = sample.group.as_deref() else { continue };
            let &mut (first, id) = seen.entry(group).or_insert((split, &sample.id));
            if first != split {
                divided.entry(group).or_insert_with(|| Divided {
                    group: group.to_owned(),
                    first: (first, id.to_owned()),
                    second: (split, sample.id.clone()),
                });
            }
        }
    }
    divided.into_values().collect()
}

/// Refuses given splits that divide a group.
///
/// # Errors
/// [`DataError::DividedGroup`] naming the first one; `path` is the list they stand in.
pub(super) fn refuse_divided(path: &Path, splits: &Splits) -> Result<(), DataError> {
    let mut divided = divided(splits).into_iter();
    let Some(Divided { group, first, second }) = divided.next() else { return Ok(()) };
    let more = match divided.count() {
        0 => String::new(),
        more => format!(", and so do {more} more"),
    };
    Err(DataError::DividedGroup { path: path.to_owned(), group, places: Box::new([first, second]), more })
}

/// What to say about patients whom published folds, or their test images, divide.
pub(super) fn warn_divided(fold: usize, splits: &Splits) -> Vec<String> {
    fn groups(samples: &[Sample]) -> BTreeSet<&str> {
        samples.iter().filter_map(|sample| sample.group.as_deref()).collect()
    }
    let [train, valid, test] = [&splits.train, &splits.valid, &splits.test].map(|samples| groups(samples));
    let in_valid: Vec<_> = train.intersection(&valid).copied().collect();
    let in_test: Vec<_> =
        test.iter().filter(|group| train.contains(*group) || valid.contains(*group)).copied().collect();
    let names = |groups: &[&str]| {
        let more = if groups.len() > LISTED { ", …" } else { "" };
        format!("{}{more}", groups.iter().take(LISTED).copied().collect::<Vec<_>>().join(", "))
    };
    let mut warnings = Vec::new();
    if !in_valid.is_empty() {
        warnings.push(format!(
            "fold {fold} divides patients: {} of the {} in train stand in valid too ({}), so validation error says \
             little about new patients; `--data.folds patients` draws folds that keep each patient together",
            in_valid.len(),
            train.len(),
            names(&in_valid)
        ));
    }
    if !in_test.is_empty() {
        warnings.push(format!(
            "{} patient(s) of the test images stand in train or valid too ({}), so test error says little about new \
             patients",
            in_test.len(),
            names(&in_test)
        ));
    }
    warnings
}

/// How many folds give each about `fraction` of the samples.
pub(super) fn folds_of(fraction: f64) -> usize {
    ((1.0 / fraction).round() as usize).max(2)
}

/// Deals samples into folds so that no group is divided; the fold of each sample, and how many folds there are.
///
/// Each group, from the largest to the smallest and in the seed's order where they are equal, goes to the fold where
/// the classes' shares then differ least between folds. A sample without a group is a group of its own. With fewer
/// groups than `folds` there are as many folds as groups.
///
/// # Errors
/// [`DataError::TooFewGroups`] with less than two groups.
pub(super) fn deal(
    samples: &[Sample],
    classes: usize,
    folds: usize,
    seed: u64,
) -> Result<(Vec<usize>, usize), DataError> {
    let mut groups: BTreeMap<(Option<&str>, &str), Vec<usize>> = BTreeMap::new();
    for (index, sample) in samples.iter().enumerate() {
        let alone = if sample.group.is_none() { sample.id.as_str() } else { "" };
        groups.entry((sample.group.as_deref(), alone)).or_default().push(index);
    }
    if groups.len() < 2 {
        return Err(DataError::TooFewGroups { found: groups.len() });
    }
    let folds = folds.min(groups.len());
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    groups.sort_by_key(|members| std::cmp::Reverse(members.len()));

    let of_class = |members: &[usize]| {
        let mut counts = vec![0.0; classes];
        for &member in members {
            if let Some(count) = samples.get(member).and_then(|sample| counts.get_mut(sample.label)) {
                *count += 1.0;
            }
        }
        counts
    };
    let totals = of_class(&(0..samples.len()).collect::<Vec<_>>());
    let mut dealt = vec![vec![0.0; classes]; folds];
    let mut fold_of = vec![0; samples.len()];
    for members in groups {
        let group = of_class(&members);
        // what the fold lacks of an even share, summed over the group's images: the more it lacks, the better
        let lack = |fold: &[f64]| -> f64 {
            let each = fold.iter().zip(&totals).zip(&group).filter(|((_, total), _)| **total > 0.0);
            each.map(|((has, total), adds)| {
                let share = total / folds as f64;
                (share - has).powi(2) / total - (share - has - adds).powi(2) / total
            })
            .sum()
        };
        let size = |fold: &[f64]| fold.iter().sum::<f64>();
        let best = (0..folds).max_by(|&a, &b| {
            let by_lack = lack(&dealt[a]).total_cmp(&lack(&dealt[b]));
            // then the emptier fold, then the first
            by_lack.then(size(&dealt[b]).total_cmp(&size(&dealt[a]))).then(b.cmp(&a))
        });
        let best = best.unwrap_or_default();
        dealt[best].iter_mut().zip(group).for_each(|(has, adds)| *has += adds);
        members.into_iter().for_each(|member| fold_of[member] = best);
    }
    Ok((fold_of, folds))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::*;

    /// Samples by (group, label, count).
    fn samples(groups: &[(&str, usize, usize)]) -> Vec<Sample> {
        let of = |&(group, label, count): &(&str, usize, usize)| {
            let group = group.to_owned();
            (0..count).map(move |i| Sample {
                id: format!("{group}/{label}/{i}"),
                image: "x".into(),
                label,
                mask: None,
                group: Some(group.clone()),
            })
        };
        groups.iter().flat_map(of).collect()
    }

    /// GlaS's training images by patient: benign is 0.
    const GLAS: [(&str, usize, usize); 18] = [
        ("1", 1, 8),
        ("1", 0, 4),
        ("2", 1, 16),
        ("3", 1, 4),
        ("3", 0, 4),
        ("4", 0, 4),
        ("5", 0, 4),
        ("6", 1, 4),
        ("7", 1, 4),
        ("8", 1, 1),
        ("9", 0, 8),
        ("10", 0, 11),
        ("10", 1, 4),
        ("11", 1, 4),
        ("13", 0, 1),
        ("14", 1, 1),
        ("15", 0, 1),
        ("16", 1, 2),
    ];

    #[test]
    fn folds_keep_groups_whole_and_classes_even() {
        let samples = samples(&GLAS);
        for seed in 0..20 {
            let (fold_of, folds) = deal(&samples, 2, 5, seed).unwrap();
            assert_eq!(folds, 5);
            let mut home = BTreeMap::new();
            let mut counts = [[0; 2]; 5];
            for (sample, &fold) in samples.iter().zip(&fold_of) {
                assert_eq!(*home.entry(&sample.group).or_insert(fold), fold, "{:?} is divided", sample.group);
                counts[fold][sample.label] += 1;
            }
            // no fold without a class, though one patient has a third of the malignant images
            assert!(counts.iter().flatten().all(|&count| count > 0), "seed {seed}: {counts:?}");
            assert_eq!(deal(&samples, 2, 5, seed).unwrap().0, fold_of);
        }
        assert_ne!(deal(&samples, 2, 5, 0).unwrap().0, deal(&samples, 2, 5, 1).unwrap().0);
    }

    #[test]
    fn few_groups_make_few_folds() {
        assert_eq!(deal(&samples(&[("a", 0, 3), ("b", 1, 3), ("c", 1, 2)]), 2, 5, 0).unwrap().1, 3);
        let error = deal(&samples(&[("a", 0, 3), ("a", 1, 3)]), 2, 5, 0).unwrap_err();
        assert!(matches!(error, DataError::TooFewGroups { found: 1 }), "{error}");
    }
}
