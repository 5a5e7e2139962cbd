//! Crops, flips and quarter turns.

use image::{RgbImage, imageops};
use rand::{Rng, RngExt as _};

use super::InputConfig;

/// A square of side `crop` at a uniformly random place; an image smaller than that is padded by reflection, evenly on
/// both sides.
pub(super) fn random_crop(image: &RgbImage, crop: u32, rng: &mut impl Rng) -> RgbImage {
    let mut start = |side: u32| {
        let room = i64::from(side) - i64::from(crop);
        if room > 0 { rng.random_range(0..=room) } else { room.div_euclid(2) }
    };
    let (top, left) = (start(image.height()), start(image.width()));
    crop_reflected(image, left, top, crop)
}

/// The square whose top left corner is `(left, top)`; outside the image, its reflection without the border pixel.
fn crop_reflected(image: &RgbImage, left: i64, top: i64, side: u32) -> RgbImage {
    let columns: Vec<u32> = (0..i64::from(side)).map(|x| reflect(left + x, image.width())).collect();
    let inside = left >= 0 && left + i64::from(side) <= i64::from(image.width());
    let row_bytes = image.width() as usize * 3;
    let mut pixels = Vec::with_capacity(side as usize * side as usize * 3);
    for y in 0..i64::from(side) {
        let start = reflect(top + y, image.height()) as usize * row_bytes;
        let row = &image.as_raw()[start..start + row_bytes];
        if inside {
            pixels.extend_from_slice(&row[left as usize * 3..(left as usize + side as usize) * 3]);
        } else {
            pixels.extend(columns.iter().flat_map(|&x| &row[x as usize * 3..x as usize * 3 + 3]));
        }
    }
    // never empty: side rows of side pixels were pushed
    RgbImage::from_raw(side, side, pixels).unwrap_or_default()
}

/// Position in `0..length` that position `i` mirrors; the mirrors sit on the first and last pixel.
fn reflect(i: i64, length: u32) -> u32 {
    let last = i64::from(length.saturating_sub(1));
    if last == 0 {
        return 0;
    }
    let folded = i.rem_euclid(2 * last);
    folded.min(2 * last - folded) as u32
}

/// The flips and turns the settings allow, each with even chances. Square images keep their size.
pub(super) fn random_flips(mut image: RgbImage, config: &InputConfig, rng: &mut impl Rng) -> RgbImage {
    if config.hflip && rng.random_bool(0.5) {
        imageops::flip_horizontal_in_place(&mut image);
    }
    if config.vflip && rng.random_bool(0.5) {
        imageops::flip_vertical_in_place(&mut image);
    }
    if !config.rotate90 {
        return image;
    }
    match rng.random_range(0..4) {
        0 => image,
        1 => imageops::rotate90(&image),
        2 => imageops::rotate180(&image),
        _ => imageops::rotate270(&image),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use image::Rgb;
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn numbered(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| Rgb([x as u8, y as u8, 0]))
    }

    #[test]
    fn crops_reach_every_place() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let corners: HashSet<_> = (0..200)
            .map(|_| {
                let crop = random_crop(&numbered(6, 5), 4, &mut rng);
                let Rgb([x, y, _]) = *crop.get_pixel(0, 0);
                assert_eq!(crop.get_pixel(3, 3), &Rgb([x + 3, y + 3, 0]));
                (x, y)
            })
            .collect();
        assert_eq!(corners.len(), 3 * 2);
    }

    #[test]
    fn small_images_are_reflected() {
        let crop = random_crop(&numbered(3, 1), 8, &mut ChaCha8Rng::seed_from_u64(0));
        let row: Vec<_> = crop.pixels().take(8).map(|pixel| pixel.0[0]).collect();
        assert_eq!(row, [1, 2, 1, 0, 1, 2, 1, 0]);
        assert_eq!(crop.dimensions(), (8, 8));
    }

    #[test]
    fn all_eight_orientations_occur() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let config = InputConfig { rotate90: true, ..InputConfig::default() };
        let mut orientations = |config: &InputConfig| {
            (0..200).map(|_| random_flips(numbered(3, 3), config, &mut rng).into_raw()).collect::<HashSet<_>>().len()
        };
        assert_eq!(orientations(&config), 8);
        assert_eq!(orientations(&InputConfig::default()), 4);
        assert_eq!(orientations(&InputConfig { hflip: false, vflip: false, ..InputConfig::default() }), 1);
    }
}
