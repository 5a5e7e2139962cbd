//! A data set and settings so small that a training run takes seconds.

use std::path::{Path, PathBuf};

use histomask::synth::{SynthConfig, write_dataset};

use crate::program::Program;

/// Side of the patches in pixels.
pub const SIDE: u32 = 64;

/// Settings for patches of [`SIDE`] pixels; random first weights, so that no test hangs on what is embedded.
pub const SETTINGS: [&str; 10] =
    ["--profile", "demo", "--weights", "none", "--input.size", "64", "--input.crop", "64", "--train.batch-size", "2"];

/// Writes `2 * per_class` patches below `folder`: a quarter each to `valid` and `test`, the rest to `train`.
///
/// # Panics
///
/// If they cannot be written.
#[must_use]
pub fn data_set(folder: &Path, per_class: usize) -> PathBuf {
    let root = folder.join("tissue");
    let config = SynthConfig { size: SIDE, per_class, valid: 0.25, test: 0.25, ..SynthConfig::default() };
    write_dataset(&root, &config).unwrap_or_else(|error| panic!("{error}"));
    root
}

/// `histomask train` on a data set, into a folder.
#[must_use]
pub fn train(data: &Path, out: &Path, epochs: usize) -> Program {
    Program::new(["train"])
        .with("--data", data)
        .with("--out", out)
        .args(SETTINGS)
        .with("--train.epochs", epochs.to_string())
        .on_cpu()
}

/// A model: four patches and one epoch are enough for a file of the right form.
///
/// # Panics
///
/// If training fails.
#[must_use]
pub fn model(folder: &Path) -> PathBuf {
    let run = folder.join("run");
    let _ = train(&data_set(folder, 4), &run, 1).run().exits(0);
    run.join("best.safetensors")
}

/// An empty folder that lasts for the tests of one file, which share what they put there.
///
/// # Panics
///
/// If it cannot be made.
#[must_use]
pub fn shared_folder(temporary: &str, name: &str) -> PathBuf {
    let folder = Path::new(temporary).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    folder
}
