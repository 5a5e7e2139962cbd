//! A backbone's first layers over a large image, window by window: their maps are the large ones, so that memory does
//! not grow with the image as they would.
//!
//! Windows overlap by more than these layers see, and of each only the features whose surroundings it holds are kept.
//! They start at multiples of the stride and are as long as the image modulo the stride, so that every stride-2 layer
//! pads and samples them as it would the whole image. The result is that of the whole image.

use std::ops::Range;

use burn::tensor::Tensor;

/// Windows start at multiples of this, the stride of a whole backbone.
const ALIGNMENT: usize = 32;

/// How an image is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tiling {
    /// Longest side of a window in pixels, overlap included; images up to this size are not cut. A multiple of 32.
    pub side: usize,
    /// Pixels around the part of a window whose features are kept, at least what the layers see beyond their own
    /// position. A multiple of 32, less than half the side.
    pub overlap: usize,
}

impl Default for Tiling {
    fn default() -> Self {
        // ResNet18's first two stages see 51 pixels further, EfficientNet-Lite0's first four 88
        Self { side: 1024, overlap: 96 }
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
        size.map(|side| side.min(self.side + ALIGNMENT))
    }

    /// Features of `images` by `layers` of a stride of up to 32.
    ///
    /// # Shapes
    ///
    /// `[B, 3, H, W]` to `[B, F, ceil(H / stride), ceil(W / stride)]`, and so do `layers`.
    pub fn forward(&self, images: Tensor<4>, stride: usize, layers: impl Fn(Tensor<4>) -> Tensor<4>) -> Tensor<4> {
        let [batch, channels, height, width] = images.dims();
        if height.max(width) <= self.side {
            return layers(images);
        }
        let (rows, columns) = (self.windows(height, stride), self.windows(width, stride));
        let row = |rows: &Window| {
            let part = |columns: &Window| {
                let window = [0..batch, 0..channels, rows.input.clone(), columns.input.clone()];
                let features = layers(images.clone().slice(window));
                let [_, depth, _, _] = features.dims();
                features.slice([0..batch, 0..depth, rows.kept.clone(), columns.kept.clone()])
            };
            Tensor::cat(columns.iter().map(part).collect(), 3)
        };
        Tensor::cat(rows.iter().map(row).collect(), 2)
    }

    /// The windows of an axis of `length` pixels; what they keep adds up to all its features.
    fn windows(&self, length: usize, stride: usize) -> Vec<Window> {
        if length <= self.side {
            return vec![Window { input: 0..length, kept: 0..length.div_ceil(stride) }];
        }
        let step = self.side - 2 * self.overlap;
        let window = |start: usize| {
            let first = start.saturating_sub(self.overlap);
            let end = (start + step + self.overlap + length % ALIGNMENT).min(length);
            let last = (start + step).min(length);
            Window { input: first..end, kept: (start - first) / stride..(last - first).div_ceil(stride) }
        };
        (0..length).step_by(step).map(window).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_keep_every_feature_once_and_pad_as_the_whole_does() {
        let tiling = Tiling { side: 256, overlap: 64 };
        for (length, stride) in (1..1200).step_by(7).flat_map(|length| [8, 16, 32].map(|stride| (length, stride))) {
            let mut next = 0;
            for Window { input, kept } in tiling.windows(length, stride) {
                assert_eq!(input.start % ALIGNMENT, 0);
                assert_eq!(input.len() % ALIGNMENT, length % ALIGNMENT, "{length}: {input:?}");
                assert!(input.len() <= tiling.largest([length, 1])[0], "{length}: {input:?}");
                assert!(kept.end <= input.len().div_ceil(stride), "{length}: {input:?} {kept:?}");
                assert_eq!(input.start / stride + kept.start, next);
                next += kept.len();
            }
            assert_eq!(next, length.div_ceil(stride), "{length}");
        }
    }
}
