//! Crops, flips and quarter turns: drawn once, then done to an image and to its mask alike.

use image::{ImageBuffer, Pixel, imageops};
use rand::{Rng, RngExt as _};

use super::InputConfig;

/// A picture of 8-bit channels.
type Picture<P> = ImageBuffer<P, Vec<u8>>;

/// Side of the square that a training crop shows, in pixels of the resized image: the crop's over a random zoom.
pub(super) fn side(config: &InputConfig, rng: &mut impl Rng) -> u32 {
    if config.zoom <= 1.0 {
        return config.crop;
    }
    let limit = config.zoom.ln();
    let zoom = rng.random_range(-limit..=limit).exp();
    (f64::from(config.crop) / zoom).round().max(1.0) as u32
}

/// A square cut out of a picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crop {
    left: i64,
    top: i64,
    side: u32,
}

impl Crop {
    /// A square of side `crop` at a uniformly random place of a picture of that size; a picture smaller than that is
    /// padded by reflection, evenly on both sides.
    pub(super) fn draw((width, height): (u32, u32), crop: u32, rng: &mut impl Rng) -> Self {
        let mut start = |side: u32| {
            let room = i64::from(side) - i64::from(crop);
            if room > 0 { rng.random_range(0..=room) } else { room.div_euclid(2) }
        };
        let (top, left) = (start(height), start(width));
        Self { left, top, side: crop }
    }

    /// The square; outside the picture, its reflection without the border pixel.
    pub(super) fn of<P: Pixel<Subpixel = u8>>(self, picture: &Picture<P>) -> Picture<P> {
        let Self { left, top, side } = self;
        let channels = usize::from(P::CHANNEL_COUNT);
        let columns: Vec<u32> = (0..i64::from(side)).map(|x| reflect(left + x, picture.width())).collect();
        let inside = left >= 0 && left + i64::from(side) <= i64::from(picture.width());
        let row_bytes = picture.width() as usize * channels;
        let mut pixels = Vec::with_capacity(side as usize * side as usize * channels);
        for y in 0..i64::from(side) {
            let start = reflect(top + y, picture.height()) as usize * row_bytes;
            let row = &picture.as_raw()[start..start + row_bytes];
            if inside {
                pixels.extend_from_slice(&row[left as usize * channels..(left as usize + side as usize) * channels]);
            } else {
                pixels.extend(columns.iter().flat_map(|&x| &row[x as usize * channels..][..channels]));
            }
        }
        // never empty: side rows of side pixels were pushed
        Picture::from_raw(side, side, pixels).unwrap_or_else(|| Picture::new(side, side))
    }
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

/// Flips and quarter turns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flips {
    left_right: bool,
    top_bottom: bool,
    quarter_turns: u8,
}

impl Flips {
    /// Those the settings allow, each with even chances.
    pub(super) fn draw(config: &InputConfig, rng: &mut impl Rng) -> Self {
        Self {
            left_right: config.hflip && rng.random_bool(0.5),
            top_bottom: config.vflip && rng.random_bool(0.5),
            quarter_turns: if config.rotate90 { rng.random_range(0..4) } else { 0 },
        }
    }

    /// The picture flipped, then turned. Squares keep their size.
    pub(super) fn of<P: Pixel<Subpixel = u8> + 'static>(self, mut picture: Picture<P>) -> Picture<P> {
        if self.left_right {
            imageops::flip_horizontal_in_place(&mut picture);
        }
        if self.top_bottom {
            imageops::flip_vertical_in_place(&mut picture);
        }
        match self.quarter_turns {
            0 => picture,
            1 => imageops::rotate90(&picture),
            2 => imageops::rotate180(&picture),
            _ => imageops::rotate270(&picture),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use image::{Rgb, RgbImage};
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
                let image = numbered(6, 5);
                let crop = Crop::draw(image.dimensions(), 4, &mut rng).of(&image);
                let Rgb([x, y, _]) = *crop.get_pixel(0, 0);
                assert_eq!(crop.get_pixel(3, 3), &Rgb([x + 3, y + 3, 0]));
                (x, y)
            })
            .collect();
        assert_eq!(corners.len(), 3 * 2);
    }

    #[test]
    fn small_images_are_reflected() {
        let image = numbered(3, 1);
        let crop = Crop::draw(image.dimensions(), 8, &mut ChaCha8Rng::seed_from_u64(0)).of(&image);
        let row: Vec<_> = crop.pixels().take(8).map(|pixel| pixel.0[0]).collect();
        assert_eq!(row, [1, 2, 1, 0, 1, 2, 1, 0]);
        assert_eq!(crop.dimensions(), (8, 8));
    }

    #[test]
    fn all_eight_orientations_occur() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let config = InputConfig { rotate90: true, ..InputConfig::default() };
        let mut orientations = |config: &InputConfig| {
            (0..200).map(|_| Flips::draw(config, &mut rng).of(numbered(3, 3)).into_raw()).collect::<HashSet<_>>().len()
        };
        assert_eq!(orientations(&config), 8);
        assert_eq!(orientations(&InputConfig::default()), 4);
        assert_eq!(orientations(&InputConfig { hflip: false, vflip: false, ..InputConfig::default() }), 1);
    }
}
