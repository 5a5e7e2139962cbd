//! One folder per class: `root/<class>/*`, or `root/{train,valid,test}/<class>/*`.
//!
//! A mask is `root/masks/<the image's path>.png` (with or without the split folder), or lies beside its image as
//! `<stem>_mask.*` or `<stem>_anno.*`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::image::EXTENSIONS;
use super::labels::{class_list, label_of};
use super::splits::Splits;
use super::{DataConfig, DataError, Dataset, Layout, Sample, Split, list_folder};

const MASKS: &str = "masks";
const MASK_SUFFIXES: [&str; 2] = ["_mask", "_anno"];
/// Endings tried for a mask; JPEG would blur its edges.
const MASK_EXTENSIONS: [&str; 4] = ["png", "bmp", "tif", "tiff"];

/// Lists the tree; missing splits are drawn from the training images.
pub(super) fn open(root: &Path, config: &DataConfig) -> Result<Dataset, DataError> {
    let top = class_folders(root)?;
    let by_split: Vec<_> = top.iter().filter_map(|(name, path)| Some((Split::parse(name)?, path))).collect();
    let mut trees = Vec::new();
    if by_split.iter().any(|(split, _)| *split == Split::Train) {
        if let Some((name, path)) = top.iter().find(|(name, _)| Split::parse(name).is_none()) {
            let reason = format!("`{name}` lies beside split folders; move it below one, or name it `{MASKS}`");
            return Err(DataError::Layout { path: path.clone(), reason });
        }
        for (split, path) in by_split {
            trees.push((split, class_folders(path)?));
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
    for (split, tree) in trees {
        for (name, folder) in tree {
            let label = label_of(&name, &classes, || folder.display().to_string())?;
            let images = images(&folder)?;
            if images.is_empty() {
                let reason = "a class folder without an image directly inside; add images or remove the folder";
                return Err(DataError::Layout { path: folder, reason: reason.to_owned() });
            }
            for image in images {
                let id = relative(&image, root);
                let mask = find_mask(&image, root, split);
                splits.push(split, Sample { id, image, label, mask, group: None });
            }
        }
    }
    let Splits { train, valid, test } = splits.fill_empty(&classes, config)?;
    Ok(Dataset { root: root.to_owned(), layout: Layout::Folders, classes, train, valid, test, warnings: Vec::new() })
}

/// Names and paths of the folders inside `root` other than hidden ones, archive litter and `masks`.
fn class_folders(root: &Path) -> Result<Vec<(String, PathBuf)>, DataError> {
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let folders = list_folder(root)?.into_iter().filter(|path| path.is_dir());
    Ok(folders
        .filter_map(|path| Some((name(&path)?, path)))
        .filter(|(name, _)| !name.starts_with('.') && !name.starts_with("__") && name != MASKS)
        .collect())
}

/// The image files directly inside a folder, without masks and hidden files.
fn images(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let is_image = |path: &PathBuf| {
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
        let stem = stem(path);
        EXTENSIONS.contains(&extension.as_str())
            && !stem.starts_with('.')
            && !MASK_SUFFIXES.iter().any(|suffix| stem.ends_with(suffix))
            && path.is_file()
    };
    Ok(list_folder(folder)?.into_iter().filter(is_image).collect())
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

fn relative(path: &Path, root: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    below.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

fn find_mask(image: &Path, root: &Path, split: Split) -> Option<PathBuf> {
    let below = image.strip_prefix(root).ok()?;
    // without its first part, if that is the split folder
    let in_split = below.iter().next().filter(|first| Split::parse(&first.to_string_lossy()) == Some(split));
    let below_split = in_split.and_then(|first| below.strip_prefix(first).ok());
    let stems = [Some(below), below_split].into_iter().flatten().map(|below| root.join(MASKS).join(below));
    let stem = stem(image);
    let beside = MASK_SUFFIXES.iter().map(|suffix| image.with_file_name(format!("{stem}{suffix}.png")));
    stems
        .chain(beside)
        .flat_map(|path| MASK_EXTENSIONS.map(|extension| path.with_extension(extension)))
        .find(|path| path.is_file())
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
            "b/notes.txt",
            "a/3.tif",
            "a/4.webp",
            "masks/a/3.png",
            ".git/x.png",
        ]);
        let dataset = Dataset::open(root.path(), &DataConfig { valid_fraction: 0.5, ..DataConfig::default() }).unwrap();
        assert_eq!(dataset.classes, ["a", "b"]);
        assert_eq!((dataset.train.len(), dataset.valid.len(), dataset.test.len()), (2, 2, 0));
        let mask = |id: &str| dataset.samples().find(|(_, s)| s.id == id).unwrap().1.mask.clone();
        assert_eq!(mask("a/3.tif"), Some(root.path().join("masks/a/3.png")));
        assert_eq!(mask("b/1.PNG"), Some(root.path().join("b/1_mask.png")));
        assert_eq!(mask("b/2.jpeg"), None);
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
        let text = error(&tree(&["tumour/1.png", "normal/1.png"]), &["normal", "tumor"]);
        assert!(text.contains("did you mean `tumor`"), "{text}");
    }
}
