//! The first pass over a slide: the network on every unit.

use std::fs::File;
use std::sync::mpsc::sync_channel;
use std::time::Instant;

use anyhow::Context as _;
use histomask_core::refine::Wide;
use histomask_core::slide::Slide;
use histomask_core::{RgbView, Segmenter};
use image::RgbImage;

use super::plan::{Plan, Unit, Whole};
use super::record::{Mapped, Seen};
use super::state::State;
use super::summary::Seconds;
use crate::interrupt;
use crate::job::watch::Count;

/// Regions that are read ahead.
const AHEAD: usize = 2;
/// Windows and pixels of each that the colours of a slide are taken from.
const COLOUR_WINDOWS: usize = 64;
const COLOUR_SAMPLES: usize = 1000;

/// What the first pass needs.
pub(super) struct Compute<'a> {
    pub(super) slide: &'a Slide<File>,
    /// Pixels of level 0 in one of the model.
    pub(super) step: [f64; 2],
    pub(super) plan: &'a Plan,
    /// Sees pixels as they come; with blocks, it refines nothing.
    pub(super) segmenter: &'a Segmenter,
    pub(super) wide: Option<&'a Wide>,
    pub(super) patch: usize,
}

impl Compute<'_> {
    /// Computes what is missing in `state`; false if the user stopped it. Adds to `seconds` what it took.
    ///
    /// # Errors
    /// The slide cannot be read, the network fails, or the state cannot be written.
    pub(super) fn run(&self, state: &mut State, count: &dyn Count, seconds: &mut Seconds) -> anyhow::Result<bool> {
        let missing: Vec<usize> = (0..self.plan.units.len()).filter(|&number| !state.has(number)).collect();
        let (mut done, mut damaged) = (self.plan.units.len() - missing.len(), 0);
        count.start_at(done);
        let (send, receive) = sync_channel(AHEAD);
        std::thread::scope(|scope| {
            let reader = || {
                let mut reading = 0.0;
                for number in missing {
                    let clock = Instant::now();
                    let read = self.read(&self.plan.units[number]).map(|image| (number, image));
                    reading += clock.elapsed().as_secs_f64();
                    let failed = read.is_err();
                    // nobody listens any more, or there is nothing more to say
                    if interrupt::asked() || send.send(read).is_err() || failed {
                        break;
                    }
                }
                drop(send);
                reading
            };
            let reader = scope.spawn(reader);
            // taken over, so that an early end lets the reader go
            let receive = receive;
            let mut clock = Instant::now();
            let mut lap = |part: &mut f64| {
                *part += clock.elapsed().as_secs_f64();
                clock = Instant::now();
            };
            for read in &receive {
                lap(&mut seconds.waiting);
                let (number, image) = read?;
                let bytes = match &self.plan.units[number] {
                    Unit::Block { at, size } => self.block(&image, *at, *size)?.to_bytes(),
                    Unit::Window { .. } => self.window(&image)?.to_bytes(),
                };
                lap(&mut seconds.inferring);
                let new = self.slide.passed_over(damaged);
                damaged += new.len();
                state.note_damage(new)?;
                state.put(number, &bytes)?;
                lap(&mut seconds.keeping);
                done += 1;
                count.set(done, "");
                if interrupt::asked() {
                    break;
                }
            }
            drop(receive);
            seconds.reading += reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            Ok(done == self.plan.units.len())
        })
    }

    /// The pixels that a unit needs.
    fn read(&self, unit: &Unit) -> anyhow::Result<RgbImage> {
        let (at, size) = match unit {
            Unit::Window { column, row } => (self.plan.corner(*column, *row), self.plan.side()),
            Unit::Block { at, size } => around(*at, *size, self.margin(), self.plan.size()),
        };
        self.region(at, size)
    }

    fn region(&self, at: [usize; 2], size: [usize; 2]) -> anyhow::Result<RgbImage> {
        let (at, size) = (at.map(|place| place as i64), size.map(|side| side as u32));
        Ok(self.slide.region_scaled(self.step, at, size)?)
    }

    /// Pixels around a block that are read.
    fn margin(&self) -> usize {
        let of_maps = self.plan.whole.map_or(0, |whole| whole.margin + whole.stride);
        of_maps.max(self.wide.map_or(0, |_| Wide::margin(self.patch)))
    }

    fn block(&self, image: &RgbImage, at: [usize; 2], size: [usize; 2]) -> anyhow::Result<Mapped> {
        let Some(whole) = self.plan.whole else { return Ok(Mapped::default()) };
        let (read_at, read_size) = around(at, size, self.margin(), self.plan.size());
        let (net_at, net_size) = self.seen(whole, at, size);
        let seen = cut(
            image.as_raw(),
            3 * read_size[0],
            [3 * (net_at[0] - read_at[0]), net_at[1] - read_at[1]],
            [3 * net_size[0], net_size[1]],
        );
        let view = RgbView::new(&seen, net_size[0], net_size[1])?;
        let local = self.segmenter.local_maps(view)?.context("this method has no class maps")?;
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

    fn window(&self, image: &RgbImage) -> anyhow::Result<Seen> {
        let view = RgbView::new(image.as_raw(), image.width() as usize, image.height() as usize)?;
        let observed = self.segmenter.observe(view)?;
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
    pub(super) fn colours(&self) -> anyhow::Result<Vec<[f32; 6]>> {
        let windows: Vec<_> = self.plan.units.iter().filter(|unit| matches!(unit, Unit::Window { .. })).collect();
        let mut samples = Vec::new();
        for unit in windows.iter().step_by(windows.len().div_ceil(COLOUR_WINDOWS).max(1)) {
            let image = self.read(unit)?;
            let size = [image.height() as usize, image.width() as usize];
            samples.extend(Wide::samples(image.as_raw(), size, self.patch, COLOUR_SAMPLES));
        }
        Ok(samples)
    }
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
