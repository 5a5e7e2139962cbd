//! What a training step spends outside the network: loaders and augmentation, mask, losses.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use burn::tensor::{Device, Distribution, Int, Tensor};
use histomask_core::MethodKind;
use histomask_core::config::{LossConfig, MaskConfig};
use histomask_core::kernel::{MaskSpec, mask_images};
use histomask_core::loss::{background, barrier, cross_entropy};
use histomask_core::mask::RegionSizes;

use super::loaded_step::{PATCH, samples, steps};
use super::step::{BATCH, LABELS};
use super::{median, subjects, sync};
use crate::arguments::Bench;
use crate::augment::{Augmenter, InputConfig};
use crate::console::{Console, Exit};
use crate::data::{DataConfig, Dataset, Sample};
use crate::synth::{SynthConfig, write_dataset};
use crate::train::loader::TrainLoader;

pub(super) fn run(args: &Bench, device: &Device, console: &Console) -> anyhow::Result<Exit> {
    let (crop, subjects) = (args.crop as usize, subjects(args)?);
    let (mask, losses) = (mask(crop, args.repeats, device)?, losses(args.repeats, device)?);
    let folder = tempfile::tempdir().context("no temporary folder for the patches")?;
    let samples = samples(folder.path(), args.repeats)?;
    let batch = batch_on_one_thread(args)?;
    console.print(
        "| method | backbone | step | with loaders | waiting for them | a batch on one thread: first / cached | mask | \
         losses |\n|---|---|---|---|---|---|---|---|",
    )?;
    for subject in &subjects {
        let steps = steps(&subject.profile, input(args), &samples, args.repeats, device)?;
        let of_step = |seconds: f64| format!("{:.1} ms ({:.1} %)", 1e3 * seconds, 100.0 * seconds / steps.alone);
        // measured as max-min has them
        let of_max_min = |seconds: f64| match subject.method.kind() {
            MethodKind::MaxMin => of_step(seconds),
            _ => "-".into(),
        };
        console.print(&format!(
            "| {} | {} | {:.2} s | {:+.1} % | {} | {} / {} | {} | {} |",
            subject.method,
            subject.backbone,
            steps.alone,
            100.0 * (steps.with_loaders / steps.alone - 1.0),
            of_step(steps.waiting),
            of_step(batch.first),
            of_step(batch.cached),
            of_max_min(mask),
            of_max_min(losses),
        ))?;
        if crate::interrupt::asked() {
            return Ok(Exit::Interrupted);
        }
    }
    Ok(Exit::Fine)
}

fn input(args: &Bench) -> InputConfig {
    InputConfig { crop: args.crop, ..InputConfig::default() }
}

/// Seconds of one thread for a batch.
struct OneThread {
    /// Reading and resizing included.
    first: f64,
    /// From the cache of resized images: crop, jitter, flips, normalisation.
    cached: f64,
}

fn batch_on_one_thread(args: &Bench) -> anyhow::Result<OneThread> {
    let folder = tempfile::tempdir().context("no temporary folder for the patches")?;
    let config = SynthConfig { size: PATCH, per_class: BATCH / 2, valid: 0.0, test: 0.0, ..SynthConfig::default() };
    write_dataset(folder.path(), &config)?;
    let samples: Arc<[Sample]> = Dataset::open(folder.path(), &DataConfig::default())?.train.into();
    let (mut first, mut cached) = (Vec::new(), Vec::new());
    for _ in 0..args.repeats {
        let loader = TrainLoader::new(Arc::clone(&samples), Augmenter::new(input(args)), BATCH, 0, 1);
        for (epoch, times) in [(0, &mut first), (1, &mut cached)] {
            let start = Instant::now();
            for batch in loader.epoch(epoch) {
                batch?;
            }
            times.push(start.elapsed().as_secs_f64());
        }
    }
    Ok(OneThread { first: median(first), cached: median(cached) })
}

/// Median seconds of the mask, forward and backward: map to masked images and sizes.
fn mask(crop: usize, repeats: u32, device: &Device) -> anyhow::Result<f64> {
    let autodiff = device.clone().autodiff();
    let spec = MaskSpec::new(&MaskConfig::default(), [crop, crop], 0.15);
    let side = crop.div_ceil(32);
    let uniform = |shape: [usize; 4]| Tensor::<4>::random(shape, Distribution::Uniform(-1.0, 1.0), &autodiff);
    let (map, images) = (uniform([BATCH, 1, side, side]).require_grad(), uniform([BATCH, 3, crop, crop]));
    timed(repeats, device, || {
        let masked = mask_images(map.clone(), images.clone(), spec);
        (masked.regions.sum() + masked.foreground_size.sum()).backward();
    })
}

/// Median seconds of all loss terms, forward and backward, from scores and sizes.
fn losses(repeats: u32, device: &Device) -> anyhow::Result<f64> {
    let autodiff = device.clone().autodiff();
    let config = LossConfig::default();
    let labels = Tensor::<1, Int>::from_ints(LABELS.map(|label| label as i32), &autodiff);
    let scores = || Tensor::<2>::random([BATCH, 2], Distribution::Default, &autodiff).require_grad();
    let (full, plus, minus) = (scores(), scores(), scores());
    let size = Tensor::<1>::full([BATCH], 5e4, &autodiff).require_grad();
    timed(repeats, device, || {
        let sizes = RegionSizes::new(size.clone(), 173_056);
        let barriers =
            barrier(sizes.foreground, config.barrier, config.t) + barrier(sizes.background, config.barrier, config.t);
        let total = cross_entropy(full.clone(), labels.clone())
            + cross_entropy(plus.clone(), labels.clone())
            + background(minus.clone(), config.background, config.background_log)
            + barriers.mean();
        total.backward();
    })
}

fn timed(repeats: u32, device: &Device, mut work: impl FnMut()) -> anyhow::Result<f64> {
    let mut times = Vec::new();
    for _ in 0..=repeats {
        let start = Instant::now();
        work();
        sync(device)?;
        times.push(start.elapsed().as_secs_f64());
    }
    times.remove(0);
    Ok(median(times))
}
