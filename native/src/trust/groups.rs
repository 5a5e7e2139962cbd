use std::collections::BTreeMap;

use crate::data::{Dataset, Layout, Sample};

/// The patient of every sample, where the data set names them: GlaS's `Grade.csv` does in its second column. `None` if
/// one of them is not named; folds are then by image.
#[must_use]
pub fn groups(dataset: &Dataset, samples: &[Sample]) -> Option<Vec<String>> {
    if dataset.layout != Layout::Glas {
        return None;
    }
    let table = std::fs::read_to_string(dataset.root.join("Grade.csv")).ok()?;
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(table.as_bytes());
    let cell =
        |row: &csv::StringRecord, column: usize| row.get(column).map(|cell| cell.replace(char::is_whitespace, ""));
    let patients: BTreeMap<String, String> =
        reader.records().flatten().filter_map(|row| Some((cell(&row, 0)?, cell(&row, 1)?))).collect();
    samples.iter().map(|sample| patients.get(&sample.id).filter(|patient| !patient.is_empty()).cloned()).collect()
}
