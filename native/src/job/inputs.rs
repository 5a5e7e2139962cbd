//! Which images a list of files, folders and patterns means.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use histomask_core::picture_file::name::{is_litter, is_other_picture, is_picture};

use crate::data::cells::{self, Cells};
use crate::data::image::EXTENSIONS as IMAGE_EXTENSIONS;
use crate::data::results::{holds_results, is_probability_map};
use crate::data::slides::{is_named_as_slide, is_whole_slide};
use crate::data::{DataError, LeftOut, Reason, nfc, place};

/// An image or slide to predict, and the name its results begin with.
pub(crate) struct Input {
    pub(crate) path: PathBuf,
    pub(crate) stem: String,
    /// Whether it is a whole slide.
    pub(crate) slide: bool,
    /// Microns per pixel that a list of slides gives it.
    pub(crate) mpp: Option<f64>,
}

/// Files, folders (their images, sorted), globs and CSV files with a column `path`, each image once, each with a name of
/// its own.
pub(crate) fn inputs(inputs: &[PathBuf], left_out: &mut LeftOut) -> anyhow::Result<Vec<Input>> {
    let mut paths = Vec::new();
    let mut scales = BTreeMap::new();
    for input in inputs {
        if input.is_file() && input.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv")) {
            for (path, mpp) in listed(input)? {
                scales.extend(mpp.map(|mpp| (place(&path), mpp)));
                paths.push(path);
            }
        } else if input.is_dir() {
            paths.extend(images_in(input, left_out)?);
        } else if input.exists() {
            paths.push(input.clone());
        } else {
            let pattern = input.to_string_lossy();
            let matches =
                glob::glob(&pattern_of(input)).with_context(|| format!("{pattern}: neither a file nor a pattern"))?;
            let mut found: Vec<_> = matches.collect::<Result<_, _>>()?;
            found.retain(|path| {
                let hidden = is_litter(&path.file_name().unwrap_or_default().to_string_lossy());
                if hidden {
                    left_out.add(Reason::Hidden, path);
                }
                !hidden
            });
            if found.is_empty() {
                bail!("{pattern}: no such file, and nothing matches it as a pattern");
            }
            paths.extend(found);
        }
    }
    if paths.is_empty() {
        bail!("no images found; image files end in {}", IMAGE_EXTENSIONS.join(", "));
    }
    let mut seen = BTreeSet::new();
    // `a.png` and `./a.png` are one
    paths.retain(|path| seen.insert(place(path)));
    let mut taken = BTreeSet::new();
    let named = paths.into_iter().map(|path| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let slide = is_whole_slide(&path);
        let numbered = (2..).map(|number| format!("{stem}-{number}"));
        let free = std::iter::once(stem.clone()).chain(numbered).find(|name| {
            // the tissue of a slide `a` and the outlines of an image `a_tissue` are files of one name
            let own = [name.clone(), if slide { format!("{name}_tissue") } else { name.clone() }];
            // also where letters of either case or form are the same
            let own = own.map(|name| nfc(&name).to_lowercase());
            let free = own.iter().all(|name| !taken.contains(name));
            if free {
                taken.extend(own);
            }
            free
        });
        let mpp = scales.get(&place(&path)).copied();
        Input { stem: free.unwrap_or(stem), slide, mpp, path }
    });
    Ok(named.collect())
}

/// The files of a CSV list, relative to it, with their microns per pixel where it has such a column.
fn listed(list: &Path) -> anyhow::Result<Vec<(PathBuf, Option<f64>)>> {
    let Cells { header, rows } = cells::read(list)?;
    let column = |names: &[&str]| header.iter().position(|name| names.contains(&name.as_str()));
    let Some(path) = column(&["path", "slide"]) else {
        bail!("{}, line 1: the header must have a column path; mpp may follow", list.display());
    };
    let mpp = column(&["mpp"]);
    let root = list.parent().unwrap_or(Path::new(""));
    let mut files = Vec::new();
    for (line, record) in rows {
        let cell = |column: usize| record.get(column).filter(|cell| !cell.is_empty());
        let Some(file) = cell(path) else { bail!("{}, line {line}: the path is empty", list.display()) };
        let file = root.join(cells::found(root, file));
        if !file.exists() {
            bail!("{}, line {line}: {}: no such file", list.display(), file.display());
        }
        let mpp = match mpp.and_then(cell) {
            None => None,
            // where semicolons part the cells, decimals mostly have a comma
            Some(text) => match text.replace(',', ".").parse::<f64>() {
                Ok(mpp) if mpp.is_finite() && mpp > 0.0 => Some(mpp),
                _ => bail!("{}, line {line}: mpp `{text}` is no size of a pixel", list.display()),
            },
        };
        files.push((file, mpp));
    }
    Ok(files)
}

/// Results must not lie among images: `x_mask.png` may be the true mask of `x.png`, and folders with results are left
/// out where images are looked for.
pub(crate) fn refuse_folder_of_inputs<'a>(
    out: &Path,
    images: impl IntoIterator<Item = &'a Path>,
) -> anyhow::Result<()> {
    let Ok(out) = out.canonicalize() else { return Ok(()) };
    let folder = |image: &Path| image.canonicalize().ok()?.parent().map(Path::to_owned);
    if images.into_iter().any(|image| folder(image).as_ref() == Some(&out)) {
        bail!(
            "{}: images lie in this folder, and results could replace files of yours, or be taken for them; name another \
             --out",
            out.display()
        );
    }
    Ok(())
}

/// The part of a pattern that names an existing folder stands for itself, whatever characters it has.
fn pattern_of(input: &Path) -> String {
    let folder = input.ancestors().skip(1).find(|folder| !folder.as_os_str().is_empty() && folder.is_dir());
    let Some(folder) = folder else { return input.to_string_lossy().into_owned() };
    let rest = input.strip_prefix(folder).unwrap_or(input).to_string_lossy().into_owned();
    let escaped = glob::Pattern::escape(&folder.to_string_lossy());
    format!("{}/{rest}", escaped.trim_end_matches('/'))
}

/// The images of a folder and of those below it, by name.
fn images_in(folder: &Path, left_out: &mut LeftOut) -> anyhow::Result<Vec<PathBuf>> {
    let paths = walk(folder, left_out, &mut BTreeSet::new())?;
    if paths.is_empty() {
        bail!("{}: no images in this folder; image files end in {}", folder.display(), IMAGE_EXTENSIONS.join(", "));
    }
    Ok(paths)
}

/// Folders already seen are not entered again: a link may lead back to one above.
fn walk(folder: &Path, left_out: &mut LeftOut, seen: &mut BTreeSet<PathBuf>) -> Result<Vec<PathBuf>, DataError> {
    let failed = |error| DataError::io(folder, error);
    if !seen.insert(folder.canonicalize().map_err(failed)?) {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(folder).map_err(failed)?.map(|entry| Ok(entry?.path()));
    let mut entries = entries.collect::<std::io::Result<Vec<_>>>().map_err(failed)?;
    entries.sort();
    let mut paths = Vec::new();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if is_litter(&name) {
            left_out.add(Reason::Hidden, &path);
        } else if path.is_dir() {
            if holds_results(&path) {
                left_out.add(Reason::Results, &path);
                continue;
            }
            let below = walk(&path, left_out, seen)?;
            // a folder that is named as an image and holds none was meant to be one
            if below.is_empty() && is_picture(&name) {
                paths.push(path);
            }
            paths.extend(below);
        } else if is_probability_map(&name) {
            left_out.add(Reason::Results, &path);
        } else if is_picture(&name) || is_named_as_slide(&path) {
            paths.push(path);
        } else if is_other_picture(&name) {
            left_out.add(Reason::Unreadable, &path);
        }
    }
    Ok(paths)
}
