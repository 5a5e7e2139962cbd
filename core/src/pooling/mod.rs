//! From modality maps to class scores: class-wise pooling, then spatial pooling (`spec` §1.3, §5.1–5.4).

mod average;
mod class_wise;
mod highest;
mod log_sum_exp;
mod maximum;
mod wildcat;

use burn::tensor::Tensor;

pub use average::average;
pub use class_wise::class_wise;
pub use log_sum_exp::log_sum_exp;
pub use maximum::maximum;
pub use wildcat::{Positions, WildcatPooling};

/// How a class map becomes a class score.
#[derive(Clone, Debug)]
pub enum Pooling {
    /// CAM-Avg, Grad-CAM, ERASE.
    Average,
    /// CAM-Max.
    Max,
    /// CAM-LSE.
    LogSumExp,
    /// WILDCAT, PN, max-min: the baseline WILDCAT has four maps a class, k+ = k- = 0.1 of the positions, alpha 0.6 and
    /// no dropout.
    Wildcat(WildcatPooling),
}

impl Pooling {
    /// Class scores (logits) of class maps, `[B, C, h, w]` to `[B, C]`.
    pub fn forward(&self, class_maps: Tensor<4>) -> Tensor<2> {
        match self {
            Self::Average => average(class_maps),
            Self::Max => maximum(class_maps),
            Self::LogSumExp => log_sum_exp(class_maps, log_sum_exp::SHARPNESS),
            Self::Wildcat(pooling) => pooling.forward(class_maps),
        }
    }
}
