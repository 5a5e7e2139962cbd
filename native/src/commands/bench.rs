use std::time::Instant;

use anyhow::Context as _;
use burn::module::Module as _;
use burn::tensor::{Device, Distribution, Int, Tensor};
use histomask_core::config::{BackboneKind, LossConfig, ModelConfig};

use crate::cli::{Bench, Console, Exit};
use crate::train::Sgd;

/// Training batch, the released code's (`spec` §3.1).
const BATCH: usize = 4;
/// A GlaS image after the resize rule, height and width.
const EVALUATION: [usize; 2] = [432, 641];

pub(crate) fn run(args: &Bench, console: &Console) -> anyhow::Result<Exit> {
    let chosen = super::open_device(&args.device, console)?;
    console.print("| backbone | training img/s | of a step: forward / loss and backward / update | prediction img/s | peak memory so far |\n|---|---|---|---|---|")?;
    for name in &args.backbones {
        let backbone: BackboneKind =
            serde_json::from_value(serde_json::Value::String(name.clone())).with_context(|| {
                format!("{name:?} is no backbone; there are efficientnet-lite0, resnet18 and resnet18-deep-stem")
            })?;
        let training = train_step(backbone, args, &chosen.device)?;
        let prediction = predict(backbone, args, &chosen.device)?;
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
    let autodiff = device.clone().autodiff();
    let config = ModelConfig { backbone, ..ModelConfig::default() };
    let mut model = config.init_max_min(2, &autodiff);
    let mut sgd = Sgd::new(0.9, true, 1e-4, 1.0);
    let labels = Tensor::<1, Int>::from_ints([0, 1, 0, 1], &autodiff);
    let images = Tensor::<4>::random(
        [BATCH, 3, args.crop as usize, args.crop as usize],
        Distribution::Uniform(-1.0, 1.0),
        &autodiff,
    );
    let mut times = Vec::new();
    for _ in 0..=args.repeats {
        let start = Instant::now();
        let output = model.forward(images.clone(), 0.15);
        sync(device)?;
        let forward = start.elapsed().as_secs_f64();
        let total = LossConfig::default().terms(&output, &labels, &[0, 1, 0, 1], 5.0).total().context("no loss")?;
        drop(output);
        let gradients = total.backward();
        sync(device)?;
        let backward = start.elapsed().as_secs_f64();
        model = sgd.step(model, gradients, 1e-3);
        sync(device)?;
        times.push([forward, backward - forward, start.elapsed().as_secs_f64() - backward]);
    }
    times.remove(0);
    Ok(std::array::from_fn(|part| median(times.iter().map(|times| times[part]).collect())))
}

/// Median seconds to predict one image.
fn predict(backbone: BackboneKind, args: &Bench, device: &Device) -> anyhow::Result<f64> {
    let model = ModelConfig { backbone, ..ModelConfig::default() }.init_max_min(2, device).valid();
    let [height, width] = EVALUATION;
    let image = Tensor::<4>::random([1, 3, height, width], Distribution::Uniform(-1.0, 1.0), device);
    let mut times = Vec::new();
    for _ in 0..=args.repeats {
        let start = Instant::now();
        let output = model.forward(image.clone(), 0.15);
        let _ = (output.class_scores().into_data(), output.mask.into_data());
        times.push(start.elapsed().as_secs_f64());
    }
    times.remove(0);
    Ok(median(times))
}

fn sync(device: &Device) -> anyhow::Result<()> {
    device.sync().map_err(|error| anyhow::anyhow!("the device stopped answering: {error:?}"))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The most memory this process has held, where the system tells (Linux).
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? << 10)
}
