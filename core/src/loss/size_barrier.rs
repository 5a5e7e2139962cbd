use burn::tensor::Tensor;
use burn::tensor::activation::relu;

use crate::config::BarrierKind;

/// The barrier `psi_t(-s)` of sizes `s`, any number of them (Eq. 7; `spec` §2.2).
///
/// The extended barrier is `-(1/t) ln s` down to `s = 1/t²` and its tangent below, which is what
/// `-(1/t) ln max(s, 1/t²) + t max(1/t² - s, 0)` says in one expression.
pub fn barrier(sizes: Tensor<1>, kind: BarrierKind, t: f64) -> Tensor<1> {
    let log_barrier = |sizes: Tensor<1>| sizes.log() / -t;
    match kind {
        BarrierKind::Pure => log_barrier(sizes),
        BarrierKind::Extended => {
            let switch = 1.0 / (t * t);
            log_barrier(sizes.clone().clamp_min(switch)) + relu(-sizes + switch) * t
        }
        BarrierKind::None => sizes * 0.0,
    }
}
