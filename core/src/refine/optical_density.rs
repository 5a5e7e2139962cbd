use std::array::from_fn;

/// Optical density of an image, `-ln((I + 1) / 256)` of red, green and blue, one plane each.
pub(super) struct OpticalDensity {
    pub(super) planes: [Vec<f32>; 3],
    /// `[H, W]`.
    pub(super) size: [usize; 2],
}

impl OpticalDensity {
    /// Of `H * W` pixels of 3 bytes.
    pub(super) fn new(rgb: &[u8], size: [usize; 2]) -> Self {
        let density: [f32; 256] = from_fn(|value| -((value as f32 + 1.0) / 256.0).ln());
        let plane = |channel: usize| rgb.iter().skip(channel).step_by(3).map(|&value| density[usize::from(value)]);
        Self { planes: from_fn(|channel| plane(channel).collect()), size }
    }

    /// Sum over the colours.
    pub(super) fn total(&self) -> Vec<f32> {
        let [red, green, blue] = &self.planes;
        red.iter().zip(green).zip(blue).map(|((red, green), blue)| red + green + blue).collect()
    }

    /// Short side in pixels; lengths are shares of it, so that they follow the model's scale.
    pub(super) fn short_side(&self) -> f32 {
        self.size[0].min(self.size[1]) as f32
    }
}

/// Three box filters in a row along both axes, close to a Gaussian of standard deviation `sigma` pixels; the border's
/// values go on outside.
pub(super) fn blur(plane: &[f32], size: [usize; 2], sigma: f32) -> Vec<f32> {
    // three boxes of width 2r + 1 have a variance of ((2r + 1)^2 - 1) / 4
    let radius = (((4.0 * sigma * sigma + 1.0).sqrt() - 1.0) / 2.0).round() as usize;
    let (mut blurred, mut across) = (plane.to_vec(), vec![0.0; plane.len()]);
    if radius > 0 && !plane.is_empty() {
        for _ in 0..3 {
            box_rows(&blurred, &mut across, size[1], radius);
            box_columns(&across, &mut blurred, size[1], radius);
        }
    }
    blurred
}

/// Rows that are filtered side by side, as columns: sums that do not wait for each other.
const TOGETHER: usize = 16;

fn box_rows(from: &[f32], to: &mut [f32], width: usize, radius: usize) {
    let [mut turned, mut filtered] = [0, 1].map(|_| vec![0.0; TOGETHER * width]);
    for (from, to) in from.chunks(TOGETHER * width).zip(to.chunks_mut(TOGETHER * width)) {
        let rows = from.len() / width;
        let (turned, filtered) = (&mut turned[..from.len()], &mut filtered[..from.len()]);
        transpose(from, turned, [rows, width]);
        box_columns(turned, filtered, rows, radius);
        transpose(filtered, to, [width, rows]);
    }
}

/// Means over `2 radius + 1` values of a column of `[H, width]`, by a sum that goes down with it.
fn box_columns(from: &[f32], to: &mut [f32], width: usize, radius: usize) {
    let last = (from.len() / width).saturating_sub(1);
    let row = |y: usize| &from[y.min(last) * width..][..width];
    let mut sums = vec![0.0; width];
    for y in 0..=2 * radius {
        let row = row(y.saturating_sub(radius));
        sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value));
    }
    let count = (2 * radius + 1) as f64;
    for (y, to) in to.chunks_exact_mut(width).enumerate() {
        let (enters, leaves) = (row(y + radius + 1), row(y.saturating_sub(radius)));
        for (((sum, to), &enters), &leaves) in sums.iter_mut().zip(to).zip(enters).zip(leaves) {
            *to = (*sum / count) as f32;
            *sum += f64::from(enters) - f64::from(leaves);
        }
    }
}

/// `[H, W]` to `[W, H]`.
pub(super) fn transposed<T: Copy + Default>(plane: &[T], size: [usize; 2]) -> Vec<T> {
    let mut turned = vec![T::default(); plane.len()];
    transpose(plane, &mut turned, size);
    turned
}

/// [`transposed`] in squares, whose lines of memory stay at hand.
fn transpose<T: Copy>(from: &[T], to: &mut [T], [height, width]: [usize; 2]) {
    for top in (0..height).step_by(TOGETHER) {
        for left in (0..width).step_by(TOGETHER) {
            let rows = top..(top + TOGETHER).min(height);
            for x in left..(left + TOGETHER).min(width) {
                let to = &mut to[x * height + rows.start..x * height + rows.end];
                to.iter_mut().zip(rows.clone()).for_each(|(to, y)| *to = from[y * width + x]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blur_keeps_the_sum_and_has_its_width() {
        let size = [41, 61];
        let mut plane = vec![0.0; size[0] * size[1]];
        plane[20 * size[1] + 30] = 1.0;
        let blurred = blur(&plane, size, 3.0);
        let sum: f32 = blurred.iter().sum();
        let variance: f32 =
            blurred.iter().enumerate().map(|(i, value)| ((i % size[1]) as f32 - 30.0).powi(2) * value).sum();
        assert!((sum - 1.0).abs() < 1e-4, "{sum}");
        assert!((variance.sqrt() - 3.0).abs() < 0.5, "{}", variance.sqrt());
    }
}
