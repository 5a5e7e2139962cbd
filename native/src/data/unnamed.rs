//! Images that lie where a table's images lie, and that no row names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use histomask_core::picture_file::name::{is_litter, is_other_picture, is_picture};

use super::folders::{MASKS, is_mask_name, name};
use super::left_out::{LeftOut, Reason};
use super::results::holds_results;
use super::{DataError, Sample, list_folder};

/// Looks through `root` and what is below where `whole` says that it is the data set, else through the folders that
/// hold the samples' images.
///
/// # Errors
/// [`DataError::Io`] naming a folder that cannot be listed.
pub(super) fn left_out<'a>(
    root: &Path,
    whole: bool,
    samples: impl Iterator<Item = &'a Sample>,
) -> Result<LeftOut, DataError> {
    let (mut named, mut folders) = (BTreeSet::new(), BTreeSet::new());
    for sample in samples {
        for path in std::iter::once(&sample.image).chain(&sample.mask) {
            named.insert(plain(path));
        }
        folders.extend(sample.image.parent().map(Path::to_owned));
    }
    if whole {
        folders = BTreeSet::from([root.to_owned()]);
    }
    let (mut left_out, mut seen) = (LeftOut::default(), BTreeSet::new());
    let mut ahead: Vec<PathBuf> = folders.into_iter().rev().collect();
    while let Some(folder) = ahead.pop() {
        // a link may lead back to one above; a folder that a row names wrongly is told where its image is missing
        let Ok(real) = folder.canonicalize() else { continue };
        if !seen.insert(real) {
            continue;
        }
        let of_masks = name(&folder).eq_ignore_ascii_case(MASKS);
        for path in list_folder(&folder)? {
            let file = name(&path);
            if is_litter(&file) {
                left_out.add(Reason::Hidden, &path);
            } else if path.is_dir() {
                match whole {
                    true if holds_results(&path) => left_out.add(Reason::Results, &path),
                    true => ahead.push(path),
                    false => {}
                }
            } else if is_other_picture(&file) {
                left_out.add(Reason::Unreadable, &path);
            } else if is_picture(&file) && !named.contains(&plain(&path)) {
                let mask = of_masks || is_mask_name(&path);
                left_out.add(if mask { Reason::MaskWithoutImage } else { Reason::NoLabel }, &path);
            }
        }
    }
    Ok(left_out)
}

/// One path for a file, by whatever links and dots it is named.
fn plain(path: &Path) -> PathBuf {
    let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
    folder.zip(path.file_name()).map_or_else(|| path.to_owned(), |(folder, name)| folder.join(name))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

    use crate::data::{DataConfig, Dataset, Reason};

    #[test]
    fn images_that_no_row_names_are_told() {
        let root = tempfile::tempdir().unwrap();
        let files = [
            "images/1.png",
            "images/2.png",
            "images/3.png",
            "images/notes.txt",
            "images/4.svs",
            "masks/1.png",
            "masks/9.png",
            "more/5.jpg",
            "out/6.png",
            "out/predictions-2of4.csv",
            "slides/a_overlay.png",
            "slides/a_probability.tif",
            ".hidden.png",
        ];
        for file in files {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let table = "path,label,mask\n./images/1.png,a,masks/1.png\nimages/../images/2.png,b,\n";
        std::fs::write(root.path().join("labels.csv"), table).unwrap();
        let counts = |path| {
            let dataset = Dataset::open(path, &DataConfig { valid_fraction: 0.0, ..DataConfig::default() }).unwrap();
            [Reason::NoLabel, Reason::MaskWithoutImage, Reason::Unreadable, Reason::Hidden, Reason::Results]
                .map(|reason| dataset.left_out.count(reason))
        };
        assert_eq!(counts(root.path()), [2, 1, 1, 1, 2], "of a folder, everything below it");
        // a table by its own name may lie anywhere
        assert_eq!(counts(&root.path().join("labels.csv")), [1, 0, 1, 0, 0], "of a table, where its images lie");
    }
}
