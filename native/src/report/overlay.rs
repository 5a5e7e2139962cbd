//! A soft mask drawn over its picture, and the masks as grey images of their own.

use image::{GrayImage, ImageBuffer, Luma, Rgb, RgbImage};

use super::{
    ReportError,
    colormap::{Colormap, color},
};

/// Colour of the edge of the predicted mask: white.
pub const PREDICTED_EDGE: [u8; 3] = [255, 255, 255];

/// Colour of the edge of the true mask: Okabe and Ito's orange.
pub const TRUE_EDGE: [u8; 3] = [255, 159, 0];

/// Drawn beside an edge so that it shows on any background.
const SHADE: [u8; 3] = [16, 16, 24];

/// How a soft mask is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OverlayStyle {
    /// Foreground is `soft >= threshold` (`spec` §4: 0.5).
    pub threshold: f32,
    /// Opacity of the heat at full strength, in `[0, 1]`; it fades with the value so that the tissue stays visible.
    pub opacity: f32,
    /// Colours of the heat.
    pub colormap: Colormap,
    /// Whether the edge of the foreground is drawn.
    pub contour: bool,
}

impl Default for OverlayStyle {
    fn default() -> Self {
        Self { threshold: 0.5, opacity: 0.6, colormap: Colormap::Viridis, contour: true }
    }
}

/// Heat of a soft mask (`[H, W]` row by row, values in `[0, 1]`) over its picture, with the edge of the foreground
/// in [`PREDICTED_EDGE`] and that of `truth` (any value but 0 is foreground), if given, in [`TRUE_EDGE`].
///
/// # Errors
/// [`ReportError::Size`] where a mask is not of the picture's size.
pub fn overlay(
    image: &RgbImage,
    soft: &[f32],
    truth: Option<&GrayImage>,
    style: &OverlayStyle,
) -> Result<RgbImage, ReportError> {
    let (width, height) = image.dimensions();
    fits("soft mask", soft.len(), width, height)?;
    let mut out = image.clone();
    for (pixel, &value) in out.pixels_mut().zip(soft) {
        let value = if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) };
        blend(pixel, color(style.colormap, value), style.opacity.clamp(0.0, 1.0) * (0.15 + 0.85 * value));
    }
    if let Some(truth) = truth {
        fits("true mask", truth.as_raw().len(), width, height)?;
        // Outside its region, so that it stays visible under a prediction that is right.
        let outside: Vec<bool> = truth.as_raw().iter().map(|&value| value == 0).collect();
        draw_edge(&mut out, &outside, TRUE_EDGE);
    }
    if style.contour {
        let inside: Vec<bool> = soft.iter().map(|&value| value >= style.threshold).collect();
        draw_edge(&mut out, &inside, PREDICTED_EDGE);
    }
    Ok(out)
}

/// Thresholded mask: 255 where `soft >= threshold`, else 0.
///
/// # Errors
/// [`ReportError::Size`] where `soft` is not `height × width` long.
pub fn mask_png(soft: &[f32], width: u32, height: u32, threshold: f32) -> Result<GrayImage, ReportError> {
    fits("soft mask", soft.len(), width, height)?;
    let values = soft.iter().map(|&value| if value >= threshold { 255 } else { 0 }).collect();
    Ok(GrayImage::from_raw(width, height, values).unwrap_or_default())
}

/// Soft mask as 16-bit grey, 65535 for 1.
///
/// # Errors
/// [`ReportError::Size`] where `soft` is not `height × width` long.
pub fn soft_png(soft: &[f32], width: u32, height: u32) -> Result<ImageBuffer<Luma<u16>, Vec<u16>>, ReportError> {
    fits("soft mask", soft.len(), width, height)?;
    // A cast to u16 saturates and takes NaN to 0.
    let values = soft.iter().map(|&value| (value * 65535.0).round() as u16).collect();
    Ok(ImageBuffer::from_raw(width, height, values).unwrap_or_default())
}

fn fits(what: &'static str, got: usize, width: u32, height: u32) -> Result<(), ReportError> {
    if got as u64 == u64::from(width) * u64::from(height) {
        Ok(())
    } else {
        Err(ReportError::Size { what, got, width, height })
    }
}

/// Colours the pixels of `region` that border on the rest, and shades the next ones inwards. The border of the
/// picture is no edge.
fn draw_edge(image: &mut RgbImage, region: &[bool], line: [u8; 3]) {
    let (width, height) = image.dimensions();
    let thickness = (width.min(height) / 256).max(1);
    let mut ring = region.to_vec();
    for step in 0..=thickness {
        let inner = erode(&ring, width as usize);
        let pixels = image.pixels_mut().zip(ring.iter().zip(&inner));
        for (pixel, _) in pixels.filter(|(_, (now, next))| **now && !**next) {
            if step < thickness { blend(pixel, line, 1.0) } else { blend(pixel, SHADE, 0.45) }
        }
        ring = inner;
    }
}

/// Removes the pixels that touch the outside of the region along a side.
fn erode(region: &[bool], width: usize) -> Vec<bool> {
    let at = |index: Option<usize>| index.and_then(|index| region.get(index)).copied().unwrap_or(true);
    let keep = |(index, &inside): (usize, &bool)| {
        let column = index % width;
        inside
            && at(index.checked_sub(width))
            && at(index.checked_add(width))
            && (column == 0 || at(index.checked_sub(1)))
            && (column + 1 == width || at(index.checked_add(1)))
    };
    region.iter().enumerate().map(keep).collect()
}

fn blend(pixel: &mut Rgb<u8>, over: [u8; 3], alpha: f32) {
    for (channel, value) in pixel.0.iter_mut().zip(over) {
        *channel = (f32::from(*channel) * (1.0 - alpha) + f32::from(value) * alpha).round() as u8;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail loudly")]
    use super::*;

    #[test]
    fn contour_lies_on_the_edge_of_the_thresholded_mask() {
        let image = RgbImage::from_pixel(8, 8, Rgb([200, 120, 160]));
        // A square of 5 × 6 that touches the lower border.
        let square = |x: u32, y: u32| (2..7).contains(&x) && y >= 2;
        let soft: Vec<f32> = (0..64).map(|k| if square(k % 8, k / 8) { 0.5 } else { 0.49 }).collect();
        let drawn = overlay(&image, &soft, None, &OverlayStyle::default()).unwrap();
        for (x, y, pixel) in drawn.enumerate_pixels() {
            let edge = square(x, y) && (x == 2 || x == 6 || y == 2);
            assert_eq!(pixel.0 == PREDICTED_EDGE, edge, "pixel {x},{y}");
        }
        let plain = OverlayStyle { contour: false, opacity: 0.0, ..OverlayStyle::default() };
        assert_eq!(overlay(&image, &soft, None, &plain).unwrap(), image);
        let truth = GrayImage::from_fn(8, 8, |x, y| Luma([u8::from(square(x, y)) * 3]));
        let both = overlay(&image, &soft, Some(&truth), &OverlayStyle::default()).unwrap();
        assert_eq!((both.get_pixel(1, 4).0, both.get_pixel(2, 4).0), (TRUE_EDGE, PREDICTED_EDGE));
    }

    #[test]
    fn masks_keep_size_and_values() {
        let soft = [0.0, 0.499, 0.5, 1.0, f32::NAN, 2.0];
        assert_eq!(mask_png(&soft, 3, 2, 0.5).unwrap().into_raw(), [0, 0, 255, 255, 0, 255]);
        assert_eq!(soft_png(&soft, 3, 2).unwrap().into_raw(), [0, 32702, 32768, 65535, 0, 65535]);
        assert!(matches!(mask_png(&soft, 3, 3, 0.5), Err(ReportError::Size { got: 6, .. })));
        let image = RgbImage::new(2, 2);
        assert!(overlay(&image, &soft, None, &OverlayStyle::default()).is_err());
    }
}
