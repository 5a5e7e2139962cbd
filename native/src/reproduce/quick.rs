//! `--quick`: every artefact on synthetic tissue with runs of seconds, to see that all of it works.

use std::io;
use std::path::Path;

use anyhow::Context as _;
use image::{DynamicImage, ImageFormat};

use super::material::Source;
use crate::augment::ResizeRule;
use crate::camelyon::{SampleSettings, find, sample};
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

/// Writes the stand-in for a data set, unless it is there.
pub(crate) fn data(root: &Path, source: Source) -> anyhow::Result<()> {
    if root.join("labels.csv").is_file() {
        return Ok(());
    }
    match source {
        Source::Glas => {
            let config =
                SynthConfig { size: SIDE, per_class: PER_CLASS, valid: 0.25, test: 0.25, ..SynthConfig::default() };
            write_dataset(root, &config)?;
        }
        Source::Camelyon => write_camelyon(root)?,
    }
    Ok(())
}

/// Synthetic slides through the sampler, as the real ones go: patches of 128 microns.
fn write_camelyon(root: &Path) -> anyhow::Result<()> {
    let folder = root.join("slides");
    if folder.exists() {
        // a run that was stopped
        std::fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    write_slides(&folder, &SlideSetConfig { seed: 1, side: 8 * SIDE, mpp: 2.0, training: 2, test: 1 }, |_| true)?;
    let settings = SampleSettings { size: SIDE, share: 0.0, chains: 1, ..SampleSettings::default() };
    let found = find(&[folder], settings.fold, settings.seed)?;
    // the table comes last, so that a folder with one is complete
    sample(&found.slides, &settings, root, &|_| ())?;
    Ok(())
}

/// An image as the bytes of a PNG file.
pub(crate) fn png(image: DynamicImage) -> image::ImageResult<Vec<u8>> {
    let mut bytes = io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png)?;
    Ok(bytes.into_inner())
}
