//! Tissue and regions of interest of a slide: found, or taken from files.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use histomask_core::outline::Shapes;
use histomask_core::slide::Slide;
use histomask_core::whole_slide::{doubts, find_tissue, tissue_geojson};

use super::PredictSlides;
use super::summary::Summary;
use crate::data::geojson::read_shapes;
use crate::job::inputs::Input;

/// What is looked at of a slide; polygons in pixels of level 0.
pub(super) struct Regions {
    pub(super) tissue: Shapes,
    pub(super) roi: Option<Shapes>,
    /// What someone drew, to be compared with.
    pub(super) truth: Option<Shapes>,
    /// The text of tissue that was found rather than given.
    pub(super) detected: Option<String>,
    pub(super) hash: String,
    pub(super) cautions: Vec<String>,
}

impl Regions {
    /// `earlier` is what an earlier run left of the slide: tissue that it found is not one that someone changed.
    pub(super) fn find(
        job: &PredictSlides,
        input: &Input,
        slide: &Slide<File>,
        mpp: [f64; 2],
        earlier: Option<&Summary>,
    ) -> anyhow::Result<Self> {
        let mut cautions = Vec::new();
        let mut taken = |given: &Option<PathBuf>, kind: &str| -> anyhow::Result<Option<Shapes>> {
            let Some(given) = given else { return Ok(None) };
            let path = file_of(given, &input.stem, kind)?;
            let shapes = read_shapes(&path)?;
            // a slide without what is looked for is a result too
            if kind == "truth" && shapes.shapes.is_empty() && shapes.others == 0 {
                return Ok(Some(shapes));
            }
            check(&shapes, &path, slide.size(), job.settings.strict, &mut cautions)?;
            Ok(Some(shapes))
        };
        let roi = taken(&job.roi, "roi")?;
        let truth = taken(&job.truth, "truth")?;
        let given = taken(&job.tissue, "tissue")?;
        let (tissue, detected) = match given {
            Some(tissue) => (tissue, None),
            None => {
                let found = find_tissue(slide, mpp).with_context(|| input.path.display().to_string())?;
                let text = tissue_geojson(&found, slide.size());
                let written = job.out.join(super::Names::new(&input.stem).tissue);
                let found_before = |there: &[u8]| {
                    let hash = earlier.and_then(|earlier| earlier.tissue_hash.as_ref());
                    hash.is_some_and(|hash| blake3::hash(there).to_hex().as_str() == hash.as_str())
                };
                if std::fs::read(&written).is_ok_and(|there| there != text.as_bytes() && !found_before(&there)) {
                    bail!(
                        "{}: it was changed, or found in another way; take it with --tissue, or remove it to have tissue \
                         found again",
                        written.display()
                    );
                }
                (Shapes::from_geojson(&text)?, Some(text))
            }
        };
        let mut hasher = blake3::Hasher::new();
        hasher.update(format!("{tissue:?}{roi:?}").as_bytes());
        Ok(Self { tissue, roi, truth, detected, hash: hasher.finalize().to_hex().to_string(), cautions })
    }
}

/// The file itself, or that of a slide in a folder.
fn file_of(given: &Path, stem: &str, kind: &str) -> anyhow::Result<PathBuf> {
    if !given.is_dir() {
        return Ok(given.to_owned());
    }
    let names = [format!("{stem}_{kind}.geojson"), format!("{stem}.geojson"), format!("{stem}.geojson.gz")];
    let found = names.iter().map(|name| given.join(name)).find(|path| path.is_file());
    found.with_context(|| format!("{}: no file for this slide; it would be called {}", given.display(), names[0]))
}

fn check(shapes: &Shapes, path: &Path, size: [u32; 2], strict: bool, cautions: &mut Vec<String>) -> anyhow::Result<()> {
    let named = path.display();
    for doubt in doubts(shapes, size).with_context(|| named.to_string())? {
        ensure!(!strict, "--strict: {named}: {doubt}");
        cautions.push(format!("{named}: {doubt}; does it belong to this slide?"));
    }
    Ok(())
}
