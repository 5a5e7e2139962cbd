//! A slide's mask as files, while its rows come in.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::mpsc::sync_channel;

use flate2::Compression;
use flate2::write::GzEncoder;
use histomask_core::metric::PixelCounts;
use histomask_core::outline::{Collection, Outliner, Polygon, Shapes};
use histomask_core::runs::{self, runs};
use histomask_core::slide::{PyramidText, PyramidWriter};
use histomask_core::whole_slide::{Band, Compose};
use image::RgbImage;

use super::state::State;
use super::truth::TruthRows;
use crate::atomic::{Pending, WriteError};
use crate::interrupt;

/// File names of a slide's results.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Names {
    pub(super) probability: String,
    pub(super) overlay: String,
    pub(super) geojson: String,
    pub(super) tissue: String,
    pub(super) tiles: String,
}

impl Names {
    pub(super) fn new(stem: &str) -> Self {
        Self {
            probability: format!("{stem}_probability.tif"),
            overlay: format!("{stem}_overlay.png"),
            geojson: format!("{stem}.geojson"),
            tissue: format!("{stem}_tissue.geojson"),
            tiles: format!("{stem}_tiles.csv"),
        }
    }

    pub(super) fn all(&self) -> [&str; 5] {
        [&self.probability, &self.overlay, &self.geojson, &self.tissue, &self.tiles]
    }
}

/// What rows become.
pub(super) struct Output {
    pyramid: PyramidWriter<BufWriter<File>>,
    pyramid_file: Pending,
    outliner: Outliner,
    outlines: Outlines,
    heat: Heat,
    truth: Option<TruthRows>,
    /// Value from which on a pixel is foreground.
    threshold: u8,
    foreground: u64,
    covered: u64,
}

/// What is known when all rows are written.
pub(super) struct Written {
    /// Mask over the thumbnail, 0 to 1.
    pub(super) heat: Vec<f32>,
    /// Pixels of the model.
    pub(super) foreground: u64,
    /// Pixels of the model with tissue, within the regions of interest.
    pub(super) covered: u64,
    pub(super) polygons: u64,
    /// Pixels of the mask by what was drawn.
    pub(super) truth: Option<PixelCounts>,
}

/// How to write.
pub(super) struct Form<'a> {
    /// Pixels of the model.
    pub(super) size: [usize; 2],
    /// Pixels of level 0 in one of them.
    pub(super) step: [f64; 2],
    pub(super) threshold: f64,
    /// Pixels of level 0 by which outlines may differ from the mask.
    pub(super) simplify: f64,
    pub(super) class: &'a str,
    pub(super) thumbnail: &'a RgbImage,
    /// What someone drew, in pixels of level 0.
    pub(super) truth: Option<&'a Shapes>,
}

impl Output {
    pub(super) fn create(out: &Path, names: &Names, form: &Form<'_>) -> Result<Self, WriteError> {
        let [width, height] = form.size;
        let threshold = (form.threshold * 255.0).ceil().clamp(1.0, 255.0) as u8;
        let (pyramid_file, file) = Pending::create(&out.join(&names.probability))?;
        let pyramid = PyramidWriter::new(BufWriter::new(file), width, height);
        let pyramid = pyramid.map_err(|error| pyramid_file.error(error))?;
        Ok(Self {
            pyramid,
            pyramid_file,
            outliner: Outliner::new(width, threshold),
            outlines: Outlines::create(&out.join(&names.geojson), form)?,
            heat: Heat::new(form.size, form.thumbnail),
            truth: form.truth.map(|truth| TruthRows::new(truth, width, form.step)),
            threshold,
            foreground: 0,
            covered: 0,
        })
    }

    /// Takes the rows of the whole mask; nothing if the user stopped it. While some are written the next are put together.
    ///
    /// # Errors
    /// The mask cannot be put together, or a file cannot be written.
    pub(super) fn fill(mut self, compose: &Compose<'_>, state: &mut State) -> anyhow::Result<Option<Self>> {
        std::thread::scope(|scope| {
            let (send, receive) = sync_channel::<Band>(1);
            let writer = scope.spawn(move || {
                for band in &receive {
                    band.rows().try_for_each(|(values, covered)| self.row(values, covered))?;
                }
                Ok::<_, WriteError>(self)
            });
            let mut bands = compose.bands();
            let composed = loop {
                match pollster::block_on(bands.next(state)) {
                    Ok(Some(_)) if interrupt::asked() => break Ok(false),
                    Ok(Some(band)) => {
                        // nobody listens any more, and the writer says why
                        if send.send(band).is_err() {
                            break Ok(true);
                        }
                    }
                    Ok(None) => break Ok(true),
                    Err(error) => break Err(error),
                }
            };
            drop(send);
            let written = writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            Ok(composed?.then_some(written))
        })
    }

    fn row(&mut self, values: &[u8], covered: &[bool]) -> Result<(), WriteError> {
        self.pyramid.push(values).map_err(|error| self.pyramid_file.error(error))?;
        self.foreground += runs::count(values, |value| value >= self.threshold);
        self.covered += runs::count(covered, |covered| covered);
        self.heat.row(values);
        if let Some(truth) = &mut self.truth {
            truth.row(values, covered, self.threshold);
        }
        for polygon in self.outliner.push(values) {
            self.outlines.write(&polygon)?;
        }
        Ok(())
    }

    pub(super) fn finish(mut self, text: &PyramidText) -> Result<Written, WriteError> {
        for polygon in self.outliner.finish() {
            self.outlines.write(&polygon)?;
        }
        let failed = |error| self.pyramid_file.error(error);
        let file =
            self.pyramid.finish(text).map_err(failed)?.into_inner().map_err(|error| failed(error.into_error()))?;
        self.pyramid_file.commit(&file)?;
        let polygons = self.outlines.finish()?;
        Ok(Written {
            heat: self.heat.mean(),
            foreground: self.foreground,
            covered: self.covered,
            polygons,
            truth: self.truth.map(|truth| truth.counts),
        })
    }
}

/// GeoJSON, plain and packed, one feature after the other.
struct Outlines {
    plain: BufWriter<File>,
    plain_file: Pending,
    packed: GzEncoder<BufWriter<File>>,
    packed_file: Pending,
    collection: Collection,
}

impl Outlines {
    fn create(path: &Path, form: &Form<'_>) -> Result<Self, WriteError> {
        let (plain_file, plain) = Pending::create(path)?;
        let mut packed_path = path.as_os_str().to_owned();
        packed_path.push(".gz");
        let (packed_file, packed) = Pending::create(Path::new(&packed_path))?;
        let mut outlines = Self {
            plain: BufWriter::new(plain),
            plain_file,
            packed: GzEncoder::new(BufWriter::new(packed), Compression::new(6)),
            packed_file,
            collection: Collection::new(form.class, form.step, form.simplify),
        };
        outlines.text(Collection::BEGIN)?;
        Ok(outlines)
    }

    fn text(&mut self, text: &str) -> Result<(), WriteError> {
        self.plain.write_all(text.as_bytes()).map_err(|error| self.plain_file.error(error))?;
        self.packed.write_all(text.as_bytes()).map_err(|error| self.packed_file.error(error))
    }

    fn write(&mut self, polygon: &Polygon) -> Result<(), WriteError> {
        let piece = self.collection.piece(polygon);
        self.text(&piece)
    }

    fn finish(mut self) -> Result<u64, WriteError> {
        self.text(Collection::END)?;
        let plain = self.plain.into_inner().map_err(|error| self.plain_file.error(error.into_error()))?;
        self.plain_file.commit(&plain)?;
        let packed = self.packed.finish().and_then(|file| file.into_inner().map_err(|error| error.into_error()));
        let packed = packed.map_err(|error| self.packed_file.error(error))?;
        self.packed_file.commit(&packed)?;
        Ok(self.collection.count())
    }
}

/// The mask over a thumbnail: the mean of the pixels that fall on each of its.
struct Heat {
    columns: Vec<usize>,
    height: usize,
    rows: usize,
    row: usize,
    width: usize,
    sums: Vec<f32>,
    /// Columns and rows that fall on each of the thumbnail's.
    across: Vec<u32>,
    down: Vec<u32>,
}

impl Heat {
    fn new([width, height]: [usize; 2], thumbnail: &RgbImage) -> Self {
        let (across, down) = (thumbnail.width() as usize, thumbnail.height() as usize);
        let columns: Vec<usize> = (0..width).map(|x| x * across / width.max(1)).collect();
        let mut heat = Self {
            height: down,
            rows: height,
            row: 0,
            width: across,
            sums: vec![0.0; across * down],
            across: vec![0; across],
            down: vec![0; down],
            columns,
        };
        heat.columns.iter().for_each(|&column| heat.across[column] += 1);
        heat
    }

    fn row(&mut self, values: &[u8]) {
        let row = self.row * self.height / self.rows.max(1);
        self.row += 1;
        let Some(down) = self.down.get_mut(row) else { return };
        *down += 1;
        for run in runs(values, |value| value > 0) {
            for (&column, &value) in self.columns[run.clone()].iter().zip(&values[run]) {
                if let Some(sum) = self.sums.get_mut(row * self.width + column) {
                    *sum += f32::from(value) / 255.0;
                }
            }
        }
    }

    /// Pixels that none fell on, of a thumbnail finer than the mask, have what stands left of them or above.
    fn mean(self) -> Vec<f32> {
        let mut mean: Vec<f32> = Vec::with_capacity(self.sums.len());
        let count = |index: usize| self.down[index / self.width] * self.across[index % self.width];
        for (index, sum) in self.sums.iter().enumerate() {
            let value = match count(index) {
                0 if index % self.width > 0 && count(index - 1) > 0 => mean[index - 1],
                0 if index >= self.width => mean[index - self.width],
                0 => 0.0,
                count => sum / count as f32,
            };
            mean.push(value);
        }
        mean
    }
}
