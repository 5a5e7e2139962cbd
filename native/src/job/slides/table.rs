//! Tables of slides and tiles, and which slides are finished.

use std::path::Path;

use histomask_core::ModelCard;
use serde_json::json;

use super::summary::{Summary, Tile};
use super::{PredictSlides, PredictedSlides};
use crate::atomic;

/// What an earlier run left of a slide of this name.
pub(super) fn earlier(path: &Path) -> Option<Summary> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

impl Summary {
    /// Whether nothing that its results depend on has changed and its files are there.
    pub(super) fn is_finished(&self, key: &str, out: &Path) -> bool {
        self.key == key && self.files.all().iter().all(|name| name.is_empty() || out.join(name).is_file())
    }
}

/// Writes the tiles of a slide.
pub(super) fn write_tiles(path: &Path, tiles: &[Tile], card: &ModelCard) -> anyhow::Result<()> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut header: Vec<String> = ["x", "y", "tissue"].map(String::from).to_vec();
    let classes = names(card);
    header.extend(classes.iter().map(|class| format!("p_{class}")));
    header.push("background_uncertainty".into());
    writer.write_record(&header)?;
    for tile in tiles {
        let mut row: Vec<String> = tile.at.map(|at| format!("{at:.2}")).to_vec();
        row.push(format!("{:.4}", tile.tissue));
        row.extend(tile.probabilities.iter().map(|p| format!("{p:.6}")));
        row.push(tile.uncertainty.map_or_else(String::new, |value| format!("{value:.6}")));
        writer.write_record(&row)?;
    }
    Ok(atomic::write(path, &writer.into_inner()?)?)
}

/// Classes that a method names.
fn names(card: &ModelCard) -> &[String] {
    if card.model.method.names_class() { &card.classes } else { &[] }
}

impl PredictSlides {
    /// Writes `slides.csv` and `slides.json`, of a shard with its number.
    pub(super) fn write_tables(&self, predicted: &PredictedSlides) -> anyhow::Result<()> {
        let classes = names(self.model.card());
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(Summary::header(classes))?;
        for summary in &predicted.done {
            writer.write_record(summary.row(classes.len()))?;
        }
        let file = |ending: &str| self.out.join(format!("slides{}.{ending}", self.suffix));
        atomic::write(&file("csv"), &writer.into_inner()?)?;
        let run = json!({
            "schema": 1,
            "histomask": env!("CARGO_PKG_VERSION"),
            "command": std::env::args().collect::<Vec<_>>(),
            "model": self.model_name,
            "model_sha256": self.model_sha256,
            "method": self.model.card().model.method,
            "device": self.device,
            "threshold": self.threshold,
            "settings": self.settings,
            "slides": predicted.slides(),
            "failed": predicted.failed,
        });
        Ok(atomic::write(&file("json"), &serde_json::to_vec_pretty(&run)?)?)
    }
}
