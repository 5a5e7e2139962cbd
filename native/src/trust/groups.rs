use crate::data::Sample;

/// The group (patient, slide) of every sample; `None` if one of them has none, and folds are then by image.
#[must_use]
pub fn groups(samples: &[Sample]) -> Option<Vec<String>> {
    samples.iter().map(|sample| sample.group.clone()).collect()
}
