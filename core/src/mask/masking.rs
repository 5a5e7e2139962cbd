use burn::tensor::Tensor;

use crate::resample::{bilinear, scaled};

/// The two inputs of the classifier, `[B, 3, H', W']` each.
pub struct Regions {
    /// `X⁺ = X ⊙ M⁺`, shrunk.
    pub foreground: Tensor<4>,
    /// `X⁻ = X ⊙ (1 - M⁺)`, shrunk.
    pub background: Tensor<4>,
}

/// Splits normalised images into foreground and background and shrinks both (`spec` §1.6).
///
/// A removed pixel becomes 0, which is mid-grey for images normalised by mean 0.5. Shrinking is linear, so the
/// background is the shrunk image less the shrunk foreground, and only the latter carries a gradient.
///
/// # Shapes
///
/// `images` `[B, 3, H, W]`, `mask` `[B, 1, H, W]`; sides of the result are `trunc(scale * side)`.
pub fn masked(images: Tensor<4>, mask: Tensor<4>, scale: f64, align_corners: bool) -> Regions {
    let [_, _, height, width] = images.dims();
    let size = [scaled(height, scale), scaled(width, scale)];
    let foreground = bilinear(images.clone() * mask, size, align_corners);
    let background = bilinear(images, size, align_corners) - foreground.clone();
    Regions { foreground, background }
}
