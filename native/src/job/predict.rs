//! A folder of predictions: masks, overlays and one table of what was found.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use histomask_core::caution::{Caution, cell};
use histomask_core::{Segmenter, outline};
use image::codecs::png::PngEncoder;
use image::{DynamicImage, ImageEncoder as _};
use serde_json::{Value, json};

use super::inputs::Input;
use super::watch::Watch;
use super::{ModelFile, lost_device};
use crate::atomic::WriteError;
use crate::csv_text::plain_cells;
use crate::evaluate::{doubts, segment_file};
use crate::report::{OverlayStyle, mask_png, overlay, soft_png};
use crate::told_once::told_once;
use crate::trust::flip_stability;
use crate::weights::sha256;
use crate::{atomic, interrupt, panics, plain_text};

/// Images to predict, with everything that is needed for it.
pub(crate) struct Predict {
    pub(crate) images: Vec<Input>,
    pub(crate) model: ModelFile,
    pub(crate) segmenter: Segmenter,
    /// The device's name.
    pub(crate) device: String,
    pub(crate) style: OverlayStyle,
    /// As given; that of the style is rounded to the mask's precision.
    pub(crate) threshold: f64,
    pub(crate) geojson: bool,
    /// Pixels by which outlines may differ from the mask.
    pub(crate) simplify: f64,
    pub(crate) trust: bool,
    /// Follows the names of tables: which shard of the images this is.
    pub(crate) suffix: String,
    pub(crate) out: PathBuf,
}

/// What has been predicted.
#[derive(Default)]
pub(crate) struct Predicted {
    rows: Vec<Vec<String>>,
    /// Images whose result is doubtful, with the reasons.
    doubtful: Vec<Value>,
    /// Images that failed, with the error.
    failed: Vec<Value>,
}

impl Predicted {
    pub(crate) fn images(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn failed(&self) -> usize {
        self.failed.len()
    }
}

impl Predict {
    /// Predicts every image until the user stops it, and leaves masks, overlays, `predictions.csv` and `run.json`.
    ///
    /// # Errors
    /// What can no longer be written; a bad image or name is one image fewer.
    pub(crate) fn run(&self, watch: &dyn Watch) -> anyhow::Result<Predicted> {
        let mut predicted = Predicted::default();
        // for table and run.json
        let room = 65_536 + self.images.iter().map(|input| 512 + input.path.as_os_str().len()).sum::<usize>();
        let room = atomic::Room::set_aside(&self.out, room)?;
        // masks of an earlier prediction go one by one: whatever ends this one, its table is no longer theirs
        self.write_run(&predicted)?;
        let count = watch.count(self.images.len(), "images");
        for (done, input) in self.images.iter().enumerate() {
            if interrupt::asked() {
                break;
            }
            let one = panics::unless_lost(|| self.one(input));
            match one.unwrap_or_else(|said| Err(histomask_core::Error::Device(said).into())) {
                Ok(one) => {
                    count.line(&one.line);
                    if !one.cautions.is_empty() {
                        let sentences: Vec<String> = one.cautions.iter().map(Caution::to_string).collect();
                        predicted
                            .doubtful
                            .push(json!({ "path": plain_text::of_path(&input.path), "cautions": sentences }));
                    }
                    predicted.rows.push(one.cells);
                }
                // a full disk or a lost device stops the command, with what was done in the table
                Err(error) if error.downcast_ref().is_some_and(WriteError::stops) || lost_device(&error).is_some() => {
                    drop((count, room));
                    // as far as they can be written; the error that stopped the command is the one to tell
                    let _ = (self.write_table(&predicted), self.write_run(&predicted));
                    return Err(error);
                }
                Err(error) => {
                    let error = told_once(&error);
                    count.line(&format!("skipped: {error}"));
                    predicted.failed.push(json!({ "path": plain_text::of_path(&input.path), "error": error }));
                }
            }
            count.set(done + 1, "");
            if done % 50 == 49 {
                self.write_table(&predicted)?;
                self.write_run(&predicted)?;
            }
        }
        drop((count, room));
        self.write_table(&predicted)?;
        self.write_run(&predicted)?;
        Ok(predicted)
    }

    /// Writes an image's files.
    fn one(&self, input: &Input) -> anyhow::Result<One> {
        let (style, out) = (&self.style, &self.out);
        let (image, notes, result) = segment_file(&self.segmenter, &input.path)?;
        let (width, height) = image.dimensions();
        let file = |suffix: &str| format!("{}_{suffix}.png", input.stem);
        let (mask, soft, over) = (file("mask"), file("soft"), file("overlay"));
        write_png(&out.join(&mask), &mask_png(&result.mask, width, height, style.threshold)?.into())?;
        write_png(&out.join(&soft), &soft_png(&result.mask, width, height)?.into())?;
        write_png(&out.join(&over), &overlay(&image, &result.mask, None, style)?.into())?;
        let class = result.class.and_then(|class| self.segmenter.card().classes.get(class).cloned());
        let geojson = self.geojson.then(|| format!("{}.geojson", input.stem));
        if let Some(file) = &geojson {
            let name = class.as_deref().unwrap_or("foreground");
            let (width, height) = (width as usize, height as usize);
            let outlines = match self.simplify {
                0.0 => outline::geojson(&result.mask, width, height, style.threshold, name),
                within => outline::geojson_simplified(&result.mask, width, height, style.threshold, name, within),
            };
            atomic::write(&out.join(file), outlines.as_bytes())?;
        }
        let stability = match self.trust {
            true => Some(flip_stability(&self.segmenter, &image, &result.mask, result.class, style.threshold)?),
            false => None,
        };
        let foreground = result.mask.iter().filter(|&&value| value >= style.threshold).count();
        let percent = 100.0 * foreground as f64 / result.mask.len().max(1) as f64;
        let path = input.path.display().to_string();
        let probability = result.class.and_then(|class| result.probabilities.get(class).copied());
        let named = class.as_ref().zip(probability);
        let named = named.map_or_else(String::new, |(class, p)| format!("{class} ({:.1} %), ", 100.0 * p));
        let cautions = doubts(&image, &notes, &self.segmenter);
        let mut line = format!("{path}: {named}foreground {percent:.1} %");
        for caution in &cautions {
            line += &format!("\n  caution: {caution}");
        }
        let mm2 = notes.mpp.map(|mpp| foreground as f64 * mpp * mpp / 1e6);

        let number = |value: f32| format!("{value:.6}");
        let mut cells = vec![path, class.unwrap_or_default(), probability.map_or_else(String::new, number)];
        cells.extend(result.probabilities.iter().copied().map(number));
        cells.push(format!("{percent:.4}"));
        cells.push(mm2.map_or_else(String::new, |mm2| format!("{mm2:.6}")));
        cells.push(notes.mpp.map_or_else(String::new, |mpp| format!("{mpp:.4}")));
        cells.push(result.background_uncertainty.map_or_else(String::new, number));
        cells.extend([cell(&cautions), mask, over]);
        cells.extend(geojson);
        cells.extend(stability.map(|iou| format!("{iou:.4}")));
        Ok(One { line, cells, cautions })
    }

    fn write_table(&self, predicted: &Predicted) -> anyhow::Result<()> {
        let card = self.segmenter.card();
        let mut header: Vec<String> = ["path", "class", "probability"].map(String::from).to_vec();
        if card.model.method.names_class() {
            header.extend(card.classes.iter().map(|class| format!("p_{class}")));
        }
        let measured = ["foreground_percent", "foreground_mm2", "mpp", "background_uncertainty"];
        header.extend(measured.into_iter().chain(["caution", "mask", "overlay"]).map(String::from));
        header.extend(self.geojson.then(|| String::from("geojson")));
        header.extend(self.trust.then(|| String::from("flip_stability")));
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in std::iter::once(&header).chain(&predicted.rows) {
            writer.write_record(plain_cells(row))?;
        }
        Ok(atomic::write(&self.out.join(format!("predictions{}.csv", self.suffix)), &writer.into_inner()?)?)
    }

    fn write_run(&self, predicted: &Predicted) -> anyhow::Result<()> {
        let run = json!({
            "schema": 1,
            "histomask": env!("CARGO_PKG_VERSION"),
            "command": plain_text::command(),
            "model": self.model.name(),
            "model_sha256": sha256(&self.model.bytes),
            "method": self.segmenter.card().model.method,
            "device": self.device,
            "threshold": self.threshold,
            "complete": predicted.images() + predicted.failed() == self.images.len(),
            "inputs": self.images.len(),
            "images": predicted.images(),
            "doubtful": predicted.doubtful,
            "failed": predicted.failed,
        });
        Ok(atomic::write(&self.out.join(format!("run{}.json", self.suffix)), &serde_json::to_vec_pretty(&run)?)?)
    }
}

/// What has been predicted of an image.
struct One {
    /// What to say of it.
    line: String,
    /// Its row of the table.
    cells: Vec<String>,
    cautions: Vec<Caution>,
}

/// Writes a PNG whole or not at all.
fn write_png(path: &Path, image: &DynamicImage) -> anyhow::Result<()> {
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes)
        .write_image(image.as_bytes(), image.width(), image.height(), image.color().into())
        .with_context(|| path.display().to_string())?;
    Ok(atomic::write(path, &bytes)?)
}
