//! How large a pixel is, where a file says so.

use image::ImageFormat;

use super::{jpeg, png, tiff};

/// Microns per pixel that a picture of tissue can have: files made for screen or print say 84 (300 dpi) and more.
const LIKELY: std::ops::RangeInclusive<f64> = 0.02..=10.0;

/// Microns per pixel, if the file states such as a microscope's; across and down must agree.
pub(super) fn microns_per_pixel(file: &[u8], format: ImageFormat) -> Option<f64> {
    let [across, down] = match format {
        ImageFormat::Png => png::microns_per_pixel(file),
        ImageFormat::Jpeg => jpeg::walk(file).microns_per_pixel,
        ImageFormat::Tiff => tiff::microns_per_pixel(file),
        _ => None,
    }?;
    let mpp = (across * down).sqrt();
    (LIKELY.contains(&mpp) && (across / down - 1.0).abs() < 0.02).then_some(mpp)
}
