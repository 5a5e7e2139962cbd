//! The files of a static web site, read once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::content_type::content_type;

/// Most that a site may hold in MiB; the browser app has some 20.
const LARGEST_MIB: u64 = 512;

/// Most files that a site may have.
const MOST_FILES: usize = 10_000;

/// A folder that cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// There is no page in it.
    #[error(
        "{0}: there is no index.html here, so this is not the browser app; `scripts/web.sh` builds it into web/dist"
    )]
    NoPage(PathBuf),
    /// A file or folder cannot be read.
    #[error("{path}: cannot read ({source})")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Surely the wrong folder.
    #[error("{0}: more than {MOST_FILES} files or {LARGEST_MIB} MiB, so this is not the browser app; name its folder")]
    TooMuch(PathBuf),
}

/// Endings of compressed files and the names of their codings, the smallest first.
const CODINGS: [(&str, &str); 2] = [(".br", "br"), (".gz", "gzip")];

/// Files by their path below the folder, with `/` between folders.
#[derive(Debug)]
pub struct Site {
    files: BTreeMap<String, File>,
    skipped: Vec<PathBuf>,
}

/// A file and what is said of it.
#[derive(Debug)]
pub(super) struct File {
    pub(super) bytes: Vec<u8>,
    /// The same, compressed beforehand, by the name of the coding; the smallest first.
    pub(super) compressed: Vec<(&'static str, Vec<u8>)>,
    pub(super) content_type: &'static str,
    /// The name has a hash of the content in it: another content has another name.
    pub(super) hashed: bool,
    /// Changes with the content.
    pub(super) tag: String,
}

impl Site {
    /// Reads all files of a folder and those below it. Symbolic links below it are not followed, and files and folders
    /// whose names start with a dot are left out. `x.br` and `x.gz` are no files of their own but `x`, compressed.
    ///
    /// # Errors
    ///
    /// [`SiteError`] if something cannot be read, or there is no `index.html`, or far too much.
    pub fn read(folder: &Path) -> Result<Self, SiteError> {
        if !folder.join("index.html").symlink_metadata().is_ok_and(|page| page.is_file()) {
            return Err(SiteError::NoPage(folder.to_owned()));
        }
        let mut found = Found::default();
        found.collect(folder, "")?;
        let is_coded = |name: &str| CODINGS.iter().any(|(ending, _)| name.ends_with(ending));
        let (mut compressed, plain): (BTreeMap<_, _>, BTreeMap<_, _>) =
            found.files.into_iter().partition(|(name, _)| is_coded(name));
        let files = plain.into_iter().map(|(name, bytes)| {
            let file = File {
                compressed: CODINGS
                    .iter()
                    .filter_map(|(ending, coding)| Some((*coding, compressed.remove(&format!("{name}{ending}"))?)))
                    .collect(),
                content_type: content_type(&name),
                hashed: is_hashed(&name),
                tag: blake3::hash(&bytes).to_hex()[..16].to_owned(),
                bytes,
            };
            (name, file)
        });
        Ok(Self { files: files.collect(), skipped: found.skipped })
    }

    /// Symbolic links, and what else is neither file nor folder: left out.
    #[must_use]
    pub fn skipped(&self) -> &[PathBuf] {
        &self.skipped
    }

    /// The file of a path as it stands in an address, decoded and without the first `/`; a folder's is its index.html.
    pub(super) fn get(&self, path: &str) -> Option<&File> {
        if path.is_empty() || path.ends_with('/') {
            self.files.get(&format!("{path}index.html"))
        } else {
            self.files.get(path)
        }
    }
}

/// What has been read so far.
#[derive(Default)]
struct Found {
    files: BTreeMap<String, Vec<u8>>,
    skipped: Vec<PathBuf>,
    bytes: u64,
}

impl Found {
    fn collect(&mut self, folder: &Path, prefix: &str) -> Result<(), SiteError> {
        let refused = |path: &Path| {
            let path = path.to_owned();
            |source| SiteError::Read { path, source }
        };
        for entry in std::fs::read_dir(folder).map_err(refused(folder))? {
            let entry = entry.map_err(refused(folder))?;
            let path = entry.path();
            // of a link, the link's own
            let kind = entry.file_type().map_err(refused(&path))?;
            let Some(name) = entry.file_name().to_str().filter(|name| !name.starts_with('.')).map(str::to_owned) else {
                continue;
            };
            if kind.is_dir() {
                self.collect(&path, &format!("{prefix}{name}/"))?;
            } else if kind.is_file() {
                self.bytes += entry.metadata().map_err(refused(&path))?.len();
                if self.bytes > LARGEST_MIB << 20 || self.files.len() == MOST_FILES {
                    return Err(SiteError::TooMuch(folder.to_owned()));
                }
                let bytes = std::fs::read(&path).map_err(refused(&path))?;
                self.files.insert(format!("{prefix}{name}"), bytes);
            } else {
                self.skipped.push(path);
            }
        }
        Ok(())
    }
}

/// Whether a name is one of Vite's with a hash: `assets/<name>-<eight of the characters of base64url>.<ends>`.
fn is_hashed(name: &str) -> bool {
    let Some(file) = name.strip_prefix("assets/") else { return false };
    let stem = file.split_once('.').map_or(file, |(stem, _)| stem);
    let hash = stem.len().checked_sub(9).and_then(|at| stem.get(at..)).and_then(|end| end.strip_prefix('-'));
    hash.is_some_and(|hash| hash.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_a_hash_are_kept_for_good() {
        for name in ["assets/index-B1x_3-Zq.js", "assets/a-b-00000000.safetensors", "assets/x-abcdefgh.js.map"] {
            assert!(is_hashed(name), "{name}");
        }
        for name in
            ["index.html", "sw.js", "assets/logo.png", "assets/x-abc.js", "a/x-abcdefgh.js", "assets/-.abcdefgh"]
        {
            assert!(!is_hashed(name), "{name}");
        }
    }
}
