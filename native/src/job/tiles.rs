//! From a slide to patches of tissue.

use std::path::Path;

use anyhow::{Context as _, bail};
use histomask_core::whole_slide::{find_tissue, tissue_geojson};
use image::{ImageEncoder as _, RgbImage};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::data::Source;
use crate::data::slides::{SlideFile, open};
use crate::{atomic, interrupt};

/// Patches may be this much finer than their slide without being called enlarged.
const FINER: f64 = 1.05;
/// Name of the file that says that a slide is finished.
const DONE: &str = "tiles.json";

/// How to cut.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TileSettings {
    /// Microns per pixel of the patches.
    pub(crate) mpp: f64,
    /// Microns per pixel of slides that do not say it.
    pub(crate) slide_mpp: Option<f64>,
    /// Pixels of a patch's side.
    pub(crate) size: u32,
    /// Pixels from one to the next.
    pub(crate) stride: u32,
    /// Least share of tissue.
    pub(crate) tissue: f64,
}

/// A patch that was cut.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Patch {
    /// File name in the slide's folder.
    pub(crate) file: String,
    /// Upper left corner in pixels of level 0.
    pub(crate) x: i64,
    pub(crate) y: i64,
    /// Share of tissue.
    pub(crate) tissue: f64,
}

/// What a slide's cutting left.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CutSlide {
    settings: TileSettings,
    source: Source,
    pub(crate) patches: Vec<Patch>,
    /// Positions that lie wholly on the slide.
    pub(crate) positions: usize,
    /// Share of the slide that is tissue, and that lies under pen marks.
    pub(crate) tissue: f64,
    pub(crate) pen: f64,
}

/// Cuts a slide into `out/<its name>`: patches, `tissue.geojson` in pixels of level 0 and, when all are there,
/// `tiles.json`, which a later call with the same settings takes for its answer. Nothing if the user stopped it.
///
/// # Errors
/// The slide cannot be read, is coarser than the patches, does not say its scale; another slide's patches stand there; or
/// a file cannot be written.
pub(crate) fn cut(file: &SlideFile, settings: &TileSettings, out: &Path) -> anyhow::Result<Option<CutSlide>> {
    let folder = out.join(&file.name);
    let source = Source::of(&file.path)?;
    match earlier(&folder.join(DONE)) {
        Some(done) if done.source.stands_beside(&source) => bail!(
            "{}: patches of {}, a slide of the same name, stand there; cut both in one call, or name another --out",
            folder.display(),
            done.source.path.display()
        ),
        Some(done) if done.settings == *settings && done.source == source && done.is_whole(&folder) => {
            return Ok(Some(done));
        }
        _ => {}
    }
    let named = || file.path.display().to_string();
    let mut slide = open(&file.path)?;
    let mpp = match (slide.mpp(), settings.slide_mpp) {
        (Some(mpp), _) => mpp,
        (None, Some(mpp)) => {
            slide.set_mpp(mpp);
            [mpp; 2]
        }
        (None, None) => bail!("{}: it does not say how large a pixel is; name it with --slide-mpp", named()),
    };
    if mpp.iter().any(|own| *own > settings.mpp * FINER) {
        bail!(
            "{}: its pixels are {:.3} µm, so patches of {} µm would only be enlarged; ask for a larger --mpp",
            named(),
            mpp[0],
            settings.mpp
        );
    }
    let tissue = find_tissue(&slide, mpp).with_context(named)?;
    let [width, height] = slide.size().map(f64::from);
    atomic::write(&folder.join("tissue.geojson"), tissue_geojson(&tissue, slide.size()).as_bytes())?;

    // pixels of level 0 in one of a patch
    let step = mpp.map(|own| settings.mpp / own);
    let count = |full: f64, step: f64| {
        let pixels = (full / step).round() as i64 - i64::from(settings.size);
        if pixels < 0 { 0 } else { pixels / i64::from(settings.stride) + 1 }
    };
    let (columns, rows) = (count(width, step[0]), count(height, step[1]));
    let side = f64::from(settings.size);
    let wanted: Vec<_> = (0..rows)
        .flat_map(|row| (0..columns).map(move |column| [column, row].map(|index| index * i64::from(settings.stride))))
        .filter_map(|[x, y]| {
            let corner = [x as f64 * step[0] / width, y as f64 * step[1] / height];
            let end = [(x as f64 + side) * step[0] / width, (y as f64 + side) * step[1] / height];
            let share = tissue.share_within(corner, end);
            (share >= settings.tissue && share > 0.0).then_some(([x, y], share))
        })
        .collect();
    let patches: Vec<_> = wanted
        .par_iter()
        .map(|&([x, y], share)| {
            if interrupt::asked() {
                return Ok(None);
            }
            let patch = slide.region_scaled(step, [x, y], [settings.size; 2]).with_context(named)?;
            let at = [x as f64 * step[0], y as f64 * step[1]].map(|corner| corner.round() as i64);
            let name = format!("{}_x{}_y{}.png", file.name, at[0], at[1]);
            atomic::write(&folder.join(&name), &png(&patch)?)?;
            Ok(Some(Patch { file: name, x: at[0], y: at[1], tissue: (share * 1e4).round() / 1e4 }))
        })
        .collect::<anyhow::Result<_>>()?;
    let Some(patches) = patches.into_iter().collect::<Option<Vec<_>>>() else { return Ok(None) };
    let positions = usize::try_from(rows * columns).unwrap_or_default();
    let (share, pen) = (tissue.share(), tissue.pen);
    let cut = CutSlide { settings: settings.clone(), source, patches, positions, tissue: share, pen };
    atomic::write(&folder.join(DONE), &serde_json::to_vec_pretty(&cut)?)?;
    Ok(Some(cut))
}

/// What an earlier call left.
fn earlier(path: &Path) -> Option<CutSlide> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

impl CutSlide {
    /// Whether its patches are still there.
    fn is_whole(&self, folder: &Path) -> bool {
        self.patches.iter().all(|patch| folder.join(&patch.file).is_file())
    }
}

/// An image as PNG.
pub(crate) fn png(image: &RgbImage) -> Result<Vec<u8>, image::ImageError> {
    let mut bytes = Vec::new();
    let encoder = image::codecs::png::PngEncoder::new(&mut bytes);
    encoder.write_image(image, image.width(), image.height(), image::ExtendedColorType::Rgb8)?;
    Ok(bytes)
}
