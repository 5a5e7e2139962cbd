//! Synthetic gland-like tissue with known masks: demo and test data free of any licence, patient or download.
//!
//! Two classes in the stain of H&E. *Regular* glands are round, with one ordered row of nuclei and a wide lumen;
//! *irregular* ones are lobed and crowded, with chaotic large nuclei and hardly a lumen. The class shows inside
//! glands only: stain, stroma and covered area of patch `i` are drawn once for both classes.
//!
//! And whole slides of lymph nodes with and without nests of tumour, in the layout of Camelyon16: `slides.rs`.

mod canvas;
mod dataset;
mod gland;
mod layout;
mod lymph_node;
mod nest;
mod noise;
mod outline;
mod slide_file;
mod slides;
mod stain;
mod stroma;

pub use dataset::{SynthError, SynthSummary, write_dataset};
pub use slide_file::SlideFileError;
pub use slides::{SlideSetConfig, SlideSetError, write_slides};

use image::{GrayImage, RgbImage};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Side of the drawn world; lengths in this module are in 1/128 of the patch side, whatever its pixel size.
const WORLD: f32 = 128.0;

/// Range the glands' share of the patch area is drawn from; the laid-out share lies within 0.04 of the drawn one.
const AREA: std::ops::Range<f32> = 0.34..0.56;

/// Class of a synthetic patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SynthClass {
    /// Round glands, ordered nuclei.
    Regular,
    /// Lobed glands, chaotic nuclei.
    Irregular,
}

impl SynthClass {
    /// Both classes, in the order of their labels.
    pub const ALL: [Self; 2] = [Self::Regular, Self::Irregular];

    /// Label as written to `labels.csv`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Regular => "regular",
            Self::Irregular => "irregular",
        }
    }
}

/// What to generate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SynthConfig {
    /// Everything random follows from this seed.
    pub seed: u64,
    /// Side of the square patch in pixels; a data set takes 32 to 1024. The tissue is scaled, not cropped.
    pub size: u32,
    /// Magnification, 1 to 4: the patch is the middle of a drawing that many times as wide.
    pub zoom: u32,
    /// Patches per class.
    pub per_class: usize,
    /// Share of each class that goes to the `valid` split, in `[0, 1)`.
    pub valid: f64,
    /// Share of each class that goes to the `test` split, in `[0, 1)`; the rest is `train`.
    pub test: f64,
}

impl Default for SynthConfig {
    fn default() -> Self {
        Self { seed: 0, size: 128, zoom: 1, per_class: 120, valid: 0.2, test: 0.2 }
    }
}

/// One patch and its truth.
#[derive(Clone, Debug)]
pub struct SynthPatch {
    /// `size × size` RGB picture.
    pub image: RgbImage,
    /// `size × size`; 255 inside glands (lumen included), 0 elsewhere.
    pub mask: GrayImage,
    /// The class drawn.
    pub class: SynthClass,
}

/// Draws patch `i` of a class. Depends on seed, size, zoom, `i` and `class` only; the same on every run of a
/// platform (another platform's `sin` and `exp` may change single pixels by one level).
pub fn generate(i: usize, class: SynthClass, cfg: &SynthConfig) -> SynthPatch {
    // One stream for what both classes share, one each for their glands.
    let stream = |part: u64| {
        let mut rng = ChaCha8Rng::seed_from_u64(cfg.seed);
        rng.set_stream((i as u64) << 2 | part);
        rng
    };
    let mut shared = stream(0);
    let mut own = stream(1 + class as u64);

    let stain = stain::Stain::sample(&mut shared);
    let area = shared.random_range(AREA);
    let mut canvas = canvas::Canvas::new(cfg.size * cfg.zoom);
    stroma::paint(&mut canvas, &mut shared);
    for (number, outline) in (1..).zip(layout::place(class, area, &mut own)) {
        gland::paint(&mut canvas, number, &outline, class, &mut own);
    }
    let (image, mask) = canvas.develop(&stain, &mut shared);
    let from = cfg.size * (cfg.zoom - 1) / 2;
    let middle = [from, from, cfg.size, cfg.size];
    SynthPatch { image: crop(&image, middle), mask: crop(&mask, middle), class }
}

fn crop<P: image::Pixel + 'static>(
    picture: &image::ImageBuffer<P, Vec<P::Subpixel>>,
    [x, y, width, height]: [u32; 4],
) -> image::ImageBuffer<P, Vec<P::Subpixel>> {
    image::imageops::crop_imm(picture, x, y, width, height).to_image()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(mask: &GrayImage) -> f64 {
        mask.pixels().filter(|p| p.0[0] == 255).count() as f64 / f64::from(mask.width() * mask.height())
    }

    #[test]
    fn same_seed_same_patch_and_other_seed_another() {
        let cfg = SynthConfig { size: 64, ..SynthConfig::default() };
        let (a, b) = (generate(3, SynthClass::Irregular, &cfg), generate(3, SynthClass::Irregular, &cfg));
        assert_eq!(a.image, b.image);
        assert_eq!(a.mask, b.mask);
        let other = generate(3, SynthClass::Irregular, &SynthConfig { seed: 1, ..cfg });
        assert_ne!(a.image, other.image);
    }

    #[test]
    fn glands_cover_a_varying_30_to_60_percent_in_both_classes() {
        let cfg = SynthConfig { size: 32, ..SynthConfig::default() };
        for class in SynthClass::ALL {
            let shares: Vec<f64> = (0..24).map(|i| share(&generate(i, class, &cfg).mask)).collect();
            let (low, high) = shares.iter().fold((1.0f64, 0.0f64), |(l, h), &s| (l.min(s), h.max(s)));
            assert!(low >= 0.29 && high <= 0.61, "{} covers {low:.3} to {high:.3}", class.name());
            assert!(high - low > 0.12, "{} hardly varies: {low:.3} to {high:.3}", class.name());
        }
    }

    #[test]
    fn outside_the_glands_both_classes_are_the_same_picture() {
        let cfg = SynthConfig::default();
        for i in 0..3 {
            let [a, b] = SynthClass::ALL.map(|class| generate(i, class, &cfg));
            // Pixels at a gland's edge mix both tissues.
            let near_gland = |x: u32, y: u32| {
                (y.saturating_sub(2)..(y + 3).min(cfg.size)).any(|v| {
                    (x.saturating_sub(2)..(x + 3).min(cfg.size))
                        .any(|u| a.mask.get_pixel(u, v).0[0] == 255 || b.mask.get_pixel(u, v).0[0] == 255)
                })
            };
            let mut compared = 0;
            for (x, y, pixel) in a.image.enumerate_pixels().filter(|(x, y, _)| !near_gland(*x, *y)) {
                assert_eq!(pixel, b.image.get_pixel(x, y), "patch {i}, pixel {x},{y}");
                compared += 1;
            }
            assert!(compared > 500, "patch {i} leaves {compared} pixels to compare");
        }
    }
}
