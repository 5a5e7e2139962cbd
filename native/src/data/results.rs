//! Files that commands of this program write, so that results left among inputs are not taken for inputs.

use std::path::Path;

use histomask_core::picture_file::name::{is_other_picture, is_picture};

/// Tables and reports by their names: of a run, of predictions, of an evaluation, of a study and of an artefact. Tables
/// of a part have its number before the ending, `predictions-2of4.csv`. `slides.csv` may be a user's list of slides; of
/// ours `slides.json` lies beside it.
const NAMED: [&str; 7] =
    ["run.json", "predictions.csv", "evaluation.json", "slides.json", "study.csv", "study.json", "section.html"];

/// What stands behind a slide's name in the names of its files alone.
const OF_SLIDE: [&str; 5] = ["_probability.tif", "_tissue.geojson", "_tiles.csv", "_slide.json", ".partial"];
/// The same of files that lie elsewhere too.
const ALSO_OF_SLIDE: [&str; 2] = [".geojson", ".geojson.gz"];

/// Whether a folder holds results rather than data. A slide's results never lie beside the slide, so that a tissue
/// outline there is the user's.
pub(crate) fn holds_results(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    let names: Vec<_> = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    let of_slide = |stem: &str| {
        let beside = |name: &String| {
            let ending = name.strip_prefix(stem).filter(|ending| ending.starts_with('.'));
            ending.is_some_and(|ending| !OF_SLIDE.iter().chain(&ALSO_OF_SLIDE).any(|own| *own == ending))
        };
        // `a.svs.partial` is a download
        !(stem.is_empty() || is_picture(stem) || is_other_picture(stem) || names.iter().any(beside))
    };
    names.iter().any(|name| {
        NAMED.contains(&whole(name).as_str())
            || OF_SLIDE.iter().filter_map(|ending| name.strip_suffix(ending)).any(of_slide)
    })
}

/// Whether a file is the map of probabilities that a prediction makes of a slide, a pyramid as slides are.
pub(crate) fn is_probability_map(name: &str) -> bool {
    name.ends_with("_probability.tif")
}

/// The name of a part's table without its number: `run.json` for `run-2of4.json`.
fn whole(name: &str) -> String {
    let parted = || {
        let (stem, ending) = name.rsplit_once('.')?;
        let (table, part) = stem.rsplit_once('-')?;
        let (number, count) = part.split_once("of")?;
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
        (is_number(number) && is_number(count)).then(|| format!("{table}.{ending}"))
    };
    parted().unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

    use super::*;

    #[test]
    fn results_are_known_by_their_files() {
        let with = |files: &[&str]| {
            let folder = tempfile::tempdir().unwrap();
            files.iter().for_each(|file| std::fs::write(folder.path().join(file), "").unwrap());
            holds_results(folder.path())
        };
        for file in [
            "run.json",
            "run-10of12.json",
            "predictions-2of4.csv",
            "evaluation.json",
            "slides-1of2.json",
            "study.json",
            "section.html",
            "a.b_probability.tif",
            "a_tissue.geojson",
            "a_tiles.csv",
            "a.partial",
        ] {
            assert!(with(&[file, "a_mask.png", "a.geojson"]), "{file}");
        }
        for files in [
            &["a.png", "labels.csv", "runs.json", "run-2of.json", "slides-of4.csv", "mypredictions.csv"][..],
            // outlines of one's own beside the slides, and a download that is not finished
            &["a.svs", "a_tissue.geojson", "b.tif", "b.geojson.gz"],
            &["1.geojson", "2.geojson.gz"],
            &["a.svs", "b.svs.partial", "a.partial"],
            &["slides.csv", "a.svs", "b.svs"],
        ] {
            assert!(!with(files), "{files:?}");
        }
        assert!(!holds_results(Path::new("no such folder")));
    }
}
