//! Colour jitter with the meaning of torchvision's `ColorJitter` on 8-bit images; each operation equals Pillow's to
//! the bit.

use image::{Rgb, RgbImage};
use rand::seq::SliceRandom as _;
use rand::{Rng, RngExt as _};

use super::InputConfig;

/// Changes an image in place by a factor, or for [`hue`] by a share of the circle.
type Operation = fn(&mut RgbImage, f64);

/// Applies the operations that are switched on in random order, each with a uniformly random factor.
pub(super) fn jitter(image: &mut RgbImage, config: &InputConfig, rng: &mut impl Rng) {
    let factor = |strength: f64| (strength > 0.0).then_some((1.0 - strength).max(0.0)..=1.0 + strength);
    let turn = (config.hue > 0.0).then_some(-config.hue..=config.hue);
    let mut operations: [(Operation, _); 4] = [
        (brightness, factor(config.brightness)),
        (contrast, factor(config.contrast)),
        (saturation, factor(config.saturation)),
        (hue, turn),
    ];
    operations.shuffle(rng);
    for (operation, range) in operations {
        if let Some(range) = range {
            operation(image, rng.random_range(range));
        }
    }
}

/// Blends with black.
fn brightness(image: &mut RgbImage, factor: f64) {
    map_values(image, |value| blend(0, value, factor as f32));
}

/// Blends with the image's mean luma.
fn contrast(image: &mut RgbImage, factor: f64) {
    let sum: u64 = image.pixels().map(|pixel| u64::from(luma(pixel))).sum();
    let count = u64::from(image.width()) * u64::from(image.height());
    let mean = (sum as f64 / count.max(1) as f64 + 0.5) as u8;
    map_values(image, |value| blend(mean, value, factor as f32));
}

/// Blends every pixel with its luma.
fn saturation(image: &mut RgbImage, factor: f64) {
    for pixel in image.pixels_mut() {
        let gray = luma(pixel);
        pixel.0 = pixel.0.map(|value| blend(gray, value, factor as f32));
    }
}

/// Turns every pixel's hue by a share of the colour circle, in steps of 1/255 cut off towards zero.
fn hue(image: &mut RgbImage, turn: f64) {
    let turn = (turn * 255.0) as i32 as u8;
    for pixel in image.pixels_mut() {
        let [h, s, v] = to_hsv(pixel.0);
        pixel.0 = from_hsv([h.wrapping_add(turn), s, v]);
    }
}

fn map_values(image: &mut RgbImage, f: impl Fn(u8) -> u8) {
    let table: [u8; 256] = std::array::from_fn(|value| f(value as u8));
    for value in image.iter_mut() {
        *value = table[usize::from(*value)];
    }
}

/// `from + factor * (to - from)`, cut to an integer from 0 to 255.
fn blend(from: u8, to: u8, factor: f32) -> u8 {
    let (from, to) = (f32::from(from), f32::from(to));
    (from + factor * (to - from)) as u8
}

/// ITU-R 601 luma in 16-bit fixed point.
fn luma(Rgb([r, g, b]): &Rgb<u8>) -> u8 {
    let sum = u32::from(*r) * 19_595 + u32::from(*g) * 38_470 + u32::from(*b) * 7_471;
    ((sum + 0x8000) >> 16) as u8
}

/// Hue, saturation and value, all from 0 to 255 and cut to integers.
fn to_hsv([r, g, b]: [u8; 3]) -> [u8; 3] {
    let (max, min) = (r.max(g).max(b), r.min(g).min(b));
    if max == min {
        return [0, 0, max];
    }
    let range = f32::from(max - min);
    let saturation = range / f32::from(max);
    let distance = |value: u8| f32::from(max - value) / range;
    // in sixths of the circle
    let sixths = if r == max {
        f64::from(distance(b) - distance(g))
    } else if g == max {
        2.0 + f64::from(distance(r)) - f64::from(distance(b))
    } else {
        4.0 + f64::from(distance(g)) - f64::from(distance(r))
    };
    let circles = f64::from(sixths as f32) / 6.0 + 1.0;
    let hue = (circles - f64::from(circles as u8)) as f32;
    [(f64::from(hue) * 255.0) as u8, (f64::from(saturation) * 255.0) as u8, max]
}

fn from_hsv([h, s, v]: [u8; 3]) -> [u8; 3] {
    if s == 0 {
        return [v; 3];
    }
    let (sixths, saturation) = (u32::from(h) * 6, f32::from(s) / 255.0);
    let fraction = (sixths % 255) as f32 / 255.0;
    let darker = |share: f32| (f32::from(v) * (1.0 - saturation * share) + 0.5) as u8;
    let (low, falling, rising) = (darker(1.0), darker(fraction), darker(1.0 - fraction));
    match sixths / 255 % 6 {
        0 => [v, rising, low],
        1 => [falling, v, low],
        2 => [low, v, rising],
        3 => [low, falling, v],
        4 => [rising, low, v],
        _ => [v, low, falling],
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn colours() -> RgbImage {
        let pixels = [
            [200, 120, 180],
            [90, 40, 130],
            [255, 255, 255],
            [0, 0, 0],
            [13, 200, 77],
            [250, 10, 11],
            [128, 128, 127],
            [30, 60, 240],
        ];
        RgbImage::from_vec(8, 1, pixels.concat()).unwrap()
    }

    /// Expected values: Pillow 13.0 (`ImageEnhance`, and torchvision's way of turning the hue of an HSV image).
    #[test]
    #[rustfmt::skip]
    fn operations_equal_pillow() {
        let cases: [(Operation, f64, [[u8; 3]; 8]); 8] = [
            (brightness, 0.63, [[126, 75, 113], [56, 25, 81], [160, 160, 160], [0, 0, 0], [8, 126, 48], [157, 6, 6], [80, 80, 80], [18, 37, 151]]),
            (brightness, 1.41, [[255, 169, 253], [126, 56, 183], [255, 255, 255], [0, 0, 0], [18, 255, 108], [255, 14, 15], [180, 180, 179], [42, 84, 255]]),
            (contrast, 0.55, [[159, 115, 148], [99, 71, 121], [189, 189, 189], [49, 49, 49], [56, 159, 91], [187, 55, 55], [119, 119, 119], [66, 82, 181]]),
            (contrast, 1.37, [[233, 123, 205], [82, 14, 137], [255, 255, 255], [0, 0, 0], [0, 233, 64], [255, 0, 0], [134, 134, 133], [0, 41, 255]]),
            (saturation, 0.58, [[179, 133, 167], [79, 50, 102], [255, 255, 255], [0, 0, 0], [62, 170, 99], [179, 40, 40], [128, 128, 127], [47, 65, 169]]),
            (saturation, 1.45, [[222, 106, 193], [101, 28, 159], [255, 255, 255], [0, 0, 0], [0, 231, 53], [255, 0, 0], [128, 128, 126], [11, 54, 255]]),
            (hue, 0.049, [[200, 120, 158], [114, 40, 130], [255, 255, 255], [0, 0, 0], [13, 200, 128], [250, 67, 11], [128, 128, 127], [55, 30, 240]]),
            (hue, -0.03, [[200, 120, 193], [74, 40, 130], [255, 255, 255], [0, 0, 0], [13, 200, 44], [250, 11, 56], [128, 128, 127], [30, 99, 240]]),
        ];
        for (case, (operation, factor, expected)) in cases.into_iter().enumerate() {
            let mut image = colours();
            operation(&mut image, factor);
            assert_eq!(image.into_raw(), expected.concat(), "case {case}");
        }
    }

    #[test]
    fn strength_zero_changes_nothing_and_strength_matters() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let off = InputConfig { brightness: 0.0, contrast: 0.0, saturation: 0.0, hue: 0.0, ..InputConfig::default() };
        let mut image = colours();
        jitter(&mut image, &off, &mut rng);
        assert_eq!(image, colours());
        jitter(&mut image, &InputConfig::default(), &mut rng);
        assert_ne!(image, colours());
        // a strength above 1 cannot make a factor negative
        for _ in 0..50 {
            let mut image = colours();
            jitter(&mut image, &InputConfig { brightness: 3.0, ..off.clone() }, &mut rng);
            assert!(image.get_pixel(0, 0).0[0] >= image.get_pixel(0, 0).0[1]);
        }
    }
}
