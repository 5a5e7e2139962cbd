//! Time and memory of training and prediction, per method and backbone.

use std::time::Instant;

use burn::module::Module as _;
use burn::tensor::{Device, Distribution, Tensor, Transaction};
use histomask_core::method::Method as _;

use super::step::{BATCH, Trained};
use super::{Subject, median, subjects};
use crate::arguments::Bench;
use crate::console::{Console, Exit};

/// A GlaS image after the resize rule, height and width.
const EVALUATION: [usize; 2] = [432, 641];

pub(super) fn run(args: &Bench, device: &Device, console: &Console) -> anyhow::Result<Exit> {
    let subjects = subjects(args)?;
    console.print(&format!(
        "| method | backbone | step | of it: forward with loss / backward / update | training img/s | {} images | \
         prediction img/s | peak memory so far |\n|---|---|---|---|---|---|---|---|",
        args.images,
    ))?;
    for subject in &subjects {
        let training = train_step(subject, args, device)?;
        let prediction = predict(subject, args, device)?;
        let total: f64 = training.iter().sum();
        let share = |part: f64| format!("{:.0} %", 100.0 * part / total);
        console.print(&format!(
            "| {} | {} | {total:.3} s | {} | {:.2} | {:.1} s | {:.2} | {} |",
            subject.method,
            subject.backbone,
            training.map(share).join(" / "),
            BATCH as f64 / total,
            total * f64::from(args.images) / BATCH as f64,
            1.0 / prediction,
            peak_memory().map_or("unknown".into(), |bytes| format!("{:.2} GiB", bytes as f64 / f64::from(1 << 30))),
        ))?;
        if crate::interrupt::asked() {
            return Ok(Exit::Interrupted);
        }
    }
    Ok(Exit::Fine)
}

/// Median seconds of forward with loss, of backward, and of the update of one training step.
fn train_step(subject: &Subject, args: &Bench, device: &Device) -> anyhow::Result<[f64; 3]> {
    let mut trained = Trained::new(&subject.profile, device);
    let inputs = trained.random_inputs(args.crop as usize);
    let mut times = Vec::new();
    for _ in 0..=args.repeats {
        times.push(trained.step(inputs.clone(), device)?);
    }
    times.remove(0);
    Ok(std::array::from_fn(|part| median(times.iter().map(|times| times[part]).collect())))
}

/// Median seconds to predict one image: until scores and maps are in memory.
fn predict(subject: &Subject, args: &Bench, device: &Device) -> anyhow::Result<f64> {
    let network = subject.profile.model.init(2, device).valid().fold();
    let [height, width] = EVALUATION;
    let image = Tensor::<4>::random([1, 3, height, width], Distribution::Uniform(-1.0, 1.0), device);
    let mut times = Vec::new();
    for _ in 0..=args.repeats {
        let start = Instant::now();
        let reading = network.read(image.clone(), subject.profile.model.mask.sigma);
        let results = [reading.scores, reading.background].into_iter().flatten();
        let transfer = results.fold(Transaction::default().register(reading.maps), Transaction::register);
        transfer.try_execute().map_err(|error| anyhow::anyhow!("the device stopped answering: {error}"))?;
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
