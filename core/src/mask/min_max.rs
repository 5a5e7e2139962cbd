use burn::tensor::Tensor;

use crate::config::MinMax;

/// Scales raw maps to `[0, 1]` (`spec` §1.5).
///
/// A constant map has no range: it becomes 0 everywhere, with a zero gradient instead of a division by zero.
///
/// # Shapes
///
/// `[B, 1, H, W]` to `[B, 1, H, W]`.
pub fn min_max(maps: Tensor<4>, over: MinMax) -> Tensor<4> {
    let [batch, _, height, width] = maps.dims();
    let groups = match over {
        MinMax::PerSample => batch,
        MinMax::WholeBatch => 1,
        MinMax::None => return maps,
    };
    let flat = maps.reshape([groups, batch / groups * height * width]);
    let (low, high) = (flat.clone().min_dim(1), flat.clone().max_dim(1));
    let range = high - low.clone();
    // Below the smallest normal f32 a map is constant for every purpose, and its inverse would not be finite.
    let constant = range.clone().lower_elem(f32::MIN_POSITIVE);
    let varies = constant.clone().bool_not().float();
    let scaled = (flat - low) / range.mask_fill(constant, 1.0) * varies;
    scaled.reshape([batch, 1, height, width])
}
