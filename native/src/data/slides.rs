//! Finding and opening whole slides.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use histomask_core::picture_file::name::is_litter;
use histomask_core::slide::{Slide, SlideError};

use super::left_out::{LeftOut, Reason};
use super::results::{holds_results, is_probability_map};
use super::{DataError, nfc, place};

/// Endings of files that are tried as slides.
const ENDINGS: [&str; 5] = ["svs", "tif", "tiff", "btf", "tf8"];
/// Endings of slides that OpenSlide reads.
const OPENSLIDE: [&str; 8] = ["ndpi", "mrxs", "scn", "bif", "svslide", "vms", "vmu", "czi"];
/// Endings of slides that are not looked for in folders: nothing reads them, or a slide of theirs is many files.
const OTHERS: [&str; 3] = ["vsi", "isyntax", DICOM];
/// What OpenSlide reads by any file of a slide.
const DICOM: &str = "dcm";
/// Whether this program was built with OpenSlide.
const HAS_OPENSLIDE: bool = cfg!(feature = "openslide");

/// A slide as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlideFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its name without ending, which no other one has.
    pub name: String,
    /// The folder that it lies in below the one that was given.
    pub folder: Option<String>,
}

/// The slides of files and folders, by name, and files of slides that are not read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Slides.
    pub slides: Vec<SlideFile>,
    /// Files by whose name they are slides of another kind.
    pub others: Vec<PathBuf>,
    /// Results of this program.
    pub left_out: LeftOut,
}

/// Opens a slide, by OpenSlide if our reader does not know its kind and the program was built with it.
///
/// # Errors
/// [`DataError::Missing`], [`DataError::Io`], [`DataError::Slide`] or [`DataError::NeedsOpenSlide`], which name the file.
pub fn open(path: &Path) -> Result<Slide<File>, DataError> {
    let file = File::open(path).map_err(|error| DataError::io(path, error))?;
    Slide::open(file).or_else(|reason| by_openslide(path, reason))
}

#[cfg(feature = "openslide")]
fn by_openslide(path: &Path, reason: SlideError) -> Result<Slide<File>, DataError> {
    let failed = |reason| DataError::Slide { path: path.to_owned(), reason };
    match reason {
        SlideError::NotTiff | SlideError::Foreign(_) | SlideError::Unsupported { .. } => {
            super::openslide::open(path).map_err(failed)?.ok_or_else(|| failed(reason))
        }
        reason => Err(failed(reason)),
    }
}

#[cfg(not(feature = "openslide"))]
fn by_openslide(path: &Path, reason: SlideError) -> Result<Slide<File>, DataError> {
    let path = path.to_owned();
    let ending = ending(&path);
    Err(match reason {
        SlideError::Foreign(what) => DataError::NeedsOpenSlide { what: what.to_owned(), path },
        SlideError::NotTiff if OPENSLIDE.contains(&ending.as_str()) || ending == DICOM => {
            DataError::NeedsOpenSlide { what: format!("a slide in .{ending}"), path }
        }
        reason => DataError::Slide { path, reason },
    })
}

/// Why a file of [`Found::others`] is not taken, and what to do.
#[must_use]
pub fn why_not(path: &Path) -> String {
    match ending(path).as_str() {
        DICOM if HAS_OPENSLIDE => "DICOM has many files for a slide; name one file of each".into(),
        ending if OPENSLIDE.contains(&ending) || ending == DICOM => {
            DataError::needs_openslide(&format!("a slide in .{ending}"))
        }
        _ => "a kind of slide that is not read; convert it to pyramidal TIFF".into(),
    }
}

fn ending(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_lowercase()
}

/// Bytes from which on a TIFF that cannot be opened is more likely a damaged slide than a damaged picture.
const LARGE: u64 = 256 << 20;

/// Whether a file is a whole slide rather than a picture, by its content; a file that cannot be opened by its name.
#[must_use]
pub fn is_whole_slide(path: &Path) -> bool {
    let ending = ending(path);
    // whether or not it is read, it is no picture
    if is_named_as_slide(path) || OPENSLIDE.contains(&ending.as_str()) || ending == DICOM {
        return true;
    }
    let mut head = [0; 4];
    // a pipe would be waited for, and what is taken from it is lost
    if !path.is_file() {
        return false;
    }
    let tiff = File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok()
        && matches!(&head, b"II\x2a\0" | b"MM\0\x2a" | b"II\x2b\0" | b"MM\0\x2b");
    tiff && match open(path) {
        Ok(slide) => slide.is_whole_slide(),
        Err(DataError::NeedsOpenSlide { .. }) => true,
        Err(_) => std::fs::metadata(path).is_ok_and(|data| data.len() > LARGE),
    }
}

/// Whether a file has an ending that slides alone have, of those that are read.
#[must_use]
pub fn is_named_as_slide(path: &Path) -> bool {
    let ending = ending(path);
    ["svs", "btf", "tf8"].contains(&ending.as_str()) || (HAS_OPENSLIDE && OPENSLIDE.contains(&ending.as_str()))
}

/// Looks for slides; a file that is named is one whatever its ending.
///
/// # Errors
/// [`DataError`]: an input that is missing or cannot be listed.
pub fn find(inputs: &[PathBuf]) -> Result<Found, DataError> {
    let mut found = Found::default();
    let mut paths = Vec::new();
    for input in inputs {
        if input.is_dir() {
            list(input, None, &mut paths, &mut found, &mut BTreeSet::new())?;
        } else if input.exists() {
            paths.push((input.clone(), None));
        } else {
            return Err(DataError::Missing { path: input.clone() });
        }
    }
    let (mut seen, mut taken) = (BTreeSet::new(), BTreeSet::new());
    for (path, folder) in paths {
        if !seen.insert(place(&path)) {
            continue;
        }
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let stem = stem.strip_suffix(".ome").unwrap_or(&stem).to_owned();
        let numbered = (2..).map(|number| format!("{stem}-{number}"));
        let free = std::iter::once(stem.clone()).chain(numbered).find(|name| taken.insert(nfc(name).to_lowercase()));
        found.slides.push(SlideFile { name: free.unwrap_or(stem), path, folder });
    }
    Ok(found)
}

/// Folders already seen are not entered again: a link may lead back to one above.
fn list(
    folder: &Path,
    below: Option<&str>,
    paths: &mut Vec<(PathBuf, Option<String>)>,
    found: &mut Found,
    seen: &mut BTreeSet<PathBuf>,
) -> Result<(), DataError> {
    let failed = |error| DataError::io(folder, error);
    if !seen.insert(folder.canonicalize().map_err(failed)?) {
        return Ok(());
    }
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    let mut entries = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>().map_err(failed)?;
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let ending = ending(&path);
        if is_litter(&name) {
            continue;
        }
        if is_probability_map(&name) || (path.is_dir() && holds_results(&path)) {
            found.left_out.add(Reason::Results, &path);
        } else if path.is_dir() {
            list(&path, Some(below.unwrap_or(&name)), paths, found, seen)?;
        } else if ENDINGS.contains(&ending.as_str()) || (HAS_OPENSLIDE && OPENSLIDE.contains(&ending.as_str())) {
            paths.push((path, below.map(str::to_owned)));
        } else if OPENSLIDE.contains(&ending.as_str()) || OTHERS.contains(&ending.as_str()) {
            found.others.push(path);
        }
    }
    Ok(())
}
