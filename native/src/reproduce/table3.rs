//! Table 3: parameters of the paper's networks, and the time of a forward pass on this machine.

use std::time::{Duration, Instant};

use burn::tensor::{Device, Distribution, Tensor};
use histomask_core::MethodKind;
use histomask_core::config::BackboneKind;
use histomask_core::method::{Method as _, Network};
use histomask_core::weights::state_dict;
use serde_json::json;

use super::drawn::{Drawn, Record};
use super::paper;
use super::plan::title;
use super::study::Study;
use crate::method::MethodChoice;
use crate::report::Table;

/// A GlaS image, height and width.
const INPUT: [usize; 2] = [522, 775];
/// The same for a quick look.
const QUICK_INPUT: [usize; 2] = [96, 128];

/// Untimed passes before the timed ones: kernels are compiled and tuned in them.
const WARM_UP: usize = 2;
/// Timed passes: at least and at most, the latter unless [`ENOUGH`] has passed.
const REPEATS: std::ops::RangeInclusive<usize> = 5..=100;
const ENOUGH: Duration = Duration::from_secs(15);

/// The rows in the paper's order; EEM and SEM are one network.
const ROWS: [MethodKind; 10] = [
    MethodKind::Pn,
    MethodKind::Erase,
    MethodKind::CamMax,
    MethodKind::CamLse,
    MethodKind::GradCam,
    MethodKind::CamAvg,
    MethodKind::Wildcat,
    MethodKind::DeepMil,
    MethodKind::MaxMin,
    MethodKind::UNet,
];

pub(crate) fn draw(study: &Study) -> anyhow::Result<Drawn> {
    let device = &study.chosen.device;
    let [height, width] = if study.recipe.quick { QUICK_INPUT } else { INPUT };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut drawn = Drawn::default();
    let mut rows = Vec::new();
    for method in ROWS.map(MethodChoice::Of) {
        if crate::interrupt::asked() {
            break;
        }
        let network = network(method, device)?;
        let parameters = parameters(&network);
        // as it is used in prediction
        let network = network.fold();
        let times = times(&network, device, [height, width], if study.recipe.quick { Duration::ZERO } else { ENOUGH })?;
        let median = median(&times);
        let paper = paper::table3(method);
        let name = if method == MethodChoice::Of(MethodKind::MaxMin) { "Ours" } else { title(method) };
        rows.push(vec![
            name.to_owned(),
            parameters.to_string(),
            paper.map_or_else(|| "-".into(), |paper| paper.0.to_string()),
            format!("{median:.4}"),
            paper.map_or_else(|| "-".into(), |paper| format!("{:.4}", paper.1)),
            times.len().to_string(),
        ]);
        drawn.records.push(Record::from_iter([
            ("method".to_owned(), json!(name)),
            ("backbone".to_owned(), json!(backbone(method).map(BackboneKind::name))),
            ("parameters".to_owned(), json!(parameters)),
            ("parameters_paper".to_owned(), json!(paper.map(|paper| paper.0))),
            ("seconds_median".to_owned(), json!(median)),
            ("seconds_least".to_owned(), json!(times.iter().copied().fold(f64::INFINITY, f64::min))),
            ("seconds_paper".to_owned(), json!(paper.map(|paper| paper.1))),
            ("passes".to_owned(), json!(times.len())),
            ("height".to_owned(), json!(height)),
            ("width".to_owned(), json!(width)),
            ("device".to_owned(), json!(study.chosen.name)),
            ("threads".to_owned(), json!(threads)),
        ]));
    }
    drawn.tables.push(Table {
        caption: format!("Parameters, and seconds for an image of {height} × {width} on {}", study.chosen.name),
        header: ["Method", "Parameters", "paper", "s/image", "paper", "Passes"].map(String::from).to_vec(),
        rows,
    });
    drawn.notes.push(format!(
        "Median of timed forward passes after {WARM_UP} untimed ones; the device is synchronised before the clock is \
         read. {} with {threads} threads. The paper's seconds are from a GTX 1080 Ti and its released code does not \
         synchronise, so they measure launches as well.",
        study.chosen.name
    ));
    Ok(drawn)
}

/// The backbone that the paper's count belongs to (`spec` §1.1); U-Net has its own.
fn backbone(method: MethodChoice) -> Option<BackboneKind> {
    match method.kind() {
        MethodKind::MaxMin | MethodKind::Pn | MethodKind::Erase => Some(BackboneKind::Resnet18DeepStem),
        MethodKind::UNet | MethodKind::AllOnes => None,
        _ => Some(BackboneKind::Resnet18),
    }
}

fn network(method: MethodChoice, device: &Device) -> anyhow::Result<Network> {
    let mut model = method.profile()?.model;
    if let Some(backbone) = backbone(method) {
        model.backbone = backbone;
    }
    Ok(model.init(2, device))
}

/// Numbers that are learned; running statistics are none.
fn parameters(network: &Network) -> usize {
    let state = state_dict(network);
    state.iter().filter(|(name, _)| !name.contains("running_")).map(|(_, data)| data.num_elements()).sum()
}

/// Seconds of single forward passes.
fn times(
    network: &Network,
    device: &Device,
    [height, width]: [usize; 2],
    enough: Duration,
) -> anyhow::Result<Vec<f64>> {
    let image = Tensor::<4>::random([1, 3, height, width], Distribution::Uniform(-1.0, 1.0), device);
    let pass = || -> anyhow::Result<f64> {
        sync(device)?;
        let clock = Instant::now();
        let reading = network.read(image.clone(), 0.15);
        sync(device)?;
        let seconds = clock.elapsed().as_secs_f64();
        drop(reading);
        Ok(seconds)
    };
    for _ in 0..WARM_UP {
        pass()?;
    }
    let (start, mut times) = (Instant::now(), Vec::new());
    while times.len() < *REPEATS.start() || (times.len() < *REPEATS.end() && start.elapsed() < enough) {
        times.push(pass()?);
        if crate::interrupt::asked() {
            break;
        }
    }
    Ok(times)
}

fn sync(device: &Device) -> anyhow::Result<()> {
    device.sync().map_err(|error| anyhow::anyhow!("the device stopped answering: {error:?}"))
}

fn median(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
    if sorted.len() % 2 == 1 { at(middle) } else { (at(middle.wrapping_sub(1)) + at(middle)) / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&[]).is_nan());
    }
}
