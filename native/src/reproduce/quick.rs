//! `--quick`: every artefact on synthetic tissue with runs of seconds, to see that all of it works.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use anyhow::Context as _;
use image::{DynamicImage, ImageFormat};
use serde::{Deserialize, Serialize};

use super::material::Source;
use crate::atomic;
use crate::augment::ResizeRule;
use crate::camelyon::{SampleSettings, find, sample};
use crate::csv_text::write_csv;
use crate::profile::Profile;
use crate::synth::{SlideSetConfig, SynthConfig, write_dataset, write_slides};

/// Side of the synthetic patches in pixels.
const SIDE: u32 = 64;
/// Patches per class: a quarter each to `valid` and `test`.
const PER_CLASS: usize = 8;

/// Makes a run as small as it can be.
pub(crate) fn shrink(profile: &mut Profile) {
    profile.train.epochs = 2;
    profile.train.batch_size = 4;
    profile.train.workers = 1;
    profile.train.learning_rate.initial = profile.train.learning_rate.initial.min(0.01);
    profile.input.resize = ResizeRule::ShortSide;
    (profile.input.size, profile.input.crop) = (SIDE, SIDE);
}

/// Writes the stand-in for a data set, unless it is there; false if the user stopped it.
pub(crate) fn data(root: &Path, source: Source) -> anyhow::Result<bool> {
    if root.join("labels.csv").is_file() {
        return Ok(true);
    }
    match source {
        Source::Glas => {
            let config =
                SynthConfig { size: SIDE, per_class: PER_CLASS, valid: 0.25, test: 0.25, ..SynthConfig::default() };
            write_dataset(root, &config)?;
            Ok(true)
        }
        Source::Camelyon => write_camelyon(root),
    }
}

/// Synthetic slides through the sampler, as the real ones go: patches of 128 microns.
fn write_camelyon(root: &Path) -> anyhow::Result<bool> {
    let folder = root.join("slides");
    if folder.exists() {
        // a run that was stopped
        std::fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    write_slides(&folder, &SlideSetConfig { seed: 1, side: 8 * SIDE, mpp: 2.0, training: 2, test: 1 }, |_| true)?;
    let settings = SampleSettings { size: SIDE, share: 0.0, chains: 1, ..SampleSettings::default() };
    let found = find(&[folder], settings.fold, settings.seed)?;
    let patches = root.join("patches");
    let Some(sampled) = sample(&found.slides, &settings, &patches, &|_| ())? else { return Ok(false) };
    // of each class and split the first few
    let (mut rows, mut seen) = (Vec::new(), BTreeMap::new());
    for row in csv::Reader::from_path(&sampled.labels)?.deserialize() {
        let row: Row = row?;
        let count: &mut usize = seen.entry((row.split.clone(), row.label.clone())).or_default();
        *count += 1;
        if *count <= if row.split == "train" { PER_CLASS / 2 } else { PER_CLASS / 4 } {
            let [path, mask] = [row.path, row.mask].map(|file| format!("patches/{file}"));
            rows.push(Row { path, mask, ..row });
        }
    }
    // last, so that a folder with a table is complete
    atomic::write(&root.join("labels.csv"), &write_csv(&rows)?)?;
    Ok(true)
}

#[derive(Serialize, Deserialize)]
struct Row {
    path: String,
    label: String,
    mask: String,
    split: String,
    group: String,
}

/// An image as the bytes of a PNG file.
pub(crate) fn png(image: DynamicImage) -> image::ImageResult<Vec<u8>> {
    let mut bytes = io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png)?;
    Ok(bytes.into_inner())
}
