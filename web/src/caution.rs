//! Cautions as JavaScript gets them.

use histomask_core::caution::Caution;

/// Of each caution a few words for a table, then a sentence.
pub(crate) fn said(cautions: impl IntoIterator<Item = Caution>) -> Vec<String> {
    cautions.into_iter().flat_map(|caution| [caution.short(), caution.to_string()]).collect()
}
