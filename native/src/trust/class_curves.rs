use histomask_core::trust::curves::{by_importance, replaced, steps};
use histomask_core::{RgbView, Segmenter};
use image::RgbImage;

use super::TrustError;

/// What a removed pixel becomes when pixels are deleted.
const MID_GREY: u8 = 128;

/// Sigma of the blur that insertion starts from, as a share of the short side: RISE's 5 pixels of 224.
const BLUR: f32 = 5.0 / 224.0;

/// Probability of the predicted class by the model's own posterior for the full image, after each step.
pub(super) struct ClassCurves {
    /// Pixels go, the most important first; each becomes mid-grey.
    pub(super) deletion: Vec<f64>,
    /// Pixels of the image come into its blurred copy, the most important first.
    pub(super) insertion: Vec<f64>,
}

/// Deletion and insertion of one image; `probability` is the class's on the image as it is.
pub(super) fn class_curves(
    segmenter: &Segmenter,
    image: &RgbImage,
    soft: &[f32],
    class: usize,
    probability: f64,
    number: usize,
) -> Result<ClassCurves, TrustError> {
    let [width, height] = [image.width() as usize, image.height() as usize];
    let order = by_importance(soft);
    let steps = steps(order.len(), number);
    let posterior = |pixels: &[u8]| -> Result<f64, TrustError> {
        let observation = segmenter.observe(RgbView::new(pixels, width, height)?)?;
        Ok(observation.probabilities.get(class).copied().unwrap_or_default().into())
    };
    let after =
        |from: &[u8], to: &[u8], count: &usize| posterior(&replaced(from, to, order.get(..*count).unwrap_or(&order)));

    let grey = vec![MID_GREY; image.as_raw().len()];
    let sigma = (BLUR * width.min(height) as f32).max(1.0);
    let blurred = image::imageops::fast_blur(image, sigma);
    // deletion starts from the image, and insertion ends with it
    let (_, going) = steps.split_first().unwrap_or((&0, &[]));
    let (_, coming) = steps.split_last().unwrap_or((&0, &[]));
    let mut deletion = vec![probability];
    for count in going {
        deletion.push(after(image.as_raw(), &grey, count)?);
    }
    let mut insertion = Vec::with_capacity(steps.len());
    for count in coming {
        insertion.push(after(blurred.as_raw(), image.as_raw(), count)?);
    }
    insertion.push(probability);
    Ok(ClassCurves { deletion, insertion })
}
