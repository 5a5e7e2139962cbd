//! Images per second and memory of training and prediction, per backbone.

use std::time::Instant;

use burn::module::Module as _;
use burn::tensor::{Device, Distribution, Tensor};
use histomask_core::config::{BackboneKind, ModelConfig};

use super::median;
use super::step::{BATCH, Trained};
use crate::cli::{Bench, Console, Exit};

/// A GlaS image after the resize rule, height and width.
const EVALUATION: [usize; 2] = [432, 641];

pub(super) fn run(args: &Bench, device: &Device, console: &Console) -> anyhow::Result<Exit> {
    console.print("| backbone | training img/s | of a step: forward / loss and backward / update | prediction img/s | peak memory so far |\n|---|---|---|---|---|")?;
    for name in &args.backbones {
        let backbone = super::backbone(name)?;
        let training = train_step(backbone, args, device)?;
        let prediction = predict(backbone, args, device)?;
        let total: f64 = training.iter().sum();
        let share = |part: f64| 100.0 * part / total;
        console.print(&format!(
            "| {name} | {:.2} | {:.0} % / {:.0} % / {:.0} % | {:.2} | {} |",
            BATCH as f64 / total,
            share(training[0]),
            share(training[1]),
            share(training[2]),
            1.0 / prediction,
            peak_memory().map_or("unknown".into(), |bytes| format!("{:.2} GiB", bytes as f64 / f64::from(1 << 30))),
        ))?;
        if crate::interrupt::asked() {
            return Ok(Exit::Interrupted);
        }
    }
    Ok(Exit::Fine)
}

/// Median seconds of forward, loss with backward, and update of one training step.
fn train_step(backbone: BackboneKind, args: &Bench, device: &Device) -> anyhow::Result<[f64; 3]> {
    let mut trained = Trained::new(backbone, device);
    let images = trained.random_images(args.crop as usize);
    let mut times = Vec::new();
    for _ in 0..=args.repeats {
        times.push(trained.step(images.clone(), device)?);
    }
    times.remove(0);
    Ok(std::array::from_fn(|part| median(times.iter().map(|times| times[part]).collect())))
}

/// Median seconds to predict one image.
fn predict(backbone: BackboneKind, args: &Bench, device: &Device) -> anyhow::Result<f64> {
    let model = ModelConfig { backbone, ..ModelConfig::default() }.init_max_min(2, device).valid().fold();
    let [height, width] = EVALUATION;
    let image = Tensor::<4>::random([1, 3, height, width], Distribution::Uniform(-1.0, 1.0), device);
    let mut times = Vec::new();
    for _ in 0..=args.repeats {
        let start = Instant::now();
        let output = model.forward(image.clone(), 0.15);
        let _ = (output.class_scores().into_data(), output.mask().into_data());
        times.push(start.elapsed().as_secs_f64());
    }
    times.remove(0);
    Ok(median(times))
}

/// The most memory this process has held, where the system tells (Linux).
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? << 10)
}
