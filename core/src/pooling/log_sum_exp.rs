//! CAM-LSE: class maps under log-sum-exp pooling (Pinheiro & Collobert, CVPR 2015; Sun et al., CVPR 2016;
//! `spec` §5.3).
//!
//! `score_c = 1/r ln(1/(hw) sum_ij exp(r map_c(i, j)))`: between the average (r → 0) and the maximum (r → ∞).

use burn::tensor::Tensor;

/// r of the baseline CAM-LSE.
pub(super) const SHARPNESS: f64 = 10.0;

/// Log-sum-exp with sharpness `r`, `[B, C, h, w]` to `[B, C]`. The maximum is taken out first, so nothing overflows.
pub fn log_sum_exp(class_maps: Tensor<4>, r: f64) -> Tensor<2> {
    let [batch, classes, _, _] = class_maps.dims();
    let flat: Tensor<3> = class_maps.flatten(2, 3);
    // a constant of the gradient: the formula does not depend on it
    let highest = flat.clone().max_dim(2).detach();
    let mean = ((flat - highest.clone()) * r).exp().mean_dim(2);
    (highest + mean.log() / r).reshape([batch, classes])
}
