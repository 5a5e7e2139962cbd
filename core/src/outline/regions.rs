//! Connected regions of a thresholded mask.

use super::Polygon;

/// Number of the background.
const BACKGROUND: u32 = 0;

/// The region of each pixel.
pub(super) struct Regions {
    /// Pixels of a row of `number`: the image's width and a border on each side.
    pub(super) stride: usize,
    /// `[height + 2, stride]`: 0 is background, regions count from 1 in the order of their first pixel. The border is
    /// background, so that every pixel of the image has all its neighbours.
    pub(super) number: Vec<u32>,
    /// How many regions there are.
    pub(super) count: usize,
}

impl Regions {
    /// Numbers the 4-connected regions of `mask >= threshold`: provisional numbers with a union of those that meet,
    /// then final ones (Rosenfeld & Pfaltz 1966). `width` is not 0.
    pub(super) fn of(mask: &[f32], width: usize, height: usize, threshold: f32) -> Self {
        let stride = width + 2;
        let mut number = vec![BACKGROUND; stride * (height + 2)];
        // of each provisional number an equal or smaller one of the same region; of the smallest, itself
        let mut parent = vec![BACKGROUND];
        for (y, row) in mask.chunks(width).take(height).enumerate() {
            for (x, &value) in row.iter().enumerate() {
                if value >= threshold {
                    let pixel = (y + 1) * stride + x + 1;
                    number[pixel] = match (number[pixel - 1], number[pixel - stride]) {
                        (BACKGROUND, BACKGROUND) => {
                            let fresh = parent.len() as u32;
                            parent.push(fresh);
                            fresh
                        }
                        (BACKGROUND, one) | (one, BACKGROUND) => one,
                        (left, above) => join(&mut parent, left, above),
                    };
                }
            }
        }
        // a parent is smaller, so its own final number is known by then
        let mut count = 0;
        for provisional in 1..parent.len() {
            let above = parent[provisional] as usize;
            parent[provisional] = if above == provisional {
                count += 1;
                count
            } else {
                parent[above]
            };
        }
        number.iter_mut().for_each(|number| *number = parent[*number as usize]);
        Self { stride, number, count: count as usize }
    }

    /// A polygon for each region, in their order, with pixels and mean but no ring.
    pub(super) fn sizes(&self, mask: &[f32]) -> Vec<Polygon> {
        // the first is the background's
        let mut polygons = vec![Polygon::default(); self.count + 1];
        let rows = self.number.chunks(self.stride).skip(1);
        for (numbers, values) in rows.zip(mask.chunks(self.stride - 2)) {
            for (&number, &value) in numbers.iter().skip(1).zip(values) {
                let polygon = &mut polygons[number as usize];
                polygon.pixels += 1;
                polygon.mean += f64::from(value);
            }
        }
        polygons.remove(0);
        polygons.iter_mut().for_each(|polygon| polygon.mean /= polygon.pixels as f64);
        polygons
    }
}

/// Makes one region of two and returns its smallest number.
fn join(parent: &mut [u32], one: u32, other: u32) -> u32 {
    let (one, other) = (smallest(parent, one), smallest(parent, other));
    let (low, high) = (one.min(other), one.max(other));
    parent[high as usize] = low;
    low
}

/// The smallest number of a region, found by halving the way to it.
fn smallest(parent: &mut [u32], mut number: u32) -> u32 {
    while parent[number as usize] != number {
        let above = parent[parent[number as usize] as usize];
        parent[number as usize] = above;
        number = above;
    }
    number
}
