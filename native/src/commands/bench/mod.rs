//! What things cost on this machine. Times are medians after one run to warm up, the device synchronised.

mod kernels;
mod models;
mod shares;
mod step;

use anyhow::Context as _;
use burn::tensor::Device;
use histomask_core::config::BackboneKind;

use crate::cli::{Bench, BenchWhat, Console, Exit};

pub(crate) fn run(args: &Bench, console: &Console) -> anyhow::Result<Exit> {
    let chosen = super::open_device(&args.device, console)?;
    match args.what {
        BenchWhat::Models => models::run(args, &chosen.device, console),
        BenchWhat::Kernels => kernels::run(args, &chosen.device, console),
        BenchWhat::Shares => shares::run(args, &chosen.device, console),
    }
}

fn backbone(name: &str) -> anyhow::Result<BackboneKind> {
    serde_json::from_value(serde_json::Value::String(name.into())).with_context(|| {
        format!("{name:?} is no backbone; there are efficientnet-lite0, resnet18 and resnet18-deep-stem")
    })
}

fn sync(device: &Device) -> anyhow::Result<()> {
    device.sync().map_err(|error| anyhow::anyhow!("the device stopped answering: {error:?}"))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
