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
    if radius == 0 {
        return plane.to_vec();
    }
    let mut blurred = plane.to_vec();
    for _ in 0..3 {
        blurred = box_rows(&transposed(&box_rows(&blurred, size, radius), size), [size[1], size[0]], radius);
        blurred = transposed(&blurred, [size[1], size[0]]);
    }
    blurred
}

fn box_rows(plane: &[f32], [_, width]: [usize; 2], radius: usize) -> Vec<f32> {
    let mut filtered = Vec::with_capacity(plane.len());
    for row in plane.chunks_exact(width.max(1)) {
        let at = |x: isize| f64::from(row[x.clamp(0, width as isize - 1) as usize]);
        let reach = radius as isize;
        let mut sum: f64 = (-reach..=reach).map(at).sum();
        for x in 0..width as isize {
            filtered.push((sum / (2 * radius + 1) as f64) as f32);
            sum += at(x + reach + 1) - at(x - reach);
        }
    }
    filtered
}

/// `[H, W]` to `[W, H]`.
pub(super) fn transposed<T: Copy>(plane: &[T], [height, width]: [usize; 2]) -> Vec<T> {
    (0..width).flat_map(|x| (0..height).map(move |y| plane[y * width + x])).collect()
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
