//! Which file a result was made from, so that a later run knows whether it is still the same.

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::DataError;

/// A file as it was when something was made from it. Two are equal where nothing says that the file has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Where it is, from the root on.
    pub path: PathBuf,
    /// Bytes.
    pub length: u64,
    /// When it was written last, in nanoseconds since 1970; nothing where the system does not say.
    pub changed: Option<u64>,
}

impl Source {
    /// The file as it is now.
    ///
    /// # Errors
    /// [`DataError::Missing`] or [`DataError::Io`], which names the file.
    pub fn of(path: &Path) -> Result<Self, DataError> {
        let data = std::fs::metadata(path).map_err(|error| DataError::io(path, error))?;
        let changed = data.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let changed = changed.and_then(|since| u64::try_from(since.as_nanos()).ok());
        Ok(Self { path: place(path), length: data.len(), changed })
    }

    /// Whether results of this file would be lost if those of `other` took their place: it is another file, and still
    /// there.
    #[must_use]
    pub fn stands_beside(&self, other: &Self) -> bool {
        self.path != other.path && self.path.exists()
    }
}

/// Where a file is, however it was named: from the root on and without detours. A link keeps its own name.
#[must_use]
pub fn place(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match (absolute.parent().and_then(|folder| folder.canonicalize().ok()), absolute.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => absolute,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::*;

    #[test]
    fn a_file_is_the_same_however_it_is_named_until_it_is_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.svs");
        std::fs::write(&path, "one").unwrap();
        std::fs::create_dir(folder.path().join("below")).unwrap();
        let before = Source::of(&path).unwrap();
        assert_eq!(Source::of(&folder.path().join("below/../a.svs")).unwrap(), before);
        let text = serde_json::to_string(&before).unwrap();
        assert_eq!(serde_json::from_str::<Source>(&text).unwrap(), before);
        // of the same length, but later
        std::fs::write(&path, "two").unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(std::time::SystemTime::now() + std::time::Duration::from_secs(5)).unwrap();
        let after = Source::of(&path).unwrap();
        assert!(after != before && !after.stands_beside(&before));
        std::fs::copy(&path, folder.path().join("below/a.svs")).unwrap();
        assert!(Source::of(&folder.path().join("below/a.svs")).unwrap().stands_beside(&before));
        assert!(Source::of(&folder.path().join("none")).is_err());
    }
}
