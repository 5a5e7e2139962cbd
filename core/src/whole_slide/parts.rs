//! The network on the parts of a slide.

use std::io::{Read, Seek};

use image::RgbImage;

use super::model::SlideModel;
use super::plan::{Plan, Unit, Whole};
use super::record::{Mapped, Seen};
use crate::error::Error;
use crate::preprocess::RgbView;
use crate::refine::Wide;
use crate::slide::{Slide, SlideError};

/// Windows and pixels of each that the colours of a slide are taken from.
const COLOUR_WINDOWS: usize = 64;
const COLOUR_SAMPLES: usize = 1000;

/// What the parts of a slide are computed from.
pub struct Parts<'a, R> {
    /// The slide.
    pub slide: &'a Slide<R>,
    /// The model.
    pub model: &'a SlideModel,
    /// Pixels of level 0 in one of the model.
    pub step: [f64; 2],
    /// Which parts there are.
    pub plan: &'a Plan,
    /// What is known of the slide's colours; absent where nothing is refined over the whole.
    pub wide: Option<&'a Wide>,
}

impl<R: Read + Seek> Parts<'_, R> {
    /// The pixels that a part needs.
    ///
    /// # Errors
    /// The slide cannot be read.
    pub fn read(&self, unit: &Unit) -> Result<RgbImage, SlideError> {
        let (at, size) = self.plan.place(unit);
        let (at, size) = match unit {
            Unit::Window { .. } => (at, size),
            Unit::Block { .. } => around(at, size, self.margin(), self.plan.size()),
        };
        self.slide.region_scaled(self.step, at.map(|place| place as i64), size.map(|side| side as u32))
    }

    /// What a part shows, for [`Results`](super::Results); `image` is what [`Self::read`] gave.
    ///
    /// # Errors
    /// The network fails.
    pub async fn observe(&self, unit: &Unit, image: &RgbImage) -> Result<Vec<u8>, Error> {
        match (unit, self.plan.whole) {
            (Unit::Block { at, size }, Some(whole)) => Ok(self.block(whole, image, *at, *size).await?.to_bytes()),
            _ => Ok(self.window(image).await?.to_bytes()),
        }
    }

    /// [`Self::observe`] for parts of a [batch](Plan::batches), in their order.
    ///
    /// # Errors
    /// The network fails.
    pub async fn observe_batch(&self, batch: &[(&Unit, RgbImage)]) -> Result<Vec<Vec<u8>>, Error> {
        let windows = batch.iter().all(|(unit, _)| matches!(unit, Unit::Window { .. }));
        if windows && self.plan.whole.is_some() {
            let views = batch.iter().map(|(_, image)| view(image)).collect::<Result<Vec<_>, _>>()?;
            let classified = self.model.segmenter.classify(&views).await?;
            return Ok(classified.into_iter().map(|seen| Seen::of(seen).to_bytes()).collect());
        }
        let mut results = Vec::new();
        for (unit, image) in batch {
            results.push(self.observe(unit, image).await?);
        }
        Ok(results)
    }

    /// Pixels around a block that are read.
    fn margin(&self) -> usize {
        let of_maps = self.plan.whole.map_or(0, |whole| whole.margin + whole.stride);
        of_maps.max(self.wide.map_or(0, |_| Wide::margin(self.model.patch)))
    }

    async fn block(&self, whole: Whole, image: &RgbImage, at: [usize; 2], size: [usize; 2]) -> Result<Mapped, Error> {
        let (read_at, read_size) = around(at, size, self.margin(), self.plan.size());
        let (net_at, net_size) = self.seen(whole, at, size);
        let seen = cut(
            image.as_raw(),
            3 * read_size[0],
            [3 * (net_at[0] - read_at[0]), net_at[1] - read_at[1]],
            [3 * net_size[0], net_size[1]],
        );
        let view = RgbView::new(&seen, net_size[0], net_size[1])?;
        // a plan has blocks only for models that have class maps
        let Some(local) = self.model.segmenter.local_maps(view).await? else { return Ok(Mapped::default()) };
        let [height, width] = local.size;
        let from = [(at[0] - net_at[0]) / whole.stride, (at[1] - net_at[1]) / whole.stride];
        let kept = size.map(|side| side.div_ceil(whole.stride));
        let maps = local.values.chunks(width * height).flat_map(|map| cut(map, width, from, kept)).collect();
        let flags = self.wide.map(|wide| {
            let flags = wide.flags(image.as_raw(), [read_size[1], read_size[0]]);
            cut(&flags, read_size[0], [at[0] - read_at[0], at[1] - read_at[1]], size)
        });
        Ok(Mapped { maps, flags: flags.unwrap_or_default() })
    }

    /// What the network sees of a block. As long as the slide modulo the stride, so that every layer pads and samples it
    /// as it would the whole slide.
    fn seen(&self, whole: Whole, at: [usize; 2], size: [usize; 2]) -> ([usize; 2], [usize; 2]) {
        let length = self.plan.size();
        let from = at.map(|place| place.saturating_sub(whole.margin));
        let end =
            [0, 1].map(|axis| (at[axis] + size[axis] + whole.margin + length[axis] % whole.stride).min(length[axis]));
        (from, [end[0] - from[0], end[1] - from[1]])
    }

    async fn window(&self, image: &RgbImage) -> Result<Seen, Error> {
        let observed = self.model.segmenter.observe_async(view(image)?).await?;
        let mask = match self.plan.whole {
            Some(_) => Vec::new(),
            None => observed.mask(None)?.into_iter().map(to_byte).collect(),
        };
        Ok(Seen { mask, uncertainty: observed.background_uncertainty, probabilities: observed.probabilities })
    }

    /// The slide's colours, for [`Wide`], from windows that lie far apart.
    ///
    /// # Errors
    /// The slide cannot be read.
    pub fn colours(&self) -> Result<Vec<[f32; 6]>, SlideError> {
        let windows: Vec<_> = self.plan.units.iter().filter(|unit| matches!(unit, Unit::Window { .. })).collect();
        let mut samples = Vec::new();
        for unit in windows.iter().step_by(windows.len().div_ceil(COLOUR_WINDOWS).max(1)) {
            let image = self.read(unit)?;
            let size = [image.height() as usize, image.width() as usize];
            samples.extend(Wide::samples(image.as_raw(), size, self.model.patch, COLOUR_SAMPLES));
        }
        Ok(samples)
    }
}

fn view(image: &RgbImage) -> Result<RgbView<'_>, Error> {
    RgbView::new(image.as_raw(), image.width() as usize, image.height() as usize)
}

/// A mask's value in 8 bits.
pub(super) fn to_byte(soft: f32) -> u8 {
    (soft * 255.0).round() as u8
}

/// A rectangle with a margin, within a picture: upper left corner and size.
fn around(at: [usize; 2], size: [usize; 2], margin: usize, whole: [usize; 2]) -> ([usize; 2], [usize; 2]) {
    let from = at.map(|place| place.saturating_sub(margin));
    let end = [0, 1].map(|axis| (at[axis] + size[axis] + margin).min(whole[axis]));
    (from, [end[0] - from[0], end[1] - from[1]])
}

/// A part of a plane whose rows have `stride` values.
fn cut<T: Copy>(plane: &[T], stride: usize, [x, y]: [usize; 2], [width, height]: [usize; 2]) -> Vec<T> {
    let rows = plane.chunks(stride.max(1)).skip(y).take(height);
    rows.flat_map(|row| row.get(x..x + width).unwrap_or_default()).copied().collect()
}
