//! One folder per class: `root/<class>/**`, or `root/{train,valid,test}/<class>/**`; folders below a class belong to it.
//!
//! A mask is `root/masks/<the image's path>` (with or without the split folder, or by its name alone), or lies beside
//! its image; in both places its stem is the image's, with `_mask` or `_anno` behind it or in `masks` without.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use histomask_core::picture_file::name::{is_litter, is_other_picture, is_picture};

use super::by_split::Splits;
use super::geojson::is_geojson;
use super::labels::{class_list, label_of, nfc};
use super::left_out::{LeftOut, Reason};
use super::results::holds_results;
use super::{DataConfig, DataError, Dataset, Layout, Sample, Split, list_folder};

pub(super) const MASKS: &str = "masks";
const MASK_SUFFIXES: [&str; 2] = ["_mask", "_anno"];
/// Endings of annotations that are not read, besides those of images.
const OTHER_ANNOTATIONS: [&str; 3] = ["mat", "npz", "xml"];
/// Endings of masks, the first that is there counts: JPEG and WebP may have blurred its edges, so they come last.
const MASK_EXTENSIONS: [&str; 9] = ["png", "bmp", "tif", "tiff", "webp", "jpg", "jpeg", "jpe", "jfif"];

/// Lists the tree; missing splits are drawn from the training images.
pub(super) fn open(root: &Path, config: &DataConfig) -> Result<Dataset, DataError> {
    let mut left_out = LeftOut::default();
    let top = class_folders(root, &mut left_out)?;
    let by_split: Vec<_> = top.iter().filter_map(|(name, path)| Some((Split::parse(name)?, path))).collect();
    let mut trees = Vec::new();
    // split folders alone, or with train among them
    let has_train = by_split.iter().any(|(split, _)| *split == Split::Train);
    let only_splits = !top.is_empty() && by_split.len() == top.len();
    let holds_classes =
        |path: &Path| class_folders(path, &mut LeftOut::default()).is_ok_and(|folders| !folders.is_empty());
    if has_train || (only_splits && by_split.iter().all(|(_, path)| holds_classes(path))) {
        if let Some((name, path)) = top.iter().find(|(name, _)| Split::parse(name).is_none()) {
            let reason = format!("`{name}` lies beside split folders; move it below one, or name it `{MASKS}`");
            return Err(DataError::Layout { path: path.clone(), reason });
        }
        for (split, path) in by_split {
            trees.push((split, class_folders(path, &mut left_out)?));
        }
    } else {
        trees.push((Split::Train, top));
    }

    let found: BTreeSet<_> = trees.iter().flat_map(|(_, tree)| tree.iter().map(|(name, _)| name.clone())).collect();
    if found.is_empty() {
        let reason = "no class folders here; expected <class>/*.png, train/<class>/*.png, labels.csv or Grade.csv";
        return Err(DataError::Layout { path: root.to_owned(), reason: reason.to_owned() });
    }
    let classes = class_list(&config.class_names, found);
    let mut splits = Splits::default();
    let mut masks = Masks::list(root, &mut left_out)?;
    for path in list_folder(root)?.into_iter().filter(|path| path.is_file() && is_picture(&name(path))) {
        left_out.add(Reason::NoLabel, &path);
    }
    for (split, tree) in trees {
        for (name, folder) in tree {
            let label = label_of(&name, &classes, || folder.display().to_string())?;
            let images = images(&folder, &mut left_out, &mut above(&folder)?)?;
            if images.is_empty() {
                let reason = "a class folder without an image inside; add images or remove the folder";
                return Err(DataError::Layout { path: folder, reason: reason.to_owned() });
            }
            for image in images {
                let id = relative(&image, root);
                let mask = masks.find(&image, root, split);
                splits.push(split, Sample { id, image, label, mask, group: None });
            }
        }
    }
    masks.unmatched(&mut left_out);
    refuse_shared_masks(&splits)?;
    let Splits { train, valid, test } = splits.fill_empty(&classes, config)?;
    let (root, layout, warnings) = (root.to_owned(), Layout::Folders, Vec::new());
    Ok(Dataset { root, layout, classes, train, valid, test, warnings, left_out })
}

/// A mask that is found by its name alone may be found by images of the same name in two folders.
fn refuse_shared_masks(splits: &Splits) -> Result<(), DataError> {
    let mut images = BTreeMap::new();
    for sample in splits.train.iter().chain(&splits.valid).chain(&splits.test) {
        let Some(mask) = &sample.mask else { continue };
        if let Some(first) = images.insert(mask, &sample.image) {
            let (first, second) = (first.display(), sample.image.display());
            let reason = format!(
                "is the mask of {first} and of {second}, and can be of one alone; put masks where their images are, as \
                 {MASKS}/<class>/<name>, or give each image a name of its own"
            );
            return Err(DataError::Layout { path: mask.clone(), reason });
        }
    }
    Ok(())
}

/// Names and paths of the folders inside `root` other than hidden ones, archive litter, `masks` and results.
fn class_folders(root: &Path, left_out: &mut LeftOut) -> Result<Vec<(String, PathBuf)>, DataError> {
    let mut folders = Vec::new();
    for path in list_folder(root)?.into_iter().filter(|path| path.is_dir()) {
        let name = nfc(&name(&path));
        if is_litter(&name) || name.starts_with("__") || name.eq_ignore_ascii_case(MASKS) {
            continue;
        }
        match holds_results(&path) {
            true => left_out.add(Reason::Results, &path),
            false => folders.push((name, path)),
        }
    }
    Ok(folders)
}

/// The folders above one, which a link in it may lead back to: what lies there is of other classes.
fn above(folder: &Path) -> Result<BTreeSet<PathBuf>, DataError> {
    let folder = folder.canonicalize().map_err(|error| DataError::io(folder, error))?;
    Ok(folder.ancestors().skip(1).map(Path::to_owned).collect())
}

/// The image files of a folder and of those below it, without masks and hidden files. Folders already seen are not
/// entered again: a link may lead back to one above, and every image would count forty times.
fn images(folder: &Path, left_out: &mut LeftOut, seen: &mut BTreeSet<PathBuf>) -> Result<Vec<PathBuf>, DataError> {
    let mut found = Vec::new();
    if !seen.insert(folder.canonicalize().map_err(|error| DataError::io(folder, error))?) {
        return Ok(found);
    }
    for path in list_folder(folder)? {
        let name = name(&path);
        if is_litter(&name) {
            left_out.add(Reason::Hidden, &path);
        } else if path.is_dir() {
            if name.eq_ignore_ascii_case(MASKS) {
            } else if holds_results(&path) {
                left_out.add(Reason::Results, &path);
            } else {
                found.extend(images(&path, left_out, seen)?);
            }
        } else if is_other_picture(&name) {
            left_out.add(Reason::Unreadable, &path);
        } else if is_picture(&name) && !is_mask_name(&path) {
            found.push(path);
        }
    }
    Ok(found)
}

pub(super) fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

pub(super) fn is_mask_name(path: &Path) -> bool {
    let stem = stem(path).to_lowercase();
    MASK_SUFFIXES.iter().any(|suffix| stem.ends_with(suffix))
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

fn relative(path: &Path, root: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    nfc(&below.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/"))
}

/// The mask files of a data set by their places, without endings, letter case and the form of their letters.
struct Masks {
    /// Files below `masks`, by their path without its ending, in lower case; and whether an image has it.
    listed: BTreeMap<String, Vec<(PathBuf, bool)>>,
    /// Files of folders looked at for masks beside their images, likewise.
    beside: BTreeMap<PathBuf, BTreeMap<String, Vec<(PathBuf, bool)>>>,
}

impl Masks {
    fn list(root: &Path, left_out: &mut LeftOut) -> Result<Self, DataError> {
        let mut listed = BTreeMap::new();
        let folder =
            list_folder(root)?.into_iter().find(|path| path.is_dir() && name(path).eq_ignore_ascii_case(MASKS));
        if let Some(folder) = folder {
            let (mut folders, mut seen) = (vec![folder.clone()], BTreeSet::new());
            while let Some(inside) = folders.pop() {
                if !seen.insert(inside.canonicalize().map_err(|error| DataError::io(&inside, error))?) {
                    continue;
                }
                for path in list_folder(&inside)? {
                    if is_litter(&name(&path)) {
                    } else if path.is_dir() {
                        folders.push(path);
                    } else if is_other_picture(&name(&path)) || is_other_annotation(&path) {
                        left_out.add(Reason::Unreadable, &path);
                    } else if is_picture(&name(&path)) || is_geojson(&path) {
                        let key = key(path.strip_prefix(&folder).unwrap_or(&path));
                        listed.entry(key).or_insert_with(Vec::new).push((path, false));
                    }
                }
            }
        }
        Ok(Self { listed, beside: BTreeMap::new() })
    }

    /// The mask of an image.
    fn find(&mut self, image: &Path, root: &Path, split: Split) -> Option<PathBuf> {
        let below = image.strip_prefix(root).ok()?;
        // without its first part, if that is the split folder
        let in_split = below.iter().next().filter(|first| Split::parse(&first.to_string_lossy()) == Some(split));
        let below_split = in_split.and_then(|first| below.strip_prefix(first).ok());
        let name = Path::new(below.file_name()?);
        let places: Vec<_> = [Some(below), below_split, Some(name)].into_iter().flatten().map(key).collect();
        let with_suffixes = |key: &String| [key.clone(), format!("{key}_mask"), format!("{key}_anno")];
        if let Some(mask) = places.iter().flat_map(with_suffixes).find_map(|key| take(&mut self.listed, &key)) {
            return Some(mask);
        }
        let folder = image.parent()?;
        let beside = self.beside.entry(folder.to_owned()).or_insert_with(|| {
            let mut files = BTreeMap::new();
            for path in list_folder(folder).unwrap_or_default().into_iter().filter(|path| is_mask_name(path)) {
                if (is_picture(&self::name(&path)) || is_geojson(&path)) && path.is_file() {
                    files.entry(key(Path::new(&self::name(&path)))).or_insert_with(Vec::new).push((path, false));
                }
            }
            files
        });
        let stem = key(name);
        MASK_SUFFIXES.iter().find_map(|suffix| take(beside, &format!("{stem}{suffix}")))
    }

    /// Names the masks that no image has.
    fn unmatched(self, left_out: &mut LeftOut) {
        let all = self.listed.into_values().chain(self.beside.into_values().flat_map(BTreeMap::into_values));
        let unused = all.filter(|files| files.iter().all(|(_, used)| !used));
        unused.flatten().for_each(|(path, _)| left_out.add(Reason::MaskWithoutImage, &path));
    }
}

/// The best file of a key, which is taken from now on.
fn take(files: &mut BTreeMap<String, Vec<(PathBuf, bool)>>, key: &str) -> Option<PathBuf> {
    let rank = |path: &Path| {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
        MASK_EXTENSIONS.iter().position(|known| *known == ending)
    };
    let (path, used) = files.get_mut(key)?.iter_mut().min_by_key(|(path, _)| rank(path).unwrap_or(usize::MAX))?;
    *used = true;
    Some(path.clone())
}

fn is_other_annotation(path: &Path) -> bool {
    path.extension().is_some_and(|ending| OTHER_ANNOTATIONS.iter().any(|other| ending.eq_ignore_ascii_case(other)))
}

/// A path without its ending, in lower case and one form of its letters.
fn key(path: &Path) -> String {
    let packed = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gz"));
    let path = if packed { path.with_extension("") } else { path.to_owned() };
    let parts: Vec<_> = path.with_extension("").iter().map(|part| part.to_string_lossy().to_lowercase()).collect();
    nfc(&parts.join("/"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        root
    }

    fn ids(samples: &[Sample]) -> Vec<&str> {
        samples.iter().map(|sample| sample.id.as_str()).collect()
    }

    #[test]
    fn classes_are_sorted_and_masks_are_found() {
        let root = tree(&[
            "b/1.PNG",
            "b/1_mask.png",
            "b/2.jpeg",
            "b/5_mask.geojson",
            "b/5.png",
            "b/notes.txt",
            "a/3.tif",
            "a/4.webp",
            "a/6.png",
            "masks/a/3.png",
            "masks/a/3.geojson",
            "masks/a/4.geojson.gz",
            "masks/6.npy",
            "masks/6.XML",
            "masks/readme.txt",
            ".git/x.png",
            "predictions/3_overlay.png",
            "predictions/predictions.csv",
            "b/evaluation-valid/evaluation.json",
            "b/evaluation-valid/5.png",
        ]);
        let dataset = Dataset::open(root.path(), &DataConfig { valid_fraction: 0.5, ..DataConfig::default() }).unwrap();
        assert_eq!(dataset.left_out.count(Reason::Results), 2);
        assert_eq!(dataset.classes, ["a", "b"]);
        assert_eq!((dataset.train.len(), dataset.valid.len(), dataset.test.len()), (2, 4, 0));
        assert_eq!(dataset.left_out.count(Reason::Unreadable), 2);
        let mask = |id: &str| dataset.samples().find(|(_, s)| s.id == id).unwrap().1.mask.clone();
        assert_eq!(mask("a/3.tif"), Some(root.path().join("masks/a/3.png")));
        assert_eq!(mask("b/1.PNG"), Some(root.path().join("b/1_mask.png")));
        assert_eq!(mask("a/4.webp"), Some(root.path().join("masks/a/4.geojson.gz")));
        assert_eq!(mask("b/5.png"), Some(root.path().join("b/5_mask.geojson")));
        assert_eq!((mask("b/2.jpeg"), mask("a/6.png")), (None, None));
    }

    #[test]
    fn split_folders_are_kept() {
        let root = tree(&[
            "train/a/1.png",
            "train/b/1.png",
            "val/a/2.png",
            "val/b/2.png",
            "test/b/3.png",
            "masks/test/b/3.png",
            "masks/a/2.bmp",
        ]);
        let dataset = Dataset::open(root.path(), &DataConfig::default()).unwrap();
        assert_eq!(ids(&dataset.train), ["train/a/1.png", "train/b/1.png"]);
        assert_eq!(ids(&dataset.valid), ["val/a/2.png", "val/b/2.png"]);
        assert_eq!(ids(&dataset.test), ["test/b/3.png"]);
        assert_eq!(dataset.test[0].mask, Some(root.path().join("masks/test/b/3.png")));
        assert_eq!(dataset.valid[0].mask, Some(root.path().join("masks/a/2.bmp")));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_folder_above_brings_no_image_of_another_class() {
        let root = tree(&["a/1.png", "a/2.png", "b/3.png", "b/4.png"]);
        std::os::unix::fs::symlink(root.path(), root.path().join("a/all")).unwrap();
        let dataset = Dataset::open(root.path(), &DataConfig::default()).unwrap();
        assert_eq!(dataset.samples().count(), 4);
    }

    #[test]
    fn a_wrong_tree_is_explained() {
        let error = |root: &tempfile::TempDir, names: &[&str]| {
            let class_names = names.iter().map(|&name| name.to_owned()).collect();
            let config = DataConfig { class_names, ..DataConfig::default() };
            Dataset::open(root.path(), &config).unwrap_err().to_string()
        };
        assert!(error(&tree(&["x.png"]), &[]).contains("no class folders"));
        assert!(error(&tree(&["a/x.txt"]), &[]).contains("without an image"));
        assert!(error(&tree(&["train/a/1.png", "other/1.png"]), &[]).contains("`other` lies beside split folders"));
        assert!(
            error(&tree(&["Tumor/1.png", "Tumor/2.png", "tumor/3.png", "tumor/4.png"]), &[])
                .contains("differ in the case of letters alone")
        );
        let text = error(&tree(&["a/1.png", "b/1.png", "masks/1.png"]), &[]);
        assert!(text.contains("a/1.png and of") && text.contains("masks/<class>/<name>"), "{text}");
        let text = error(&tree(&["tumour/1.png", "normal/1.png"]), &["normal", "tumor"]);
        assert!(text.contains("did you mean `tumor`"), "{text}");
    }
}
