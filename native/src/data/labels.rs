//! From class names to label indices.

use std::collections::BTreeSet;

use super::DataError;

/// Similarity (Jaro-Winkler, 0 to 1) from which a name is offered as "did you mean".
const SIMILAR: f64 = 0.7;

/// The classes of a data set: the order the user asked for, else the names found, sorted.
pub(super) fn class_list(wanted: &[String], found: BTreeSet<String>) -> Vec<String> {
    if wanted.is_empty() { found.into_iter().collect() } else { wanted.to_vec() }
}

/// The label of the class called `name`.
///
/// # Errors
/// [`DataError::UnknownLabel`] with the most similar class; `place` says where the name stands.
pub(super) fn label_of(name: &str, classes: &[String], place: impl FnOnce() -> String) -> Result<usize, DataError> {
    classes.iter().position(|class| class == name).ok_or_else(|| DataError::UnknownLabel {
        place: place(),
        label: name.to_owned(),
        hint: nearest(name, classes.iter().map(String::as_str))
            .map_or_else(String::new, |class| format!(", did you mean `{class}`?")),
        known: classes.join(", "),
    })
}

/// The candidate most similar to `name`, if any is similar at all.
pub(super) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    candidates
        .map(|candidate| (strsim::jaro_winkler(&name, &candidate.to_lowercase()), candidate))
        .filter(|(similarity, _)| *similarity >= SIMILAR)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
