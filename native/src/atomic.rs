//! Files that are whole or not there: written beside their place, then renamed into it.

use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A file could not be written.
#[derive(Debug, thiserror::Error)]
#[error(
    "{path}: cannot write ({source}); is the disk full, or the folder read-only? Nothing that stood there was lost"
)]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub source: std::io::Error,
}

/// Writes `bytes` to `path`, creating its folder; a reader sees the old file or the new one, never a part.
///
/// # Errors
///
/// [`WriteError`] if the folder or file cannot be written; a file that stood at `path` is then untouched.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    try_write(path, bytes).map_err(|source| WriteError { path: path.to_owned(), source })
}

fn try_write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".histomask-");
    // tempfile makes files for their owner alone; with these permissions the system takes off what the umask says
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
