//! Folds for cross-validation: the same ones every time, no group in two of them, classes spread evenly.

use std::collections::BTreeMap;

/// The fold of every sample, below `folds`. Samples of one group (a patient) share a fold; without groups every sample is
/// its own. Groups go, largest first, to the fold that has fewest of their commonest class, then fewest samples.
///
/// `None` if there are fewer than two groups.
#[must_use]
pub fn folds(labels: &[usize], groups: Option<&[String]>, folds: usize) -> Option<Vec<usize>> {
    let mut members: BTreeMap<(String, usize), Vec<usize>> = BTreeMap::new();
    for index in 0..labels.len() {
        let group = groups.and_then(|groups| groups.get(index));
        // ungrouped samples keep their order
        let key = group.map_or_else(|| (String::new(), index), |group| (group.clone(), 0));
        members.entry(key).or_default().push(index);
    }
    let folds = folds.min(members.len());
    if folds < 2 {
        return None;
    }
    let mut members: Vec<Vec<usize>> = members.into_values().collect();
    members.sort_by_key(|members| std::cmp::Reverse(members.len()));
    let classes = labels.iter().max().map_or(0, |most| most + 1);
    let mut filled = vec![vec![0usize; classes]; folds];
    let mut fold_of = vec![0; labels.len()];
    for group in members {
        let mut counts = vec![0usize; classes];
        group.iter().for_each(|&index| counts[labels[index]] += 1);
        let commonest = (0..classes).rev().max_by_key(|&class| counts[class]).unwrap_or_default();
        let load = |fold: &usize| (filled[*fold][commonest], filled[*fold].iter().sum::<usize>(), *fold);
        let fold = (0..folds).min_by_key(load).unwrap_or_default();
        filled[fold].iter_mut().zip(&counts).for_each(|(filled, count)| *filled += count);
        group.iter().for_each(|&index| fold_of[index] = fold);
    }
    Some(fold_of)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
    use super::*;

    #[test]
    fn classes_are_spread_evenly() {
        let found = folds(&[0, 0, 0, 0, 1, 1], None, 2).unwrap();
        assert_eq!(found, [0, 1, 0, 1, 0, 1]);
        assert_eq!(folds(&[0, 1, 0], None, 5).unwrap().iter().max(), Some(&2), "no more folds than samples");
        assert_eq!(folds(&[0], None, 5), None);
    }

    #[test]
    fn a_group_stays_together() {
        let groups = ["b", "a", "b", "c", "a", "b"].map(String::from);
        let found = folds(&[0, 1, 0, 1, 1, 0], Some(&groups), 3).unwrap();
        assert_eq!((found[0], found[1]), (found[2], found[4]));
        assert_eq!(found[0], found[5]);
        let mut three = vec![found[0], found[1], found[3]];
        three.sort_unstable();
        assert_eq!(three, [0, 1, 2]);
        assert_eq!(folds(&[0, 1], Some(&["a".into(), "a".into()]), 2), None);
    }
}
