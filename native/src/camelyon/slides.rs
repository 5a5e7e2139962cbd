//! Which slides there are: by name, as Camelyon16 names its files, wherever they lie.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use histomask_core::picture_file::name::is_litter;
use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;

use super::{CamelyonError, published};
use crate::data::{DataError, Split, slides};

/// Folds that training slides are divided into.
const FOLDS: usize = 5;

/// A slide to sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WholeSlide {
    /// File name without its ending.
    pub(crate) name: String,
    /// Its path in the published lists: `training/tumor/tumor_001.tif`.
    pub(crate) published: String,
    pub(crate) path: PathBuf,
    /// Its annotation, if it has tumour.
    pub(crate) annotation: Option<PathBuf>,
    pub(crate) split: Split,
}

impl WholeSlide {
    /// Whether patches of tumour are taken from it.
    pub(crate) fn has_tumour(&self) -> bool {
        self.annotation.is_some()
    }

    /// The annotation's path in the published lists.
    pub(super) fn published_annotation(&self) -> String {
        let folder = if self.split == Split::Test { "testing" } else { "training" };
        self.annotation.as_ref().map_or_else(String::new, |_| format!("{folder}/lesion_annotations/{}.xml", self.name))
    }
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Slides {
    /// By name: normal, tumour, test.
    pub(crate) slides: Vec<WholeSlide>,
    /// What is left out or should be known, as sentences.
    pub(crate) warnings: Vec<String>,
    /// Slides that cannot be sampled.
    pub(crate) failed: Vec<CamelyonError>,
}

/// Looks for slides `normal…`, `tumor…` and `test…` in folders and those below, and for their annotations.
///
/// Test slides have tumour where they are published to have, else where there is an annotation. Training slides are
/// divided by the published fold; others are drawn, a fifth of each class for validation.
///
/// # Errors
/// [`CamelyonError`]: a folder that cannot be listed, one slide in two files.
pub(crate) fn find(inputs: &[PathBuf], fold: usize, seed: u64) -> Result<Slides, CamelyonError> {
    let mut annotations = BTreeMap::new();
    for input in inputs.iter().filter(|input| input.is_dir()) {
        list(input, &mut annotations, &mut BTreeSet::new())?;
    }
    let mut found = Slides::default();
    let mut by_name: BTreeMap<String, PathBuf> = BTreeMap::new();
    let (mut masks, mut strangers) = (0_usize, Vec::new());
    let listed = slides::find(inputs)?;
    for path in listed.slides.into_iter().map(|slide| slide.path).chain(listed.others) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase().replace("tumour", "tumor");
        if name.ends_with("_mask") {
            masks += 1;
        } else if !["normal", "tumor", "test"].iter().any(|kind| name.starts_with(kind)) {
            strangers.push(path);
        } else if let Some(reason) = published::left_out(&name) {
            found.warnings.push(format!("{}: left out: {reason}", path.display()));
        } else if let Some(first) = by_name.insert(name.clone(), path.clone()) {
            return Err(CamelyonError::Twice { name, first, second: path });
        }
    }
    if masks > 0 {
        found.warnings.push(format!("{masks} files that end in _mask are no slides and left out"));
    }
    if let Some(first) = strangers.first() {
        found.warnings.push(format!(
            "{} files whose names begin with none of normal, tumor and test are left out (first {})",
            strangers.len(),
            first.display()
        ));
    }
    found.warnings.extend(unpublished(&by_name, fold));
    let drawn = drawn(&by_name, fold, seed);
    for kind in ["normal", "tumor"] {
        let own = by_name.keys().filter(|name| name.starts_with(kind));
        let (valid, train): (Vec<_>, Vec<_>) = own.partition(|name| is_valid(name, fold, &drawn));
        let (valid, train) = (valid.len(), train.len());
        if valid + train > 0 && (valid == 0 || train == 0) {
            found.warnings.push(format!(
                "fold {fold} has {train} {kind} slides to train on and {valid} to validate on; name another --fold, or give \
                 more slides"
            ));
        }
    }
    let mut odd = Vec::new();
    for (name, path) in by_name {
        let annotation = annotations.get(&name).cloned();
        let (tumour, folder, split) = if name.starts_with("test") {
            (published::test_has_tumour(&name).unwrap_or(annotation.is_some()), "testing/images", Split::Test)
        } else {
            let split = if is_valid(&name, fold, &drawn) { Split::Valid } else { Split::Train };
            let tumour = name.starts_with("tumor");
            (tumour, if tumour { "training/tumor" } else { "training/normal" }, split)
        };
        if tumour && annotation.is_none() {
            found.failed.push(CamelyonError::NoAnnotation { path, slide: name });
            continue;
        }
        if published::not_exhaustive(&name) {
            odd.push(name.clone());
        }
        let ending = path.extension().unwrap_or_default().to_string_lossy().into_owned();
        let published = format!("{folder}/{name}.{ending}");
        let annotation = annotation.filter(|_| tumour);
        found.slides.push(WholeSlide { name, published, path, annotation, split });
    }
    if !odd.is_empty() {
        found.warnings.push(format!(
            "not all tumour of {} is annotated, as is known of Camelyon16: their masks may be too small",
            odd.join(", ")
        ));
    }
    Ok(found)
}

/// What should be known of slides whose names are none of Camelyon16's.
fn unpublished(names: &BTreeMap<String, PathBuf>, fold: usize) -> Option<String> {
    let published = |name: &str| published::fold(name).is_some() || published::test_has_tumour(name).is_some();
    let mut others = names.keys().filter(|name| !published(name));
    let first = others.next()?;
    Some(format!(
        "{} of {} slides have no name of Camelyon16 (first {first}): training slides among them are divided into folds by \
         chance, here fold {fold}, test slides have tumour where they have an annotation, and the published counts are not \
         theirs",
        others.count() + 1,
        names.len()
    ))
}

/// Whether a training slide is validated on.
fn is_valid(name: &str, fold: usize, drawn: &BTreeSet<String>) -> bool {
    published::fold(name).map_or_else(|| drawn.contains(name), |own| own == fold)
}

/// The validation slides among those that are not published: a fifth of each class. Of two slides and more, each is in
/// one fold, and the first fold has one.
fn drawn(names: &BTreeMap<String, PathBuf>, fold: usize, seed: u64) -> BTreeSet<String> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut valid = BTreeSet::new();
    for kind in ["normal", "tumor"] {
        let own = names.keys().filter(|name| name.starts_with(kind) && published::fold(name).is_none());
        let mut own: Vec<_> = own.cloned().collect();
        own.shuffle(&mut rng);
        let start = |fold: usize| (fold * own.len()).div_ceil(FOLDS);
        if own.len() > 1 {
            valid.extend(own.get(start(fold)..start(fold + 1)).unwrap_or_default().iter().cloned());
        }
    }
    valid
}

/// Annotations by the name of their slide.
fn list(
    folder: &Path,
    found: &mut BTreeMap<String, PathBuf>,
    seen: &mut BTreeSet<PathBuf>,
) -> Result<(), CamelyonError> {
    let failed = |error| DataError::io(folder, error);
    if !seen.insert(folder.canonicalize().map_err(failed)?) {
        return Ok(());
    }
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.file_name().is_some_and(|name| is_litter(&name.to_string_lossy())) {
            continue;
        }
        if path.is_dir() {
            list(&path, found, seen)?;
        } else if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("xml")) {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase().replace("tumour", "tumor");
            if let Some(first) = found.insert(name.clone(), path.clone()) {
                return Err(CamelyonError::Twice { name, first, second: path });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slides_that_are_not_published_are_divided_into_folds_once_each() {
        for count in 2..12 {
            let names = (0..count).map(|number| (format!("normal_x{number}"), PathBuf::new())).collect();
            let folds: Vec<_> = (0..FOLDS).map(|fold| drawn(&names, fold, 3)).collect();
            let all: BTreeSet<_> = folds.iter().flatten().collect();
            assert_eq!((all.len(), folds.iter().map(BTreeSet::len).sum::<usize>()), (count, count));
            assert!(!folds[0].is_empty() && folds.iter().all(|fold| fold.len() < count), "{folds:?}");
        }
        let names = |list: &[&str]| list.iter().map(|name| ((*name).to_owned(), PathBuf::new())).collect();
        assert_eq!(unpublished(&names(&["normal_001", "tumor_111", "test_130"]), 0), None);
        let told = unpublished(&names(&["normal_001", "normal_161", "tumor_a", "test_131"]), 2);
        assert!(told.is_some_and(|told| told.starts_with("3 of 4 slides") && told.contains("fold 2")));
    }
}
