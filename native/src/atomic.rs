//! Files that are whole or not there: written beside their place, then renamed into it.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{path}: cannot write ({source}); {} Nothing that stood there was lost", self.remedy())]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub source: std::io::Error,
}

impl WriteError {
    fn remedy(&self) -> &'static str {
        match self.source.kind() {
            std::io::ErrorKind::InvalidFilename => "give the image, or the folder for the results, a shorter name.",
            std::io::ErrorKind::AlreadyExists | std::io::ErrorKind::NotADirectory => {
                "a file stands where a folder is needed: name another."
            }
            _ => "is the disk full, or the folder read-only?",
        }
    }

    /// Whether nothing more can be written, rather than a file of this one name.
    #[must_use]
    pub fn stops(&self) -> bool {
        !matches!(self.source.kind(), std::io::ErrorKind::InvalidFilename | std::io::ErrorKind::InvalidInput)
    }
}

/// Writes `bytes` to `path`, creating its folder; a reader sees the old file or the new one, never a part.
///
/// # Errors
///
/// [`WriteError`] if the folder or file cannot be written; a file that stood at `path` is then untouched.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    try_write(path, bytes).map_err(|source| WriteError { path: path.to_owned(), source })
}

/// Room for a result that is written when other work is over: a file without a name, which takes up its place on the
/// disk until it is dropped. A run that fills the disk can then still say what it did.
#[derive(Debug)]
pub struct Room {
    _file: std::fs::File,
}

impl Room {
    /// Sets `bytes` aside in `folder`, which is made if it is not there: before work whose result would be lost
    /// otherwise.
    ///
    /// # Errors
    ///
    /// [`WriteError`] with the folder if it cannot be written to or has not that much room.
    pub fn set_aside(folder: &Path, bytes: usize) -> Result<Self, WriteError> {
        let set_aside = || {
            std::fs::create_dir_all(folder)?;
            let mut file = tempfile::tempfile_in(folder)?;
            file.write_all(&vec![0; bytes])?;
            // some systems find out only now that there is none
            file.sync_all()?;
            Ok(Self { _file: file })
        };
        set_aside().map_err(|source| WriteError { path: folder.to_owned(), source })
    }
}

fn try_write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut file = temporary(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// A file of its own in `folder`, which goes away unless it is renamed.
fn temporary(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    std::fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".histomask-");
    // tempfile makes files for their owner alone; with these permissions the system takes off what the umask says
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

/// A file that is written piece by piece beside its place and takes it when it is whole. What a crash leaves of it is
/// written over by the next try; dropped without [`Pending::commit`], it is removed.
#[derive(Debug)]
pub struct Pending {
    path: PathBuf,
    beside: PathBuf,
    committed: bool,
}

impl Pending {
    /// Begins a file that is to stand at `path`, creating its folder.
    ///
    /// # Errors
    ///
    /// [`WriteError`] if folder or file cannot be written.
    pub fn create(path: &Path) -> Result<(Self, File), WriteError> {
        let mut name = std::ffi::OsString::from(".histomask-");
        name.push(path.file_name().unwrap_or_default());
        let pending = Self { path: path.to_owned(), beside: path.with_file_name(name), committed: false };
        let made = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| {
            std::fs::OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&pending.beside)
        });
        let file = made.map_err(|source| pending.error(source))?;
        Ok((pending, file))
    }

    /// The system's answer as an error about this file.
    #[must_use]
    pub fn error(&self, source: std::io::Error) -> WriteError {
        WriteError { path: self.path.clone(), source }
    }

    /// Puts the file, which is whole now, in its place.
    ///
    /// # Errors
    ///
    /// [`WriteError`]; what stood there is then untouched.
    pub fn commit(mut self, file: &File) -> Result<(), WriteError> {
        let done = file.sync_all().and_then(|()| std::fs::rename(&self.beside, &self.path));
        done.map_err(|source| self.error(source))?;
        self.committed = true;
        Ok(())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.committed {
            let _ = std::fs::remove_file(&self.beside);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::*;

    #[test]
    fn what_cannot_be_written_is_told_as_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let error = write(&folder.path().join("n".repeat(300)), b"").unwrap_err();
        assert!(!error.stops() && error.to_string().contains("a shorter name"), "{error}");
        let file = folder.path().join("file");
        write(&file, b"").unwrap();
        for below in ["a", "a/b"] {
            let error = write(&file.join(below), b"").unwrap_err();
            assert!(error.stops() && error.to_string().contains("a file stands where a folder is needed"), "{error}");
        }
    }
}
