//! A folder of synthetic patches: `images/`, `masks/` and `labels.csv`.

use std::{
    io,
    path::{Path, PathBuf},
};

use image::ImageFormat;
use rand::{SeedableRng as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::Serialize;

use super::{SynthClass, SynthConfig, generate};
use crate::atomic::{self, WriteError};

/// Why a data set could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SynthError {
    /// A setting out of its range.
    #[error("synthetic data: {0}")]
    Config(String),
    /// The folder holds a data set already.
    #[error("{0} is there already: choose an empty folder, or delete that data set first")]
    Exists(PathBuf),
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A picture could not be encoded.
    #[error("cannot encode {path} as PNG: {source}")]
    Encode {
        /// What was being written.
        path: PathBuf,
        /// The encoder's reason.
        source: image::ImageError,
    },
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SynthSummary {
    /// The label file.
    pub labels: PathBuf,
    /// Patches in the split `train`, both classes together.
    pub train: usize,
    /// Patches in `valid`.
    pub valid: usize,
    /// Patches in `test`.
    pub test: usize,
}

#[derive(Serialize)]
struct Row {
    path: String,
    label: &'static str,
    mask: String,
    split: &'static str,
}

/// Writes `2 * per_class` patches below `root`, created where missing, in parallel. `labels.csv` has the columns
/// `path,label,mask,split`, paths relative to it; it comes last and every file is renamed into place, so that a
/// folder with a label file is complete. Splits are stratified, and the two patches that share a stroma share a split.
///
/// # Errors
/// A setting out of range, a folder that holds a `labels.csv` already, a file that cannot be written.
pub fn write_dataset(root: &Path, cfg: &SynthConfig) -> Result<SynthSummary, SynthError> {
    let splits = splits(cfg)?;
    let labels = root.join("labels.csv");
    if labels.exists() {
        return Err(SynthError::Exists(labels));
    }
    let jobs: Vec<_> =
        SynthClass::ALL.into_iter().flat_map(|class| splits.iter().enumerate().map(move |s| (class, s))).collect();
    let rows = jobs.into_par_iter().map(|(class, (i, &split))| {
        let patch = generate(i, class, cfg);
        let name = format!("{}_{i:04}.png", class.name());
        let row = Row { path: format!("images/{name}"), label: class.name(), mask: format!("masks/{name}"), split };
        atomic::write(&root.join(&row.path), &png(&patch.image.into(), &root.join(&row.path))?)?;
        atomic::write(&root.join(&row.mask), &png(&patch.mask.into(), &root.join(&row.mask))?)?;
        Ok(row)
    });
    let rows = rows.collect::<Result<Vec<Row>, SynthError>>()?;
    atomic::write(&labels, &table(&rows).map_err(|source| WriteError { path: labels.clone(), source })?)?;
    let count = |name| rows.iter().filter(|row| row.split == name).count();
    Ok(SynthSummary { labels, train: count("train"), valid: count("valid"), test: count("test") })
}

/// The split of every index, the same for both classes.
fn splits(cfg: &SynthConfig) -> Result<Vec<&'static str>, SynthError> {
    let refuse = |why: String| Err(SynthError::Config(why));
    if !(1..=4).contains(&cfg.zoom) {
        return refuse(format!("zoom is {}, set it to 1 to 4", cfg.zoom));
    }
    if !(32..=1024).contains(&cfg.size) {
        return refuse(format!("size is {}, set it to 32 to 1024 pixels", cfg.size));
    }
    if !(1..=100_000).contains(&cfg.per_class) {
        return refuse(format!("per_class is {}, set it to 1 to 100000 patches", cfg.per_class));
    }
    if ![cfg.valid, cfg.test].iter().all(|share| (0.0..1.0).contains(share)) || cfg.valid + cfg.test >= 1.0 {
        return refuse(format!(
            "valid {} and test {} must be shares that leave some for training",
            cfg.valid, cfg.test
        ));
    }
    let count = |share: f64| (share * cfg.per_class as f64).round() as usize;
    let (valid, test) = (count(cfg.valid), count(cfg.test));
    if valid + test >= cfg.per_class {
        return refuse(format!("{} patches per class leave none for training, raise per_class", cfg.per_class));
    }
    let mut splits: Vec<_> = (0..cfg.per_class)
        .map(|k| {
            if k < valid {
                "valid"
            } else if k < valid + test {
                "test"
            } else {
                "train"
            }
        })
        .collect();
    splits.shuffle(&mut ChaCha8Rng::seed_from_u64(cfg.seed));
    Ok(splits)
}

fn png(image: &image::DynamicImage, path: &Path) -> Result<Vec<u8>, SynthError> {
    let mut bytes = io::Cursor::new(Vec::new());
    image
        .write_to(&mut bytes, ImageFormat::Png)
        .map_err(|source| SynthError::Encode { path: path.to_owned(), source })?;
    Ok(bytes.into_inner())
}

fn table(rows: &[Row]) -> io::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row).map_err(io::Error::other)?;
    }
    writer.into_inner().map_err(|error| io::Error::other(error.to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail loudly")]
    use super::*;

    #[test]
    fn writes_a_complete_stratified_data_set_once() {
        let root = tempfile::tempdir().unwrap();
        let cfg = SynthConfig { size: 32, per_class: 10, ..SynthConfig::default() };
        let summary = write_dataset(root.path(), &cfg).unwrap();
        assert_eq!((summary.train, summary.valid, summary.test), (12, 4, 4));

        let mut reader = csv::Reader::from_path(&summary.labels).unwrap();
        assert_eq!(reader.headers().unwrap(), vec!["path", "label", "mask", "split"]);
        let mut regular_in_test = 0;
        for row in reader.records() {
            let row = row.unwrap();
            let image = image::open(root.path().join(&row[0])).unwrap().to_rgb8();
            let mask = image::open(root.path().join(&row[2])).unwrap().to_luma8();
            assert_eq!(image.dimensions(), mask.dimensions());
            assert!(mask.pixels().all(|p| [0, 255].contains(&p.0[0])));
            regular_in_test += usize::from(&row[1] == "regular" && &row[3] == "test");
        }
        assert_eq!(regular_in_test, 2);
        let files = |folder| std::fs::read_dir(root.path().join(folder)).unwrap().count();
        assert_eq!((files("images"), files("masks")), (20, 20), "no partial files are left");
        assert!(matches!(write_dataset(root.path(), &cfg), Err(SynthError::Exists(_))));
    }

    #[test]
    fn refuses_settings_that_make_no_data_set() {
        let root = tempfile::tempdir().unwrap();
        for cfg in [
            SynthConfig { size: 0, ..SynthConfig::default() },
            SynthConfig { per_class: 0, ..SynthConfig::default() },
            SynthConfig { valid: 0.6, test: 0.5, ..SynthConfig::default() },
            SynthConfig { valid: f64::NAN, ..SynthConfig::default() },
        ] {
            assert!(matches!(write_dataset(root.path(), &cfg), Err(SynthError::Config(_))), "{cfg:?}");
        }
    }
}
