//! Names as text for results: what the system calls a file need not be Unicode, as after unpacking an old archive.

use std::path::Path;

use serde::Serializer;

/// A path as JSON and tables have it; what is no letter becomes �.
pub(crate) fn of_path(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// The same for a field: `#[serde(serialize_with = "plain_text::path")]`.
///
/// # Errors
///
/// The serializer's.
pub(crate) fn path<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

/// The command line that started this program.
pub(crate) fn command() -> Vec<String> {
    std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect()
}
