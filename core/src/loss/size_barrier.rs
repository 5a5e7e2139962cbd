use burn::tensor::Tensor;
use burn::tensor::activation::relu;

use crate::config::BarrierKind;

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
