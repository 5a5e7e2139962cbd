use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Context as _;
use histomask_core::backbone::FeatureExtractor as _;
use histomask_core::config::MaskOf;
use histomask_core::weights::{read_card, read_weights};
use histomask_core::{Device, MethodKind, ModelCard};

use crate::arguments::Inspect;
use crate::console::{Console, Exit};
use crate::job::ModelFile;
use crate::weights::sha256;

pub(crate) fn run(args: &Inspect, console: &Console) -> anyhow::Result<Exit> {
    let file = ModelFile::open(args.model.as_deref())?;
    let card = read_card(&file.bytes).with_context(|| file.name())?;
    if args.json {
        console.print(&serde_json::to_string_pretty(&card)?)?;
        return Ok(Exit::Fine);
    }
    let weights = read_weights(&file.bytes).with_context(|| file.name())?;
    let mut parts: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, data) in &weights {
        if !name.contains("running_") {
            *parts.entry(name.split('.').next().unwrap_or_default()).or_default() += data.num_elements();
        }
    }
    let parameters: usize = parts.values().sum();
    let parts: Vec<_> = parts.iter().map(|(part, count)| format!("{part} {count}")).collect();

    let mut text = format!("{}\n", file.name());
    let mut line = |name: &str, value: String| writeln!(text, "  {name:<16} {value}");
    line("classes", card.classes.join(", "))?;
    line("method", card.model.method.title().into())?;
    if card.model.method != MethodKind::UNet {
        line("backbone", backbone(&card))?;
    }
    line("parameters", format!("{parameters} ({})", parts.join(", ")))?;
    line("profile", format!("{}, epoch {}", card.profile, card.epoch))?;
    line(
        "input",
        format!("{:?} {}, mean {:?}, std {:?}", card.input.resize, card.input.size, card.input.mean, card.input.std),
    )?;
    line("mask", mask(&card))?;
    line("initial weights", card.initial_weights.clone())?;
    line(
        "data",
        format!(
            "{}, {} train + {} valid images, hash {}",
            card.data.name, card.data.train_images, card.data.valid_images, card.data.hash
        ),
    )?;
    for (name, value) in &card.metrics {
        line(name, format!("{value:.2}"))?;
    }
    line("intended use", card.intended_use.clone())?;
    line("licence", card.licence.clone())?;
    line(
        "file",
        format!("{} bytes, sha256 {}, written by histomask {}", file.bytes.len(), sha256(&file.bytes), card.version),
    )?;
    console.print(text.trim_end())?;
    Ok(Exit::Fine)
}

/// Its name, where it is cut, and what a position of its map sees.
fn backbone(card: &ModelCard) -> String {
    let (model, net) = (&card.model, card.model.backbone(&Device::flex()));
    let cut = match (net.is_cut(), model.backbone_channels) {
        (false, _) => String::new(),
        (true, 0) => format!(", its first {} blocks", model.backbone_blocks),
        (true, channels) => format!(", its first {} blocks and a 1×1 layer of {channels}", model.backbone_blocks),
    };
    format!("{}{cut}; a position sees {} pixels of the input", model.backbone.name(), net.receptive_field())
}

/// What decides where the foreground is.
fn mask(card: &ModelCard) -> String {
    let threshold = format!("threshold {}", card.threshold);
    match (card.model.method, card.model.mask_of) {
        (MethodKind::MaxMin, _) => {
            format!("omega {}, sigma {:.3}, {threshold}", card.model.mask.omega, card.sigma)
        }
        (MethodKind::UNet | MethodKind::AllOnes, _) => threshold,
        (_, MaskOf::Abnormal) => {
            let normal = card.classes.get(card.normal_class).map_or("?", String::as_str);
            format!("of every class but {normal}, {threshold}")
        }
        _ => format!("of the image's class, {threshold}"),
    }
}
