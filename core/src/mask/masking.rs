use burn::tensor::Tensor;

use crate::resample::bilinear;

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
/// `images` `[B, 3, H, W]`, `mask` `[B, 1, H, W]`; `size` is the result's `[H', W']`.
pub fn masked(images: Tensor<4>, mask: Tensor<4>, size: [usize; 2], align_corners: bool) -> Regions {
    let foreground = bilinear(images.clone() * mask, size, align_corners);
    let background = bilinear(images, size, align_corners) - foreground.clone();
    Regions { foreground, background }
}
