//! What things cost on this machine. Times are medians after one run to warm up, the device synchronised.

mod kernels;
mod layers;
mod loaded_step;
mod models;
mod recipe;
mod roof;
mod shares;
mod step;

use anyhow::Context as _;
use burn::tensor::Device;
use histomask_core::config::BackboneKind;

use crate::arguments::{Bench, BenchWhat};
use crate::console::{Console, Exit};
use crate::device::Trial;
use crate::method::MethodChoice;
use crate::profile::Profile;

pub(crate) fn run(args: &Bench, console: &Console) -> anyhow::Result<Exit> {
    let device = || super::open_device(&args.device, Trial::embedded, console).map(|chosen| chosen.device);
    match args.what {
        BenchWhat::Models => models::run(args, &device()?, console),
        BenchWhat::Kernels => kernels::run(args, &device()?, console),
        BenchWhat::Shares => shares::run(args, &device()?, console),
        BenchWhat::Recipe => recipe::run(args, &device()?, console),
        BenchWhat::Layers => layers::run(args, console),
    }
}

/// A row of a table: what is trained and asked.
struct Subject {
    method: MethodChoice,
    /// The backbone's name, `-` for a network of its own.
    backbone: &'static str,
    /// The method's published training with this backbone.
    profile: Profile,
}

/// Every method asked for on every backbone asked for; U-Net once.
fn subjects(args: &Bench) -> anyhow::Result<Vec<Subject>> {
    let backbones = args.backbones.iter().map(|name| backbone(name)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut subjects = Vec::new();
    for &method in &args.methods {
        if !method.kind().is_trained() {
            anyhow::bail!("--methods {method}: it has no network, so there is nothing to time");
        }
        let mut profile = method.profile()?;
        if profile.model.method.learns_from_masks() {
            subjects.push(Subject { method, backbone: "-", profile });
            continue;
        }
        for &backbone in &backbones {
            profile.model.backbone = backbone;
            subjects.push(Subject { method, backbone: backbone.name(), profile: profile.clone() });
        }
    }
    Ok(subjects)
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
