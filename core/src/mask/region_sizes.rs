use burn::tensor::Tensor;

/// Soft sizes of the two regions in pixels, `[B]` each.
#[derive(Clone, Debug)]
pub struct RegionSizes {
    /// Eq. 10.
    pub foreground: Tensor<1>,
    /// Eq. 11.
    pub background: Tensor<1>,
}

impl RegionSizes {
    /// From the foreground's size: what is left of `pixels` is background.
    #[must_use]
    pub fn new(foreground: Tensor<1>, pixels: usize) -> Self {
        Self { background: -foreground.clone() + pixels as f64, foreground }
    }
}

/// Sizes of foreground and background (Eq. 10–11): sums of the soft mask `[B, 1, H, W]` and its complement.
pub fn region_sizes(mask: Tensor<4>) -> RegionSizes {
    let [batch, _, height, width] = mask.dims();
    let foreground = mask.reshape([batch, height * width]).sum_dim(1).reshape([batch]);
    RegionSizes::new(foreground, height * width)
}
