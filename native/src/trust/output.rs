use std::path::Path;

use serde_json::json;

use super::{Trust, sentence};
use crate::atomic::{self, WriteError};
use crate::csv_text::write_plain_csv;
use crate::plain_text;

/// Removes what was measured of another model or of other images than those of `context`: beside a new evaluation it
/// would be taken for its own.
///
/// # Errors
///
/// [`WriteError`] if a file cannot be removed.
pub fn remove_of_others(folder: &Path, context: &serde_json::Value) -> Result<(), WriteError> {
    let [json_path, csv_path] = ["trust.json", "trust.csv"].map(|name| folder.join(name));
    let Ok(text) = std::fs::read(&json_path) else { return Ok(()) };
    let earlier: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
    let same = |key: &str| earlier.get("context").and_then(|earlier| earlier.get(key)) == context.get(key);
    if ["model", "model_sha256", "data", "split", "threshold"].into_iter().all(same) {
        return Ok(());
    }
    for path in [csv_path, json_path] {
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => return Err(WriteError { path, source }),
            _ => {}
        }
    }
    Ok(())
}

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
