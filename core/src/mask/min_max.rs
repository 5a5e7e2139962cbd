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
    // The smallest normal f32: a map this flat is constant for every purpose, and its inverse is still finite.
    let range = (high - low.clone()).clamp_min(f64::from(f32::MIN_POSITIVE));
    ((flat - low) / range).reshape([batch, 1, height, width])
}
