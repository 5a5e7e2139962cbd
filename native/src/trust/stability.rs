use histomask_core::trust::stability::{Orientation, agreement};
use histomask_core::trust::stain::{CHANGES, restained};
use histomask_core::{RgbView, Segmenter};
use image::RgbImage;

use super::TrustError;

/// Mean IoU of the mask with those of the image in its seven other orientations, laid back.
///
/// # Errors
///
/// [`TrustError`] if the model refuses one of them.
pub fn orientation_stability(
    segmenter: &Segmenter,
    image: &RgbImage,
    mask: &[f32],
    class: Option<usize>,
    threshold: f32,
) -> Result<f64, TrustError> {
    over_orientations(segmenter, image, mask, class, threshold, &Orientation::OTHERS)
}

/// The same over left–right, upside down and both: three passes.
///
/// # Errors
///
/// As [`orientation_stability`].
pub fn flip_stability(
    segmenter: &Segmenter,
    image: &RgbImage,
    mask: &[f32],
    class: Option<usize>,
    threshold: f32,
) -> Result<f64, TrustError> {
    over_orientations(segmenter, image, mask, class, threshold, &Orientation::FLIPS)
}

fn over_orientations(
    segmenter: &Segmenter,
    image: &RgbImage,
    mask: &[f32],
    class: Option<usize>,
    threshold: f32,
    orientations: &[Orientation],
) -> Result<f64, TrustError> {
    let size = [image.width() as usize, image.height() as usize];
    let mut sum = 0.0;
    for orientation in orientations {
        let laid = orientation.apply(image.as_raw(), size, 3);
        let other = mask_of(segmenter, &laid, orientation.size(size), class)?;
        sum += agreement(mask, &orientation.undo(&other, size, 1), threshold);
    }
    Ok(sum / orientations.len().max(1) as f64)
}

/// Mean IoU of the mask with those of the image stained a little more or less ([`CHANGES`]).
///
/// # Errors
///
/// As [`orientation_stability`].
pub fn stain_stability(
    segmenter: &Segmenter,
    image: &RgbImage,
    mask: &[f32],
    class: Option<usize>,
    threshold: f32,
) -> Result<f64, TrustError> {
    let size = [image.width() as usize, image.height() as usize];
    let mut sum = 0.0;
    for change in CHANGES {
        let other = mask_of(segmenter, &restained(image.as_raw(), change), size, class)?;
        sum += agreement(mask, &other, threshold);
    }
    Ok(sum / CHANGES.len() as f64)
}

/// The mask of the class that the untouched image was given: what is measured is the mask, not the class.
fn mask_of(
    segmenter: &Segmenter,
    pixels: &[u8],
    [width, height]: [usize; 2],
    class: Option<usize>,
) -> Result<Vec<f32>, TrustError> {
    Ok(segmenter.observe(RgbView::new(pixels, width, height)?)?.mask(class)?)
}
