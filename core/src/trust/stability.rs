//! Whether the mask stays where it is when the image is flipped or turned.

use crate::metric::{EmptyRule, PixelCounts, iou};

/// One of the eight ways to lay a rectangle: mirrored or not, then turned clockwise by quarters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Orientation {
    /// Left and right change places, before the turn.
    pub mirrored: bool,
    /// Quarter turns clockwise, 0 to 3.
    pub quarters: u8,
}

impl Orientation {
    /// The seven that change something: turns, then mirrored ones.
    pub const OTHERS: [Self; 7] = [
        Self::new(false, 1),
        Self::new(false, 2),
        Self::new(false, 3),
        Self::new(true, 0),
        Self::new(true, 1),
        Self::new(true, 2),
        Self::new(true, 3),
    ];

    /// Left–right, upside down, and both: those that keep the sides' lengths.
    pub const FLIPS: [Self; 3] = [Self::new(true, 0), Self::new(true, 2), Self::new(false, 2)];

    const fn new(mirrored: bool, quarters: u8) -> Self {
        Self { mirrored, quarters }
    }

    /// Width and height afterwards.
    #[must_use]
    pub fn size(self, [width, height]: [usize; 2]) -> [usize; 2] {
        if self.quarters % 2 == 1 { [height, width] } else { [width, height] }
    }

    /// Where a pixel of an image of `size` goes.
    fn place(self, [x, y]: [usize; 2], [width, height]: [usize; 2]) -> [usize; 2] {
        let x = if self.mirrored { width - 1 - x } else { x };
        match self.quarters % 4 {
            0 => [x, y],
            1 => [height - 1 - y, x],
            2 => [width - 1 - x, height - 1 - y],
            _ => [y, width - 1 - x],
        }
    }

    /// Lays an image out anew: `channels` interleaved values a pixel, rows first. Of values that do not make an image of
    /// this size, what is missing is left at the default.
    #[must_use]
    pub fn apply<T: Copy + Default>(self, values: &[T], size: [usize; 2], channels: usize) -> Vec<T> {
        self.moved(values, size, channels, |from, to| (from, to))
    }

    /// Undoes [`Orientation::apply`]; `size` is that of the image before it.
    #[must_use]
    pub fn undo<T: Copy + Default>(self, values: &[T], size: [usize; 2], channels: usize) -> Vec<T> {
        self.moved(values, size, channels, |from, to| (to, from))
    }

    fn moved<T: Copy + Default>(
        self,
        values: &[T],
        size: [usize; 2],
        channels: usize,
        direction: impl Fn(usize, usize) -> (usize, usize),
    ) -> Vec<T> {
        let [width, height] = size;
        let [new_width, _] = self.size(size);
        let mut result = vec![T::default(); width * height * channels];
        for y in 0..height {
            for x in 0..width {
                let [new_x, new_y] = self.place([x, y], size);
                let (from, to) = direction(y * width + x, new_y * new_width + new_x);
                let pixel = |index: usize| index * channels..(index + 1) * channels;
                if let (Some(to), Some(from)) = (result.get_mut(pixel(to)), values.get(pixel(from))) {
                    to.copy_from_slice(from);
                }
            }
        }
        result
    }
}

/// Intersection over union, in `[0, 1]`, of the pixels of two soft masks that reach `threshold`; 1 where none does in
/// either.
#[must_use]
pub fn agreement(a: &[f32], b: &[f32], threshold: f32) -> f64 {
    let mut counts = PixelCounts::default();
    for (a, b) in a.iter().zip(b) {
        match (*a >= threshold, *b >= threshold) {
            (true, true) => counts.true_positive += 1,
            (true, false) => counts.false_positive += 1,
            (false, true) => counts.false_negative += 1,
            (false, false) => counts.true_negative += 1,
        }
    }
    iou(counts, EmptyRule::Raw).unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_clockwise_and_mirrors_change_left_and_right() {
        // 1 2 3
        // 4 5 6
        let image = [1, 2, 3, 4, 5, 6];
        let lay = |mirrored, quarters| Orientation::new(mirrored, quarters).apply(&image, [3, 2], 1);
        assert_eq!(lay(false, 1), [4, 1, 5, 2, 6, 3]);
        assert_eq!(lay(false, 2), [6, 5, 4, 3, 2, 1]);
        assert_eq!(lay(false, 3), [3, 6, 2, 5, 1, 4]);
        assert_eq!(lay(true, 0), [3, 2, 1, 6, 5, 4]);
        assert_eq!(lay(true, 2), [4, 5, 6, 1, 2, 3]);
    }

    #[test]
    fn every_orientation_is_undone() {
        let image: Vec<u8> = (0..24).collect();
        for orientation in Orientation::OTHERS {
            let laid = orientation.apply(&image, [4, 2], 3);
            assert_ne!(laid, image);
            assert_eq!(orientation.undo(&laid, [4, 2], 3), image, "{orientation:?}");
        }
    }

    #[test]
    fn agreement_is_the_overlap_of_what_reaches_the_threshold() {
        assert_eq!(agreement(&[0.9, 0.5, 0.1, 0.0], &[0.5, 0.4, 0.6, 0.0], 0.5), 1.0 / 3.0);
        assert_eq!(agreement(&[0.0; 3], &[0.1; 3], 0.5), 1.0);
    }
}
