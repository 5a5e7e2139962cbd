//! What a soft mask gains from the image itself, without learning: outside of training, at the model's resolution.
//!
//! A network's map is as coarse as its stride and follows what speaks for the class; colour knows where tissue ends and
//! where nuclei stand close. Both steps are settings of [`MaskConfig`](crate::config::MaskConfig) and part of a model's
//! card.

mod clusters;
mod glass;
mod morphology;
mod optical_density;
mod pieces;
mod prior;
mod votes;
mod wide;

use crate::config::MaskConfig;
use glass::glass;
use optical_density::OpticalDensity;
use pieces::without_small_pieces;
use prior::nuclei_and_lumen;
use votes::votes;

pub use wide::Wide;

/// Changes a soft mask `[H, W]` as `config` asks; `rgb` are the image's pixels at the same size, 3 bytes each.
///
/// First votes of similar pixels are blended in, `(1 - w) mask + w votes`, then the prior likewise, then large empty
/// glass is made background, then pieces and holes that are too small for a gland go.
pub fn refine(mask: &mut [f32], rgb: &[u8], size: [usize; 2], config: &MaskConfig) {
    if !config.refines() {
        return;
    }
    let density = OpticalDensity::new(rgb, size);
    let blend = |mask: &mut [f32], other: Vec<f32>, weight: f64| {
        let weight = weight as f32;
        mask.iter_mut().zip(other).for_each(|(soft, other)| *soft = (1.0 - weight) * *soft + weight * other);
    };
    if config.votes > 0.0 {
        blend(mask, votes(mask, &density), config.votes);
    }
    if config.prior > 0.0 {
        blend(
            mask,
            nuclei_and_lumen(&density).into_iter().map(|inside| f32::from(u8::from(inside))).collect(),
            config.prior,
        );
    }
    if config.tissue {
        mask.iter_mut()
            .zip(glass(&density, density.short_side()))
            .filter(|(_, glass)| *glass)
            .for_each(|(soft, _)| *soft = 0.0);
    }
    if config.smallest > 0.0 {
        let side = f64::from(density.short_side());
        without_small_pieces(mask, size, (config.smallest * side * side).round() as usize);
    }
}

/// Where an image is tissue, and not large empty glass, `[H, W]`: what `MaskConfig::tissue` leaves of a mask. `rgb` are
/// pixels at the model's resolution, 3 bytes each.
#[must_use]
pub fn tissue(rgb: &[u8], size: [usize; 2]) -> Vec<bool> {
    let density = OpticalDensity::new(rgb, size);
    glass(&density, density.short_side()).into_iter().map(|glass| !glass).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pale stroma with two dark rings around a bright lumen, and an empty right third.
    fn picture() -> (Vec<u8>, [usize; 2]) {
        let size = [96, 192];
        let colour = |y: usize, x: usize| -> [u8; 3] {
            if x >= 128 {
                return [244, 243, 245];
            }
            let ring = |cx: f32| (y as f32 - 48.0).hypot(x as f32 - cx);
            match ring(32.0).min(ring(92.0)) {
                r if r < 8.0 => [235, 225, 235],
                r if r < 20.0 => [90, 50, 130],
                _ => [225, 160, 200],
            }
        };
        let pixels = (0..size[0]).flat_map(|y| (0..size[1]).flat_map(move |x| colour(y, x))).collect();
        (pixels, size)
    }

    #[test]
    fn the_prior_fills_rings_and_glass_is_never_foreground() {
        let (rgb, size) = picture();
        let config = MaskConfig { prior: 1.0, tissue: true, ..MaskConfig::default() };
        let mut mask = vec![0.9; size[0] * size[1]];
        refine(&mut mask, &rgb, size, &config);
        let at = |y: usize, x: usize| mask[y * size[1] + x];
        assert_eq!([at(48, 48), at(48, 32), at(48, 92)], [1.0; 3], "epithelium and the lumen inside it");
        assert_eq!([at(5, 5), at(48, 62)], [0.0; 2], "stroma");
        let mut mask = vec![0.9; size[0] * size[1]];
        refine(&mut mask, &rgb, size, &MaskConfig { tissue: true, ..MaskConfig::default() });
        assert_eq!([mask[48 * size[1] + 170], mask[48 * size[1] + 32]], [0.0, 0.9], "glass, and a small lumen");
    }

    #[test]
    fn in_parts_as_in_one() {
        let (rgb, size) = picture();
        let config = MaskConfig { prior: 0.6, tissue: true, ..MaskConfig::default() };
        let soft: Vec<f32> = (0..size[0] * size[1]).map(|i| (i % 11) as f32 / 10.0).collect();
        let mut whole = soft.clone();
        refine(&mut whole, &rgb, size, &config);
        // all pixels as samples, and the whole as its only part
        let side = size[0];
        let wide = Wide::new(&Wide::samples(&rgb, size, side, size[0] * size[1]), side, &config);
        let flags = wide.flags(&rgb, size);
        let parts: Vec<_> = soft.iter().zip(&flags).map(|(&soft, &flag)| wide.refined(soft, flag)).collect();
        assert_eq!(parts, whole);
        assert!((0..4).all(|flag| flag == 3 || flags.contains(&flag)), "the picture lacks a kind of pixel");
        // a part with what lies around it is that part of the whole
        let (margin, width) = (Wide::margin(side), size[1]);
        let (from, to) = (70, 110);
        let columns = from - margin..to + margin;
        let cut: Vec<u8> =
            rgb.chunks(3 * width).flat_map(|row| &row[3 * columns.start..3 * columns.end]).copied().collect();
        let part = wide.flags(&cut, [size[0], columns.len()]);
        for y in 0..size[0] {
            let of_part = &part[y * columns.len() + margin..][..to - from];
            assert_eq!(of_part, &flags[y * width + from..y * width + to], "row {y}");
        }
    }

    #[test]
    fn switched_off_it_changes_nothing() {
        let (rgb, size) = picture();
        let mut mask: Vec<f32> = (0..size[0] * size[1]).map(|i| (i % 7) as f32 / 7.0).collect();
        let before = mask.clone();
        refine(&mut mask, &rgb, size, &MaskConfig::default());
        assert_eq!(mask, before);
    }

    #[test]
    fn any_picture_gives_a_mask_in_range() {
        for (size, value) in [([1, 1], 0), ([3, 5], 255), ([40, 1], 128), ([33, 64], 90)] {
            let rgb: Vec<u8> = (0..size[0] * size[1] * 3).map(|i| (value + i % 3) as u8).collect();
            let mut mask = vec![0.5; size[0] * size[1]];
            refine(
                &mut mask,
                &rgb,
                size,
                &MaskConfig { prior: 0.5, votes: 0.5, tissue: true, smallest: 0.005, ..MaskConfig::default() },
            );
            assert!(mask.iter().all(|soft| (0.0..=1.0).contains(soft)), "{size:?}");
        }
    }
}
