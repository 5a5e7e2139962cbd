//! Antialiased bilinear resizing, Pillow's to the byte.

use histomask_core::RgbView;
use histomask_core::preprocess::{ResizeRule, resize as resize_rgb};
use image::RgbImage;

use super::AugmentError;

/// Longest side that resizing may produce, in pixels.
const MAX_SIDE: usize = 32_768;

/// Applies a rule; see [`super::Augmenter::resize`].
pub(super) fn resize(image: &RgbImage, rule: ResizeRule, size: u32) -> Result<RgbImage, AugmentError> {
    let from = image.dimensions();
    let [width, height] = rule.target(from.0 as usize, from.1 as usize, size as usize);
    let to = (width.try_into().unwrap_or(u32::MAX), height.try_into().unwrap_or(u32::MAX));
    if width.max(height) > MAX_SIDE {
        return Err(AugmentError::TooElongated { from, to });
    }
    let refused = |reason: String| AugmentError::Resize { reason };
    let view = RgbView::new(image.as_raw(), from.0 as usize, from.1 as usize);
    let resized = resize_rgb(view.map_err(|error| refused(error.to_string()))?, width, height);
    RgbImage::from_raw(to.0, to.1, resized).ok_or_else(|| refused("pixels are missing".into()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use image::Rgb;

    use super::*;

    #[test]
    fn sizes_follow_the_rules() {
        use ResizeRule::{None, ShortSide, ShortSideUp, Square};
        // GlaS's sizes (test vector `resize_short_side_432`)
        for (from, to) in [
            ([775, 522], [641, 432]),
            ([574, 433], [572, 432]),
            ([581, 442], [567, 432]),
            ([567, 430], [569, 432]),
            ([578, 433], [576, 432]),
            ([589, 453], [561, 432]),
            ([432, 432], [432, 432]),
            ([522, 775], [432, 641]),
        ] {
            assert_eq!(ShortSide.target(from[0], from[1], 432), to);
        }
        assert_eq!(ShortSideUp.target(775, 522, 432), [775, 522]);
        assert_eq!(ShortSideUp.target(567, 430, 432), [569, 432]);
        assert_eq!(Square.target(775, 522, 416), [416, 416]);
        assert_eq!(None.target(775, 522, 416), [775, 522]);
    }

    /// Expected values: Pillow 13.0, `resize((8, 5), BILINEAR)`; red and green vary along one axis each, blue wildly.
    #[test]
    #[rustfmt::skip]
    fn values_equal_pillow() {
        let image = RgbImage::from_fn(13, 9, |x, y| Rgb([(x * 19) as u8, (y * 28) as u8, (x * y * 7 + x * 31) as u8]));
        let resized = resize(&image, ResizeRule::ShortSide, 5).unwrap();
        assert_eq!(resized.dimensions(), (7, 5));
        let wide = resize_rgb(RgbView::new(image.as_raw(), 13, 9).unwrap(), 8, 5);
        let wide = RgbImage::from_raw(8, 5, wide).unwrap();
        let (red, green) = ([8, 37, 68, 98, 130, 160, 191, 220], [16, 60, 112, 165, 208]);
        let blue = [
            [15, 68, 126, 174, 145, 108, 95, 139],
            [19, 90, 159, 130, 73, 127, 141, 121],
            [25, 115, 165, 79, 139, 121, 93, 136],
            [30, 141, 119, 115, 171, 108, 143, 101],
            [34, 137, 104, 132, 106, 127, 102, 119],
        ];
        for (x, y, pixel) in wide.enumerate_pixels() {
            let (x, y) = (x as usize, y as usize);
            assert_eq!(pixel.0, [red[x], green[y], blue[y][x]], "({x}, {y})");
        }
    }

    #[test]
    fn a_thread_of_pixels_is_refused() {
        let error = resize(&RgbImage::new(1, 16_000), ResizeRule::ShortSide, 432).unwrap_err();
        assert_eq!(error, AugmentError::TooElongated { from: (1, 16_000), to: (432, 6_912_000) });
    }
}
