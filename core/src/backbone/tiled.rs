//! A backbone over a large image, window by window, so that memory does not grow with the image.
//!
//! Windows overlap: of each, only the features whose surroundings it holds are kept. They start at multiples of the
//! stride and are as long as the image modulo the stride, so that every stride-2 layer pads and samples each as it
//! would the whole image; what is left is what a feature sees beyond the overlap, which is little.

use std::ops::Range;

use burn::tensor::Tensor;

/// Pixels of the image to one position of the features.
const STRIDE: usize = 32;

/// How an image is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tiling {
    /// Longest side of a window in pixels, overlap included; images up to this size are not cut. A multiple of 32.
    pub side: usize,
    /// Pixels around the part of a window whose features are kept. A multiple of 32, less than half the side.
    pub overlap: usize,
}

impl Default for Tiling {
    fn default() -> Self {
        Self { side: 1024, overlap: 128 }
    }
}

/// A part of one axis.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Window {
    /// Pixels that the backbone sees.
    input: Range<usize>,
    /// Which of the features computed from them are kept.
    kept: Range<usize>,
}

impl Tiling {
    /// Sides of the largest window of an image of `[H, W]`.
    #[must_use]
    pub fn largest(&self, size: [usize; 2]) -> [usize; 2] {
        size.map(|side| side.min(self.side + STRIDE))
    }

    /// Features of `images` by `features`, which maps `[B, 3, h, w]` to `[B, F, ceil(h / 32), ceil(w / 32)]`.
    ///
    /// # Shapes
    ///
    /// `[B, 3, H, W]` to `[B, F, ceil(H / 32), ceil(W / 32)]`.
    pub fn forward(&self, images: Tensor<4>, features: impl Fn(Tensor<4>) -> Tensor<4>) -> Tensor<4> {
        let [batch, channels, height, width] = images.dims();
        if height.max(width) <= self.side {
            return features(images);
        }
        let (rows, columns) = (self.windows(height), self.windows(width));
        let row = |rows: &Window| {
            let part = |columns: &Window| {
                let window = [0..batch, 0..channels, rows.input.clone(), columns.input.clone()];
                let features = features(images.clone().slice(window));
                let [_, depth, _, _] = features.dims();
                features.slice([0..batch, 0..depth, rows.kept.clone(), columns.kept.clone()])
            };
            Tensor::cat(columns.iter().map(part).collect(), 3)
        };
        Tensor::cat(rows.iter().map(row).collect(), 2)
    }

    /// The windows of an axis of `length` pixels; what they keep adds up to all its features.
    fn windows(&self, length: usize) -> Vec<Window> {
        if length <= self.side {
            return vec![Window { input: 0..length, kept: 0..length.div_ceil(STRIDE) }];
        }
        let step = self.side - 2 * self.overlap;
        let starts = (0..length).step_by(step);
        starts
            .map(|start| {
                let first = start.saturating_sub(self.overlap);
                let end = (start + step + self.overlap + length % STRIDE).min(length);
                let features = (start / STRIDE)..((start + step).min(length)).div_ceil(STRIDE);
                let kept = features.start - first / STRIDE..features.end - first / STRIDE;
                Window { input: first..end, kept }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_keep_every_feature_once_and_pad_as_the_whole_does() {
        let tiling = Tiling { side: 256, overlap: 64 };
        for length in (1..1200).step_by(7) {
            let mut next = 0;
            for Window { input, kept } in tiling.windows(length) {
                assert_eq!(input.start % STRIDE, 0);
                assert_eq!(input.len() % STRIDE, length % STRIDE, "{length}: {input:?}");
                assert!(input.len() <= tiling.largest([length, 1])[0], "{length}: {input:?}");
                assert!(kept.end <= input.len().div_ceil(STRIDE), "{length}: {input:?} {kept:?}");
                assert_eq!(input.start / STRIDE + kept.start, next);
                next += kept.len();
            }
            assert_eq!(next, length.div_ceil(STRIDE), "{length}");
        }
    }
}
