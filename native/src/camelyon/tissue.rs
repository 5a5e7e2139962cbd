//! Which pixels are tissue: Otsu's threshold on each channel and on saturation, as scikit-image computes them.

use histomask_core::slide::otsu;
use image::RgbImage;

/// Bins of a histogram of saturations.
const BINS: usize = 256;

/// Tissue is what is not brighter than its threshold in red, green and blue at once, is more saturated than its
/// threshold, and has each channel above `darkest`.
pub(super) struct Tissue {
    thresholds: [u8; 3],
    /// By largest and smallest channel.
    saturated: Vec<bool>,
    darkest: f64,
}

impl Tissue {
    /// The thresholds of a picture; none where a channel or the saturation is the same everywhere.
    pub(super) fn of(picture: &RgbImage, darkest: f64) -> Option<Self> {
        let mut channels = [[0_u64; 256]; 3];
        let mut extremes = vec![0_u64; 256 * 256];
        for pixel in picture.pixels() {
            for (histogram, &value) in channels.iter_mut().zip(&pixel.0) {
                histogram[usize::from(value)] += 1;
            }
            if let Some(count) = extremes.get_mut(place(pixel.0)) {
                *count += 1;
            }
        }
        let mut thresholds = [0; 3];
        for (threshold, histogram) in thresholds.iter_mut().zip(&channels) {
            if histogram.iter().filter(|&&count| count > 0).count() < 2 {
                return None;
            }
            *threshold = otsu(histogram, |value| value as f64) as u8;
        }
        let saturations: Vec<f64> = (0..256 * 256).map(saturation).collect();
        let threshold = saturation_threshold(&saturations, &extremes)?;
        let saturated = saturations.iter().map(|&value| value > threshold).collect();
        Some(Self { thresholds, saturated, darkest })
    }

    /// Whether a pixel is tissue.
    pub(super) fn is(&self, pixel: [u8; 3]) -> bool {
        let bright = pixel.iter().zip(self.thresholds).all(|(&value, threshold)| value > threshold);
        let dark = pixel.iter().any(|&value| f64::from(value) <= self.darkest);
        !bright && !dark && self.saturated.get(place(pixel)).is_some_and(|&is| is)
    }

    /// How many pixels of each column are tissue.
    pub(super) fn columns(&self, picture: &RgbImage) -> Vec<u32> {
        let mut counts = vec![0; picture.width() as usize];
        for line in picture.rows() {
            line.zip(&mut counts).for_each(|(pixel, count)| *count += u32::from(self.is(pixel.0)));
        }
        counts
    }

    /// How many pixels of a picture are tissue.
    pub(super) fn count(&self, picture: &RgbImage) -> u64 {
        picture.pixels().filter(|pixel| self.is(pixel.0)).count() as u64
    }
}

fn place(pixel: [u8; 3]) -> usize {
    let (most, least) = (pixel.into_iter().max().unwrap_or(0), pixel.into_iter().min().unwrap_or(0));
    usize::from(most) * 256 + usize::from(least)
}

/// HSV's saturation, 0 to 1, in the steps of scikit-image's `rgb2hsv`.
fn saturation(place: usize) -> f64 {
    let (most, least) = ((place / 256) as f64 / 255.0, (place % 256) as f64 / 255.0);
    let delta = most - least;
    if delta > 0.0 { delta / most } else { 0.0 }
}

/// Otsu's threshold over 256 bins from the least to the largest saturation, as numpy's `histogram` fills them.
fn saturation_threshold(saturations: &[f64], counts: &[u64]) -> Option<f64> {
    let present = || saturations.iter().zip(counts).filter(|(_, count)| **count > 0);
    let least = present().map(|(value, _)| *value).fold(f64::INFINITY, f64::min);
    let most = present().map(|(value, _)| *value).fold(f64::NEG_INFINITY, f64::max);
    if least >= most {
        return None;
    }
    let step = (most - least) / BINS as f64;
    let mut edges: Vec<f64> = (0..=BINS).map(|bin| least + bin as f64 * step).collect();
    edges[BINS] = most;
    let mut histogram = vec![0_u64; BINS];
    for (&value, &count) in present() {
        let mut bin = (((value - least) * (BINS as f64 / (most - least))) as usize).min(BINS - 1);
        if value < edges[bin] {
            bin -= 1;
        } else if bin + 1 < BINS && value >= edges[bin + 1] {
            bin += 1;
        }
        histogram[bin] += count;
    }
    let centre = |bin: usize| (edges[bin] + edges[bin + 1]) / 2.0;
    Some(centre(otsu(&histogram, centre)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::*;
    use image::Rgb;

    #[test]
    fn tissue_is_told_from_glass_and_ink_and_a_plain_picture_has_none() {
        let picture = RgbImage::from_fn(40, 10, |x, _| match x {
            0..20 => Rgb([240, 240, 242]),
            20..25 => Rgb([0, 60, 140]),
            _ => Rgb([(150 + x) as u8, 90, 170]),
        });
        let tissue = Tissue::of(&picture, 0.1).unwrap();
        assert_eq!([[240, 240, 242], [0, 60, 140], [180, 90, 170]].map(|pixel| tissue.is(pixel)), [false, false, true]);
        assert_eq!(tissue.columns(&picture)[20..26], [0, 0, 0, 0, 0, 10]);
        assert_eq!(tissue.count(&picture), 150);
        assert!(Tissue::of(&RgbImage::from_pixel(9, 9, Rgb([1, 2, 3])), 0.1).is_none());
        // grey: each channel varies, the saturation does not
        assert!(Tissue::of(&RgbImage::from_fn(9, 9, |x, _| Rgb([x as u8; 3])), 0.1).is_none());
    }
}
