//! Rows of results as CSV.

use std::borrow::Cow;

use histomask_core::plain_cell::plain_cell;
use serde::Serialize;

/// The rows as CSV with a header, for programs.
///
/// # Errors
///
/// Whatever the CSV writer refuses.
pub(crate) fn write_csv<T: Serialize>(rows: &[T]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row)?;
    }
    writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))
}

/// The same for people: no cell can be taken for a formula.
///
/// # Errors
///
/// Whatever the CSV writer refuses.
pub(crate) fn write_plain_csv<T: Serialize>(rows: &[T]) -> Result<Vec<u8>, csv::Error> {
    let bytes = write_csv(rows)?;
    let mut plain = csv::Writer::from_writer(Vec::new());
    for record in csv::ReaderBuilder::new().has_headers(false).from_reader(bytes.as_slice()).records() {
        plain.write_record(record?.iter().map(|cell| plain_cell(cell).into_owned()))?;
    }
    plain.into_inner().map_err(|error| csv::Error::from(error.into_error()))
}

/// Cells that a spreadsheet shows as they are.
pub(crate) fn plain_cells(row: &[String]) -> impl Iterator<Item = String> {
    row.iter().map(|cell| plain_cell(cell)).map(Cow::into_owned)
}
