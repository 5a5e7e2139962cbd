//! The third pass: patches of tissue at random places of normal slides.

use std::collections::BTreeSet;
use std::io::{Read, Seek};

use histomask_core::slide::{Slide, SlideError};
use image::{RgbImage, imageops};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

use super::patch::{Patch, share};
use super::settings::SampleSettings;
use super::tissue::Tissue;

/// Draws for one patch before it is given up.
const TRIALS: usize = 1001;
/// A level serves as the one at which patches are looked for, if its scale is so near to the wanted one.
const NEAR: f64 = 0.05;

/// Draws up to `wanted` patches: places of a grid at level 6 with tissue there and at level 0, none twice. Fewer come
/// back where there are no more; nothing if `stopped` says so or `take`, which gets each patch, ends it.
///
/// # Errors
/// [`SlideError`] of the slide, and whatever `take` refuses.
pub(super) fn search<R: Read + Seek, E: From<SlideError>>(
    slide: &Slide<R>,
    wanted: usize,
    settings: &SampleSettings,
    rng: &mut ChaCha8Rng,
    stopped: &dyn Fn() -> bool,
    mut take: impl FnMut(&Patch, &RgbImage) -> Result<(), E>,
) -> Result<Option<Vec<Patch>>, E> {
    let mut patches = Vec::new();
    let (overview, ratio) = overview(slide, settings.search_downsample())?;
    let Some(tissue) = Tissue::of(&overview, settings.darkest) else { return Ok(Some(patches)) };
    let [width, height] = slide.size().map(i64::from);
    let side = ratio.map(|ratio| ((f64::from(settings.size) / ratio) as u32).max(1));
    let places = [overview.width() / side[0], overview.height() / side[1]];
    let mut seen = BTreeSet::new();
    for number in 0..wanted {
        for _ in 0..TRIALS {
            if seen.len() as u64 >= u64::from(places[0]) * u64::from(places[1]) {
                return Ok(Some(patches));
            }
            let place = [0, 1].map(|axis: usize| rng.random_range(0..places[axis]) * side[axis]);
            if !seen.insert(place) {
                continue;
            }
            let part = imageops::crop_imm(&overview, place[0], place[1], side[0], side[1]).to_image();
            let pixels = f64::from(side[0]) * f64::from(side[1]);
            if (tissue.count(&part) as f64 / pixels) < settings.tissue {
                continue;
            }
            if stopped() {
                return Ok(None);
            }
            let [x, y] = [0, 1].map(|axis: usize| (f64::from(place[axis]) * ratio[axis]) as i64);
            let size = i64::from(settings.size);
            if x + size > width || y + size > height {
                continue;
            }
            let picture = slide.region(0, [x, y], [settings.size; 2])?;
            let Some(own) = Tissue::of(&picture, settings.darkest) else { continue };
            let patch = Patch { region: None, row: None, number, x, y, tissue: own.count(&picture), metastatic: 0 };
            if share(patch.tissue, settings.size) < settings.tissue {
                continue;
            }
            take(&patch, &picture)?;
            patches.push(patch);
            break;
        }
    }
    Ok(Some(patches))
}

/// The whole slide at about a pixel for `downsample` of level 0 in each direction, and that scale: a level of its own
/// where there is one.
fn overview<R: Read + Seek>(slide: &Slide<R>, downsample: f64) -> Result<(RgbImage, [f64; 2]), SlideError> {
    let near = slide
        .levels()
        .iter()
        .position(|level| level.downsample.iter().all(|own| (own / downsample - 1.0).abs() < NEAR));
    if let Some((index, level)) = near.and_then(|index| Some((index, slide.levels().get(index)?))) {
        return Ok((slide.region(index, [0, 0], [level.width, level.height])?, level.downsample));
    }
    let size = slide.size().map(|side| (f64::from(side) / downsample).ceil().max(1.0));
    Ok((slide.region_scaled([downsample; 2], [0, 0], size.map(|side| side as u32))?, [downsample; 2]))
}
