//! Feature maps in blocks of channels.

use std::sync::{Mutex, PoisonError};

use crate::parallel;

/// Channels of a block.
pub const BLOCK: usize = 16;

/// The values of a block's channels at one pixel: a line of a processor's cache, and of the longest vectors (AVX-512).
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
pub(super) struct Block(pub(super) [f32; BLOCK]);

/// Values of some channels at one pixel.
pub(super) trait Pixel: Copy + Default + Send + Sync {
    const CHANNELS: usize;

    fn channel(&self, index: usize) -> f32;
}

impl Pixel for Block {
    const CHANNELS: usize = BLOCK;

    #[inline(always)]
    fn channel(&self, index: usize) -> f32 {
        self.0[index]
    }
}

/// A colour image's.
impl Pixel for [f32; 3] {
    const CHANNELS: usize = 3;

    #[inline(always)]
    fn channel(&self, index: usize) -> f32 {
        self[index]
    }
}

/// Feature map of one sample, `[ceil(C / 16), H, W, 16]`: a pixel's channels lie together, so that convolutions read
/// neighbouring pixels and all channels from neighbouring memory. Channels beyond C mean nothing.
#[derive(Debug)]
pub struct Map {
    pub(super) channels: usize,
    pub(super) size: [usize; 2],
    pub(super) values: Vec<Block>,
}

/// Memory of maps that are no more, for those to come: fresh memory costs more than to fill it.
static SPARE: Mutex<Vec<Vec<Block>>> = Mutex::new(Vec::new());
/// Maps that a network needs at once, about.
const MOST_SPARE: usize = 8;

impl Map {
    /// A map whose values are what they happen to be.
    pub(super) fn uninitialised(channels: usize, size: [usize; 2]) -> Self {
        let length = channels.div_ceil(BLOCK) * size[0] * size[1];
        let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = |values: &(usize, &Vec<Block>)| values.1.len() >= length;
        let smallest = spare.iter().enumerate().filter(fitting).min_by_key(|(_, values)| values.len());
        let found = smallest.map(|(index, _)| index).or_else(|| spare.len().checked_sub(1));
        let mut values = found.map(|index| spare.swap_remove(index)).unwrap_or_default();
        drop(spare);
        if values.len() < length {
            values = vec![Block::default(); length];
        }
        Self { channels, size, values }
    }

    /// From planes `[C, H, W]`.
    #[must_use]
    pub fn from_planes(planes: &[f32], channels: usize, size: [usize; 2]) -> Self {
        let mut map = Self::uninitialised(channels, size);
        let [height, width] = size;
        let plane = height * width;
        parallel::chunks(map.used(), width, |row, pixels| {
            let (block, from) = (row / height.max(1), row % height.max(1) * width);
            pixels.fill(Block::default());
            for channel in 0..BLOCK.min(channels - block * BLOCK) {
                let values = &planes[(block * BLOCK + channel) * plane + from..][..width];
                pixels.iter_mut().zip(values).for_each(|(pixel, &value)| pixel.0[channel] = value);
            }
        });
        map
    }

    /// To planes `[C, H, W]`.
    pub fn to_planes(&self, planes: &mut [f32]) {
        let plane = self.pixels().max(1);
        parallel::chunks(planes, plane, |channel, values| {
            let pixels = &self.block(channel / BLOCK)[..values.len()];
            values.iter_mut().zip(pixels).for_each(|(value, pixel)| *value = pixel.0[channel % BLOCK]);
        });
    }

    /// Channels.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Rows and columns.
    #[must_use]
    pub fn size(&self) -> [usize; 2] {
        self.size
    }

    pub(super) fn pixels(&self) -> usize {
        self.size[0] * self.size[1]
    }

    pub(super) fn blocks(&self) -> usize {
        self.channels.div_ceil(BLOCK)
    }

    pub(super) fn block(&self, index: usize) -> &[Block] {
        &self.values[index * self.pixels()..][..self.pixels()]
    }

    pub(super) fn used(&mut self) -> &mut [Block] {
        let length = self.blocks() * self.pixels();
        &mut self.values[..length]
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
        spare.push(std::mem::take(&mut self.values));
        if spare.len() > MOST_SPARE {
            let smallest = spare.iter().enumerate().min_by_key(|(_, values)| values.len()).map(|(index, _)| index);
            smallest.map(|index| spare.swap_remove(index));
        }
    }
}
