//! What can be wrong with the input of a metric.

/// Input that no metric can be computed from.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MetricError {
    /// The mask and its truth have different numbers of pixels.
    #[error("the mask has {mask} pixels but its truth has {truth}: resample one of them to the other's size")]
    Length {
        /// Pixels in the predicted mask.
        mask: usize,
        /// Pixels in the true mask.
        truth: usize,
    },
    /// An image without pixels.
    #[error("the mask is empty: give at least one pixel")]
    NoPixels,
    /// NaN or an infinity in a soft mask.
    #[error("the mask is {value} at pixel {index}: every value must be finite; check the model's output for NaN")]
    NotFinite {
        /// Position of the first such pixel, row-major.
        index: usize,
        /// The value found there.
        value: f32,
    },
    /// A class index outside the confusion matrix.
    #[error("class index {class} does not exist among {classes} classes: check the list of class names")]
    Class {
        /// The index given.
        class: usize,
        /// Number of classes of the matrix.
        classes: usize,
    },
}

/// Checks that a soft mask belongs to its truth and holds numbers only.
///
/// # Errors
/// [`MetricError::Length`], [`MetricError::NoPixels`], [`MetricError::NotFinite`].
pub(super) fn check_mask<T>(soft: &[f32], truth: &[T]) -> Result<(), MetricError> {
    if soft.len() != truth.len() {
        return Err(MetricError::Length { mask: soft.len(), truth: truth.len() });
    }
    if soft.is_empty() {
        return Err(MetricError::NoPixels);
    }
    match soft.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        Some((index, &value)) => Err(MetricError::NotFinite { index, value }),
        None => Ok(()),
    }
}
