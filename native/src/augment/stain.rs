//! Stain jitter: the colours of another laboratory's haematoxylin and eosin (Tellez et al., IEEE TMI 37, 2018).
//!
//! Optical density `-ln((I + 1) / 256)` of red, green and blue is a mixture of three stains ([`STAINS`]). Each stain `s`
//! becomes `(1 + a) s + b`, and the mixture a colour again: in 32 bits, where `restained`, which shifts none, has 64.

use histomask_core::trust::stain::STAINS;
use image::RgbImage;
use rand::{Rng, RngExt as _};

/// Share of the strength by which a stain is shifted.
const SHIFT: f64 = 0.25;

/// Multiplies each stain by a random factor from `[1 - strength, 1 + strength]` and shifts it by up to a quarter of
/// `strength`; nothing is drawn at strength 0.
pub(super) fn jitter(image: &mut RgbImage, strength: f64, rng: &mut impl Rng) {
    if strength <= 0.0 {
        return;
    }
    let mut draw = |limit: f64| rng.random_range(-limit..=limit) as f32;
    let (factors, shifts) = ([0; 3].map(|_| 1.0 + draw(strength)), [0; 3].map(|_| draw(SHIFT * strength)));
    change(image, factors, shifts);
}

fn change(image: &mut RgbImage, factors: [f32; 3], shifts: [f32; 3]) {
    let density: [f32; 256] = std::array::from_fn(|value| -((value as f32 + 1.0) / 256.0).ln());
    let mix = STAINS.map(|stain| stain.map(|density| density as f32));
    let unmix = inverse(mix);
    for pixel in image.pixels_mut() {
        let stains = product(pixel.0.map(|value| density[usize::from(value)]), unmix);
        let changed: [f32; 3] = std::array::from_fn(|stain| stains[stain] * factors[stain] + shifts[stain]);
        pixel.0 = product(changed, mix).map(|density| (256.0 * (-density).exp() - 1.0).round().clamp(0.0, 255.0) as u8);
    }
}

/// A row times a matrix.
fn product(row: [f32; 3], matrix: [[f32; 3]; 3]) -> [f32; 3] {
    std::array::from_fn(|column| (0..3).map(|k| row[k] * matrix[k][column]).sum())
}

/// By Cramer's rule; the stains are independent.
fn inverse(m: [[f32; 3]; 3]) -> [[f32; 3]; 3] {
    let minor = |row: usize, column: usize| {
        let [r0, r1] = [(row + 1) % 3, (row + 2) % 3];
        let [c0, c1] = [(column + 1) % 3, (column + 2) % 3];
        m[r0][c0] * m[r1][c1] - m[r0][c1] * m[r1][c0]
    };
    let determinant: f32 = (0..3).map(|column| m[0][column] * minor(0, column)).sum();
    std::array::from_fn(|row| std::array::from_fn(|column| minor(column, row) / determinant))
}

#[cfg(test)]
mod tests {
    use histomask_core::trust::stain::restained;
    use image::Rgb;
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn tissue() -> RgbImage {
        RgbImage::from_fn(64, 4, |x, y| Rgb([(60 + 3 * x) as u8, (20 + 2 * x + 10 * y) as u8, (90 + 2 * x) as u8]))
    }

    #[test]
    fn mixing_undoes_unmixing() {
        let mut image = tissue();
        change(&mut image, [1.0; 3], [0.0; 3]);
        let furthest = image.iter().zip(tissue().iter()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(furthest <= Some(1), "{furthest:?}");
    }

    #[test]
    fn without_a_shift_it_is_the_restaining_that_stability_is_measured_by() {
        let mut image = tissue();
        change(&mut image, [0.8, 1.25, 1.0], [0.0; 3]);
        let other = restained(tissue().as_raw(), [0.8, 1.25]);
        let furthest = image.iter().zip(&other).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(furthest <= Some(1), "{furthest:?}");
        assert_ne!(image, tissue());
    }

    #[test]
    fn more_haematoxylin_darkens_red_and_more_eosin_green() {
        // each stain alone, of optical density 1
        let darker = |colour: [u8; 3], factors: [f32; 3]| {
            let mut image = RgbImage::from_pixel(1, 1, Rgb(colour));
            change(&mut image, factors, [0.0; 3]);
            let after = image.get_pixel(0, 0).0;
            std::array::from_fn::<i32, 3, _>(|i| i32::from(colour[i]) - i32::from(after[i]))
        };
        let haematoxylin = darker([133, 126, 190], [1.3, 1.0, 1.0]);
        let eosin = darker([238, 94, 228], [1.0, 1.3, 1.0]);
        assert!(haematoxylin[0] > 15 && haematoxylin[0] > haematoxylin[2], "{haematoxylin:?}");
        assert!(eosin[1] > 15 && eosin[1] > 3 * eosin[0] && eosin[1] > 3 * eosin[2], "{eosin:?}");
    }

    #[test]
    fn strength_zero_draws_nothing() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut image = tissue();
        jitter(&mut image, 0.0, &mut rng);
        assert_eq!((image, rng.random::<u64>()), (tissue(), ChaCha8Rng::seed_from_u64(3).random::<u64>()));
        let mut image = tissue();
        jitter(&mut image, 0.3, &mut rng);
        assert_ne!(image, tissue());
    }
}
