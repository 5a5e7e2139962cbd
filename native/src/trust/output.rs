use std::path::Path;

use serde_json::json;

use super::{Trust, sentence};
use crate::atomic::{self, WriteError};
use crate::csv_text::write_plain_csv;
use crate::plain_text;

/// Writes `trust.json` and `trust.csv` into `folder`.
///
/// # Errors
///
/// [`WriteError`] if one cannot be written.
pub fn write(folder: &Path, trust: &Trust, context: &serde_json::Value) -> Result<(), WriteError> {
    let (json_path, csv_path) = (folder.join("trust.json"), folder.join("trust.csv"));
    let failed: Vec<_> =
        trust.failed.iter().map(|(path, error)| json!({ "path": plain_text::of_path(path), "error": error })).collect();
    let all = json!({
        "schema": 1,
        "context": context,
        "options": trust.options,
        "sentence": sentence(&trust.summary),
        "summary": trust.summary,
        "images": trust.images,
        "failed": failed,
    });
    let json = serde_json::to_vec_pretty(&all)
        .map_err(|error| WriteError { path: json_path.clone(), source: error.into() })?;
    atomic::write(&json_path, &json)?;
    let csv = write_plain_csv(&trust.images)
        .map_err(|error| WriteError { path: csv_path.clone(), source: std::io::Error::other(error) })?;
    atomic::write(&csv_path, &csv)
}
