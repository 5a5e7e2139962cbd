//! The slide: stain concentrations on a supersampled grid, developed into a picture at the end.

use image::{GrayImage, Luma, Rgb, RgbImage};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

use super::{WORLD, noise::Noise, stain::Stain};

/// Samples per pixel and direction.
const SAMPLES: usize = 2;

/// Standard amplitude of the scanner's noise, in grey levels.
const GRAIN: f32 = 2.5;

/// What lies at one sample.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sample {
    /// Haematoxylin concentration (blue-purple: nuclei); about 0 to 2.
    pub(super) h: f32,
    /// Eosin concentration (pink: fibres, cytoplasm); about 0 to 1.
    pub(super) e: f32,
    /// Number of the gland that covers it, from 1; 0 is stroma.
    pub(super) gland: u16,
}

/// An ellipse of chromatin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nucleus {
    /// Centre, in world lengths.
    pub(super) centre: [f32; 2],
    /// Half axes: along `angle` and across it.
    pub(super) axes: [f32; 2],
    /// Direction of the first axis, radians.
    pub(super) angle: f32,
    /// Haematoxylin concentration.
    pub(super) dark: f32,
}

/// Square grid of samples over the world.
pub(super) struct Canvas {
    size: usize,
    samples: Vec<Sample>,
}

impl Canvas {
    /// Empty glass for a picture of `size × size` pixels.
    pub(super) fn new(size: u32) -> Self {
        let size = size as usize;
        Self { size, samples: vec![Sample::default(); (size * SAMPLES).pow(2)] }
    }

    /// Changes every sample within `reach` of `centre` (a square); `change` receives its place in the world.
    pub(super) fn each(&mut self, centre: [f32; 2], reach: f32, mut change: impl FnMut(f32, f32, &mut Sample)) {
        let side = self.size * SAMPLES;
        let scale = side as f32 / WORLD;
        let range = |c: f32| {
            let low = ((c - reach) * scale).floor().clamp(0.0, side as f32) as usize;
            let high = ((c + reach) * scale).ceil().clamp(0.0, side as f32) as usize;
            low..high
        };
        for row in range(centre[1]) {
            for column in range(centre[0]) {
                let (x, y) = ((column as f32 + 0.5) / scale, (row as f32 + 0.5) / scale);
                if let Some(sample) = self.samples.get_mut(row * side + column) {
                    change(x, y, sample);
                }
            }
        }
    }

    /// Changes every sample.
    pub(super) fn all(&mut self, change: impl FnMut(f32, f32, &mut Sample)) {
        self.each([WORLD / 2.0; 2], WORLD, change);
    }

    /// Draws a nucleus with a soft edge, a darker membrane and clumped chromatin, onto one gland (0: stroma) only.
    pub(super) fn stamp(&mut self, nucleus: &Nucleus, chromatin: Noise, gland: u16) {
        let Nucleus { centre, axes: [a, b], angle, dark } = *nucleus;
        let (sin, cos) = angle.sin_cos();
        self.each(centre, a.max(b) + 1.0, |x, y, sample| {
            if sample.gland != gland {
                return;
            }
            let (dx, dy) = (x - centre[0], y - centre[1]);
            let radius = ((cos * dx + sin * dy) / a).hypot((cos * dy - sin * dx) / b);
            let cover = ((1.0 - radius) * a.min(b) / 0.7 + 0.5).clamp(0.0, 1.0);
            if cover <= 0.0 {
                return;
            }
            let membrane = 0.16 * (-((radius - 0.85) / 0.2).powi(2)).exp();
            let clumps = 0.45 * (chromatin.rough(x * 0.9, y * 0.9) - 0.5);
            let h = dark * (1.0 + membrane + clumps);
            // Overlapping nuclei darken a little instead of adding up.
            sample.h += cover * (h.max(sample.h * 0.6 + h * 0.4) - sample.h);
            sample.e += cover * (0.45 - sample.e);
        });
    }

    /// Picture and mask (255 where at least half of a pixel is gland).
    pub(super) fn develop(&self, stain: &Stain, rng: &mut ChaCha8Rng) -> (RgbImage, GrayImage) {
        let side = self.size as u32;
        let (mut image, mut mask) = (RgbImage::new(side, side), GrayImage::new(side, side));
        for (x, y, pixel) in image.enumerate_pixels_mut() {
            let mut light = [0.0f32; 3];
            let mut gland = 0;
            for sample in self.samples_of(x as usize, y as usize) {
                let seen = stain.light(sample.h.max(0.0), sample.e.max(0.0));
                light.iter_mut().zip(seen).for_each(|(sum, value)| *sum += value);
                gland += usize::from(sample.gland != 0);
            }
            let shown = light.map(|sum| sum / (SAMPLES * SAMPLES) as f32 + rng.random_range(-GRAIN..GRAIN));
            *pixel = Rgb(shown.map(|value| value.round().clamp(0.0, 255.0) as u8));
            if 2 * gland >= SAMPLES * SAMPLES {
                mask.put_pixel(x, y, Luma([255]));
            }
        }
        (image, mask)
    }

    fn samples_of(&self, x: usize, y: usize) -> impl Iterator<Item = &Sample> {
        let side = self.size * SAMPLES;
        (0..SAMPLES).flat_map(move |row| {
            let start = (y * SAMPLES + row) * side + x * SAMPLES;
            self.samples.iter().skip(start).take(SAMPLES)
        })
    }
}
