//! Rows of results as CSV.

use serde::Serialize;

/// The rows as CSV with a header.
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
