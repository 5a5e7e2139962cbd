//! `--quick`: every artefact on synthetic tissue with runs of seconds, to see that all of it works.

use std::io;
use std::path::Path;

use image::{DynamicImage, ImageFormat};
use serde::Serialize;

use super::material::Source;
use crate::atomic;
use crate::augment::ResizeRule;
use crate::profile::Profile;
use crate::synth::{SynthClass, SynthConfig, generate, write_dataset};

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

#[derive(Serialize)]
struct Row {
    path: String,
    label: &'static str,
    mask: String,
    split: &'static str,
}

/// Irregular glands are the tumour; regular ones are normal and have nothing to mark.
fn write_camelyon(root: &Path) -> anyhow::Result<()> {
    let config = SynthConfig { seed: 1, size: SIDE, ..SynthConfig::default() };
    let mut writer = csv::Writer::from_writer(Vec::new());
    for (class, label) in [(SynthClass::Regular, "normal"), (SynthClass::Irregular, "tumor")] {
        for number in 0..PER_CLASS {
            let mut patch = generate(number, class, &config);
            if class == SynthClass::Regular {
                patch.mask.fill(0);
            }
            let name = format!("{label}_{number:02}.png");
            let split = ["train", "valid", "train", "test"][number % 4];
            let row = Row { path: format!("images/{name}"), label, mask: format!("masks/{name}"), split };
            atomic::write(&root.join(&row.path), &png(patch.image.into())?)?;
            atomic::write(&root.join(&row.mask), &png(patch.mask.into())?)?;
            writer.serialize(row)?;
        }
    }
    // last, so that a folder with a table is complete
    atomic::write(&root.join("labels.csv"), &writer.into_inner()?)?;
    Ok(())
}

/// An image as the bytes of a PNG file.
pub(crate) fn png(image: DynamicImage) -> image::ImageResult<Vec<u8>> {
    let mut bytes = io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png)?;
    Ok(bytes.into_inner())
}
