//! Haematoxylin and eosin: from stain concentrations to colour, and how both vary between laboratories.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

/// Optical density per unit of stain in red, green and blue: rounded means of published H&E bases (Ruifrok &
/// Johnston 2001, Macenko et al. 2009).
const HAEMATOXYLIN: [f32; 3] = [0.63, 0.70, 0.33];
const EOSIN: [f32; 3] = [0.13, 0.86, 0.36];

/// One laboratory's staining and scanner.
#[derive(Clone, Debug)]
pub(super) struct Stain {
    haematoxylin: [f32; 3],
    eosin: [f32; 3],
    white: [f32; 3],
}

impl Stain {
    /// Draws hue, strength and white balance.
    pub(super) fn sample(rng: &mut ChaCha8Rng) -> Self {
        let (h, e) = (rng.random_range(0.78..1.22), rng.random_range(0.72..1.28));
        Self {
            haematoxylin: HAEMATOXYLIN.map(|d| h * (d + rng.random_range(-0.06..0.06))),
            eosin: EOSIN.map(|d| e * (d + rng.random_range(-0.06..0.06))),
            white: [(); 3].map(|()| rng.random_range(238.0..252.0)),
        }
    }

    /// Transmitted light `[R, G, B]` in `[0, 255]` after the concentrations `h` and `e` (Beer–Lambert).
    pub(super) fn light(&self, h: f32, e: f32) -> [f32; 3] {
        std::array::from_fn(|c| self.white[c] * (-(h * self.haematoxylin[c] + e * self.eosin[c])).exp())
    }
}
