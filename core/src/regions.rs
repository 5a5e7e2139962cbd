//! Connected regions of a binary picture.

/// Number of what is not set.
const BACKGROUND: u32 = 0;

/// The region of each pixel.
pub(crate) struct Regions {
    /// Pixels of a row of `number`: the picture's width and a border on each side.
    pub(crate) stride: usize,
    /// `[height + 2, stride]`: 0 is background, regions count from 1 in the order of their first pixel. The border is
    /// background, so that every pixel of the picture has all its neighbours.
    pub(crate) number: Vec<u32>,
    /// How many regions there are.
    pub(crate) count: usize,
}

/// What a region takes up.
#[derive(Clone, Copy, Default)]
pub(crate) struct Extent {
    pub(crate) pixels: usize,
    /// Whether it has a pixel at the picture's edge.
    pub(crate) at_edge: bool,
}

impl Regions {
    /// Numbers the regions of pixels that are `set`, joined by edges, of a picture `[height, width]`: provisional
    /// numbers with a union of those that meet, then final ones (Rosenfeld & Pfaltz 1966).
    pub(crate) fn of<T: Copy>(picture: &[T], width: usize, height: usize, set: impl Fn(T) -> bool) -> Self {
        let stride = width + 2;
        let mut number = vec![BACKGROUND; stride * (height + 2)];
        // of each provisional number an equal or smaller one of the same region; of the smallest, itself
        let mut parent = vec![BACKGROUND];
        for (y, row) in picture.chunks(width.max(1)).take(height).enumerate() {
            for (x, &value) in row.iter().enumerate() {
                if set(value) {
                    let pixel = (y + 1) * stride + x + 1;
                    number[pixel] = match (number[pixel - 1], number[pixel - stride]) {
                        (BACKGROUND, BACKGROUND) => {
                            let fresh = parent.len() as u32;
                            parent.push(fresh);
                            fresh
                        }
                        (BACKGROUND, one) | (one, BACKGROUND) => one,
                        (left, above) if left == above => left,
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

    /// The numbers of the picture's pixels, row by row.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &[u32]> {
        let rows = self.number.chunks(self.stride).skip(1);
        rows.take((self.number.len() / self.stride).saturating_sub(2)).map(|row| &row[1..row.len() - 1])
    }

    /// What each number takes up, the background's first.
    pub(crate) fn extents(&self) -> Vec<Extent> {
        let mut extents = vec![Extent::default(); self.count + 1];
        let last = (self.number.len() / self.stride).saturating_sub(3);
        for (y, row) in self.rows().enumerate() {
            row.iter().for_each(|&number| extents[number as usize].pixels += 1);
            let at_edge = if y == 0 || y == last { row } else { &[] };
            for &number in at_edge.iter().chain(row.first()).chain(row.last()) {
                extents[number as usize].at_edge = true;
            }
        }
        extents
    }

    /// Calls `pixel` with each pixel of the regions that are `chosen`.
    pub(crate) fn visit(&self, chosen: impl Fn(Extent) -> bool, mut pixel: impl FnMut(usize)) {
        let mut chosen: Vec<bool> = self.extents().into_iter().map(chosen).collect();
        chosen[BACKGROUND as usize] = false;
        for (index, &number) in self.rows().flatten().enumerate() {
            if chosen[number as usize] {
                pixel(index);
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_joined_by_edges_and_know_their_extent() {
        let rows = ["##..#", "#..#.", ".###.", ".....", ".#.##"];
        let picture: Vec<u8> = rows.concat().into_bytes();
        let regions = Regions::of(&picture, 5, 5, |byte| byte == b'#');
        let numbers: Vec<&[u32]> = regions.rows().collect();
        assert_eq!(numbers, [[1, 1, 0, 0, 2], [1, 0, 0, 3, 0], [0, 3, 3, 3, 0], [0; 5], [0, 4, 0, 5, 5]]);
        let extents: Vec<_> = regions.extents().iter().map(|extent| (extent.pixels, extent.at_edge)).collect();
        assert_eq!(extents, [(14, true), (3, true), (1, true), (4, false), (1, true), (2, true)]);
        let mut small = Vec::new();
        regions.visit(|extent| extent.pixels < 3, |pixel| small.push(pixel));
        assert_eq!(small, [4, 21, 23, 24]);
        assert_eq!(Regions::of::<u8>(&[], 0, 0, |_| true).count, 0);
    }
}
