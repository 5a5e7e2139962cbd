//! The model on a slide, part by part. What a part shows goes to the page too, which keeps it if this Worker fails.

use std::cell::RefCell;
use std::collections::HashMap;
use std::convert::Infallible;

use histomask_core::Segmenter;
use histomask_core::outline::Shapes;
use histomask_core::refine::Wide;
use histomask_core::shaders::colormap::{Colormap, packed};
use histomask_core::slide::Slide;
use histomask_core::weights::{StateDict, read_checkpoint};
use histomask_core::whole_slide::{
    Compose, Coverage, Frame, Parts, Plan, Results, SlideModel, find_tissue, tissue_geojson,
};
use serde_json::json;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::{Blob, ImageBitmap};

use super::FileSlide;
use super::blob::BlobReader;
use super::outlines::Outlines;
use crate::canvas;
use crate::engine::Engine;
use crate::error::Failure;

/// Bytes of decoded tiles that are kept.
const CACHE: usize = 16 << 20;
/// Pixels of the model that a block should not exceed by much: half of what a program of its own takes, as a tab's
/// memory is small.
const AT_ONCE: usize = 600;
/// How much of what lies below the first view of a mask hides, 0 to 1.
const GLIMPSE: f32 = 0.5;

/// A slide under a model.
#[wasm_bindgen]
pub struct SlideTask {
    slide: FileSlide,
    model: SlideModel,
    own: [f64; 2],
    frame: Frame,
    coverage: Coverage,
    /// What was found or given.
    tissue: String,
    plan: Plan,
    wide: Option<Wide>,
    results: RefCell<HashMap<usize, Vec<u8>>>,
}

#[wasm_bindgen]
impl SlideTask {
    /// Makes ready: `model` is the bytes of the model that `engine` has loaded, `mpp` the slide's microns per pixel, if it
    /// does not say them, `region` GeoJSON of what is to be looked at, in pixels of level 0; without one all tissue is.
    /// `tissue`, GeoJSON too, takes the place of what would be found.
    ///
    /// # Errors
    ///
    /// If the file is no slide, or one that the model cannot see at its own scale, or polygons are of another slide.
    pub async fn open(
        engine: &Engine,
        model: Vec<u8>,
        file: Blob,
        mpp: Option<f64>,
        region: Option<String>,
        tissue: Option<String>,
    ) -> Result<SlideTask, Failure> {
        let mut slide = Slide::open_cached(BlobReader::new(file), CACHE)?;
        slide.pass_over_damage();
        if let (None, Some(mpp)) = (slide.mpp(), mpp) {
            slide.set_mpp(mpp);
        }
        let own = slide.mpp().ok_or(Failure::NoSlideScale)?;
        let (card, weights): (_, StateDict) = read_checkpoint(&model)?;
        drop(model);
        let frame = Frame::new(slide.size(), own, card.mpp.ok_or(Failure::NoModelScale)?)?;
        let load = |card| Segmenter::from_checkpoint(card, &weights, engine.device());
        let model = SlideModel::new(&card, None, load).await?;
        let given = |text: &str| Outlines::read(text, slide.size()).map(|outlines| outlines.shapes);
        let region = region.as_deref().map(given).transpose()?;
        let (tissue, shapes) = match tissue {
            Some(tissue) => {
                let shapes = given(&tissue)?;
                (tissue, shapes)
            }
            // a slide without any has no polygon
            None => {
                let found = tissue_geojson(&find_tissue(&slide, own)?, slide.size());
                let shapes = Shapes::from_geojson(&found)?;
                (found, shapes)
            }
        };
        let coverage = Coverage::new(shapes, region, frame.step, frame.size);
        let plan = Plan::new(frame.size, model.patch, AT_ONCE, model.whole, &coverage);
        let mask = &model.card.model.mask;
        let parts = Parts { slide: &slide, model: &model, step: frame.step, plan: &plan, wide: None };
        let wide = match model.whole.is_some() && mask.refines() {
            true => Some(Wide::new(&parts.colours()?, model.patch, mask)),
            false => None,
        };
        Ok(Self { slide, model, own, frame, coverage, tissue, plan, wide, results: RefCell::default() })
    }

    /// JSON: `parts`, each `[x, y, width, height]` in pixels of the model; `size`, those of the slide; `step`, pixels of
    /// level 0 in one; `mpp`, microns per pixel; `tissue`, GeoJSON in pixels of level 0.
    #[must_use]
    pub fn about(&self) -> String {
        let place = |unit| {
            let (at, size) = self.plan.place(unit);
            [at[0], at[1], size[0], size[1]]
        };
        json!({
            "parts": self.plan.units.iter().map(place).collect::<Vec<_>>(),
            "size": self.frame.size,
            "step": self.frame.step,
            "mpp": self.frame.mpp,
            "tissue": self.tissue,
        })
        .to_string()
    }

    /// Whether a part's result is here.
    #[must_use]
    pub fn has(&self, number: usize) -> bool {
        self.results.borrow().contains_key(&number)
    }

    /// Takes up what [`Self::part`] gave before.
    pub fn put(&self, number: usize, result: Vec<u8>) {
        self.results.borrow_mut().insert(number, result);
    }

    /// Computes a part and returns its result.
    ///
    /// # Errors
    ///
    /// If the file can no longer be read, or the network fails.
    pub async fn part(&self, number: usize) -> Result<Vec<u8>, Failure> {
        let unit = self.plan.units.get(number).ok_or_else(|| Failure::Compose(format!("there is no part {number}")))?;
        let Self { slide, model, plan, wide, .. } = self;
        let parts = Parts { slide, model, step: self.frame.step, plan, wide: wide.as_ref() };
        let image = parts.read(unit)?;
        let bytes = parts.observe(unit, &image).await?;
        self.put(number, bytes.clone());
        Ok(bytes)
    }

    /// The foreground of a part as far as it is known, in colours over nothing; nothing for a part without a mask.
    ///
    /// # Errors
    ///
    /// If the network fails, or the browser refuses.
    pub async fn glimpse(
        &self,
        number: usize,
        threshold: f32,
        colormap: String,
    ) -> Result<Option<ImageBitmap>, Failure> {
        let Some(unit) = self.plan.units.get(number) else { return Ok(None) };
        let (_, [width, height]) = self.plan.place(unit);
        let Some(values) = self.compose().glimpse(&mut self.results(), number).await? else { return Ok(None) };
        let colors = packed(if colormap == "cividis" { Colormap::Cividis } else { Colormap::Viridis });
        let least = value_from(threshold);
        let alpha = (GLIMPSE * 255.0) as u8;
        let pixel = |value: u8| {
            let [red, green, blue, _] = colors.get(usize::from(value)).copied().unwrap_or_default().to_le_bytes();
            if value >= least { [red, green, blue, alpha] } else { [0; 4] }
        };
        let rgba: Vec<u8> = values.into_iter().flat_map(pixel).collect();
        canvas::show(&rgba, width as u32, height as u32).map(Some)
    }
}

impl SlideTask {
    pub(super) fn compose(&self) -> Compose<'_> {
        let Self { model, plan, wide, coverage, .. } = self;
        Compose { plan, model, wide: wide.as_ref(), coverage, scale: None }
    }

    pub(super) fn results(&self) -> Kept<'_> {
        Kept(&self.results)
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    pub(super) fn model(&self) -> &SlideModel {
        &self.model
    }

    pub(super) fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    pub(super) fn frame(&self) -> Frame {
        self.frame
    }

    pub(super) fn slide(&self) -> &FileSlide {
        &self.slide
    }

    pub(super) fn own_mpp(&self) -> [f64; 2] {
        self.own
    }
}

/// The results so far.
pub(super) struct Kept<'a>(&'a RefCell<HashMap<usize, Vec<u8>>>);

impl Results for Kept<'_> {
    type Error = Infallible;

    fn get(&mut self, number: usize) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(self.0.borrow().get(&number).cloned())
    }
}

/// The value in 8 bits from which on a pixel is foreground.
pub(super) fn value_from(threshold: f32) -> u8 {
    (threshold * 255.0).ceil().clamp(1.0, 255.0) as u8
}
