//! A soft mask drawn over its picture, and the masks as grey images of their own.

use histomask_core::mask::{binary, sixteen_bit};
use histomask_core::shaders::{self, OverlayParams, colormap};
use image::{GrayImage, ImageBuffer, Luma, Rgb, RgbImage};

use super::ReportError;
use super::colormap::Colormap;

pub use histomask_core::shaders::{PREDICTED_EDGE, TRUE_EDGE};

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
    let truth: Vec<u32> = match truth {
        Some(truth) => {
            fits("true mask", truth.as_raw().len(), width, height)?;
            truth.as_raw().iter().map(|&value| value.into()).collect()
        }
        None => Vec::new(),
    };
    let params = OverlayParams {
        height,
        width,
        row_stride: width,
        has_truth: u32::from(!truth.is_empty()),
        contour: u32::from(style.contour),
        thickness: shaders::edge_thickness(width, height),
        threshold: style.threshold,
        opacity: style.opacity.clamp(0.0, 1.0),
    };
    let pixels: Vec<u32> = image.pixels().map(|&Rgb([r, g, b])| u32::from_le_bytes([r, g, b, u8::MAX])).collect();
    let mut painted = vec![0; pixels.len()];
    shaders::overlay(&params, &pixels, soft, &truth, &colormap::packed(style.colormap.into()), &mut painted);
    let painted = painted.into_iter().flat_map(|pixel| {
        let [r, g, b, _] = pixel.to_le_bytes();
        [r, g, b]
    });
    Ok(RgbImage::from_raw(width, height, painted.collect()).unwrap_or_default())
}

/// Thresholded mask: 255 where `soft >= threshold`, else 0.
///
/// # Errors
/// [`ReportError::Size`] where `soft` is not `height × width` long.
pub fn mask_png(soft: &[f32], width: u32, height: u32, threshold: f32) -> Result<GrayImage, ReportError> {
    fits("soft mask", soft.len(), width, height)?;
    Ok(GrayImage::from_raw(width, height, binary(soft, threshold)).unwrap_or_default())
}

/// Soft mask as 16-bit grey, 65535 for 1.
///
/// # Errors
/// [`ReportError::Size`] where `soft` is not `height × width` long.
pub fn soft_png(soft: &[f32], width: u32, height: u32) -> Result<ImageBuffer<Luma<u16>, Vec<u16>>, ReportError> {
    fits("soft mask", soft.len(), width, height)?;
    Ok(ImageBuffer::from_raw(width, height, sixteen_bit(soft)).unwrap_or_default())
}

fn fits(what: &'static str, got: usize, width: u32, height: u32) -> Result<(), ReportError> {
    if got as u64 == u64::from(width) * u64::from(height) {
        Ok(())
    } else {
        Err(ReportError::Size { what, got, width, height })
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
    fn masks_keep_their_size() {
        let soft = [0.0, 0.499, 0.5, 1.0, 0.2, 0.9];
        assert_eq!(mask_png(&soft, 3, 2, 0.5).unwrap().dimensions(), (3, 2));
        assert_eq!(soft_png(&soft, 3, 2).unwrap().dimensions(), (3, 2));
        assert!(matches!(mask_png(&soft, 3, 3, 0.5), Err(ReportError::Size { got: 6, .. })));
        let image = RgbImage::new(2, 2);
        assert!(overlay(&image, &soft, None, &OverlayStyle::default()).is_err());
    }
}
