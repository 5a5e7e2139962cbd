//! Tables of slides and tiles, and which slides are finished.

use std::path::Path;

use histomask_core::ModelCard;
use histomask_core::whole_slide::Tile;
use serde_json::json;

use super::summary::Summary;
use super::{PredictSlides, PredictedSlides, truth};
use crate::atomic;
use crate::csv_text::plain_cells;
use crate::plain_text;

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
    writer.write_record(plain_cells(&Tile::header(names(card))))?;
    for tile in tiles {
        writer.write_record(tile.cells())?;
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
        let classes = names(&self.model.card);
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(plain_cells(&Summary::header(classes)))?;
        for summary in &predicted.done {
            writer.write_record(plain_cells(&summary.row(classes.len())))?;
        }
        let file = |ending: &str| self.out.join(format!("slides{}.{ending}", self.suffix));
        atomic::write(&file("csv"), &writer.into_inner()?)?;
        let (scored, means) = predicted.scores();
        let masks = (scored > 0).then(|| {
            let means = truth::COLUMNS.into_iter().zip(means).map(|(name, mean)| (name.to_owned(), json!(mean)));
            serde_json::Map::from_iter(means.chain([("slides".to_owned(), json!(scored))]))
        });
        let run = json!({
            "schema": 1,
            "histomask": env!("CARGO_PKG_VERSION"),
            "command": plain_text::command(),
            "model": self.model_name,
            "model_sha256": self.model_sha256,
            "method": self.model.card.model.method,
            "device": self.device,
            "threshold": self.threshold,
            "settings": self.settings,
            "slides": predicted.slides(),
            "masks": masks,
            "failed": predicted.failed,
        });
        Ok(atomic::write(&file("json"), &serde_json::to_vec_pretty(&run)?)?)
    }
}
