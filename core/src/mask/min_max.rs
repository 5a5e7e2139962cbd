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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn small_ranges_are_scaled_and_a_constant_map_is_pulled_nowhere() {
        let device = Device::flex().autodiff();
        let maps = [[0.5, 0.500_5, 0.501], [7.0; 3]];
        let maps = Tensor::<2>::from_floats(maps, &device).reshape([2, 1, 1, 3]).require_grad();
        let scaled = min_max(maps.clone(), MinMax::PerSample);
        // of different weights, so that shifts of the whole map do not hide
        let weights = Tensor::<4>::from_floats([[[[1.0, 2.0, 4.0]]]], &device);
        let gradients = (scaled.clone() * weights).sum().backward();
        let found: Vec<f32> = scaled.inner().into_data().iter().collect();
        assert!(found.iter().zip([0.0, 0.5, 1.0, 0.0, 0.0, 0.0]).all(|(a, b)| (a - b).abs() < 1e-3), "{found:?}");
        let pull: Vec<f32> = maps.grad(&gradients).unwrap().into_data().iter().collect();
        assert!(pull[..3].iter().any(|&pull| pull != 0.0) && pull[3..] == [0.0; 3], "{pull:?}");
    }
}
