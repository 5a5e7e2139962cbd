//! A training step of our recipe beside one of the paper's released training, which was the default before it.

use anyhow::Context as _;
use burn::tensor::Device;

use super::loaded_step::{samples, steps};
use crate::arguments::Bench;
use crate::augment::InputConfig;
use crate::console::{Console, Exit};
use crate::profile::Profile;

/// Profile and side of its crops; the first is what the others are compared with.
fn rows() -> anyhow::Result<[(Profile, u32); 3]> {
    let (released, recipe) = (Profile::default(), Profile::named("histomask")?);
    let (its_side, side) = (recipe.input.crop, released.input.crop);
    Ok([(released, side), (recipe.clone(), its_side), (recipe, side)])
}

pub(super) fn run(args: &Bench, device: &Device, console: &Console) -> anyhow::Result<Exit> {
    let folder = tempfile::tempdir().context("no temporary folder for the patches")?;
    let samples = samples(folder.path(), args.repeats)?;
    console.print("| profile | crop | step | with loaders | times as long |\n|---|---|---|---|---|")?;
    let mut first = None;
    for (profile, crop) in rows()? {
        // large enough to be cropped
        let input = InputConfig { size: profile.input.size.max(crop), crop, ..profile.input.clone() };
        let steps = steps(&profile, input, &samples, args.repeats, device)?;
        let before = *first.get_or_insert(steps.with_loaders);
        console.print(&format!(
            "| {} | {crop} | {:.3} s | {:.3} s | {:.2} |",
            profile.name,
            steps.alone,
            steps.with_loaders,
            steps.with_loaders / before,
        ))?;
        if crate::interrupt::asked() {
            return Ok(Exit::Interrupted);
        }
    }
    Ok(Exit::Fine)
}
