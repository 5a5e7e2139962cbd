//! A slide's mask as files.

use std::io::Cursor;

use histomask_core::outline::{Collection, Outliner};
use histomask_core::runs;
use histomask_core::slide::{PyramidText, PyramidWriter};
use histomask_core::whole_slide::{Frame, Measures, Tile, Verdict};
use serde_json::json;
use wasm_bindgen::prelude::wasm_bindgen;

use super::task::{SlideTask, value_from};
use crate::error::Failure;
use crate::export;

/// What a slide came to.
#[wasm_bindgen]
#[derive(Debug)]
pub struct SlideOutcome {
    map: Vec<u8>,
    geojson: String,
    tiles: String,
    table: String,
    summary: String,
}

#[wasm_bindgen]
impl SlideOutcome {
    /// Puts the mask of the slide called `name` together; all its parts must be here.
    ///
    /// # Errors
    ///
    /// If a part is missing.
    pub async fn of(task: &SlideTask, name: String, threshold: f32) -> Result<SlideOutcome, Failure> {
        let (least, results) = (value_from(threshold), &mut task.results());
        let Frame { size: [width, height], step, mpp } = task.frame();
        let card = &task.model().card;
        let tiles = Tile::all(task.plan(), task.coverage(), step, results)?;
        let verdict = Verdict::of(&tiles);
        let class = verdict.class().and_then(|class| card.classes.get(class).cloned());

        let failed = |error: std::io::Error| Failure::Export(error.to_string());
        let mut pyramid = PyramidWriter::new(Cursor::new(Vec::new()), width, height).map_err(failed)?;
        let mut outliner = Outliner::new(width, least);
        let mut collection = Collection::new(class.as_deref().unwrap_or("foreground"), step, 0.0);
        let mut geojson = String::from(Collection::BEGIN);
        let (mut foreground, mut covered) = (0_u64, 0_u64);
        let compose = task.compose();
        let mut bands = compose.bands();
        while let Some(band) = bands.next(results).await? {
            for (values, inside) in band.rows() {
                pyramid.push(values).map_err(failed)?;
                foreground += runs::count(values, |value| value >= least);
                covered += runs::count(inside, |inside| inside);
                outliner.push(values).iter().for_each(|polygon| geojson += &collection.piece(polygon));
            }
        }
        outliner.finish().iter().for_each(|polygon| geojson += &collection.piece(polygon));
        geojson += Collection::END;
        let description = format!(
            "histomask: probability of foreground, 0 to 255 for 0 to 1; {} pixels of {name} in one, across and down",
            step.map(|step| format!("{step:.4}")).join(" × "),
        );
        let map = pyramid.finish(&PyramidText { description, mpp }).map_err(failed)?.into_inner();

        let pixel = mpp[0] * mpp[1] / 1e6;
        let measures = Measures {
            verdict,
            tiles: tiles.len(),
            polygons: collection.count(),
            foreground_mm2: foreground as f64 * pixel,
            tissue_mm2: covered as f64 * pixel,
            tissue_share: covered as f64 / (width as f64 * height as f64),
            size: task.slide().size(),
            slide_mpp: task.own_mpp(),
            mpp,
        };
        let classes: &[String] = if card.model.method.names_class() { &card.classes } else { &[] };
        let damaged = task.slide().passed_over(0);
        let mut header = vec!["path".to_owned(), "class".to_owned()];
        header.extend(Measures::header(classes));
        header.push("damaged_tiles".into());
        let mut row = vec![name, class.clone().unwrap_or_default()];
        row.extend(measures.cells(classes.len()));
        row.push(damaged.len().to_string());
        let mut tile_rows = vec![Tile::header(classes)];
        tile_rows.extend(tiles.iter().map(Tile::cells));
        Ok(Self {
            map,
            geojson,
            tiles: export::table(&tile_rows)?,
            table: export::table(&[header, row])?,
            summary: json!({ "class": class, "measures": measures, "damaged": damaged }).to_string(),
        })
    }

    /// The probability map, a pyramidal BigTIFF; once.
    pub fn take_map(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.map)
    }

    /// Outlines for QuPath, in pixels of level 0; once.
    pub fn take_geojson(&mut self) -> String {
        std::mem::take(&mut self.geojson)
    }

    /// The tiles as CSV; once.
    pub fn take_tiles(&mut self) -> String {
        std::mem::take(&mut self.tiles)
    }

    /// The slide's row as CSV; once.
    pub fn take_table(&mut self) -> String {
        std::mem::take(&mut self.table)
    }

    /// JSON: `class` (or null), `measures` (docs/FORMATS.md), `damaged` tiles that were read as white; once.
    pub fn take_summary(&mut self) -> String {
        std::mem::take(&mut self.summary)
    }
}
